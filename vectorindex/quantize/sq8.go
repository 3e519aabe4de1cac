package quantize

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// SQ8 codes a vector as one byte an element, for the metrics l2, inner product
// and cosine. The centre is taken off first, so that the bytes are spent on what
// tells vectors apart; then each vector is scaled by its own largest element,
// so that no training is needed and one outlier harms one vector only. Cosine
// codes the normalised vector and measures l2, which orders alike.
//
// With element codes c, scale s and centre m, a record is
//
//	c + 128 as bytes, padding, Header
//
// and the key of two vectors a, q, which orders as the distance does, is
//
//	Bias(a) + Bias(q) - Scale(a) * Scale(q) * sum c(a) c(q)
//
// For l2, Bias is the squared norm of the coded vector (not of the true one: the
// errors of the three terms then cancel for near vectors) and Scale is sqrt(2) s;
// for the inner product, Bias is -(v-m).m - m.m/2 and Scale is s.
type SQ8 struct {
	metric types.Metric
	dims   int
	centre []float32
	half   float64 // m.m/2
}

// Header ends a record.
type Header struct {
	Scale, Bias float32
	Sum         int32 // 128 times the sum of the codes
	_           uint32
}

const headerBytes = int(unsafe.Sizeof(Header{}))

// Keys stay finite: 16,000 squares of largestElement are below largest, and four
// terms of that size below the greatest float32.
const (
	largest        = math.MaxFloat32 / 16
	largestElement = 1e16
)

// Code is a vector on the query side: signed codes, padded with zeros to a
// multiple of distance.CodeBlock, and the factors of its key.
type Code struct {
	Elems []int8
	Header
}

// NewSQ8 returns a quantizer; centre has dims elements, or is nil for none.
// Under cosine it is the centre of the normalised vectors.
func NewSQ8(metric types.Metric, dims int, centre []float32) *SQ8 {
	q := &SQ8{metric: metric, dims: dims, centre: centre}
	for _, m := range centre {
		q.half += float64(m) * float64(m) / 2
	}
	return q
}

// Codes tells whether vectors of a metric can be coded.
func Codes(metric types.Metric) bool {
	return metric == types.MetricL2 || metric == types.MetricInnerProduct || metric == types.MetricCosine
}

// RecordBytes is the size of a record: whole cache lines.
func RecordBytes(dims int) int { return (dims + headerBytes + 63) &^ 63 }

// CodeElems is the length of a Code's Elems.
func CodeElems(dims int) int {
	return (dims + distance.CodeBlock - 1) / distance.CodeBlock * distance.CodeBlock
}

// Centre is the centre, nil when there is none.
func (q *SQ8) Centre() []float32 { return q.centre }

// Encode writes the record of v; scratch has dims elements and is overwritten.
func (q *SQ8) Encode(record []byte, v, scratch []float32) {
	h := headerOf(record)
	scale, step := q.residual(v, scratch)
	var sum, squares int32
	record = record[:q.dims]
	for i, r := range scratch[:q.dims] {
		c := roundCode(r * step)
		record[i] = uint8(c + 128)
		sum += c
		squares += c * c
	}
	*h = q.header(scratch, scale, sum, squares)
}

// EncodeQuery makes v into a Code; dst.Elems has CodeElems elements.
func (q *SQ8) EncodeQuery(dst *Code, v, scratch []float32) {
	scale, step := q.residual(v, scratch)
	var sum, squares int32
	for i, r := range scratch[:q.dims] {
		c := roundCode(r * step)
		dst.Elems[i] = int8(c)
		sum += c
		squares += c * c
	}
	clear(dst.Elems[q.dims:])
	dst.Header = q.header(scratch, scale, sum, squares)
}

// Query makes the Code of a record.
func (q *SQ8) Query(dst *Code, record []byte) {
	dst.Header = *headerOf(record)
	i := 0
	for ; i+8 <= q.dims; i += 8 {
		*(*uint64)(unsafe.Pointer(&dst.Elems[i])) = binary.NativeEndian.Uint64(record[i:]) ^ 0x8080808080808080
	}
	for ; i < q.dims; i++ {
		dst.Elems[i] = int8(record[i] ^ 0x80)
	}
	clear(dst.Elems[q.dims:])
}

// HeaderAt is the header of the record of size bytes at p.
func HeaderAt(p unsafe.Pointer, size uintptr) *Header {
	return (*Header)(unsafe.Add(p, size-uintptr(headerBytes)))
}

// Key is the key of a query and a record whose codes have the given product.
func (c *Code) Key(h *Header, product int32) float32 {
	return h.Bias + c.Bias - h.Scale*c.Scale*float32(product-c.Sum)
}

func headerOf(record []byte) *Header {
	return (*Header)(unsafe.Pointer(&record[len(record)-headerBytes]))
}

// residual sets scratch to what is coded and returns the scale and its inverse.
func (q *SQ8) residual(v, scratch []float32) (scale, step float32) {
	factor := float32(1)
	if q.metric == types.MetricCosine {
		factor = inverseNorm(v)
	}
	scratch = scratch[:q.dims]
	v = v[:q.dims]
	var topBits uint32 // without the sign, bits order as the numbers do
	if q.centre == nil {
		for i, x := range v {
			r := x * factor
			scratch[i] = r
			topBits = max(topBits, math.Float32bits(r)&^signBit)
		}
	} else {
		centre := q.centre[:q.dims]
		for i, x := range v {
			r := x*factor - centre[i]
			scratch[i] = r
			topBits = max(topBits, math.Float32bits(r)&^signBit)
		}
	}
	top := math.Float32frombits(topBits)
	if top == 0 || !(top < largestElement) { // beyond it order is lost, nothing else
		clear(scratch)
		return 0, 0
	}
	scale = top / 127
	if step = 1 / scale; math.IsInf(float64(step), 0) { // subnormal
		return 0, 0
	}
	return scale, step
}

func (q *SQ8) header(residual []float32, scale float32, sum, squares int32) Header {
	h := Header{Scale: scale, Sum: 128 * sum}
	if q.metric != types.MetricInnerProduct {
		h.Bias = finite(float64(scale) * float64(scale) * float64(squares))
		h.Scale = scale * math.Sqrt2
		return h
	}
	bias := -q.half
	for i, m := range q.centre {
		bias -= float64(m) * float64(residual[i])
	}
	h.Bias = finite(bias)
	return h
}

// Normalize writes v, of norm one, to dst; a zero vector stays zero.
func Normalize(dst, v []float32) {
	factor := inverseNorm(v)
	for i, x := range v {
		dst[i] = x * factor
	}
}

func inverseNorm(v []float32) float32 {
	if s := distance.Dot(v, v); s > 1e-30 && s < 1e30 {
		return float32(1 / math.Sqrt(float64(s)))
	}
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return 0
	}
	return finite(1 / math.Sqrt(sum))
}

func finite(x float64) float32 {
	return float32(max(-largest, min(largest, x)))
}

const signBit = 1 << 31

// roundCode rounds half away from zero; |x| is at most 127 and a little, never
// enough to become 128.
func roundCode(x float32) int32 {
	half := math.Float32frombits(math.Float32bits(x)&signBit | 0x3f000000) // 0.5 with the sign of x
	return int32(x + half)
}
