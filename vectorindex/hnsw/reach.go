package hnsw

import "slices"

// Unreachable counts the nodes that no path on layer 0 leads to from the entry
// point. There are none in a checkpoint nor after Build; insertions may cut paths
// until Drain has grown the graph by a quarter. Searches begin at scouts too and
// go through what they have not met when they must be complete, so a node that is
// counted here is found later, not never.
func (x *Index) Unreachable() int {
	x.maintain.Lock()
	defer x.maintain.Unlock()
	entry, _, ok := x.entryPoint()
	if !ok || x.isClosed() {
		return 0
	}
	x.mu.RLock()
	known := x.slots
	x.mu.RUnlock()
	w := x.borrow(int(known))
	defer x.giveBack(w)
	reached := make([]bool, known)
	x.markFrom(w, reached, nil, entry)
	count := 0
	for s := range known {
		if x.inGraph(s) && !reached[s] {
			count++
		}
	}
	return count
}

// reach links what cannot be reached. The caller holds maintain.
func (x *Index) reach() {
	x.mu.RLock()
	known := x.slots
	x.mu.RUnlock()
	w := x.borrow(int(known))
	defer x.giveBack(w)
	x.reachAll(w, known)
}

// reachSearch is the size of the search for the place of a node that cannot be reached.
const reachSearch = 16

// reachAll makes every node reachable from the entry on layer 0. A node that is not
// is put at the end of the list of the nearest that is; what stood there is put
// into the node's own list, so that no other path is lost.
func (x *Index) reachAll(w *scratch, known uint32) {
	entry, _, ok := x.entryPoint()
	if !ok {
		return
	}
	reached := make([]bool, known)
	stack := x.markFrom(w, reached, nil, entry)
	for s := range known {
		if reached[s] || !x.inGraph(s) {
			continue
		}
		x.linkFrom(s, x.nearestReached(w, s, reached, entry))
		stack = x.markFrom(w, reached, stack, s)
	}
}

func (x *Index) markFrom(w *scratch, reached []bool, stack []uint32, from uint32) []uint32 {
	reached[from] = true
	stack = append(stack[:0], from)
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		w.list = copyList(w.list[:0], x.neighbours(s, 0))
		for _, n := range w.list {
			if !reached[n] {
				reached[n] = true
				stack = append(stack, n)
			}
		}
	}
	return stack
}

// nearestReached searches from the entry and the scouts that can be reached.
func (x *Index) nearestReached(w *scratch, slot uint32, reached []bool, entry uint32) uint32 {
	x.setSlot(&w.q, slot)
	w.startPool(reachSearch)
	w.unvisit()
	w.visit(slot)
	w.slots = append(w.slots[:0], entry)
	for _, s := range x.scoutsNow() {
		if reached[s] && s != entry {
			w.slots = append(w.slots, s)
		}
	}
	for i, key := range x.keys(w, &w.q, w.slots) {
		if w.visit(w.slots[i]) {
			w.offer(packNode(key, w.slots[i]))
		}
	}
	x.beam(w, &w.q, 0)
	for _, node := range w.pool {
		if reached[slotOf(node)] {
			return slotOf(node)
		}
	}
	return entry
}

// linkFrom makes `from` lead to slot.
func (x *Index) linkFrom(slot, from uint32) {
	w := x.borrow(0)
	defer x.giveBack(w)
	w.list = copyList(w.list[:0], x.neighbours(from, 0))
	if n := len(w.list); n == x.max0 {
		last := w.list[n-1]
		w.list[n-1] = slot
		x.appendLink(w, slot, last)
	} else {
		w.list = append(w.list, slot)
	}
	lock := &x.linkLocks[from%linkStripes]
	lock.Lock()
	defer lock.Unlock()
	setList(x.neighbours(from, 0), w.list)
}

// appendLink puts `to` at the end of a list, in place of its last when it is full.
func (x *Index) appendLink(w *scratch, slot, to uint32) {
	own := copyList(nil, x.neighbours(slot, 0))
	if slices.Contains(own, to) {
		return
	}
	if len(own) == x.max0 {
		own = own[:len(own)-1]
	}
	own = append(own, to)
	lock := &x.linkLocks[slot%linkStripes]
	lock.Lock()
	defer lock.Unlock()
	setList(x.neighbours(slot, 0), own)
}
