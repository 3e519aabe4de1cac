package quantize

import (
	"math"

	"github.com/akidb/akidb/vectorindex/distance"
)

// RaBitQ codes the difference of a rotated vector and the centre of its cell
// twice: by the signs of its elements, a bit each, and by four bits each. Both give
// an unbiased estimate of the squared distance to a query, and how far off it may
// be (Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a
// Theoretical Error Bound for Approximate Nearest Neighbor Search", SIGMOD 2024;
// several bits: Gao, Gou, Xu, Yang, Long and Wong, SIGMOD 2025).
//
// With r the difference, x the code as a vector and q the difference of query and
// centre, the squared distance is |r|^2 + |q|^2 - 2 r.q, and
//
//	r.q is about |r|^2 / (x.r) * (x.q)
//
// since a random rotation leaves what x misses of r without a direction. The
// deviation is |r| |q| tan(x, r) / sqrt(d - 1).
//
// Dimensions are padded to a multiple of 64. Everything here is about rotated
// vectors; RaBitQ has no state but its size.
type RaBitQ struct{ Dims int }

// PadDims is the number of dimensions of rotated vectors.
func PadDims(dims int) int { return (dims + 63) &^ 63 }

// SignFactors belong to a code of signs. Squared distances are
// |q|^2 + Bias + Scale * (sum of q with the code's signs), off by Error * |q| in
// one of three cases.
type SignFactors struct {
	Bias, Scale, Error float32
	Ones               uint32 // bits set
}

// FineFactors belong to a code of four bits; Bias is that of the signs.
type FineFactors struct{ Scale, Error float32 }

// SignBytes and FineBytes are the sizes of codes.
func (r RaBitQ) SignBytes() int { return r.Dims / 8 }

// FineBytes is the size of a code of four bits an element.
func (r RaBitQ) FineBytes() int { return r.Dims / 2 }

// Encode writes both codes of a difference. Bits stand lowest first. A fine code
// of 64 elements is 32 bytes: elements 0 to 31 below, 32 to 63 above.
func (r RaBitQ) Encode(difference []float32, signs, fine []byte) (SignFactors, FineFactors) {
	difference = difference[:r.Dims]
	clear(signs)
	var sum, squares float64
	ones := uint32(0)
	for i, x := range difference {
		squares += float64(x) * float64(x)
		if x >= 0 {
			signs[i>>3] |= 1 << (i & 7)
			ones++
			sum += float64(x)
		} else {
			sum -= float64(x)
		}
	}
	s := SignFactors{Bias: finite(squares), Ones: ones}
	if squares == 0 || sum == 0 {
		clear(fine)
		return s, FineFactors{}
	}
	s.Scale = finite(-2 * squares / sum)
	s.Error = r.deviation(squares, sum/math.Sqrt(squares*float64(r.Dims)))
	return s, r.encodeFine(difference, squares, fine)
}

// deviation is twice |r| tan(angle) / sqrt(d - 1), as r.q counts twice.
func (r RaBitQ) deviation(squares, cosine float64) float32 {
	c2 := min(cosine*cosine, 1)
	return finite(2 * math.Sqrt(squares*(1-c2)/c2/float64(max(1, r.Dims-1))))
}

// fineSteps are the steps tried, in deviations of an element: for normal elements
// the best is about a third.
var fineSteps = [...]float64{0.30, 0.34, 0.40}

func (r RaBitQ) encodeFine(difference []float32, squares float64, fine []byte) FineFactors {
	sigma := math.Sqrt(squares / float64(r.Dims))
	best, bestStep, bestProduct := -1.0, float32(0), 0.0
	for _, f := range fineSteps {
		step := float32(1 / (f * sigma))
		product, norm := fineFit(difference, step)
		if c := product / math.Sqrt(norm); c > best {
			best, bestStep, bestProduct = c, step, product
		}
	}
	if math.IsInf(float64(bestStep), 0) || !(bestProduct > 0) {
		clear(fine)
		return FineFactors{Error: float32(math.Inf(1))}
	}
	for block := 0; block < r.Dims; block += 64 {
		out := fine[block/2 : block/2+32]
		low, high := difference[block:block+32], difference[block+32:block+64]
		for i := range out {
			out[i] = fineCode(low[i]*bestStep) | fineCode(high[i]*bestStep)<<4
		}
	}
	return FineFactors{Scale: finite(-2 * squares / bestProduct), Error: r.deviation(squares, best/math.Sqrt(squares))}
}

// fineFit is the product of the difference and its code, and the code's square.
func fineFit(difference []float32, step float32) (product, norm float64) {
	var p, n float32
	for _, x := range difference {
		c := float32(fineCode(x*step)) - 7.5
		p += c * x
		n += c * c
	}
	return float64(p), float64(n)
}

// fineCode is 0 to 15, for -7.5 to 7.5.
func fineCode(x float32) byte { return byte(max(0, min(15, x+8))) }

// Query is the query's side within one cell: its difference to the centre as four
// planes of bits and as signed bytes.
type Query struct {
	Planes []byte // four times SignBytes: bit j of each element's four
	Bytes  []int8

	Squares float32 // of the difference
	Norm    float32
	low     float32 // an element is low + step * bits
	step    float32
	sum     float32 // of low + step * bits
	scale   float32 // an element is scale * byte
	byteSum int32
	peak    float32
}

// NewQuery makes room for queries.
func (r RaBitQ) NewQuery() *Query {
	return &Query{Planes: make([]byte, 4*r.SignBytes()), Bytes: make([]int8, r.Dims)}
}

// Set makes the planes of a difference.
func (q *Query) Set(difference []float32, squares float32) {
	low, high := distance.MinMax(difference)
	q.Squares, q.Norm = squares, float32(math.Sqrt(float64(squares)))
	q.low, q.step = low, (high-low)/15
	q.peak = max(high, -low)
	inverse := float32(0)
	if q.step > 0 {
		inverse = 1 / q.step
	}
	total := distance.BitPlanes(difference, low, inverse, q.Planes)
	q.sum = float32(len(difference))*q.low + q.step*float32(total)
	q.byteSum = math.MinInt32
}

// SetBytes makes the bytes; few cells need them.
func (q *Query) SetBytes(difference []float32) {
	if q.byteSum != math.MinInt32 {
		return
	}
	q.byteSum, q.scale = 0, q.peak/127
	inverse := float32(0)
	if q.peak > 0 {
		inverse = 127 / q.peak
	}
	for i, x := range difference {
		c := roundCode(x * inverse)
		q.Bytes[i] = int8(c)
		q.byteSum += c
	}
}

// Coarse is the squared distance that signs give; sum is that of BitSums.
func (q *Query) Coarse(f *SignFactors, sum uint32) float32 {
	set := q.low*float32(f.Ones) + q.step*float32(sum)
	return q.Squares + f.Bias + f.Scale*(2*set-q.sum)
}

// Fine is the squared distance that a fine code gives; product is that of
// DotNibbles.
func (q *Query) Fine(bias float32, f *FineFactors, product int32) float32 {
	return q.Squares + bias + f.Scale*q.scale*(float32(product)-7.5*float32(q.byteSum))
}
