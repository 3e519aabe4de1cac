package types

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
)

// MaxVectorDims is the largest dimension of a vector or halfvec, and the
// largest number of non-zero elements of a sparsevec.
const MaxVectorDims = 16000

// MaxSparseDims is the largest dimension of a sparsevec.
const MaxSparseDims = 1000000000

var vectorCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		v, err := ParseVector(s)
		if err != nil {
			return nil, err
		}
		return v, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return AppendVector(dst, d.(Vector)) },
	Decode: func(b []byte) (Datum, error) {
		v, err := DecodeVector(b)
		if err != nil {
			return nil, err
		}
		return v, nil
	},
	Encode:    func(dst []byte, d Datum) ([]byte, error) { return EncodeVector(dst, d.(Vector)), nil },
	Compare:   func(a, b Datum) int { return compareVectors(a.(Vector), b.(Vector)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendVectorKey(dst, d.(Vector)) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeVectorKey(b)
		if err != nil {
			return nil, nil, err
		}
		return v, rest, nil
	},
}

func compareVectors(a, b Vector) int {
	for i := range min(len(a), len(b)) {
		if a[i] < b[i] {
			return -1
		}
		if a[i] > b[i] {
			return 1
		}
	}
	return cmp.Compare(len(a), len(b))
}

// appendVectorKey marks every element with 01 and the end with 00, so that
// elements decide before the dimension does.
func appendVectorKey(dst []byte, v Vector) []byte {
	for _, x := range v {
		dst = append(dst, 1)
		dst = binary.BigEndian.AppendUint32(dst, float32Order(x))
	}
	return append(dst, 0)
}

func decodeVectorKey(b []byte) (Vector, []byte, error) {
	var v Vector
	for {
		if len(b) == 0 {
			return nil, nil, corruptKey()
		}
		if b[0] == 0 {
			return v, b[1:], nil
		}
		if b[0] != 1 || len(b) < 5 {
			return nil, nil, corruptKey()
		}
		v = append(v, float32FromOrder(binary.BigEndian.Uint32(b[1:])))
		b = b[5:]
	}
}

// checkDims enforces the limits of vector and halfvec.
func checkDims(n int, typname string) error {
	if n < 1 {
		return pgerr.Newf(pgerr.DataException, "%s must have at least 1 dimension", typname)
	}
	if n > MaxVectorDims {
		return pgerr.Newf(pgerr.ProgramLimitExceeded, "%s cannot have more than %d dimensions", typname, MaxVectorDims)
	}
	return nil
}

func notFinite(f float32, typname string) error {
	if f != f {
		return pgerr.Newf(pgerr.DataException, "NaN not allowed in %s", typname)
	}
	return pgerr.Newf(pgerr.DataException, "infinite value not allowed in %s", typname)
}

// CheckVector enforces what every vector promises: 1 to 16000 finite elements.
func CheckVector(v Vector) error {
	if err := checkDims(len(v), "vector"); err != nil {
		return err
	}
	for _, x := range v {
		if x-x != 0 {
			return notFinite(x, "vector")
		}
	}
	return nil
}

// CheckSameDims is the error of operators over vectors of unequal dimension.
func CheckSameDims(typname string, a, b int) error {
	if a != b {
		return pgerr.Newf(pgerr.DataException, "different %s dimensions %d and %d", typname, a, b)
	}
	return nil
}

// ParseVector reads `[1,2,3]`.
func ParseVector(s string) (Vector, error) {
	v, err := parseElements(s, "vector")
	if err != nil {
		return nil, err
	}
	return v, CheckVector(v)
}

// parseElements reads the text form that vector and halfvec share.
func parseElements(s, typname string) ([]float32, error) {
	i := skipSpace(s, 0)
	if i >= len(s) || s[i] != '[' {
		return nil, invalidSyntax(typname, s).WithDetail(`Vector contents must start with "[".`)
	}
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == ']' {
		return nil, checkDims(0, typname)
	}
	out := make([]float32, 0, countCommas(s[i:])+1)
	for {
		if len(out) == MaxVectorDims {
			return nil, checkDims(MaxVectorDims+1, typname)
		}
		f, next, err := scanFloat(s, skipSpace(s, i), typname)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		i = skipSpace(s, next)
		if i >= len(s) {
			return nil, invalidSyntax(typname, s)
		}
		if s[i] == ',' {
			i++
			continue
		}
		if s[i] != ']' {
			return nil, invalidSyntax(typname, s)
		}
		break
	}
	if i = skipSpace(s, i+1); i < len(s) {
		return nil, invalidSyntax(typname, s).WithDetail("Junk after closing right brace.")
	}
	return out, nil
}

// countCommas bounds the elements of hostile text by the limit of the type.
func countCommas(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] == ',' {
			n++
		}
	}
	return min(n, MaxVectorDims)
}

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

// scanFloat reads one float4 element at s[i:] and returns where it ends.
func scanFloat(s string, i int, typname string) (float32, int, error) {
	end := i
	for end < len(s) && isFloatByte(s[end]) {
		end++
	}
	word := s[i:end]
	if f, ok := smallDecimal(word); ok {
		return f, end, nil
	}
	f, err := strconv.ParseFloat(word, 32)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return 0, 0, elementOutOfRange(word, typname)
		}
		return 0, 0, invalidSyntax(typname, s)
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, 0, notFinite(float32(f), typname)
	}
	if typname == "halfvec" && halfIsInf(Float32ToHalf(float32(f))) {
		return 0, 0, elementOutOfRange(word, typname)
	}
	return float32(f), end, nil
}

func elementOutOfRange(word, typname string) error {
	return pgerr.Newf(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type %s", word, typname)
}

func isFloatByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' ||
		c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10}

// smallDecimal reads the plain decimals that make up nearly every vector
// without strconv: up to 7 significant digits and 10 decimals, where one
// float32 division of exact operands rounds correctly.
func smallDecimal(w string) (float32, bool) {
	i, neg := 0, false
	if len(w) > 0 && (w[0] == '-' || w[0] == '+') {
		neg, i = w[0] == '-', 1
	}
	var mantissa uint32
	digits, decimals, seenDot := 0, 0, false
	for ; i < len(w); i++ {
		c := w[i]
		if c == '.' && !seenDot {
			seenDot = true
			continue
		}
		if c < '0' || c > '9' || digits == 7 {
			return 0, false
		}
		mantissa = mantissa*10 + uint32(c-'0')
		digits++
		if seenDot {
			decimals++
		}
	}
	if digits == 0 {
		return 0, false
	}
	f := float32(mantissa) / float32(pow10[decimals])
	if neg {
		f = -f
	}
	return f, true
}

// AppendVector appends the text form.
func AppendVector(dst []byte, v Vector) []byte {
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendFloat(dst, float64(x), 32, 1)
	}
	return append(dst, ']')
}

// vectorHeader checks the head of the binary form of a vector or halfvec and
// returns its dimension; nothing is allocated before the length is known to fit.
func vectorHeader(b []byte, typname string, size int) (int, error) {
	if len(b) < 4 {
		return 0, shortMessage()
	}
	dim := int(int16(binary.BigEndian.Uint16(b)))
	if err := checkDims(dim, typname); err != nil {
		return 0, err
	}
	if unused := int16(binary.BigEndian.Uint16(b[2:])); unused != 0 {
		return 0, pgerr.Newf(pgerr.DataException, "expected unused to be 0, not %d", unused)
	}
	return dim, exactly(b[4:], dim*size)
}

// DecodeVector reads the binary form in one allocation; b is not kept.
func DecodeVector(b []byte) (Vector, error) {
	dim, err := vectorHeader(b, "vector", 4)
	if err != nil {
		return nil, err
	}
	v := make(Vector, dim)
	bad := uint32(0)
	b = b[4 : 4+4*dim]
	for i := range v {
		bits := binary.BigEndian.Uint32(b[4*i:])
		// An exponent of all ones carries into bit 31: infinity or NaN.
		bad |= bits&0x7fffffff + 0x00800000
		v[i] = math.Float32frombits(bits)
	}
	if bad>>31 != 0 {
		return nil, CheckVector(v)
	}
	return v, nil
}

// EncodeVector appends the binary form.
func EncodeVector(dst []byte, v Vector) []byte {
	n := len(dst)
	dst = grow(dst, 4+4*len(v))
	b := dst[n:]
	binary.BigEndian.PutUint16(b, uint16(len(v)))
	binary.BigEndian.PutUint16(b[2:], 0)
	b = b[4 : 4+4*len(v)]
	for i, x := range v {
		binary.BigEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return dst
}

// grow extends b by n bytes of any content.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	out := make([]byte, len(b)+n, len(b)+n+(len(b)+n)/4)
	copy(out, b)
	return out
}
