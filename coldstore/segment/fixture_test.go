package segment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

func newStore(t testing.TB) objectstore.Store {
	t.Helper()
	s, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testRow is one row as it goes in.
type testRow struct {
	id   types.RowID
	cell uint32
	row  types.Row
}

// testRows gives rows from memory.
type testRows struct {
	rows []testRow
	at   int
}

func (r *testRows) Next(dst types.Row) (types.RowID, uint32, bool, error) {
	if r.at == len(r.rows) {
		return 0, 0, false, nil
	}
	x := r.rows[r.at]
	r.at++
	copy(dst, x.row)
	return x.id, x.cell, true, nil
}

func tableOf(cols ...catalog.Column) *catalog.Table {
	t := &catalog.Table{ID: 20001, Schema: "public", Name: "items", Version: 3}
	for i, c := range cols {
		c.Num = int16(i + 1)
		if c.Name == "" {
			c.Name = fmt.Sprintf("c%d", c.Num)
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func column(oid types.OID, typmod int32) catalog.Column {
	return catalog.Column{Type: oid, Typmod: typmod}
}

// decimal is the type modifier of numeric(p,s).
func decimal(p, s int32) int32 { return p<<16 | s + numericHeader }

func allColumns(t *catalog.Table) []int16 {
	var out []int16
	for _, c := range t.Live() {
		out = append(out, c.Num)
	}
	return out
}

func write(t testing.TB, s objectstore.Store, key string, table *catalog.Table, rows []testRow, o Options) Summary {
	t.Helper()
	sum, err := Write(context.Background(), s, key, table, &testRows{rows: rows}, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func open(t testing.TB, s Getter, sum Summary) *Reader {
	t.Helper()
	r, err := Open(context.Background(), s, sum.Key, OpenOptions{TailBytes: sum.TailBytes, Bytes: sum.Bytes})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// expect reads everything and compares it with what went in.
func expect(t testing.TB, r *Reader, table *catalog.Table, rows []testRow) {
	t.Helper()
	s, err := r.Scan(context.Background(), ScanOptions{Columns: allColumns(table)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := make(types.Row, len(table.Columns))
	for i, want := range rows {
		id, ok, err := s.Next(got)
		if err != nil || !ok {
			t.Fatalf("row %d: %v, %v", i, ok, err)
		}
		if id != want.id || s.Position() != uint32(i) {
			t.Fatalf("row %d has id %d instead of %d", i, id, want.id)
		}
		for c := range got {
			if !same(got[c], want.row[c]) {
				t.Fatalf("row %d, column %s: %s became %s", i, table.Columns[c].Name, show(want.row[c]), show(got[c]))
			}
		}
	}
	if _, ok, err := s.Next(got); ok || err != nil {
		t.Fatalf("after the last row: %v, %v", ok, err)
	}
}

func show(d types.Datum) string {
	s := fmt.Sprintf("%#v", d)
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}

// same compares bit by bit: NaN equals itself, and 0 is not -0.
func same(a, b types.Datum) bool {
	switch x := a.(type) {
	case float32:
		y, ok := b.(float32)
		return ok && math.Float32bits(x) == math.Float32bits(y)
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	case *types.Numeric:
		y, ok := b.(*types.Numeric)
		return ok && x.Form == y.Form && x.Negative == y.Negative && x.Exponent == y.Exponent && x.Coeff.Cmp(&y.Coeff) == 0
	case types.Vector:
		y, ok := b.(types.Vector)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
				return false
			}
		}
		return true
	case *types.Array:
		y, ok := b.(*types.Array)
		if !ok || x.Elem != y.Elem || len(x.Elems) != len(y.Elems) || fmt.Sprint(x.Dims, x.Lower) != fmt.Sprint(y.Dims, y.Lower) {
			return false
		}
		for i := range x.Elems {
			if !same(x.Elems[i], y.Elems[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// texts are values of each type in text form; random schemas are made of them.
var texts = []struct {
	oid    types.OID
	typmod int32
	values []string
}{
	{types.BoolOID, -1, []string{"t", "f"}},
	{types.Int2OID, -1, []string{"-32768", "0", "32767"}},
	{types.Int4OID, -1, []string{"-2147483648", "7", "2147483647"}},
	{types.Int8OID, -1, []string{"-9223372036854775808", "0", "9223372036854775807"}},
	{types.OidOID, -1, []string{"0", "4294967295"}},
	{types.Float4OID, -1, []string{"NaN", "Infinity", "-Infinity", "-0", "0", "1.5", "1e-45", "3.4028235e38"}},
	{types.Float8OID, -1, []string{"NaN", "Infinity", "-Infinity", "-0", "0", "0.1", "5e-324", "1.7976931348623157e308"}},
	{types.NumericOID, -1, []string{"NaN", "Infinity", "-Infinity", "0", "1.500", "-123456789012345678901234567890.123456789", "1e-300"}},
	{types.NumericOID, decimal(9, 2), []string{"NaN", "0", "-0.01", "9999999.99", "-9999999.99"}},
	{types.NumericOID, decimal(18, 0), []string{"NaN", "999999999999999999", "-999999999999999999"}},
	{types.NumericOID, decimal(38, 10), []string{"NaN", "0", "-1", "9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999"}},
	{types.NumericOID, decimal(100, 50), []string{"NaN", "1.5", "-77777777777777777777777777777777777777777777777"}},
	{types.TextOID, -1, []string{"", "a", "häß … 漢字 🙂", "NULL", strings.Repeat("long ", 100)}},
	{types.VarcharOID, 14, []string{"", "abc"}},
	{types.BpcharOID, 9, []string{"ab   ", "abcde"}},
	{types.CharOID, -1, []string{"x", "\\377", ""}},
	{types.NameOID, -1, []string{"a_name"}},
	{types.ByteaOID, -1, []string{"\\x", "\\x00ff10", "\\xdeadbeef"}},
	{types.UUIDOID, -1, []string{"00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
	{types.DateOID, -1, []string{"infinity", "-infinity", "4714-11-24 BC", "5874897-12-31", "1969-12-31", "2024-02-29"}},
	{types.TimeOID, -1, []string{"00:00:00", "24:00:00", "12:34:56.789012"}},
	{types.TimeTZOID, -1, []string{"00:00:00+15:59", "24:00:00-12:34:56", "12:34:56.789012+00"}},
	{types.TimestampOID, -1, []string{"infinity", "-infinity", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "294246-12-31 00:00:00", "1969-12-31 23:59:59.999999"}},
	{types.TimestampTZOID, -1, []string{"infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00", "2024-02-29 12:00:00+02"}},
	{types.IntervalOID, -1, []string{"1 year -2 mons 3 days -04:05:06.000007", "0", "-1 mon +30 days -720:00:00", "178000000 years"}},
	{types.BitOID, 5, []string{"10101", "00000"}},
	{types.VarbitOID, -1, []string{"", "1", "101010101010101"}},
	{types.JSONOID, -1, []string{`{"a": 1,  "a":2}`, "null", "[]"}},
	{types.JSONBOID, -1, []string{`{"b": [1, 2.50, "x"], "a": null}`, "null", `"\u00e4"`}},
	{types.XMLOID, -1, []string{"<a>1</a>"}},
	{types.InetOID, -1, []string{"192.168.0.1/24", "::1"}},
	{types.CIDROID, -1, []string{"10.0.0.0/8"}},
	{types.VectorOID, 3, []string{"[1,2,3]", "[-0,0,3.4e38]", "[1e-45,0.1,-1]"}},
	{types.VectorOID, -1, []string{"[1]", "[1,2,3,4,5]"}},
	{types.HalfVecOID, 2, []string{"[65504,-0]", "[0.1,6e-08]"}},
	{types.SparseVecOID, 1000, []string{"{}/1000", "{1:0.1,1000:-3.4e38}/1000"}},
	{types.Int4ArrayOID, -1, []string{"{}", "{1,NULL,3}", "{NULL}", "{{1,2},{3,4}}", "[0:2]={7,8,9}", "{{{1}},{{NULL}}}"}},
	{types.TextArrayOID, -1, []string{"{}", `{a,"",NULL,"NULL","x,y"}`, `{{a,b}}`}},
	{types.Float8ArrayOID, -1, []string{"{NaN,-0,Infinity,NULL}"}},
	{types.NumericArrayOID, decimal(9, 2), []string{"{1.00,NaN,NULL}", "{2.50}"}},
	{types.TimestampArrayOID, -1, []string{"{infinity,\"294276-12-31 00:00:00\",NULL}", "{\"2000-01-01 00:00:00\"}"}},
	{types.UUIDArrayOID, -1, []string{"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}"}},
	{types.BoolArrayOID, -1, []string{"{t,f,NULL}"}},
	{types.ByteaArrayOID, -1, []string{`{"\\x00",NULL,"\\x"}`}},
	{types.DateArrayOID, -1, []string{"{infinity,2000-01-01}"}},
	{types.VectorArrayOID, -1, []string{`{"[1,2]","[3,4]",NULL}`}},
	{types.JSONBArrayOID, -1, []string{`{"{\"a\": 1}",NULL}`}},
	{types.Int2VectorOID, -1, []string{"1 2 3", ""}},
}

func parse(t testing.TB, oid types.OID, typmod int32, s string) types.Datum {
	t.Helper()
	d, err := types.Parse(oid, typmod, s, nil)
	if err != nil {
		t.Fatalf("%s %q: %v", types.Lookup(oid).SQLName, s, err)
	}
	return d
}

// randomSegment makes a table of random columns and rows for it.
func randomSegment(t testing.TB, rnd *rand.Rand) (*catalog.Table, []testRow) {
	var cols []catalog.Column
	var kinds []int
	for range 1 + rnd.IntN(12) {
		k := rnd.IntN(len(texts))
		kinds = append(kinds, k)
		c := column(texts[k].oid, texts[k].typmod)
		c.Dropped = rnd.IntN(10) == 0
		cols = append(cols, c)
	}
	table := tableOf(cols...)
	rows := make([]testRow, rnd.IntN(400))
	id, cell := types.RowID(1+rnd.IntN(1000)), uint32(rnd.IntN(5))
	for i := range rows {
		rows[i] = testRow{id: id, cell: cell, row: make(types.Row, len(cols))}
		id += types.RowID(1 + rnd.IntN(1<<rnd.IntN(40)))
		if rnd.IntN(50) == 0 {
			cell += 1 + uint32(rnd.IntN(3))
		}
		for c, k := range kinds {
			if !cols[c].Dropped && rnd.IntN(4) > 0 {
				rows[i].row[c] = parse(t, texts[k].oid, texts[k].typmod, texts[k].values[rnd.IntN(len(texts[k].values))])
			}
		}
	}
	rnd.Shuffle(len(rows), func(i, j int) { rows[i].id, rows[j].id = rows[j].id, rows[i].id })
	return table, rows
}
