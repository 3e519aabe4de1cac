package rowstore

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// rowReader reads rows of one table by id: from layers, then from a reader of Pebble.
type rowReader struct {
	reader pebble.Reader
	layers []*layer
	table  *catalog.Table
	want   []bool // nil: all columns
	key    []byte
}

// lookup finds a key's value; done frees it.
func (r *rowReader) lookup(key []byte) (value []byte, done func() error, err error) {
	if v, found := find(r.layers, key); found {
		return v, noClose, nil
	}
	b, closer, err := r.reader.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, noClose, nil
	}
	if err != nil {
		return nil, noClose, err
	}
	return b, closer.Close, nil
}

func noClose() error { return nil }

// get fills dst with a row; false when there is none.
func (r *rowReader) get(id types.RowID, dst types.Row) (bool, error) {
	r.key = rowKey(r.key[:0], r.table.ID, id)
	b, done, err := r.lookup(r.key)
	if err != nil || b == nil {
		return false, err
	}
	if dst == nil {
		return true, done()
	}
	err = decodeRow(b, r.table, r.want, dst, func(i int) error {
		d, err := r.vector(i, id)
		dst[i] = d
		return err
	})
	return err == nil, errors.Join(err, done())
}

// vector reads a vector column of a row.
func (r *rowReader) vector(i int, id types.RowID) (types.Datum, error) {
	c := &r.table.Columns[i]
	b, done, err := r.lookup(vectorKey(nil, r.table.ID, c.Num, id))
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, damaged("a row's vector")
	}
	d, err := decodeVector(c.Type, b)
	return d, errors.Join(err, done())
}

// Get fills dst with a row's columns; false when the row is not visible.
func (t *Txn) Get(_ context.Context, table *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error) {
	r := &t.reader
	if r.table != table || t.readerColumns != columnsID(columns) {
		*r = rowReader{table: table, want: wanted(table, columns)}
		t.readerColumns = columnsID(columns)
	}
	r.reader, r.layers = t.view(), t.visible()
	if len(columns) == 0 {
		return r.get(id, nil)
	}
	return r.get(id, dst)
}

// columnsID tells lists of columns apart by where they lie.
func columnsID(columns []int16) columnList {
	if len(columns) == 0 {
		return columnList{}
	}
	return columnList{&columns[0], len(columns)}
}

type columnList struct {
	first *int16
	n     int
}

// rowScan reads a table in row id order. Vectors are read by cursors of their
// own that keep step.
type rowScan struct {
	table   *catalog.Table
	want    []bool
	rows    *cursor
	vectors []*cursor // by column, nil where not wanted
}

// Scan reads all rows.
func (t *Txn) Scan(_ context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	return newRowScan(t.view(), t.visible(), spec.Table, spec.Columns)
}

func newRowScan(r pebble.Reader, layers []*layer, table *catalog.Table, columns []int16) (*rowScan, error) {
	sc := &rowScan{table: table, want: wanted(table, columns), vectors: make([]*cursor, len(table.Columns))}
	low := oidKey(keyRow, table.ID)
	var err error
	if sc.rows, err = newCursor(r, layers, low, prefixEnd(low), false); err != nil {
		return nil, err
	}
	for i := range table.Columns {
		c := &table.Columns[i]
		if !sc.want[i] || c.Dropped || !isVector(c.Type) {
			continue
		}
		low := vectorPrefix(nil, table.ID, c.Num)
		if sc.vectors[i], err = newCursor(r, layers, low, prefixEnd(low), false); err != nil {
			return nil, errors.Join(err, sc.Close())
		}
	}
	return sc, nil
}

// Next fills dst with the next row.
func (sc *rowScan) Next(dst types.Row) (types.RowID, bool, error) {
	if !sc.rows.next() {
		return 0, false, sc.rows.err()
	}
	id := idOf(sc.rows.key)
	err := decodeRow(sc.rows.value, sc.table, sc.want, dst, func(i int) error {
		d, err := sc.vector(i, id)
		dst[i] = d
		return err
	})
	return id, err == nil, err
}

// vector advances a vector cursor to a row. Vectors of rows that do not exist
// (written ahead of a commit) are passed over.
func (sc *rowScan) vector(i int, id types.RowID) (types.Datum, error) {
	c := sc.vectors[i]
	for len(c.key) == 0 || idOf(c.key) < id {
		if !c.next() {
			if err := c.err(); err != nil {
				return nil, err
			}
			return nil, damaged("a row's vector")
		}
	}
	if idOf(c.key) != id {
		return nil, damaged("a row's vector")
	}
	return decodeVector(sc.table.Columns[i].Type, c.value)
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
}

// span is a range of keys.
type span struct{ low, high []byte }

// ScanIndex reads rows in an index's order.
func (t *Txn) ScanIndex(_ context.Context, spec storage.IndexScanSpec) (storage.RowIter, error) {
	x := &indexScan{txn: t, spec: spec, view: t.view(), layers: t.visible()}
	x.reader = rowReader{reader: x.view, layers: x.layers, table: spec.Table, want: wanted(spec.Table, spec.Columns)}
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
		id := entryID(x.cursor.key, x.cursor.value)
		if x.spec.IDsOnly {
			return id, true, nil
		}
		ok, err := x.reader.get(id, dst)
		if err != nil {
			return 0, false, err
		}
		if !ok {
			return 0, false, damaged("index " + x.spec.Index.Name)
		}
		return id, true, nil
	}
}

// entryID reads the row id of an index entry: its value, or the end of its key.
func entryID(key, value []byte) types.RowID {
	if len(value) == 8 {
		return types.RowID(binary.BigEndian.Uint64(value))
	}
	return idOf(key)
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
