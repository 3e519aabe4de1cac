package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions of pgvector. They stand in the schema public, as an extension
// installed without a schema would put them.
var vectorFunctions = []*Function{
	define1("public.vector_dims(vector) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(types.Vector))), nil }),
	define1("public.vector_dims(halfvec) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(types.HalfVector))), nil }),
	define1("public.vector_norm(vector) float8", func(a types.Datum) (types.Datum, error) { return normOf(a.(types.Vector)), nil }),
	define1("public.l2_norm(vector) float8", func(a types.Datum) (types.Datum, error) { return normOf(a.(types.Vector)), nil }),
	define1("public.l2_norm(halfvec) float8", func(a types.Datum) (types.Datum, error) {
		return normOf(types.HalfToVector(a.(types.HalfVector))), nil
	}),
	define1("public.l2_norm(sparsevec) float8", func(a types.Datum) (types.Datum, error) { return normOf(a.(types.SparseVector).Value), nil }),
	define1("public.l2_normalize(vector) vector", func(a types.Datum) (types.Datum, error) {
		out, err := normalized(a.(types.Vector))
		return datum(types.Vector(out), err)
	}),
	define1("public.l2_normalize(halfvec) halfvec", normalizeHalf),
	define1("public.l2_normalize(sparsevec) sparsevec", normalizeSparse),
	define1("public.binary_quantize(vector) bit", func(a types.Datum) (types.Datum, error) {
		v := a.(types.Vector)
		return quantizeBits(len(v), func(i int) bool { return v[i] > 0 }), nil
	}),
	define1("public.binary_quantize(halfvec) bit", func(a types.Datum) (types.Datum, error) {
		v := a.(types.HalfVector)
		return quantizeBits(len(v), func(i int) bool { return types.HalfToFloat32(v[i]) > 0 }), nil
	}),
	define("public.subvector(vector, int4, int4) vector", func(_ *Context, args []types.Datum) (types.Datum, error) {
		v := args[0].(types.Vector)
		from, to, err := subvectorRange(len(v), args[1].(int64), args[2].(int64), "vector")
		if err != nil {
			return nil, err
		}
		return v[from:to:to], nil
	}),
	define("public.subvector(halfvec, int4, int4) halfvec", func(_ *Context, args []types.Datum) (types.Datum, error) {
		v := args[0].(types.HalfVector)
		from, to, err := subvectorRange(len(v), args[1].(int64), args[2].(int64), "halfvec")
		if err != nil {
			return nil, err
		}
		return v[from:to:to], nil
	}),
	define2("public.vector_add(vector, vector) vector", vectorAdd),
	define2("public.vector_sub(vector, vector) vector", vectorSub),
	define2("public.vector_mul(vector, vector) vector", vectorMul),
	define2("public.vector_concat(vector, vector) vector", vectorConcat),
	define2("public.halfvec_add(halfvec, halfvec) halfvec", halfvecAdd),
	define2("public.halfvec_sub(halfvec, halfvec) halfvec", halfvecSub),
	define2("public.halfvec_mul(halfvec, halfvec) halfvec", halfvecMul),
	define2("public.halfvec_concat(halfvec, halfvec) halfvec", halfvecConcat),
}

func normOf(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// normalized divides by the norm; a zero vector stays as it is.
func normalized(v []float32) ([]float32, error) {
	out := make([]float32, len(v))
	norm := normOf(v)
	if norm == 0 {
		return out, nil
	}
	for i, x := range v {
		out[i] = float32(float64(x) / norm)
		if math.IsInf(float64(out[i]), 0) {
			return nil, floatOverflow()
		}
	}
	return out, nil
}

func normalizeHalf(a types.Datum) (types.Datum, error) {
	out, err := normalized(types.HalfToVector(a.(types.HalfVector)))
	if err != nil {
		return nil, err
	}
	return datum(types.VectorToHalf(out))
}

// normalizeSparse drops the elements that become zero.
func normalizeSparse(a types.Datum) (types.Datum, error) {
	s := a.(types.SparseVector)
	values, err := normalized(s.Value)
	if err != nil {
		return nil, err
	}
	out := types.SparseVector{Dim: s.Dim}
	for i, x := range values {
		if x != 0 {
			out.Index, out.Value = append(out.Index, s.Index[i]), append(out.Value, x)
		}
	}
	return out, nil
}

func quantizeBits(n int, positive func(i int) bool) types.Bits {
	out := types.Bits{N: n, B: make([]byte, (n+7)/8)}
	for i := range n {
		if positive(i) {
			out.B[i/8] |= 0x80 >> (i % 8)
		}
	}
	return out
}

// subvectorRange turns a 1-based start and a count into a half-open range,
// clamped to the vector.
func subvectorRange(dims int, start, count int64, typname string) (from, to int, err error) {
	end := min(start+count, int64(dims)+1)
	start = max(start, 1)
	if count < 1 || start > int64(dims) || end <= start {
		return 0, 0, pgerr.Newf(pgerr.DataException, "%s must have at least 1 dimension", typname)
	}
	return int(start - 1), int(end - 1), nil
}

// elementwise combines two vectors of the same dimension.
func elementwise(op func(x, y float32) (float32, error)) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		x, y := a.(types.Vector), b.(types.Vector)
		if err := types.CheckSameDims("vector", len(x), len(y)); err != nil {
			return nil, err
		}
		out := make(types.Vector, len(x))
		for i := range x {
			r, err := op(x[i], y[i])
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	}
}

// elementwiseHalf computes in float4 and rounds each element.
func elementwiseHalf(op func(x, y float32) (float32, error)) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		x, y := a.(types.HalfVector), b.(types.HalfVector)
		if err := types.CheckSameDims("halfvec", len(x), len(y)); err != nil {
			return nil, err
		}
		out := make(types.HalfVector, len(x))
		for i := range x {
			p, q := types.HalfToFloat32(x[i]), types.HalfToFloat32(y[i])
			r, err := op(p, q)
			if err != nil {
				return nil, err
			}
			out[i] = types.Float32ToHalf(r)
			if out[i]&0x7fff == 0x7c00 {
				return nil, floatOverflow()
			}
			if out[i]&0x7fff == 0 && r != 0 {
				return nil, floatUnderflow()
			}
		}
		return out, nil
	}
}

func finite(r float32) (float32, error) {
	if math.IsInf(float64(r), 0) {
		return 0, floatOverflow()
	}
	return r, nil
}

func addElements(x, y float32) (float32, error) { return finite(x + y) }

func subElements(x, y float32) (float32, error) { return finite(x - y) }

func mulElements(x, y float32) (float32, error) {
	r := x * y
	if r == 0 && x != 0 && y != 0 {
		return 0, floatUnderflow()
	}
	return finite(r)
}

var (
	vectorAdd = elementwise(addElements)
	vectorSub = elementwise(subElements)
	vectorMul = elementwise(mulElements)

	halfvecAdd = elementwiseHalf(addElements)
	halfvecSub = elementwiseHalf(subElements)
	halfvecMul = elementwiseHalf(mulElements)
)

func checkConcat(n int, typname string) error {
	if n > types.MaxVectorDims {
		return pgerr.Newf(pgerr.ProgramLimitExceeded, "%s cannot have more than %d dimensions", typname, types.MaxVectorDims)
	}
	return nil
}

func vectorConcat(a, b types.Datum) (types.Datum, error) {
	x, y := a.(types.Vector), b.(types.Vector)
	if err := checkConcat(len(x)+len(y), "vector"); err != nil {
		return nil, err
	}
	return append(append(make(types.Vector, 0, len(x)+len(y)), x...), y...), nil
}

func halfvecConcat(a, b types.Datum) (types.Datum, error) {
	x, y := a.(types.HalfVector), b.(types.HalfVector)
	if err := checkConcat(len(x)+len(y), "halfvec"); err != nil {
		return nil, err
	}
	return append(append(make(types.HalfVector, 0, len(x)+len(y)), x...), y...), nil
}
