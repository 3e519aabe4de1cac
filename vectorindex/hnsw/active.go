package hnsw

import "sync"

// activeSearches knows which searches run, in the order of their starts, and
// which slots wait until the searches that could know them are over.
type activeSearches struct {
	mu      sync.Mutex
	idle    sync.Cond
	head    running // a ring; head.next is the oldest
	stamp   uint64  // of the last retirement
	retired []retiredSlot
}

// running is the place of one search in the ring.
type running struct {
	next, prev *running
	stamp      uint64 // retirements up to it came before the search
}

type retiredSlot struct {
	slot  uint32
	stamp uint64
}

func (a *activeSearches) init() {
	a.idle.L = &a.mu
	a.head.next, a.head.prev = &a.head, &a.head
}

func (a *activeSearches) begin(r *running) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.stamp = a.stamp
	r.next, r.prev = &a.head, a.head.prev
	r.prev.next, a.head.prev = r, r
}

func (a *activeSearches) end(r *running) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.prev.next, r.next.prev = r.next, r.prev
	if a.head.next == &a.head {
		a.idle.Broadcast()
	}
}

// wait returns when no search runs.
func (a *activeSearches) wait() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.head.next != &a.head {
		a.idle.Wait()
	}
}

// retire gives up slots that no later search can reach.
func (a *activeSearches) retire(slots []uint32) {
	if len(slots) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stamp++
	for _, s := range slots {
		a.retired = append(a.retired, retiredSlot{s, a.stamp})
	}
}

// reusable moves the slots that no running search can know to dst.
func (a *activeSearches) reusable(dst []uint32) []uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := a.stamp
	if a.head.next != &a.head {
		oldest = a.head.next.stamp
	}
	n := 0
	for ; n < len(a.retired) && a.retired[n].stamp <= oldest; n++ {
		dst = append(dst, a.retired[n].slot)
	}
	if n > 0 {
		a.retired = a.retired[:copy(a.retired, a.retired[n:])]
	}
	return dst
}
