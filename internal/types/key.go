package types

import (
	"encoding/binary"
	"math"

	"github.com/akidb/akidb/internal/pgerr"
)

// Marker bytes before every key column: NULLs sort by their own marker, on
// either side of the values, whatever the direction.
const (
	keyNullFirst = 0x01
	keyValue     = 0x02
	keyNullLast  = 0x03
)

// AppendKey appends an encoding whose bytes order as ORDER BY d [DESC] NULLS
// FIRST|LAST orders the values; d may be NULL. Equal values have equal keys, so
// what makes no difference to the order (the display scale of a numeric, the
// trailing blanks of a bpchar, whether an interval says 1 mon or 30 days) does
// not come back from DecodeKey.
func AppendKey(dst []byte, oid OID, d Datum, desc, nullsFirst bool) []byte {
	if d == nil {
		if nullsFirst {
			return append(dst, keyNullFirst)
		}
		return append(dst, keyNullLast)
	}
	dst = append(dst, keyValue)
	start := len(dst)
	dst = appendKeyValue(dst, oid, d)
	if desc {
		invert(dst[start:])
	}
	return dst
}

func appendKeyValue(dst []byte, oid OID, d Datum) []byte {
	if c := codecOf(oid); c != nil && c.AppendKey != nil {
		return c.AppendKey(dst, d)
	}
	if r, ok := d.(*Record); ok {
		return recordAppendKey(dst, r)
	}
	if v, ok := d.(int64); ok {
		return appendInt64Key(dst, v)
	}
	return appendBytesKey(dst, Format(nil, oid, d, nil))
}

// DecodeKey reads what AppendKey wrote with the same arguments and returns the
// rest of b.
func DecodeKey(oid OID, b []byte, desc, nullsFirst bool) (d Datum, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, corruptKey()
	}
	switch b[0] {
	case keyNullFirst, keyNullLast:
		if (b[0] == keyNullFirst) != nullsFirst {
			return nil, nil, corruptKey()
		}
		return nil, b[1:], nil
	case keyValue:
	default:
		return nil, nil, corruptKey()
	}
	c := codecOf(oid)
	if c == nil || c.DecodeKey == nil {
		return nil, nil, unknownType(oid)
	}
	if !desc {
		return c.DecodeKey(b[1:])
	}
	flipped := append([]byte(nil), b[1:]...)
	invert(flipped)
	d, left, err := c.DecodeKey(flipped)
	if err != nil {
		return nil, nil, err
	}
	return d, b[len(b)-len(left):], nil
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

func corruptKey() error { return pgerr.New(pgerr.DataCorrupted, "index key is damaged") }

func appendInt64Key(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v)^(1<<63))
}

func decodeInt64Key(b []byte) (int64, []byte, error) {
	if len(b) < 8 {
		return 0, nil, corruptKey()
	}
	return int64(binary.BigEndian.Uint64(b) ^ (1 << 63)), b[8:], nil
}

func appendInt32Key(dst []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v)^(1<<31))
}

func decodeInt32Key(b []byte) (int32, []byte, error) {
	if len(b) < 4 {
		return 0, nil, corruptKey()
	}
	return int32(binary.BigEndian.Uint32(b) ^ (1 << 31)), b[4:], nil
}

// float64Order maps a float to bits that order like PostgreSQL: -0 equals 0,
// NaN is above Infinity and equals itself.
func float64Order(f float64) uint64 {
	if f == 0 {
		f = 0 // -0
	}
	if math.IsNaN(f) {
		return math.MaxUint64
	}
	bits := math.Float64bits(f)
	if bits>>63 != 0 {
		if f == 0 {
			return 1 << 63
		}
		return ^bits
	}
	return bits | 1<<63
}

func float64FromOrder(u uint64) float64 {
	switch {
	case u == math.MaxUint64:
		return math.NaN()
	case u>>63 != 0:
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}

func float32Order(f float32) uint32 {
	if f != f {
		return math.MaxUint32
	}
	bits := math.Float32bits(f)
	if f == 0 {
		return 1 << 31
	}
	if bits>>31 != 0 {
		return ^bits
	}
	return bits | 1<<31
}

func float32FromOrder(u uint32) float32 {
	switch {
	case u == math.MaxUint32:
		return float32(math.NaN())
	case u>>31 != 0:
		return math.Float32frombits(u &^ (1 << 31))
	}
	return math.Float32frombits(^u)
}

// appendBytesKey escapes 00 as 00 FF and ends with 00 01, so that a prefix
// sorts first and the end can be found.
func appendBytesKey(dst, b []byte) []byte {
	for _, c := range b {
		if c == 0 {
			dst = append(dst, 0, 0xff)
			continue
		}
		dst = append(dst, c)
	}
	return append(dst, 0, 1)
}

func appendStringKey(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			dst = append(dst, 0, 0xff)
			continue
		}
		dst = append(dst, s[i])
	}
	return append(dst, 0, 1)
}

func decodeBytesKey(b []byte) (value, rest []byte, err error) {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] != 0 {
			continue
		}
		if i+1 >= len(b) {
			break
		}
		out = append(out, b[:i]...)
		switch b[i+1] {
		case 1:
			if out == nil {
				out = []byte{}
			}
			return out, b[i+2:], nil
		case 0xff:
			out = append(out, 0)
			b, i = b[i+2:], -1
		default:
			return nil, nil, corruptKey()
		}
	}
	return nil, nil, corruptKey()
}
