package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/akidb/akidb/internal/pgerr"
)

// asClientError gives the error that the client sees. What has no SQLSTATE is a
// bug of ours: the client gets a general text.
func asClientError(err error) *pgerr.Error {
	if e := pgerr.As(err); e != nil {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
	}
	return pgerr.New(pgerr.InternalError, "internal error").
		WithHint("This is a bug in AkiDB; the server's log has the details.")
}

// logInternal logs an error that has no SQLSTATE.
func (c *client) logInternal(err error) {
	if pgerr.As(err) == nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		c.server.opts.Logger.Error("internal error", "pid", c.pid, "error", fmt.Sprintf("%+v", err))
	}
}

// writeError writes an ErrorResponse ('E') or NoticeResponse ('N'); offset is
// the number of characters of the query string before the statement.
func writeError(w *frameWriter, typ byte, e *pgerr.Error, offset int) {
	severity := e.Severity
	if severity == "" {
		severity = "ERROR"
		if typ == 'N' {
			severity = "NOTICE"
		}
	}
	w.begin(typ)
	field := func(code byte, value string) {
		if value != "" {
			w.byte(code)
			w.string(value)
		}
	}
	field('S', severity)
	field('V', severity)
	field('C', e.Code)
	field('M', e.Message)
	field('D', e.Detail)
	field('H', e.Hint)
	if e.Position > 0 {
		field('P', fmt.Sprint(e.Position+offset))
	}
	field('W', e.Where)
	field('s', e.Schema)
	field('t', e.Table)
	field('c', e.Column)
	field('d', e.DataType)
	field('n', e.Constraint)
	w.byte(0)
	w.end()
}
