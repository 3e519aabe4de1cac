package types

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"sort"
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
)

var sparsevecCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		v, err := ParseSparseVector(s)
		if err != nil {
			return nil, err
		}
		return v, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return AppendSparseVector(dst, d.(SparseVector)) },
	Decode: func(b []byte) (Datum, error) {
		v, err := DecodeSparseVector(b)
		if err != nil {
			return nil, err
		}
		return v, nil
	},
	Encode:    func(dst []byte, d Datum) ([]byte, error) { return EncodeSparseVector(dst, d.(SparseVector)), nil },
	Compare:   func(a, b Datum) int { return compareSparse(a.(SparseVector), b.(SparseVector)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendSparseKey(dst, d.(SparseVector)) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeSparseKey(b)
		if err != nil {
			return nil, nil, err
		}
		return v, rest, nil
	},
}

func checkSparseDim(n int64) error {
	if n < 1 {
		return pgerr.New(pgerr.DataException, "sparsevec must have at least 1 dimension")
	}
	if n > MaxSparseDims {
		return pgerr.Newf(pgerr.ProgramLimitExceeded, "sparsevec cannot have more than %d dimensions", MaxSparseDims)
	}
	return nil
}

func tooManyNonZero() error {
	return pgerr.Newf(pgerr.ProgramLimitExceeded, "sparsevec cannot have more than %d non-zero elements", MaxVectorDims)
}

func checkSparseIndex(index, dim int64) error {
	if index < 0 || index >= dim {
		return pgerr.New(pgerr.DataException, "sparsevec index out of bounds")
	}
	return nil
}

type sparseElement struct {
	index int64
	value float32
}

// ParseSparseVector reads `{1:1.5,3:2}/5`: 1-based, in any order, zeros dropped.
func ParseSparseVector(s string) (SparseVector, error) {
	elems, i, err := parseSparseElements(s)
	if err != nil {
		return SparseVector{}, err
	}
	i = skipSpace(s, i)
	if i >= len(s) || s[i] != '/' {
		return SparseVector{}, invalidSyntax("sparsevec", s).WithDetail("Unexpected end of input.")
	}
	dim, end, ok := scanInt(s, skipSpace(s, i+1))
	if !ok {
		return SparseVector{}, invalidSyntax("sparsevec", s)
	}
	if end = skipSpace(s, end); end < len(s) {
		return SparseVector{}, invalidSyntax("sparsevec", s).WithDetail("Junk after closing.")
	}
	if err := checkSparseDim(dim); err != nil {
		return SparseVector{}, err
	}
	return newSparse(dim, elems)
}

func newSparse(dim int64, elems []sparseElement) (SparseVector, error) {
	sort.SliceStable(elems, func(i, j int) bool { return elems[i].index < elems[j].index })
	out := SparseVector{Dim: int32(dim), Index: make([]int32, 0, len(elems)), Value: make([]float32, 0, len(elems))}
	for i, e := range elems {
		if err := checkSparseIndex(e.index, dim); err != nil {
			return SparseVector{}, err
		}
		if i > 0 && e.index == elems[i-1].index {
			return SparseVector{}, pgerr.New(pgerr.DataException, "sparsevec indices must not contain duplicates")
		}
		out.Index, out.Value = append(out.Index, int32(e.index)), append(out.Value, e.value)
	}
	return out, nil
}

func parseSparseElements(s string) ([]sparseElement, int, error) {
	i := skipSpace(s, 0)
	if i >= len(s) || s[i] != '{' {
		return nil, 0, invalidSyntax("sparsevec", s).WithDetail(`Vector contents must start with "{".`)
	}
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == '}' {
		return nil, i + 1, nil
	}
	elems := make([]sparseElement, 0, countCommas(s)+1)
	for {
		if len(elems) == MaxVectorDims {
			return nil, 0, tooManyNonZero()
		}
		index, next, ok := scanInt(s, skipSpace(s, i))
		if !ok {
			return nil, 0, invalidSyntax("sparsevec", s)
		}
		i = skipSpace(s, next)
		if i >= len(s) || s[i] != ':' {
			return nil, 0, invalidSyntax("sparsevec", s)
		}
		f, next, err := scanFloat(s, skipSpace(s, i+1), "sparsevec")
		if err != nil {
			return nil, 0, err
		}
		if f != 0 {
			elems = append(elems, sparseElement{clampIndex(index) - 1, f})
		}
		i = skipSpace(s, next)
		if i >= len(s) || (s[i] != ',' && s[i] != '}') {
			return nil, 0, invalidSyntax("sparsevec", s)
		}
		i++
		if s[i-1] == '}' {
			return elems, i, nil
		}
	}
}

// clampIndex keeps 1-based indices in int32, as pgvector does, so that one out
// of range stays out of bounds instead of wrapping.
func clampIndex(v int64) int64 { return min(max(v, math.MinInt32+1), math.MaxInt32) }

// scanInt reads a signed decimal at s[i:].
func scanInt(s string, i int) (int64, int, bool) {
	end := i
	if end < len(s) && (s[end] == '-' || s[end] == '+') {
		end++
	}
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	v, err := strconv.ParseInt(s[i:end], 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, 0, false
	}
	return v, end, true
}

// AppendSparseVector appends the text form.
func AppendSparseVector(dst []byte, v SparseVector) []byte {
	dst = append(dst, '{')
	for i, index := range v.Index {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(index)+1, 10)
		dst = append(dst, ':')
		dst = appendFloat(dst, float64(v.Value[i]), 32, 1)
	}
	dst = append(dst, '}', '/')
	return strconv.AppendInt(dst, int64(v.Dim), 10)
}

// DecodeSparseVector reads the binary form: dim, nnz, 0, indices, values.
func DecodeSparseVector(b []byte) (SparseVector, error) {
	none := SparseVector{}
	if len(b) < 12 {
		return none, shortMessage()
	}
	dim := int32(binary.BigEndian.Uint32(b))
	nnz := int32(binary.BigEndian.Uint32(b[4:]))
	if err := checkSparseDim(int64(dim)); err != nil {
		return none, err
	}
	if nnz < 0 || nnz > dim {
		return none, pgerr.New(pgerr.DataException, "sparsevec cannot have more elements than dimensions")
	}
	if nnz > MaxVectorDims {
		return none, tooManyNonZero()
	}
	if unused := int32(binary.BigEndian.Uint32(b[8:])); unused != 0 {
		return none, pgerr.Newf(pgerr.DataException, "expected unused to be 0, not %d", unused)
	}
	if err := exactly(b[12:], int(nnz)*8); err != nil {
		return none, err
	}
	return decodeSparseElements(b[12:], dim, int(nnz))
}

func decodeSparseElements(b []byte, dim int32, nnz int) (SparseVector, error) {
	v := SparseVector{Dim: dim, Index: make([]int32, nnz), Value: make([]float32, nnz)}
	for i := range nnz {
		v.Index[i] = int32(binary.BigEndian.Uint32(b[4*i:]))
		v.Value[i] = math.Float32frombits(binary.BigEndian.Uint32(b[4*nnz+4*i:]))
	}
	if err := CheckSparseVector(v); err != nil {
		return SparseVector{}, err
	}
	return v, nil
}

// CheckSparseVector enforces rising indices within bounds and finite values
// without zeros.
func CheckSparseVector(v SparseVector) error {
	if err := checkSparseDim(int64(v.Dim)); err != nil {
		return err
	}
	for i, index := range v.Index {
		if err := checkSparseIndex(int64(index), int64(v.Dim)); err != nil {
			return err
		}
		if i > 0 && index < v.Index[i-1] {
			return pgerr.New(pgerr.DataException, "sparsevec indices must be in ascending order")
		}
		if i > 0 && index == v.Index[i-1] {
			return pgerr.New(pgerr.DataException, "sparsevec indices must not contain duplicates")
		}
		if x := v.Value[i]; x-x != 0 {
			return notFinite(x, "sparsevec")
		} else if x == 0 {
			return pgerr.New(pgerr.DataException, "binary representation of sparsevec cannot contain zero values")
		}
	}
	return nil
}

// EncodeSparseVector appends the binary form.
func EncodeSparseVector(dst []byte, v SparseVector) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(v.Dim))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Index)))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	for _, i := range v.Index {
		dst = binary.BigEndian.AppendUint32(dst, uint32(i))
	}
	for _, x := range v.Value {
		dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(x))
	}
	return dst
}

// compareSparse orders like the dense vectors: by elements, then by dimension.
func compareSparse(a, b SparseVector) int {
	n := min(len(a.Index), len(b.Index))
	for i := range n {
		switch {
		case a.Index[i] < b.Index[i]:
			return sparseAgainstZero(a, i, b.Dim)
		case a.Index[i] > b.Index[i]:
			return -sparseAgainstZero(b, i, a.Dim)
		case a.Value[i] != b.Value[i]:
			return cmp.Compare(a.Value[i], b.Value[i])
		}
	}
	if len(a.Index) > n && a.Index[n] < b.Dim {
		return sparseAgainstZero(a, n, b.Dim)
	}
	if len(b.Index) > n && b.Index[n] < a.Dim {
		return -sparseAgainstZero(b, n, a.Dim)
	}
	return cmp.Compare(a.Dim, b.Dim)
}

// sparseAgainstZero compares v's element i with the zero another vector of
// otherDim dimensions has there; beyond its end v is the longer one.
func sparseAgainstZero(v SparseVector, i int, otherDim int32) int {
	if v.Index[i] < otherDim && v.Value[i] < 0 {
		return -1
	}
	return 1
}

// A sparse key is the dense vector with runs of zeros left out: 01 index value
// for an element below zero or for the end (value 0, below every element), 03
// inverted index, value for one above: the earlier a positive element the
// larger the vector, the earlier a negative one or the end the smaller.
func appendSparseKey(dst []byte, v SparseVector) []byte {
	for i, index := range v.Index {
		if v.Value[i] < 0 {
			dst = binary.BigEndian.AppendUint32(append(dst, 1), uint32(index))
		} else {
			dst = binary.BigEndian.AppendUint32(append(dst, 3), ^uint32(index))
		}
		dst = binary.BigEndian.AppendUint32(dst, float32Order(v.Value[i]))
	}
	dst = binary.BigEndian.AppendUint32(append(dst, 1), uint32(v.Dim))
	return binary.BigEndian.AppendUint32(dst, 0)
}

func decodeSparseKey(b []byte) (SparseVector, []byte, error) {
	v := SparseVector{Index: []int32{}, Value: []float32{}}
	for len(b) >= 9 {
		tag, index, value := b[0], binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:])
		b = b[9:]
		switch {
		case tag == 1 && value == 0:
			v.Dim = int32(index)
			return v, b, nil
		case tag == 3:
			index = ^index
		case tag != 1:
			return v, nil, corruptKey()
		}
		v.Index, v.Value = append(v.Index, int32(index)), append(v.Value, float32FromOrder(value))
	}
	return v, nil, corruptKey()
}

// VectorToSparse drops the zeros; more than 16000 others cannot be.
func VectorToSparse(v Vector) (SparseVector, error) {
	n := 0
	for _, x := range v {
		if x != 0 {
			n++
		}
	}
	if n > MaxVectorDims {
		return SparseVector{}, tooManyNonZero()
	}
	out := SparseVector{Dim: int32(len(v)), Index: make([]int32, 0, n), Value: make([]float32, 0, n)}
	for i, x := range v {
		if x != 0 {
			out.Index, out.Value = append(out.Index, int32(i)), append(out.Value, x)
		}
	}
	return out, nil
}

// SparseToVector fills in the zeros; at most 16000 dimensions (54000).
func SparseToVector(s SparseVector) (Vector, error) {
	if err := checkDims(int(s.Dim), "vector"); err != nil {
		return nil, err
	}
	v := make(Vector, s.Dim)
	for i, index := range s.Index {
		v[index] = s.Value[i]
	}
	return v, nil
}

// SparseToHalf fills in the zeros and rounds.
func SparseToHalf(s SparseVector) (HalfVector, error) {
	if err := checkDims(int(s.Dim), "halfvec"); err != nil {
		return nil, err
	}
	v, err := SparseToVector(s)
	if err != nil {
		return nil, err
	}
	return VectorToHalf(v)
}

// HalfToSparse widens and drops the zeros.
func HalfToSparse(h HalfVector) (SparseVector, error) { return VectorToSparse(HalfToVector(h)) }
