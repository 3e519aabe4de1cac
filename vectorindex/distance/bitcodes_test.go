package distance

import (
	"math/rand/v2"
	"testing"
)

// compareBitCodes checks the kernels of RaBitQ codes of blocks of 64 elements
// against the portable ones.
func compareBitCodes(t *testing.T, seed uint64, blocks int) {
	t.Helper()
	const count = 7
	r := rand.New(rand.NewPCG(seed, uint64(blocks)))
	fill := func(b []byte) []byte {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	width := 8 * blocks
	planes, codes := fill(make([]byte, 4*width)), fill(make([]byte, count*width))
	got, want := make([]uint32, count), make([]uint32, count)
	BitSums(planes, codes, width, got)
	bitSumsPortable(planes, codes, width, want)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("BitSums, %d bytes: %d, want %d", width, got[i], want[i])
		}
	}
	query := make([]int8, 64*blocks)
	for i := range query {
		query[i] = int8(r.IntN(255) - 127)
	}
	if got, want := DotNibbles(codes[:4*width], query[:64*blocks]), dotNibblesPortable(codes[:4*width], query); got != want {
		t.Fatalf("DotNibbles, %d bytes: %d, want %d", 4*width, got, want)
	}
	v := make([]float32, 64*blocks)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	low, high := MinMax(v)
	inverse := 15 / (high - low)
	wantPlanes := make([]byte, 4*width)
	total, wantTotal := BitPlanes(v, low, inverse, planes), bitPlanesPortable(v, low, inverse, wantPlanes)
	if total != wantTotal || string(planes) != string(wantPlanes) {
		t.Fatalf("BitPlanes, %d elements: sum %d, want %d", len(v), total, wantTotal)
	}
}

func TestKernelsOfBitCodesAgreeWithThePortableOnes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for blocks := range 40 {
			if blocks > 0 {
				compareBitCodes(t, 5, blocks)
			}
		}
	})
}

func FuzzBitCodes(f *testing.F) {
	f.Add(uint64(1), uint8(8))
	f.Add(uint64(2), uint8(13))
	f.Fuzz(func(t *testing.T, seed uint64, blocks uint8) {
		eachLevel(t, func(t *testing.T) { compareBitCodes(t, seed, 1+int(blocks)) })
	})
}

func BenchmarkBitSums512(b *testing.B) {
	const width, count = 64, 100
	planes, codes, out := make([]byte, 4*width), make([]byte, count*width), make([]uint32, count)
	b.ReportAllocs()
	for b.Loop() {
		BitSums(planes, codes, width, out)
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcodes/s")
}
