package hnsw

import (
	"cmp"
	"math"
	"slices"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// A search widens twofold with each batch, up to maxBatch nodes, and looks at
// sweepSlots slots a step when it goes through what the graph did not reach.
const (
	maxBatch   = 4096
	sweepSlots = 1 << 16
)

// Search is a search under way. It belongs to one goroutine and must be closed.
type Search struct {
	x       *Index
	w       *scratch
	run     running
	q       types.Datum
	limit   int    // nodes wanted by the next batch
	slots   uint32 // slots that were there at the start
	tail    []uint32
	uncoded int // vectors at the front of tail that have no code
	started bool
	graph   bool   // all that the graph reaches has come
	swept   uint32 // slots looked at after that
	stats   storage.NearestStats
}

// Search starts a search for the vectors nearest to q; ef is the number of
// candidates of the first batch, at most 4,096: whoever wants more takes more
// batches. A q of other dimensions is error 22000.
func (x *Index) Search(q types.Datum, ef int) (*Search, error) {
	if err := x.check(q, true); err != nil {
		return nil, err
	}
	s := &Search{x: x, q: q, limit: min(max(1, ef), maxBatch), stats: storage.NearestStats{Method: "hnsw"}}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, ErrClosed
	}
	s.slots, s.tail, s.uncoded = x.slots, x.tail, x.uncoded
	x.active.begin(&s.run)
	s.w = x.borrow(int(s.slots))
	return s, nil
}

// NextBatch appends the next candidates, sorted by distance. The first batch is
// the best ef found in graph and tail; each later one looks further, and may
// hold nearer ones than came before. No row comes twice; after all rows have come
// the batch is empty.
func (s *Search) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	if s.w == nil {
		return dst, ErrClosed
	}
	if !s.started {
		s.started = true
		s.first()
	} else if !s.graph || len(s.w.pending) < s.limit {
		s.advance()
	}
	for len(s.w.pending) == 0 && (!s.graph || s.swept < s.slots) {
		s.advance()
	}
	return s.emit(dst, s.limit), nil
}

// Stats tells what the search has done so far.
func (s *Search) Stats() storage.NearestStats {
	stats := s.stats
	if s.w != nil {
		stats.Candidates = s.w.measured
	}
	x := s.x
	exact := stats.Reranked + s.uncoded
	stats.Bytes = int64(stats.Candidates)*int64(x.WalkBytes()) + int64(exact)*int64(x.raw.stride)
	return stats
}

// Close ends the search; the second time it does nothing.
func (s *Search) Close() {
	if s.w == nil {
		return
	}
	s.stats.Candidates = s.w.measured
	s.x.giveBack(s.w)
	s.w, s.q, s.tail = nil, nil, nil
	s.x.active.end(&s.run)
}

// first searches the graph with the pool of the first batch, and the tail.
func (s *Search) first() {
	x, w := s.x, s.w
	w.startTaking(int(s.slots))
	entry, top, ok := x.entryPoint() // before the query is coded: who sees a node sees the quantizer
	x.setDatum(&w.q, s.q, w)
	w.startPool(s.limit * x.poolFactor())
	w.keep = true
	w.unvisit()
	for _, slot := range s.tail[:s.uncoded] {
		s.measure(slot)
	}
	s.stats.Reranked = 0
	if ok {
		near, key := x.descend(w, &w.q, entry, top, 0)
		if w.visit(near) {
			w.pool = append(w.pool, packNode(key, near))
			x.startAtScouts(w, &w.q)
			x.beam(w, &w.q, 0)
			s.collectSure()
		}
	}
	s.searchTail()
	s.stats.Tail = len(s.tail)
}

// tailBlock is how many codes of the tail are compared in one call.
const tailBlock = 256

// searchTail compares the coded vectors of the tail with the query, measures the
// nearest and keeps the others for later batches. They wait among the dropped
// nodes as expanded ones: they have no neighbours.
func (s *Search) searchTail() {
	x, w := s.x, s.w
	start := len(w.dropped)
	for tail := s.tail[s.uncoded:]; len(tail) > 0; {
		block := tail[:min(tailBlock, len(tail))]
		tail = tail[len(block):]
		w.slots = w.slots[:0]
		for _, slot := range block {
			if x.live(slot) && w.visit(slot) { // it may have become a node meanwhile
				w.slots = append(w.slots, slot)
			}
		}
		for i, key := range x.keys(w, &w.q, w.slots) {
			w.dropped = append(w.dropped, packNode(key, w.slots[i])|expanded)
		}
		w.measured += len(w.slots)
	}
	nodes := w.dropped[start:]
	n := min(s.limit, len(nodes))
	smallestFirst(nodes, n, cmp.Compare[uint64])
	for _, node := range nodes[:n] {
		s.measure(slotOf(node))
	}
	w.dropped = append(w.dropped[:start], nodes[n:]...)
}

// advance goes one step further: through the graph from the nearest nodes that
// have not come, then through slots that the graph did not reach.
func (s *Search) advance() {
	s.limit = max(s.limit, min(2*s.limit, maxBatch))
	switch {
	case !s.graph && len(s.w.dropped) > 0:
		s.widen()
	case !s.graph:
		s.graph = true
	default:
		end := min(s.slots, s.swept+sweepSlots)
		for ; s.swept < end; s.swept++ {
			s.measure(s.swept)
		}
	}
}

func (s *Search) widen() {
	w := s.w
	slices.Sort(w.dropped)
	n := min(s.limit, len(w.dropped))
	w.limit = s.limit
	w.pool = w.pool[:0]
	w.reserve()
	w.pool = append(w.pool, w.dropped[:n]...)
	w.dropped = w.dropped[:copy(w.dropped, w.dropped[n:])]
	s.x.beam(w, &w.q, 0)
	s.collect()
}

// Codes of vectors that lie close together in a cluster far from the others may be
// all but equal. Then the order of the pool says little of the true one, which shows
// when one of the nearest ten comes from its second half: the pool is widened, by
// what the search dropped and further nodes, until they come from the first half.
const (
	sureOf   = 10
	leastFor = 32 // smaller pools tell nothing
	mostSure = 1024
)

// collectSure measures the pool, and more where codes do not tell vectors apart.
func (s *Search) collectSure() {
	w := s.w
	blind := s.x.kind == kindCodes && len(w.pool) >= leastFor
	start := len(w.pending)
	s.collect()
	limit := s.limit
	for blind && len(w.dropped) > 0 && s.limit < mostSure && s.isUnsure(w.pending[start:]) {
		s.limit = max(s.limit, len(w.pending)-start)
		s.widen()
	}
	s.limit = limit
}

// isUnsure tells whether one of the nearest ten of what was measured, in the order of
// keys, lies in the second half.
func (s *Search) isUnsure(measured []storage.Candidate) bool {
	half := len(measured) / 2
	far := math.Inf(-1)
	var best [sureOf]float64
	n := 0
	for _, c := range measured[:half] { // the ten nearest of the first half
		if n == sureOf && c.Distance >= far {
			continue
		}
		at := min(n, sureOf-1)
		for ; at > 0 && c.Distance < best[at-1]; at-- {
			best[at] = best[at-1]
		}
		best[at] = c.Distance
		n = min(n+1, sureOf)
		far = best[n-1]
	}
	for _, c := range measured[half:] {
		if c.Distance < far {
			return true
		}
	}
	return false
}

// collect measures the pool.
func (s *Search) collect() {
	for _, node := range s.w.pool {
		s.measure(slotOf(node))
	}
	s.w.pool = s.w.pool[:0]
}

// measure puts a live slot that is not among the results there, with its exact
// distance.
func (s *Search) measure(slot uint32) {
	if !s.x.live(slot) || !s.w.take(slot) {
		return
	}
	s.stats.Reranked++
	s.w.pending = append(s.w.pending, storage.Candidate{ID: s.x.rowID(slot), Distance: s.x.exact(&s.w.q, slot)})
}

// emit moves the nearest n results to dst.
func (s *Search) emit(dst []storage.Candidate, n int) []storage.Candidate {
	pending := s.w.pending
	n = min(n, len(pending))
	smallestFirst(pending, n, nearer)
	slices.SortFunc(pending[:n], nearer)
	dst = append(dst, pending[:n]...)
	s.w.pending = pending[:copy(pending, pending[n:])]
	return dst
}

func nearer(a, b storage.Candidate) int {
	if c := cmp.Compare(a.Distance, b.Distance); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

// smallestFirst moves the n smallest elements to the front (quickselect, median
// of three).
func smallestFirst[T any](c []T, n int, compare func(a, b T) int) {
	for len(c) > 12 && n > 0 && n < len(c) {
		p := partition(c, compare)
		if n <= p {
			c = c[:p]
		} else {
			c, n = c[p:], n-p
		}
	}
	slices.SortFunc(c, compare)
}

// partition returns p, 0 < p < len(c), such that nothing before p is greater
// than anything from p on (Hoare).
func partition[T any](c []T, compare func(a, b T) int) int {
	low, mid, high := c[0], c[len(c)/2], c[len(c)-1]
	if compare(mid, low) < 0 {
		low, mid = mid, low
	}
	if compare(high, low) < 0 {
		high = low
	}
	if compare(high, mid) < 0 {
		mid = high
	}
	i, j := -1, len(c)
	for {
		for i++; compare(c[i], mid) < 0; i++ {
		}
		for j--; compare(mid, c[j]) < 0; j-- {
		}
		if i >= j {
			return max(1, min(i, len(c)-1))
		}
		c[i], c[j] = c[j], c[i]
	}
}

// Distances appends the exact distances of those rows that the index has,
// sorted, whatever the order of ids.
func (x *Index) Distances(q types.Datum, ids []types.RowID, dst []storage.Candidate) ([]storage.Candidate, error) {
	if err := x.check(q, true); err != nil {
		return dst, err
	}
	var run running
	x.mu.RLock()
	if x.closed {
		x.mu.RUnlock()
		return dst, ErrClosed
	}
	x.active.begin(&run)
	x.mu.RUnlock()
	defer x.active.end(&run)
	w := x.borrow(0)
	defer x.giveBack(w)
	x.setDatum(&w.q, q, w)
	start := len(dst)
	for len(ids) > 0 {
		n := min(len(ids), 1024) // between two parts writers get their turn
		dst = x.measureRows(dst, w, ids[:n])
		ids = ids[n:]
	}
	slices.SortFunc(dst[start:], nearer)
	return dst, nil
}

func (x *Index) measureRows(dst []storage.Candidate, w *scratch, ids []types.RowID) []storage.Candidate {
	start := len(dst)
	w.list = w.list[:0]
	x.mu.RLock()
	for _, id := range ids {
		if slot, ok := x.ids[id]; ok {
			w.list = append(w.list, slot)
			dst = append(dst, storage.Candidate{ID: id})
		}
	}
	x.mu.RUnlock()
	for i, slot := range w.list {
		dst[start+i].Distance = x.exact(&w.q, slot)
	}
	return dst
}
