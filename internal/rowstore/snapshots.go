package rowstore

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/types"
)

// history is what must be remembered of past commits while snapshots of older
// states are read: rows that are gone, rows that moved, and what has become of
// tables and indexes.
type history struct {
	mu        sync.Mutex // guards what follows
	seq       uint64     // commits so far
	snapshots *list.List // of *snapshot, oldest first
	pending   []goneRows // deleted rows that a snapshot may still see, oldest first
	forward   map[rowName]types.RowID
	moves     []movedRow // what forward holds, oldest first

	// remade says at which commit a table was rewritten or an index became valid
	// that an older snapshot cannot read. lastRemade is the newest of them.
	remade     map[types.OID]uint64
	lastRemade atomic.Uint64
}

// goneRows are rows deleted by one commit.
type goneRows struct {
	seq   uint64
	table types.OID
	ids   *idSet
}

// movedRow is a row whose vector changed.
type movedRow struct {
	seq  uint64
	from rowName
}

// snapshot is a Pebble snapshot with its place in the order of commits.
type snapshot struct {
	*pebble.Snapshot
	seq  uint64
	elem *list.Element
}

func newHistory() *history {
	return &history{snapshots: list.New(), forward: map[rowName]types.RowID{}, remade: map[types.OID]uint64{}}
}

// takeSnapshot opens a snapshot and enters it into the list.
func (s *Store) takeSnapshot() *snapshot {
	h := s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	sn := &snapshot{seq: h.seq, Snapshot: s.db.NewSnapshot()}
	sn.elem = h.snapshots.PushBack(sn)
	return sn
}

// dropSnapshot closes a snapshot and tells the observer of rows that nobody sees any more.
func (s *Store) dropSnapshot(sn *snapshot) error {
	h := s.history
	h.mu.Lock()
	h.snapshots.Remove(sn.elem)
	gone := h.forget()
	h.mu.Unlock()
	err := sn.Close()
	s.tellGone(gone)
	return err
}

// oldest is the commit that the oldest snapshot sees. mu is held.
func (h *history) oldest() uint64 {
	if e := h.snapshots.Front(); e != nil {
		return e.Value.(*snapshot).seq
	}
	return h.seq
}

// forget drops what no snapshot needs and returns the rows that none sees any more. mu is held.
func (h *history) forget() []goneRows {
	oldest := h.oldest()
	n := 0
	for n < len(h.pending) && h.pending[n].seq <= oldest {
		n++
	}
	gone := h.pending[:n:n]
	h.pending = h.pending[n:]
	n = 0
	for n < len(h.moves) && h.moves[n].seq <= oldest {
		delete(h.forward, h.moves[n].from)
		n++
	}
	h.moves = h.moves[n:]
	if len(h.remade) > 0 && h.lastRemade.Load() <= oldest {
		clear(h.remade)
	}
	return gone
}

func (s *Store) tellGone(gone []goneRows) {
	for _, g := range gone {
		g.ids.each(func(ids []types.RowID) { s.observer().Gone(g.table, ids) })
	}
}

// committed records a commit: what it deleted waits until nobody sees it.
func (s *Store) committed(l *layer) {
	h := s.history
	h.mu.Lock()
	h.seq++
	for table, ids := range l.deleted {
		h.pending = append(h.pending, goneRows{h.seq, table, ids})
	}
	for from, to := range l.moved {
		h.forward[from] = to
		h.moves = append(h.moves, movedRow{h.seq, from})
	}
	for _, id := range l.remade() {
		h.remade[id] = h.seq
		h.lastRemade.Store(h.seq)
	}
	gone := h.forget()
	h.mu.Unlock()
	s.tellGone(gone)
}

// movedTo says where a row went, 0 when it did not.
func (s *Store) movedTo(table types.OID, id types.RowID) types.RowID {
	h := s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.forward[rowName{table, id}]
}

// remadeSince says whether a snapshot is older than the present form of a table or index.
func (h *history) remadeSince(id types.OID, seq uint64) bool {
	if h.lastRemade.Load() <= seq {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.remade[id] > seq
}
