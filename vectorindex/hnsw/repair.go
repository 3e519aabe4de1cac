package hnsw

import (
	"context"
	"slices"
)

// repairBlock is the number of slots that a worker of repair takes at a time.
const repairBlock = 1024

// repair takes removed nodes out of the graph: each list that names one gets the
// neighbours of the removed node to choose from instead (as in FreshDiskANN, Singh
// et al., 2021, algorithm 4). Then nothing names them and their slots are retired.
// The caller holds maintain, so that no list changes but here.
func (x *Index) repair(ctx context.Context, workers int) error {
	if x.deleted.Load() == 0 {
		return x.ended(ctx)
	}
	x.mu.RLock()
	known := x.slots
	x.mu.RUnlock()
	removed, gone := x.removedNodes(known)
	blocks := (int(known) + repairBlock - 1) / repairBlock
	x.inParallel(ctx, blocks, workers, func() (func(int), func()) {
		w := x.borrow(int(known))
		return func(block int) {
			first := uint32(block) * repairBlock
			for s := first; s < min(first+repairBlock, known); s++ {
				x.repairNode(w, s, gone)
			}
		}, func() { x.giveBack(w) }
	})
	if err := x.ended(ctx); err != nil {
		return err
	}
	x.replaceEntry(known, gone)
	x.dropScouts(gone)
	for _, s := range removed {
		x.setState(s, stateFree)
	}
	x.deleted.Add(-int64(len(removed)))
	x.graphed.Add(-int64(len(removed)))
	x.active.retire(removed)
	x.settled = 0 // paths may have led through what is gone
	return nil
}

// removedNodes lists the marked nodes; gone tells them by slot.
func (x *Index) removedNodes(known uint32) (removed []uint32, gone []bool) {
	gone = make([]bool, known)
	for s := range known {
		if x.state(s) == stateDeleted {
			removed = append(removed, s)
			gone[s] = true
		}
	}
	return removed, gone
}

// inGraph tells whether a slot has lists; slots of the tail and free ones have none.
func (x *Index) inGraph(slot uint32) bool {
	s := x.state(slot)
	return s == stateGraph || s == stateDeleted
}

func (x *Index) repairNode(w *scratch, slot uint32, gone []bool) {
	if gone[slot] || !x.inGraph(slot) {
		return
	}
	for level := x.level(slot); level >= 0; level-- {
		w.list = copyList(w.list[:0], x.neighbours(slot, level))
		if slices.ContainsFunc(w.list, func(s uint32) bool { return gone[s] }) {
			x.repairList(w, slot, level, gone)
		}
	}
}

// repairList chooses among the remaining neighbours in w.list and those that
// removed ones had.
func (x *Index) repairList(w *scratch, slot uint32, level int, gone []bool) {
	w.unvisit()
	w.visit(slot)
	w.slots = w.slots[:0]
	for _, s := range w.list {
		if !gone[s] && w.visit(s) {
			w.slots = append(w.slots, s)
		}
	}
	for _, removed := range w.list {
		if !gone[removed] {
			continue
		}
		own := len(w.slots)
		w.slots = copyList(w.slots, x.neighbours(removed, level))
		kept := w.slots[:own]
		for _, s := range w.slots[own:] {
			if !gone[s] && w.visit(s) {
				kept = append(kept, s)
			}
		}
		w.slots = kept
	}
	x.setSlot(&w.other, slot)
	w.ring = w.ring[:0]
	for i, k := range x.keys(w, &w.other, w.slots) {
		w.ring = append(w.ring, packNode(k, w.slots[i]))
	}
	slices.Sort(w.ring)
	list := x.neighbours(slot, level)
	x.selectNeighbours(w, len(list))
	lock := &x.linkLocks[slot%linkStripes]
	lock.Lock()
	defer lock.Unlock()
	x.writeChosen(w, list)
}

// replaceEntry moves the entry off a node that is gone, to one of the highest.
func (x *Index) replaceEntry(known uint32, gone []bool) {
	entry, _, ok := x.entryPoint()
	if !ok || !gone[entry] {
		return
	}
	best := noEntry
	for s := range known {
		if !gone[s] && x.inGraph(s) {
			if e := packEntry(s, x.level(s)); best == noEntry || e>>32 > best>>32 {
				best = e
			}
		}
	}
	x.entry.Store(best)
}
