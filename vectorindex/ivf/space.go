package ivf

import (
	"context"
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// Value is a vector of the index's type without the cost of an interface: one of
// the fields is set, or none when there is no such row.
type Value struct {
	Vector types.Vector
	Half   types.HalfVector
	Bits   []byte
}

// ValueOf is a datum as a Value; what is no vector is none.
func ValueOf(d types.Datum) Value {
	switch d := d.(type) {
	case types.Vector:
		return Value{Vector: d}
	case types.HalfVector:
		return Value{Half: d}
	case types.Bits:
		return Value{Bits: d.B}
	}
	return Value{}
}

// Source reads vectors by row id. It sets into[i] for ids[i], or leaves it empty
// when the row is gone; the values are read before the next call. Any number of
// goroutines may call it.
type Source interface {
	Vectors(ids []types.RowID, into []Value) error
}

// ContextSource is a Source whose reads take their time: a search gives it its own
// context, which ends them and can carry what counts them.
type ContextSource interface {
	Source
	VectorsContext(ctx context.Context, ids []types.RowID, into []Value) error
}

// space maps vectors to where all metrics but l1 are the squared Euclidean distance:
// cosine normalises; the inner product adds an element that brings every vector to
// the same norm (Bachrach et al., 2014); bits become 0 and 1. All but bits are then
// padded and rotated. l1 is guided by l2.
type space struct {
	metric   types.Metric
	oid      types.OID
	dims     int // of values
	padded   int // of mapped vectors
	reach    float32
	rotation *quantize.Rotation
}

// largest keeps squares finite; beyond it order is lost, nothing else.
const largest = 1e16

func newSpace(o *Options, seed uint64, reach float32) *space {
	s := &space{metric: o.Metric, oid: o.Type, dims: o.Dims, padded: paddedDims(o), reach: reach}
	if !isBit(o.Type) {
		s.rotation = quantize.NewRotation(s.padded, seed)
	}
	return s
}

func paddedDims(o *Options) int {
	if o.Metric == types.MetricInnerProduct {
		return quantize.PadDims(o.Dims + 1)
	}
	return quantize.PadDims(o.Dims)
}

// floats writes a value's elements, as they are.
func (s *space) floats(dst []float32, v *Value) {
	switch {
	case v.Vector != nil:
		copy(dst, v.Vector)
	case v.Half != nil:
		types.HalfToFloat32s(dst[:len(v.Half)], v.Half)
	default:
		for i := range s.dims {
			dst[i] = float32(v.Bits[i>>3] >> (7 - i&7) & 1)
		}
	}
	for i, x := range dst[:s.dims] {
		dst[i] = max(-largest, min(largest, x))
	}
}

// place maps elements, which stand at the start of v, in place. What the estimate of
// a squared distance must have added is returned: not 0 only for vectors beyond
// reach.
func (s *space) place(v []float32) float32 {
	clear(v[s.dims:])
	shift := float32(0)
	switch s.metric {
	case types.MetricCosine:
		quantize.Normalize(v[:s.dims], v[:s.dims])
	case types.MetricInnerProduct:
		rest := s.reach - distance.Dot(v[:s.dims], v[:s.dims])
		if rest >= 0 {
			v[s.dims] = float32(math.Sqrt(float64(rest)))
		} else {
			shift = rest
		}
	}
	if s.rotation != nil {
		s.rotation.Apply(v)
	}
	return shift
}

// placeQuery maps a query's elements in place.
func (s *space) placeQuery(v []float32) {
	clear(v[s.dims:])
	if s.metric == types.MetricCosine {
		quantize.Normalize(v[:s.dims], v[:s.dims])
	}
	if s.rotation != nil {
		s.rotation.Apply(v)
	}
}

// ordered tells whether exact distances can be compared with estimates.
func (s *space) ordered() bool { return s.metric != types.MetricL1 }

// key is an exact distance as a squared distance in the space; squares is that of
// the mapped query.
func (s *space) key(d float64, squares float32) float32 {
	switch s.metric {
	case types.MetricL2:
		d *= d
	case types.MetricCosine:
		d *= 2
	case types.MetricInnerProduct:
		d = 2*d + float64(squares) + float64(s.reach)
	}
	return float32(min(d, math.MaxFloat32))
}

// exact is the distance as the operator gives it, except that what is not a number
// is infinitely far.
func (s *space) exact(q, v *Value) float64 {
	var d float64
	switch {
	case v.Vector != nil:
		d = distance.Vector(s.metric, q.Vector, v.Vector)
	case v.Half != nil:
		d = distance.Half(s.metric, q.Half, v.Half)
	default:
		d = float64(distance.Hamming(q.Bits, v.Bits))
	}
	if d != d {
		return math.Inf(1)
	}
	return d
}

// check refuses what is not of the index's type and dimensions.
func (s *space) check(v types.Datum, query bool) error {
	got, name := -1, ""
	switch v := v.(type) {
	case types.Vector:
		if s.oid == types.VectorOID {
			got, name = len(v), "vector dimensions"
		}
	case types.HalfVector:
		if s.oid == types.HalfVecOID {
			got, name = len(v), "halfvec dimensions"
		}
	case types.Bits:
		if isBit(s.oid) {
			got, name = v.N, "bit lengths"
		}
	}
	switch {
	case got == s.dims:
		return nil
	case got < 0:
		return pgerr.Newf(pgerr.DatatypeMismatch, "a value of type %T is not one of the index", v)
	case query:
		return pgerr.Newf(pgerr.DataException, "different %s %d and %d", name, s.dims, got)
	}
	return pgerr.Newf(pgerr.DataException, "expected %d dimensions, not %d", s.dims, got)
}

// fits tells whether a value has the index's type and dimensions.
func (s *space) fits(v *Value) bool {
	switch s.oid {
	case types.VectorOID:
		return len(v.Vector) == s.dims
	case types.HalfVecOID:
		return len(v.Half) == s.dims
	}
	return len(v.Bits) == (s.dims+7)/8 && v.Bits != nil
}
