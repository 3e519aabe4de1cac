package types

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// intCodec serves the integers whose datum is an int64 and whose binary form
// is size bytes, big-endian.
func intCodec(size int, signed bool, parse func(string) (int64, error)) *Codec {
	return &Codec{
		Parse: func(s string, _ *Env) (Datum, error) {
			v, err := parse(s)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Format: func(dst []byte, d Datum, _ *Env) []byte {
			if size == 8 && !signed {
				return strconv.AppendUint(dst, uint64(d.(int64)), 10)
			}
			return strconv.AppendInt(dst, d.(int64), 10)
		},
		Decode: func(b []byte) (Datum, error) {
			if err := exactly(b, size); err != nil {
				return nil, err
			}
			return bigEndian(b, signed), nil
		},
		Encode:    func(dst []byte, d Datum) ([]byte, error) { return appendBigEndian(dst, d.(int64), size), nil },
		Compare:   func(a, b Datum) int { return cmp.Compare(a.(int64), b.(int64)) },
		AppendKey: func(dst []byte, d Datum) []byte { return appendIntKey(dst, d.(int64), size, signed) },
		DecodeKey: func(b []byte) (Datum, []byte, error) {
			if len(b) < size {
				return nil, nil, corruptKey()
			}
			if !signed {
				return bigEndian(b[:size], false), b[size:], nil
			}
			u := uint64(bigEndian(b[:size], false)) ^ 1<<(8*size-1)
			return int64(u<<(64-8*size)) >> (64 - 8*size), b[size:], nil
		},
	}
}

func appendIntKey(dst []byte, v int64, size int, signed bool) []byte {
	if signed {
		v ^= -1 << (8*size - 1)
	}
	return appendBigEndian(dst, v, size)
}

func bigEndian(b []byte, signed bool) int64 {
	switch len(b) {
	case 2:
		if signed {
			return int64(int16(binary.BigEndian.Uint16(b)))
		}
		return int64(binary.BigEndian.Uint16(b))
	case 4:
		if signed {
			return int64(int32(binary.BigEndian.Uint32(b)))
		}
		return int64(binary.BigEndian.Uint32(b))
	}
	return int64(binary.BigEndian.Uint64(b))
}

func appendBigEndian(dst []byte, v int64, size int) []byte {
	switch size {
	case 2:
		return binary.BigEndian.AppendUint16(dst, uint16(v))
	case 4:
		return binary.BigEndian.AppendUint32(dst, uint32(v))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v))
}

var (
	int2Codec = intCodec(2, true, func(s string) (int64, error) { return parseInt(s, 16, "smallint") })
	int4Codec = intCodec(4, true, func(s string) (int64, error) { return parseInt(s, 32, "integer") })
	int8Codec = intCodec(8, true, func(s string) (int64, error) { return parseInt(s, 64, "bigint") })
	oidCodec  = intCodec(4, false, func(s string) (int64, error) { return parseOID(s, "oid") })
	xidCodec  = unordered(intCodec(4, false, func(s string) (int64, error) { return parseOID(s, "xid") }))
	xid8Codec = intCodec(8, true, func(s string) (int64, error) { return parseInt(s, 64, "xid8") })
)

// unordered marks a type without a btree order; its keys still serve hashing.
func unordered(c *Codec) *Codec {
	c.Compare = nil
	return c
}

func parseInt(s string, bits int, typname string) (int64, error) {
	t := trimSpace(s)
	if len(t) == 0 || strings.IndexByte(t, '_') >= 0 {
		return 0, invalidSyntax(typname, s)
	}
	v, err := strconv.ParseInt(t, 10, bits)
	if err == nil {
		return v, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, outOfRange(s, typname)
	}
	return 0, invalidSyntax(typname, s)
}

// parseOID accepts signed input as strtoul does: -1 is 4294967295.
func parseOID(s, typname string) (int64, error) {
	v, err := parseInt(s, 64, typname)
	if err != nil {
		return 0, err
	}
	if v < math.MinInt32 || v > math.MaxUint32 {
		return 0, outOfRange(s, typname)
	}
	return int64(uint32(v)), nil
}

// tid's datum is its text, (block,offset), in normal form.
var tidCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		block, offset, ok := parseTID(s)
		if !ok {
			return nil, invalidSyntax("tid", s)
		}
		return formatTID(block, offset), nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return append(dst, d.(string)...) },
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 6); err != nil {
			return nil, err
		}
		return formatTID(uint64(binary.BigEndian.Uint32(b)), uint64(binary.BigEndian.Uint16(b[4:]))), nil
	},
	Encode: func(dst []byte, d Datum) ([]byte, error) { return tidBytes(dst, d), nil },
	Compare: func(a, b Datum) int {
		return compareStrings(string(tidBytes(nil, a)), string(tidBytes(nil, b)))
	},
	AppendKey: tidBytes,
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		if len(b) < 6 {
			return nil, nil, corruptKey()
		}
		return formatTID(uint64(binary.BigEndian.Uint32(b)), uint64(binary.BigEndian.Uint16(b[4:]))), b[6:], nil
	},
}

func tidBytes(dst []byte, d Datum) []byte {
	block, offset, _ := parseTID(d.(string)) // a tid datum is always well formed
	dst = binary.BigEndian.AppendUint32(dst, uint32(block))
	return binary.BigEndian.AppendUint16(dst, uint16(offset))
}

func formatTID(block, offset uint64) string {
	return "(" + strconv.FormatUint(block, 10) + "," + strconv.FormatUint(offset, 10) + ")"
}

func parseTID(s string) (block, offset uint64, ok bool) {
	t := trimSpace(s)
	if len(t) < 5 || t[0] != '(' || t[len(t)-1] != ')' {
		return 0, 0, false
	}
	l, r, found := strings.Cut(t[1:len(t)-1], ",")
	block, err1 := strconv.ParseUint(trimSpace(l), 10, 32)
	offset, err2 := strconv.ParseUint(trimSpace(r), 10, 16)
	return block, offset, found && err1 == nil && err2 == nil
}

// regCodec serves the reg* types: an oid that prints as a name. Names resolve
// through the session; without one only regtype knows names.
func regCodec(kind OID) *Codec {
	c := intCodec(4, false, nil)
	c.Parse = func(s string, env *Env) (Datum, error) { return parseReg(kind, s, env) }
	c.Format = func(dst []byte, d Datum, env *Env) []byte { return formatReg(dst, kind, OID(d.(int64)), env) }
	return c
}

func parseReg(kind OID, s string, env *Env) (Datum, error) {
	if s == "-" {
		return int64(0), nil
	}
	if s != "" && strings.Trim(s, "0123456789") == "" {
		v, err := parseOID(s, "oid")
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	if env.Names != nil {
		oid, err := env.Names.ResolveName(kind, s)
		if err != nil {
			return nil, err
		}
		return int64(oid), nil
	}
	if kind == RegtypeOID {
		if t := BySQLName(s); t != nil {
			return int64(t.OID), nil
		}
	}
	return nil, unknownRegName(kind, s)
}

func unknownRegName(kind OID, s string) error {
	switch kind {
	case RegclassOID:
		return pgerr.Newf(pgerr.UndefinedTable, "relation \"%s\" does not exist", s)
	case RegtypeOID:
		return pgerr.Newf(pgerr.UndefinedObject, "type \"%s\" does not exist", s)
	case RegnamespaceOID:
		return pgerr.Newf(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", s)
	case RegroleOID:
		return pgerr.Newf(pgerr.UndefinedObject, "role \"%s\" does not exist", s)
	case RegprocOID, RegprocedureOID:
		return pgerr.Newf(pgerr.UndefinedFunction, "function \"%s\" does not exist", s)
	case RegoperOID, RegoperatorOID:
		return pgerr.Newf(pgerr.UndefinedFunction, "operator does not exist: %s", s)
	case RegcollationOID:
		return pgerr.Newf(pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", s)
	}
	return pgerr.Newf(pgerr.UndefinedObject, "object \"%s\" does not exist", s)
}

func formatReg(dst []byte, kind, oid OID, env *Env) []byte {
	if oid == 0 {
		return append(dst, '-')
	}
	if env.Names != nil {
		if name, ok := env.Names.ObjectName(kind, oid); ok {
			return append(dst, name...)
		}
	}
	if kind == RegtypeOID && Lookup(oid) != nil && !IsUserType(oid) {
		return append(dst, FormatType(oid, NoTypmod)...)
	}
	return strconv.AppendUint(dst, uint64(oid), 10)
}
