package segment

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func TestEveryValueOfEveryTypeComesBackAsItWas(t *testing.T) {
	for _, x := range texts {
		table := tableOf(column(x.oid, x.typmod))
		rows := []testRow{{id: 1, row: types.Row{nil}}}
		for i, s := range x.values {
			rows = append(rows, testRow{id: types.RowID(i + 2), row: types.Row{parse(t, x.oid, x.typmod, s)}})
		}
		t.Run(types.Lookup(x.oid).SQLName+strconv.Itoa(int(x.typmod)), func(t *testing.T) {
			s := newStore(t)
			sum := write(t, s, "a.parquet", table, rows, Options{})
			expect(t, open(t, s, sum), table, rows)
			if err := Verify(context.Background(), s, sum); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRandomSchemasAndRowsComeBackAsTheyWere(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("AKIDB_SEED"); v != "" {
		seed, _ = strconv.ParseUint(v, 10, 64)
	}
	t.Logf("AKIDB_SEED=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 40 {
		table, rows := randomSegment(t, rnd)
		s := newStore(t)
		o := Options{Compression: []Compression{None, Snappy, Zstd}[rnd.IntN(3)], GroupBytes: 200 << rnd.IntN(12)}
		sum := write(t, s, "a.parquet", table, rows, o)
		r := open(t, s, sum)
		expect(t, r, table, rows)
		expectPoints(t, r, table, rows, rnd)
		if err := Verify(context.Background(), s, sum); err != nil {
			t.Fatal(err)
		}
	}
}

func expectPoints(t *testing.T, r *Reader, table *catalog.Table, rows []testRow, rnd *rand.Rand) {
	t.Helper()
	ids := []types.RowID{0, 1 << 62}
	want := []types.Row{nil, nil}
	for range min(20, len(rows)) {
		x := rows[rnd.IntN(len(rows))]
		ids, want = append(ids, x.id), append(want, x.row)
	}
	got, err := r.Get(context.Background(), ids, allColumns(table), table)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ids {
		if (got[i] == nil) != (want[i] == nil) {
			t.Fatalf("row %d: %v", ids[i], got[i])
		}
		for c := range got[i] {
			if !same(got[i][c], want[i][c]) {
				t.Fatalf("row %d: %v instead of %v", ids[i], got[i][c], want[i][c])
			}
		}
	}
}

// vectorRows makes rows of (id bigint, embedding vector(dims), tag text) in cells.
func vectorRows(n, dims, perCell int, rnd *rand.Rand) (*catalog.Table, []testRow) {
	table := tableOf(
		catalog.Column{Name: "id", Type: types.Int8OID, Typmod: -1},
		catalog.Column{Name: "embedding", Type: types.VectorOID, Typmod: int32(dims)},
		catalog.Column{Name: "tag", Type: types.TextOID, Typmod: -1})
	rows := make([]testRow, n)
	for i := range rows {
		v := make(types.Vector, dims)
		for j := range v {
			v[j] = rnd.Float32()*2 - 1
		}
		rows[i] = testRow{types.RowID(i + 1), uint32(i / perCell), types.Row{int64(i), v, "tag " + strconv.Itoa(i%10)}}
	}
	return table, rows
}

func TestOpeningIsOneReadAndAPointReadFetchesOneRowGroup(t *testing.T) {
	table, rows := vectorRows(2000, 64, 100, rand.New(rand.NewPCG(1, 1)))
	s := newStore(t)
	sum := write(t, s, "a.parquet", table, rows, Options{GroupBytes: 32 << 10})
	r := open(t, s, sum)
	if n, bytes := r.Fetched(); n != 1 || bytes != sum.TailBytes {
		t.Errorf("%d reads, %d bytes", n, bytes)
	}
	got, err := r.Get(context.Background(), []types.RowID{777}, []int16{2}, table)
	if err != nil || !same(got[0][1], rows[776].row[1]) {
		t.Fatalf("%v, %v", got, err)
	}
	n, bytes := r.Fetched()
	if n != 2 || bytes-sum.TailBytes > 48<<10 {
		t.Errorf("%d reads, %d bytes for one row", n, bytes-sum.TailBytes)
	}
	if _, err := Open(context.Background(), s, "a.parquet", OpenOptions{}); err != nil {
		t.Errorf("without knowing its size: %v", err)
	}
}

func TestARowGroupIsCutWhereACellEnds(t *testing.T) {
	table, rows := vectorRows(3000, 16, 70, rand.New(rand.NewPCG(1, 2)))
	s := newStore(t)
	r := open(t, s, write(t, s, "a.parquet", table, rows, Options{GroupBytes: 8 << 10}))
	if len(r.Cells()) != (3000+69)/70 {
		t.Fatalf("%d cells", len(r.Cells()))
	}
	for i := range r.x.groups {
		if g := &r.x.groups[i]; g.lastCell-g.firstCell > 1 {
			t.Errorf("row group %d holds cells %d to %d", i, g.firstCell, g.lastCell)
		}
	}
}

func TestCellsThatComeTwiceAndIdsThatComeTwiceAreRefused(t *testing.T) {
	table := tableOf(column(types.Int4OID, -1))
	for name, rows := range map[string][]testRow{
		"cell": {{1, 1, types.Row{nil}}, {2, 2, types.Row{nil}}, {3, 1, types.Row{nil}}},
		"id":   {{1, 1, types.Row{nil}}, {1, 1, types.Row{nil}}},
	} {
		s := newStore(t)
		if _, err := Write(context.Background(), s, "a.parquet", table, &testRows{rows: rows}, Options{}); err == nil {
			t.Errorf("%s twice: no error", name)
		}
		if _, err := s.Stat(context.Background(), "a.parquet"); !objectstore.Is(err, objectstore.NotFound) {
			t.Errorf("%s twice: an object was left: %v", name, err)
		}
	}
}

func TestPredicatesExcludeRowGroupsAndNeverARowThatPasses(t *testing.T) {
	table, rows := vectorRows(1000, 8, 50, rand.New(rand.NewPCG(1, 3)))
	for i := range rows {
		if i >= 500 {
			rows[i].row[2] = nil
		}
	}
	s := newStore(t)
	r := open(t, s, write(t, s, "a.parquet", table, rows, Options{GroupBytes: 2 << 10}))
	for _, p := range []Predicate{
		{1, Equal, int64(123)}, {1, Less, int64(100)}, {1, LessEqual, int64(0)}, {1, Greater, int64(900)},
		{1, GreaterEqual, int64(999)}, {1, Equal, int64(5000)}, {3, IsNull, nil}, {3, IsNotNull, nil}, {3, Equal, "tag 3"},
	} {
		groups := r.Pruned([]Predicate{p})
		if len(groups) > r.Groups()*2/3 {
			t.Errorf("%v leaves %d of %d row groups", p, len(groups), r.Groups())
		}
		in := map[int]bool{}
		for _, g := range groups {
			in[g] = true
		}
		for i, row := range rows {
			if passes(p, row.row[p.Column-1]) && !in[r.GroupOf(uint32(i))] {
				t.Errorf("%v excludes row %d", p, i)
			}
		}
	}
}

func passes(p Predicate, d types.Datum) bool {
	if p.Op == IsNull || p.Op == IsNotNull {
		return (d == nil) == (p.Op == IsNull)
	}
	if d == nil {
		return false
	}
	oid := types.Int8OID
	if p.Column == 3 {
		oid = types.TextOID
	}
	c := types.Compare(oid, d, p.Value)
	return map[Op]bool{Equal: c == 0, Less: c < 0, LessEqual: c <= 0, Greater: c > 0, GreaterEqual: c >= 0}[p.Op]
}

func TestColumnsThatAreYoungerThanTheSegmentHaveTheirDefault(t *testing.T) {
	table := tableOf(column(types.Int4OID, -1))
	rows := []testRow{{1, 0, types.Row{int64(5)}}}
	s := newStore(t)
	r := open(t, s, write(t, s, "a.parquet", table, rows, Options{}))
	seven := "7"
	younger := tableOf(column(types.Int4OID, -1), catalog.Column{Type: types.Int4OID, Typmod: -1, Missing: &seven})
	got, err := r.Get(context.Background(), []types.RowID{1}, []int16{1, 2}, younger)
	if err != nil || got[0][0] != int64(5) || got[0][1] != int64(7) {
		t.Errorf("%v, %v", got, err)
	}
}

// bytesStore serves one object from memory.
type bytesStore []byte

func (b bytesStore) Get(_ context.Context, key string, r objectstore.Range) (*objectstore.Object, error) {
	offset, length, ok := r.Within(int64(len(b)))
	if !ok {
		return nil, &objectstore.Error{Class: objectstore.OutOfRange, Op: objectstore.OpGet, Key: key}
	}
	body := strings.NewReader(string(b[offset : offset+length]))
	return &objectstore.Object{Info: objectstore.Info{Key: key, Size: int64(len(b))}, Offset: offset, Length: length, Body: readCloser{body}}, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func objectBytes(t testing.TB, s objectstore.Store, key string) []byte {
	t.Helper()
	data, _, err := objectstore.GetBytes(context.Background(), s, key, objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readAll opens and reads everything.
func readAll(s Getter, key string, o OpenOptions) error {
	r, err := Open(context.Background(), s, key, o)
	if err != nil {
		return err
	}
	var columns []int16
	for _, c := range r.Columns() {
		columns = append(columns, c.Num)
	}
	scan, err := r.Scan(context.Background(), ScanOptions{Columns: columns})
	if err != nil {
		return err
	}
	defer func() { _ = scan.Close() }() // only read
	for {
		if g, err := scan.NextGroup(); g == nil || err != nil {
			return err
		}
	}
}

func TestAFlippedByteIsFoundWhereverItIs(t *testing.T) {
	table, rows := vectorRows(24, 4, 8, rand.New(rand.NewPCG(1, 4)))
	s := newStore(t)
	sum := write(t, s, "the/key.parquet", table, rows, Options{GroupBytes: 256})
	data := objectBytes(t, s, sum.Key)
	if err := readAll(bytesStore(data), sum.Key, OpenOptions{}); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		damaged := append([]byte(nil), data...)
		damaged[i] ^= 1 << (i % 8)
		errVerify := Verify(context.Background(), bytesStore(damaged), sum)
		errRead := readAll(bytesStore(damaged), sum.Key, OpenOptions{})
		if i < 4 {
			errRead = errVerify // the first magic is looked at by Verify alone: no row depends on it
		}
		for _, err := range []error{errVerify, errRead} {
			if pgerr.Code(err) != pgerr.DataCorrupted || !strings.Contains(err.Error(), sum.Key) {
				t.Fatalf("byte %d of %d flipped: %v", i, len(data), err)
			}
		}
	}
}

func TestATruncatedOrMissingObjectIsDamageWithItsKey(t *testing.T) {
	table, rows := vectorRows(60, 8, 20, rand.New(rand.NewPCG(1, 5)))
	s := newStore(t)
	sum := write(t, s, "the/key.parquet", table, rows, Options{GroupBytes: 512})
	data := objectBytes(t, s, sum.Key)
	for _, n := range []int{0, 1, 7, 8, 100, len(data) / 2, len(data) - 1} {
		err := readAll(bytesStore(data[:n]), sum.Key, OpenOptions{TailBytes: sum.TailBytes})
		if pgerr.Code(err) != pgerr.DataCorrupted || !strings.Contains(err.Error(), sum.Key) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	_, err := Open(context.Background(), s, "no/such.parquet", OpenOptions{})
	if pgerr.Code(err) != pgerr.DataCorrupted || !strings.Contains(err.Error(), "no/such.parquet") {
		t.Errorf("missing: %v", err)
	}
}

type failingRows struct {
	rows Rows
	left int
}

var errRows = errors.New("no more rows for you")

func (f *failingRows) Next(dst types.Row) (types.RowID, uint32, bool, error) {
	if f.left == 0 {
		return 0, 0, false, errRows
	}
	f.left--
	return f.rows.Next(dst)
}

func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	table, rows := vectorRows(3000, 64, 100, rand.New(rand.NewPCG(1, 6)))
	s := newStore(t)
	_, err := Write(context.Background(), s, "a.parquet", table, &failingRows{&testRows{rows: rows}, 2500}, Options{GroupBytes: 4096})
	if !errors.Is(err, errRows) {
		t.Errorf("error of the rows: %v", err)
	}
	if _, err := s.Stat(context.Background(), "a.parquet"); !objectstore.Is(err, objectstore.NotFound) {
		t.Errorf("an object was left: %v", err)
	}
	_, err = Write(context.Background(), fullStore{}, "a.parquet", table, &testRows{rows: rows}, Options{GroupBytes: 4096})
	if pgerr.Code(err) != pgerr.DiskFull {
		t.Errorf("error of the store: %v", err)
	}
}
