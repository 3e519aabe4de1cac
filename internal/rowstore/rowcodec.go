package rowstore

import (
	"encoding/binary"
	"math"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// A row is: version (uvarint, raised by each update), number of columns n
// (uvarint), n bits that say which are not NULL, then for each of those its
// length (uvarint) and binary form. Vectors have length 0 here and lie under
// keys of their own.

// isVector says whether a column's values lie under keys of their own.
func isVector(oid types.OID) bool {
	return oid == types.VectorOID || oid == types.HalfVecOID || oid == types.SparseVecOID
}

func damaged(what string) error {
	return pgerr.Newf(pgerr.DataCorrupted, "%s is damaged", what).WithHint("Stop the server and run: akidb check DIR")
}

// appendRow encodes a row.
func appendRow(dst []byte, table *catalog.Table, version uint64, row types.Row) ([]byte, error) {
	dst = binary.AppendUvarint(dst, version)
	dst = binary.AppendUvarint(dst, uint64(len(table.Columns)))
	bits := len(dst)
	for range (len(table.Columns) + 7) / 8 {
		dst = append(dst, 0)
	}
	for i := range table.Columns {
		c := &table.Columns[i]
		if c.Dropped || row[i] == nil {
			continue
		}
		dst[bits+i/8] |= 1 << (i % 8)
		if isVector(c.Type) {
			dst = append(dst, 0)
			continue
		}
		var err error
		if dst, err = appendColumn(dst, c.Type, row[i]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendColumn writes a value with its length before it; most lengths take one byte.
func appendColumn(dst []byte, oid types.OID, d types.Datum) ([]byte, error) {
	at := len(dst)
	dst = append(dst, 0)
	dst, err := types.Encode(dst, oid, d)
	if err != nil {
		return nil, err
	}
	n := len(dst) - at - 1
	if n < 0x80 {
		dst[at] = byte(n)
		return dst, nil
	}
	value := append([]byte(nil), dst[at+1:]...)
	dst = binary.AppendUvarint(dst[:at], uint64(n))
	return append(dst, value...), nil
}

// rowVersion reads a row's version.
func rowVersion(b []byte) uint64 {
	v, _ := binary.Uvarint(b)
	return v
}

// decodeRow fills the places of dst that want asks for (attnum-1); vector places
// that are not NULL are reported to vector. A nil want asks for all.
func decodeRow(b []byte, table *catalog.Table, want []bool, dst types.Row, vector func(i int) error) error {
	_, n := binary.Uvarint(b)
	if n <= 0 {
		return damaged("a row")
	}
	b = b[n:]
	count, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < (count+7)/8 {
		return damaged("a row")
	}
	bits := b[n : n+int(count+7)/8]
	b = b[n+int(count+7)/8:]
	for i := range table.Columns {
		c := &table.Columns[i]
		wanted := (want == nil || want[i]) && !c.Dropped
		dst[i] = nil
		if uint64(i) >= count {
			if wanted && c.Missing != nil {
				d, err := types.Parse(c.Type, c.Typmod, *c.Missing, types.DefaultEnv())
				if err != nil {
					return err
				}
				dst[i] = d
			}
			continue
		}
		if bits[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return damaged("a row")
		}
		value := b[n : n+int(size)]
		b = b[n+int(size):]
		switch {
		case !wanted:
		case isVector(c.Type):
			if err := vector(i); err != nil {
				return err
			}
		default:
			d, err := types.Decode(c.Type, value)
			if err != nil {
				return err
			}
			dst[i] = d
		}
	}
	return nil
}

// appendVector encodes a vector in little-endian: its elements; a sparse one as
// dimensions, count, indexes, values.
func appendVector(dst []byte, d types.Datum) []byte {
	switch v := d.(type) {
	case types.Vector:
		for _, x := range v {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
		}
	case types.HalfVector:
		for _, x := range v {
			dst = binary.LittleEndian.AppendUint16(dst, x)
		}
	case types.SparseVector:
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v.Dim))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(v.Index)))
		for _, i := range v.Index {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(i))
		}
		for _, x := range v.Value {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
		}
	}
	return dst
}

func decodeVector(oid types.OID, b []byte) (types.Datum, error) {
	switch oid {
	case types.VectorOID:
		if len(b)%4 != 0 {
			return nil, damaged("a vector")
		}
		return types.Vector(floats(b)), nil
	case types.HalfVecOID:
		if len(b)%2 != 0 {
			return nil, damaged("a halfvec")
		}
		v := make(types.HalfVector, len(b)/2)
		for i := range v {
			v[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		return v, nil
	default:
		return decodeSparse(b)
	}
}

func floats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func decodeSparse(b []byte) (types.Datum, error) {
	if len(b) < 8 {
		return nil, damaged("a sparsevec")
	}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	v := types.SparseVector{Dim: int32(binary.LittleEndian.Uint32(b))}
	if len(b) != 8+8*n {
		return nil, damaged("a sparsevec")
	}
	v.Index = make([]int32, n)
	for i := range v.Index {
		v.Index[i] = int32(binary.LittleEndian.Uint32(b[8+4*i:]))
	}
	v.Value = floats(b[8+4*n:])
	return v, nil
}

// wanted turns attnums into flags by position; nil (none asked) stays empty.
func wanted(table *catalog.Table, columns []int16) []bool {
	want := make([]bool, len(table.Columns))
	for _, n := range columns {
		want[n-1] = true
	}
	return want
}
