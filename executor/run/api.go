package run

import (
	"context"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Rows is what operators ask of a transaction; executor.Txn has it.
type Rows interface {
	Get(ctx context.Context, table *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error)
	Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error)
	ScanIndex(ctx context.Context, spec storage.IndexScanSpec) (storage.RowIter, error)
	Nearest(ctx context.Context, spec storage.NearestSpec) (storage.NearestIter, error)
	Insert(ctx context.Context, table *catalog.Table, row types.Row, opts storage.InsertOptions) (types.RowID, *storage.Conflict, error)
	Update(ctx context.Context, table *catalog.Table, id types.RowID, old, new types.Row, wait storage.WaitPolicy) (types.RowID, error)
	Delete(ctx context.Context, table *catalog.Table, id types.RowID, old types.Row) error
	LockRow(ctx context.Context, table *catalog.Table, id types.RowID, strength storage.RowLock, wait storage.WaitPolicy) (storage.LockedRow, error)
}

// Env is what an execution runs in.
type Env struct {
	Rows    Rows
	Session expr.Session
	Types   *types.Env
	// Virtual finds the rows of a computed relation: each call of the function
	// returned gives the next row, nil at the end. Lookups are (column, value) pairs that must hold.
	Virtual func(schema, name string, lookups []Lookup) (func() (types.Row, error), error)
	// WorkMem is in bytes, TempDir where spill files are made (and removed).
	WorkMem int64
	TempDir string
	// EfSearch and Probes are hnsw.ef_search and ivfflat.probes; MaxScan is hnsw.max_scan_tuples;
	// Iterative is hnsw.iterative_scan (off, relaxed_order, strict_order).
	EfSearch, Probes, MaxScan int
	Iterative                 string
	Wait                      storage.WaitPolicy
	// Analyze gathers plan.NodeStats for every node.
	Analyze bool
}

// Lookup is a column (position) that must equal a value.
type Lookup struct {
	Column int
	Value  types.Datum
}
