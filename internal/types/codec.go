package types

import (
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
)

var defaultEnv = DefaultEnv()

func envOr(env *Env) *Env {
	if env == nil {
		return defaultEnv
	}
	return env
}

func codecOf(oid OID) *Codec {
	if t := Lookup(oid); t != nil {
		return t.Codec
	}
	return nil
}

func unknownType(oid OID) error {
	return pgerr.Newf(pgerr.UndefinedObject, "type with OID %d does not exist", uint32(oid))
}

// Parse reads the text form of a value and enforces typmod as an assignment
// does. A nil env means DefaultEnv.
func Parse(oid OID, typmod int32, s string, env *Env) (Datum, error) {
	c := codecOf(oid)
	if c == nil {
		return nil, unknownType(oid)
	}
	if c.Parse == nil {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "cannot accept a value of type %s", Lookup(oid).SQLName)
	}
	if oid == IntervalOID && typmod != NoTypmod {
		iv, err := parseInterval(s, typmod, envOr(env))
		if err != nil {
			return nil, err
		}
		return ApplyTypmod(oid, typmod, iv, false)
	}
	d, err := c.Parse(s, envOr(env))
	if err != nil || typmod == NoTypmod {
		return d, err
	}
	return ApplyTypmod(oid, typmod, d, false)
}

// Format appends the text form of a non-NULL value.
func Format(dst []byte, oid OID, d Datum, env *Env) []byte {
	c := codecOf(oid)
	if c == nil || c.Format == nil {
		return formatByGoType(dst, d, envOr(env))
	}
	return c.Format(dst, d, envOr(env))
}

// FormatString returns the text form of a non-NULL value.
func FormatString(oid OID, d Datum, env *Env) string {
	if s, ok := d.(string); ok && oid != CharOID {
		return s
	}
	return string(Format(nil, oid, d, env))
}

// formatByGoType serves the types of users (enums, domains): their Go value
// tells how it looks.
func formatByGoType(dst []byte, d Datum, env *Env) []byte {
	switch v := d.(type) {
	case string:
		return append(dst, v...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case *Record:
		return formatRecord(dst, v, env)
	case *Array:
		return formatArray(dst, v, env)
	}
	if oid := oidOfGoType(d); oid != 0 {
		return Format(dst, oid, d, env)
	}
	return dst
}

// oidOfGoType names the plain type that a Go value stands for; 0 is none.
func oidOfGoType(d Datum) OID {
	switch d.(type) {
	case bool:
		return BoolOID
	case float32:
		return Float4OID
	case float64:
		return Float8OID
	case *Numeric:
		return NumericOID
	case JSONB:
		return JSONBOID
	case []byte:
		return ByteaOID
	case UUID:
		return UUIDOID
	case Date:
		return DateOID
	case Time:
		return TimeOID
	case TimeTZ:
		return TimeTZOID
	case Timestamp:
		return TimestampOID
	case TimestampTZ:
		return TimestampTZOID
	case Interval:
		return IntervalOID
	case Bits:
		return VarbitOID
	case Vector:
		return VectorOID
	case HalfVector:
		return HalfVecOID
	case SparseVector:
		return SparseVecOID
	}
	return 0
}

// Decode reads the binary form of a value; b is not kept.
func Decode(oid OID, b []byte) (Datum, error) {
	c := codecOf(oid)
	if c == nil {
		return nil, unknownType(oid)
	}
	if c.Decode == nil {
		return nil, pgerr.Newf(pgerr.UndefinedFunction, "no binary input function available for type %s", Lookup(oid).SQLName)
	}
	return c.Decode(b)
}

// Encode appends the binary form of a non-NULL value.
func Encode(dst []byte, oid OID, d Datum) ([]byte, error) {
	c := codecOf(oid)
	if c == nil {
		return nil, unknownType(oid)
	}
	if c.Encode == nil {
		return nil, pgerr.Newf(pgerr.UndefinedFunction, "no binary output function available for type %s", Lookup(oid).SQLName)
	}
	return c.Encode(dst, d)
}

// Compare orders two non-NULL values of a type: -1, 0 or 1. Types without an
// order (json, xml, …) order by their text, so that a sort is at least stable.
func Compare(oid OID, a, b Datum) int {
	if c := codecOf(oid); c != nil && c.Compare != nil {
		return c.Compare(a, b)
	}
	if x, ok := a.(*Record); ok {
		return compareRecords(x, b.(*Record))
	}
	return compareStrings(FormatString(oid, a, nil), FormatString(oid, b, nil))
}

// HasOrder tells whether the type has a btree order in PostgreSQL.
func HasOrder(oid OID) bool {
	c := codecOf(oid)
	return c != nil && c.Compare != nil
}

// wrongBinary is the error for a binary value whose length or content cannot be.
func wrongBinary(typname string) error {
	return pgerr.Newf(pgerr.InvalidBinaryRepresentation, "invalid binary representation of type %s", typname)
}

func incorrectFormat() error {
	return pgerr.New(pgerr.InvalidBinaryRepresentation, "incorrect binary data format")
}

func shortMessage() error {
	return pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message")
}

// exactly checks the length of a fixed-length binary value as PostgreSQL does.
func exactly(b []byte, n int) error {
	switch {
	case len(b) < n:
		return shortMessage()
	case len(b) > n:
		return incorrectFormat()
	}
	return nil
}

func invalidSyntax(typname, s string) *pgerr.Error {
	return pgerr.Newf(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", typname, s)
}

func outOfRange(s, typname string) *pgerr.Error {
	return pgerr.Newf(pgerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", s, typname)
}
