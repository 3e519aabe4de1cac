package coldstore

import (
	"container/list"
	"context"
	"sync"
)

// memo keeps what was made from objects, the least recently used goes first when the
// bytes are too many. What is under way is made once, however many ask. Values are
// immutable and need no closing: whoever holds an evicted one goes on with it.
type memo struct {
	limit int64

	mu    sync.Mutex // guards all below it
	bytes int64
	byKey map[any]*list.Element
	used  list.List // of *memoEntry, the most recent first
	fly   flights
}

type memoEntry struct {
	key, value any
	bytes      int64
}

func newMemo(limit int64) *memo { return &memo{limit: limit, byKey: map[any]*list.Element{}} }

func (m *memo) size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

func (m *memo) peek(key any) (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	if e == nil {
		return nil, false
	}
	m.used.MoveToFront(e)
	return e.Value.(*memoEntry).value, true
}

func (m *memo) put(key, value any, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.byKey[key]; e != nil {
		m.drop(e)
	}
	m.byKey[key] = m.used.PushFront(&memoEntry{key, value, bytes})
	m.bytes += bytes
	for m.bytes > m.limit && m.used.Len() > 1 {
		m.drop(m.used.Back())
	}
}

func (m *memo) drop(e *list.Element) {
	x := m.used.Remove(e).(*memoEntry)
	delete(m.byKey, x.key)
	m.bytes -= x.bytes
}

// forget drops the keys that match.
func (m *memo) forget(match func(key any) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, e := range m.byKey {
		if match(key) {
			m.drop(e)
		}
	}
}

// get returns the value under key, made by load if there is none.
func (m *memo) get(ctx context.Context, key any, load func() (value any, bytes int64, err error)) (any, error) {
	if v, ok := m.peek(key); ok {
		return v, nil
	}
	return m.fly.do(ctx, key, func() (any, error) {
		if v, ok := m.peek(key); ok {
			return v, nil
		}
		v, bytes, err := load()
		if err == nil {
			m.put(key, v, bytes)
		}
		return v, err
	})
}

// flights lets one of those who want the same do it. When the one is canceled,
// another goes on.
type flights struct {
	mu    sync.Mutex
	byKey map[any]*flight
}

type flight struct {
	done  chan struct{}
	value any
	err   error
	ended bool // the one that did it was canceled
}

func (f *flights) do(ctx context.Context, key any, work func() (any, error)) (any, error) {
	for {
		f.mu.Lock()
		fl := f.byKey[key]
		if fl == nil {
			break
		}
		f.mu.Unlock()
		select {
		case <-fl.done:
			if !fl.ended {
				return fl.value, fl.err
			}
		case <-ctx.Done():
			return nil, canceled()
		}
	}
	fl := &flight{done: make(chan struct{}), ended: true}
	if f.byKey == nil {
		f.byKey = map[any]*flight{}
	}
	f.byKey[key] = fl
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.byKey, key)
		f.mu.Unlock()
		close(fl.done)
	}()
	fl.value, fl.err = work()
	fl.ended = fl.err != nil && ctx.Err() != nil
	return fl.value, fl.err
}
