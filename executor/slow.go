package executor

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/types"
)

// maxLoggedQuery bounds the text of a statement in the log, in bytes.
const maxLoggedQuery = 2048

// logSlow logs a statement that has ended, when it took as long as
// log_min_duration_statement says. Parameters are data of users: they are logged
// only where log_parameter_max_length asks for it.
func (s *session) logSlow(p *portal, err error) {
	if s.limits.logMinDuration < 0 || s.engine.opts.Logger == nil || p.began.IsZero() {
		return
	}
	took := time.Since(p.began)
	if took < s.limits.logMinDuration {
		return
	}
	text, cut := shorten(p.prepared.text, maxLoggedQuery)
	args := []any{
		"duration_ms", float64(took.Microseconds()) / 1000, "session", s.id, "pid", s.opts.PID, "statement", s.number, "user", s.user,
		"database", s.opts.Database, "application", s.Setting("application_name"), "client", s.opts.RemoteAddr, "tag", p.cmdTag, "query", text,
	}
	if cut {
		args = append(args, "query_bytes", len(p.prepared.text))
	}
	if err != nil {
		args = append(args, "error", err)
	}
	if n := s.limits.logParameters; n != 0 && len(p.params) > 0 {
		args = append(args, "parameters", slog.GroupValue(s.loggedParameters(p, n)...))
	}
	s.engine.opts.Logger.Info("slow statement", args...)
}

// loggedParameters are a statement's parameters, each with at most n bytes; -1 is no limit.
func (s *session) loggedParameters(p *portal, n int) []slog.Attr {
	out := make([]slog.Attr, len(p.params))
	for i, v := range p.params {
		text := "NULL"
		if v != nil {
			text = types.FormatString(p.prepared.params[i], v, s.env)
		}
		if n > 0 {
			text, _ = shorten(text, n)
		}
		out[i] = slog.String(fmt.Sprintf("$%d", i+1), text)
	}
	return out
}

// shorten cuts a text at n bytes or a little less, between two characters.
func shorten(s string, n int) (string, bool) {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s, false
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…", true
}
