package types

import (
	"cmp"
	"encoding/binary"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// jsonbVersion is the first byte of jsonb's binary form.
const jsonbVersion = 1

var jsonbCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		j, err := ParseJSONB(s)
		if err != nil {
			return nil, err
		}
		return j, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return append(dst, d.(JSONB)...) },
	Decode: decodeJSONB,
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		return append(append(dst, jsonbVersion), d.(JSONB)...), nil
	},
	Compare:   func(a, b Datum) int { return CompareJSONB(a.(JSONB), b.(JSONB)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendJSONBKey(dst, string(d.(JSONB))) },
	DecodeKey: decodeJSONBKey,
}

func decodeJSONB(b []byte) (Datum, error) {
	if len(b) == 0 {
		return nil, shortMessage()
	}
	if b[0] != jsonbVersion {
		return nil, pgerr.Newf(pgerr.InternalError, "unsupported jsonb version number %d", b[0])
	}
	s, err := checkedText(b[1:])
	if err != nil {
		return nil, err
	}
	j, err := ParseJSONB(s)
	if err != nil {
		return nil, err
	}
	return j, nil
}

// jsonRank is the order between the kinds of values: null, string, number,
// boolean, array, object.
func jsonRank(s string) int {
	switch JSONKind(s) {
	case '"':
		return 1
	case '0':
		return 2
	case 't', 'f':
		return 3
	case '[':
		return 4
	case '{':
		return 5
	}
	return 0
}

const (
	jsonArrayRank  = 4
	jsonObjectRank = 5
)

// CompareJSONB is jsonb's btree order. At the top a scalar counts as an array of
// one element, which puts the empty array before every scalar; PostgreSQL keeps
// this accident for its indexes' sake.
func CompareJSONB(a, b JSONB) int {
	if a == b {
		return 0
	}
	x, y := string(a), string(b)
	rx, ry := jsonRank(x), jsonRank(y)
	switch {
	case rx < jsonArrayRank && ry == jsonArrayRank:
		return compareScalarWithArray(y)
	case ry < jsonArrayRank && rx == jsonArrayRank:
		return -compareScalarWithArray(x)
	}
	return compareJSON(x, y)
}

func compareScalarWithArray(array string) int {
	if jsonCount(array) == 0 {
		return 1
	}
	return -1
}

// jsonCount is how many elements or members a value has.
func jsonCount(s string) int {
	n := 0
	for c := WalkJSON(s); c.Next(); {
		n++
	}
	return n
}

// compareJSON orders two values below the top.
func compareJSON(a, b string) int {
	rank := jsonRank(a)
	if c := cmp.Compare(rank, jsonRank(b)); c != 0 {
		return c
	}
	switch rank {
	case 1, 2, 3:
		return compareJSONScalars(a, b)
	case jsonArrayRank, jsonObjectRank:
		return compareJSONContainers(a, b)
	}
	return 0
}

func compareJSONScalars(a, b string) int {
	x, err1 := JSONScalar(a)
	y, err2 := JSONScalar(b)
	if err1 != nil || err2 != nil {
		return strings.Compare(a, b)
	}
	switch x := x.(type) {
	case string:
		return compareStrings(x, y.(string))
	case *Numeric:
		return NumericCmp(x, y.(*Numeric))
	case bool:
		return cmp.Compare(boolByte(x), boolByte(y.(bool)))
	}
	return 0
}

func compareJSONContainers(a, b string) int {
	if c := cmp.Compare(jsonCount(a), jsonCount(b)); c != 0 {
		return c
	}
	for x, y := WalkJSON(a), WalkJSON(b); x.Next() && y.Next(); {
		if x.object {
			if c := compareJSONScalars(x.key, y.key); c != 0 {
				return c
			}
		}
		if c := compareJSON(x.value, y.value); c != 0 {
			return c
		}
	}
	return 0
}

// The key of a jsonb: rank, then for arrays and objects the count and the
// children. At the top, scalars are written as the arrays that they count as: 1
// element, then a byte that puts them before true arrays of one.
const (
	jsonKeyScalar = 0
	jsonKeyArray  = 1
)

func appendJSONBKey(dst []byte, s string) []byte {
	rank := jsonRank(s)
	if rank == jsonObjectRank {
		return appendJSONKey(dst, s)
	}
	dst = append(dst, jsonArrayRank)
	if rank < jsonArrayRank {
		dst = binary.BigEndian.AppendUint32(dst, 1)
		return appendJSONKey(append(dst, jsonKeyScalar), s)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(jsonCount(s)))
	dst = append(dst, jsonKeyArray)
	for c := WalkJSON(s); c.Next(); {
		dst = appendJSONKey(dst, c.value)
	}
	return dst
}

func appendJSONKey(dst []byte, s string) []byte {
	rank := jsonRank(s)
	dst = append(dst, byte(rank))
	if rank < jsonArrayRank {
		v, err := JSONScalar(s)
		if err != nil {
			return dst
		}
		return appendJSONScalarKey(dst, v)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(jsonCount(s)))
	for c := WalkJSON(s); c.Next(); {
		if c.object {
			k, _ := c.Key() // a jsonb key is valid text
			dst = appendStringKey(dst, k)
		}
		dst = appendJSONKey(dst, c.value)
	}
	return dst
}

func appendJSONScalarKey(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendStringKey(dst, v)
	case *Numeric:
		return appendNumericKey(dst, v)
	case bool:
		return append(dst, boolByte(v))
	}
	return dst
}

func decodeJSONBKey(b []byte) (Datum, []byte, error) {
	if len(b) == 0 {
		return nil, nil, corruptKey()
	}
	var v any
	var err error
	if b[0] == jsonArrayRank {
		v, b, err = decodeTopArrayKey(b[1:])
	} else {
		v, b, err = decodeJSONKey(b, 0)
	}
	if err != nil {
		return nil, nil, err
	}
	return JSONBFromValue(v), b, nil
}

func decodeTopArrayKey(b []byte) (any, []byte, error) {
	if len(b) < 5 {
		return nil, nil, corruptKey()
	}
	n, scalar := binary.BigEndian.Uint32(b), b[4] == jsonKeyScalar
	list, b, err := decodeJSONElements(b[5:], n, 0)
	switch {
	case err != nil:
		return nil, nil, err
	case !scalar:
		return list, b, nil
	case n != 1:
		return nil, nil, corruptKey()
	}
	return list[0], b, nil
}

func decodeJSONElements(b []byte, n uint32, depth int) ([]any, []byte, error) {
	if uint64(n) > uint64(len(b)) {
		return nil, nil, corruptKey()
	}
	list := make([]any, n)
	var err error
	for i := range list {
		if list[i], b, err = decodeJSONKey(b, depth); err != nil {
			return nil, nil, err
		}
	}
	return list, b, nil
}

func decodeJSONKey(b []byte, depth int) (any, []byte, error) {
	if len(b) == 0 || depth > maxJSONDepth {
		return nil, nil, corruptKey()
	}
	rank, b := b[0], b[1:]
	switch rank {
	case 0:
		return nil, b, nil
	case 1:
		return decodeStringKey(b)
	case 2:
		return decodeFiniteKey(b)
	case 3:
		if len(b) == 0 {
			return nil, nil, corruptKey()
		}
		return b[0] != 0, b[1:], nil
	}
	if len(b) < 4 || rank > jsonObjectRank {
		return nil, nil, corruptKey()
	}
	n := binary.BigEndian.Uint32(b)
	if rank == jsonArrayRank {
		return decodeJSONElements(b[4:], n, depth+1)
	}
	return decodeJSONMembers(b[4:], n, depth+1)
}

// decodeFiniteKey reads a number; JSON has no others.
func decodeFiniteKey(b []byte) (any, []byte, error) {
	d, rest, err := decodeNumericKey(b)
	if err != nil {
		return nil, nil, err
	}
	if isNaN(d) || isInf(d) {
		return nil, nil, corruptKey()
	}
	return d, rest, nil
}

func decodeJSONMembers(b []byte, n uint32, depth int) (any, []byte, error) {
	if uint64(n) > uint64(len(b)) {
		return nil, nil, corruptKey()
	}
	object := make(JSONObject, n)
	for i := range object {
		k, rest, err := decodeBytesKey(b)
		if err != nil {
			return nil, nil, err
		}
		v, rest, err := decodeJSONKey(rest, depth)
		if err != nil {
			return nil, nil, err
		}
		object[i], b = JSONMember{Key: string(k), Value: v}, rest
	}
	return object, b, nil
}
