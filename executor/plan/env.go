package plan

import (
	"time"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

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

func (e *Env) searchPath() []string {
	if e.Session == nil {
		return []string{"pg_catalog", "public"}
	}
	return e.Session.SearchPath(true)
}

// defaultRows is assumed for tables of unknown size.
const defaultRows = 1000

func (e *Env) rows(table types.OID) float64 {
	if e.Stats == nil {
		return defaultRows
	}
	if t := e.Catalog.Table(table); t != nil && t.Partitioned != nil {
		sum := 0.0
		for _, leaf := range e.Catalog.Leaves(t, nil) {
			sum += float64(e.Stats(leaf.ID).Rows)
		}
		return max(sum, 1)
	}
	return max(float64(e.Stats(table).Rows), 1)
}

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
	// Env is how the session writes constants, labels of enums among them; nil is the default.
	Env *types.Env
}
