package expr

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions of bytea and bit strings, and the encodings between them and text.
var byteFunctions = []*Function{
	define1("length(bytea) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.([]byte))), nil }),
	define1("octet_length(bytea) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.([]byte))), nil }),
	define1("bit_length(bytea) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.([]byte))) * 8, nil }),
	define1("length(bit) int4", func(a types.Datum) (types.Datum, error) { return int64(a.(types.Bits).N), nil }),
	define1("bit_length(bit) int4", func(a types.Datum) (types.Datum, error) { return int64(a.(types.Bits).N), nil }),
	define1("octet_length(bit) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(types.Bits).B)), nil }),
	define1("bit_count(bit) int8", func(a types.Datum) (types.Datum, error) { return countBits(a.(types.Bits).B), nil }),
	define1("bit_count(bytea) int8", func(a types.Datum) (types.Datum, error) { return countBits(a.([]byte)), nil }),
	define("substr(bytea, int4) bytea", evalSubstrBytes),
	define("substr(bytea, int4, int4) bytea", evalSubstrBytes),
	define("substring(bytea, int4) bytea", evalSubstrBytes),
	define("substring(bytea, int4, int4) bytea", evalSubstrBytes),
	define("substring(bit, int4) bit", evalSubstrBits),
	define("substring(bit, int4, int4) bit", evalSubstrBits),
	define2("position(bytea, bytea) int4", func(a, b types.Datum) (types.Datum, error) {
		return int64(bytes.Index(a.([]byte), b.([]byte))) + 1, nil
	}),
	define2("position(bit, bit) int4", func(a, b types.Datum) (types.Datum, error) {
		return bitPosition(a.(types.Bits), b.(types.Bits)), nil
	}),
	define("overlay(bytea, bytea, int4) bytea", evalOverlayBytes),
	define("overlay(bit, bit, int4) bit", evalOverlayBits),
	define("overlay(bit, bit, int4, int4) bit", evalOverlayBits),
	define("overlay(bytea, bytea, int4, int4) bytea", evalOverlayBytes),
	define2("btrim(bytea, bytea) bytea", func(a, b types.Datum) (types.Datum, error) {
		return trimBytes(a.([]byte), b.([]byte), true, true), nil
	}),
	define2("ltrim(bytea, bytea) bytea", func(a, b types.Datum) (types.Datum, error) {
		return trimBytes(a.([]byte), b.([]byte), true, false), nil
	}),
	define2("rtrim(bytea, bytea) bytea", func(a, b types.Datum) (types.Datum, error) {
		return trimBytes(a.([]byte), b.([]byte), false, true), nil
	}),
	define2("get_byte(bytea, int4) int4", func(a, b types.Datum) (types.Datum, error) {
		if err := checkByteIndex(len(a.([]byte)), b.(int64)); err != nil {
			return nil, err
		}
		return int64(a.([]byte)[b.(int64)]), nil
	}),
	define("set_byte(bytea, int4, int4) bytea", evalSetByte),
	define2("get_bit(bytea, int8) int4", func(a, b types.Datum) (types.Datum, error) {
		if err := checkByteIndex(8*len(a.([]byte)), b.(int64)); err != nil {
			return nil, err
		}
		return int64(a.([]byte)[b.(int64)/8] >> (b.(int64) % 8) & 1), nil
	}),
	define("set_bit(bytea, int8, int4) bytea", evalSetBitOfBytes),
	define2("get_bit(bit, int4) int4", func(a, b types.Datum) (types.Datum, error) {
		x, n := a.(types.Bits), b.(int64)
		if err := checkBitIndex(x, n); err != nil {
			return nil, err
		}
		return int64(bitValue(x, int(n))), nil
	}),
	define("set_bit(bit, int4, int4) bit", evalSetBit),
	define1("md5(text) text", func(a types.Datum) (types.Datum, error) { return hexOf(md5.Sum([]byte(a.(string)))), nil }),
	define1("md5(bytea) text", func(a types.Datum) (types.Datum, error) { return hexOf(md5.Sum(a.([]byte))), nil }),
	define1("sha224(bytea) bytea", func(a types.Datum) (types.Datum, error) { h := sha256.Sum224(a.([]byte)); return h[:], nil }),
	define1("sha256(bytea) bytea", func(a types.Datum) (types.Datum, error) { h := sha256.Sum256(a.([]byte)); return h[:], nil }),
	define1("sha384(bytea) bytea", func(a types.Datum) (types.Datum, error) { h := sha512.Sum384(a.([]byte)); return h[:], nil }),
	define1("sha512(bytea) bytea", func(a types.Datum) (types.Datum, error) { h := sha512.Sum512(a.([]byte)); return h[:], nil }),
	define2("encode(bytea, text) text", func(a, b types.Datum) (types.Datum, error) {
		return datum(encodeBytes(a.([]byte), b.(string)))
	}),
	define2("decode(text, text) bytea", func(a, b types.Datum) (types.Datum, error) {
		return datum(decodeBytes(a.(string), b.(string)))
	}),
	define1("to_hex(int4) text", func(a types.Datum) (types.Datum, error) {
		return strconv.FormatUint(uint64(uint32(a.(int64))), 16), nil
	}),
	define1("to_hex(int8) text", func(a types.Datum) (types.Datum, error) {
		return strconv.FormatUint(uint64(a.(int64)), 16), nil
	}),
	define1("to_bin(int4) text", func(a types.Datum) (types.Datum, error) {
		return strconv.FormatUint(uint64(uint32(a.(int64))), 2), nil
	}),
	define1("to_bin(int8) text", func(a types.Datum) (types.Datum, error) {
		return strconv.FormatUint(uint64(a.(int64)), 2), nil
	}),
	define1("to_oct(int4) text", func(a types.Datum) (types.Datum, error) {
		return strconv.FormatUint(uint64(uint32(a.(int64))), 8), nil
	}),
	define1("to_oct(int8) text", func(a types.Datum) (types.Datum, error) {
		return strconv.FormatUint(uint64(a.(int64)), 8), nil
	}),
	define2("convert_from(bytea, name) text", func(a, b types.Datum) (types.Datum, error) {
		return datum(convertFrom(a.([]byte), b.(string)))
	}),
	define2("convert_to(text, name) bytea", func(a, b types.Datum) (types.Datum, error) {
		return datum(convertTo(a.(string), b.(string)))
	}),
	define("convert(bytea, name, name) bytea", func(_ *Context, args []types.Datum) (types.Datum, error) {
		s, err := convertFrom(args[0].([]byte), args[1].(string))
		if err != nil {
			return nil, err
		}
		return datum(convertTo(s, args[2].(string)))
	}),
	define2("length(bytea, name) int4", func(a, b types.Datum) (types.Datum, error) {
		s, err := convertFrom(a.([]byte), b.(string))
		return datum(int64(utf8.RuneCountInString(s)), err)
	}),
}

func hexOf(sum [16]byte) string { return hex.EncodeToString(sum[:]) }

func countBits(b []byte) int64 {
	n := 0
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return int64(n)
}

func evalSubstrBytes(_ *Context, args []types.Datum) (types.Datum, error) {
	b := args[0].([]byte)
	from, to, err := clipRange(args[1].(int64), optional(args, 2), int64(len(b)))
	if err != nil {
		return nil, err
	}
	return b[from:to:to], nil
}

func bitValue(b types.Bits, i int) byte { return b.B[i/8] >> (7 - i%8) & 1 }

// sliceBits copies the bits [from, to).
func sliceBits(b types.Bits, from, to int) types.Bits {
	out := types.Bits{N: to - from, B: make([]byte, (to-from+7)/8)}
	for i := range out.N {
		out.B[i/8] |= bitValue(b, from+i) << (7 - i%8)
	}
	return out
}

func evalSubstrBits(_ *Context, args []types.Datum) (types.Datum, error) {
	b := args[0].(types.Bits)
	from, to, err := clipRange(args[1].(int64), optional(args, 2), int64(b.N))
	if err != nil {
		return nil, err
	}
	return sliceBits(b, int(from), int(to)), nil
}

func bitPosition(a, b types.Bits) int64 {
	for i := 0; i+b.N <= a.N; i++ {
		found := true
		for j := 0; j < b.N && found; j++ {
			found = bitValue(a, i+j) == bitValue(b, j)
		}
		if found {
			return int64(i) + 1
		}
	}
	return 0
}

func evalOverlayBytes(_ *Context, args []types.Datum) (types.Datum, error) {
	b, with, start := args[0].([]byte), args[1].([]byte), args[2].(int64)
	count := int64(len(with))
	if n := optional(args, 3); n != nil {
		count = n.(int64)
	}
	if start <= 0 {
		return nil, negativeSubstring()
	}
	size := int64(len(b))
	end := min(max(start-1+count, 0), size)
	return bytes.Join([][]byte{b[:min(start-1, size)], with, b[end:]}, nil), nil
}

func evalOverlayBits(_ *Context, args []types.Datum) (types.Datum, error) {
	b, with, start := args[0].(types.Bits), args[1].(types.Bits), args[2].(int64)
	count := int64(with.N)
	if n := optional(args, 3); n != nil {
		count = n.(int64)
	}
	if start <= 0 {
		return nil, negativeSubstring()
	}
	size := int64(b.N)
	end := min(max(start-1+count, 0), size)
	head := concatBits(sliceBits(b, 0, int(min(start-1, size))), with)
	return concatBits(head, sliceBits(b, int(end), b.N)), nil
}

func trimBytes(b, set []byte, left, right bool) []byte {
	for left && len(b) > 0 && bytes.IndexByte(set, b[0]) >= 0 {
		b = b[1:]
	}
	for right && len(b) > 0 && bytes.IndexByte(set, b[len(b)-1]) >= 0 {
		b = b[:len(b)-1]
	}
	return b
}

func checkByteIndex(size int, n int64) error {
	if n < 0 || n >= int64(size) {
		return pgerr.Newf(pgerr.ArraySubscriptError, "index %d out of valid range, 0..%d", n, size-1)
	}
	return nil
}

func checkBitIndex(b types.Bits, n int64) error {
	if n < 0 || n >= int64(b.N) {
		return pgerr.Newf(pgerr.ArraySubscriptError, "bit index %d out of valid range (0..%d)", n, b.N-1)
	}
	return nil
}

func checkNewBit(v int64) error {
	if v != 0 && v != 1 {
		return pgerr.New(pgerr.InvalidParameterValue, "new bit must be 0 or 1")
	}
	return nil
}

func evalSetByte(_ *Context, args []types.Datum) (types.Datum, error) {
	b, n := args[0].([]byte), args[1].(int64)
	if err := checkByteIndex(len(b), n); err != nil {
		return nil, err
	}
	out := bytes.Clone(b)
	out[n] = byte(args[2].(int64))
	return out, nil
}

func evalSetBitOfBytes(_ *Context, args []types.Datum) (types.Datum, error) {
	b, n := args[0].([]byte), args[1].(int64)
	if err := checkByteIndex(8*len(b), n); err != nil {
		return nil, err
	}
	if err := checkNewBit(args[2].(int64)); err != nil {
		return nil, err
	}
	out := bytes.Clone(b)
	out[n/8] = out[n/8]&^(1<<(n%8)) | byte(args[2].(int64))<<(n%8)
	return out, nil
}

func evalSetBit(_ *Context, args []types.Datum) (types.Datum, error) {
	b, n := args[0].(types.Bits), args[1].(int64)
	if err := checkBitIndex(b, n); err != nil {
		return nil, err
	}
	if err := checkNewBit(args[2].(int64)); err != nil {
		return nil, err
	}
	out := types.Bits{N: b.N, B: bytes.Clone(b.B)}
	shift := 7 - n%8
	out.B[n/8] = out.B[n/8]&^(1<<shift) | byte(args[2].(int64))<<shift
	return out, nil
}

func unknownEncoding(name string) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, "unrecognized encoding: \"%s\"", name)
}

// base64Line is the length of a line of encode(…, 'base64'), RFC 2045's.
const base64Line = 76

func encodeBytes(b []byte, format string) (string, error) {
	switch strings.ToLower(format) {
	case "hex":
		return hex.EncodeToString(b), nil
	case "base64":
		s := base64.StdEncoding.EncodeToString(b)
		var out strings.Builder
		for len(s) > base64Line {
			out.WriteString(s[:base64Line])
			out.WriteByte('\n')
			s = s[base64Line:]
		}
		return out.String() + s, nil
	case "escape":
		return escapeBytes(b), nil
	}
	return "", unknownEncoding(format)
}

// escapeBytes writes zero bytes and those above 127 in octal and doubles backslashes.
func escapeBytes(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		switch {
		case c == '\\':
			out.WriteString(`\\`)
		case c == 0 || c >= 0x80:
			out.WriteByte('\\')
			out.WriteByte('0' + c>>6)
			out.WriteByte('0' + c>>3&7)
			out.WriteByte('0' + c&7)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func decodeBytes(s, format string) ([]byte, error) {
	switch strings.ToLower(format) {
	case "hex":
		return decodeHex(s)
	case "base64":
		return decodeBase64(s)
	case "escape":
		return unescapeBytes(s)
	}
	return nil, unknownEncoding(format)
}

func decodeHex(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/2)
	high, have := byte(0), false
	for _, r := range s {
		if strings.ContainsRune(" \n\t\r", r) {
			continue
		}
		v := strings.IndexRune("0123456789abcdefABCDEF", r)
		if v < 0 {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid hexadecimal digit: \"%c\"", r)
		}
		if v >= 16 {
			v -= 6
		}
		if have {
			out = append(out, high<<4|byte(v))
		}
		high, have = byte(v), !have
	}
	if have {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
	}
	return out, nil
}

func decodeBase64(s string) ([]byte, error) {
	var clean strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune(" \n\t\r", r):
			continue
		case r >= utf8.RuneSelf, !isLetter(byte(r)) && (r < '0' || r > '9') && r != '+' && r != '/' && r != '=':
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid symbol \"%c\" found while decoding base64 sequence", r)
		}
		clean.WriteRune(r)
	}
	out, err := base64.StdEncoding.DecodeString(clean.String())
	if err != nil {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid base64 end sequence").
			WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.")
	}
	return out, nil
}

func unescapeBytes(s string) ([]byte, error) {
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

// encodingKind is how an encoding's name is understood: 'u' UTF-8, 'a' plain
// bytes (SQL_ASCII), 'l' Latin 1; 0 unknown.
func encodingKind(name string) byte {
	var plain strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			plain.WriteRune(r)
		}
	}
	switch plain.String() {
	case "utf8", "unicode":
		return 'u'
	case "sqlascii":
		return 'a'
	case "latin1", "iso88591":
		return 'l'
	}
	return 0
}

func convertFrom(b []byte, encoding string) (string, error) {
	switch encodingKind(encoding) {
	case 'u', 'a':
		s := string(b)
		return s, types.CheckText(s)
	case 'l':
		out := make([]rune, len(b))
		for i, c := range b {
			out[i] = rune(c)
		}
		s := string(out)
		return s, types.CheckText(s)
	}
	return "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid source encoding name \"%s\"", encoding)
}

func convertTo(s, encoding string) ([]byte, error) {
	switch encodingKind(encoding) {
	case 'u', 'a':
		return []byte(s), nil
	case 'l':
		out := make([]byte, 0, len(s))
		for i, r := range s {
			if r > 255 {
				return nil, pgerr.Newf(pgerr.UntranslatableCharacter,
					"character with byte sequence %s in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"", byteSequence(s[i:i+utf8.RuneLen(r)]))
			}
			out = append(out, byte(r))
		}
		return out, nil
	}
	return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid destination encoding name \"%s\"", encoding)
}

func byteSequence(s string) string {
	parts := make([]string, len(s))
	for i := range len(s) {
		parts[i] = "0x" + hex.EncodeToString([]byte{s[i]})
	}
	return strings.Join(parts, " ")
}
