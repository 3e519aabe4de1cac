package tiering

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
)

// graphBody is an HNSW graph in memory.
type graphBody struct {
	*hnsw.Index
	m *Manager
	v *vectorIndex
	// backlog is how many vectors the tail held after a start without a checkpoint;
	// 0 as soon as it is short again. Writers need not wait for it.
	backlog atomic.Int64
}

// graphOptions are an index's descriptor as package hnsw takes it.
func (m *Manager) graphOptions(x *catalog.Index) hnsw.Options {
	key := x.Keys[0]
	return hnsw.Options{
		M: optionInt(x, "m", 16), EfConstruction: optionInt(x, "ef_construction", 64),
		Metric: key.Metric, Type: key.Type, Dims: int(key.Typmod), Workers: m.opts.Workers,
	}
}

// newGraph is an empty graph.
func (m *Manager) newGraph(v *vectorIndex) (*graphBody, error) {
	g, err := hnsw.New(m.graphOptions(v.desc()))
	if err != nil {
		return nil, err
	}
	return &graphBody{Index: g, m: m, v: v}, nil
}

// loadGraph opens an index from its checkpoint. Without a usable one it starts
// empty: all its vectors go into the tail, where they are found exactly until the
// workers have moved them.
func (m *Manager) loadGraph(v *vectorIndex) (*graphBody, error) {
	x := v.desc()
	g, err := hnsw.Load(m.path(x.ID), m.graphOptions(x))
	if err == nil {
		return &graphBody{Index: g, m: m, v: v}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.opts.Logger.Warn("index checkpoint not usable, building the index anew", "index", x.Name, "error", err)
	}
	return m.newGraph(v)
}

func (g *graphBody) noteBacklog() {
	if n := g.TailLen(); n > g.maxTail() {
		g.backlog.Store(int64(n))
	}
}

// IDs calls fn for each row id.
func (g *graphBody) IDs(fn func(types.RowID) bool) { g.Index.IDs(fn) }

// Pending is the length of the tail.
func (g *graphBody) Pending() int { return g.TailLen() }

func (g *graphBody) nearest(_ context.Context, t *Txn, spec *storage.NearestSpec) (storage.NearestIter, error) {
	switch {
	case spec.Among != nil:
		return g.exact(spec.Query, spec.Among, "exact among filtered rows")
	case spec.Exact:
		ids := make([]types.RowID, 0, g.Len())
		g.IDs(func(id types.RowID) bool {
			ids = append(ids, id)
			return true
		})
		return g.exact(spec.Query, ids, "exact")
	}
	s, err := g.Search(spec.Query, spec.Ef)
	if err != nil {
		return nil, err
	}
	return &graphSearch{search: s, tier: spec.Table.Tier}, nil
}

func (g *graphBody) exact(query types.Datum, ids []types.RowID, method string) (storage.NearestIter, error) {
	list, err := g.Distances(query, ids, make([]storage.Candidate, 0, len(ids)))
	if err != nil {
		return nil, err
	}
	return &sortedList{list: list, stats: storage.NearestStats{Method: method, Candidates: len(list)}}, nil
}

// save writes the checkpoint.
func (g *graphBody) save() error { return g.m.writeIndexFile(g.v, g.WriteCheckpoint) }

// graphSearch is a search of the graph and the tail.
type graphSearch struct {
	search *hnsw.Search
	tier   types.Tier
}

func (g *graphSearch) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	return g.search.NextBatch(dst)
}

func (g *graphSearch) Stats() storage.NearestStats {
	s := g.search.Stats()
	s.Tier = g.tier
	return s
}

func (g *graphSearch) Close() error {
	g.search.Close()
	return nil
}
