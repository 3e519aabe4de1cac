package hnsw

import (
	"math"
	"slices"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// Scouts are nodes of layer 0 spread over the data, which a search compares with
// its query first. Where the data are clusters far from each other a descent ends
// in one of them and a best-first search does not leave it; a scout stands in each.
// They are few enough to stay in a processor's cache.
const (
	spreadScouts = 256  // chosen each as far as can be from those before
	otherScouts  = 128  // chosen evenly
	scoutSample  = 4096 // nodes among which the spread ones are chosen
	scoutStarts  = 4    // the nearest scouts begin a search
)

// scoutGrowth: scouts are chosen anew when the graph has grown by one part in so many.
const scoutGrowth = 4

// scoutsNow are the nodes that searches begin at besides the descent. Whoever
// loads them must be an active search or hold maintain.
func (x *Index) scoutsNow() []uint32 {
	if p := x.scouts.Load(); p != nil {
		return *p
	}
	return nil
}

// startAtScouts puts the nearest scouts into the pool.
func (x *Index) startAtScouts(w *scratch, q *query) {
	scouts := x.scoutsNow()
	if len(scouts) == 0 {
		return
	}
	var best [scoutStarts]uint64
	for i := range best {
		best[i] = math.MaxUint64
	}
	for i, key := range x.keys(w, q, scouts) {
		node := packNode(key, scouts[i])
		if node >= best[scoutStarts-1] {
			continue
		}
		at := scoutStarts - 1
		for ; at > 0 && node < best[at-1]; at-- {
			best[at] = best[at-1]
		}
		best[at] = node
	}
	w.measured += len(scouts)
	for _, node := range best {
		if node != math.MaxUint64 && w.visit(slotOf(node)) {
			w.offer(node)
		}
	}
}

// settle chooses scouts anew and links what cannot be reached, when the graph has
// grown enough since. The caller holds maintain.
func (x *Index) settle() {
	n := x.graphed.Load()
	if n == 0 || n-x.settled < x.settled/scoutGrowth+1 && n >= x.settled/2 {
		return
	}
	x.settleNow()
}

func (x *Index) settleNow() {
	x.mu.RLock()
	known := x.slots
	x.mu.RUnlock()
	w := x.borrow(int(known))
	defer x.giveBack(w)
	x.chooseScouts(w, known)
	x.reachAll(w, known)
	x.settled = x.graphed.Load()
}

func (x *Index) chooseScouts(w *scratch, known uint32) {
	step := max(1, int(known)/scoutSample)
	sample := make([]uint32, 0, scoutSample)
	for s := 0; s < int(known); s += step {
		if x.state(uint32(s)) == stateGraph {
			sample = append(sample, uint32(s))
		}
	}
	if len(sample) == 0 {
		x.scouts.Store(nil)
		return
	}
	if x.options.Metric == types.MetricInnerProduct {
		x.uneven.Store(x.normsDiffer(w, sample))
	}
	chosen := x.spread(w, sample)
	every := max(1, len(sample)/otherScouts)
	for i := 0; i < len(sample); i += every {
		chosen = append(chosen, sample[i])
	}
	slices.Sort(chosen)
	chosen = slices.Compact(chosen)
	x.scouts.Store(&chosen)
}

// poolFactor is how many times ef the pool of a search holds. Under inner product
// a node's list names the longest vectors, not the near ones, so that the graph
// leads to the right place less surely, unless all are about as long; most pairs of
// sparse vectors share no element and are told apart by their norms alone.
func (x *Index) poolFactor() int {
	switch {
	case x.uneven.Load():
		return 4
	case x.kind == kindSparse:
		return 2
	}
	return 1
}

// normsDiffer tells whether the longest tenth of a sample has products with itself
// that exceed the median by more than rounding and codes explain.
func (x *Index) normsDiffer(w *scratch, sample []uint32) bool {
	norms := make([]float64, len(sample))
	for i, s := range sample {
		norms[i] = x.squaredNorm(w, s)
	}
	slices.Sort(norms)
	return norms[len(norms)*9/10] > 1.05*norms[len(norms)/2]
}

func (x *Index) squaredNorm(w *scratch, slot uint32) float64 {
	if x.kind == kindSparse {
		v := x.sparseVector(slot)
		return float64(distance.SparseDot(v, v))
	}
	v := x.floats(slot, w.wide)
	return float64(distance.Dot(v, v))
}

// spread chooses each node as the one whose nearest chosen one is the farthest.
func (x *Index) spread(w *scratch, sample []uint32) []uint32 {
	nearest := make([]float32, len(sample))
	for i := range nearest {
		nearest[i] = float32(math.Inf(1))
	}
	chosen := []uint32{sample[0]}
	for len(chosen) < min(spreadScouts, len(sample)) {
		x.setSlot(&w.other, chosen[len(chosen)-1])
		far := 0
		for i, key := range x.keys(w, &w.other, sample) {
			nearest[i] = min(nearest[i], key)
			if nearest[i] > nearest[far] {
				far = i
			}
		}
		chosen = append(chosen, sample[far])
	}
	return chosen
}

// dropScouts takes removed nodes out of the scouts, before their slots are retired.
func (x *Index) dropScouts(gone []bool) {
	old := x.scoutsNow()
	kept := make([]uint32, 0, len(old))
	for _, s := range old {
		if !gone[s] {
			kept = append(kept, s)
		}
	}
	x.scouts.Store(&kept)
}
