package rowstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// A move of a table's rows between the row store and segments is prepared beside
// running statements and switched by one commit, which needs the table to itself.
// Row ids, index entries and the number of rows stay; statements that come after
// the switch read the new place, and transactions whose snapshot is older are
// told to begin anew (40001), as after a rewrite.

// Unload is the switch of a move to segments: to is the descriptor that names
// them. All local rows go but for those among changed, which are newer than what
// the segments have; rows among changed that are gone, and those that had a
// tombstone, get one where a segment may have them. The transaction has locked
// the table with LockAccessExclusive; it should do nothing else to it.
func (t *Txn) Unload(ctx context.Context, to *catalog.Table, changed []types.RowID) error {
	if to.Cold == nil {
		return fmt.Errorf("table %s is to be unloaded without segments", to.Name)
	}
	if err := t.exclusive(to); err != nil {
		return err
	}
	if err := t.emptyLocal(to); err != nil {
		return err
	}
	if err := t.keepChanged(ctx, to, changed); err != nil {
		return err
	}
	from := t.store.Catalog().Table(to.ID)
	if from != nil && from.Cold != nil {
		if err := t.keepTombstones(ctx, to); err != nil {
			return err
		}
	}
	return t.switchTo(ctx, to)
}

// exclusive says whether the transaction may switch a table.
func (t *Txn) exclusive(table *catalog.Table) error {
	if t.tableModes[table.ID]&(1<<storage.LockAccessExclusive) == 0 {
		return fmt.Errorf("table %s is to change its place but is not locked", table.Name)
	}
	return nil
}

// switchTo puts the descriptor that says where the rows are from now on.
func (t *Txn) switchTo(ctx context.Context, to *catalog.Table) error {
	l := t.top()
	l.switched = append(l.switched, to.ID)
	l.overlay(to.ID)
	return t.Change(ctx, catalog.Put(to))
}

// keepChanged writes again what stays here of the changed rows.
func (t *Txn) keepChanged(ctx context.Context, to *catalog.Table, changed []types.RowID) error {
	for i, id := range changed {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		key := rowKey(nil, to.ID, id)
		there, err := t.keep(key)
		if err != nil {
			return err
		}
		if !there {
			if mayHold(to, id) {
				t.top().put(key, tombstone)
			}
			continue
		}
		for i := range to.Columns {
			if c := &to.Columns[i]; !c.Dropped && isVector(c.Type) {
				if _, err := t.keep(vectorKey(nil, to.ID, c.Num, id)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keep copies the committed value of a key that is not a tombstone.
func (t *Txn) keep(key []byte) (bool, error) {
	b, done, err := lookup(t.store.db, nil, key)
	if err != nil {
		return false, err
	}
	there := b != nil && !isTombstone(b)
	if there {
		t.top().put(key, append([]byte{}, b...))
	}
	return there, errors.Join(closeValue(done), t.bound())
}

// keepTombstones keeps those of rows that the new segments may have, too.
func (t *Txn) keepTombstones(ctx context.Context, to *catalog.Table) error {
	return localKinds(ctx, t.store.db, to.ID, func(id types.RowID, kind localKind) error {
		if kind == kindTombstone && mayHold(to, id) {
			t.top().put(rowKey(nil, to.ID, id), tombstone)
		}
		return t.bound()
	})
}

// emptyLocal hides a table's local rows and vectors. The number of rows stays.
func (t *Txn) emptyLocal(table *catalog.Table) error {
	state := t.store.table(table.ID)
	state.mu.Lock()
	next := state.nextID
	state.mu.Unlock()
	l := t.top()
	if err := l.empty(oidKey(keyRow, table.ID), 0); err != nil {
		return err
	}
	l.count(table.ID, state.rows.Load())
	for i := range table.Columns {
		if c := &table.Columns[i]; isVector(c.Type) {
			if err := l.empty(vectorPrefix(nil, table.ID, c.Num), next); err != nil {
				return err
			}
		}
	}
	return nil
}

// LoadRows brings rows of segments back under their own ids, as copies, beside
// running statements and before the table is locked. Rows that have a local form, a
// tombstone or a copy already are passed over. It is called with up to some thousand
// rows at a time, in any order, and FinishLoad ends it; a transaction that is rolled back
// leaves the copies (Store.DropCopies), and so does a crash.
func (t *Txn) LoadRows(ctx context.Context, table *catalog.Table, ids []types.RowID, rows []types.Row) error {
	if err := t.startRestore(ctx, table); err != nil {
		return err
	}
	for i, id := range ids {
		if err := t.restore.add(id, rows[i]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *Txn) startRestore(ctx context.Context, table *catalog.Table) (err error) {
	if t.restore == nil {
		t.restore, err = t.newRestore(ctx, table)
	}
	return err
}

// FinishLoad is the switch of a move from segments, after all their rows were
// given to LoadRows: rows and copies are the table's rows from then on, tombstones
// go. to is the descriptor without segments. The transaction has locked the table
// with LockAccessExclusive. It writes next to nothing.
func (t *Txn) FinishLoad(ctx context.Context, to *catalog.Table) error {
	if to.Cold != nil {
		return fmt.Errorf("table %s is brought back but keeps its segments", to.Name)
	}
	if err := t.exclusive(to); err != nil {
		return err
	}
	if err := t.startRestore(ctx, to); err != nil { // of a table whose segments have no row
		return err
	}
	if err := t.restore.finish(); err != nil {
		return err
	}
	l := t.top()
	for it := t.restore.tombs.Iterator(); it.HasNext(); {
		l.remove(rowKey(nil, to.ID, types.RowID(it.Next())))
		if err := t.bound(); err != nil {
			return err
		}
	}
	return t.switchTo(ctx, to)
}

// endRestore forgets what a move from segments needed.
func (t *Txn) endRestore() {
	if t.restore != nil {
		t.restore.end()
		t.restore = nil
	}
}

// Attach makes a table whose rows lie in segments already, as read from the bucket
// of another server. Its btree indexes are to be built after it (BuildIndex).
func (t *Txn) Attach(ctx context.Context, table *catalog.Table) error {
	if table.Cold == nil {
		return fmt.Errorf("table %s is attached without segments", table.Name)
	}
	n := uint64(0)
	for i := range table.Cold.Segments {
		n += table.Cold.Segments[i].Rows
	}
	t.top().count(table.ID, int64(n))
	return t.Change(ctx, catalog.Put(table))
}

// raiseIDs sees to it that new rows of cold tables get ids that no segment has.
func (s *Store) raiseIDs(b *pebble.Batch, changes []catalog.Change) error {
	for _, c := range changes {
		table, ok := c.Object.(*catalog.Table)
		if !ok || table.Cold == nil {
			continue
		}
		if err := s.raiseID(b, table.ID, table.Cold.MaxRowID()+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) raiseID(b *pebble.Batch, table types.OID, next types.RowID) error {
	t := s.table(table)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nextID >= next {
		return nil
	}
	if next > t.reserved {
		t.reserved = next
		if err := b.Set(oidKey(keyWatermark, table), number(uint64(next)), nil); err != nil {
			return err
		}
	}
	t.nextID = next
	return nil
}

// lockSwitches keeps readers of the committed state out while a commit changes
// where rows lie; the returned function lets them in again, once.
func (s *Store) lockSwitches(l *layer) func() {
	if len(l.switched) == 0 {
		return func() {}
	}
	ids := slices.Clone(l.switched)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, id := range ids {
		s.table(id).switching.Lock()
	}
	return func() {
		for _, id := range ids {
			s.table(id).switching.Unlock()
		}
		ids = nil
	}
}
