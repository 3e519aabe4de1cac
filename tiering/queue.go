package tiering

import "sync"

// waiting are the indexes that have something to move to its place. With ten
// thousand indexes the worker looks at those that changed, not at all.
type waiting struct {
	mu   sync.Mutex
	list []*vectorIndex // guarded by mu; each once (vectorIndex.queued)
}

// queue tells the worker that an index has something to move or to repair.
func (m *Manager) queue(v *vectorIndex) {
	if v.queued.Load() || v.queued.Swap(true) {
		return // it knows already
	}
	m.waiting.mu.Lock()
	m.waiting.list = append(m.waiting.list, v)
	m.waiting.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (w *waiting) take() []*vectorIndex {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.list
	w.list = nil
	return list
}
