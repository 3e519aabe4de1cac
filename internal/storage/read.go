package storage

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// ScanSpec asks for all rows of a table, in row id order; those of a cold table come
// in none.
type ScanSpec struct {
	Table *catalog.Table
	// Columns are the attnums wanted; others stay nil in the rows. Vector columns
	// that are not asked for are not read.
	Columns []int16
}

// IndexScanSpec asks for rows through a btree index, in the index's order.
type IndexScanSpec struct {
	Table   *catalog.Table
	Index   *catalog.Index
	Columns []int16
	// Ranges are read one after the other; they must not overlap.
	Ranges  []KeyRange
	Reverse bool
	// IDsOnly reads no rows: only ids are returned.
	IDsOnly bool
}

// KeyRange is Eq on the first len(Eq) key columns (NULL matches NULL), then, on
// the next key column, the bounds. NULLs of that column are inside only when
// Nulls is set or there is no bound.
type KeyRange struct {
	Eq      []types.Datum
	Low     *Bound
	High    *Bound
	NotNull bool // IS NOT NULL on the next key column
}

// Bound is one end of a range.
type Bound struct {
	Value types.Datum
	Open  bool // the value itself is outside
}

// RowIter reads rows. It belongs to one goroutine.
type RowIter interface {
	// Next fills dst, which has one place per column of the table (attnum-1),
	// and returns the row's id; false at the end.
	Next(dst types.Row) (types.RowID, bool, error)
	Close() error
}

// NearestSpec asks a vector index for candidates.
type NearestSpec struct {
	Table *catalog.Table
	Index *catalog.Index
	// Query is the vector asked for, of the index key's type.
	Query types.Datum
	// Want is how many rows the statement is expected to take; 0 means all.
	Want int
	// Ef is hnsw.ef_search, Probes ivfflat.probes.
	Ef, Probes int
	// Among restricts the search to these rows and makes it exact.
	Among []types.RowID
	// Exact asks for an exact search over all rows.
	Exact bool
}

// Candidate is a row id with its exact distance, in the operator's own sense.
type Candidate struct {
	ID       types.RowID
	Distance float64
}

// NearestIter is a resumable search. A candidate may be invisible to the
// transaction: Get decides. No id comes twice, and all rows of the index have
// come when a batch is empty.
type NearestIter interface {
	// NextBatch appends the next candidates, sorted by distance within the batch.
	NextBatch(dst []Candidate) ([]Candidate, error)
	Stats() NearestStats
	Close() error
}

// NearestStats is what EXPLAIN ANALYZE and the metrics tell of a search.
type NearestStats struct {
	Tier       types.Tier
	Method     string
	Candidates int // distances computed on codes or graph
	Reranked   int
	Tail       int // vectors of the tail searched exactly
	Bytes      int64
	Requests   int
}

type sessionKey struct{}

// ForSession says in whose name work is done.
func ForSession(ctx context.Context, pid int32) context.Context {
	return context.WithValue(ctx, sessionKey{}, pid)
}

// SessionOf is the pid that ForSession has given, 0 for none.
func SessionOf(ctx context.Context) int32 {
	pid, _ := ctx.Value(sessionKey{}).(int32)
	return pid
}

// BuildProgress reports an index build.
type BuildProgress struct {
	Table types.OID
	// Session is the pid of the session that builds, 0 for none.
	Session int32
	Phase   string // initializing, loading tuples
	Done    int64
	Total   int64
}
