package rowstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// lockKind is what a lock protects.
type lockKind uint8

const (
	lockTable lockKind = iota
	lockRow
	lockUnique // a key of a unique index
	lockName   // the name of a schema object
)

// lockID names what is locked.
type lockID struct {
	kind lockKind
	oid  types.OID   // table or index
	row  types.RowID // of a row
	key  string      // of a unique index, or the name
}

// conflicting says which modes exclude which, by kind. Modes are bit positions.
var (
	tableConflicts = [...]uint16{
		storage.LockAccessShare:          1 << storage.LockAccessExclusive,
		storage.LockRowShare:             1<<storage.LockExclusive | 1<<storage.LockAccessExclusive,
		storage.LockRowExclusive:         1<<storage.LockShare | 1<<storage.LockShareRowExclusive | 1<<storage.LockExclusive | 1<<storage.LockAccessExclusive,
		storage.LockShareUpdateExclusive: 1<<storage.LockShareUpdateExclusive | 1<<storage.LockShare | 1<<storage.LockShareRowExclusive | 1<<storage.LockExclusive | 1<<storage.LockAccessExclusive,
		storage.LockShare:                1<<storage.LockRowExclusive | 1<<storage.LockShareUpdateExclusive | 1<<storage.LockShareRowExclusive | 1<<storage.LockExclusive | 1<<storage.LockAccessExclusive,
		storage.LockShareRowExclusive:    0x1fe &^ (1<<storage.LockAccessShare | 1<<storage.LockRowShare),
		storage.LockExclusive:            0x1fe &^ (1 << storage.LockAccessShare),
		storage.LockAccessExclusive:      0x1fe,
	}
	rowConflicts = [...]uint16{
		storage.ForKeyShare:    1 << storage.ForUpdate,
		storage.ForShare:       1<<storage.ForNoKeyUpdate | 1<<storage.ForUpdate,
		storage.ForNoKeyUpdate: 1<<storage.ForShare | 1<<storage.ForNoKeyUpdate | 1<<storage.ForUpdate,
		storage.ForUpdate:      1<<storage.ForKeyShare | 1<<storage.ForShare | 1<<storage.ForNoKeyUpdate | 1<<storage.ForUpdate,
	}
)

func conflicts(kind lockKind, mode uint8) uint16 {
	switch kind {
	case lockTable:
		return tableConflicts[mode]
	case lockRow:
		return rowConflicts[mode]
	default:
		return ^uint16(0)
	}
}

// lock is one thing that is locked: by mode bits of its holders, with a queue.
type lock struct {
	holders []holder
	queue   []*waiter
}

// holder is an owner that has a lock, in some modes.
type holder struct {
	owner *owner
	modes uint16
}

// modes are those in which an owner holds the lock, 0 when it does not.
func (lk *lock) modes(o *owner) uint16 {
	for i := range lk.holders {
		if lk.holders[i].owner == o {
			return lk.holders[i].modes
		}
	}
	return 0
}

func (lk *lock) hold(o *owner, modes uint16) {
	for i := range lk.holders {
		if lk.holders[i].owner == o {
			lk.holders[i].modes |= modes
			return
		}
	}
	lk.holders = append(lk.holders, holder{o, modes})
}

func (lk *lock) drop(o *owner) {
	lk.holders = slices.DeleteFunc(lk.holders, func(h holder) bool { return h.owner == o })
}

// bars says whether somebody else holds the lock in a mode that is among bad.
func (lk *lock) bars(o *owner, bad uint16) bool {
	for _, h := range lk.holders {
		if h.owner != o && h.modes&bad != 0 {
			return true
		}
	}
	return false
}

// waiter is a request in a queue.
type waiter struct {
	owner   *owner
	id      lockID
	mode    uint8
	granted chan struct{}
	failed  error // set under locker.mu before granted is closed
}

// owner is a transaction as the locker sees it.
type owner struct {
	session  uint64
	held     map[lockID]struct{}
	segments []lockSegment // by savepoint, as the locks were taken
	loose    int           // locks taken since the last were packed
	packs    bool          // some are packed
	waiting  *waiter
}

// hold notes a lock that the owner has now.
func (o *owner) hold(id lockID) { o.holdIn(&o.segments[len(o.segments)-1], id) }

func (o *owner) holdIn(g *lockSegment, id lockID) {
	if _, had := o.held[id]; !had {
		o.held[id] = struct{}{}
		o.loose++
		g.order = append(g.order, id)
	}
}

// locker is all locks. mu guards everything of it, owners' fields included.
type locker struct {
	mu      sync.Mutex
	locks   map[lockID]*lock
	packers map[*owner]struct{} // owners of which some locks are packed
	limit   int                 // of an owner's locks that are not packed
}

func newLocker() *locker {
	return &locker{locks: map[lockID]*lock{}, packers: map[*owner]struct{}{}, limit: packAfter}
}

func newOwner(session uint64) *owner {
	return &owner{session: session, held: map[lockID]struct{}{}, segments: make([]lockSegment, 1)}
}

// lock finds or makes a lock. mu is held.
func (l *locker) lock(id lockID) *lock {
	lk := l.locks[id]
	if lk == nil {
		lk = &lock{}
		l.locks[id] = lk
	}
	return lk
}

// acquire takes a lock; skipped is true when the policy says not to wait. fresh
// says that the owner did not hold it before.
func (l *locker) acquire(ctx context.Context, o *owner, id lockID, mode uint8, wait storage.WaitPolicy) (skipped, fresh bool, err error) {
	l.mu.Lock()
	if len(l.packers) > 0 {
		l.unpack(o, id, conflicts(id.kind, mode))
	}
	if o.loose >= l.limit {
		l.pack(o)
	}
	lk := l.lock(id)
	had := lk.modes(o)
	holds := had != 0
	if had&(1<<mode) != 0 {
		l.mu.Unlock()
		return false, false, nil
	}
	if !l.blocked(lk, o, id.kind, mode, holds) {
		lk.hold(o, 1<<mode)
		o.hold(id)
		l.mu.Unlock()
		return false, !holds, nil
	}
	if wait.SkipLocked || wait.NoWait {
		l.dropIfFree(id, lk)
		l.mu.Unlock()
		if wait.SkipLocked {
			return true, false, nil
		}
		return false, false, errNoWait(id)
	}
	w := &waiter{owner: o, id: id, mode: mode, granted: make(chan struct{})}
	lk.queue = append(lk.queue, w)
	o.waiting = w
	if cycle := l.cycle(o); cycle != nil {
		l.unqueue(w)
		l.mu.Unlock()
		return false, false, errDeadlock(cycle)
	}
	l.mu.Unlock()
	err = l.wait(ctx, w, wait.Timeout)
	return false, !holds && err == nil, err
}

// blocked says whether a request must wait: a holder conflicts, or one that
// waits already does (so that nobody waits for ever), unless the owner holds the lock.
func (l *locker) blocked(lk *lock, o *owner, kind lockKind, mode uint8, holds bool) bool {
	bad := conflicts(kind, mode)
	if lk.bars(o, bad) {
		return true
	}
	if holds {
		return false
	}
	for _, w := range lk.queue {
		if w.owner != o && bad&(1<<w.mode) != 0 {
			return true
		}
	}
	return false
}

func (l *locker) wait(ctx context.Context, w *waiter, limit time.Duration) error {
	var expired <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		expired = t.C
	}
	var err error
	select {
	case <-w.granted:
		return w.failed
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-expired:
		err = pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-w.granted: // in the meantime; it is released with the transaction
	default:
		l.unqueue(w)
	}
	return err
}

// unqueue takes a request back.
func (l *locker) unqueue(w *waiter) {
	w.owner.waiting = nil
	lk := l.locks[w.id]
	for i, q := range lk.queue {
		if q == w {
			lk.queue = append(lk.queue[:i], lk.queue[i+1:]...)
			break
		}
	}
	l.grant(w.id, lk)
}

// grant gives the lock to those in the queue that can have it, in order.
func (l *locker) grant(id lockID, lk *lock) {
	for i := 0; i < len(lk.queue); {
		w := lk.queue[i]
		bad := conflicts(id.kind, w.mode)
		free := !lk.bars(w.owner, bad)
		holds := lk.modes(w.owner) != 0
		for _, before := range lk.queue[:i] {
			if !holds && before.owner != w.owner && bad&(1<<before.mode) != 0 {
				free = false
			}
		}
		if !free {
			i++
			continue
		}
		lk.queue = append(lk.queue[:i], lk.queue[i+1:]...)
		lk.hold(w.owner, 1<<w.mode)
		w.owner.hold(id)
		w.owner.waiting = nil
		close(w.granted)
	}
	l.dropIfFree(id, lk)
}

func (l *locker) dropIfFree(id lockID, lk *lock) {
	if len(lk.holders) == 0 && len(lk.queue) == 0 {
		delete(l.locks, id)
	}
}

// release gives one lock back.
func (l *locker) release(o *owner, id lockID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.releaseLocked(o, id)
}

// releaseLocked gives one lock back. One that the owner has in a pack as well goes
// with the pack.
func (l *locker) releaseLocked(o *owner, id lockID) {
	if g := o.packOf(id); g != nil {
		g.order = append(g.order, id)
		return
	}
	if lk := l.locks[id]; lk != nil {
		lk.drop(o)
		l.grant(id, lk)
	}
	delete(o.held, id)
}

// mark is the segment of an owner's locks from which on releaseSince gives back.
func (l *locker) mark(o *owner) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !o.segments[len(o.segments)-1].empty() {
		o.segments = append(o.segments, lockSegment{})
	}
	return len(o.segments) - 1
}

// releaseSince gives back what an owner has taken since a mark.
func (l *locker) releaseSince(o *owner, mark int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := o.segments[mark:]
	o.segments = append(o.segments[:mark:mark], lockSegment{})
	for _, g := range gone {
		for _, id := range g.order {
			if _, held := o.held[id]; held {
				l.releaseLocked(o, id)
			}
		}
	}
}

// releaseAll gives back all that an owner holds.
func (l *locker) releaseAll(o *owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.packers, o)
	o.segments, o.packs = make([]lockSegment, 1), false
	for id := range o.held {
		l.releaseLocked(o, id)
	}
}

// cycle finds a circle of owners that wait for each other through o, or nil.
func (l *locker) cycle(o *owner) []*waiter {
	seen := map[*owner]bool{}
	var path []*waiter
	var visit func(x *owner) bool
	visit = func(x *owner) bool {
		w := x.waiting
		if w == nil || seen[x] {
			return false
		}
		seen[x] = true
		path = append(path, w)
		for _, y := range l.blockers(w) {
			if y == o || visit(y) {
				return true
			}
		}
		path = path[:len(path)-1]
		return false
	}
	if visit(o) {
		return path
	}
	return nil
}

// blockers are the owners that a request waits for.
func (l *locker) blockers(w *waiter) []*owner {
	lk := l.locks[w.id]
	bad := conflicts(w.id.kind, w.mode)
	var out []*owner
	for _, h := range lk.holders {
		if h.owner != w.owner && h.modes&bad != 0 {
			out = append(out, h.owner)
		}
	}
	if lk.modes(w.owner) != 0 {
		return out
	}
	for _, q := range lk.queue {
		if q == w {
			break
		}
		if q.owner != w.owner && bad&(1<<q.mode) != 0 {
			out = append(out, q.owner)
		}
	}
	return out
}

func (id lockID) String() string {
	switch id.kind {
	case lockRow:
		return fmt.Sprintf("row %d of relation %d", id.row, id.oid)
	case lockUnique:
		return fmt.Sprintf("a key of index %d", id.oid)
	case lockName:
		return "name " + id.key
	default:
		return fmt.Sprintf("relation %d", id.oid)
	}
}

func errNoWait(id lockID) error {
	if id.kind == lockTable || id.kind == lockName {
		return pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on relation")
	}
	return pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on row in relation")
}

func errDeadlock(cycle []*waiter) error {
	var lines []string
	for i, w := range cycle {
		next := cycle[(i+1)%len(cycle)]
		lines = append(lines, fmt.Sprintf("Session %d waits for %s; blocked by session %d.", w.owner.session, w.id, next.owner.session))
	}
	return pgerr.New(pgerr.DeadlockDetected, "deadlock detected").WithDetail("%s", strings.Join(lines, "\n"))
}
