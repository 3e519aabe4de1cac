package ivf

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// testKind is a type and metric; make turns a vector of the sample into a value.
type testKind struct {
	name   string
	oid    types.OID
	metric types.Metric
	make   func([]float32) types.Datum
}

var testKinds = []testKind{
	{"vector l2", types.VectorOID, types.MetricL2, asVector},
	{"vector ip", types.VectorOID, types.MetricInnerProduct, asVector},
	{"vector cosine", types.VectorOID, types.MetricCosine, asVector},
	{"vector l1", types.VectorOID, types.MetricL1, asVector},
	{"halfvec l2", types.HalfVecOID, types.MetricL2, asHalf},
	{"halfvec ip", types.HalfVecOID, types.MetricInnerProduct, asHalf},
	{"halfvec cosine", types.HalfVecOID, types.MetricCosine, asHalf},
	{"bit hamming", types.BitOID, types.MetricHamming, asBits},
}

func asVector(v []float32) types.Datum { return types.Vector(v) }

func asHalf(v []float32) types.Datum {
	h := make(types.HalfVector, len(v))
	types.Float32ToHalfs(h, v)
	return h
}

func asBits(v []float32) types.Datum {
	b := types.Bits{N: len(v), B: make([]byte, (len(v)+7)/8)}
	for i, x := range v {
		if x > 0 {
			b.B[i/8] |= 0x80 >> (i % 8)
		}
	}
	return b
}

func eachKind(t *testing.T, test func(t *testing.T, k *testKind)) {
	for i := range testKinds {
		t.Run(testKinds[i].name, func(t *testing.T) { test(t, &testKinds[i]) })
	}
}

// table is a Source of values; nil ones are gone. Row i has id i+1.
type table []types.Datum

func (m table) Vectors(ids []types.RowID, into []Value) error {
	for i, id := range ids {
		into[i] = ValueOf(m[id-1])
	}
	return nil
}

// first is the first n rows as Build reads them.
func (m table) first(n int) Rows {
	return func(_ context.Context, yield func(types.RowID, Value) error) error {
		for i, v := range m[:n] {
			if err := yield(types.RowID(i+1), ValueOf(v)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (k *testKind) sample(n int) table {
	rows := make(table, n)
	for i := range rows {
		rows[i] = k.make(dataset.Sample().Base(i))
	}
	return rows
}

func (k *testKind) options(dims int) Options {
	return Options{Metric: k.metric, Type: k.oid, Dims: dims, Seed: 3}
}

// build is an index of the first n rows.
func (k *testKind) build(t testing.TB, rows table, n, dims int) *Index {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index")
	if err := Build(context.Background(), path, k.options(dims), rows.first(n), nil); err != nil {
		t.Fatal(err)
	}
	return open(t, path, k.options(dims), rows)
}

func (k *testKind) distance(a, b types.Datum) float64 {
	switch a := a.(type) {
	case types.Vector:
		return distance.Vector(k.metric, a, b.(types.Vector))
	case types.HalfVector:
		return distance.Half(k.metric, a, b.(types.HalfVector))
	}
	return distance.Bit(k.metric, a.(types.Bits), b.(types.Bits))
}

// recall is the share of the ten nearest of the rows that may come which the first
// batch holds, or others as near.
func (k *testKind) recall(t testing.TB, x *Index, rows table, among Set) float64 {
	t.Helper()
	hits, all := 0, 0
	for _, q := range dataset.Sample().Queries[:50] {
		query := k.make(q)
		var distances []float64
		for i, v := range rows {
			if v != nil && (among == nil || among.Contains(uint64(i+1))) {
				distances = append(distances, k.distance(query, v))
			}
		}
		slices.Sort(distances)
		want := min(10, len(distances))
		all += want
		for _, c := range first(t, x, Query{Vector: query, Want: 10, Among: among}) {
			if rows[c.ID-1] == nil || among != nil && !among.Contains(uint64(c.ID)) {
				t.Fatalf("row %d came", c.ID)
			}
			if c.Distance != k.distance(query, rows[c.ID-1]) {
				t.Fatalf("row %d at %v", c.ID, c.Distance)
			}
			if c.Distance <= distances[want-1] {
				hits++
			}
		}
	}
	return float64(hits) / float64(all)
}

func first(t testing.TB, x *Index, q Query) []storage.Candidate {
	t.Helper()
	s, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := s.NextBatch(nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// every takes batches until one is empty, and returns how often each row came.
func every(t testing.TB, x *Index, q Query) map[types.RowID]int {
	t.Helper()
	s, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seen := map[types.RowID]int{}
	for {
		batch, err := s.NextBatch(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			return seen
		}
		if !slices.IsSortedFunc(batch, nearer) {
			t.Fatal("a batch is not sorted")
		}
		for _, c := range batch {
			seen[c.ID]++
		}
	}
}

func sameRows(t testing.TB, seen map[types.RowID]int, rows table) {
	t.Helper()
	want := 0
	for i, v := range rows {
		if v != nil {
			want++
		}
		if n := seen[types.RowID(i+1)]; v != nil && n != 1 || v == nil && n != 0 {
			t.Fatalf("row %d came %d times", i+1, n)
		}
	}
	if len(seen) != want {
		t.Fatalf("%d rows came, want %d", len(seen), want)
	}
}

type every100 uint64

func (e every100) Contains(id uint64) bool { return id%100 == uint64(e) }

func TestRecallWithoutAnySetting(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		rows := k.sample(3000)
		x := k.build(t, rows, len(rows), dataset.Sample().Dim)
		if r := k.recall(t, x, rows, nil); r < 0.93 {
			t.Errorf("recall %.3f", r)
		}
		if r := k.recall(t, x, rows, every100(7)); r < 0.95 {
			t.Errorf("recall %.3f among one row in a hundred", r)
		}
	})
}

func TestASearchGivesEveryRowOnceAlsoAfterAppendRemoveAndMerge(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		rows := k.sample(1500)
		x := k.build(t, rows, 1000, dataset.Sample().Dim)
		query := Query{Vector: k.make(dataset.Sample().Queries[0]), Want: 10}
		sameRows(t, every(t, x, query), rows[:1000])
		for i := 1000; i < len(rows); i++ {
			if err := x.Append(types.RowID(i+1), rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := 5; i < len(rows); i += 7 {
			x.Remove(types.RowID(i + 1))
			rows[i] = nil
		}
		check := func() {
			t.Helper()
			sameRows(t, every(t, x, query), rows)
			if r := k.recall(t, x, rows, nil); r < 0.9 {
				t.Errorf("recall %.3f", r)
			}
		}
		check()
		if err := x.Merge(context.Background(), filepath.Join(t.TempDir(), "merged")); err != nil {
			t.Fatal(err)
		}
		if n := x.Pending(); n != 0 {
			t.Errorf("%d rows pending after a merge", n)
		}
		check()
	})
}

func TestAnIndexThatWasBuiltEmptySplitsItsCell(t *testing.T) {
	k := &testKinds[2]
	rows := k.sample(3000)
	x := k.build(t, rows, 0, dataset.Sample().Dim)
	if found := first(t, x, Query{Vector: rows[0], Want: 10}); len(found) != 0 {
		t.Fatalf("an empty index gave %v", found)
	}
	for i, v := range rows {
		if err := x.Append(types.RowID(i+1), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Merge(context.Background(), filepath.Join(t.TempDir(), "merged")); err != nil {
		t.Fatal(err)
	}
	if n := x.Cells(); n < 50 {
		t.Errorf("%d cells", n)
	}
	sameRows(t, every(t, x, Query{Vector: rows[0], Want: 10}), rows)
	if r := k.recall(t, x, rows, nil); r < 0.93 {
		t.Errorf("recall %.3f", r)
	}
}

func TestSmallAndRepeatedInputs(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		for _, n := range []int{1, 2, 3, 17} {
			rows := k.sample(n)
			x := k.build(t, rows, n, dataset.Sample().Dim)
			sameRows(t, every(t, x, Query{Vector: rows[0], Want: 2}), rows)
		}
		rows := k.sample(1000)
		for i := range rows {
			if i%10 != 0 {
				rows[i] = rows[0]
			}
		}
		x := k.build(t, rows, len(rows), dataset.Sample().Dim)
		sameRows(t, every(t, x, Query{Vector: rows[0], Want: 5}), rows)
		full := uint32(max(64, capacity*(len(rows)/x.Cells()+1)))
		for i, e := range x.file.entries {
			if e.count > full {
				t.Errorf("cell %d has %d rows, at most %d may be", i, e.count, full)
			}
		}
		zero := make([]float32, 3)
		rows = table{k.make(zero), k.make(zero), k.make([]float32{1, -2, 3}), k.make([]float32{6e4, -6e4, 6e4})}
		x = k.build(t, rows, len(rows), 3)
		sameRows(t, every(t, x, Query{Vector: k.make(zero), Want: 1}), rows)
	})
}

func TestProbesAreTheLeastThatTheFirstBatchLooksAt(t *testing.T) {
	k := &testKinds[0]
	rows := k.sample(1000)
	x := k.build(t, rows, len(rows), dataset.Sample().Dim)
	s, err := x.Search(context.Background(), Query{Vector: rows[3], Want: 10, Probes: x.Cells() - 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.NextBatch(nil); err != nil || s.Probed() < x.Cells()-1 {
		t.Errorf("%d cells, %v", s.Probed(), err)
	}
}

func TestADamagedFileIsRefused(t *testing.T) {
	k := &testKinds[0]
	rows := k.sample(300)
	path := filepath.Join(t.TempDir(), "index")
	o := k.options(dataset.Sample().Dim)
	if err := Build(context.Background(), path, o, rows.first(len(rows)), nil); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(good); at += 97 {
		bad := slices.Clone(good)
		bad[at] ^= 0x40
		err := readAll(bad, o, rows)
		var coded *pgerr.Error
		if err == nil && !padding(t, good, o, at) || err != nil && (!errors.As(err, &coded) || coded.Code != pgerr.DataCorrupted) {
			t.Fatalf("byte %d changed: %v", at, err)
		}
	}
	for n := 0; n < len(good); n += 1001 {
		if err := readAll(good[:n], o, rows); err == nil {
			t.Fatalf("%d bytes of %d were taken", n, len(good))
		}
	}
	o.Dims++
	var coded *pgerr.Error
	if err := readAll(good, o, rows); !errors.As(err, &coded) || coded.Code != pgerr.ObjectNotInPrerequisiteState {
		t.Errorf("other dimensions: %v", err)
	}
}

// padding tells whether a byte lies between cells.
func padding(t *testing.T, file []byte, o Options, at int) bool {
	f, err := openFile(context.Background(), Bytes(file), &o)
	if err != nil {
		t.Fatal(err)
	}
	if at < int(headerBytes+bodyBytes(&f.header, &o)) {
		return false
	}
	for i := range f.entries {
		if r := f.rangeOf(i); int64(at) >= r.Offset && int64(at) < r.Offset+r.Bytes {
			return false
		}
	}
	return true
}

// readAll opens a file and goes through all of it.
func readAll(file []byte, o Options, source Source) error {
	x, err := Open(context.Background(), Bytes(file), o, source)
	if err != nil {
		return err
	}
	defer func() { _ = x.Close() }()
	s, err := x.Search(context.Background(), Query{Vector: types.Vector(make([]float32, o.Dims)), Want: 100, Probes: 1 << 20})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.NextBatch(nil)
	return err
}

type anyRow struct{ value types.Vector }

func (a anyRow) Vectors(ids []types.RowID, into []Value) error {
	for i := range ids {
		into[i] = Value{Vector: a.value}
	}
	return nil
}

// FuzzOpen: any bytes are refused or do no harm, also behind right checksums.
func FuzzOpen(f *testing.F) {
	k := &testKinds[0]
	o := k.options(4)
	rows := make(table, 40)
	for i := range rows {
		rows[i] = types.Vector(dataset.Sample().Base(i)[:4])
	}
	path := filepath.Join(f.TempDir(), "index")
	if err := Build(context.Background(), path, o, rows.first(len(rows)), nil); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:200])
	f.Fuzz(func(t *testing.T, file []byte) {
		_ = readAll(file, o, anyRow{make(types.Vector, 4)})
		repair(file, &o)
		_ = readAll(file, o, anyRow{make(types.Vector, 4)})
	})
}
