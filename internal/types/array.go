package types

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// arrayCodec serves the array type of an element type. It looks the element's
// codec up when it is used: the table is being filled while it is made.
func arrayCodec(elem OID) *Codec {
	return &Codec{
		Parse: func(s string, env *Env) (Datum, error) {
			a, err := ParseArray(elem, s, env)
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Format:    func(dst []byte, d Datum, env *Env) []byte { return formatArray(dst, d.(*Array), env) },
		Decode:    func(b []byte) (Datum, error) { return decodeArray(elem, b) },
		Encode:    func(dst []byte, d Datum) ([]byte, error) { return encodeArray(dst, elem, d.(*Array)) },
		Compare:   func(a, b Datum) int { return CompareArrays(elem, a.(*Array), b.(*Array)) },
		AppendKey: func(dst []byte, d Datum) []byte { return appendArrayKey(dst, elem, d.(*Array)) },
		DecodeKey: func(b []byte) (Datum, []byte, error) { return decodeArrayKey(elem, b) },
	}
}

// anyArrayCodec is the pseudo-type anyarray, which pg_stats has columns of.
var anyArrayCodec = &Codec{
	Parse: func(string, *Env) (Datum, error) {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "cannot accept a value of type anyarray")
	},
	Format: func(dst []byte, d Datum, env *Env) []byte { return formatArray(dst, d.(*Array), env) },
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		a := d.(*Array)
		return encodeArray(dst, a.Elem, a)
	},
}

// formatArray prints braces, quotes where an element needs them, and the bounds
// when a lower one is not 1.
func formatArray(dst []byte, a *Array, env *Env) []byte {
	if len(a.Elems) == 0 {
		return append(dst, "{}"...)
	}
	dst = appendArrayBounds(dst, a)
	elem := 0
	return appendArrayLevel(dst, a, 0, &elem, env)
}

func appendArrayBounds(dst []byte, a *Array) []byte {
	if !slices.ContainsFunc(a.Lower, func(low int) bool { return low != 1 }) {
		return dst
	}
	for i, low := range a.Lower {
		dst = strconv.AppendInt(append(dst, '['), int64(low), 10)
		dst = strconv.AppendInt(append(dst, ':'), int64(low+a.Dims[i]-1), 10)
		dst = append(dst, ']')
	}
	return append(dst, '=')
}

func appendArrayLevel(dst []byte, a *Array, level int, elem *int, env *Env) []byte {
	dst = append(dst, '{')
	for i := 0; i < a.Dims[level]; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		if level+1 < len(a.Dims) {
			dst = appendArrayLevel(dst, a, level+1, elem, env)
			continue
		}
		dst = appendArrayElem(dst, a.Elem, a.Elems[*elem], env)
		*elem++
	}
	return append(dst, '}')
}

func appendArrayElem(dst []byte, oid OID, d Datum, env *Env) []byte {
	if d == nil {
		return append(dst, "NULL"...)
	}
	start := len(dst)
	dst = Format(dst, oid, d, env)
	if !arrayElemNeedsQuotes(dst[start:]) {
		return dst
	}
	text := string(dst[start:])
	dst = append(dst[:start], '"')
	for i := 0; i < len(text); i++ {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

func arrayElemNeedsQuotes(b []byte) bool {
	if len(b) == 0 || (len(b) == 4 && strings.EqualFold(string(b), "NULL")) {
		return true
	}
	for _, c := range b {
		if c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || isSpace(c) {
			return true
		}
	}
	return false
}

// encodeArray writes the binary form: the number of dimensions, whether there
// are NULLs, the element type, size and lower bound of each dimension, elements.
func encodeArray(dst []byte, elem OID, a *Array) ([]byte, error) {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(a.Dims)))
	hasNull := uint32(0)
	if slices.Contains(a.Elems, nil) {
		hasNull = 1
	}
	dst = binary.BigEndian.AppendUint32(dst, hasNull)
	dst = binary.BigEndian.AppendUint32(dst, uint32(elem))
	for i, n := range a.Dims {
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
		dst = binary.BigEndian.AppendUint32(dst, uint32(a.Lower[i]))
	}
	return appendBinaryElems(dst, elem, a.Elems)
}

func appendBinaryElems(dst []byte, elem OID, elems []Datum) ([]byte, error) {
	var err error
	for _, d := range elems {
		if dst, err = appendBinaryField(dst, elem, d); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendBinaryField writes the length and the binary form of a value, -1 for NULL.
func appendBinaryField(dst []byte, oid OID, d Datum) ([]byte, error) {
	if d == nil {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32), nil
	}
	at := len(dst)
	dst, err := Encode(append(dst, 0, 0, 0, 0), oid, d)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

func decodeArray(elem OID, b []byte) (Datum, error) {
	a, b, err := decodeArrayHeader(elem, b)
	if err != nil {
		return nil, err
	}
	for i := range a.Elems {
		if a.Elems[i], b, err = decodeBinaryElem(elem, b, i+1); err != nil {
			return nil, err
		}
	}
	if len(b) > 0 {
		return nil, incorrectFormat()
	}
	return a, nil
}

// decodeArrayHeader reads up to the first element; the elements' slice is made
// only when the message is long enough for it.
func decodeArrayHeader(elem OID, b []byte) (*Array, []byte, error) {
	if len(b) < 12 {
		return nil, nil, shortMessage()
	}
	n := int(int32(binary.BigEndian.Uint32(b)))
	flags, got := binary.BigEndian.Uint32(b[4:]), OID(binary.BigEndian.Uint32(b[8:]))
	switch {
	case n < 0:
		return nil, nil, pgerr.Newf(pgerr.InvalidBinaryRepresentation, "invalid number of dimensions: %d", n)
	case n > maxArrayDims:
		return nil, nil, tooManyDims(n)
	case flags > 1:
		return nil, nil, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid array flags")
	case got != elem:
		return nil, nil, wrongElementType(got, elem)
	}
	a, b, err := decodeDims(n, b[12:])
	if err != nil {
		return nil, nil, err
	}
	a.Elem = elem
	return a, b, nil
}

func wrongElementType(got, want OID) error {
	return pgerr.Newf(pgerr.DatatypeMismatch, "binary data has array element type %d (%s) instead of expected %d (%s)",
		got, typeNameOr(got), want, typeNameOr(want))
}

func typeNameOr(oid OID) string {
	if t := Lookup(oid); t != nil {
		return t.SQLName
	}
	return "-"
}

func decodeDims(n int, b []byte) (*Array, []byte, error) {
	if len(b) < 8*n {
		return nil, nil, shortMessage()
	}
	a, total := &Array{}, 1
	for i := 0; i < n; i++ {
		size, low := int32(binary.BigEndian.Uint32(b)), int32(binary.BigEndian.Uint32(b[4:]))
		b = b[8:]
		if total *= int(size); size < 0 || total > maxArrayElems {
			return nil, nil, pgerr.Newf(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayElems)
		}
		a.Dims, a.Lower = append(a.Dims, int(size)), append(a.Lower, int(low))
	}
	if n == 0 || total == 0 {
		return &Array{}, b, nil
	}
	if total > len(b)/4 {
		return nil, nil, shortMessage()
	}
	a.Elems = make([]Datum, total)
	return a, b, checkArrayBounds(a)
}

func decodeBinaryElem(elem OID, b []byte, place int) (Datum, []byte, error) {
	d, rest, err := decodeBinaryField(elem, b)
	if e := pgerr.As(err); e != nil && e.Message == pgerr.As(incorrectFormat()).Message {
		return nil, nil, pgerr.Newf(pgerr.InvalidBinaryRepresentation, "improper binary format in array element %d", place)
	}
	return d, rest, err
}

// decodeBinaryField reads a length and that many bytes of binary form.
func decodeBinaryField(oid OID, b []byte) (Datum, []byte, error) {
	if len(b) < 4 {
		return nil, nil, shortMessage()
	}
	n := int(int32(binary.BigEndian.Uint32(b)))
	b = b[4:]
	switch {
	case n == -1:
		return nil, b, nil
	case n < 0 || n > len(b):
		return nil, nil, pgerr.New(pgerr.InvalidBinaryRepresentation, "insufficient data left in message")
	}
	d, err := Decode(oid, b[:n])
	if err != nil {
		return nil, nil, err
	}
	return d, b[n:], nil
}

// CompareArrays is the btree order of arrays: elements (a NULL is above all),
// then how many, then the dimensions, then the lower bounds.
func CompareArrays(elem OID, a, b *Array) int {
	for i := 0; i < len(a.Elems) && i < len(b.Elems); i++ {
		if c := compareNullable(elem, a.Elems[i], b.Elems[i]); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(a.Elems), len(b.Elems)); c != 0 {
		return c
	}
	if c := cmp.Compare(len(a.Dims), len(b.Dims)); c != 0 {
		return c
	}
	if c := slices.Compare(a.Dims, b.Dims); c != 0 {
		return c
	}
	return slices.Compare(a.Lower, b.Lower)
}

// compareNullable orders values of which NULL is the greatest and its own equal.
func compareNullable(oid OID, a, b Datum) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return Compare(oid, a, b)
}

// appendArrayKey writes each element with its marker, an end below every marker,
// then dimensions and lower bounds.
func appendArrayKey(dst []byte, elem OID, a *Array) []byte {
	for _, d := range a.Elems {
		dst = AppendKey(dst, elem, d, false, false)
	}
	dst = append(dst, 0, byte(len(a.Dims)))
	for _, n := range a.Dims {
		dst = appendInt32Key(dst, int32(n))
	}
	for _, low := range a.Lower {
		dst = appendInt32Key(dst, int32(low))
	}
	return dst
}

func decodeArrayKey(elem OID, b []byte) (Datum, []byte, error) {
	a := &Array{Elem: elem}
	for len(b) > 0 && b[0] != 0 {
		d, rest, err := DecodeKey(elem, b, false, false)
		if err != nil {
			return nil, nil, err
		}
		a.Elems, b = append(a.Elems, d), rest
	}
	if len(b) < 2 || b[1] > maxArrayDims || len(b) < 2+8*int(b[1]) {
		return nil, nil, corruptKey()
	}
	n := int(b[1])
	b = b[2:]
	bounds := make([]int, 2*n)
	for i := range bounds {
		v, rest, err := decodeInt32Key(b)
		if err != nil {
			return nil, nil, err
		}
		bounds[i], b = int(v), rest
	}
	a.Dims, a.Lower = bounds[:n:n], bounds[n:]
	if n == 0 {
		a.Dims, a.Lower = nil, nil
	}
	if !dimsFit(a) {
		return nil, nil, corruptKey()
	}
	return a, b, nil
}

// dimsFit tells whether the dimensions agree with the elements.
func dimsFit(a *Array) bool {
	if len(a.Dims) == 0 {
		return len(a.Elems) == 0
	}
	total := 1
	for _, n := range a.Dims {
		if n <= 0 || n > len(a.Elems) {
			return false
		}
		if total *= n; total > len(a.Elems) {
			return false
		}
	}
	return total == len(a.Elems)
}
