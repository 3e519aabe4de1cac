package server

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeAdmin makes sessions that know a handful of statements by their text.
type fakeAdmin struct {
	verifier string

	mu       sync.Mutex
	sessions map[int32]*fakeSession
	copied   []types.Row
}

func (a *fakeAdmin) NewSession(_ context.Context, opts executor.SessionOptions) (executor.Session, error) {
	if opts.Settings["bad"] != "" {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "unrecognized configuration parameter %q", "bad")
	}
	s := &fakeSession{admin: a, opts: opts, statements: map[string]*fakeStatement{}, portals: map[string]*fakePortal{}, status: 'I'}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[opts.PID] = s
	return s, nil
}

func (a *fakeAdmin) Cancel(pid int32, secret uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sessions[pid]; s != nil && s.opts.Secret == secret {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.cancel != nil {
			s.cancel(pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request"))
		}
	}
}

func (a *fakeAdmin) Verifier(role string) (string, bool, bool) {
	return a.verifier, role != "nologin", role != "nobody"
}
func (a *fakeAdmin) HasDatabase(name string) bool { return name == "postgres" }

func (a *fakeAdmin) rows() []types.Row {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.copied
}

type fakeSession struct {
	admin      *fakeAdmin
	opts       executor.SessionOptions
	statements map[string]*fakeStatement
	portals    map[string]*fakePortal
	status     byte
	idleLimit  time.Duration

	mu     sync.Mutex
	cancel context.CancelCauseFunc
}

type fakeStatement struct {
	text   string
	params []types.OID
	cols   []executor.ResultColumn
}

func (f *fakeStatement) ParamTypes() []types.OID          { return f.params }
func (f *fakeStatement) Columns() []executor.ResultColumn { return f.cols }

func column(name string, oid types.OID) executor.ResultColumn {
	return executor.ResultColumn{Name: name, Type: oid, Typmod: types.NoTypmod}
}

func (s *fakeSession) Parse(text string) ([]sql.Statement, error) {
	if strings.Contains(text, "syntax error") {
		return nil, pgerr.New(pgerr.SyntaxError, `syntax error at or near "error"`).At(8)
	}
	var out []sql.Statement
	offset := 0
	for _, part := range strings.Split(text, ";") {
		if t := strings.TrimSpace(part); t != "" {
			out = append(out, sql.Statement{Text: t, Offset: offset})
		}
		offset += len(part) + 1
	}
	return out, nil
}

func (s *fakeSession) Prepare(_ context.Context, name string, stmt *sql.Statement, _ []types.OID) (executor.Prepared, error) {
	if name != "" && s.statements[name] != nil {
		return nil, pgerr.Newf(pgerr.DuplicatePreparedStatement, "prepared statement %q already exists", name)
	}
	p := &fakeStatement{text: stmt.Text}
	switch word, _, _ := strings.Cut(stmt.Text, " "); word {
	case "one":
		p.cols = []executor.ResultColumn{column("one", types.Int4OID)}
	case "count":
		p.cols = []executor.ResultColumn{column("n", types.Int8OID), column("t", types.TextOID)}
	case "echo":
		p.params = []types.OID{types.TextOID, types.VectorOID}
		p.cols = []executor.ResultColumn{column("t", types.TextOID), column("v", types.VectorOID)}
	case "missing":
		return nil, pgerr.New(pgerr.UndefinedTable, `relation "missing" does not exist`).At(1)
	case "bug":
		panic("a bug of ours")
	}
	s.statements[name] = p
	return p, nil
}

func (s *fakeSession) Statement(name string) (executor.Prepared, error) {
	if p := s.statements[name]; p != nil {
		return p, nil
	}
	return nil, pgerr.Newf(pgerr.InvalidSQLStatementName, "prepared statement %q does not exist", name)
}

func (s *fakeSession) CloseStatement(name string) { delete(s.statements, name) }

func (s *fakeSession) Bind(_ context.Context, name string, stmt executor.Prepared, params []types.Datum) (executor.Portal, error) {
	p := &fakePortal{session: s, stmt: stmt.(*fakeStatement), params: params}
	s.portals[name] = p
	return p, nil
}

func (s *fakeSession) Portal(name string) (executor.Portal, error) {
	if p := s.portals[name]; p != nil {
		return p, nil
	}
	return nil, pgerr.Newf(pgerr.InvalidCursorName, "portal %q does not exist", name)
}

func (s *fakeSession) ClosePortal(name string)    { delete(s.portals, name) }
func (s *fakeSession) Sync(context.Context) error { return nil }
func (s *fakeSession) TxStatus() byte             { return s.status }
func (s *fakeSession) Env() *types.Env            { return types.DefaultEnv() }
func (s *fakeSession) Close()                     {}

func (s *fakeSession) Fail() {
	if s.status == 'T' {
		s.status = 'E'
	}
}

func (s *fakeSession) Setting(name string) string {
	switch name {
	case "server_version":
		return "16.4"
	case "client_encoding", "server_encoding":
		return "UTF8"
	case "standard_conforming_strings", "integer_datetimes":
		return "on"
	}
	return s.opts.Settings[name]
}

func (s *fakeSession) IdleTimeout() (time.Duration, *pgerr.Error) {
	return s.idleLimit, pgerr.New("57P05", "terminating connection due to idle-session timeout")
}

type fakePortal struct {
	session *fakeSession
	stmt    *fakeStatement
	params  []types.Datum
	n       int
	tag     string
}

func (p *fakePortal) Kind() executor.PortalKind {
	switch {
	case p.stmt.text == "":
		return executor.PortalEmpty
	case p.stmt.text == "copy in" || p.stmt.text == "copy csv" || p.stmt.text == "copy binary":
		return executor.PortalCopyIn
	case strings.HasPrefix(p.stmt.text, "copy out"):
		return executor.PortalCopyOut
	case p.stmt.cols == nil:
		return executor.PortalCommand
	default:
		return executor.PortalRows
	}
}

func (p *fakePortal) Columns() []executor.ResultColumn { return p.stmt.cols }
func (p *fakePortal) Tag() string                      { return p.tag }

func (p *fakePortal) Next(ctx context.Context) (types.Row, error) {
	p.n++
	switch p.stmt.text {
	case "one":
		p.tag = "SELECT 1"
		if p.n == 1 {
			return types.Row{int64(1)}, nil
		}
	case "count":
		p.tag = "SELECT 10"
		if p.n <= 10 {
			return types.Row{int64(p.n), nil}, nil
		}
	case "echo":
		p.tag = "SELECT 1"
		if p.n == 1 {
			return types.Row(p.params), nil
		}
	case "copy out":
		p.tag = "COPY 2"
		if p.n <= 2 {
			return types.Row{int64(p.n), "a\tb\\", nil}, nil
		}
	case "divide":
		return nil, pgerr.New(pgerr.DivisionByZero, "division by zero")
	case "panic":
		panic("a bug of ours")
	case "sleep":
		return nil, p.session.sleep(ctx)
	case "notice":
		p.session.opts.Notice(pgerr.New("00000", "hello"))
		p.tag = "DO"
	case "idle":
		p.session.idleLimit = time.Millisecond
		p.tag = "SET"
	case "begin":
		p.session.status, p.tag = 'T', "BEGIN"
	case "rollback":
		p.session.status, p.tag = 'I', "ROLLBACK"
	case "listen":
		pid, notify := p.session.opts.PID, p.session.opts.Notify
		p.tag = "LISTEN"
		time.AfterFunc(time.Millisecond, func() { notify(pid, "news", "payload") })
	default:
		p.tag = strings.ToUpper(p.stmt.text)
	}
	return nil, nil
}

// sleep waits until the statement is cancelled or its client has gone.
func (s *fakeSession) sleep(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	<-ctx.Done()
	return context.Cause(ctx)
}

func (p *fakePortal) Copy() *executor.CopySpec {
	spec := &executor.CopySpec{Format: "text", Delimiter: '\t', Null: `\N`, Quote: '"', Escape: '"', Table: "items", Columns: copyTestColumns}
	if p.stmt.text == "copy csv" {
		spec.Format, spec.Delimiter, spec.Null = "csv", ',', ""
	}
	if p.stmt.text == "copy binary" {
		spec.Format = "binary"
	}
	return spec
}

var copyTestColumns = []executor.ResultColumn{column("id", types.Int8OID), column("name", types.TextOID), column("v", types.VectorOID)}

func (p *fakePortal) CopyIn(context.Context) (executor.CopyIn, error) {
	return &fakeCopy{portal: p}, nil
}

type fakeCopy struct {
	portal *fakePortal
	rows   []types.Row
}

func (c *fakeCopy) Write(_ context.Context, rows []types.Row) error {
	c.rows = append(c.rows, rows...)
	return nil
}

func (c *fakeCopy) Finish(context.Context) error {
	a := c.portal.session.admin
	a.mu.Lock()
	defer a.mu.Unlock()
	a.copied = append(a.copied, c.rows...)
	c.portal.tag = "COPY " + types.FormatString(types.Int8OID, int64(len(c.rows)), types.DefaultEnv())
	return nil
}

func (c *fakeCopy) Abort(error) {}

// start runs a server on the fake and returns its address.
func start(t *testing.T, change func(*Options)) (*fakeAdmin, string) {
	t.Helper()
	admin := &fakeAdmin{sessions: map[int32]*fakeSession{}}
	opts := Options{Admin: admin, ServerVersion: "16.4"}
	if change != nil {
		change(&opts)
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l) // ends with the listener
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
	})
	return admin, l.Addr().String()
}
