package hnsw

import "sync/atomic"

// descend walks greedily from the entry down to layer `to`, exclusive, and
// returns the nearest node met and its key.
func (x *Index) descend(w *scratch, q *query, slot uint32, from, to int) (uint32, float32) {
	w.slots = append(w.slots[:0], slot)
	key := x.keys(w, q, w.slots)[0]
	w.measured++
	for level := from; level > to; level-- {
		for moved := true; moved; {
			moved = false
			w.slots = copyList(w.slots[:0], x.neighbours(slot, level))
			w.measured += len(w.slots)
			for i, k := range x.keys(w, q, w.slots) {
				if k < key {
					slot, key, moved = w.slots[i], k, true
				}
			}
		}
	}
	return slot, key
}

// beam is a best-first search of one layer. The pool holds the starting nodes,
// which are marked visited, and at the end the w.limit nearest nodes found. Where
// nodes have been removed the pool grows by as many as it holds, within bounds.
func (x *Index) beam(w *scratch, q *query, level int) {
	marked := x.deleted.Load() > 0
	bound := 4*w.limit + 64
	for k := 0; k < len(w.pool); {
		if w.pool[k]&expanded != 0 {
			k++
			continue
		}
		w.pool[k] |= expanded
		x.gather(w, slotOf(w.pool[k]), level)
		keys := x.keys(w, q, w.slots)
		w.measured += len(w.slots)
		next := k + 1
		for i, s := range w.slots {
			if marked && w.limit < bound && x.state(s) == stateDeleted && x.wouldEnter(w, keys[i]) {
				w.limit++
				w.reserve()
			}
			next = min(next, w.offer(packNode(keys[i], s)))
		}
		k = next
	}
}

// gather sets w.slots to the neighbours of a node that have not been visited and
// marks them.
func (x *Index) gather(w *scratch, slot uint32, level int) {
	list := x.neighbours(slot, level)
	found := w.slots[:0]
	for i := range list {
		s := atomic.LoadUint32(&list[i])
		if s == none {
			break
		}
		if w.visit(s) {
			found = append(found, s)
		}
	}
	w.slots = found
}

func (x *Index) wouldEnter(w *scratch, key float32) bool {
	n := len(w.pool)
	return n < w.limit || n == 0 || packNode(key, 0) < w.pool[n-1]
}
