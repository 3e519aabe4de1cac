package rowstore

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// watches are those who want to know which rows commits write.
type watches struct {
	n  atomic.Int32 // how many there are, so that commits without any pay nothing
	mu sync.Mutex   // guards all and the watches in it
	by map[types.OID][]*Watch
}

// Watch gathers the ids of the rows of one table that commits write or delete. A
// snapshot taken after it began has all that the watch does not tell of.
type Watch struct {
	store  *Store
	table  types.OID
	ids    *roaring64.Bitmap
	broken bool
}

// Watch begins to watch a table. The caller stops it.
func (s *Store) Watch(table types.OID) *Watch {
	w := &Watch{store: s, table: table, ids: roaring64.New()}
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	if s.watches.by == nil {
		s.watches.by = map[types.OID][]*Watch{}
	}
	s.watches.by[table] = append(s.watches.by[table], w)
	s.watches.n.Add(1)
	return w
}

// Changed are the ids so far, in order: of rows that were inserted, updated or
// deleted. While the caller has the table locked against writers, they are all.
func (w *Watch) Changed() []types.RowID {
	w.store.watches.mu.Lock()
	defer w.store.watches.mu.Unlock()
	out := make([]types.RowID, 0, w.ids.GetCardinality())
	for it := w.ids.Iterator(); it.HasNext(); {
		out = append(out, types.RowID(it.Next()))
	}
	return out
}

// Broken says that the ids do not tell all: the table was truncated, rewritten,
// moved to another tier or dropped.
func (w *Watch) Broken() bool {
	w.store.watches.mu.Lock()
	defer w.store.watches.mu.Unlock()
	return w.broken
}

// Stop ends the watch. It may be called twice.
func (w *Watch) Stop() {
	all := &w.store.watches
	all.mu.Lock()
	defer all.mu.Unlock()
	list := all.by[w.table]
	i := slices.Index(list, w)
	if i < 0 {
		return
	}
	all.n.Add(-1)
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		all.by[w.table] = list
	} else {
		delete(all.by, w.table)
	}
}

// tell notes a commit. It comes before the transaction gives its locks back.
func (a *watches) tell(l *layer) {
	if a.n.Load() == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for table, list := range a.by {
		broken := l.breaks(table)
		for _, w := range list {
			w.broken = w.broken || broken
		}
		if _, wrote := l.counts[table]; broken || !wrote {
			continue
		}
		l.eachWritten(table, func(id types.RowID) {
			for _, w := range list {
				w.ids.Add(uint64(id))
			}
		})
	}
}

// breaks says whether the layer does to a table what no list of rows tells.
func (l *layer) breaks(table types.OID) bool {
	if rowsHidden([]*layer{l}, table) || slices.Contains(l.switched, table) {
		return true
	}
	return slices.ContainsFunc(l.changes, func(c catalog.Change) bool {
		return c.Kind == catalog.KindTable && c.ID == table && c.Object == nil
	})
}

// eachWritten calls fn for the rows of a table that the layer writes or deletes.
func (l *layer) eachWritten(table types.OID, fn func(types.RowID)) {
	low := oidKey(keyRow, table)
	l.writes.AscendRange(entry{key: low}, entry{key: prefixEnd(low)}, func(e entry) bool {
		fn(idOf(e.key))
		return true
	})
	if l.spill == nil || l.spill.rows[table] == nil {
		return
	}
	for it := l.spill.rows[table].Iterator(); it.HasNext(); {
		fn(types.RowID(it.Next()))
	}
}

// Changes counts the commits that wrote a table's rows, over restarts too; moves
// between tiers do not count.
func (s *Store) Changes(table types.OID) (uint64, error) {
	return readUint64(s.db, oidKey(keyChanges, table))
}

var oneMore = binary.BigEndian.AppendUint64(nil, 1)

// fillChanges counts a commit that wrote a table's rows.
func (l *layer) fillChanges(b *pebble.Batch, table types.OID) error {
	if slices.Contains(l.switched, table) {
		return nil
	}
	return b.Merge(oidKey(keyChanges, table), oneMore, nil)
}
