package rowstore

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Change applies schema changes to this transaction's view.
func (t *Txn) Change(_ context.Context, changes ...catalog.Change) error {
	l := t.top()
	l.changes = append(l.changes, changes...)
	t.schema.own = nil
	return nil
}

// droppedBy are the objects that changes drop for good.
func droppedBy(changes []catalog.Change) map[types.OID]catalog.Kind {
	dropped := map[types.OID]catalog.Kind{}
	for _, c := range changes {
		if c.Object == nil {
			dropped[c.ID] = c.Kind
		} else {
			delete(dropped, c.ID)
		}
	}
	return dropped
}

// dropFreed adds the removal of what belongs to dropped objects to a batch.
func dropFreed(b *pebble.Batch, changes []catalog.Change) error {
	for id, kind := range droppedBy(changes) {
		for _, prefix := range belongings(kind) {
			key := oidKey(prefix, id)
			if err := b.DeleteRange(key, prefixEnd(key), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// belongings are the prefixes of the keys that belong to an object.
func belongings(kind catalog.Kind) []byte {
	switch kind {
	case catalog.KindTable:
		return []byte{keyWatermark, keyIntent, keyCount, keyTier, keyChanges, keyRow, keyVector}
	case catalog.KindIndex:
		return []byte{keyIndex}
	case catalog.KindSequence:
		return []byte{keySequence}
	default:
		return nil
	}
}

// forgetDropped forgets the state in memory of dropped objects. It comes after
// the commit: a drop that fails must not make a table give its row ids again.
func (s *Store) forgetDropped(changes []catalog.Change) {
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	for id, kind := range droppedBy(changes) {
		switch kind {
		case catalog.KindTable:
			delete(s.tables, id)
		case catalog.KindSequence:
			delete(s.sequences, id)
		}
	}
}

// buildChunk is how many bytes of entries are sorted and written at once.
const buildChunk = 64 << 20

// BuildIndex fills a btree index from the rows that the statement sees. The
// entries are written ahead: nothing reads them until the catalog has the index.
func (t *Txn) BuildIndex(ctx context.Context, table *catalog.Table, x *catalog.Index) error {
	if !x.Ordered() {
		return t.makeValid(ctx, x)
	}
	var all []int16
	for _, c := range table.Live() {
		all = append(all, c.Num)
	}
	columns := all
	if plain := plainColumns(x); plain != nil {
		columns = plain
	}
	it, err := t.scan(ctx, t.layers, table, columns)
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
	return t.makeValid(ctx, x)
}

func (t *Txn) makeValid(ctx context.Context, x *catalog.Index) error {
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

func (b *indexBuilder) read(ctx context.Context, it storage.RowIter) error {
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
			return b.flush(ctx)
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
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// flush sorts the chunk, finds duplicates and writes it.
func (b *indexBuilder) flush(ctx context.Context) error {
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
			return b.duplicate(ctx, e)
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
			err = s.apply(batch, pebble.NoSync)
		}
		s.release(batch)
		if err != nil {
			return err
		}
	}
	b.chunk, b.bytes = nil, 0
	return nil
}

// duplicate words the error of a unique index over rows that are not.
func (b *indexBuilder) duplicate(ctx context.Context, e entry) error {
	t := b.txn
	row := make(types.Row, len(b.table.Columns))
	r := &rowReader{reader: t.view(), newest: t.store.db, cold: t.store.opts.Cold, layers: t.layers, table: b.table, want: everything(b.table)}
	id, err := entryID(e.key, e.value)
	if err != nil {
		return err
	}
	if ok, err := r.get(ctx, id, row); err != nil || !ok {
		return errors.Join(damaged("a row"), err)
	}
	x, _, err := t.store.entryOf(b.table, b.index, row)
	if err != nil {
		return err
	}
	return b.txn.errNotUnique(b.table, &x)
}

// emptyTable hides a table's rows, vectors and index entries below the top layer.
func (t *Txn) emptyTable(table *catalog.Table) error {
	state := t.store.table(table.ID)
	state.mu.Lock()
	next := state.nextID
	state.mu.Unlock()
	if err := t.emptyRows(table); err != nil {
		return err
	}
	l := t.top()
	for i := range table.Columns {
		if c := &table.Columns[i]; isVector(c.Type) {
			if err := l.empty(vectorPrefix(nil, table.ID, c.Num), next); err != nil {
				return err
			}
		}
	}
	return nil
}

// emptyRows hides a table's rows and index entries, but not its vectors.
func (t *Txn) emptyRows(table *catalog.Table) error {
	l := t.top()
	if err := l.empty(oidKey(keyRow, table.ID), 0); err != nil {
		return err
	}
	for _, x := range t.Catalog().Indexes(table.ID) {
		if !x.Ordered() {
			continue
		}
		if err := l.empty(oidKey(keyIndex, x.ID), 0); err != nil {
			return err
		}
	}
	l.count(table.ID, 0)
	return nil
}

// Truncate empties a table and its indexes. A cold table has no segments after it.
func (t *Txn) Truncate(ctx context.Context, table *catalog.Table) error {
	if slices.ContainsFunc(t.Catalog().Indexes(table.ID), (*catalog.Index).Vector) {
		if err := t.noteEmptied(ctx, table); err != nil {
			return err
		}
	}
	if err := t.emptyTable(table); err != nil || !hasSegments(table) {
		return err
	}
	bare := table.Clone()
	if now := t.Catalog().Table(table.ID); now != nil {
		bare = now.Clone()
	}
	t.top().overlay(table.ID)
	bare.Cold = &catalog.Cold{Manifest: table.Cold.Manifest}
	return t.Change(ctx, catalog.Put(bare))
}

// noteEmptied notes all local rows of a table as deleted, so that its vector indexes
// hear of it when no snapshot sees the rows any more. The rows of segments go with
// the segments.
func (t *Txn) noteEmptied(ctx context.Context, table *catalog.Table) error {
	it, err := t.newRowScan(t.layers, table, nil)
	if err != nil {
		return err
	}
	row := make(types.Row, len(table.Columns))
	for n := 0; ; n++ {
		id, ok, err := it.Next(row)
		if err == nil && n%4096 == 0 {
			err = context.Cause(ctx)
		}
		if err != nil || !ok {
			return errors.Join(err, it.Close())
		}
		t.top().deleted.add(table.ID, id)
	}
}
