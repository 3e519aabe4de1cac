package types

import "github.com/cockroachdb/apd/v3"

// Datum is one SQL value; nil is NULL. The Go type follows from the SQL type:
//
//	bool                                   bool
//	int2, int4, int8, oid, reg*, xid, cid  int64 (range checked where made)
//	float4                                 float32
//	float8                                 float64
//	numeric                                *Numeric
//	text, varchar, bpchar, name, "char",
//	json, unknown, cstring, xml            string
//	jsonb                                  JSONB (normalised text)
//	bytea                                  []byte
//	uuid                                   UUID
//	date                                   Date
//	time                                   Time
//	timetz                                 TimeTZ
//	timestamp                              Timestamp
//	timestamptz                            TimestampTZ
//	interval                               Interval
//	bit, varbit                            Bits
//	vector                                 Vector
//	halfvec                                HalfVector
//	sparsevec                              SparseVector
//	any array, int2vector, oidvector       *Array
//	record, row types                      *Record
//
// Datums are immutable once made: whoever holds one may share it freely.
type Datum = any

// Row is one tuple; its columns' types are known by whoever made the plan.
type Row []Datum

// Numeric is an arbitrary-precision decimal; NaN and infinities as in
// PostgreSQL 14 and later. The display scale is -Exponent.
type Numeric = apd.Decimal

// JSONB is a jsonb value as PostgreSQL would print it: keys without duplicates,
// ordered by length and then bytes, one space after ':' and ','.
type JSONB string

// UUID is a uuid in network byte order.
type UUID [16]byte

// Date is days since 2000-01-01. DateInfinity and DateNegInfinity are special.
type Date int32

// Time is microseconds since midnight.
type Time int64

// TimeTZ is a time of day with a zone: Zone is seconds WEST of UTC, as
// PostgreSQL stores it.
type TimeTZ struct {
	Time Time
	Zone int32
}

// Timestamp is microseconds since 2000-01-01 00:00:00 without a zone.
type Timestamp int64

// TimestampTZ is microseconds since 2000-01-01 00:00:00 UTC.
type TimestampTZ int64

// Infinities of the date types, as in PostgreSQL.
const (
	DateInfinity         Date      = 1<<31 - 1
	DateNegInfinity      Date      = -1 << 31
	TimestampInfinity    Timestamp = 1<<63 - 1
	TimestampNegInfinity Timestamp = -1 << 63
)

// Interval is PostgreSQL's interval: the three parts do not mix.
type Interval struct {
	Micros int64
	Days   int32
	Months int32
}

// Bits is a bit string of N bits, most significant bit of B[0] first; unused
// bits of the last byte are zero.
type Bits struct {
	N int
	B []byte
}

// Array is a PostgreSQL array; an empty one has no dimensions.
// len(Elems) is the product of Dims; Lower holds each dimension's lower bound.
type Array struct {
	Elem  OID
	Dims  []int
	Lower []int
	Elems []Datum
}

// NewArray returns a one-dimensional array with lower bound 1.
func NewArray(elem OID, elems []Datum) *Array {
	if len(elems) == 0 {
		return &Array{Elem: elem}
	}
	return &Array{Elem: elem, Dims: []int{len(elems)}, Lower: []int{1}, Elems: elems}
}

// Record is a composite value.
type Record struct {
	Names  []string
	Types  []OID
	Values []Datum
}

// Vector is a pgvector vector: 1 to 16000 finite elements.
type Vector []float32

// HalfVector is a pgvector halfvec: IEEE 754 binary16 elements.
type HalfVector []uint16

// SparseVector is a pgvector sparsevec: Index is 0-based and rising, Value has
// no zeros.
type SparseVector struct {
	Dim   int32
	Index []int32
	Value []float32
}
