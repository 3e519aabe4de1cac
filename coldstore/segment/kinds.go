package segment

import (
	"math"
	"math/big"

	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
	"github.com/cockroachdb/apd/v3"
)

// Parquet counts from 1970, PostgreSQL from 2000.
const (
	epochDays   = 10957
	epochMicros = epochDays * 86400 * 1000000
)

func fixed[T any](n int) func(T) int { return func(T) int { return n } }

var (
	boolLeaf = &leaf[bool]{nil, parquet.Types.Boolean, -1,
		func(d types.Datum) (bool, bool) { v, ok := d.(bool); return v, ok },
		func(v bool) (types.Datum, error) { return v, nil }, fixed[bool](1)}
	int2Leaf   = intLeaf(16)
	int4Leaf   = intLeaf(32)
	int8Leaf   = &leaf[int64]{schema.NewIntLogicalType(64, true), parquet.Types.Int64, -1, putInt64, takeInt64, fixed[int64](8)}
	float4Leaf = &leaf[float32]{nil, parquet.Types.Float, -1,
		func(d types.Datum) (float32, bool) { v, ok := d.(float32); return v, ok },
		func(v float32) (types.Datum, error) { return v, nil }, fixed[float32](4)}
	float8Leaf = &leaf[float64]{nil, parquet.Types.Double, -1,
		func(d types.Datum) (float64, bool) { v, ok := d.(float64); return v, ok },
		func(v float64) (types.Datum, error) { return v, nil }, fixed[float64](8)}
	byteaLeaf = &leaf[parquet.ByteArray]{nil, parquet.Types.ByteArray, -1,
		func(d types.Datum) (parquet.ByteArray, bool) { v, ok := d.([]byte); return v, ok },
		func(v parquet.ByteArray) (types.Datum, error) { return append([]byte{}, v...), nil }, sizeOfBytes}
	uuidLeaf = &leaf[parquet.FixedLenByteArray]{schema.UUIDLogicalType{}, parquet.Types.FixedLenByteArray, 16,
		func(d types.Datum) (parquet.FixedLenByteArray, bool) { v, ok := d.(types.UUID); return v[:], ok },
		takeUUID, fixed[parquet.FixedLenByteArray](16)}
	dateLeaf = &leaf[int32]{schema.DateLogicalType{}, parquet.Types.Int32, -1, putDate, takeDate, fixed[int32](4)}
	timeLeaf = &leaf[int64]{schema.NewTimeLogicalType(false, schema.TimeUnitMicros), parquet.Types.Int64, -1,
		func(d types.Datum) (int64, bool) { v, ok := d.(types.Time); return int64(v), ok },
		func(v int64) (types.Datum, error) { return types.Time(v), nil }, fixed[int64](8)}
	timestampLeaf = &leaf[int64]{schema.NewTimestampLogicalTypeForce(false, schema.TimeUnitMicros), parquet.Types.Int64, -1,
		func(d types.Datum) (int64, bool) {
			v, ok := d.(types.Timestamp)
			m, fits := unixMicros(int64(v))
			return m, ok && fits
		},
		func(v int64) (types.Datum, error) { return types.Timestamp(postgresMicros(v)), nil }, fixed[int64](8)}
	timestamptzLeaf = &leaf[int64]{schema.NewTimestampLogicalTypeForce(true, schema.TimeUnitMicros), parquet.Types.Int64, -1,
		func(d types.Datum) (int64, bool) {
			v, ok := d.(types.TimestampTZ)
			m, fits := unixMicros(int64(v))
			return m, ok && fits
		},
		func(v int64) (types.Datum, error) { return types.TimestampTZ(postgresMicros(v)), nil }, fixed[int64](8)}
	stringLeaf = textLeaf(
		func(d types.Datum) (string, bool) { v, ok := d.(string); return v, ok },
		func(v string) (types.Datum, error) { return v, nil })
	jsonLeaf = jsonText(
		func(d types.Datum) (string, bool) { v, ok := d.(string); return v, ok },
		func(v string) (types.Datum, error) { return v, nil })
	jsonbLeaf = jsonText(
		func(d types.Datum) (string, bool) { v, ok := d.(types.JSONB); return string(v), ok },
		func(v string) (types.Datum, error) { return types.JSONB(v), nil })
)

// scalarLeaves are the types that have a plain Parquet form; every other type is
// stored as PostgreSQL prints it.
var scalarLeaves = map[types.OID]leafKind{
	types.BoolOID:        boolLeaf,
	types.Int2OID:        int2Leaf,
	types.Int4OID:        int4Leaf,
	types.Int8OID:        int8Leaf,
	types.OidOID:         int8Leaf,
	types.Float4OID:      float4Leaf,
	types.Float8OID:      float8Leaf,
	types.ByteaOID:       byteaLeaf,
	types.UUIDOID:        uuidLeaf,
	types.DateOID:        dateLeaf,
	types.TimeOID:        timeLeaf,
	types.TimestampOID:   timestampLeaf,
	types.TimestampTZOID: timestamptzLeaf,
	types.TextOID:        stringLeaf,
	types.VarcharOID:     stringLeaf,
	types.BpcharOID:      stringLeaf,
	types.NameOID:        stringLeaf,
	types.JSONOID:        jsonLeaf,
	types.XMLOID:         stringLeaf,
	types.JSONBOID:       jsonbLeaf,
}

// numericHeader is what numeric's type modifier is raised by.
const numericHeader = 4

// leafOf chooses the form of a scalar type, or of the elements of an array.
func leafOf(oid types.OID, typmod int32) leafKind {
	if l := scalarLeaves[oid]; l != nil {
		return l
	}
	if precision, scale, ok := decimalOf(oid, typmod); ok {
		return decimalLeaf(precision, scale)
	}
	return textLeaf(
		func(d types.Datum) (string, bool) { return types.FormatString(oid, d, nil), true },
		func(s string) (types.Datum, error) { return types.Parse(oid, types.NoTypmod, s, nil) })
}

// decimalOf says whether a numeric has a precision that Parquet's decimals have too.
func decimalOf(oid types.OID, typmod int32) (precision, scale int, ok bool) {
	if oid != types.NumericOID || typmod < numericHeader {
		return 0, 0, false
	}
	m := typmod - numericHeader
	precision = int(m >> 16)
	scale = int((m&0x7ff)^1024) - 1024 // eleven bits with a sign
	return precision, scale, precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
}

func sizeOfBytes(v parquet.ByteArray) int { return len(v) + 4 }

func textLeaf(put func(types.Datum) (string, bool), take func(string) (types.Datum, error)) *leaf[parquet.ByteArray] {
	return &leaf[parquet.ByteArray]{schema.StringLogicalType{}, parquet.Types.ByteArray, -1,
		func(d types.Datum) (parquet.ByteArray, bool) { s, ok := put(d); return parquet.ByteArray(s), ok },
		func(v parquet.ByteArray) (types.Datum, error) { return take(string(v)) },
		sizeOfBytes}
}

// jsonText is text that other tools know to be JSON.
func jsonText(put func(types.Datum) (string, bool), take func(string) (types.Datum, error)) *leaf[parquet.ByteArray] {
	l := textLeaf(put, take)
	l.logical = schema.JSONLogicalType{}
	return l
}

// labelLeaf holds the labels of an enum. They are never read back.
func labelLeaf(oid types.OID, users types.UserTypes) leafKind {
	env := types.DefaultEnv()
	env.Users = users
	return textLeaf(
		func(d types.Datum) (string, bool) { return types.FormatString(oid, d, env), true },
		func(s string) (types.Datum, error) { return nil, brokenf("a label is not read") })
}

// binaryLeaf holds PostgreSQL's binary form.
func binaryLeaf(oid types.OID) leafKind {
	return &leaf[parquet.ByteArray]{nil, parquet.Types.ByteArray, -1,
		func(d types.Datum) (parquet.ByteArray, bool) {
			b, err := types.Encode(nil, oid, d)
			return b, err == nil
		},
		func(v parquet.ByteArray) (types.Datum, error) { return types.Decode(oid, v) },
		sizeOfBytes}
}

func intLeaf(bits int8) *leaf[int32] {
	low, high := -int64(1)<<(bits-1), int64(1)<<(bits-1)-1
	return &leaf[int32]{schema.NewIntLogicalType(bits, true), parquet.Types.Int32, -1,
		func(d types.Datum) (int32, bool) {
			v, ok := d.(int64)
			return int32(v), ok && v >= low && v <= high
		},
		func(v int32) (types.Datum, error) { return int64(v), nil }, fixed[int32](4)}
}

func putInt64(d types.Datum) (int64, bool)   { v, ok := d.(int64); return v, ok }
func takeInt64(v int64) (types.Datum, error) { return v, nil }
func takeBytes(v []byte, n int) ([]byte, error) {
	if len(v) != n {
		return nil, brokenf("a value has %d bytes instead of %d", len(v), n)
	}
	return v, nil
}

func takeUUID(v parquet.FixedLenByteArray) (types.Datum, error) {
	b, err := takeBytes(v, 16)
	if err != nil {
		return nil, err
	}
	return types.UUID(b), nil
}

// Infinities are the ends of the range, as DuckDB has them.
func putDate(d types.Datum) (int32, bool) {
	v, ok := d.(types.Date)
	switch {
	case v == types.DateInfinity:
		return math.MaxInt32, ok
	case v == types.DateNegInfinity:
		return -math.MaxInt32, ok
	}
	days := int64(v) + epochDays
	return int32(days), ok && days > -math.MaxInt32 && days < math.MaxInt32
}

func takeDate(v int32) (types.Datum, error) {
	switch v {
	case math.MaxInt32:
		return types.DateInfinity, nil
	case -math.MaxInt32:
		return types.DateNegInfinity, nil
	}
	return types.Date(v - epochDays), nil
}

// unixMicros is false for the last 30 years of PostgreSQL's calendar, which
// microseconds since 1970 cannot reach.
func unixMicros(v int64) (int64, bool) {
	switch v {
	case int64(types.TimestampInfinity):
		return math.MaxInt64, true
	case int64(types.TimestampNegInfinity):
		return -math.MaxInt64, true
	}
	return v + epochMicros, v < math.MaxInt64-epochMicros && v > -math.MaxInt64
}

func postgresMicros(v int64) int64 {
	switch v {
	case math.MaxInt64:
		return int64(types.TimestampInfinity)
	case -math.MaxInt64:
		return int64(types.TimestampNegInfinity)
	}
	return v - epochMicros
}

// decimalLeaf holds numeric(p,s): an int64 up to 18 digits, 16 bytes up to 38.
// NaN, and a value of another scale, it cannot hold.
func decimalLeaf(precision, scale int) leafKind {
	logical := schema.NewDecimalLogicalType(int32(precision), int32(scale))
	if precision <= 18 {
		return &leaf[int64]{logical, parquet.Types.Int64, -1,
			func(d types.Datum) (int64, bool) {
				n, ok := d.(*types.Numeric)
				if !ok || !fitsDecimal(n, precision, scale) {
					return 0, false
				}
				v := n.Coeff.Int64()
				if n.Negative {
					v = -v
				}
				return v, true
			},
			func(v int64) (types.Datum, error) { return apd.New(v, int32(-scale)), nil }, fixed[int64](8)}
	}
	return &leaf[parquet.FixedLenByteArray]{logical, parquet.Types.FixedLenByteArray, 16,
		func(d types.Datum) (parquet.FixedLenByteArray, bool) {
			n, ok := d.(*types.Numeric)
			if !ok || !fitsDecimal(n, precision, scale) {
				return nil, false
			}
			return wideDecimal(n), true
		},
		func(v parquet.FixedLenByteArray) (types.Datum, error) { return takeWideDecimal(v, scale) },
		fixed[parquet.FixedLenByteArray](16)}
}

func fitsDecimal(n *types.Numeric, precision, scale int) bool {
	return n.Form == apd.Finite && n.Exponent == int32(-scale) && !(n.Negative && n.Coeff.Sign() == 0) &&
		(n.Coeff.Sign() == 0 || n.NumDigits() <= int64(precision))
}

// wideDecimal is two's complement, most significant byte first.
func wideDecimal(n *types.Numeric) []byte {
	v := n.Coeff.MathBigInt()
	if n.Negative {
		v.Sub(new(big.Int).Lsh(big.NewInt(1), 128), v)
	}
	return v.FillBytes(make([]byte, 16))
}

func takeWideDecimal(b []byte, scale int) (types.Datum, error) {
	if _, err := takeBytes(b, 16); err != nil {
		return nil, err
	}
	v := new(big.Int).SetBytes(b)
	negative := b[0] >= 0x80
	if negative {
		v.Sub(new(big.Int).Lsh(big.NewInt(1), 128), v)
	}
	d := &types.Numeric{Negative: negative, Exponent: int32(-scale)}
	d.Coeff.SetMathBigInt(v)
	return d, nil
}
