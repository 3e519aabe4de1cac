package run

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// The tags of values in temporary files. Rows are written by the Go type of
// each value, so that no type need be known and nothing is lost on the way.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat4
	tagFloat8
	tagNumeric
	tagString
	tagJSONB
	tagBytes
	tagUUID
	tagDate
	tagTime
	tagTimeTZ
	tagTimestamp
	tagTimestampTZ
	tagInterval
	tagBits
	tagVector
	tagHalfVector
	tagSparseVector
	tagArray
	tagRecord
	tagEnum
)

// appendRow appends a row's temporary form.
func appendRow(dst []byte, row types.Row) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(len(row)))
	var err error
	for _, d := range row {
		if dst, err = appendDatum(dst, d); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendDatum(dst []byte, d types.Datum) ([]byte, error) {
	switch v := d.(type) {
	case nil:
		return append(dst, tagNull), nil
	case bool:
		if v {
			return append(dst, tagTrue), nil
		}
		return append(dst, tagFalse), nil
	case int64:
		return binary.AppendVarint(append(dst, tagInt), v), nil
	case float32:
		return binary.LittleEndian.AppendUint32(append(dst, tagFloat4), math.Float32bits(v)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, tagFloat8), math.Float64bits(v)), nil
	case *types.Numeric:
		return appendNumeric(append(dst, tagNumeric), v), nil
	case string:
		return appendText(append(dst, tagString), v), nil
	case types.JSONB:
		return appendText(append(dst, tagJSONB), string(v)), nil
	case []byte:
		return appendBlob(append(dst, tagBytes), v), nil
	case types.UUID:
		return append(append(dst, tagUUID), v[:]...), nil
	case types.Vector:
		return appendFloats(append(dst, tagVector), v), nil
	case types.HalfVector:
		dst = binary.AppendUvarint(append(dst, tagHalfVector), uint64(len(v)))
		for _, h := range v {
			dst = binary.LittleEndian.AppendUint16(dst, h)
		}
		return dst, nil
	case types.SparseVector:
		return appendSparse(append(dst, tagSparseVector), v), nil
	case types.Bits:
		return appendBlob(binary.AppendUvarint(append(dst, tagBits), uint64(v.N)), v.B), nil
	case types.Enum:
		dst = binary.AppendUvarint(append(dst, tagEnum), uint64(v.Type))
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Order)), nil
	case *types.Array:
		return appendArray(append(dst, tagArray), v)
	case *types.Record:
		return appendRecord(append(dst, tagRecord), v)
	}
	return appendTemporal(dst, d)
}

func appendTemporal(dst []byte, d types.Datum) ([]byte, error) {
	switch v := d.(type) {
	case types.Date:
		return binary.AppendVarint(append(dst, tagDate), int64(v)), nil
	case types.Time:
		return binary.AppendVarint(append(dst, tagTime), int64(v)), nil
	case types.TimeTZ:
		dst = binary.AppendVarint(append(dst, tagTimeTZ), int64(v.Time))
		return binary.AppendVarint(dst, int64(v.Zone)), nil
	case types.Timestamp:
		return binary.AppendVarint(append(dst, tagTimestamp), int64(v)), nil
	case types.TimestampTZ:
		return binary.AppendVarint(append(dst, tagTimestampTZ), int64(v)), nil
	case types.Interval:
		dst = binary.AppendVarint(append(dst, tagInterval), v.Micros)
		dst = binary.AppendVarint(dst, int64(v.Days))
		return binary.AppendVarint(dst, int64(v.Months)), nil
	}
	return dst, pgerr.Newf(pgerr.InternalError, "a value of Go type %T cannot be written to a temporary file", d)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBlob(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendNumeric(dst []byte, v *types.Numeric) []byte {
	sign := byte(0)
	if v.Negative {
		sign = 1
	}
	dst = append(dst, byte(v.Form)<<1|sign)
	dst = binary.AppendVarint(dst, int64(v.Exponent))
	return appendBlob(dst, v.Coeff.Bytes())
}

func appendFloats(dst []byte, v []float32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(v)))
	for _, f := range v {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f))
	}
	return dst
}

func appendSparse(dst []byte, v types.SparseVector) []byte {
	dst = binary.AppendVarint(dst, int64(v.Dim))
	dst = appendFloats(dst, v.Value)
	for _, i := range v.Index {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(i))
	}
	return dst
}

func appendArray(dst []byte, a *types.Array) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(a.Elem))
	dst = binary.AppendUvarint(dst, uint64(len(a.Dims)))
	for i := range a.Dims {
		dst = binary.AppendVarint(dst, int64(a.Dims[i]))
		dst = binary.AppendVarint(dst, int64(a.Lower[i]))
	}
	return appendRow(dst, a.Elems)
}

func appendRecord(dst []byte, r *types.Record) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(len(r.Names)))
	for _, n := range r.Names {
		dst = appendText(dst, n)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Types)))
	for _, t := range r.Types {
		dst = binary.AppendUvarint(dst, uint64(t))
	}
	return appendRow(dst, r.Values)
}

// decodeRow reads what appendRow wrote.
func decodeRow(b []byte) (types.Row, error) {
	r := rowReader{b: b}
	row := r.row(0)
	if r.bad {
		return nil, pgerr.New(pgerr.DataCorrupted, "temporary file is damaged")
	}
	return row, nil
}

// rowReader reads a row's temporary form; bad is set at the first surprise.
type rowReader struct {
	b   []byte
	bad bool
}

func (r *rowReader) fail() { r.bad, r.b = true, nil }

func (r *rowReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *rowReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *rowReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things of at least size bytes each.
func (r *rowReader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

// maxNesting bounds arrays and records within each other.
const maxNesting = 64

func (r *rowReader) row(depth int) types.Row {
	n := r.count(1)
	if depth > maxNesting {
		r.fail()
		return nil
	}
	row := make(types.Row, n)
	for i := range row {
		row[i] = r.datum(depth)
		if r.bad {
			return nil
		}
	}
	return row
}

func (r *rowReader) datum(depth int) types.Datum {
	tag := r.take(1)
	if r.bad {
		return nil
	}
	switch tag[0] {
	case tagNull:
		return nil
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagInt:
		return r.varint()
	case tagFloat4:
		if b := r.take(4); b != nil {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		}
	case tagFloat8:
		if b := r.take(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case tagNumeric:
		return r.numeric()
	case tagString:
		return string(r.take(r.count(1)))
	case tagJSONB:
		return types.JSONB(r.take(r.count(1)))
	case tagBytes:
		return append([]byte{}, r.take(r.count(1))...)
	case tagUUID:
		var u types.UUID
		copy(u[:], r.take(16))
		return u
	case tagVector:
		return types.Vector(r.floats())
	case tagHalfVector:
		return r.half()
	case tagSparseVector:
		return r.sparse()
	case tagBits:
		n := r.uvarint()
		return types.Bits{N: int(n), B: append([]byte{}, r.take(r.count(1))...)}
	case tagArray:
		return r.array(depth + 1)
	case tagRecord:
		return r.record(depth + 1)
	case tagEnum:
		typ := types.OID(r.uvarint())
		if b := r.take(8); b != nil {
			return types.Enum{Type: typ, Order: math.Float64frombits(binary.LittleEndian.Uint64(b))}
		}
	default:
		return r.temporal(tag[0])
	}
	return nil
}

func (r *rowReader) temporal(tag byte) types.Datum {
	switch tag {
	case tagDate:
		return types.Date(r.varint())
	case tagTime:
		return types.Time(r.varint())
	case tagTimeTZ:
		t := types.Time(r.varint())
		return types.TimeTZ{Time: t, Zone: int32(r.varint())}
	case tagTimestamp:
		return types.Timestamp(r.varint())
	case tagTimestampTZ:
		return types.TimestampTZ(r.varint())
	case tagInterval:
		micros := r.varint()
		days := int32(r.varint())
		return types.Interval{Micros: micros, Days: days, Months: int32(r.varint())}
	}
	r.fail()
	return nil
}

func (r *rowReader) numeric() types.Datum {
	head := r.take(1)
	exponent := r.varint()
	coeff := r.take(r.count(1))
	if r.bad {
		return nil
	}
	v := new(types.Numeric)
	v.Negative = head[0]&1 != 0
	v.Exponent = int32(exponent)
	v.Form = apd.Form(head[0] >> 1)
	v.Coeff.SetMathBigInt(new(big.Int).SetBytes(coeff))
	return v
}

func (r *rowReader) floats() []float32 {
	v := make([]float32, r.count(4))
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(r.b[4*i:]))
	}
	r.take(4 * len(v))
	return v
}

func (r *rowReader) half() types.Datum {
	v := make(types.HalfVector, r.count(2))
	for i := range v {
		v[i] = binary.LittleEndian.Uint16(r.b[2*i:])
	}
	r.take(2 * len(v))
	return v
}

func (r *rowReader) sparse() types.Datum {
	v := types.SparseVector{Dim: int32(r.varint())}
	v.Value = r.floats()
	raw := r.take(4 * len(v.Value))
	if r.bad {
		return nil
	}
	v.Index = make([]int32, len(v.Value))
	for i := range v.Index {
		v.Index[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return v
}

func (r *rowReader) array(depth int) types.Datum {
	a := &types.Array{Elem: types.OID(r.uvarint())}
	if n := r.count(2); n > 0 {
		a.Dims, a.Lower = make([]int, n), make([]int, n)
		for i := range a.Dims {
			a.Dims[i] = int(r.varint())
			a.Lower[i] = int(r.varint())
		}
	}
	if elems := r.row(depth); len(elems) > 0 {
		a.Elems = elems
	}
	return a
}

func (r *rowReader) record(depth int) types.Datum {
	rec := &types.Record{}
	if n := r.count(1); n > 0 {
		rec.Names = make([]string, n)
		for i := range rec.Names {
			rec.Names[i] = string(r.take(r.count(1)))
		}
	}
	if n := r.count(1); n > 0 {
		rec.Types = make([]types.OID, n)
		for i := range rec.Types {
			rec.Types[i] = types.OID(r.uvarint())
		}
	}
	rec.Values = r.row(depth)
	return rec
}
