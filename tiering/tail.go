package tiering

import (
	"context"
	"sync"
	"time"

	"github.com/akidb/akidb/internal/types"
)

const (
	// drainStep is how many vectors the worker moves before it looks at the next
	// index: about a quarter of a second for one of its threads.
	drainStep = 1024

	// A search goes through the whole tail. Eight megabytes of it cost 0.2 to 0.4
	// ms; a writer that would make it longer waits until the worker has moved a part. The
	// bounds in rows keep the bound sensible for tiny and for huge vectors.
	maxTailBytes = 8 << 20
	minTailRows  = 2 << 10
	maxTailRows  = 16 << 10

	// retryAfter is how long an index that could not be drained is left alone.
	retryAfter = 10 * time.Second
)

// maxTail is the length of the tail above which writers wait.
func (g *graphBody) maxTail() int {
	return min(maxTailRows, max(minTailRows, maxTailBytes/g.WalkBytes()))
}

// full says that the tail is longer than it shall get.
func (g *graphBody) full() bool { return g.TailLen() > g.maxTail()+int(g.backlog.Load()) }

// maintain moves vectors with one processor to spare; a backlog, which makes
// searches slow, with all.
func (g *graphBody) maintain(ctx context.Context) (bool, error) {
	before := g.TailLen()
	if before > g.maxTail() && g.backlog.Load() > 0 {
		return before > 0, g.Build(ctx, nil)
	}
	g.backlog.Store(0)
	n, err := g.Drain(ctx, drainStep)
	return n > 0, err
}

// admit waits until the tails of a table's vector indexes have room for a row, or
// ctx ends. Rows go into tails faster than into graphs; without a bound searches
// would become slower and slower.
func (m *Manager) admit(ctx context.Context, table types.OID) error {
	for _, v := range m.indexes.Load().of(table) {
		if g, ok := v.present().(*graphBody); ok {
			if err := m.awaitTail(ctx, v, g); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Manager) awaitTail(ctx context.Context, v *vectorIndex, g *graphBody) error {
	for g.full() && v.progress.Load() == nil && !v.failing() {
		moved := v.moved.wait()
		if !g.full() {
			return nil
		}
		m.queue(v)
		select {
		case <-moved:
		case <-m.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// failing says that moving the tail has failed lately.
func (v *vectorIndex) failing() bool {
	at := v.failedAt.Load()
	return at != 0 && time.Since(time.Unix(0, at)) < retryAfter
}

// drain moves a step of what waits in an index to its place and says whether there is more.
func (m *Manager) drain(ctx context.Context, v *vectorIndex) bool {
	b := v.present()
	if b == nil || v.progress.Load() != nil || v.failing() {
		return false // its builder does it
	}
	more, err := b.maintain(ctx)
	if err != nil && ctx.Err() == nil && !isClosed(err) {
		v.failedAt.Store(time.Now().UnixNano())
		m.report(v, "tail not moved into the index", err)
		more = false
	}
	v.moved.all()
	return more
}

// signal wakes all who wait for it.
type signal struct {
	mu sync.Mutex
	ch chan struct{} // guarded by mu: closed at the next call of all
}

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) all() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
