package hnsw

import (
	"math"
	"unsafe"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// kind is what the graph is walked on.
type kind uint8

const (
	kindCodes    kind = iota // SQ8 codes of vector or halfvec
	kindVectorL1             // float32
	kindHalfL1               // binary16
	kindSparse               // sparsevec, any of its metrics
	kindBits                 // bit strings
)

func kindOf(o *Options) kind {
	switch {
	case isBit(o.Type):
		return kindBits
	case o.Type == types.SparseVecOID:
		return kindSparse
	case quantize.Codes(o.Metric):
		return kindCodes
	case o.Type == types.HalfVecOID:
		return kindHalfL1
	}
	return kindVectorL1
}

// rawBytes is the size of a vector's record; vectors of a cache line or more
// start at one.
func rawBytes(o *Options) int {
	n := 0
	switch o.Type {
	case types.VectorOID:
		n = 4 * o.Dims
	case types.HalfVecOID:
		n = 2 * o.Dims
	case types.SparseVecOID:
		return int(unsafe.Sizeof(sparseRecord{}))
	default:
		n = (o.Dims + 7) / 8
	}
	if n < 64 {
		return (n + 7) &^ 7
	}
	return (n + 63) &^ 63
}

// check refuses what is not of the index's type and dimensions.
func (x *Index) check(v types.Datum, query bool) error {
	got, name := -1, ""
	switch v := v.(type) {
	case types.Vector:
		if x.options.Type == types.VectorOID {
			got, name = len(v), "vector dimensions"
		}
	case types.HalfVector:
		if x.options.Type == types.HalfVecOID {
			got, name = len(v), "halfvec dimensions"
		}
	case types.SparseVector:
		if x.options.Type == types.SparseVecOID {
			got, name = int(v.Dim), "sparsevec dimensions"
		}
	case types.Bits:
		if isBit(x.options.Type) {
			got, name = v.N, "bit lengths"
		}
	}
	switch {
	case got == x.options.Dims:
		return nil
	case got < 0:
		return pgerr.Newf(pgerr.DatatypeMismatch, "a value of type %T is not one of the index", v)
	case query:
		return pgerr.Newf(pgerr.DataException, "different %s %d and %d", name, x.options.Dims, got)
	}
	return pgerr.Newf(pgerr.DataException, "expected %d dimensions, not %d", x.options.Dims, got)
}

func isZero(v types.Datum) bool {
	switch v := v.(type) {
	case types.Vector:
		return allZero(v)
	case types.HalfVector:
		for _, h := range v {
			if h&0x7fff != 0 {
				return false
			}
		}
		return true
	case types.SparseVector:
		return allZero(v.Value)
	}
	return false
}

func allZero(v []float32) bool {
	for _, f := range v {
		if f != 0 {
			return false
		}
	}
	return true
}

// store writes a checked vector to a slot that nobody reads. The caller holds mu.
func (x *Index) store(slot uint32, v types.Datum) error {
	switch v := v.(type) {
	case types.Vector:
		copy(x.vector(slot), v)
	case types.HalfVector:
		copy(x.half(slot), v)
	case types.Bits:
		copy(x.raw.bytes(slot), v.B)
	case types.SparseVector:
		if err := x.sparse.store((*sparseRecord)(x.raw.at(slot)), v); err != nil {
			return outOfMemory(err)
		}
	}
	return nil
}

func (x *Index) vector(slot uint32) []float32 {
	return unsafe.Slice((*float32)(x.raw.at(slot)), x.options.Dims)
}

func (x *Index) half(slot uint32) []uint16 {
	return unsafe.Slice((*uint16)(x.raw.at(slot)), x.options.Dims)
}

func (x *Index) bitBytes(slot uint32) []byte {
	return unsafe.Slice((*byte)(x.raw.at(slot)), (x.options.Dims+7)/8)
}

func (x *Index) sparseVector(slot uint32) types.SparseVector {
	return (*sparseRecord)(x.raw.at(slot)).vector(int32(x.options.Dims))
}

// floats is the vector of a slot as float32; a halfvec is widened into dst.
func (x *Index) floats(slot uint32, dst []float32) []float32 {
	if x.options.Type == types.VectorOID {
		return x.vector(slot)
	}
	types.HalfToFloat32s(dst, x.half(slot))
	return dst
}

// query is a vector that others are compared with: codes for keys, the vector
// itself for distances. It points into slots or the caller's vector.
type query struct {
	code    quantize.Code
	vector  []float32
	half    []uint16
	bits    []byte
	sparse  types.SparseVector
	inverse float32 // of the norm, for sparsevec under cosine
}

// setDatum makes v, which has been checked, the query.
func (x *Index) setDatum(q *query, v types.Datum, w *scratch) {
	switch v := v.(type) {
	case types.Vector:
		q.vector = v
		x.encodeQuery(q, v, w)
	case types.HalfVector:
		q.half = v
		if x.kind == kindCodes {
			types.HalfToFloat32s(w.wide, v)
			x.encodeQuery(q, w.wide, w)
		}
	case types.Bits:
		q.bits = v.B
	case types.SparseVector:
		q.sparse = v
		q.inverse = inverseNorm(v.Value)
	}
}

func (x *Index) encodeQuery(q *query, v []float32, w *scratch) {
	if sq := x.sq.Load(); sq != nil && x.kind == kindCodes {
		sq.EncodeQuery(&q.code, v, w.residual)
	}
}

// setSlot makes the vector of a slot, which has its code, the query for keys.
func (x *Index) setSlot(q *query, slot uint32) {
	switch x.kind {
	case kindCodes:
		x.sq.Load().Query(&q.code, x.codes.bytes(slot))
	case kindVectorL1:
		q.vector = x.vector(slot)
	case kindHalfL1:
		q.half = x.half(slot)
	case kindSparse:
		q.sparse = x.sparseVector(slot)
		q.inverse = (*sparseRecord)(x.raw.at(slot)).inverse
	case kindBits:
		q.bits = x.bitBytes(slot)
	}
}

// keys sets w.keys[i] to the key of the query and slots[i]. Keys order as the
// distances do, on codes approximately.
func (x *Index) keys(w *scratch, q *query, slots []uint32) []float32 {
	keys := w.room(len(slots))
	switch x.kind {
	case kindCodes:
		x.codeKeys(w, q, slots, keys)
	case kindVectorL1:
		for i, s := range slots {
			keys[i] = distance.L1(q.vector, x.vector(s))
		}
	case kindHalfL1:
		for i, s := range slots {
			keys[i] = distance.HalfL1(q.half, x.half(s))
		}
	case kindSparse:
		for i, s := range slots {
			keys[i] = x.sparseKey(q, (*sparseRecord)(x.raw.at(s)))
		}
	case kindBits:
		for i, s := range slots {
			keys[i] = x.bitKey(q, x.bitBytes(s))
		}
	}
	return keys
}

func (x *Index) codeKeys(w *scratch, q *query, slots []uint32, keys []float32) {
	chunks := *x.codes.chunks.Load()
	shift, mask, stride := x.codes.shift, x.codes.mask, x.codes.stride
	addresses, products := w.addresses[:len(slots)], w.products[:len(slots)]
	for i, s := range slots {
		addresses[i] = uintptr(chunks[s>>shift]) + uintptr(s&mask)*stride
	}
	distance.DotCodesMany(q.code.Elems, addresses, products)
	for i, s := range slots {
		h := quantize.HeaderAt(unsafe.Add(chunks[s>>shift], uintptr(s&mask)*stride), stride)
		keys[i] = q.code.Key(h, products[i])
	}
}

func (x *Index) sparseKey(q *query, r *sparseRecord) float32 {
	v := r.vector(int32(x.options.Dims))
	switch x.options.Metric {
	case types.MetricL2:
		return distance.SparseL2Squared(q.sparse, v)
	case types.MetricL1:
		return distance.SparseL1(q.sparse, v)
	case types.MetricCosine:
		return -distance.SparseDot(q.sparse, v) * q.inverse * r.inverse
	}
	return -distance.SparseDot(q.sparse, v)
}

func (x *Index) bitKey(q *query, b []byte) float32 {
	if x.options.Metric == types.MetricHamming {
		return float32(distance.Hamming(q.bits, b))
	}
	return float32(distance.JaccardOf(distance.JaccardParts(q.bits, b)))
}

// exact is the distance of the query and a slot as the operator gives it, except
// that what is not a number is infinitely far.
func (x *Index) exact(q *query, slot uint32) float64 {
	var d float64
	switch x.options.Type {
	case types.VectorOID:
		d = distance.Vector(x.options.Metric, q.vector, x.vector(slot))
	case types.HalfVecOID:
		d = distance.Half(x.options.Metric, q.half, x.half(slot))
	case types.SparseVecOID:
		d = distance.Sparse(x.options.Metric, q.sparse, x.sparseVector(slot))
	default:
		if x.options.Metric == types.MetricHamming {
			d = float64(distance.Hamming(q.bits, x.bitBytes(slot)))
		} else {
			d = distance.JaccardOf(distance.JaccardParts(q.bits, x.bitBytes(slot)))
		}
	}
	if d != d {
		return math.Inf(1)
	}
	return d
}

func inverseNorm(v []float32) float32 {
	sum := 0.0
	for _, f := range v {
		sum += float64(f) * float64(f)
	}
	if sum == 0 {
		return 0
	}
	return float32(min(1/math.Sqrt(sum), math.MaxFloat32))
}
