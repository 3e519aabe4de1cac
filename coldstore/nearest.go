package coldstore

import (
	"cmp"
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// Query is what a search of a collection is asked for.
type Query struct {
	Vector types.Datum
	// Want is how many rows the first batch has; Probes is ivfflat.probes, 0 looks at as
	// many cells as the answer needs.
	Want, Probes int
	// Among, if set, are the only rows that may come, and the search is exact.
	Among []types.RowID
	// Only, if set, are the only rows that may come; the search is as ever.
	Only ivf.Set
	// Exact compares with all rows.
	Exact bool
	// Columns are fetched ahead for the rows of the first batch; nil fetches none.
	Columns []int16
}

// Nearest searches a vector index over all segments. Candidates have exact distances;
// later batches look further, and no id comes twice. Rows that were deleted or
// written since the seal are for the caller to tell. Where an index has no part, which
// is so when it was made since, all rows are compared.
func (c *Collection) Nearest(ctx context.Context, x *catalog.Index, q Query) (storage.NearestIter, error) {
	n := &search{c: c, x: x, q: q, stats: storage.NearestStats{Tier: types.TierCold}}
	n.ctx = WithMeter(ctx, &n.meter)
	var err error
	switch {
	case q.Among != nil:
		n.stats.Method = "exact among filtered rows"
		err = n.among(q.Among)
	case q.Exact || !c.indexed(x):
		n.stats.Method = "exact"
		err = n.exact()
	default:
		n.stats.Method = "ivfflat"
		err = n.begin()
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// indexed says whether every generation with rows has a part of the index.
func (c *Collection) indexed(x *catalog.Index) bool {
	return len(c.Parts(x.ID, KindIVF)) == len(c.generations) && len(c.cold.Segments) > 0
}

// search is a search under way. It belongs to one goroutine.
type search struct {
	c     *Collection
	x     *catalog.Index
	q     Query
	ctx   context.Context
	meter Meter
	stats storage.NearestStats

	parts    []partSearch
	seen     map[types.RowID]struct{} // nil when there is one part
	prefetch bool

	list []storage.Candidate // of an exact search, what has not come yet
}

type partSearch struct {
	key    string
	search *ivf.Search
	batch  []storage.Candidate
}

func (n *search) begin() error {
	type opened struct {
		part catalog.SegmentPart
		rows uint64
	}
	var parts []opened
	for i := range n.c.cold.Segments {
		rows := uint64(0)
		for j := i; j < n.c.endOf(i); j++ {
			rows += n.c.cold.Segments[j].Rows
		}
		for _, p := range n.c.cold.Segments[i].Parts {
			if p.Index == n.x.ID && p.Kind == KindIVF {
				parts = append(parts, opened{p, rows})
			}
		}
	}
	n.parts = make([]partSearch, len(parts))
	group, ctx := errgroup.WithContext(n.ctx)
	group.SetLimit(n.c.s.o.Parallel)
	group.Go(func() error { // the tails are needed soon
		_, err := n.c.openAll(ctx, nil)
		return err
	})
	indexes := make([]*ivf.Index, len(parts))
	for i, p := range parts {
		group.Go(func() (err error) {
			indexes[i], err = n.c.index(ctx, n.x, &p.part, p.rows)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, p := range parts {
		s, err := indexes[i].Search(n.ctx, ivf.Query{Vector: n.q.Vector, Want: n.q.Want, Probes: n.q.Probes, Among: n.q.Only})
		if err != nil {
			_ = n.Close() // the first error counts
			return partError(p.part.Key, err)
		}
		n.parts[i] = partSearch{key: p.part.Key, search: s}
	}
	if len(parts) > 1 {
		n.seen = map[types.RowID]struct{}{}
	}
	n.prefetch = len(n.q.Columns) > 0
	return nil
}

// NextBatch implements storage.NearestIter.
func (n *search) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	if n.parts == nil {
		k := min(max(1024, n.q.Want), len(n.list))
		dst = append(dst, n.list[:k]...)
		n.list = n.list[k:]
		return dst, nil
	}
	start := len(dst)
	for len(dst) == start {
		more, err := n.advance()
		if err != nil {
			return dst, err
		}
		for i := range n.parts {
			for _, b := range n.parts[i].batch {
				if n.isNew(b.ID) {
					dst = append(dst, b)
				}
			}
		}
		if !more {
			break
		}
	}
	slices.SortFunc(dst[start:], nearer)
	if n.prefetch && len(dst) > start {
		n.prefetch = false
		n.ahead(dst[start:])
	}
	return dst, nil
}

// advance takes a batch of each part; false when none had any.
func (n *search) advance() (bool, error) {
	one := func(p *partSearch) error {
		var err error
		p.batch, err = p.search.NextBatch(p.batch[:0])
		if err = partError(p.key, err); err != nil {
			n.c.s.suspect(p.key, err)
		}
		return err
	}
	if len(n.parts) == 1 {
		err := one(&n.parts[0])
		return len(n.parts[0].batch) > 0, err
	}
	var group errgroup.Group
	for i := range n.parts {
		group.Go(func() error { return one(&n.parts[i]) })
	}
	err := group.Wait()
	more := false
	for i := range n.parts {
		more = more || len(n.parts[i].batch) > 0
	}
	return more, err
}

func (n *search) isNew(id types.RowID) bool {
	if n.seen == nil {
		return true
	}
	if _, ok := n.seen[id]; ok {
		return false
	}
	n.seen[id] = struct{}{}
	return true
}

// ahead fetches the columns of the answer's rows.
func (n *search) ahead(found []storage.Candidate) {
	k := len(found)
	if n.q.Want > 0 {
		k = min(k, n.q.Want)
	}
	ids := make([]types.RowID, k)
	for i := range ids {
		ids[i] = found[i].ID
	}
	n.c.Prefetch(n.ctx, n.q.Columns, ids)
}

// among measures given rows.
func (n *search) among(ids []types.RowID) (err error) {
	n.list, err = n.c.Distances(n.ctx, n.x, n.q.Vector, ids, make([]storage.Candidate, 0, len(ids)))
	n.stats.Candidates = len(n.list)
	return err
}

// Distances appends the exact distances of those rows that a segment has and the
// index holds, sorted.
func (c *Collection) Distances(ctx context.Context, x *catalog.Index, query types.Datum, ids []types.RowID, dst []storage.Candidate) ([]storage.Candidate, error) {
	start := len(dst)
	for part := range slices.Chunk(ids, 4096) {
		err := c.keys(ctx, x, part, func(id types.RowID, d types.Datum) error {
			if d, ok := distanceOf(x.Keys[0].Metric, query, d); ok {
				dst = append(dst, storage.Candidate{ID: id, Distance: d})
			}
			return nil
		})
		if err != nil {
			return dst, err
		}
	}
	slices.SortFunc(dst[start:], nearer)
	return dst, nil
}

// exact measures all rows, which are read without being kept: 16 bytes each.
func (n *search) exact() error {
	columns := keyColumns(n.c.table, n.x)
	readers, err := n.c.openAll(n.ctx, nil)
	if err != nil {
		return err
	}
	for i := range readers {
		if err := n.exactSegment(readers, i, columns); err != nil {
			n.c.s.suspect(readers[i].Key(), err)
			return err
		}
	}
	slices.SortFunc(n.list, nearer)
	n.stats.Candidates = len(n.list)
	return nil
}

func (n *search) exactSegment(readers []*segment.Reader, i int, columns []int16) error {
	scan, err := readers[i].Scan(passing(n.ctx), segment.ScanOptions{Columns: columns, Ahead: scanAhead, Table: n.c.table})
	if err != nil {
		return err
	}
	defer func() { _ = scan.Close() }() // only read
	sealed := n.c.endOf(i) < len(readers)
	row := make(types.Row, len(n.c.table.Columns))
	for {
		id, ok, err := scan.Next(row)
		if err != nil || !ok {
			return err
		}
		if sealed && n.c.hidden(readers, i, id) || n.q.Only != nil && !n.q.Only.Contains(uint64(id)) {
			continue
		}
		key, ok, err := n.c.s.keyOf(n.c.table, n.x, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if d, ok := distanceOf(n.x.Keys[0].Metric, n.q.Vector, key); ok {
			n.list = append(n.list, storage.Candidate{ID: id, Distance: d})
		}
	}
}

// distanceOf is the distance as the operator gives it, except that what is not a
// number is infinitely far; false when the two cannot be compared.
func distanceOf(m types.Metric, q, v types.Datum) (d float64, ok bool) {
	switch q := q.(type) {
	case types.Vector:
		if v, is := v.(types.Vector); is && len(v) == len(q) {
			d, ok = distance.Vector(m, q, v), true
		}
	case types.HalfVector:
		if v, is := v.(types.HalfVector); is && len(v) == len(q) {
			d, ok = distance.Half(m, q, v), true
		}
	case types.SparseVector:
		if v, is := v.(types.SparseVector); is && v.Dim == q.Dim {
			d, ok = distance.Sparse(m, q, v), true
		}
	case types.Bits:
		if v, is := v.(types.Bits); is && v.N == q.N {
			d, ok = distance.Bit(m, q, v), true
		}
	}
	if d != d {
		d = math.Inf(1)
	}
	return d, ok
}

func nearer(a, b storage.Candidate) int {
	if c := cmp.Compare(a.Distance, b.Distance); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

// Stats implements storage.NearestIter: requests and bytes are those that went to the
// store.
func (n *search) Stats() storage.NearestStats {
	s := n.stats
	for i := range n.parts {
		p := n.parts[i].search.Stats()
		s.Candidates += p.Candidates
		s.Reranked += p.Reranked
	}
	requests, bytes := n.meter.Fetched()
	s.Requests, s.Bytes = int(requests), bytes
	return s
}

// Close implements storage.NearestIter.
func (n *search) Close() error {
	for i := range n.parts {
		if s := n.parts[i].search; s != nil {
			s.Close()
		}
	}
	return nil
}
