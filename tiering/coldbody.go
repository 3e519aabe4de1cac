package tiering

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// coldBody is an index of a cold collection: the parts beside the segments, read from
// the object store, and the vectors of local rows, which are few, in memory.
// Rows of segments that were deleted come as candidates; the row store knows.
type coldBody struct {
	m *Manager
	v *vectorIndex

	mu   sync.RWMutex
	tail map[types.RowID]types.Datum // guarded by mu
	size int64                       // guarded by mu: bytes of the vectors
}

// loadCold reads the vectors of the local rows.
func (m *Manager) loadCold(ctx context.Context, table *catalog.Table, v *vectorIndex) (body, error) {
	if m.opts.Cold == nil {
		return nil, noColdStore()
	}
	b := &coldBody{m: m, v: v, tail: map[types.RowID]types.Datum{}}
	var ids []types.RowID
	err := m.store.LocalIDs(ctx, table, func(id types.RowID, tombstone bool) error {
		if !tombstone {
			ids = append(ids, id)
		}
		return nil
	})
	for batch := range slices.Chunk(ids, catchUpBatch) {
		if err != nil {
			break
		}
		err = m.store.Rows(ctx, table, v.columns(table), batch, func(id types.RowID, row types.Row) error {
			return m.put(table, v, b, id, row)
		})
	}
	return b, err
}

func noColdStore() error {
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "this server has no cold store")
}

// Append keeps a vector in memory.
func (b *coldBody) Append(id types.RowID, d types.Datum) error {
	if b.v.desc().Keys[0].LeavesOut(d) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.tail[id]; !ok {
		b.tail[id] = d
		b.size += vectorBytes(d)
	}
	return nil
}

// Remove forgets it.
func (b *coldBody) Remove(id types.RowID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d, ok := b.tail[id]; ok {
		b.size -= vectorBytes(d)
		delete(b.tail, id)
	}
}

// Contains tells whether a vector is in memory.
func (b *coldBody) Contains(id types.RowID) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, ok := b.tail[id]
	return ok
}

// IDs calls fn for the rows whose vectors are in memory.
func (b *coldBody) IDs(fn func(types.RowID) bool) {
	b.mu.RLock()
	ids := make([]types.RowID, 0, len(b.tail))
	for id := range b.tail {
		ids = append(ids, id)
	}
	b.mu.RUnlock()
	for _, id := range ids {
		if !fn(id) {
			return
		}
	}
}

// Len is the number of rows, as the table counts them.
func (b *coldBody) Len() int { return int(b.m.store.Stats(b.v.desc().Table).Rows) }

// Pending is how many vectors are in memory: they wait for the next seal.
func (b *coldBody) Pending() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.tail)
}

// Bytes is the memory of the vectors.
func (b *coldBody) Bytes() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.size
}

func (b *coldBody) maintain(context.Context) (bool, error) { return false, nil }
func (b *coldBody) save() error                            { return nil }

// Close has nothing to close.
func (b *coldBody) Close() error { return nil }

// vectorBytes is about what a vector takes in memory, its place in the map included.
func vectorBytes(d types.Datum) int64 {
	const place = 64
	switch v := d.(type) {
	case types.Vector:
		return place + 4*int64(len(v))
	case types.HalfVector:
		return place + 2*int64(len(v))
	case types.SparseVector:
		return place + 8*int64(len(v.Index))
	case types.Bits:
		return place + int64(len(v.B))
	}
	return place
}

func (b *coldBody) nearest(ctx context.Context, _ *Txn, spec *storage.NearestSpec) (storage.NearestIter, error) {
	tail, err := b.measure(spec)
	if err != nil {
		return nil, err
	}
	s := &coldSearch{tail: tail, counted: len(tail)}
	if len(tail) > 0 {
		s.local = make(map[types.RowID]struct{}, len(tail))
		for _, c := range tail {
			s.local[c.ID] = struct{}{}
		}
	}
	s.NearestIter, err = b.m.opts.Cold.Collection(spec.Table).Nearest(ctx, spec.Index, coldstore.Query{
		Vector: spec.Query, Want: max(spec.Want, leastWanted), Probes: spec.Probes, Among: spec.Among, Exact: spec.Exact,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// measure computes the distances of the vectors in memory, nearest first.
func (b *coldBody) measure(spec *storage.NearestSpec) ([]storage.Candidate, error) {
	metric := b.v.desc().Keys[0].Metric
	var list []storage.Candidate
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.tail) == 0 {
		return nil, nil
	}
	add := func(id types.RowID, d types.Datum) error {
		n, err := distanceOf(metric, spec.Query, d)
		if err == nil && n == n {
			list = append(list, storage.Candidate{ID: id, Distance: n})
		}
		return err
	}
	if spec.Among != nil {
		for _, id := range spec.Among {
			if d, ok := b.tail[id]; ok {
				if err := add(id, d); err != nil {
					return nil, err
				}
			}
		}
	} else {
		for id, d := range b.tail {
			if err := add(id, d); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(list, nearer)
	return list, nil
}

func nearer(x, y storage.Candidate) int {
	return cmp.Or(cmp.Compare(x.Distance, y.Distance), cmp.Compare(x.ID, y.ID))
}

// coldSearch merges the search of the segments with the local rows.
type coldSearch struct {
	storage.NearestIter
	tail    []storage.Candidate
	local   map[types.RowID]struct{}
	counted int
	ended   bool // the segments have no more
}

func (s *coldSearch) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	start := len(dst)
	for len(dst) == start && !s.ended {
		before := len(dst)
		var err error
		if dst, err = s.NearestIter.NextBatch(dst); err != nil {
			return dst, err
		}
		s.ended = len(dst) == before
		if s.local != nil {
			kept := slices.DeleteFunc(dst[before:], func(c storage.Candidate) bool {
				_, there := s.local[c.ID]
				return there
			})
			dst = dst[:before+len(kept)]
		}
	}
	// Of the local rows come those up to the farthest of the batch, and all at the end.
	n := len(s.tail)
	if !s.ended && n > 0 {
		n, _ = slices.BinarySearchFunc(s.tail, dst[len(dst)-1], nearer)
	}
	if n > 0 {
		dst = append(dst, s.tail[:n]...)
		s.tail = s.tail[n:]
		slices.SortFunc(dst[start:], nearer)
	}
	return dst, nil
}

func (s *coldSearch) Stats() storage.NearestStats {
	out := s.NearestIter.Stats()
	out.Tail = s.counted
	return out
}
