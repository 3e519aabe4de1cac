package server

import (
	"strings"
	"time"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
)

// login checks who the client is. The order of the checks is PostgreSQL's: the
// password before the database, so that names cannot be found out without one.
func (c *client) login() error {
	c.user, c.database = c.params["user"], c.params["database"]
	if c.user == "" {
		return c.refuse(pgerr.New(pgerr.InvalidAuthorization, "no PostgreSQL user name specified in startup packet"))
	}
	if c.database == "" {
		c.database = c.user
	}
	admin := c.server.opts.Admin
	verifier, canLogin, exists := admin.Verifier(c.user)
	if c.server.opts.AuthMethod(c.Conn.RemoteAddr()) == "scram-sha-256" {
		if err := c.scram(verifier); err != nil {
			return err
		}
	}
	switch {
	case !exists:
		return c.refuse(pgerr.Newf(pgerr.InvalidAuthorization, "role %q does not exist", c.user))
	case !canLogin:
		return c.refuse(pgerr.Newf(pgerr.InvalidAuthorization, "role %q is not permitted to log in", c.user))
	case !admin.HasDatabase(c.database):
		return c.refuse(pgerr.Newf(pgerr.InvalidCatalogName, "database %q does not exist", c.database))
	case c.server.closing.Load():
		return c.refuse(pgerr.New(pgerr.CannotConnectNow, "the database system is shutting down"))
	case !c.server.admit(c):
		return c.refuse(pgerr.New(pgerr.TooManyConnections, "sorry, too many clients already"))
	}
	settings, err := startupSettings(c.params)
	if err == nil {
		err = c.open(settings)
	}
	if err != nil {
		return c.refuse(asClientError(err))
	}
	c.writeAuth(authOK)
	c.out.flush()
	c.mute.Store(true)
	return c.out.err
}

// open makes the session.
func (c *client) open(settings map[string]string) (err error) {
	c.pid, c.secret = c.server.NewPID()
	c.session, err = c.server.opts.Admin.NewSession(c.ctx, executor.SessionOptions{
		User: c.user, Database: c.database, RemoteAddr: c.Conn.RemoteAddr().String(),
		PID: c.pid, Secret: c.secret, Settings: settings,
		Notice:          func(e *pgerr.Error) { writeError(c.out, 'N', e, 0) },
		ParameterStatus: c.parameterStatus,
		Notify:          c.notify,
		Terminate:       c.terminate,
	})
	return err
}

// startupSettings are the start-up parameters that are session settings, those
// inside "options" (-c name=value, --name=value) included.
func startupSettings(params map[string]string) (map[string]string, error) {
	out := map[string]string{}
	if err := optionSettings(params["options"], out); err != nil {
		return nil, err
	}
	for k, v := range params {
		switch {
		case k == "user", k == "database", k == "options", k == "replication", strings.HasPrefix(k, "_pq_."):
		default:
			out[k] = v
		}
	}
	return out, nil
}

func optionSettings(options string, out map[string]string) error {
	words := splitOptions(options)
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-c" && i+1 < len(words):
			i++
			w = words[i]
		case strings.HasPrefix(w, "-c"):
			w = w[2:]
		case strings.HasPrefix(w, "--"):
			w = w[2:]
		default:
			return pgerr.Newf(pgerr.SyntaxError, "invalid command-line argument for server process: %s", w)
		}
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			return pgerr.Newf(pgerr.SyntaxError, "-c %s requires a value", w)
		}
		out[strings.ReplaceAll(name, "-", "_")] = value
	}
	return nil
}

// splitOptions splits at blanks; a backslash takes the next character as it is.
func splitOptions(s string) []string {
	var words []string
	var cur strings.Builder
	in := false
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '\\' && i+1 < len(s):
			i++
			cur.WriteByte(s[i])
			in = true
		case b == ' ' || b == '\t' || b == '\n':
			if in {
				words = append(words, cur.String())
				cur.Reset()
				in = false
			}
		default:
			cur.WriteByte(b)
			in = true
		}
	}
	if in {
		words = append(words, cur.String())
	}
	return words
}

// reported are the settings that clients are told at start and when they change.
var reported = []string{
	"server_version", "server_encoding", "client_encoding", "DateStyle", "TimeZone", "IntervalStyle",
	"integer_datetimes", "standard_conforming_strings", "application_name", "is_superuser",
	"session_authorization", "default_transaction_read_only", "in_hot_standby",
}

func (c *client) parameterStatus(name, value string) {
	c.out.begin('S')
	c.out.string(name)
	c.out.string(value)
	c.out.end()
}

// greet sends what a client waits for before its first statement.
func (c *client) greet() {
	for _, name := range reported {
		c.parameterStatus(name, c.session.Setting(name))
	}
	c.out.begin('K')
	c.out.int32(c.pid)
	c.out.int32(int32(c.secret))
	c.out.end()
	c.ready()
	c.out.flush()
}

// run is the whole life of a session.
func (c *client) run() error {
	_ = c.Conn.SetDeadline(time.Time{}) // of the start-up; fails only when closed
	if c.ending.Load() {
		c.terminate()
	}
	c.greet()
	err := c.loop()
	c.farewell(err)
	return err
}

// farewell tells the client why the session ends, if it can still hear it.
func (c *client) farewell(err error) {
	if e := pgerr.As(err); e != nil {
		fatal := *e
		fatal.Severity = "FATAL"
		writeError(c.out, 'E', &fatal, 0)
		_ = c.Conn.SetWriteDeadline(time.Now().Add(time.Second)) // a client that does not read is not waited for
	}
	c.out.flush()
}
