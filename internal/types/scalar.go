package types

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

var boolCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		if v, ok := parseBool(s); ok {
			return v, nil
		}
		return nil, invalidSyntax("boolean", s)
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte {
		if d.(bool) {
			return append(dst, 't')
		}
		return append(dst, 'f')
	},
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 1); err != nil {
			return nil, err
		}
		return b[0] != 0, nil
	},
	Encode:    func(dst []byte, d Datum) ([]byte, error) { return append(dst, boolByte(d.(bool))), nil },
	Compare:   func(a, b Datum) int { return cmp.Compare(boolByte(a.(bool)), boolByte(b.(bool))) },
	AppendKey: func(dst []byte, d Datum) []byte { return append(dst, boolByte(d.(bool))) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		if len(b) == 0 {
			return nil, nil, corruptKey()
		}
		return b[0] != 0, b[1:], nil
	},
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// parseBool accepts what PostgreSQL's boolin does: unique prefixes of true,
// false, yes, no, and on, off, 1, 0.
func parseBool(s string) (value, ok bool) {
	s = strings.ToLower(trimSpace(s))
	switch {
	case s == "":
		return false, false
	case strings.HasPrefix("true", s), strings.HasPrefix("yes", s), s == "on", s == "1":
		return true, true
	case strings.HasPrefix("false", s), strings.HasPrefix("no", s), s == "of", s == "off", s == "0":
		return false, true
	}
	return false, false
}

// trimSpace trims what C's isspace calls space in the C locale.
func trimSpace(s string) string { return strings.Trim(s, " \t\n\v\f\r") }

func isSpace(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

var byteaCodec = &Codec{
	Parse: parseBytea,
	Format: func(dst []byte, d Datum, env *Env) []byte {
		if env.ByteaEscape {
			return escapeBytea(dst, d.([]byte))
		}
		dst = append(dst, '\\', 'x')
		for _, c := range d.([]byte) {
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
		return dst
	},
	Decode:    func(b []byte) (Datum, error) { return append([]byte{}, b...), nil },
	Encode:    func(dst []byte, d Datum) ([]byte, error) { return append(dst, d.([]byte)...), nil },
	Compare:   func(a, b Datum) int { return bytes.Compare(a.([]byte), b.([]byte)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendBytesKey(dst, d.([]byte)) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeBytesKey(b)
		if err != nil {
			return nil, nil, err
		}
		return v, rest, nil
	},
}

const hexDigits = "0123456789abcdef"

func parseBytea(s string, _ *Env) (Datum, error) {
	if strings.HasPrefix(s, `\x`) {
		return parseHexBytea(s[2:])
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			out = append(out, s[i])
		case i+1 < len(s) && s[i+1] == '\\':
			out = append(out, '\\')
			i++
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]):
			out = append(out, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
		default:
			return nil, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return out, nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func parseHexBytea(s string) (Datum, error) {
	out := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); {
		if isSpace(s[i]) {
			i++
			continue
		}
		hi, ok := hexValue(s[i])
		if !ok {
			return nil, badHexDigit(s[i:])
		}
		if i+1 >= len(s) {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		lo, ok := hexValue(s[i+1])
		if !ok {
			return nil, badHexDigit(s[i+1:])
		}
		out = append(out, hi<<4|lo)
		i += 2
	}
	return out, nil
}

func badHexDigit(s string) error {
	_, n := utf8.DecodeRuneInString(s)
	return pgerr.Newf(pgerr.InvalidParameterValue, "invalid hexadecimal digit: \"%s\"", s[:n])
}

func hexValue(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func escapeBytea(dst, b []byte) []byte {
	for _, c := range b {
		switch {
		case c == '\\':
			dst = append(dst, '\\', '\\')
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

var uuidCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		u, ok := parseUUID(s)
		if !ok {
			return nil, invalidSyntax("uuid", s)
		}
		return u, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte {
		for i, c := range d.(UUID) {
			if i == 4 || i == 6 || i == 8 || i == 10 {
				dst = append(dst, '-')
			}
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
		return dst
	},
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 16); err != nil {
			return nil, err
		}
		return UUID(b), nil
	},
	Encode: func(dst []byte, d Datum) ([]byte, error) { u := d.(UUID); return append(dst, u[:]...), nil },
	Compare: func(a, b Datum) int {
		x, y := a.(UUID), b.(UUID)
		return bytes.Compare(x[:], y[:])
	},
	AppendKey: func(dst []byte, d Datum) []byte { u := d.(UUID); return append(dst, u[:]...) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		if len(b) < 16 {
			return nil, nil, corruptKey()
		}
		return UUID(b[:16]), b[16:], nil
	},
}

// parseUUID accepts PostgreSQL's forms: braces around it, a hyphen after any
// group of four digits, any case.
func parseUUID(s string) (u UUID, ok bool) {
	if strings.HasPrefix(s, "{") {
		if !strings.HasSuffix(s, "}") {
			return u, false
		}
		s = s[1 : len(s)-1]
	}
	for i := range u {
		if len(s) < 2 {
			return u, false
		}
		hi, ok1 := hexValue(s[0])
		lo, ok2 := hexValue(s[1])
		if !ok1 || !ok2 {
			return u, false
		}
		u[i], s = hi<<4|lo, s[2:]
		if i%2 == 1 && i < 15 && strings.HasPrefix(s, "-") {
			s = s[1:]
		}
	}
	return u, s == ""
}

func floatCodec32() *Codec {
	return &Codec{
		Parse: func(s string, _ *Env) (Datum, error) {
			f, err := parseFloat(s, 32, "real")
			if err != nil {
				return nil, err
			}
			return float32(f), nil
		},
		Format: func(dst []byte, d Datum, env *Env) []byte {
			return appendFloat(dst, float64(d.(float32)), 32, env.ExtraFloatDigits)
		},
		Decode: func(b []byte) (Datum, error) {
			if err := exactly(b, 4); err != nil {
				return nil, err
			}
			return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
		},
		Encode: func(dst []byte, d Datum) ([]byte, error) {
			return binary.BigEndian.AppendUint32(dst, math.Float32bits(d.(float32))), nil
		},
		Compare: func(a, b Datum) int { return cmp.Compare(float32Order(a.(float32)), float32Order(b.(float32))) },
		AppendKey: func(dst []byte, d Datum) []byte {
			return binary.BigEndian.AppendUint32(dst, float32Order(d.(float32)))
		},
		DecodeKey: func(b []byte) (Datum, []byte, error) {
			if len(b) < 4 {
				return nil, nil, corruptKey()
			}
			return float32FromOrder(binary.BigEndian.Uint32(b)), b[4:], nil
		},
	}
}

var float4Codec = floatCodec32()

var float8Codec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		f, err := parseFloat(s, 64, "double precision")
		if err != nil {
			return nil, err
		}
		return f, nil
	},
	Format: func(dst []byte, d Datum, env *Env) []byte {
		return appendFloat(dst, d.(float64), 64, env.ExtraFloatDigits)
	},
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 8); err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	},
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(d.(float64))), nil
	},
	Compare: func(a, b Datum) int { return cmp.Compare(float64Order(a.(float64)), float64Order(b.(float64))) },
	AppendKey: func(dst []byte, d Datum) []byte {
		return binary.BigEndian.AppendUint64(dst, float64Order(d.(float64)))
	},
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		if len(b) < 8 {
			return nil, nil, corruptKey()
		}
		return float64FromOrder(binary.BigEndian.Uint64(b)), b[8:], nil
	},
}

// CompareFloat orders as PostgreSQL: NaN equals NaN and is above everything.
func CompareFloat(a, b float64) int { return cmp.Compare(float64Order(a), float64Order(b)) }

func parseFloat(s string, bits int, typname string) (float64, error) {
	t := trimSpace(s)
	if f, ok := specialFloat(t); ok {
		return f, nil
	}
	if !plainFloat(t) {
		return 0, invalidSyntax(typname, s)
	}
	f, err := strconv.ParseFloat(t, bits)
	if err != nil || (f == 0 && hasNonZeroDigit(t)) {
		if err != nil && errors.Is(err, strconv.ErrSyntax) {
			return 0, invalidSyntax(typname, s)
		}
		return 0, pgerr.Newf(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type %s", t, typname)
	}
	return f, nil
}

func specialFloat(t string) (float64, bool) {
	switch strings.ToLower(t) {
	case "nan":
		return math.NaN(), true
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// plainFloat keeps Go's extras (underscores, inf spellings) out; hexadecimal
// floats are strtod's and stay.
func plainFloat(t string) bool {
	if t == "" || strings.ContainsAny(t, "_nN") {
		return false
	}
	hex := strings.ContainsAny(t, "xX")
	return !hex || strings.ContainsAny(t, "pP")
}

func hasNonZeroDigit(t string) bool {
	if i := strings.IndexAny(t, "eEpP"); i >= 0 {
		t = t[:i]
	}
	return strings.ContainsAny(t, "123456789")
}

// appendFloat prints as PostgreSQL does: the shortest digits that read back,
// with an exponent when the decimal one is below -4 or too large, or %g with
// 15 (6) + extra digits when extra_float_digits is not positive.
func appendFloat(dst []byte, f float64, bits, extra int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if extra <= 0 {
		return appendFloatDigits(dst, f, bits, extra)
	}
	limit := 1e15
	if bits == 32 {
		limit = 1e6
	}
	a := math.Abs(f)
	if a != 0 && (a < 1e-4 || a >= limit) {
		return appendShortestExp(dst, f, bits)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits)
}

func appendShortestExp(dst []byte, f float64, bits int) []byte {
	return strconv.AppendFloat(dst, f, 'e', -1, bits)
}

func appendFloatDigits(dst []byte, f float64, bits, extra int) []byte {
	digits := 15 + extra
	if bits == 32 {
		digits = 6 + extra
	}
	if digits < 1 {
		digits = 1
	}
	var buf [32]byte
	e := strconv.AppendFloat(buf[:0], f, 'e', digits-1, 64)
	at := bytes.IndexByte(e, 'e')
	exp, _ := strconv.Atoi(string(e[at+1:])) // digits that strconv itself wrote
	if exp < -4 || exp >= digits {
		mantissa := e[:at]
		if bytes.IndexByte(mantissa, '.') >= 0 {
			mantissa = bytes.TrimRight(bytes.TrimRight(mantissa, "0"), ".")
		}
		return append(append(dst, mantissa...), e[at:]...)
	}
	out := strconv.AppendFloat(buf[:0], f, 'f', digits-1-exp, 64)
	if bytes.IndexByte(out, '.') >= 0 {
		out = bytes.TrimRight(bytes.TrimRight(out, "0"), ".")
	}
	return append(dst, out...)
}

func pseudoCodec(name string) *Codec {
	return &Codec{
		Parse: func(string, *Env) (Datum, error) {
			return nil, pgerr.Newf(pgerr.FeatureNotSupported, "cannot accept a value of type %s", name)
		},
	}
}

var voidCodec = &Codec{
	Parse:  func(string, *Env) (Datum, error) { return "", nil },
	Format: func(dst []byte, _ Datum, _ *Env) []byte { return dst },
	Decode: func([]byte) (Datum, error) { return "", nil },
	Encode: func(dst []byte, _ Datum) ([]byte, error) { return dst, nil },
}
