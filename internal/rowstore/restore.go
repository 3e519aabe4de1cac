package rowstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Rows of segments come back as copies: local rows that say the same as the
// segment's, under its id, with the version 0, which no other row has. So they may
// come and go while statements run, in files that pass neither log nor memtable,
// and the switch has nothing left to write but the descriptor. A copy never lies over a
// newer local row or a tombstone (Store.overlays), and whoever changes a row takes
// its copy for the segment's row. In a table without segments it is a row as any other.

// isCopy says whether a row's value may be a copy of a segment's row.
func isCopy(b []byte) bool { return len(b) > 1 && b[0] == 0 }

// restore is the rows that come back in a transaction (LoadRows).
type restore struct {
	store *Store
	table *catalog.Table
	watch *Watch
	// held are rows that have a local form or a tombstone and are passed over, live
	// those of them that are rows, tombs those that are not; as of the beginning, and
	// then those that came.
	held, live, tombs *roaring64.Bitmap

	items []restored
	bytes []byte
}

// restored is a key of the files to come and its value in restore.bytes.
type restored struct {
	id         types.RowID
	attnum     int16 // of a vector, 0 for the row
	start, end int
}

func (t *Txn) newRestore(ctx context.Context, table *catalog.Table) (*restore, error) {
	t.store.restores(table.ID, 1)
	r := &restore{store: t.store, table: table, watch: t.store.Watch(table.ID)}
	r.live, r.tombs = roaring64.New(), roaring64.New()
	err := localKinds(ctx, t.store.db, table.ID, func(id types.RowID, kind localKind) error {
		if kind == kindTombstone {
			r.tombs.Add(uint64(id))
		} else {
			r.live.Add(uint64(id))
		}
		return nil
	})
	if err != nil {
		r.end()
		return nil, err
	}
	r.held = roaring64.Or(r.live, r.tombs)
	return r, nil
}

func (r *restore) end() {
	r.watch.Stop()
	r.store.restores(r.table.ID, -1)
}

// restores counts those who bring a table's rows back.
func (s *Store) restores(table types.OID, by int) {
	t := s.table(table)
	t.ahead.Lock()
	defer t.ahead.Unlock()
	t.restoring += by
}

// add takes a row.
func (r *restore) add(id types.RowID, row types.Row) (err error) {
	if r.held.Contains(uint64(id)) {
		return nil
	}
	r.held.Add(uint64(id))
	start := len(r.bytes)
	if r.bytes, err = appendRow(r.bytes, r.table, 0, row); err != nil {
		return err
	}
	r.items = append(r.items, restored{id, 0, start, len(r.bytes)})
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		if c.Dropped || !isVector(c.Type) || row[i] == nil {
			continue
		}
		start := len(r.bytes)
		r.bytes = appendVector(r.bytes, row[i])
		r.items = append(r.items, restored{id, c.Num, start, len(r.bytes)})
	}
	if len(r.bytes)+len(r.items)*restoredMemory < r.store.restoreChunk {
		return nil
	}
	return r.flush()
}

// restoredMemory is about what an item takes.
const restoredMemory = 32

// flush writes what was gathered into files and hands them over in one step, but
// for rows that got a local form since. Files that were written in vain are
// written again, which is rare: it takes an update of one of the rows meanwhile.
func (r *restore) flush() error {
	slices.SortFunc(r.items, func(a, b restored) int {
		return cmp.Or(cmp.Compare(a.attnum, b.attnum), cmp.Compare(a.id, b.id))
	})
	for len(r.items) > 0 {
		done, err := r.tryFlush()
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	r.items, r.bytes = r.items[:0], r.bytes[:0]
	return nil
}

func (r *restore) tryFlush() (done bool, err error) {
	w := &tableWriter{store: r.store}
	if err = w.finish(r.write(w)); err != nil {
		return false, err
	}
	ahead := &r.store.table(r.table.ID).ahead
	ahead.Lock()
	defer ahead.Unlock()
	if r.watch.Broken() {
		w.discard()
		return false, r.errBroken()
	}
	n := len(r.items)
	if err = r.leaveOut(); err != nil || len(r.items) < n {
		w.discard()
		return false, err
	}
	if err = w.takeOver(nil); err != nil {
		return false, err
	}
	for _, x := range r.items {
		if x.attnum == 0 {
			r.live.Add(uint64(x.id))
		}
	}
	return true, nil
}

func (r *restore) write(w *tableWriter) error {
	var key []byte
	for _, x := range r.items {
		if x.attnum == 0 {
			key = rowKey(key[:0], r.table.ID, x.id)
		} else {
			key = vectorKey(key[:0], r.table.ID, x.attnum, x.id)
		}
		if err := w.point(pebble.InternalKeyKindSet, key, r.bytes[x.start:x.end]); err != nil {
			return err
		}
	}
	return nil
}

func (r *restore) errBroken() error {
	return fmt.Errorf("table %s was emptied, moved or dropped while its rows came back", r.table.Name)
}

// leaveOut drops the items of rows that have a local form by now. No commit that
// gives one runs.
func (r *restore) leaveOut() error {
	gone := map[types.RowID]bool{}
	for _, id := range r.watch.Changed() {
		if !mayHold(r.table, id) {
			continue // a new row
		}
		kind, there, err := r.kind(id)
		if err != nil {
			return err
		}
		if there && kind != kindCopy {
			gone[id] = true
		}
	}
	r.items = slices.DeleteFunc(r.items, func(x restored) bool { return gone[x.id] })
	return nil
}

// finish hands over what is left and brings live and tombs up to what commits did
// meanwhile. The table is locked.
func (r *restore) finish() error {
	if err := r.flush(); err != nil {
		return err
	}
	if r.watch.Broken() {
		return r.errBroken()
	}
	for _, id := range r.watch.Changed() {
		kind, there, err := r.kind(id)
		if err != nil {
			return err
		}
		r.live.Remove(uint64(id))
		r.tombs.Remove(uint64(id))
		switch {
		case there && kind == kindTombstone:
			r.tombs.Add(uint64(id))
		case there:
			r.live.Add(uint64(id))
		}
	}
	if have, want := r.live.GetCardinality(), r.store.table(r.table.ID).rows.Load(); int64(have) < want {
		return fmt.Errorf("table %s has %d rows, of which %d came back", r.table.Name, want, have)
	}
	return nil
}

// kind looks a row key up.
func (r *restore) kind(id types.RowID) (kind localKind, there bool, err error) {
	b, done, err := lookup(r.store.db, nil, rowKey(nil, r.table.ID, id))
	if err != nil || b == nil {
		return 0, false, err
	}
	kind = kindOf(b)
	return kind, true, closeValue(done)
}

// copyBatch is how many copies are dropped at a time.
const copyBatch = 4096

// DropCopies removes what a move from segments that is not to be ended has brought
// back. Statements may run meanwhile. Should it not be called, the copies take
// space but change no answer, and the next move finds them.
func (s *Store) DropCopies(ctx context.Context, table *catalog.Table) error {
	for from, more := types.RowID(0), true; more; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		if from, more, err = s.dropCopies(table, from); err != nil {
			return err
		}
	}
	return nil
}

// dropCopies drops copies of rows from an id on, some at a time.
func (s *Store) dropCopies(table *catalog.Table, from types.RowID) (next types.RowID, more bool, err error) {
	state := s.table(table.ID)
	state.ahead.Lock()
	defer state.ahead.Unlock()
	if state.restoring > 0 {
		return 0, false, fmt.Errorf("the rows of table %s come back just now", table.Name)
	}
	now := s.Catalog().Table(table.ID)
	if now == nil || !hasSegments(now) {
		return 0, false, nil // they are rows by now
	}
	b := s.db.NewBatch()
	defer s.release(b)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: rowKey(nil, table.ID, from), UpperBound: prefixEnd(oidKey(keyRow, table.ID))})
	if err != nil {
		return 0, false, readError(err)
	}
	n := 0
	for more = it.First(); more && n < copyBatch; more = it.Next() {
		n++
		id := idOf(it.Key())
		next = id + 1
		if isCopy(it.Value()) && mayHold(now, id) {
			err = dropCopy(b, now, id, it.Key())
		}
		if err != nil {
			break
		}
	}
	if err = cmp.Or(err, it.Error(), it.Close()); err != nil || b.Empty() {
		return next, more, readError(err)
	}
	return next, more, s.applyFreeing(b, pebble.NoSync)
}

func dropCopy(b *pebble.Batch, table *catalog.Table, id types.RowID, key []byte) error {
	err := b.Delete(bytes.Clone(key), nil)
	for i := range table.Columns {
		if c := &table.Columns[i]; err == nil && isVector(c.Type) {
			err = b.Delete(vectorKey(nil, table.ID, c.Num, id), nil)
		}
	}
	return err
}

// overlay notes that rows of a table's segments get a local form or a tombstone.
func (l *layer) overlay(table types.OID) {
	if !slices.Contains(l.overlaid, table) {
		l.overlaid = append(l.overlaid, table)
	}
}

// overlays keeps copies from coming and going while a commit gives rows of segments
// a local form, and until the watches know of it; the returned function lets go.
func (s *Store) overlays(l *layer) func() {
	for _, id := range l.overlaid {
		s.table(id).ahead.RLock()
	}
	return func() {
		for _, id := range l.overlaid {
			s.table(id).ahead.RUnlock()
		}
	}
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
