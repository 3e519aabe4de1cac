package rowstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// InsertRows writes a batch of a COPY. Vectors, which are nearly all of the
// bytes, are written ahead under the batch's row ids, where nothing finds them
// before the rows commit; rows and index entries wait in the layer, which spills
// what is too much for memory.
func (t *Txn) InsertRows(ctx context.Context, table *catalog.Table, rows []types.Row) error {
	if len(rows) == 0 {
		return nil
	}
	entries, err := t.bulkEntries(ctx, table, rows)
	if err != nil {
		return err
	}
	first, err := t.store.takeIDs(table.ID, len(rows))
	if err != nil {
		return err
	}
	if err := t.writeAhead(table, first, rows); err != nil {
		return err
	}
	l := t.top()
	var size int
	for i, row := range rows {
		id := first + types.RowID(i)
		b, err := appendRow(nil, table, 1, row)
		if err != nil {
			return err
		}
		size += len(b)
		l.put(rowKey(nil, table.ID, id), b)
		l.written.add(table.ID, id)
		if err := t.store.observer().Written(table, id, row); err != nil {
			return err
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.unique {
			if v, found, err := find(t.layers, e.key); err != nil {
				return err
			} else if found && v != nil {
				return t.errDuplicate(table, &e.indexEntry)
			}
		}
		l.put(e.stored(first + types.RowID(e.row)))
	}
	l.count(table.ID, int64(len(rows)))
	t.store.table(table.ID).rowBytes.Store(int64(size / len(rows)))
	return t.bound()
}

// bulkEntry is an index entry of row number row of a batch.
type bulkEntry struct {
	indexEntry
	row int
}

// bulkEntries computes the index entries of a batch and checks unique keys
// against the committed state: all are locked first, then looked up in order.
func (t *Txn) bulkEntries(ctx context.Context, table *catalog.Table, rows []types.Row) ([]bulkEntry, error) {
	var all []bulkEntry
	for _, x := range t.Catalog().Indexes(table.ID) {
		if !x.Ordered() {
			continue
		}
		start := len(all)
		for i, row := range rows {
			e, ok, err := t.store.entryOf(table, x, row)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			if e.unique {
				if err := t.lockKey(ctx, &e, storage.WaitPolicy{}); err != nil {
					return nil, err
				}
			}
			all = append(all, bulkEntry{e, i})
		}
		if x.Unique {
			if err := t.checkUnique(table, all[start:]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// checkUnique looks locked keys of one index up in the committed state.
func (t *Txn) checkUnique(table *catalog.Table, entries []bulkEntry) error {
	sorted := make([]*bulkEntry, 0, len(entries))
	for i := range entries {
		if entries[i].unique {
			sorted = append(sorted, &entries[i])
		}
	}
	if len(sorted) == 0 {
		return nil
	}
	slices.SortFunc(sorted, func(a, b *bulkEntry) int { return bytes.Compare(a.key, b.key) })
	for i := 1; i < len(sorted); i++ {
		if bytes.Equal(sorted[i-1].key, sorted[i].key) {
			return t.errDuplicate(table, &sorted[i].indexEntry)
		}
	}
	it, err := t.store.db.NewIter(&pebble.IterOptions{LowerBound: sorted[0].key, UpperBound: prefixEnd(sorted[len(sorted)-1].key)})
	if err != nil {
		return err
	}
	valid := it.First()
	for _, e := range sorted {
		if !valid {
			break
		}
		if c := bytes.Compare(it.Key(), e.key); c < 0 {
			valid = it.SeekGE(e.key)
		}
		if !valid || !bytes.Equal(it.Key(), e.key) {
			continue
		}
		v, found, err := find(t.layers, e.key)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !found || v != nil {
			return errors.Join(t.errDuplicate(table, &e.indexEntry), it.Close())
		}
	}
	return readError(errors.Join(it.Error(), it.Close()))
}

// writeAhead writes the vectors of a batch under an intent.
func (t *Txn) writeAhead(table *catalog.Table, first types.RowID, rows []types.Row) error {
	var columns []int16
	for i := range table.Columns {
		if c := &table.Columns[i]; !c.Dropped && isVector(c.Type) {
			columns = append(columns, c.Num)
		}
	}
	if len(columns) == 0 {
		return nil
	}
	s := t.store
	in := t.intend(table.ID, first, first+types.RowID(len(rows))-1, columns)
	if t.ahead > loadAfter {
		return t.loadFile(table, in, first, rows)
	}
	b := s.db.NewBatch()
	defer s.release(b)
	if err := b.Set(intentKey(in.table, in.first), binary.BigEndian.AppendUint64(nil, uint64(in.last)), nil); err != nil {
		return err
	}
	var key, value []byte
	for _, n := range columns {
		for i, row := range rows {
			if row[n-1] == nil {
				continue
			}
			key = vectorKey(key[:0], table.ID, n, first+types.RowID(i))
			value = appendVector(value[:0], row[n-1])
			if err := b.Set(key, value, nil); err != nil {
				return err
			}
		}
	}
	t.ahead += b.Len()
	return s.apply(b, pebble.NoSync)
}

// intend notes the range in the layer, so that its end, good or bad, finds it;
// ranges that follow each other become one.
func (t *Txn) intend(table types.OID, first, last types.RowID, columns []int16) intent {
	l := t.top()
	if n := len(l.intents); n > 0 && l.intents[n-1].table == table && l.intents[n-1].last+1 == first {
		l.intents[n-1].last = last
		return l.intents[n-1]
	}
	in := intent{table: table, first: first, last: last, vectors: columns}
	l.intents = append(l.intents, in)
	return in
}

// dropIntent removes vectors that were written ahead of a commit that did not
// come. What fails here is swept at the next start.
func (s *Store) dropIntent(in intent) {
	b := s.db.NewBatch()
	defer s.release(b)
	err := s.dropAhead(b, in)
	if err != nil {
		s.opts.Logger.Warn("rows written ahead are not removed before the next start", "error", err)
	}
}

func (s *Store) dropAhead(b *pebble.Batch, in intent) error {
	if err := clearIntent(b, in); err != nil {
		return err
	}
	return s.applyFreeing(b, pebble.NoSync)
}

func clearIntent(b *pebble.Batch, in intent) error {
	for _, n := range in.vectors {
		if err := b.DeleteRange(vectorKey(nil, in.table, n, in.first), vectorKey(nil, in.table, n, in.last+1), nil); err != nil {
			return err
		}
	}
	return b.Delete(intentKey(in.table, in.first), nil)
}

// sweep removes what a crash left behind: vectors of loads that did not commit,
// and what belongs to tables, indexes and sequences that the catalog does not
// have. What belongs to objects whose descriptors are damaged stays.
func (s *Store) sweep(ctx context.Context) error {
	b := s.db.NewBatch()
	defer s.release(b)
	keep := map[types.OID]bool{}
	for _, d := range s.damaged {
		if d.id == 0 {
			return nil // nobody knows whose it is
		}
		keep[d.id] = true
	}
	if err := s.sweepIntents(b, keep); err != nil {
		return err
	}
	if err := s.sweepSpills(b); err != nil {
		return err
	}
	cat := s.Catalog()
	err := eachPrefix(ctx, s.db, func(prefix []byte) error {
		id := types.OID(binary.BigEndian.Uint32(prefix[1:]))
		if o := cat.Object(id); keep[id] || o != nil && bytes.IndexByte(belongings(o.ObjectKind()), prefix[0]) >= 0 {
			return nil
		}
		return b.DeleteRange(prefix, prefixEnd(prefix), nil)
	})
	if err != nil || b.Empty() {
		return err
	}
	return s.applyFreeing(b, pebble.Sync)
}

// sweepSpills removes what transactions had spilled.
func (s *Store) sweepSpills(b *pebble.Batch) error {
	low, high := []byte{keySpill}, []byte{keySpill + 1}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: high})
	if err != nil {
		return readError(err)
	}
	if it.First() {
		err = b.DeleteRange(low, high, nil)
	}
	return readError(errors.Join(err, it.Error(), it.Close()))
}

func (s *Store) sweepIntents(b *pebble.Batch, keep map[types.OID]bool) error {
	cat := s.Catalog()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyIntent}, UpperBound: []byte{keyIntent + 1}})
	if err != nil {
		return readError(err)
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var in intent
		if in, err = parseIntent(it.Key(), it.Value()); err != nil || keep[in.table] {
			continue
		}
		if t := cat.Table(in.table); t != nil {
			for i := range t.Columns {
				in.vectors = append(in.vectors, t.Columns[i].Num)
			}
		}
		err = clearIntent(b, in)
	}
	return readError(errors.Join(err, it.Error(), it.Close()))
}

// eachPrefix calls fn for the first bytes, kind and object, of all keys that
// belong to an object.
func eachPrefix(ctx context.Context, r pebble.Reader, fn func(prefix []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{keySequence}, UpperBound: []byte{keyIndex + 1}})
	if err != nil {
		return readError(err)
	}
	for ok := it.First(); ok; {
		if len(it.Key()) < prefixLen {
			ok = it.Next() // no key of ours; check reports it
			continue
		}
		prefix := append([]byte(nil), it.Key()[:prefixLen]...)
		if err := errors.Join(ctx.Err(), fn(prefix)); err != nil {
			return errors.Join(err, it.Close())
		}
		ok = it.SeekGE(prefixEnd(prefix))
	}
	return readError(errors.Join(it.Error(), it.Close()))
}
