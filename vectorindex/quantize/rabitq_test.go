package quantize

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/akidb/akidb/vectorindex/distance"
)

func TestARotationKeepsDistances(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, dims := range []int{64, 128, 192, 512, 832, 1536} {
		r := NewRotation(dims, 7)
		a, b := make([]float32, dims), make([]float32, dims)
		for i := range a {
			a[i], b[i] = float32(random.NormFloat64()), float32(random.NormFloat64())
		}
		before := float64(distance.L2Squared(a, b))
		r.Apply(a)
		r.Apply(b)
		if after := float64(distance.L2Squared(a, b)); math.Abs(after-before) > 1e-3*before {
			t.Errorf("%d dimensions: squared distance %v, was %v", dims, after, before)
		}
	}
}

func TestARotationSpreadsASingleElement(t *testing.T) {
	for _, dims := range []int{64, 192, 512, 832} {
		r := NewRotation(dims, 7)
		for at := 0; at < dims; at += 37 {
			v := make([]float32, dims)
			v[at] = 1
			r.Apply(v)
			if low, high := distance.MinMax(v); max(high, -low) > 0.5 {
				t.Errorf("%d dimensions: element %d keeps %v in one place", dims, at, max(high, -low))
			}
		}
	}
}

// The estimates have no bias, and lie within 1.9 deviations as often as the paper
// says: nearly always.
func TestEstimatesHaveNoBiasAndKeepTheirBounds(t *testing.T) {
	for _, dims := range []int{64, 128, 512} {
		random := rand.New(rand.NewPCG(3, uint64(dims)))
		r, rotation := RaBitQ{Dims: dims}, NewRotation(dims, 1)
		q, signs, fine, sums := r.NewQuery(), make([]byte, r.SignBytes()), make([]byte, r.FineBytes()), make([]uint32, 1)
		var coarseBias, fineBias, outside, fineOutside float64
		const n = 2000
		for range n {
			a, b := make([]float32, dims), make([]float32, dims)
			for i := range a {
				a[i], b[i] = float32(random.ExpFloat64()), float32(random.NormFloat64())
			}
			rotation.Apply(a)
			rotation.Apply(b)
			sf, ff := r.Encode(a, signs, fine)
			q.Set(b, distance.Dot(b, b))
			q.SetBytes(b)
			distance.BitSums(q.Planes, signs, len(signs), sums)
			want := distance.L2Squared(a, b)
			coarse := float64(q.Coarse(&sf, sums[0])-want) / float64(sf.Error*q.Norm)
			exact := float64(q.Fine(sf.Bias, &ff, distance.DotNibbles(fine, q.Bytes))-want) / float64(ff.Error*q.Norm)
			coarseBias += coarse / n
			fineBias += exact / n
			if math.Abs(coarse) > 2.5 {
				outside += 1.0 / n
			}
			if math.Abs(exact) > 2.5 {
				fineOutside += 1.0 / n
			}
		}
		if math.Abs(coarseBias) > 0.12 || math.Abs(fineBias) > 0.12 {
			t.Errorf("%d dimensions: bias %.3f and %.3f deviations", dims, coarseBias, fineBias)
		}
		if outside > 0.03 || fineOutside > 0.03 {
			t.Errorf("%d dimensions: %.3f and %.3f beyond 2.5 deviations", dims, outside, fineOutside)
		}
		t.Logf("%d dimensions: bias %.3f %.3f, outside %.4f %.4f", dims, coarseBias, fineBias, outside, fineOutside)
	}
}

func BenchmarkEncodeRaBitQ(b *testing.B) {
	r, rotation := RaBitQ{Dims: 512}, NewRotation(512, 1)
	v, signs, fine := make([]float32, 512), make([]byte, r.SignBytes()), make([]byte, r.FineBytes())
	for i := range v {
		v[i] = float32(rand.NormFloat64())
	}
	b.ReportAllocs()
	for b.Loop() {
		rotation.Apply(v)
		r.Encode(v, signs, fine)
	}
}
