package tiering

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
)

// vectorIndex is one vector index in RAM.
type vectorIndex struct {
	// current is the descriptor as it was committed last: a rename writes it anew.
	current atomic.Pointer[catalog.Index]
	graph   *hnsw.Index
	// changed counts vectors put in or taken out since the last checkpoint.
	changed atomic.Int64
	// committed says that the catalog has the index: until then only the
	// transaction that builds it may free it.
	committed atomic.Bool
	// progress is set while the index is built.
	progress atomic.Pointer[storage.BuildProgress]
	// backlog is how many vectors the tail held after a start without a checkpoint;
	// 0 as soon as it is short again. Writers need not wait for it.
	backlog atomic.Int64
	// moved wakes writers that wait for the tail to become shorter.
	moved signal
	// failedAt is when moving the tail failed last, in Unix nanoseconds: writers do
	// not wait for what does not come.
	failedAt atomic.Int64

	fileMu  sync.Mutex // held while the file is written or removed
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
	return IndexStats{Index: v.desc().ID, Table: v.desc().Table, Name: v.desc().Name,
		Vectors: v.graph.Len(), Tail: v.graph.TailLen(), Bytes: v.graph.Bytes()}
}

// graphOptions are an index's descriptor as package hnsw takes it.
func (m *Manager) graphOptions(x *catalog.Index) (hnsw.Options, error) {
	if x.Method != "hnsw" {
		return hnsw.Options{}, pgerr.Unsupported("the index method " + x.Method)
	}
	key := x.Keys[0]
	o := hnsw.Options{
		M: optionInt(x, "m", 16), EfConstruction: optionInt(x, "ef_construction", 64),
		Metric: key.Metric, Type: key.Type, Dims: int(key.Typmod), Workers: m.opts.Workers,
	}
	return o, nil
}

func optionInt(x *catalog.Index, name string, fallback int) int {
	if v, err := strconv.Atoi(x.Options[name]); err == nil {
		return v
	}
	return fallback
}

// make registers a new, empty index.
func (m *Manager) make(x *catalog.Index) (*vectorIndex, error) {
	o, err := m.graphOptions(x)
	if err != nil {
		return nil, err
	}
	g, err := hnsw.New(o)
	if err != nil {
		return nil, err
	}
	v := &vectorIndex{graph: g}
	v.current.Store(x)
	v.report("initializing", 0, 0)
	m.register(v)
	return v, nil
}

// load opens an index from its checkpoint and brings it up to the rows. One
// without a usable checkpoint starts empty: all its vectors go into the tail,
// where they are found exactly until the workers have moved them.
func (m *Manager) load(ctx context.Context, table *catalog.Table, x *catalog.Index) (*vectorIndex, error) {
	o, err := m.graphOptions(x)
	if err != nil {
		return nil, err
	}
	g, err := hnsw.Load(m.path(x.ID), o)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.opts.Logger.Warn("index checkpoint not usable, building the index anew", "index", x.Name, "error", err)
		}
		if g, err = hnsw.New(o); err != nil {
			return nil, err
		}
	}
	v := &vectorIndex{graph: g}
	v.current.Store(x)
	v.committed.Store(true)
	if err := m.catchUp(ctx, table, v); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	if n := g.TailLen(); n > v.maxTail() {
		v.backlog.Store(int64(n))
	}
	return v, nil
}

// catchUpBatch is how many rows are read at once.
const catchUpBatch = 1000

// catchUp makes an index hold the vectors of exactly the rows that exist. It
// reads all row ids, and the rows that the index lacks.
func (m *Manager) catchUp(ctx context.Context, table *catalog.Table, v *vectorIndex) error {
	var ids, missing []types.RowID
	err := m.store.ScanIDs(ctx, table, func(id types.RowID) error {
		ids = append(ids, id)
		if !v.graph.Contains(id) {
			missing = append(missing, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var gone []types.RowID
	v.graph.IDs(func(id types.RowID) bool {
		if _, ok := slices.BinarySearch(ids, id); !ok {
			gone = append(gone, id)
		}
		return true
	})
	for _, id := range gone {
		v.graph.Remove(id)
	}
	before := v.graph.Len()
	columns := v.columns(table)
	for batch := range slices.Chunk(missing, catchUpBatch) {
		if err := m.store.Rows(ctx, table, columns, batch, func(id types.RowID, row types.Row) error {
			return m.put(table, v, id, row)
		}); err != nil {
			return err
		}
	}
	// Rows that the index does not hold, NULLs for one, are missing each time.
	v.changed.Add(int64(len(gone) + v.graph.Len() - before))
	return nil
}

// put appends a row's key to the tail, if the index holds the row.
func (m *Manager) put(table *catalog.Table, v *vectorIndex, id types.RowID, row types.Row) error {
	key, ok, err := m.key(table, v.desc(), row)
	if err != nil || !ok {
		return err
	}
	return v.graph.Append(id, key)
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

// build moves the tail into the graph with all workers.
func (v *vectorIndex) build(ctx context.Context) error {
	total := int64(v.graph.Len())
	v.report("loading tuples", 0, total)
	return v.graph.Build(ctx, func(done, total int64) { v.report("loading tuples", done, total) })
}

func (v *vectorIndex) report(phase string, done, total int64) {
	v.progress.Store(&storage.BuildProgress{Phase: phase, Done: done, Total: total})
}
