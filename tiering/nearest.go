package tiering

import (
	"context"
	"fmt"
	"time"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
)

// Nearest searches a vector index. The candidates' distances are exact; whether
// this transaction sees them is for Get to say.
func (t *Txn) Nearest(ctx context.Context, spec storage.NearestSpec) (storage.NearestIter, error) {
	t.touch(spec.Table.ID)
	if t.m.opts.Searched == nil {
		return t.nearest(ctx, spec)
	}
	start := time.Now()
	it, err := t.nearest(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &timedSearch{NearestIter: it, m: t.m, tier: spec.Table.Tier, index: spec.Index.Method, took: time.Since(start)}, nil
}

// timedSearch adds up the time that a search takes, without that of its reader.
type timedSearch struct {
	storage.NearestIter
	m     *Manager
	tier  types.Tier
	index string
	took  time.Duration
}

func (s *timedSearch) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	start := time.Now()
	dst, err := s.NearestIter.NextBatch(dst)
	s.took += time.Since(start)
	return dst, err
}

func (s *timedSearch) Close() error {
	s.m.opts.Searched(s.tier, s.index, s.took)
	return s.NearestIter.Close()
}

func (t *Txn) nearest(_ context.Context, spec storage.NearestSpec) (storage.NearestIter, error) {
	v := t.m.index(spec.Index.ID)
	if v == nil {
		return nil, fmt.Errorf("vector index %q is not loaded", spec.Index.Name)
	}
	switch {
	case spec.Among != nil:
		return exactSearch(v, spec.Query, spec.Among, "exact among filtered rows")
	case spec.Exact:
		ids := make([]types.RowID, 0, v.graph.Len())
		v.graph.IDs(func(id types.RowID) bool {
			ids = append(ids, id)
			return true
		})
		return exactSearch(v, spec.Query, ids, "exact")
	}
	s, err := v.graph.Search(spec.Query, spec.Ef)
	if err != nil {
		return nil, err
	}
	return &graphSearch{search: s, tier: spec.Table.Tier}, nil
}

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

// sortedList gives candidates that are all known, in batches.
type sortedList struct {
	list  []storage.Candidate
	stats storage.NearestStats
}

// listBatch is how many candidates of a list come at once.
const listBatch = 1024

func exactSearch(v *vectorIndex, query types.Datum, ids []types.RowID, method string) (storage.NearestIter, error) {
	list, err := v.graph.Distances(query, ids, make([]storage.Candidate, 0, len(ids)))
	if err != nil {
		return nil, err
	}
	return &sortedList{list: list, stats: storage.NearestStats{Method: method, Candidates: len(list)}}, nil
}

func (s *sortedList) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	n := min(listBatch, len(s.list))
	dst = append(dst, s.list[:n]...)
	s.list = s.list[n:]
	return dst, nil
}

func (s *sortedList) Stats() storage.NearestStats { return s.stats }
func (s *sortedList) Close() error                { return nil }
