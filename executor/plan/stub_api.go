package plan

import (
	"time"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// Stubs of the API under construction; each moves to its own file.

// Env is what planning needs of its session.
type Env struct {
	Catalog *catalog.Snapshot
	Types   *types.Env
	Session expr.Session
	// Stats estimates a table's size; nil: unknown.
	Stats func(table types.OID) storage.TableStats
	// Virtual finds a computed relation's columns (pg_catalog, information_schema,
	// akidb); nil when there is none of that name. Unqualified names look in pg_catalog first, as PostgreSQL does.
	Virtual func(schema, name string) []Column
	// LockWait is used for FOR UPDATE without NOWAIT and SKIP LOCKED.
	LockWait storage.WaitPolicy
}

// Prepare binds and plans SELECT, VALUES, INSERT, UPDATE, DELETE (with CTEs).
// params may be short or hold 0 for unknown types.
func Prepare(env *Env, stmt ast.Stmt, params []types.OID) (*Plan, error) { return nil, nil }

// BindTableExpr binds an expression over one table's row (Column.Index = attnum-1):
// defaults, checks, generated columns, index expressions and predicates. table may be nil (no
// columns). When want.OID is not 0 the result is coerced to it by assignment. what is
// for messages ("DEFAULT expressions"); subqueries and aggregates are refused.
func BindTableExpr(env *Env, table *catalog.Table, e ast.Expr, want expr.Type, what string) (expr.Expr, error) {
	return nil, nil
}

// BindScalar binds an expression without a table and without parameters: EXECUTE
// arguments, SET values, LIMIT of FETCH.
func BindScalar(env *Env, e ast.Expr) (expr.Expr, error) { return nil, nil }

// ResolveType finds a type by its written name, with modifiers: 42704 type "foo" does not exist.
func ResolveType(env *Env, t *ast.TypeName) (expr.Type, error) { return expr.Type{}, nil }

// ResolveTable finds a table by name along the search path: 42P01; 42809 when it is something else.
func ResolveTable(env *Env, r *ast.RangeVar) (*catalog.Table, error) { return nil, nil }

// ExplainOptions are EXPLAIN's.
type ExplainOptions struct {
	Analyze, Verbose, Costs, Buffers, Timing, Summary, Settings bool
	Format                                                      string // text, json, yaml, xml
}

// NodeStats is what one node did in an execution.
type NodeStats struct {
	Loops          int64
	Rows           int64
	Startup, Total time.Duration
	// Removed counts rows that a filter dropped.
	Removed int64
	// Extra are further lines: {"Sort Method", "quicksort  Memory: 25kB"}, {"Tier", "hot"}.
	Extra [][2]string
}

// Explanation is what Explain prints around the tree.
type Explanation struct {
	Planning, Execution time.Duration
	// Stats gives a node's statistics when Analyze is set.
	Stats func(Node) *NodeStats
}

// Explain prints a plan; text gives one line a row, the other formats one value.
func Explain(p *Plan, opts ExplainOptions, x Explanation) ([]string, error) { return nil, nil }
