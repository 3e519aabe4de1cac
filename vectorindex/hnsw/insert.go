package hnsw

import (
	"slices"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// insert links a slot of the tail into the graph (algorithm 1). Workers insert
// different slots side by side.
func (x *Index) insert(w *scratch, slot uint32, coded bool) {
	x.clearLists(slot)
	if x.kind == kindCodes && !coded {
		x.sq.Load().Encode(x.codes.bytes(slot), x.floats(slot, w.wide), w.residual)
	}
	level := x.level(slot)
	entry, top, ok := x.entryPoint()
	if !ok || level > top {
		// A node that rises above the others becomes the entry: one at a time.
		x.entryMu.Lock()
		defer x.entryMu.Unlock()
		if entry, top, ok = x.entryPoint(); !ok {
			x.entry.Store(packEntry(slot, level))
			return
		}
	}
	x.setSlot(&w.q, slot)
	near, key := x.descend(w, &w.q, entry, top, level)
	w.startPool(x.options.EfConstruction)
	w.pool = append(w.pool, packNode(key, near))
	for l := min(level, top); l >= 0; l-- {
		w.unvisit()
		w.visit(slot)
		w.limit = x.options.EfConstruction
		for i := range w.pool {
			w.pool[i] &^= expanded
			w.visit(slotOf(w.pool[i]))
		}
		x.beam(w, &w.q, l)
		x.connect(w, slot, l)
	}
	if level > top {
		x.entry.Store(packEntry(slot, level))
	}
}

// connect chooses neighbours for a slot among the pool and links both ways. It
// chooses M on each layer: choosing 2M on layer 0 gave emb512 no more recall for
// the same number of keys and took much longer to build.
func (x *Index) connect(w *scratch, slot uint32, level int) {
	w.ring = w.ring[:0]
	for _, node := range w.pool {
		if x.state(slotOf(node)) != stateDeleted {
			w.ring = append(w.ring, node)
		}
	}
	if len(w.ring) == 0 { // better than no way in; repair will replace them
		w.ring = append(w.ring, w.pool...)
	}
	x.selectNeighbours(w, x.options.M)
	w.list = w.list[:0]
	for _, node := range w.chosen {
		w.list = append(w.list, slotOf(node))
	}
	w.picked = append(w.picked[:0], w.chosen...) // addLink chooses too
	x.setOwn(w, slot, level)
	for _, node := range w.picked {
		x.addLink(w, slotOf(node), slot, keyOf(node), level)
	}
}

// setOwn writes w.list as the list of a new node. Another worker may have found
// the node on a higher layer and linked to it here already: then its links are
// added one by one.
func (x *Index) setOwn(w *scratch, slot uint32, level int) {
	own := x.neighbours(slot, level)
	lock := &x.linkLocks[slot%linkStripes]
	lock.Lock()
	if own[0] == none {
		setList(own, w.list)
		lock.Unlock()
		return
	}
	lock.Unlock()
	for _, node := range w.picked {
		x.addLink(w, slot, slotOf(node), keyOf(node), level)
	}
}

// addLink adds `to` to the list of a node; a full list is chosen anew.
func (x *Index) addLink(w *scratch, node, to uint32, key float32, level int) {
	lock := &x.linkLocks[node%linkStripes]
	lock.Lock()
	defer lock.Unlock()
	list := x.neighbours(node, level)
	w.list = copyList(w.list[:0], list)
	if slices.Contains(w.list, to) {
		return
	}
	if n := len(w.list); n < len(list) {
		w.list = append(w.list, to)
		setList(list[n:], w.list[n:])
		return
	}
	x.setSlot(&w.other, node)
	w.ring = append(w.ring[:0], packNode(key, to))
	for i, k := range x.keys(w, &w.other, w.list) {
		w.ring = append(w.ring, packNode(k, w.list[i]))
	}
	slices.Sort(w.ring)
	x.selectNeighbours(w, len(list))
	x.writeChosen(w, list)
}

// writeChosen replaces a list by the chosen nodes.
func (x *Index) writeChosen(w *scratch, list []uint32) {
	w.list = w.list[:0]
	for _, node := range w.chosen {
		w.list = append(w.list, slotOf(node))
	}
	setList(list, w.list)
}

// selectNeighbours moves at most n nodes of w.ring, which ascends, to w.chosen
// (algorithm 4): a node is chosen when no chosen one is nearer to it than the
// base is. Instead of measuring each candidate against the chosen ones, each
// chosen one is measured against the candidates left, in one call of the kernel.
// The nearest of the others fill the list: the recall of emb512 at ef 40 rises from
// 0.918 to 0.930 in the same time, and under inner product, where one long vector
// is nearer to everything than anything else is, lists of one are avoided.
func (x *Index) selectNeighbours(w *scratch, n int) {
	w.chosen, w.pruned = w.chosen[:0], w.pruned[:0]
	for len(w.ring) > 0 && len(w.chosen) < n {
		best := w.ring[0]
		w.chosen = append(w.chosen, best)
		rest := w.ring[1:]
		if len(rest) == 0 {
			break
		}
		w.slots = w.slots[:0]
		for _, node := range rest {
			w.slots = append(w.slots, slotOf(node))
		}
		x.setSlot(&w.other, slotOf(best))
		left := rest[:0]
		for i, k := range x.keys(w, &w.other, w.slots) {
			if k > keyOf(rest[i]) {
				left = append(left, rest[i])
			} else {
				w.pruned = append(w.pruned, rest[i])
			}
		}
		w.ring = left
	}
	if len(w.pruned) > 0 && len(w.chosen) < n {
		slices.Sort(w.pruned)
		w.chosen = append(w.chosen, w.pruned[:min(n-len(w.chosen), len(w.pruned))]...)
	}
}

// prepare sets up the quantizer before the first insertion, with the centre of
// the vectors at hand.
func (x *Index) prepare(slots []uint32) {
	if x.kind != kindCodes || x.sq.Load() != nil {
		return
	}
	x.sq.Store(quantize.NewSQ8(x.options.Metric, x.options.Dims, x.centreOf(slots)))
}

// Fewer vectors than fewForCentre tell nothing of those to come; more than
// manyForCentre tell nothing more.
const (
	fewForCentre  = 64
	manyForCentre = 10_000
)

func (x *Index) centreOf(slots []uint32) []float32 {
	if len(slots) < fewForCentre {
		return nil
	}
	sums, wide := make([]float64, x.options.Dims), make([]float32, x.options.Dims)
	unit := make([]float32, x.options.Dims)
	step := max(1, len(slots)/manyForCentre)
	count := 0
	for i := 0; i < len(slots); i += step {
		v := x.floats(slots[i], wide)
		if x.options.Metric == types.MetricCosine {
			quantize.Normalize(unit, v)
			v = unit
		}
		for j, f := range v {
			sums[j] += float64(f)
		}
		count++
	}
	for j := range unit {
		unit[j] = float32(sums[j] / float64(count))
	}
	return unit
}
