package rowstore

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Change applies schema changes to this transaction's view.
func (t *Txn) Change(_ context.Context, changes ...catalog.Change) error {
	l := t.top()
	l.changes = append(l.changes, changes...)
	t.schema.own = nil
	return nil
}

// dropFreed adds the removal of what belongs to dropped objects to a batch.
func (s *Store) dropFreed(b *pebble.Batch, changes []catalog.Change) error {
	dropped := map[types.OID]catalog.Kind{}
	for _, c := range changes {
		if c.Object == nil {
			dropped[c.ID] = c.Kind
		} else {
			delete(dropped, c.ID)
		}
	}
	for id, kind := range dropped {
		var err error
		switch kind {
		case catalog.KindTable:
			for _, k := range []byte{keyRow, keyVector} {
				err = errors.Join(err, b.DeleteRange(oidKey(k, id), prefixEnd(oidKey(k, id)), nil))
			}
			err = errors.Join(err, b.Delete(oidKey(keyCount, id), nil), b.Delete(oidKey(keyWatermark, id), nil))
			s.tablesMu.Lock()
			delete(s.tables, id)
			s.tablesMu.Unlock()
		case catalog.KindIndex:
			err = b.DeleteRange(oidKey(keyIndex, id), prefixEnd(oidKey(keyIndex, id)), nil)
		case catalog.KindSequence:
			err = b.Delete(oidKey(keySequence, id), nil)
			s.tablesMu.Lock()
			delete(s.sequences, id)
			s.tablesMu.Unlock()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// buildChunk is how many bytes of entries are sorted and written at once.
const buildChunk = 64 << 20

// BuildIndex fills a btree index from the rows that the statement sees. The
// entries are written ahead: nothing reads them until the catalog has the index.
func (t *Txn) BuildIndex(ctx context.Context, table *catalog.Table, x *catalog.Index) error {
	var all []int16
	for _, c := range table.Live() {
		all = append(all, c.Num)
	}
	columns := all
	if plain := plainColumns(x); plain != nil {
		columns = plain
	}
	it, err := newRowScan(t.view(), t.layers, table, columns)
	if err != nil {
		return err
	}
	l := t.top()
	l.scratch = append(l.scratch, oidKey(keyIndex, x.ID))
	b := &indexBuilder{txn: t, table: table, index: x}
	err = b.read(ctx, it)
	if err = errors.Join(err, it.Close()); err != nil {
		return err
	}
	valid := x.Clone()
	valid.Valid = true
	return t.Change(ctx, catalog.Put(valid))
}

// plainColumns are the columns of an index without expressions or predicate, else nil.
func plainColumns(x *catalog.Index) []int16 {
	if x.Predicate != "" {
		return nil
	}
	var out []int16
	for _, k := range x.Keys {
		if k.Column == 0 {
			return nil
		}
		out = append(out, k.Column)
	}
	return out
}

// indexBuilder gathers entries and writes them in sorted chunks.
type indexBuilder struct {
	txn    *Txn
	table  *catalog.Table
	index  *catalog.Index
	chunk  []entry
	bytes  int
	chunks int
}

func (b *indexBuilder) read(ctx context.Context, it *rowScan) error {
	row := make(types.Row, len(b.table.Columns))
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		id, ok, err := it.Next(row)
		if err != nil {
			return err
		}
		if !ok {
			return b.flush()
		}
		e, ok, err := b.txn.store.entryOf(b.table, b.index, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		key, value := e.stored(id)
		b.chunk = append(b.chunk, entry{key, value})
		if b.bytes += len(key) + len(value) + 48; b.bytes > buildChunk {
			if err := b.flush(); err != nil {
				return err
			}
		}
	}
}

// flush sorts the chunk, finds duplicates and writes it.
func (b *indexBuilder) flush() error {
	s := b.txn.store
	slices.SortFunc(b.chunk, func(x, y entry) int { return bytes.Compare(x.key, y.key) })
	for i, e := range b.chunk {
		twice := i > 0 && bytes.Equal(b.chunk[i-1].key, e.key)
		if !twice && b.chunks > 0 && len(e.value) > 0 {
			had, err := readUint64(s.db, e.key)
			if err != nil {
				return err
			}
			twice = had != 0
		}
		if twice {
			return b.duplicate(e)
		}
	}
	b.chunks++
	for len(b.chunk) > 0 {
		batch := s.db.NewBatch()
		n := min(len(b.chunk), 10_000)
		var err error
		for _, e := range b.chunk[:n] {
			err = errors.Join(err, batch.Set(e.key, e.value, nil))
		}
		b.chunk = b.chunk[n:]
		if err == nil {
			err = s.space.allow(batch.Len())
		}
		if err == nil {
			err = batch.Commit(pebble.NoSync)
		}
		if err = errors.Join(err, batch.Close()); err != nil {
			return err
		}
	}
	b.chunk, b.bytes = nil, 0
	return nil
}

// duplicate words the error of a unique index over rows that are not.
func (b *indexBuilder) duplicate(e entry) error {
	t := b.txn
	row := make(types.Row, len(b.table.Columns))
	r := &rowReader{reader: t.view(), layers: t.layers, table: b.table}
	if ok, err := r.get(entryID(e.key, e.value), row); err != nil || !ok {
		return errors.Join(damaged("a row"), err)
	}
	x, _, err := t.store.entryOf(b.table, b.index, row)
	if err != nil {
		return err
	}
	return errNotUnique(b.table, &x)
}

// Rewrite replaces every row by what fn makes of it; row ids stay.
func (t *Txn) Rewrite(ctx context.Context, from, to *catalog.Table, fn func(types.Row) (types.Row, error)) error {
	var all []int16
	for _, c := range from.Live() {
		all = append(all, c.Num)
	}
	it, err := newRowScan(t.view(), append([]*layer(nil), t.layers...), from, all)
	if err != nil {
		return err
	}
	// The new rows come into a layer of their own: the scan reads those below.
	t.layers = append(t.layers, newLayer(""))
	t.emptyTable(from)
	err = t.rewrite(ctx, it, from, to, fn)
	top := t.top()
	t.layers = t.layers[:len(t.layers)-1]
	if err = errors.Join(err, it.Close()); err != nil {
		return err
	}
	t.top().merge(top)
	return nil
}

func (t *Txn) rewrite(ctx context.Context, it *rowScan, from, to *catalog.Table, fn func(types.Row) (types.Row, error)) error {
	indexes := t.Catalog().Indexes(to.ID)
	old := make(types.Row, len(from.Columns))
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		id, ok, err := it.Next(old)
		if err != nil || !ok {
			return err
		}
		row, err := fn(old)
		if err != nil {
			return err
		}
		b, err := appendRow(nil, to, uint64(n)+2, row)
		if err != nil {
			return err
		}
		l := t.top()
		l.put(rowKey(nil, to.ID, id), b)
		t.putVectors(to, id, row, nil)
		l.count(to.ID, 1)
		for _, x := range indexes {
			if x.Vector() {
				continue
			}
			e, ok, err := t.store.entryOf(to, x, row)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if e.unique {
				if has, err := t.holder(&e); err != nil || has != 0 {
					return errors.Join(errNotUnique(to, &e), err)
				}
			}
			l.put(e.stored(id))
		}
	}
}

// emptyTable hides a table's rows, vectors and index entries below the top layer.
func (t *Txn) emptyTable(table *catalog.Table) {
	l := t.top()
	l.empty(oidKey(keyRow, table.ID))
	l.empty(oidKey(keyVector, table.ID))
	for _, x := range t.Catalog().Indexes(table.ID) {
		if !x.Vector() {
			l.empty(oidKey(keyIndex, x.ID))
		}
	}
}

// Truncate empties a table and its indexes.
func (t *Txn) Truncate(_ context.Context, table *catalog.Table) error {
	t.emptyTable(table)
	return nil
}
