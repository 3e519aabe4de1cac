package distance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/akidb/akidb/internal/types"
)

// pair is random input of n elements of each kind.
type pair struct {
	a, b   []float32
	ha, hb []uint16
	ba, bb []byte
	q      []int8
}

func newPair(seed uint64, n int) pair {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	p := pair{make([]float32, n), make([]float32, n), make([]uint16, n), make([]uint16, n), make([]byte, n), make([]byte, n), make([]int8, n)}
	for i := range n {
		p.a[i], p.b[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
		p.ba[i], p.bb[i], p.q[i] = uint8(r.Uint32()), uint8(r.Uint32()), int8(r.Uint32())
	}
	types.Float32ToHalfs(p.ha, p.a)
	types.Float32ToHalfs(p.hb, p.b)
	return p
}

// compare checks each kernel in use against the portable one.
func compare(t *testing.T, p pair) {
	t.Helper()
	n := float64(len(p.a))
	near := func(name string, got, want float32) {
		t.Helper()
		if math.Abs(float64(got-want)) > 1e-5*(n+1)*(1+math.Abs(float64(want))/(n+1)) {
			t.Errorf("%s, %d elements: %v, want %v", name, len(p.a), got, want)
		}
	}
	same := func(name string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s, %d elements: %d, want %d", name, len(p.a), got, want)
		}
	}
	near("L2Squared", L2Squared(p.a, p.b), l2SquaredPortable(p.a, p.b))
	near("Dot", Dot(p.a, p.b), dotPortable(p.a, p.b))
	near("L1", L1(p.a, p.b), l1Portable(p.a, p.b))
	d, x, y := CosineParts(p.a, p.b)
	wd, wx, wy := cosinePartsPortable(p.a, p.b)
	near("CosineParts", d, wd)
	near("CosineParts", x, wx)
	near("CosineParts", y, wy)
	near("HalfL2Squared", HalfL2Squared(p.ha, p.hb), halfL2SquaredPortable(p.ha, p.hb))
	near("HalfDot", HalfDot(p.ha, p.hb), halfDotPortable(p.ha, p.hb))
	near("HalfL1", HalfL1(p.ha, p.hb), halfL1Portable(p.ha, p.hb))
	d, x, y = HalfCosineParts(p.ha, p.hb)
	wd, wx, wy = halfCosinePartsPortable(p.ha, p.hb)
	near("HalfCosineParts", d, wd)
	near("HalfCosineParts", x, wx)
	near("HalfCosineParts", y, wy)
	same("Hamming", Hamming(p.ba, p.bb), hammingPortable(p.ba, p.bb))
	both, either := JaccardParts(p.ba, p.bb)
	wantBoth, wantEither := jaccardPartsPortable(p.ba, p.bb)
	same("JaccardParts", both, wantBoth)
	same("JaccardParts", either, wantEither)
	same("DotCodes", int(DotCodes(p.ba, p.q)), int(dotCodesPortable(p.ba, p.q)))
}

func TestEveryKernelAgreesWithThePortableOne(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for n := range 200 {
			compare(t, newPair(7, n))
		}
		compare(t, newPair(7, 1536))
		compare(t, newPair(7, types.MaxVectorDims))
	})
}

func FuzzKernels(f *testing.F) {
	f.Add(uint64(1), uint16(512))
	f.Add(uint64(2), uint16(0))
	f.Add(uint64(3), uint16(777))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		p := newPair(seed, int(n%4096))
		eachLevel(t, func(t *testing.T) { compare(t, p) })
	})
}

func TestExtremeElementsGiveTheSameInEveryKernel(t *testing.T) {
	values := []float32{0, 1, -1, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 65504}
	eachLevel(t, func(t *testing.T) {
		for _, x := range values {
			for _, y := range values {
				a, b := []float32{x}, []float32{y}
				if got, want := L2Squared(a, b), l2SquaredPortable(a, b); got != want {
					t.Errorf("L2Squared(%g, %g) is %g, want %g", x, y, got, want)
				}
				if got, want := L1(a, b), l1Portable(a, b); got != want {
					t.Errorf("L1(%g, %g) is %g, want %g", x, y, got, want)
				}
			}
		}
	})
}

func TestSparseKernelsAgreeWithDenseOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		a, b := make(types.Vector, 50), make(types.Vector, 50)
		for range r.IntN(30) {
			a[r.IntN(50)] = float32(r.IntN(9) - 4)
			b[r.IntN(50)] = float32(r.IntN(9) - 4)
		}
		sa, sb := sparse(a), sparse(b)
		for _, m := range []types.Metric{types.MetricL2, types.MetricInnerProduct, types.MetricCosine, types.MetricL1} {
			got, want := Sparse(m, sa, sb), Vector(m, a, b)
			if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-9 {
				t.Errorf("%s of %v and %v: %v, dense %v", m, a, b, got, want)
			}
		}
	}
}

func sparse(v types.Vector) types.SparseVector {
	s := types.SparseVector{Dim: int32(len(v))}
	for i, x := range v {
		if x != 0 {
			s.Index = append(s.Index, int32(i))
			s.Value = append(s.Value, x)
		}
	}
	return s
}

func TestDistancesAreThoseOfPgvector(t *testing.T) {
	v := func(x ...float32) types.Vector { return x }
	for _, c := range []struct {
		metric types.Metric
		a, b   types.Vector
		want   float64
	}{
		{types.MetricL2, v(0, 0), v(3, 4), 5},
		{types.MetricL2, v(3e38), v(-3e38), math.Inf(1)},
		{types.MetricInnerProduct, v(1, 2), v(3, 4), -11},
		{types.MetricCosine, v(1, 2), v(2, 4), 0},
		{types.MetricCosine, v(1, 2), v(0, 0), math.NaN()},
		{types.MetricCosine, v(1, 1), v(-1, -1), 2},
		{types.MetricCosine, v(1, 0), v(0, 2), 1},
		{types.MetricCosine, v(3e38), v(4e37), math.NaN()},
		{types.MetricL1, v(0, 0), v(3, -4), 7},
	} {
		half := func(x types.Vector) types.HalfVector {
			h := make(types.HalfVector, len(x))
			types.Float32ToHalfs(h, x)
			return h
		}
		check := func(kind string, got float64) {
			if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
				t.Errorf("%s of %s %v and %v: %v, want %v", c.metric, kind, c.a, c.b, got, c.want)
			}
		}
		check("vector", Vector(c.metric, c.a, c.b))
		if c.a[0] < 1e30 {
			check("halfvec", Half(c.metric, half(c.a), half(c.b)))
		}
		check("sparsevec", Sparse(c.metric, sparse(c.a), sparse(c.b)))
	}
	bits := func(b ...byte) types.Bits { return types.Bits{N: 8 * len(b), B: b} }
	for _, c := range []struct {
		metric types.Metric
		a, b   types.Bits
		want   float64
	}{
		{types.MetricHamming, bits(0xff, 0x0f), bits(0x0f, 0x0f), 4},
		{types.MetricJaccard, bits(0xf0), bits(0xc0), 0.5},
		{types.MetricJaccard, bits(0xf0), bits(0x0f), 1},
		{types.MetricJaccard, bits(0), bits(0), 1},
		{types.MetricJaccard, bits(), bits(), 1},
	} {
		if got := Bit(c.metric, c.a, c.b); got != c.want {
			t.Errorf("%s of %v and %v: %v, want %v", c.metric, c.a, c.b, got, c.want)
		}
	}
}

func TestKernelsDoNotAllocate(t *testing.T) {
	p := newPair(1, 512)
	if n := testing.AllocsPerRun(100, func() {
		sink += L2Squared(p.a, p.b) + Dot(p.a, p.b) + L1(p.a, p.b) + HalfDot(p.ha, p.hb)
		sink += float32(Vector(types.MetricCosine, p.a, p.b)) + float32(Hamming(p.ba, p.bb)) + float32(DotCodes(p.ba, p.q))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var sink float32

func BenchmarkKernels(b *testing.B) {
	for _, n := range []int{100, 512, 784} {
		p := newPair(1, n)
		for _, k := range []struct {
			name string
			run  func()
		}{
			{"l2", func() { sink += L2Squared(p.a, p.b) }},
			{"dot", func() { sink += Dot(p.a, p.b) }},
			{"l1", func() { sink += L1(p.a, p.b) }},
			{"cosine", func() { d, _, _ := CosineParts(p.a, p.b); sink += d }},
			{"half l2", func() { sink += HalfL2Squared(p.ha, p.hb) }},
			{"half dot", func() { sink += HalfDot(p.ha, p.hb) }},
			{"codes", func() { sink += float32(DotCodes(p.ba, p.q)) }},
			{"hamming", func() { sink += float32(Hamming(p.ba[:(n+7)/8], p.bb[:(n+7)/8])) }},
		} {
			b.Run(fmt.Sprintf("%s/%d/%s", k.name, n, Level()), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					k.run()
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mdist/s")
			})
		}
	}
}
