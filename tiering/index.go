package tiering

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// vectorIndex is one vector index, wherever its vectors are searched.
type vectorIndex struct {
	// current is the descriptor as it was committed last: a rename writes it anew.
	current atomic.Pointer[catalog.Index]
	// place is the present body; nil while nobody has asked for it since the start.
	place   atomic.Pointer[place]
	opening sync.Mutex // held while the body is opened or swapped
	gone    bool       // guarded by opening: the index was dropped
	// queued says that the worker knows of it.
	queued atomic.Bool
	// retraining says that its cells are built anew.
	retraining atomic.Bool
	// changed counts vectors put in or taken out since the last checkpoint.
	changed atomic.Int64
	// committed says that the catalog has the index: until then only the
	// transaction that builds it may free it.
	committed atomic.Bool
	// progress is set while the index is built.
	progress atomic.Pointer[storage.BuildProgress]
	builder  atomic.Int32 // the pid of the session that builds
	// moved wakes writers that wait for the tail to become shorter.
	moved signal
	// failedAt is when moving the tail failed last, in Unix nanoseconds: writers do
	// not wait for what does not come.
	failedAt atomic.Int64

	fileMu  sync.Mutex // held while a file of it is written or removed
	dropped bool       // guarded by fileMu: there shall be no file any more
	quietTo time.Time  // no checkpoint before it; of the worker alone
}

func (v *vectorIndex) desc() *catalog.Index { return v.current.Load() }

// IndexStats tells of one vector index.
type IndexStats struct {
	Index   types.OID
	Table   types.OID
	Name    string
	Vectors int   // in graph and tail
	Tail    int   // in the tail
	Bytes   int64 // of memory
}

func (v *vectorIndex) stats() IndexStats {
	out := IndexStats{Index: v.desc().ID, Table: v.desc().Table, Name: v.desc().Name}
	if b := v.present(); b != nil {
		out.Vectors, out.Tail, out.Bytes = b.Len(), b.Pending(), b.Bytes()
	}
	return out
}

func optionInt(x *catalog.Index, name string, fallback int) int {
	if v, err := strconv.Atoi(x.Options[name]); err == nil {
		return v
	}
	return fallback
}

// make registers a new index that has no body yet.
func (m *Manager) make(x *catalog.Index) *vectorIndex {
	v := &vectorIndex{}
	v.current.Store(x)
	v.report("initializing", 0, 0)
	m.register(v)
	return v
}

// known registers an index of the catalog.
func known(x *catalog.Index) *vectorIndex {
	v := &vectorIndex{}
	v.current.Store(x)
	v.committed.Store(true)
	return v
}

// catchUpBatch is how many rows are read at once.
const catchUpBatch = 1000

// catchUp makes an index hold the vectors of exactly the rows that exist. It
// reads all row ids, and the rows that the index lacks.
func (m *Manager) catchUp(ctx context.Context, table *catalog.Table, v *vectorIndex, b body) error {
	var ids, missing []types.RowID
	err := m.store.ScanIDs(ctx, table, func(id types.RowID) error {
		ids = append(ids, id)
		if !b.Contains(id) {
			missing = append(missing, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var gone []types.RowID
	b.IDs(func(id types.RowID) bool {
		if _, ok := slices.BinarySearch(ids, id); !ok {
			gone = append(gone, id)
		}
		return true
	})
	for _, id := range gone {
		b.Remove(id)
	}
	before := b.Len()
	columns := v.columns(table)
	for batch := range slices.Chunk(missing, catchUpBatch) {
		if err := m.store.Rows(ctx, table, columns, batch, func(id types.RowID, row types.Row) error {
			return m.put(table, v, b, id, row)
		}); err != nil {
			return err
		}
	}
	// Rows that the index does not hold, NULLs for one, are missing each time.
	v.changed.Add(int64(len(gone) + b.Len() - before))
	return nil
}

// put appends a row's key to the tail, if the index holds the row.
func (m *Manager) put(table *catalog.Table, v *vectorIndex, b body, id types.RowID, row types.Row) error {
	key, ok, err := m.key(table, v.desc(), row)
	if err != nil || !ok {
		return err
	}
	return b.Append(id, key)
}

// columns are the attnums that the index's key and predicate need.
func (v *vectorIndex) columns(table *catalog.Table) []int16 {
	if v.desc().Predicate == "" && v.desc().Keys[0].Column > 0 {
		return []int16{v.desc().Keys[0].Column}
	}
	var all []int16
	for _, c := range table.Live() {
		all = append(all, c.Num)
	}
	return all
}

// build moves the tail into a graph with all workers.
func (v *vectorIndex) build(ctx context.Context, g *graphBody) error {
	total := int64(g.Len())
	v.report("loading tuples", 0, total)
	return g.Build(ctx, func(done, total int64) { v.report("loading tuples", done, total) })
}

func (v *vectorIndex) report(phase string, done, total int64) {
	v.progress.Store(&storage.BuildProgress{Table: v.desc().Table, Session: v.builder.Load(), Phase: phase, Done: done, Total: total})
}
