package quantize

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

func TestKeysAreNearTheTrueDistances(t *testing.T) {
	for _, metric := range []types.Metric{types.MetricL2, types.MetricInnerProduct, types.MetricCosine} {
		for _, dims := range []int{1, 3, 64, 100, 513} {
			t.Run(metric.String(), func(t *testing.T) { checkKeys(t, metric, dims) })
		}
	}
}

func checkKeys(t *testing.T, metric types.Metric, dims int) {
	random := rand.New(rand.NewPCG(1, uint64(dims)))
	shift := float32(3)
	vector := func() []float32 {
		v := make([]float32, dims)
		for i := range v {
			v[i] = shift + float32(random.NormFloat64())
		}
		return v
	}
	centre := make([]float32, dims)
	for i := range centre {
		centre[i] = shift
	}
	if metric == types.MetricCosine {
		Normalize(centre, centre)
	}
	q := NewSQ8(metric, dims, centre)
	scratch := make([]float32, dims)
	code := Code{Elems: make([]int8, CodeElems(dims))}
	again := Code{Elems: make([]int8, CodeElems(dims))}
	record := make([]byte, RecordBytes(dims))
	for range 50 {
		a, b := vector(), vector()
		q.Encode(record, a, scratch)
		q.EncodeQuery(&code, b, scratch)
		key := code.Key(HeaderAt(unsafe.Pointer(&record[0]), uintptr(len(record))), distance.DotCodes(record[:dims], code.Elems[:dims]))
		want := 0.0
		switch metric {
		case types.MetricL2:
			want = float64(distance.L2Squared(a, b))
		case types.MetricInnerProduct:
			want = -float64(distance.Dot(a, b))
		case types.MetricCosine:
			want = 2 * distance.Vector(metric, a, b)
		}
		norm := float64(distance.L2Squared(a, centre) + distance.L2Squared(b, centre))
		if metric == types.MetricCosine {
			norm = 1
		}
		if math.Abs(float64(key)-want) > 0.04*norm+1e-4 {
			t.Fatalf("dims %d: key %v, true %v", dims, key, want)
		}
		q.Query(&again, record)
		q.EncodeQuery(&code, a, scratch)
		for i := range again.Elems {
			if again.Elems[i] != code.Elems[i] {
				t.Fatalf("element %d: %d from the record, %d from the vector", i, again.Elems[i], code.Elems[i])
			}
		}
		if again.Header != code.Header {
			t.Fatalf("header %v from the record, %v from the vector", again.Header, code.Header)
		}
	}
}

func TestExtremeVectorsGiveFiniteKeys(t *testing.T) {
	values := []float32{0, math.SmallestNonzeroFloat32, 1e-38, 1e-20, 1, 1e19, math.MaxFloat32, -math.MaxFloat32}
	for _, metric := range []types.Metric{types.MetricL2, types.MetricInnerProduct, types.MetricCosine} {
		q := NewSQ8(metric, 2, []float32{1, -1})
		record, scratch := make([]byte, RecordBytes(2)), make([]float32, 2)
		code := Code{Elems: make([]int8, CodeElems(2))}
		for _, x := range values {
			for _, y := range values {
				q.Encode(record, []float32{x, y}, scratch)
				q.EncodeQuery(&code, []float32{y, x}, scratch)
				key := code.Key(HeaderAt(unsafe.Pointer(&record[0]), uintptr(len(record))), distance.DotCodes(record[:2], code.Elems[:2]))
				if math.IsNaN(float64(key)) || math.IsInf(float64(key), 0) {
					t.Errorf("%s of (%g, %g): key %v", metric, x, y, key)
				}
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	const dims = 512
	q := NewSQ8(types.MetricCosine, dims, make([]float32, dims))
	v, scratch, record := make([]float32, dims), make([]float32, dims), make([]byte, RecordBytes(dims))
	for i := range v {
		v[i] = rand.Float32()
	}
	b.ReportAllocs()
	for b.Loop() {
		q.Encode(record, v, scratch)
	}
}
