package tiering

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// cellsBody is an index of cells in a file, the body of the warm tier and of USING
// ivfflat. The vectors themselves are read from the rows.
type cellsBody struct {
	index *ivf.Index
	m     *Manager
	v     *vectorIndex

	appending sync.Mutex // held by Append, so that an id is looked up and entered in one
	mu        sync.RWMutex
	ids       *roaring64.Bitmap // guarded by mu: the rows that the index has
	merged    time.Time         // of maintain alone
	trained   int               // how many rows the file had when it was opened
}

const (
	// A merge rewrites the file. What waits for it costs memory, some hundred bytes a
	// row, and is lost with the process, so that a start reads its rows again.
	leastToMerge = 4096
	mergeShare   = 4 // merge when a quarter of the rows waits
	// splitAfter is how long cells that could not be split are left alone.
	splitAfter = 10 * time.Second
)

// cellsOptions are an index's descriptor as package ivf takes it. The number of
// lists decides for USING ivfflat; else the number of rows does.
func (m *Manager) cellsOptions(x *catalog.Index) ivf.Options {
	key := x.Keys[0]
	o := ivf.Options{Metric: key.Metric, Type: key.Type, Dims: int(key.Typmod), Seed: uint64(x.ID), Workers: m.opts.Workers}
	if n, err := strconv.Atoi(x.Options["lists"]); err == nil && x.Method == "ivfflat" {
		o.Lists = n
	}
	return o
}

// loadCells opens an index's file. Without a usable one it is built from the rows.
func (m *Manager) loadCells(ctx context.Context, table *catalog.Table, v *vectorIndex) (body, error) {
	b, err := m.openCells(ctx, v)
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.opts.Logger.Warn("index file not usable, building the index anew", "index", v.desc().Name, "error", err)
	}
	if err := m.buildCells(ctx, v, m.storedRows(table, v), nil); err != nil {
		return nil, err
	}
	return m.openCells(ctx, v)
}

// openCells opens the file and reads which rows it has.
func (m *Manager) openCells(ctx context.Context, v *vectorIndex) (*cellsBody, error) {
	file, err := ivf.Map(m.cellsPath(v.desc().ID))
	if err != nil {
		return nil, err
	}
	index, err := ivf.Open(ctx, file, m.cellsOptions(v.desc()), &storedVectors{m: m, v: v})
	if err != nil {
		return nil, err
	}
	b := &cellsBody{index: index, m: m, v: v, ids: roaring64.New()}
	var ids []uint64
	err = index.IDs(ctx, func(id types.RowID) bool {
		ids = append(ids, uint64(id))
		return true
	})
	if err != nil {
		return nil, errors.Join(err, index.Close())
	}
	slices.Sort(ids)
	b.ids.AddMany(ids)
	b.ids.RunOptimize()
	b.trained = len(ids)
	return b, nil
}

// buildCells writes the file of an index.
func (m *Manager) buildCells(ctx context.Context, v *vectorIndex, rows ivf.Rows, progress ivf.Progress) error {
	return fileError(ivf.Build(ctx, m.cellsPath(v.desc().ID), m.cellsOptions(v.desc()), rows, progress))
}

// Append puts a vector beside the file.
func (b *cellsBody) Append(id types.RowID, d types.Datum) error {
	if b.v.desc().Keys[0].LeavesOut(d) {
		return nil
	}
	b.appending.Lock()
	defer b.appending.Unlock()
	if b.Contains(id) {
		return nil
	}
	if err := b.index.Append(id, d); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids.Add(uint64(id))
	return nil
}

// Remove takes a row out.
func (b *cellsBody) Remove(id types.RowID) {
	b.mu.Lock()
	there := b.ids.CheckedRemove(uint64(id))
	b.mu.Unlock()
	if there {
		b.index.Remove(id)
	}
}

// Contains tells whether a row is in the index.
func (b *cellsBody) Contains(id types.RowID) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.ids.Contains(uint64(id))
}

// IDs calls fn for each row id, in their order.
func (b *cellsBody) IDs(fn func(types.RowID) bool) {
	for _, id := range b.list() {
		if !fn(id) {
			return
		}
	}
}

func (b *cellsBody) list() []types.RowID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	ids := make([]types.RowID, 0, b.ids.GetCardinality())
	for it := b.ids.Iterator(); it.HasNext(); {
		ids = append(ids, types.RowID(it.Next()))
	}
	return ids
}

// Len is the number of rows.
func (b *cellsBody) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return int(b.ids.GetCardinality())
}

// Pending is what a merge would write or free.
func (b *cellsBody) Pending() int { return b.index.Pending() }

// Bytes is the memory in use, without the file's mapped pages.
func (b *cellsBody) Bytes() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.index.Bytes() + int64(b.ids.GetSizeInBytes())
}

// maintain writes the file anew when much waits for it.
func (b *cellsBody) maintain(ctx context.Context) (bool, error) {
	if b.outgrown() && !b.v.retraining.Swap(true) {
		b.m.moving.Go(func() { b.m.report(b.v, "cells not trained anew", b.m.retrain(b.m.working, b.v)) })
	}
	due := b.Pending() >= max(leastToMerge, b.Len()/mergeShare)
	if !due && (!b.index.Crowded() || time.Since(b.merged) < splitAfter) {
		return false, nil
	}
	err := b.merge(ctx)
	b.merged = time.Now()
	return false, err
}

func (b *cellsBody) merge(ctx context.Context) error {
	b.v.fileMu.Lock()
	defer b.v.fileMu.Unlock()
	if b.v.dropped {
		return nil
	}
	return fileError(b.index.Merge(ctx, b.m.cellsPath(b.v.desc().ID)))
}

// save writes the file anew when what waits would take a start longer than this.
func (b *cellsBody) save() error {
	if b.Pending() < leastToMerge/8 && !b.index.Crowded() {
		return nil
	}
	return b.merge(context.Background())
}

// Close closes the file once the last search has ended.
func (b *cellsBody) Close() error { return b.index.Close() }

func (b *cellsBody) nearest(ctx context.Context, t *Txn, spec *storage.NearestSpec) (storage.NearestIter, error) {
	source := &seenVectors{ctx: ctx, t: t, table: spec.Table, v: b.v}
	if spec.Among != nil || spec.Exact {
		return b.exact(source, spec)
	}
	s, err := b.index.Search(ctx, ivf.Query{Vector: spec.Query, Want: max(spec.Want, leastWanted), Probes: spec.Probes, Source: source})
	if err != nil {
		return nil, err
	}
	return &cellsSearch{Search: s, tier: spec.Table.Tier, method: methodName(spec.Index)}, nil
}

// leastWanted keeps the first batch of a search so large that rows which are gone
// do not make a second one necessary.
const leastWanted = 10

func methodName(x *catalog.Index) string {
	if x.Method == "ivfflat" {
		return x.Method
	}
	return "ivf"
}

// exact measures the vectors of rows, which it reads.
func (b *cellsBody) exact(source *seenVectors, spec *storage.NearestSpec) (storage.NearestIter, error) {
	ids, method := spec.Among, "exact among filtered rows"
	if ids == nil {
		ids, method = b.list(), "exact"
	}
	list, err := b.index.Distances(spec.Query, source, ids, make([]storage.Candidate, 0, len(ids)))
	if err != nil {
		return nil, err
	}
	return &sortedList{list: list, stats: storage.NearestStats{Tier: spec.Table.Tier, Method: method, Candidates: len(list)}}, nil
}

// cellsSearch is a search of cells.
type cellsSearch struct {
	*ivf.Search
	tier   types.Tier
	method string
}

func (s *cellsSearch) Stats() storage.NearestStats {
	out := s.Search.Stats()
	out.Tier, out.Method, out.Requests = s.tier, s.method, 0 // its reads are of memory
	return out
}

func (s *cellsSearch) Close() error {
	s.Search.Close()
	return nil
}
