package ddl

import (
	"context"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// Txn is what schema changes ask of a transaction; executor.Txn has it.
type Txn interface {
	run.Rows
	Catalog() *catalog.Snapshot
	Advance()
	SeeNewest()
	LockTable(ctx context.Context, table types.OID, mode storage.LockMode, wait storage.WaitPolicy) error
	LockName(ctx context.Context, kind catalog.Kind, name catalog.Name, wait storage.WaitPolicy) error
	Change(ctx context.Context, changes ...catalog.Change) error
	BuildIndex(ctx context.Context, table *catalog.Table, index *catalog.Index) error
	Rewrite(ctx context.Context, from, to *catalog.Table, fn func(types.Row) (types.Row, error)) error
	Truncate(ctx context.Context, table *catalog.Table) error
}

// Env is what a schema change runs in.
type Env struct {
	Txn Txn
	// Plan makes the planning environment over the transaction's present catalog (call it again after Change).
	Plan func() *plan.Env
	// Run makes the environment for evaluating expressions and queries (CREATE TABLE AS).
	Run       run.Env
	User      string
	SessionID uint64
	NewID     func() (types.OID, error)
	SetValue  func(ctx context.Context, seq types.OID, value int64, called bool) error
	Notice    func(*pgerr.Error)
	Wait      storage.WaitPolicy
	Setting   func(name string) string
	// StoredSetting checks a SET of ALTER ROLE or DATABASE and gives the setting's
	// name ("all" for RESET ALL) and value as they are kept.
	StoredSetting func(set *ast.Set) (name, value string, err error)
	// SetTier has a collection moved once the transaction has committed, and wait until
	// it is there; CancelMove ends a move, false when there is none. nil: one tier.
	SetTier    func(t *catalog.Table, tier types.Tier, wait bool) error
	CancelMove func(t *catalog.Table) (bool, error)
	// OnCommit takes note of a temporary table made with ON COMMIT DROP or DELETE
	// ROWS; nil refuses them.
	OnCommit func(action string, t *catalog.Table)
}

// CreateTableAs and SELECT INTO need rows; they run inside Execute too.
var _ ast.Stmt = (*ast.CreateTableAs)(nil)
