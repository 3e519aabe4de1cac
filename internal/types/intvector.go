package types

import (
	"cmp"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// intVectorCodec serves int2vector and oidvector: arrays of the catalogs, with
// lower bound 0 and blanks between the elements in text.
func intVectorCodec(elem OID) *Codec {
	c := arrayCodec(elem)
	c.Parse = func(s string, env *Env) (Datum, error) {
		fields := strings.Fields(s)
		elems := make([]Datum, len(fields))
		for i, f := range fields {
			d, err := codecOf(elem).Parse(f, env)
			if err != nil {
				return nil, err
			}
			elems[i] = d
		}
		return NewIntVector(elem, elems), nil
	}
	c.Decode = func(b []byte) (Datum, error) { return decodeIntVector(elem, b) }
	c.Encode = func(dst []byte, d Datum) ([]byte, error) {
		a := d.(*Array)
		if len(a.Elems) == 0 { // one dimension of nothing, as PostgreSQL makes them
			a = &Array{Dims: []int{0}, Lower: []int{0}}
		}
		return encodeArray(dst, elem, a)
	}
	c.Format = func(dst []byte, d Datum, env *Env) []byte {
		for i, e := range d.(*Array).Elems {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = Format(dst, elem, e, env)
		}
		return dst
	}
	if elem == OidOID {
		c.Compare = compareOidVectors
		c.AppendKey = appendOidVectorKey
		c.DecodeKey = decodeOidVectorKey
	}
	return c
}

// decodeIntVector takes only what these types can hold: one dimension from 0
// without NULLs.
func decodeIntVector(elem OID, b []byte) (Datum, error) {
	d, err := decodeArray(elem, b)
	if err != nil {
		return nil, err
	}
	a := d.(*Array)
	if len(a.Dims) > 1 || slices.Contains(a.Elems, nil) || (len(a.Lower) == 1 && a.Lower[0] != 0) {
		name := "int2vector"
		if elem == OidOID {
			name = "oidvector"
		}
		return nil, pgerr.Newf(pgerr.InvalidBinaryRepresentation, "invalid %s data", name)
	}
	return a, nil
}

// NewIntVector returns an int2vector or oidvector.
func NewIntVector(elem OID, elems []Datum) *Array {
	a := NewArray(elem, elems)
	if len(elems) > 0 {
		a.Lower = []int{0}
	}
	return a
}

// compareOidVectors puts shorter ones first, as oidvector's own operators do.
func compareOidVectors(a, b Datum) int {
	x, y := a.(*Array), b.(*Array)
	if c := cmp.Compare(len(x.Elems), len(y.Elems)); c != 0 {
		return c
	}
	return CompareArrays(OidOID, x, y)
}

func appendOidVectorKey(dst []byte, d Datum) []byte {
	a := d.(*Array)
	return appendArrayKey(appendInt32Key(dst, int32(len(a.Elems))), OidOID, a)
}

func decodeOidVectorKey(b []byte) (Datum, []byte, error) {
	_, rest, err := decodeInt32Key(b)
	if err != nil {
		return nil, nil, err
	}
	return decodeArrayKey(OidOID, rest)
}
