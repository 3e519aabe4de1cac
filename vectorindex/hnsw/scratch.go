package hnsw

import (
	"slices"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// scratch is what one search or one worker needs. It belongs to one goroutine
// and is pooled.
type scratch struct {
	visited []uint8 // by slot: equal to epoch when visited
	epoch   uint8

	pool    []uint64 // the best nodes so far, ascending
	dropped []uint64 // visited nodes that did not stay in pool
	limit   int      // of pool
	keep    bool     // collect dropped

	slots     []uint32 // unvisited neighbours of the node in hand
	keyBuffer []float32
	addresses []uintptr
	products  []int32

	q, other       query
	wide, residual []float32

	measured int // keys computed

	chosen []uint64 // by selectNeighbours
	pruned []uint64 // not chosen for being near a chosen one
	ring   []uint64 // candidates of a list that overflows
	picked []uint64 // neighbours of the node that is being inserted
	list   []uint32

	taken      []uint8 // by slot: equal to takenEpoch when it is among the results
	takenEpoch uint8
	pending    []storage.Candidate // measured, not returned yet
}

func (x *Index) newScratch() *scratch {
	w := &scratch{}
	if x.kind == kindCodes {
		w.q.code.Elems = make([]int8, quantize.CodeElems(x.options.Dims))
		w.other.code.Elems = make([]int8, quantize.CodeElems(x.options.Dims))
		w.wide = make([]float32, x.options.Dims)
		w.residual = make([]float32, x.options.Dims)
	}
	w.room(2 * x.max0)
	w.slots = make([]uint32, 0, 2*x.max0)
	return w
}

// borrow takes a scratch for slots below n from the pool.
func (x *Index) borrow(n int) *scratch {
	w := x.scratch.Get().(*scratch)
	if len(w.visited) < n {
		w.visited = make([]uint8, n+n/4)
		w.epoch = 0
	}
	w.measured, w.keep = 0, false
	return w
}

// giveBack returns a scratch; it must not keep the caller's vector alive.
func (x *Index) giveBack(w *scratch) {
	w.q = query{code: w.q.code}
	w.other = query{code: w.other.code}
	const most = 1 << 16
	if cap(w.dropped) > most {
		w.dropped = nil
	}
	if cap(w.pending) > most {
		w.pending = nil
	}
	x.scratch.Put(w)
}

// room makes the buffers of keys long enough for n slots.
func (w *scratch) room(n int) []float32 {
	if n > len(w.keyBuffer) {
		w.keyBuffer = make([]float32, n)
		w.addresses = make([]uintptr, n)
		w.products = make([]int32, n)
	}
	return w.keyBuffer[:n]
}

// unvisit forgets all visits.
func (w *scratch) unvisit() {
	w.epoch++
	if w.epoch == 0 {
		clear(w.visited)
		w.epoch = 1
	}
}

// visit marks a slot and tells whether it is new; slots that came after the
// scratch was borrowed are not.
func (w *scratch) visit(slot uint32) bool {
	if int(slot) >= len(w.visited) || w.visited[slot] == w.epoch {
		return false
	}
	w.visited[slot] = w.epoch
	return true
}

// startTaking forgets the results, for slots below n.
func (w *scratch) startTaking(n int) {
	w.pending = w.pending[:0]
	if w.takenEpoch++; w.takenEpoch == 0 || len(w.taken) < n {
		if len(w.taken) < n {
			w.taken = make([]uint8, n+n/4)
		}
		clear(w.taken)
		w.takenEpoch = 1
	}
}

// take marks a slot as a result and tells whether it was none before.
func (w *scratch) take(slot uint32) bool {
	if int(slot) >= len(w.taken) || w.taken[slot] == w.takenEpoch {
		return false
	}
	w.taken[slot] = w.takenEpoch
	return true
}

// startPool empties the pool and sets its size.
func (w *scratch) startPool(limit int) {
	w.pool = slices.Grow(w.pool[:0], limit+1)
	w.dropped = w.dropped[:0]
	w.limit = limit
}

// reserve lets the pool hold limit nodes and one more.
func (w *scratch) reserve() {
	if cap(w.pool) <= w.limit {
		w.pool = slices.Grow(w.pool, w.limit+1-len(w.pool))
	}
}

// offer puts a node into the pool if it is among the best and returns its place,
// or the length of the pool.
func (w *scratch) offer(node uint64) int {
	n := len(w.pool)
	if n >= w.limit {
		if n == 0 || node >= w.pool[n-1] {
			if w.keep {
				w.dropped = append(w.dropped, node)
			}
			return n
		}
		if w.keep {
			w.dropped = append(w.dropped, w.pool[n-1])
		}
		n--
	}
	low, high := 0, n
	for low < high {
		if mid := int(uint(low+high) >> 1); w.pool[mid] < node {
			low = mid + 1
		} else {
			high = mid
		}
	}
	w.pool = w.pool[:n+1]
	copy(w.pool[low+1:], w.pool[low:n])
	w.pool[low] = node
	return low
}
