package rowstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// rowReader reads rows of one table by id: from layers, then from a reader of Pebble.
type rowReader struct {
	reader pebble.Reader
	newest pebble.Reader // the committed state
	cold   Cold          // the segments, where there are any
	layers []*layer
	table  *catalog.Table
	want   []bool // by column
	// key and vectorKey are scratch.
	key, vectorKey []byte
}

// lookup finds a key's value; done frees it.
func lookup(r pebble.Reader, layers []*layer, key []byte) (value []byte, done io.Closer, err error) {
	if v, found, err := find(layers, key); found || err != nil {
		return v, nil, err
	}
	b, closer, err := r.Get(key)
	if err == pebble.ErrNotFound { //nolint:errorlint // Get returns it as it is, and this is every look-up of a new key
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, readError(err)
	}
	return b, closer, nil
}

func closeValue(c io.Closer) error {
	if c == nil {
		return nil
	}
	return c.Close()
}

// get fills dst with a row, wherever it lies; false when there is none.
func (r *rowReader) get(ctx context.Context, id types.RowID, dst types.Row) (bool, error) {
	found, elsewhere, err := r.local(id, dst)
	if elsewhere {
		return r.fromSegment(ctx, id, dst)
	}
	return found, err
}

// local fills dst with a local row. elsewhere says that there is none, but a
// segment may have the row.
func (r *rowReader) local(id types.RowID, dst types.Row) (found, elsewhere bool, err error) {
	r.key = rowKey(r.key[:0], r.table.ID, id)
	b, done, err := lookup(r.reader, r.layers, r.key)
	if err != nil {
		return false, false, err
	}
	if b == nil {
		return false, r.table.Cold != nil && r.segments(id), nil
	}
	if isTombstone(b) {
		return false, false, closeValue(done)
	}
	if dst != nil {
		err = r.fill(b, id, done == nil, dst)
	}
	return err == nil, false, errors.Join(err, closeValue(done))
}

// fill decodes a row and reads its vectors. own says that the row lies in a layer:
// then its vectors may have been written ahead since the snapshot.
func (r *rowReader) fill(b []byte, id types.RowID, own bool, dst types.Row) error {
	vectors, err := decodeRow(b, r.table, r.want, dst)
	if err != nil || !vectors {
		return err
	}
	from := r.reader
	if own {
		from = r.newest
	}
	for i := range r.table.Columns {
		if dst[i] != pendingVector {
			continue
		}
		if dst[i], err = r.vector(from, i, id); err != nil {
			return err
		}
	}
	return nil
}

// vector reads a vector column of a row.
func (r *rowReader) vector(from pebble.Reader, i int, id types.RowID) (types.Datum, error) {
	c := &r.table.Columns[i]
	r.vectorKey = vectorKey(r.vectorKey[:0], r.table.ID, c.Num, id)
	b, done, err := lookup(from, r.layers, r.vectorKey)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, damaged("a vector of table " + r.table.Name)
	}
	d, err := decodeVector(c, b)
	return d, errors.Join(err, closeValue(done))
}

// Get fills dst with a row's columns; false when the row is not visible.
func (t *Txn) Get(ctx context.Context, table *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error) {
	r := &t.reader
	if r.table != table || !slices.Equal(t.readerColumns, columns) {
		*r = rowReader{table: table, want: wanted(table, columns), newest: t.store.db, cold: t.store.opts.Cold, key: r.key, vectorKey: r.vectorKey}
		t.readerColumns = append(t.readerColumns[:0], columns...)
	}
	if err := t.readable(table.ID); err != nil {
		return false, err
	}
	r.reader, r.layers = t.view(), t.visible()
	if len(columns) == 0 {
		return r.get(ctx, id, nil)
	}
	return r.get(ctx, id, dst)
}

// rowScan reads a table's local rows in row id order. Vectors are read by cursors of their
// own that keep step.
type rowScan struct {
	reader  rowReader
	rows    *cursor
	vectors []*cursor // by column, nil where not wanted
	// seen gathers the ids of rows and tombstones where segments are read after them.
	seen *roaring64.Bitmap
}

// Scan reads all rows.
func (t *Txn) Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	return t.scan(ctx, t.visible(), spec.Table, spec.Columns)
}

func (t *Txn) newRowScan(layers []*layer, table *catalog.Table, columns []int16) (*rowScan, error) {
	if err := t.readable(table.ID); err != nil {
		return nil, err
	}
	sc := &rowScan{vectors: make([]*cursor, len(table.Columns))}
	sc.reader = rowReader{reader: t.view(), newest: t.store.db, layers: layers, table: table, want: wanted(table, columns)}
	low := oidKey(keyRow, table.ID)
	var err error
	if sc.rows, err = newCursor(sc.reader.reader, layers, low, prefixEnd(low), false); err != nil {
		return nil, err
	}
	for i := range table.Columns {
		c := &table.Columns[i]
		if !sc.reader.want[i] || c.Dropped || !isVector(c.Type) {
			continue
		}
		low := vectorPrefix(nil, table.ID, c.Num)
		if sc.vectors[i], err = newCursor(sc.reader.reader, layers, low, prefixEnd(low), false); err != nil {
			return nil, errors.Join(err, sc.Close())
		}
	}
	return sc, nil
}

// Next fills dst with the next row.
func (sc *rowScan) Next(dst types.Row) (types.RowID, bool, error) {
	table := sc.reader.table
	id, ok, err := sc.nextID()
	if err != nil || !ok {
		return 0, false, err
	}
	vectors, err := decodeRow(sc.rows.value, table, sc.reader.want, dst)
	if err != nil {
		return 0, false, fmt.Errorf("row %d of table %s: %w", id, table.Name, err)
	}
	for i := 0; vectors && i < len(dst); i++ {
		if dst[i] != pendingVector {
			continue
		}
		if dst[i], err = sc.vector(i, id); err != nil {
			return 0, false, err
		}
	}
	return id, true, nil
}

// nextID steps to the next row, over tombstones.
func (sc *rowScan) nextID() (types.RowID, bool, error) {
	for sc.rows.next() {
		_, id, err := parseRowKey(sc.rows.key)
		if err != nil {
			return 0, false, err
		}
		if sc.seen != nil {
			sc.seen.Add(uint64(id))
		}
		if !isTombstone(sc.rows.value) {
			return id, true, nil
		}
	}
	return 0, false, sc.rows.err()
}

// vector advances a vector cursor to a row. Vectors of rows that do not exist
// (written ahead of a commit) are passed over; one that the snapshot lacks was
// written ahead by this transaction since.
func (sc *rowScan) vector(i int, id types.RowID) (types.Datum, error) {
	c := sc.vectors[i]
	for c.more && (len(c.key) == 0 || idOf(c.key) < id) {
		if !c.next() {
			if err := c.err(); err != nil {
				return nil, err
			}
		}
	}
	if !c.more || idOf(c.key) != id {
		return sc.reader.vector(sc.reader.newest, i, id)
	}
	return decodeVector(&sc.reader.table.Columns[i], c.value)
}

// Close frees the cursors.
func (sc *rowScan) Close() error {
	err := sc.rows.close()
	for _, c := range sc.vectors {
		if c != nil {
			err = errors.Join(err, c.close())
		}
	}
	return err
}

// indexScan reads rows through an index, range after range.
type indexScan struct {
	txn    *Txn
	spec   storage.IndexScanSpec
	ranges []span
	cursor *cursor
	reader rowReader
	view   pebble.Reader
	layers []*layer
	ctx    context.Context //nolint:containedctx // an iterator's steps have none

	// What follows is for cold tables: rows that were read ahead, from at on.
	ahead []types.RowID
	rows  []types.Row
	at    int
	size  int // of the last batch
}

// span is a range of keys.
type span struct{ low, high []byte }

// ScanIndex reads rows in an index's order.
func (t *Txn) ScanIndex(ctx context.Context, spec storage.IndexScanSpec) (storage.RowIter, error) {
	for _, id := range []types.OID{spec.Table.ID, spec.Index.ID} {
		if err := t.readable(id); err != nil {
			return nil, err
		}
	}
	x := &indexScan{txn: t, spec: spec, view: t.view(), layers: t.visible(), ctx: ctx}
	x.reader = rowReader{reader: x.view, newest: t.store.db, cold: t.store.opts.Cold, layers: x.layers, table: spec.Table, want: wanted(spec.Table, spec.Columns)}
	for _, r := range spec.Ranges {
		if sp := rangeSpan(spec.Index, r); sp.low != nil {
			x.ranges = append(x.ranges, sp)
		}
	}
	return x, nil
}

// rangeSpan turns a range of values into one of keys.
func rangeSpan(index *catalog.Index, r storage.KeyRange) span {
	prefix := oidKey(keyIndex, index.ID)
	for i, d := range r.Eq {
		k := &index.Keys[i]
		prefix = types.AppendKey(prefix, k.Type, d, k.Desc, k.NullsFirst)
	}
	if r.Low == nil && r.High == nil && !r.NotNull || len(r.Eq) >= len(index.Keys) {
		return span{prefix, prefixEnd(prefix)}
	}
	k := &index.Keys[len(r.Eq)]
	// Values, NULLs left out, lie between these two.
	const valueMarker = 0x02
	sp := span{append(append([]byte(nil), prefix...), valueMarker), append(append([]byte(nil), prefix...), valueMarker+1)}
	low, high := r.Low, r.High
	if k.Desc {
		low, high = high, low
	}
	if low != nil {
		key := types.AppendKey(append([]byte(nil), prefix...), k.Type, low.Value, k.Desc, k.NullsFirst)
		if low.Open {
			key = prefixEnd(key)
		}
		sp.low = key
	}
	if high != nil {
		key := types.AppendKey(append([]byte(nil), prefix...), k.Type, high.Value, k.Desc, k.NullsFirst)
		if !high.Open {
			key = prefixEnd(key)
		}
		sp.high = key
	}
	if string(sp.low) >= string(sp.high) {
		return span{}
	}
	return sp
}

// Next fills dst with the next row.
func (x *indexScan) Next(dst types.Row) (types.RowID, bool, error) {
	if x.spec.Table.Cold != nil && !x.spec.IDsOnly {
		return x.nextCold(dst)
	}
	id, ok, err := x.nextID()
	if err != nil || !ok || x.spec.IDsOnly {
		return id, ok, err
	}
	if ok, err = x.reader.get(x.ctx, id, dst); err != nil {
		return 0, false, err
	}
	if !ok {
		return 0, false, damaged("index " + x.spec.Index.Name)
	}
	return id, true, nil
}

// nextID reads the next entry.
func (x *indexScan) nextID() (types.RowID, bool, error) {
	for {
		if x.cursor == nil {
			if len(x.ranges) == 0 {
				return 0, false, nil
			}
			sp := x.ranges[0]
			x.ranges = x.ranges[1:]
			c, err := newCursor(x.view, x.layers, sp.low, sp.high, x.spec.Reverse)
			if err != nil {
				return 0, false, err
			}
			x.cursor = c
		}
		if !x.cursor.next() {
			err := errors.Join(x.cursor.err(), x.cursor.close())
			x.cursor = nil
			if err != nil {
				return 0, false, err
			}
			continue
		}
		id, err := entryID(x.cursor.key, x.cursor.value)
		return id, err == nil, err
	}
}

// entryID reads the row id of an index entry: its value, or the end of its key.
func entryID(key, value []byte) (types.RowID, error) {
	switch {
	case len(value) == 8:
		return types.RowID(binary.BigEndian.Uint64(value)), nil
	case len(value) != 0 || len(key) < prefixLen+8:
		return 0, damaged("an index entry")
	}
	return idOf(key), nil
}

// Close frees the cursor.
func (x *indexScan) Close() error {
	if x.cursor == nil {
		return nil
	}
	c := x.cursor
	x.cursor, x.ranges = nil, nil
	return c.close()
}
