package types

import (
	"cmp"
	"encoding/binary"
	"math"

	"github.com/akidb/akidb/internal/pgerr"
)

// HalfToFloat32 widens an IEEE 754 binary16.
func HalfToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&0x1f, uint32(h&0x3ff)
	switch exp {
	case 0:
		f := float32(frac) * (1.0 / (1 << 24)) // subnormal: frac x 2^-24, exact
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Float32ToHalf rounds to the nearest binary16, ties to even; what is too large
// becomes infinity.
func Float32ToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00
	case abs >= 0x477ff000: // 65520 and above round to infinity
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14: subnormal
		// Adding 2^-1's ulp grid rounds to multiples of 2^-24.
		sum := math.Float32frombits(abs) + 0.5
		return sign | uint16(math.Float32bits(sum)-0x3f000000)
	}
	abs += 0xfff + abs>>13&1
	return sign | uint16((abs-0x38000000)>>13)
}

func halfIsInf(h uint16) bool    { return h&0x7fff == 0x7c00 }
func halfIsFinite(h uint16) bool { return h&0x7c00 != 0x7c00 }

// HalfToFloat32s widens src into dst, which must be as long.
func HalfToFloat32s(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	for i, h := range src {
		dst[i] = HalfToFloat32(h)
	}
}

// Float32ToHalfs rounds src into dst, which must be as long.
func Float32ToHalfs(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	for i, f := range src {
		dst[i] = Float32ToHalf(f)
	}
}

// CheckHalfVector enforces 1 to 16000 finite elements.
func CheckHalfVector(v HalfVector) error {
	if err := checkDims(len(v), "halfvec"); err != nil {
		return err
	}
	for _, h := range v {
		if !halfIsFinite(h) {
			return notFinite(HalfToFloat32(h), "halfvec")
		}
	}
	return nil
}

// ParseHalfVector reads `[1,2,3]`.
func ParseHalfVector(s string) (HalfVector, error) {
	f, err := parseElements(s, "halfvec")
	if err != nil {
		return nil, err
	}
	v := make(HalfVector, len(f))
	for i, x := range f {
		v[i] = Float32ToHalf(x)
		if halfIsInf(v[i]) {
			return nil, elementOutOfRange(string(appendFloat(nil, float64(x), 32, 1)), "halfvec")
		}
	}
	return v, nil
}

// AppendHalfVector appends the text form.
func AppendHalfVector(dst []byte, v HalfVector) []byte {
	dst = append(dst, '[')
	for i, h := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendFloat(dst, float64(HalfToFloat32(h)), 32, 1)
	}
	return append(dst, ']')
}

// DecodeHalfVector reads the binary form in one allocation.
func DecodeHalfVector(b []byte) (HalfVector, error) {
	dim, err := vectorHeader(b, "halfvec", 2)
	if err != nil {
		return nil, err
	}
	v := make(HalfVector, dim)
	b = b[4 : 4+2*dim]
	for i := range v {
		v[i] = binary.BigEndian.Uint16(b[2*i:])
		if !halfIsFinite(v[i]) {
			return nil, notFinite(HalfToFloat32(v[i]), "halfvec")
		}
	}
	return v, nil
}

// EncodeHalfVector appends the binary form.
func EncodeHalfVector(dst []byte, v HalfVector) []byte {
	n := len(dst)
	dst = grow(dst, 4+2*len(v))
	b := dst[n:]
	binary.BigEndian.PutUint16(b, uint16(len(v)))
	binary.BigEndian.PutUint16(b[2:], 0)
	for i, h := range v {
		binary.BigEndian.PutUint16(b[4+2*i:], h)
	}
	return dst
}

func compareHalfVectors(a, b HalfVector) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if c := cmp.Compare(HalfToFloat32(a[i]), HalfToFloat32(b[i])); c != 0 {
				return c
			}
		}
	}
	return cmp.Compare(len(a), len(b))
}

var halfvecCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		v, err := ParseHalfVector(s)
		if err != nil {
			return nil, err
		}
		return v, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return AppendHalfVector(dst, d.(HalfVector)) },
	Decode: func(b []byte) (Datum, error) {
		v, err := DecodeHalfVector(b)
		if err != nil {
			return nil, err
		}
		return v, nil
	},
	Encode:  func(dst []byte, d Datum) ([]byte, error) { return EncodeHalfVector(dst, d.(HalfVector)), nil },
	Compare: func(a, b Datum) int { return compareHalfVectors(a.(HalfVector), b.(HalfVector)) },
	AppendKey: func(dst []byte, d Datum) []byte {
		for _, h := range d.(HalfVector) {
			dst = append(dst, 1)
			dst = binary.BigEndian.AppendUint32(dst, float32Order(HalfToFloat32(h)))
		}
		return append(dst, 0)
	},
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeVectorKey(b)
		if err != nil {
			return nil, nil, err
		}
		h := make(HalfVector, len(v))
		Float32ToHalfs(h, v)
		return h, rest, nil
	},
}

// VectorToHalf rounds every element; one beyond 65504 is an error (22003).
func VectorToHalf(v Vector) (HalfVector, error) {
	h := make(HalfVector, len(v))
	for i, x := range v {
		h[i] = Float32ToHalf(x)
		if halfIsInf(h[i]) && !math.IsInf(float64(x), 0) {
			return nil, elementOutOfRange(string(appendFloat(nil, float64(x), 32, 1)), "halfvec")
		}
	}
	return h, nil
}

// HalfToVector widens every element.
func HalfToVector(h HalfVector) Vector {
	v := make(Vector, len(h))
	HalfToFloat32s(v, h)
	return v
}

// ArrayToVector converts a one-dimensional array of numbers (int4, float4,
// float8, numeric) to a vector with pgvector's checks.
func ArrayToVector(a *Array) (Vector, error) {
	f, err := arrayFloats(a)
	if err != nil {
		return nil, err
	}
	if err := checkDims(len(f), "vector"); err != nil {
		return nil, err
	}
	return f, CheckVector(f)
}

// arrayFloats flattens an array of numbers for the casts to the vector types.
func arrayFloats(a *Array) ([]float32, error) {
	if len(a.Dims) > 1 {
		return nil, pgerr.New(pgerr.DataException, "array must be 1-D")
	}
	out := make([]float32, len(a.Elems))
	for i, e := range a.Elems {
		switch v := e.(type) {
		case nil:
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "array must not contain nulls")
		case int64:
			out[i] = float32(v)
		case float32:
			out[i] = v
		case float64:
			out[i] = float32(v)
		case *Numeric:
			f, err := NumericToFloat64(v)
			if err != nil {
				return nil, err
			}
			out[i] = float32(f)
		default:
			return nil, pgerr.New(pgerr.DataException, "unsupported array type")
		}
	}
	return out, nil
}

// ArrayToHalfVector is ArrayToVector for halfvec.
func ArrayToHalfVector(a *Array) (HalfVector, error) {
	f, err := arrayFloats(a)
	if err != nil {
		return nil, err
	}
	if err := checkDims(len(f), "halfvec"); err != nil {
		return nil, err
	}
	for _, x := range f {
		if x-x != 0 {
			return nil, notFinite(x, "halfvec")
		}
	}
	return VectorToHalf(f)
}

// ArrayToSparse is ArrayToVector for sparsevec.
func ArrayToSparse(a *Array) (SparseVector, error) {
	f, err := arrayFloats(a)
	if err != nil {
		return SparseVector{}, err
	}
	if len(f) < 1 {
		return SparseVector{}, checkSparseDim(0)
	}
	for _, x := range f {
		if x-x != 0 {
			return SparseVector{}, notFinite(x, "sparsevec")
		}
	}
	return VectorToSparse(f)
}

// VectorToArray returns a real[] with the elements of v.
func VectorToArray(v Vector) *Array {
	elems := make([]Datum, len(v))
	for i, x := range v {
		elems[i] = x
	}
	return NewArray(Float4OID, elems)
}
