package expr

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Context is what one execution of a plan gives to its expressions. It belongs
// to one goroutine.
type Context struct {
	Ctx     context.Context
	Env     *types.Env
	Session Session
	Params  []types.Datum // $1 … at index 0 …
	Exec    []types.Datum // values of ExecParams
	Row     types.Row     // the input row of the expression
	Runner  Runner

	scratch []types.Datum // a stack of arguments under evaluation
	dense   denseRank
}

// Runner runs subqueries for expressions; the executor implements it.
type Runner interface {
	RunSubPlan(ctx *Context, sub *SubPlan) (types.Datum, error)
}

// Session is what functions ask of the session they run in.
type Session interface {
	// User and SessionUser are current_user and session_user.
	User() string
	SessionUser() string
	Database() string
	PID() int
	// SearchPath is the schemas searched, in order; implicit adds pg_catalog.
	SearchPath(implicit bool) []string
	Catalog() *catalog.Snapshot
	Setting(name string) (string, bool)
	SetSetting(name, value string, local bool) (string, error)
	// NextValue, CurrentValue, LastValue and SetValue work on sequences.
	NextValue(ctx context.Context, seq types.OID) (int64, error)
	CurrentValue(seq types.OID) (int64, error)
	LastValue() (int64, error)
	SetValue(ctx context.Context, seq types.OID, value int64, called bool) error
	// Do runs a named server function that is neither pure nor listed here
	// (pg_cancel_backend, pg_advisory_lock, akidb.set_tier, pg_table_size, …).
	Do(ctx context.Context, name string, args []types.Datum) (types.Datum, error)
}
