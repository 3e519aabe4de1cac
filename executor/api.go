package executor

import (
	"context"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// This file is the way into the executor: what the server calls. source.go is
// the way out, to the rows. An *Engine (engine.go) makes Sessions; the server
// uses them only through these interfaces, so that its protocol tests can run
// on a fake.

// SessionOptions are fixed when a client has authenticated.
type SessionOptions struct {
	User       string
	Database   string
	RemoteAddr string
	// PID and Secret are what CancelRequest names.
	PID    int32
	Secret uint32
	// Settings come from the start-up packet (application_name, options -c …).
	Settings map[string]string
	// Notice, ParameterStatus and Notify are called on the session's goroutine,
	// between or during its calls.
	Notice          func(*pgerr.Error)
	ParameterStatus func(name, value string)
	// Notify may be called from any goroutine when the session is idle or busy;
	// the server queues it until the protocol allows it.
	Notify func(pid int32, channel, payload string)
	// Terminate ends the session from any goroutine (pg_terminate_backend); nil: it cannot be.
	Terminate func()
}

// Session runs one client's statements. It belongs to one goroutine, except Cancel.
type Session interface {
	// Parse splits and parses a query string.
	Parse(text string) ([]sql.Statement, error)
	// Prepare plans a statement; paramTypes may be short or hold 0 for unknown
	// ones. Name "" is the unnamed statement, which is replaced; a name in use is 42P05.
	Prepare(ctx context.Context, name string, stmt *sql.Statement, paramTypes []types.OID) (Prepared, error)
	// Statement finds a prepared statement: 26000 when there is none.
	Statement(name string) (Prepared, error)
	CloseStatement(name string)
	// Bind makes a portal of a prepared statement: params are parsed values of
	// the types that Prepared.ParamTypes gives. 42P03 for a name in use.
	Bind(ctx context.Context, portal string, stmt Prepared, params []types.Datum) (Portal, error)
	// Portal finds one: 34000 when there is none.
	Portal(name string) (Portal, error)
	ClosePortal(name string)
	// Sync ends the implicit transaction that statements outside BEGIN run in:
	// it commits, or after an error rolls back. The simple protocol calls it
	// after the last statement of a string but before its CommandComplete.
	Sync(ctx context.Context) error
	// Fail tells the session that the client was sent an error: the transaction
	// block becomes failed, or the implicit transaction is rolled back.
	Fail()
	// TxStatus is I, T or E for ReadyForQuery.
	TxStatus() byte
	// Env is how values are printed now; it changes with SET.
	Env() *types.Env
	// Setting reads a setting ("client_encoding").
	Setting(name string) string
	// IdleTimeout is how long the client may stay silent in its present state (0: for ever),
	// and the error to end the session with.
	IdleTimeout() (time.Duration, *pgerr.Error)
	// Close rolls back and frees everything.
	Close()
}

// Prepared is a prepared statement.
type Prepared interface {
	ParamTypes() []types.OID
	// Columns is nil when the statement returns no rows.
	Columns() []ResultColumn
}

// ResultColumn describes a column of a result.
type ResultColumn struct {
	Name   string
	Table  types.OID
	Attnum int16
	Type   types.OID
	Typmod int32
}

// PortalKind says how a portal is run.
type PortalKind uint8

// The kinds of portals.
const (
	PortalRows    PortalKind = iota // Next gives rows (SELECT, RETURNING, SHOW, EXPLAIN, FETCH)
	PortalCommand                   // Next runs it and gives no row
	PortalCopyIn                    // CopyIn
	PortalCopyOut                   // Next gives rows to encode by CopyOptions
	PortalEmpty                     // an empty query
)

// Portal is a statement bound to parameters, running or about to.
type Portal interface {
	Kind() PortalKind
	Columns() []ResultColumn
	// Next returns the next row, nil at the end. The row is valid until the next call.
	// The statement starts at the first call.
	Next(ctx context.Context) (types.Row, error)
	// Tag is the command tag once Next has returned nil (or CopyIn.Finish).
	Tag() string
	// Copy describes a COPY; nil for others.
	Copy() *CopySpec
	// CopyIn starts taking rows.
	CopyIn(ctx context.Context) (CopyIn, error)
}

// CopySpec is what the server needs to read or write COPY data.
type CopySpec struct {
	Format     string // text, csv, binary
	Delimiter  byte
	Null       string
	Header     string // "", true, match
	Quote      byte
	Escape     byte
	ForceQuote []bool // by column; for csv out
	ForceNull  []bool // csv in
	ForceValue []bool // force_not_null; csv in
	Default    *string
	Columns    []ResultColumn
	Table      string // for error contexts: COPY items, line 3, column embedding: "…"
	Freeze     bool
}

// CopyIn takes the rows of a COPY FROM STDIN. After an error only Abort may be called.
type CopyIn interface {
	// Write takes rows of Copy().Columns' width; it may keep the rows.
	// A Default marker value stands for DEFAULT.
	Write(ctx context.Context, rows []types.Row) error
	// Finish ends the statement; the tag is then set.
	Finish(ctx context.Context) error
	Abort(err error)
}

// CopyDefault in a row given to CopyIn.Write stands for the column's default.
type CopyDefault struct{}

// Admin is what the server asks of the engine as a whole.
type Admin interface {
	NewSession(ctx context.Context, opts SessionOptions) (Session, error)
	// Cancel ends the running statement of a session with 57014; unknown keys do nothing.
	Cancel(pid int32, secret uint32)
	// Verifier returns the SCRAM verifier of a role: ok is false when the role
	// does not exist; "" when it has no password. canLogin is rolcanlogin.
	Verifier(role string) (verifier string, canLogin, ok bool)
	// HasDatabase says whether a database exists.
	HasDatabase(name string) bool
}
