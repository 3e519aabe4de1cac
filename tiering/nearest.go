package tiering

import (
	"context"
	"fmt"
	"time"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
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

func (t *Txn) nearest(ctx context.Context, spec storage.NearestSpec) (storage.NearestIter, error) {
	v := t.m.index(spec.Index.ID)
	if v == nil {
		return nil, fmt.Errorf("vector index %q is not loaded", spec.Index.Name)
	}
	for {
		b, err := t.m.open(ctx, v)
		if err != nil {
			return nil, err
		}
		it, err := b.nearest(ctx, t, &spec)
		if isClosed(err) && v.present() != b {
			continue // a move has put another in its place
		}
		return it, err
	}
}

// sortedList gives candidates that are all known, in batches.
type sortedList struct {
	list  []storage.Candidate
	stats storage.NearestStats
}

// listBatch is how many candidates of a list come at once.
const listBatch = 1024

func (s *sortedList) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	n := min(listBatch, len(s.list))
	dst = append(dst, s.list[:n]...)
	s.list = s.list[n:]
	return dst, nil
}

func (s *sortedList) Stats() storage.NearestStats { return s.stats }
func (s *sortedList) Close() error                { return nil }
