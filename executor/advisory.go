package executor

import (
	"context"
	"sync"
)

// advisoryKey names an advisory lock: one 64-bit key, or two 32-bit ones.
type advisoryKey struct {
	pair bool
	key  int64
}

// advisoryHold is what one session holds of a lock.
type advisoryHold struct {
	exclusive, shared       int // held by the session
	xactExclusive, xactShar int // held by its transaction
}

func (h *advisoryHold) empty() bool { return *h == advisoryHold{} }

// advisoryLocks are the advisory locks of all sessions, in memory. Waiters are
// woken whenever a lock is released and look again.
type advisoryLocks struct {
	mu    sync.Mutex // guards what follows
	held  map[advisoryKey]map[uint64]*advisoryHold
	freed chan struct{} // closed and replaced at each release
}

func newAdvisoryLocks() *advisoryLocks {
	return &advisoryLocks{held: map[advisoryKey]map[uint64]*advisoryHold{}, freed: make(chan struct{})}
}

// lock takes a lock; with wait it waits until it is free or ctx ends.
func (a *advisoryLocks) lock(ctx context.Context, session uint64, key advisoryKey, exclusive, xact, wait bool) (bool, error) {
	for {
		a.mu.Lock()
		if a.take(session, key, exclusive, xact) {
			a.mu.Unlock()
			return true, nil
		}
		freed := a.freed
		a.mu.Unlock()
		if !wait {
			return false, nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

func (a *advisoryLocks) take(session uint64, key advisoryKey, exclusive, xact bool) bool {
	for owner, h := range a.held[key] {
		if owner != session && (exclusive || h.exclusive > 0 || h.xactExclusive > 0) {
			return false
		}
	}
	if a.held[key] == nil {
		a.held[key] = map[uint64]*advisoryHold{}
	}
	h := a.held[key][session]
	if h == nil {
		h = &advisoryHold{}
		a.held[key][session] = h
	}
	switch {
	case exclusive && xact:
		h.xactExclusive++
	case exclusive:
		h.exclusive++
	case xact:
		h.xactShar++
	default:
		h.shared++
	}
	return true
}

// unlock gives back one session-level lock; false when it was not held.
func (a *advisoryLocks) unlock(session uint64, key advisoryKey, exclusive bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.held[key][session]
	if h == nil {
		return false
	}
	n := &h.shared
	if exclusive {
		n = &h.exclusive
	}
	if *n == 0 {
		return false
	}
	*n--
	a.tidy(session, key, h)
	return true
}

func (a *advisoryLocks) tidy(session uint64, key advisoryKey, h *advisoryHold) {
	if h.empty() {
		delete(a.held[key], session)
		if len(a.held[key]) == 0 {
			delete(a.held, key)
		}
	}
	close(a.freed)
	a.freed = make(chan struct{})
}

// releaseTransaction gives back what a session's transaction holds.
func (a *advisoryLocks) releaseTransaction(session uint64) {
	a.release(session, func(h *advisoryHold) { h.xactExclusive, h.xactShar = 0, 0 })
}

// releaseAll gives back all that a session holds.
func (a *advisoryLocks) releaseAll(session uint64) {
	a.release(session, func(h *advisoryHold) { *h = advisoryHold{} })
}

func (a *advisoryLocks) release(session uint64, fn func(*advisoryHold)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, owners := range a.held {
		if h := owners[session]; h != nil {
			fn(h)
			a.tidy(session, key, h)
		}
	}
}
