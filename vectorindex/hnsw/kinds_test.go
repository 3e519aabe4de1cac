package hnsw

import (
	"cmp"
	"context"
	"os"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testKind is one type and metric that an index can have; make turns a vector of
// the sample into a value of the type.
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
	{"halfvec l1", types.HalfVecOID, types.MetricL1, asHalf},
	{"sparsevec l2", types.SparseVecOID, types.MetricL2, asSparse},
	{"sparsevec ip", types.SparseVecOID, types.MetricInnerProduct, asSparse},
	{"sparsevec cosine", types.SparseVecOID, types.MetricCosine, asSparse},
	{"sparsevec l1", types.SparseVecOID, types.MetricL1, asSparse},
	{"bit hamming", types.BitOID, types.MetricHamming, asBits},
	{"bit jaccard", types.BitOID, types.MetricJaccard, asBits},
}

func asVector(v []float32) types.Datum { return types.Vector(v) }

func asHalf(v []float32) types.Datum {
	h := make(types.HalfVector, len(v))
	types.Float32ToHalfs(h, v)
	return h
}

// asSparse keeps the twenty largest elements.
func asSparse(v []float32) types.Datum {
	order := make([]int32, len(v))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(v[b]*v[b], v[a]*v[a]) })
	order = order[:min(20, len(order))]
	slices.Sort(order)
	s := types.SparseVector{Dim: int32(len(v))}
	for _, i := range order {
		if v[i] != 0 {
			s.Index, s.Value = append(s.Index, i), append(s.Value, v[i])
		}
	}
	return s
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

func (k *testKind) distance(a, b types.Datum) float64 {
	switch a := a.(type) {
	case types.Vector:
		return distance.Vector(k.metric, a, b.(types.Vector))
	case types.HalfVector:
		return distance.Half(k.metric, a, b.(types.HalfVector))
	case types.SparseVector:
		return distance.Sparse(k.metric, a, b.(types.SparseVector))
	}
	return distance.Bit(k.metric, a.(types.Bits), b.(types.Bits))
}

// eachKind runs a test for each type and metric.
func eachKind(t *testing.T, test func(t *testing.T, k *testKind)) {
	for i := range testKinds {
		t.Run(testKinds[i].name, func(t *testing.T) { test(t, &testKinds[i]) })
	}
}

// newIndex is an empty index whose graph begins with the first vector.
func (k *testKind) newIndex(t testing.TB, dims int) *Index {
	t.Helper()
	x, err := New(Options{Metric: k.metric, Type: k.oid, Dims: dims})
	if err != nil {
		t.Fatal(err)
	}
	x.fewForGraph = 0
	return x
}

// sampleIndex holds the first n words of the sample, row i under id i+1.
func (k *testKind) sampleIndex(t testing.TB, n int) *Index {
	t.Helper()
	x := k.newIndex(t, dataset.Sample().Dim)
	k.appendSample(t, x, 0, n)
	return x
}

func (k *testKind) appendSample(t testing.TB, x *Index, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := x.Append(types.RowID(i+1), k.make(dataset.Sample().Base(i))); err != nil {
			t.Fatal(err)
		}
	}
}

func build(t testing.TB, x *Index) {
	t.Helper()
	if err := x.Build(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
}

func closeIndex(t testing.TB, x *Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

// recall is the share of the ten nearest of rows that the first batch holds, or
// others as near, over the queries of the sample.
func (k *testKind) recall(t testing.TB, x *Index, rows []int, ef int) float64 {
	t.Helper()
	set := dataset.Sample()
	values := make([]types.Datum, len(rows))
	for i, row := range rows {
		values[i] = k.make(set.Base(row))
	}
	alive := make(map[types.RowID]bool, len(rows))
	for _, row := range rows {
		alive[types.RowID(row+1)] = true
	}
	hits, queries := 0, set.Queries[:50]
	for _, q := range queries {
		query := k.make(q)
		all := make([]float64, len(values))
		for i, v := range values {
			all[i] = k.distance(query, v)
		}
		slices.Sort(all)
		s, err := x.Search(query, ef)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.NextBatch(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		for _, c := range found[:min(10, len(found))] {
			if !alive[c.ID] {
				t.Fatalf("row %d came, which is not in the index", c.ID)
			}
			if c.Distance <= all[9] {
				hits++
			}
		}
	}
	return float64(hits) / float64(10*len(queries))
}

func upTo(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

func writeCheckpoint(t testing.TB, x *Index, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.WriteCheckpoint(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
