package ivf

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// Set is a set of row ids.
type Set interface{ Contains(id uint64) bool }

// Query is what a search is asked for.
type Query struct {
	// Vector is the vector asked for, of the index's type.
	Vector types.Datum
	// Want is how many rows the first batch has.
	Want int
	// Probes is the least number of cells for the first batch; it looks at as many as
	// the answer needs.
	Probes int
	// Source, when set, is read instead of the index's own: a transaction sees other
	// rows than were committed last.
	Source Source
	// Among, when set, are the rows that may come.
	Among Set
}

const (
	maxBatch = 4096
	// deviations is how far a distance may be below its estimate: the paper proves its
	// bound with 1.9 for one bit. Recall on emb512, glove100 and mnist784 was measured
	// with these two values; smaller ones were not tried.
	coarseDeviations = 1.9
	fineDeviations   = 2.2
	blockRows        = 256
	rerankBatch      = 12
	// filteredWidth: the nearest of few rows lie farther out than those that the width
	// was measured on (with one row in a hundred of the sample, 1 gave 0.93).
	filteredWidth = 1.5
)

// Search is a search under way. It belongs to one goroutine and must be closed.
type Search struct {
	x      *Index
	file   *file
	ctx    context.Context
	w      *scratch
	value  Value
	query  []float32 // mapped
	square float32
	among  Set
	dead   bool // some rows are removed
	limit  int
	probes int
	next   int // cells looked at, in w.order
	stats  storage.NearestStats
	began  bool
	err    error
	source Source
}

// found is a row with the estimate of its key and how low that may be.
type found struct {
	key, low float32
	id       types.RowID
}

// far is a row that its signs alone put beyond the bound: a row of a view.
type far struct{ view, row uint32 }

// scanned is a cell that was looked at.
type scanned struct {
	cell   cell
	number int
}

// NextBatch appends the next candidates, sorted by distance. The first batch is the
// approximate answer; later ones look further, and may hold nearer rows than came
// before. No row comes twice; after all rows have come the batch is empty. Rows that
// the source does not have don't come.
func (s *Search) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	switch {
	case s.w == nil:
		return dst, ErrClosed
	case s.err != nil:
		return dst, s.err
	}
	if s.began {
		s.limit = max(s.limit, min(2*s.limit, maxBatch))
	}
	for {
		if s.err = s.advance(); s.err != nil {
			return dst, s.err
		}
		s.began = true
		if len(s.w.pending) > 0 || s.done() {
			return s.emit(dst), nil
		}
	}
}

func (s *Search) done() bool {
	return s.next == len(s.w.order) && len(s.w.pool) == 0 && len(s.w.far) == 0
}

// Stats tells what the search has done so far.
func (s *Search) Stats() storage.NearestStats { return s.stats }

// Probed is the number of cells looked at.
func (s *Search) Probed() int { return s.next }

// Close ends the search; the second time it does nothing.
func (s *Search) Close() {
	if s.w == nil {
		return
	}
	s.w.release()
	s.x.scratch.Put(s.w)
	s.w = nil
	_ = s.x.unpin(s.file) // it was only read
}

// advance looks at more cells and measures the nearest of what was found.
func (s *Search) advance() error {
	w := s.w
	w.bound.start(s.limit)
	if s.began {
		s.refineFar()
		for _, c := range w.pending {
			w.bound.add(s.keyOf(c.Distance))
		}
		for _, f := range w.pool {
			w.bound.add(f.key + f.key - f.low)
		}
	}
	for first := true; s.next < len(w.order); first = false {
		n := s.more(first)
		if n == 0 {
			break
		}
		if err := s.look(n); err != nil {
			return err
		}
	}
	return s.rerank()
}

// more is how many cells to look at next; 0 when those left cannot be expected to
// hold better rows. In a later batch one cell is always looked at.
func (s *Search) more(first bool) int {
	w := s.w
	fetch := min(s.x.options.FetchCells, len(w.order)-s.next)
	if s.next < s.probes && !s.began {
		return min(fetch, s.probes-s.next)
	}
	if s.next == 0 || first && s.began {
		return fetch
	}
	width := s.file.header.width
	if s.among != nil {
		width *= filteredWidth
	}
	reach := width * float32(math.Sqrt(float64(max(0, w.bound.top()))))
	n := 0
	for n < fetch && w.gaps[w.order[s.next+n]] <= reach {
		n++
	}
	return n
}

func (s *Search) keyOf(d float64) float32 { return s.file.space.key(d, s.square) }

// look reads the next n cells and goes through them and what was appended to them.
func (s *Search) look(n int) error {
	w := s.w
	w.ranges, w.parts = w.ranges[:0], w.parts[:0]
	for _, c := range w.order[s.next : s.next+n] {
		r := s.file.rangeOf(int(c))
		w.ranges = append(w.ranges, r)
		s.stats.Bytes += r.Bytes
	}
	var err error
	if w.parts, err = s.file.storage.ReadRanges(s.ctx, w.ranges, w.parts); err != nil {
		return err
	}
	s.stats.Requests += n
	if err := s.ctx.Err(); err != nil {
		return err
	}
	for i, c := range w.order[s.next : s.next+n] {
		view, err := s.file.viewOf(int(c), w.parts[i])
		if err != nil {
			return err
		}
		s.scan(scanned{view, int(c)})
		if extra := s.file.extra(&s.x.mu, int(c)); extra.len() > 0 {
			s.stats.Tail += extra.len()
			s.scan(scanned{extra, int(c)})
		}
	}
	s.next += n
	return nil
}

// enter makes the query's codes for a cell.
func (s *Search) enter(number int) {
	w := s.w
	if w.entered == number {
		return
	}
	w.entered = number
	subtract(w.diff, s.query, s.file.cells.at(number))
	w.q.Set(w.diff, distance.Dot(w.diff, w.diff))
}

// scan goes through the rows of a cell.
func (s *Search) scan(v scanned) {
	w := s.w
	s.stats.Candidates += v.cell.len()
	if isBit(s.file.space.oid) {
		s.scanBits(&v.cell)
		return
	}
	if v.cell.len() == 0 {
		return
	}
	s.enter(v.number)
	view, width := uint32(len(w.views)), s.file.shape.signBytes
	w.views = append(w.views, v)
	for from := 0; from < v.cell.len(); from += blockRows {
		to := min(v.cell.len(), from+blockRows)
		sums := w.sums[:to-from]
		distance.BitSums(w.q.Planes, v.cell.signs[from*width:to*width], width, sums)
		margin := coarseDeviations * w.q.Norm
		for i, sum := range sums {
			row := from + i
			head := &v.cell.heads[row]
			if w.q.Coarse(head, sum)-margin*head.Error < w.bound.top() {
				s.fine(&v.cell, row)
			} else {
				w.far = append(w.far, far{view, uint32(row)})
			}
		}
	}
}

// fine estimates a row's distance again, by its four bits an element.
func (s *Search) fine(c *cell, row int) {
	w := s.w
	if !s.wanted(c.ids[row]) {
		return
	}
	w.q.SetBytes(w.diff)
	size := s.file.shape.fineBytes
	head := &c.fineHeads[row]
	key := w.q.Fine(c.heads[row].Bias, head, distance.DotNibbles(c.fine[row*size:(row+1)*size], w.q.Bytes))
	low := key - fineDeviations*w.q.Norm*head.Error
	if key != key || !(low < math.MaxFloat32) { // a damaged factor, or one beyond all numbers: measure it
		key, low = 0, float32(math.Inf(-1))
	}
	w.pool = append(w.pool, found{key, low, c.ids[row]})
	w.bound.add(key + key - low)
}

func (s *Search) wanted(id types.RowID) bool {
	if s.among != nil && !s.among.Contains(uint64(id)) {
		return false
	}
	return !s.dead || !s.file.removed(&s.x.mu, id)
}

func (s *Search) scanBits(c *cell) {
	w, width := s.w, s.file.shape.signBytes
	n := len(s.value.Bits)
	for row, id := range c.ids {
		if s.wanted(id) {
			d := float64(distance.Hamming(s.value.Bits, c.signs[row*width:row*width+n]))
			w.pending = append(w.pending, storage.Candidate{ID: id, Distance: d})
			w.bound.add(float32(d))
		}
	}
}

// refineFar brings the rows that were put aside into the pool.
func (s *Search) refineFar() {
	for _, f := range s.w.far {
		v := &s.w.views[f.view]
		s.enter(v.number)
		s.fine(&v.cell, int(f.row))
	}
	s.w.far = s.w.far[:0]
}

// rerank measures rows of the pool, the nearest by estimate first, until no row of
// it can be among the nearest limit.
func (s *Search) rerank() error {
	w := s.w
	if len(w.pool) == 0 {
		return nil
	}
	w.exact.start(s.limit)
	for _, c := range w.pending {
		w.exact.add(s.keyOf(c.Distance))
	}
	near := w.pool
	smallestFirst(near, s.rerankRows(), compareFound)
	rest := near[:0]
	for from := 0; from < len(near); {
		w.ids = w.ids[:0]
		room := rerankBatch
		if from == 0 {
			room = max(room, s.limit)
		}
		for ; from < len(near) && len(w.ids) < room; from++ {
			if f := near[from]; s.worth(f, from) {
				w.ids = append(w.ids, f.id)
			} else {
				rest = append(rest, f)
			}
		}
		if err := s.measure(); err != nil {
			return err
		}
	}
	w.pool = rest
	return nil
}

// unorderedFactor is how many times as many rows as asked for are measured when
// estimates cannot be compared with distances.
const unorderedFactor = 12

func (s *Search) rerankRows() int {
	if s.file.space.ordered() {
		return min(len(s.w.pool), 4*s.limit)
	}
	return min(len(s.w.pool), unorderedFactor*s.limit)
}

func (s *Search) worth(f found, at int) bool {
	if !s.file.space.ordered() {
		return at < unorderedFactor*s.limit
	}
	return f.low < s.w.exact.top()
}

// measure reads the vectors of w.ids.
func (s *Search) measure() error {
	w := s.w
	if len(w.ids) == 0 {
		return nil
	}
	for len(w.values) < len(w.ids) {
		w.values = append(w.values, Value{})
	}
	values := w.values[:len(w.ids)]
	clear(values)
	if err := vectors(s.ctx, s.source, w.ids, values); err != nil {
		return err
	}
	s.stats.Reranked += len(w.ids)
	for i := range values {
		if v := &values[i]; s.file.space.fits(v) {
			d := s.file.space.exact(&s.value, v)
			w.pending = append(w.pending, storage.Candidate{ID: w.ids[i], Distance: d})
			w.exact.add(s.keyOf(d))
		}
	}
	return nil
}

// emit moves the nearest results to dst.
func (s *Search) emit(dst []storage.Candidate) []storage.Candidate {
	pending := s.w.pending
	n := min(s.limit, len(pending))
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

func compareFound(a, b found) int { return cmp.Compare(a.key, b.key) }

// scratch is what a search needs and the next one uses again.
type scratch struct {
	query, diff []float32
	q           *quantize.Query
	entered     int
	sums        []uint32
	order       []uint32  // cells, the most promising first
	keys        []float32 // squared distance of each centroid
	gaps        []float32 // how far the query is from the border of each cell
	ranges      []Range
	parts       [][]byte
	views       []scanned
	far         []far
	pool        []found
	pending     []storage.Candidate
	ids         []types.RowID
	values      []Value
	bound       kBest // of upper bounds of keys
	exact       kBest // of keys
}

func newScratch(s *space) *scratch {
	return &scratch{query: make([]float32, s.padded), diff: make([]float32, s.padded), sums: make([]uint32, blockRows),
		q: quantize.RaBitQ{Dims: s.padded}.NewQuery()}
}

// release forgets what belongs to one search.
func (w *scratch) release() {
	clear(w.parts)
	clear(w.views)
	clear(w.values)
	w.views, w.far, w.pool, w.pending, w.entered = w.views[:0], w.far[:0], w.pool[:0], w.pending[:0], -1
}

// kBest is the k smallest keys seen, as a heap with the largest on top.
type kBest struct {
	k    int
	keys []float32
}

func (b *kBest) start(k int) { b.k, b.keys = k, b.keys[:0] }

// top is the k-th smallest key; infinite until there are k.
func (b *kBest) top() float32 {
	if len(b.keys) < b.k {
		return float32(math.Inf(1))
	}
	return b.keys[0]
}

func (b *kBest) add(key float32) {
	if len(b.keys) < b.k {
		b.keys = append(b.keys, key)
		for i := len(b.keys) - 1; i > 0 && b.keys[(i-1)/2] < b.keys[i]; i = (i - 1) / 2 {
			b.keys[i], b.keys[(i-1)/2] = b.keys[(i-1)/2], b.keys[i]
		}
		return
	}
	if !(key < b.keys[0]) {
		return
	}
	i := 0
	for {
		child := 2*i + 1
		if child+1 < len(b.keys) && b.keys[child+1] > b.keys[child] {
			child++
		}
		if child >= len(b.keys) || b.keys[child] <= key {
			break
		}
		b.keys[i] = b.keys[child]
		i = child
	}
	b.keys[i] = key
}
