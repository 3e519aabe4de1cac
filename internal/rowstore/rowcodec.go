package rowstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"

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
	if s, ok := d.(string); ok && len(s) >= 0x80 {
		dst = slices.Grow(dst, len(s)+binary.MaxVarintLen64)
	}
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
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[:size-1]...) // room, in which the value moves
	copy(dst[at+size:], dst[at+1:at+1+n])
	copy(dst[at:], length[:size])
	return dst, nil
}

// rowVersion reads a row's version.
func rowVersion(b []byte) uint64 {
	v, _ := binary.Uvarint(b)
	return v
}

// maxStoredColumns bounds the number of columns that a row may claim to have.
const maxStoredColumns = 1 << 15

// pendingVector stands in a row's place whose vector is still to be read.
var pendingVector types.Datum = pending{}

type pending struct{}

// decodeRow fills the places of dst that want asks for (attnum-1); a vector that
// is not NULL becomes pendingVector, and vectors says that there is one.
func decodeRow(b []byte, table *catalog.Table, want []bool, dst types.Row) (vectors bool, err error) {
	_, n := binary.Uvarint(b)
	if n <= 0 {
		return false, damaged("a row")
	}
	b = b[n:]
	count, n := binary.Uvarint(b)
	if n <= 0 || count > maxStoredColumns || len(b)-n < int(count+7)/8 {
		return false, damaged("a row")
	}
	bits := b[n : n+int(count+7)/8]
	b = b[n+int(count+7)/8:]
	for i := range table.Columns {
		c := &table.Columns[i]
		wanted := want[i] && !c.Dropped
		dst[i] = nil
		if i >= int(count) {
			if wanted && c.Missing != nil {
				if dst[i], err = types.Parse(c.Type, c.Typmod, *c.Missing, types.DefaultEnv()); err != nil {
					return false, err
				}
			}
			continue
		}
		if bits[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return false, damaged("a row")
		}
		value := b[n : n+int(size)]
		b = b[n+int(size):]
		switch {
		case !wanted:
		case isVector(c.Type):
			dst[i], vectors = pendingVector, true
		default:
			if dst[i], err = types.Decode(c.Type, value); err != nil {
				return false, fmt.Errorf("%w: column %s: %w", damaged("a row"), c.Name, err)
			}
		}
	}
	return vectors, nil
}

// appendVector encodes a vector in little-endian: its elements; a sparse one as
// dimensions, count, indexes, values.
func appendVector(dst []byte, d types.Datum) []byte {
	switch v := d.(type) {
	case types.Vector:
		return appendFloats(dst, v)
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
		return appendFloats(dst, v.Value)
	}
	return dst
}

// nativeLittle says whether floats lie in memory as they do on disk.
var nativeLittle = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// appendFloats copies floats as they lie in memory, where that is the form on disk.
func appendFloats(dst []byte, v []float32) []byte {
	if nativeLittle && len(v) > 0 {
		return append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))...)
	}
	for _, x := range v {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
	}
	return dst
}

// decodeVector reads a vector and checks that it has the column's dimensions.
func decodeVector(c *catalog.Column, b []byte) (types.Datum, error) {
	switch c.Type {
	case types.VectorOID:
		if len(b)%4 != 0 || !fits(c, len(b)/4) {
			return nil, damaged("a vector of column " + c.Name)
		}
		return types.Vector(floats(b)), nil
	case types.HalfVecOID:
		if len(b)%2 != 0 || !fits(c, len(b)/2) {
			return nil, damaged("a halfvec of column " + c.Name)
		}
		v := make(types.HalfVector, len(b)/2)
		for i := range v {
			v[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		return v, nil
	default:
		return decodeSparse(c, b)
	}
}

// maxDims bounds the dimensions of a dense vector.
const maxDims = 1 << 16

func fits(c *catalog.Column, dims int) bool {
	return dims > 0 && dims <= maxDims && (c.Typmod <= 0 || dims == int(c.Typmod))
}

func floats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	if nativeLittle && len(v) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)), b)
		return v
	}
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func decodeSparse(c *catalog.Column, b []byte) (types.Datum, error) {
	if len(b) < 8 {
		return nil, damaged("a sparsevec of column " + c.Name)
	}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	v := types.SparseVector{Dim: int32(binary.LittleEndian.Uint32(b))}
	if len(b) != 8+8*n || v.Dim <= 0 || c.Typmod > 0 && v.Dim != c.Typmod {
		return nil, damaged("a sparsevec of column " + c.Name)
	}
	v.Index = make([]int32, n)
	last := int32(-1)
	for i := range v.Index {
		at := int32(binary.LittleEndian.Uint32(b[8+4*i:]))
		if at <= last || at >= v.Dim {
			return nil, damaged("a sparsevec of column " + c.Name)
		}
		v.Index[i], last = at, at
	}
	v.Value = floats(b[8+4*n:])
	return v, nil
}

// everything asks for all columns.
func everything(table *catalog.Table) []bool {
	want := make([]bool, len(table.Columns))
	for i := range want {
		want[i] = true
	}
	return want
}

// wanted turns attnums into flags by position.
func wanted(table *catalog.Table, columns []int16) []bool {
	want := make([]bool, len(table.Columns))
	for _, n := range columns {
		want[n-1] = true
	}
	return want
}
