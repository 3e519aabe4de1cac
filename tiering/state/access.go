package state

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/internal/types"
)

// Counter counts the accesses of a collection. Its fields are read and written
// without a lock; two accesses at the end of a window may lose one count.
type Counter struct {
	last   atomic.Int64 // Unix nanoseconds of the last access
	window atomic.Int64 // when the window began
	count  atomic.Int64 // accesses in the window
	dirty  atomic.Bool  // since it was last saved
}

// Counts is a Counter at one time, times in Unix nanoseconds.
type Counts struct {
	Last, Window, Count int64
}

// Touch counts an access. It takes no lock and allocates nothing.
func (c *Counter) Touch(now int64, window time.Duration) {
	if began := c.window.Load(); now-began >= int64(window) && c.window.CompareAndSwap(began, now) {
		c.count.Store(0)
	}
	c.count.Add(1)
	if now > c.last.Load() {
		c.last.Store(now)
	}
	if !c.dirty.Load() {
		c.dirty.Store(true)
	}
}

// Read is what was counted; a window that has passed counts nothing any more.
func (c *Counter) Read(now int64, window time.Duration) Counts {
	out := Counts{Last: c.last.Load(), Window: c.window.Load(), Count: c.count.Load()}
	if now-out.Window >= int64(window) {
		out.Count = 0
	}
	return out
}

// Saved is what is to be kept, and whether it has changed since the last call.
func (c *Counter) Saved() (Counts, bool) {
	changed := c.dirty.Swap(false)
	return Counts{Last: c.last.Load(), Window: c.window.Load(), Count: c.count.Load()}, changed
}

// IsDirty says whether there is something to keep.
func (c *Counter) IsDirty() bool { return c.dirty.Load() }

// MarkDirty has the next Saved say that there is something to keep.
func (c *Counter) MarkDirty() { c.dirty.Store(true) }

// Restore sets what was kept.
func (c *Counter) Restore(s Counts) {
	c.last.Store(s.Last)
	c.window.Store(s.Window)
	c.count.Store(s.Count)
}

// Restart begins a new window, after a promotion.
func (c *Counter) Restart(now int64) {
	c.window.Store(now)
	c.count.Store(0)
	c.dirty.Store(true)
}

// shards is a power of two: with 10,000 collections a shard has 40.
const shards = 256

// Table finds things by collection, without a lock. Making one copies its shard.
type Table[T any] struct {
	shards [shards]struct {
		mu sync.Mutex // held while m is replaced
		m  atomic.Pointer[map[types.OID]*T]
	}
}

// Find gives a collection's thing, nil when there is none.
func (t *Table[T]) Find(id types.OID) *T {
	m := t.shards[id%shards].m.Load()
	if m == nil {
		return nil
	}
	return (*m)[id]
}

// Make finds a collection's thing or makes it.
func (t *Table[T]) Make(id types.OID, fresh func() *T) *T {
	if v := t.Find(id); v != nil {
		return v
	}
	s := &t.shards[id%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := t.Find(id); v != nil {
		return v
	}
	v := fresh()
	t.replace(id, v)
	return v
}

// Drop forgets a collection.
func (t *Table[T]) Drop(id types.OID) {
	s := &t.shards[id%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Find(id) != nil {
		t.replace(id, nil)
	}
}

// replace puts v into its shard, or takes the old one out; the shard's lock is held.
func (t *Table[T]) replace(id types.OID, v *T) {
	s := &t.shards[id%shards]
	now := map[types.OID]*T{}
	if old := s.m.Load(); old != nil {
		for k, o := range *old {
			now[k] = o
		}
	}
	if v == nil {
		delete(now, id)
	} else {
		now[id] = v
	}
	s.m.Store(&now)
}

// Each calls fn for every collection, in no order.
func (t *Table[T]) Each(fn func(types.OID, *T)) {
	for i := range t.shards {
		if m := t.shards[i].m.Load(); m != nil {
			for id, v := range *m {
				fn(id, v)
			}
		}
	}
}
