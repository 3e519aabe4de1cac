package state

import (
	"sync"
	"time"
)

// Clock is where time comes from.
type Clock interface {
	Now() time.Time
	// After gives a channel that gets the time once d has passed, and a function
	// that gives it up.
	After(d time.Duration) (<-chan time.Time, func())
}

// System is the machine's clock.
type System struct{}

// Now is the present time.
func (System) Now() time.Time { return time.Now() }

// After waits on a timer.
func (System) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Manual is a clock that stands still until it is moved. Its zero value is of no
// use; make it with NewManual.
type Manual struct {
	mu      sync.Mutex // guards what follows
	now     time.Time
	waiting map[chan time.Time]time.Time
	waits   *sync.Cond // signalled when waiting grows
}

// NewManual makes a clock that stands at a time.
func NewManual(now time.Time) *Manual {
	m := &Manual{now: now, waiting: map[chan time.Time]time.Time{}}
	m.waits = sync.NewCond(&m.mu)
	return m
}

// Now is where the clock stands.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// After gives a channel that gets the time when the clock is moved so far.
func (m *Manual) After(d time.Duration) (<-chan time.Time, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := make(chan time.Time, 1)
	m.waiting[ch] = m.now.Add(d)
	m.waits.Broadcast()
	return ch, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.waiting, ch)
	}
}

// Advance moves the clock.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	for ch, at := range m.waiting {
		if !at.After(m.now) {
			ch <- m.now
			delete(m.waiting, ch)
		}
	}
}

// AwaitWaiter returns when somebody waits on the clock: a test advances it then.
func (m *Manual) AwaitWaiter() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.waiting) == 0 {
		m.waits.Wait()
	}
}
