package quantize

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// rotationRounds is how often signs are drawn and blocks are mixed: two rounds
// mix one power of two well, four also two blocks that overlap.
const rotationRounds = 4

// Rotation is a random orthogonal map that takes O(d log d): rounds of random
// signs followed by a Hadamard transform of the greatest power of two that fits,
// at the front and at the back in turn (the structured transforms of Ailon and
// Chazelle, 2009, and of Kac's walk). The same seed gives the same map for ever:
// files store the seed alone.
type Rotation struct {
	dims, block int
	signs       [rotationRounds][]float32 // 1 or -1 times the block's factor
}

// NewRotation makes the map of dims elements, a multiple of 64, that a seed names.
func NewRotation(dims int, seed uint64) *Rotation {
	r := &Rotation{dims: dims, block: 1 << (bits.Len(uint(dims)) - 1)}
	random := rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))
	factor := float32(1 / math.Sqrt(float64(r.block)))
	for round := range r.signs {
		signs := make([]float32, dims)
		first := r.first(round)
		for i := range signs {
			signs[i] = 1
			if i >= first && i < first+r.block {
				signs[i] = factor
			}
			if random.Uint64()&1 != 0 {
				signs[i] = -signs[i]
			}
		}
		r.signs[round] = signs
	}
	return r
}

func (r *Rotation) first(round int) int {
	if round%2 == 0 {
		return 0
	}
	return r.dims - r.block
}

// Apply rotates v, of dims elements, in place.
func (r *Rotation) Apply(v []float32) {
	for round, signs := range r.signs {
		for i, s := range signs {
			v[i] *= s
		}
		first := r.first(round)
		hadamard(v[first : first+r.block])
	}
}

// hadamard is the unscaled Walsh-Hadamard transform of a power of two of at least
// 64 elements; three levels are done in one pass over the memory where possible.
func hadamard(v []float32) {
	width := 1
	for ; width*8 <= len(v); width *= 8 {
		for i := 0; i < len(v); i += 8 * width {
			hadamard8(v[i:i+8*width], width)
		}
	}
	for ; width < len(v); width *= 2 {
		for i := 0; i < len(v); i += 2 * width {
			a, b := v[i:i+width], v[i+width:i+2*width]
			for j, x := range a {
				y := b[j]
				a[j], b[j] = x+y, x-y
			}
		}
	}
}

func hadamard8(v []float32, w int) {
	p0, p1, p2, p3 := v[:w], v[w:2*w], v[2*w:3*w], v[3*w:4*w]
	p4, p5, p6, p7 := v[4*w:5*w], v[5*w:6*w], v[6*w:7*w], v[7*w:8*w]
	for i := range p0 {
		a0, a1 := p0[i]+p1[i], p0[i]-p1[i]
		a2, a3 := p2[i]+p3[i], p2[i]-p3[i]
		a4, a5 := p4[i]+p5[i], p4[i]-p5[i]
		a6, a7 := p6[i]+p7[i], p6[i]-p7[i]
		b0, b2, b1, b3 := a0+a2, a0-a2, a1+a3, a1-a3
		b4, b6, b5, b7 := a4+a6, a4-a6, a5+a7, a5-a7
		p0[i], p4[i] = b0+b4, b0-b4
		p1[i], p5[i] = b1+b5, b1-b5
		p2[i], p6[i] = b2+b6, b2-b6
		p3[i], p7[i] = b3+b7, b3-b7
	}
}
