package rowstore

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// otherTable makes a second table with one row.
func (f *fixture) otherTable() *catalog.Table {
	f.t.Helper()
	other := &catalog.Table{ID: 21000, Schema: "public", Name: "other", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1}, {Num: 2, Name: "n", Type: types.Int8OID, Typmod: -1},
		{Num: 3, Name: "v", Type: types.VectorOID, Typmod: 2}}}
	tx := f.begin(storage.ReadCommitted)
	f.start(tx)
	f.ok(tx.Change(f.t.Context(), catalog.Put(other)))
	_, _, err := tx.Insert(f.t.Context(), other, rowOf(9, 9), storage.InsertOptions{})
	f.ok(err)
	f.ok(tx.EndStatement(true))
	f.commit(tx)
	return other
}

// scan reads a table to its end or first error.
func (f *fixture) scan(table *catalog.Table) (n int, err error) {
	f.t.Helper()
	tx := f.begin(storage.ReadCommitted)
	defer tx.Rollback()
	f.start(tx)
	it, err := tx.Scan(f.t.Context(), storage.ScanSpec{Table: table, Columns: []int16{1, 2, 3}})
	f.ok(err)
	defer func() { f.ok(it.Close()) }()
	row := make(types.Row, 3)
	for {
		_, ok, err := it.Next(row)
		if err != nil || !ok {
			return n, err
		}
		n++
	}
}

func (f *fixture) reopen() {
	f.t.Helper()
	f.ok(f.store.Close())
	f.store = openAt(f.t, f.fs, f.watch)
}

func TestDamageOfOneTableLeavesTheOthers(t *testing.T) {
	key, vec := rowKey(nil, 20000, 1), vectorKey(nil, 20000, 3, 1)
	for _, tc := range []struct {
		name       string
		key, value []byte
	}{
		{"an empty row", key, []byte{}},
		{"a row cut off", key, []byte{1, 3, 7, 8, 0}},
		{"a row of too many columns", key, []byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}},
		{"a number of three bytes", key, []byte{1, 3, 1, 3, 0, 0, 0}},
		{"a vector of another dimension", vec, make([]byte, 12)},
		{"a vector cut off", vec, make([]byte, 7)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			other := f.otherTable()
			f.ok(f.put(1))
			f.ok(f.store.db.Set(tc.key, tc.value, pebble.Sync))
			f.reopen()
			if _, err := f.scan(f.table); code(err) != pgerr.DataCorrupted {
				t.Errorf("the damaged table: %v", err)
			}
			if n, err := f.scan(other); n != 1 || err != nil {
				t.Errorf("the other table: %d rows, %v", n, err)
			}
			var report Report
			f.ok(f.store.checkTable(t.Context(), f.table, &report))
			if len(report.Problems) == 0 {
				t.Error("check finds nothing")
			}
			report = Report{}
			f.ok(f.store.checkTable(t.Context(), other, &report))
			if len(report.Problems) > 0 {
				t.Error(report.Problems)
			}
		})
	}
}

func TestADamagedDescriptorHidesItsTableAndKeepsItsRows(t *testing.T) {
	f := newFixture(t)
	other := f.otherTable()
	f.ok(f.put(1))
	good, closer, err := f.store.db.Get(objectKey(catalog.KindTable, 20000))
	f.ok(err)
	good = append([]byte(nil), good...)
	f.ok(closer.Close())
	f.ok(f.store.db.Set(objectKey(catalog.KindTable, 20000), []byte("{"), pebble.Sync))
	f.reopen()
	if f.store.Catalog().Table(20000) != nil || f.store.Catalog().Object(20001) != nil {
		t.Error("the table is there")
	}
	if n, err := f.scan(other); n != 1 || err != nil {
		t.Errorf("the other table: %d rows, %v", n, err)
	}
	f.ok(f.store.db.Set(objectKey(catalog.KindTable, 20000), good, pebble.Sync))
	f.reopen()
	f.wantRows(1, 1)
	f.check()
}

func TestAnotherFormatVersionIsRefused(t *testing.T) {
	f := newFixture(t)
	f.ok(f.store.db.Set([]byte{keyFormat}, binary.BigEndian.AppendUint32(nil, 99), pebble.Sync))
	f.ok(f.store.Close())
	f.store = nil
	_, err := Open(t.Context(), Options{Dir: "rows", FS: f.fs})
	if err == nil || !strings.Contains(err.Error(), "format version 99, and this server reads versions 1 to 2") {
		t.Errorf("got %v", err)
	}
}

func TestTheOlderFormatIsReadAndRaised(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 1, 1))
	f.commit(tx)
	f.ok(f.store.db.Set([]byte{keyFormat}, binary.BigEndian.AppendUint32(nil, 1), pebble.Sync))
	for range 2 {
		f.ok(f.store.Close())
		f.store = openAt(t, f.fs, f.watch)
		f.want(f.begin(storage.ReadCommitted), map[int64]int64{1: 1})
		if v, err := f.store.has([]byte{keyFormat}, []byte{0, 0, 0, 2}); !v || err != nil {
			t.Fatal("the version is not raised", err)
		}
	}
}

// fuzzTable has a column of every kind of type.
var fuzzTable = func() *catalog.Table {
	t := &catalog.Table{ID: 1, Name: "t"}
	for i, oid := range []types.OID{types.BoolOID, types.Int4OID, types.Int8OID, types.TextOID, types.NumericOID, types.TimestampTZOID,
		types.JSONBOID, types.UUIDOID, types.ByteaOID, types.Float8OID, types.DateOID, types.IntervalOID, types.BitOID, types.VectorOID, types.SparseVecOID} {
		t.Columns = append(t.Columns, catalog.Column{Num: int16(i + 1), Name: "c", Type: oid, Typmod: -1})
	}
	return t
}()

func FuzzDecodeRow(f *testing.F) {
	row := make(types.Row, len(fuzzTable.Columns))
	row[1], row[2], row[3], row[13] = int64(7), int64(1)<<40, "text", types.Vector{1, 2}
	b, err := appendRow(nil, fuzzTable, 3, row)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Add([]byte{1, 15, 0xff, 0x7f, 1, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 3})
	want := everything(fuzzTable)
	f.Fuzz(func(t *testing.T, b []byte) {
		dst := make(types.Row, len(fuzzTable.Columns))
		if _, err := decodeRow(b, fuzzTable, want, dst); err != nil && pgerr.Code(err) != pgerr.DataCorrupted {
			t.Errorf("%v", err)
		}
	})
}

func FuzzDecodeVector(f *testing.F) {
	f.Add(uint8(0), appendVector(nil, types.Vector{1, 2, 3}))
	f.Add(uint8(1), appendVector(nil, types.HalfVector{1, 2, 3}))
	f.Add(uint8(2), appendVector(nil, types.SparseVector{Dim: 9, Index: []int32{1, 8}, Value: []float32{1, 2}}))
	f.Add(uint8(2), []byte{9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		c := &catalog.Column{Name: "v", Typmod: -1, Type: []types.OID{types.VectorOID, types.HalfVecOID, types.SparseVecOID}[kind%3]}
		d, err := decodeVector(c, b)
		if err != nil {
			if pgerr.Code(err) != pgerr.DataCorrupted {
				t.Errorf("%v", err)
			}
			return
		}
		if again := appendVector(nil, d); string(again) != string(b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

func FuzzDecodeObject(f *testing.F) {
	for kind, text := range map[catalog.Kind]string{
		catalog.KindTable: `{"id":7,"name":"t","columns":[{"num":1,"name":"a","type":20}]}`, catalog.KindIndex: `{"id":7,"keys":[{"column":1}]}`,
		catalog.KindSequence: `{"id":7,"start":1}`, catalog.KindRole: `{"id":7}`, catalog.KindView: `{"id":7,"columns":null}`, 99: `{}`,
		catalog.KindSchema: `null`, catalog.KindType: `{"id":"x"}`, catalog.KindDatabase: `[`,
	} {
		f.Add(uint8(kind), []byte(text))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		o, err := decodeObject(catalog.Kind(kind), 7, b)
		if err != nil && pgerr.Code(err) != pgerr.DataCorrupted {
			t.Errorf("%v", err)
		}
		if err == nil && o.ObjectID() != 7 {
			t.Error("an object under another id")
		}
	})
}

func FuzzKeys(f *testing.F) {
	for _, key := range [][]byte{rowKey(nil, 1, 2), vectorKey(nil, 1, 2, 3), intentKey(1, 2), objectKey(2, 1), {}, {keyVector, 0}, {keyIndex, 0, 0, 0, 1, 2}} {
		f.Add(key, []byte{0, 0, 0, 0, 0, 0, 0, 9})
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if table, id, err := parseRowKey(key); err == nil && string(rowKey(nil, table, id)) != string(key) {
			t.Errorf("row key %x", key)
		}
		if table, attnum, id, err := parseVectorKey(key); err == nil && string(vectorKey(nil, table, attnum, id)) != string(key) {
			t.Errorf("vector key %x", key)
		}
		if kind, id, err := parseObjectKey(key); err == nil && string(objectKey(kind, id)) != string(key) {
			t.Errorf("object key %x", key)
		}
		if in, err := parseIntent(key, value); err == nil && string(intentKey(in.table, in.first)) != string(key) {
			t.Errorf("intent key %x", key)
		}
		_, _ = entryID(key, value)
		_ = unitOf(key)
	})
}
