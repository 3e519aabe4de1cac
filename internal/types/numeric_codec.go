package types

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/cockroachdb/apd/v3"
)

var numericCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		d, err := ParseNumeric(s)
		if err != nil {
			return nil, err
		}
		return d, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return appendNumeric(dst, d.(*Numeric)) },
	Decode: func(b []byte) (Datum, error) {
		d, err := decodeNumeric(b)
		if err != nil {
			return nil, err
		}
		return d, nil
	},
	Encode:    func(dst []byte, d Datum) ([]byte, error) { return encodeNumeric(dst, d.(*Numeric)), nil },
	Compare:   func(a, b Datum) int { return NumericCmp(a.(*Numeric), b.(*Numeric)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendNumericKey(dst, d.(*Numeric)) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		d, rest, err := decodeNumericKey(b)
		if err != nil {
			return nil, nil, err
		}
		return d, rest, nil
	},
}

// ParseNumeric reads PostgreSQL 16's forms: decimals with an exponent, digit
// groups (1_000), 0x, 0o and 0b integers, NaN and infinities.
func ParseNumeric(s string) (*Numeric, error) {
	t := trimSpace(s)
	if d := parseSpecialNumeric(t); d != nil {
		return d, nil
	}
	body, negative := t, false
	if body != "" && (body[0] == '-' || body[0] == '+') {
		negative, body = body[0] == '-', body[1:]
	}
	if base := radixOf(body); base != 0 {
		return parseRadixNumeric(s, body[2:], base, negative)
	}
	digits, scale, exp, ok := scanDecimal(body)
	if !ok {
		return nil, invalidSyntax("numeric", s)
	}
	return makeNumeric(digits, scale, exp, negative)
}

func parseSpecialNumeric(t string) *Numeric {
	if t == "" || len(t) > 9 {
		return nil
	}
	if c := t[len(t)-1]; c >= '0' && c <= '9' {
		return nil
	}
	switch strings.ToLower(t) {
	case "nan":
		return numericNaN
	case "infinity", "inf", "+infinity", "+inf":
		return numericInf
	case "-infinity", "-inf":
		return numericNegInf
	}
	return nil
}

func radixOf(s string) int {
	if len(s) < 2 || s[0] != '0' {
		return 0
	}
	switch s[1] {
	case 'x', 'X':
		return 16
	case 'o', 'O':
		return 8
	case 'b', 'B':
		return 2
	}
	return 0
}

func parseRadixNumeric(s, body string, base int, negative bool) (*Numeric, error) {
	body = strings.TrimPrefix(body, "_")
	digits, ok := ungroup(body, func(c byte) bool {
		v, hex := hexValue(c)
		return hex && int(v) < base
	})
	if !ok {
		return nil, invalidSyntax("numeric", s)
	}
	d := new(Numeric)
	if _, ok = d.Coeff.SetString(digits, base); !ok {
		return nil, invalidSyntax("numeric", s)
	}
	d.Negative = negative && d.Coeff.Sign() != 0
	return checkNumeric(d)
}

// ungroup drops single underscores between digits and refuses all else.
func ungroup(s string, isDigit func(byte) bool) (string, bool) {
	if s == "" || s[0] == '_' || s[len(s)-1] == '_' {
		return "", false
	}
	grouped := false
	for i := 0; i < len(s); i++ {
		switch {
		case isDigit(s[i]):
		case s[i] == '_' && s[i-1] != '_':
			grouped = true
		default:
			return "", false
		}
	}
	if grouped {
		s = strings.ReplaceAll(s, "_", "")
	}
	return s, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// scanDecimal splits a number into its digits, how many follow the point, and
// the exponent.
func scanDecimal(s string) (digits string, scale, exp int, ok bool) {
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		e := s[at+1:]
		body := strings.TrimLeft(e, "+-")
		plain, good := ungroup(body, isDigit)
		if !good || len(e)-len(body) > 1 {
			return "", 0, 0, false
		}
		v, err := strconv.Atoi(plain)
		if err != nil || v > 1<<30 {
			v = 1 << 30
		}
		if e[0] == '-' {
			v = -v
		}
		exp, s = v, s[:at]
	}
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" && frac == "" {
		return "", 0, 0, false
	}
	for _, part := range []*string{&whole, &frac} {
		if *part == "" {
			continue
		}
		if *part, ok = ungroup(*part, isDigit); !ok {
			return "", 0, 0, false
		}
	}
	return whole + frac, len(frac), exp, true
}

func makeNumeric(digits string, scale, exp int, negative bool) (*Numeric, error) {
	if exp > 1<<29 || exp < -(1<<29) {
		return nil, numericOverflow()
	}
	d := new(Numeric)
	if len(digits) <= 18 {
		v, _ := strconv.ParseUint(digits, 10, 64) // digits only, and they fit
		d.Coeff.SetUint64(v)
	} else if _, ok := d.Coeff.SetString(digits, 10); !ok {
		return nil, numericOverflow()
	}
	scale -= exp
	d.Negative = negative && d.Coeff.Sign() != 0
	if scale > numericMaxDscale {
		return nil, numericOverflow()
	}
	if scale < 0 {
		if d.Coeff.Sign() != 0 {
			if len(digits)-scale > numericMaxWeightDigits+len(digits) {
				return nil, numericOverflow()
			}
			d.Coeff.Mul(&d.Coeff, tenTo(-scale))
		}
		scale = 0
	}
	d.Exponent = int32(-scale)
	return checkNumeric(d)
}

// appendNumeric prints all digits, never an exponent.
func appendNumeric(dst []byte, d *Numeric) []byte {
	switch numericRank(d) {
	case rankNaN:
		return append(dst, "NaN"...)
	case rankInf:
		return append(dst, "Infinity"...)
	case rankNegInf:
		return append(dst, "-Infinity"...)
	}
	if d.Negative {
		dst = append(dst, '-')
	}
	var buf [48]byte
	var digits []byte
	if d.Coeff.IsUint64() {
		digits = strconv.AppendUint(buf[:0], d.Coeff.Uint64(), 10)
	} else {
		digits = d.Coeff.Append(buf[:0], 10)
	}
	scale := numericScale(d)
	if scale <= 0 {
		dst = append(dst, digits...)
		for ; scale < 0; scale++ {
			dst = append(dst, '0')
		}
		return dst
	}
	if len(digits) > scale {
		dst = append(dst, digits[:len(digits)-scale]...)
		dst = append(dst, '.')
		return append(dst, digits[len(digits)-scale:]...)
	}
	dst = append(dst, '0', '.')
	for n := scale - len(digits); n > 0; n-- {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// Sign words of the binary form.
const (
	numericWirePos    = 0x0000
	numericWireNeg    = 0x4000
	numericWireNaN    = 0xC000
	numericWireInf    = 0xD000
	numericWireNegInf = 0xF000
)

// encodeNumeric writes the binary form: ndigits, weight, sign, dscale and the
// digits in base 10000, without leading or trailing zeros.
func encodeNumeric(dst []byte, d *Numeric) []byte {
	head := func(n, weight, sign, scale int) {
		for _, v := range [4]int{n, weight, sign, scale} {
			dst = binary.BigEndian.AppendUint16(dst, uint16(v))
		}
	}
	switch numericRank(d) {
	case rankNaN:
		head(0, 0, numericWireNaN, 0)
		return dst
	case rankInf:
		head(0, 0, numericWireInf, 0)
		return dst
	case rankNegInf:
		head(0, 0, numericWireNegInf, 0)
		return dst
	}
	sign := numericWirePos
	if d.Negative {
		sign = numericWireNeg
	}
	digits, weight := base10000(d)
	head(len(digits), weight, sign, numericScale(d))
	for _, v := range digits {
		dst = binary.BigEndian.AppendUint16(dst, v)
	}
	return dst
}

// base10000 cuts the coefficient into groups of four around the point.
func base10000(d *Numeric) (digits []uint16, weight int) {
	if d.Coeff.Sign() == 0 {
		return nil, 0
	}
	var buf [64]byte
	text := d.Coeff.Append(buf[:0], 10)
	lead := len(text) + int(d.Exponent) - 1
	weight = floorDiv(lead, 4)
	first := lead - 4*weight + 1 // digits in the first group
	group, n := 0, 4-first
	for _, c := range text {
		group = group*10 + int(c-'0')
		if n++; n == 4 {
			digits = append(digits, uint16(group))
			group, n = 0, 0
		}
	}
	if n > 0 {
		for ; n < 4; n++ {
			group *= 10
		}
		digits = append(digits, uint16(group))
	}
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	return digits, weight
}

func decodeNumeric(b []byte) (*Numeric, error) {
	if len(b) < 8 {
		return nil, shortMessage()
	}
	n := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sign := binary.BigEndian.Uint16(b[4:])
	scale := int(binary.BigEndian.Uint16(b[6:]))
	bad := func(what string) error {
		return pgerr.Newf(pgerr.InvalidBinaryRepresentation, "invalid %s in external \"numeric\" value", what)
	}
	if scale > numericMaxDscale {
		return nil, bad("scale")
	}
	if err := exactly(b[8:], 2*n); err != nil {
		return nil, err
	}
	switch sign {
	case numericWireNaN:
		return numericNaN, nil
	case numericWireInf:
		return numericInf, nil
	case numericWireNegInf:
		return numericNegInf, nil
	case numericWirePos, numericWireNeg:
	default:
		return nil, bad("sign")
	}
	text := make([]byte, 0, 4*n)
	for i := range n {
		v := binary.BigEndian.Uint16(b[8+2*i:])
		if v > 9999 {
			return nil, bad("digit")
		}
		text = append(text, byte('0'+v/1000), byte('0'+v/100%10), byte('0'+v/10%10), byte('0'+v%10))
	}
	return wireNumeric(text, 4*(weight+1), scale, sign == numericWireNeg)
}

// wireNumeric makes a number of digits whose point stands after the first
// point of them; digits below the scale are cut as PostgreSQL's recv does.
func wireNumeric(text []byte, point, scale int, negative bool) (*Numeric, error) {
	if len(text) == 0 {
		return apd.New(0, int32(-scale)), nil
	}
	keep := max(0, min(len(text), point+scale))
	d := new(Numeric)
	if keep > 0 {
		if _, ok := d.Coeff.SetString(string(text[:keep]), 10); !ok {
			return nil, wrongBinary("numeric")
		}
		if pad := point + scale - keep; pad > 0 && d.Coeff.Sign() != 0 {
			d.Coeff.Mul(&d.Coeff, tenTo(pad))
		}
	}
	d.Exponent = int32(-scale)
	d.Negative = negative && d.Coeff.Sign() != 0
	return checkNumeric(d)
}

// Classes of a numeric key, in order.
const (
	keyNumericNegInf = 0x10
	keyNumericNeg    = 0x20
	keyNumericZero   = 0x30
	keyNumericPos    = 0x40
	keyNumericInf    = 0x50
	keyNumericNaN    = 0x60
)

// appendNumericKey writes the class, then for a non-zero number the place of
// its first digit and its digits, two a byte plus one, ended by 0; a negative
// number's bytes are inverted.
func appendNumericKey(dst []byte, d *Numeric) []byte {
	switch numericRank(d) {
	case rankNaN:
		return append(dst, keyNumericNaN)
	case rankInf:
		return append(dst, keyNumericInf)
	case rankNegInf:
		return append(dst, keyNumericNegInf)
	}
	if d.Coeff.Sign() == 0 {
		return append(dst, keyNumericZero)
	}
	var buf [64]byte
	digits := d.Coeff.Append(buf[:0], 10)
	place := int32(len(digits)) + d.Exponent
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	class := byte(keyNumericPos)
	if d.Negative {
		class = keyNumericNeg
	}
	dst = append(dst, class)
	start := len(dst)
	dst = appendInt32Key(dst, place)
	for i := 0; i < len(digits); i += 2 {
		pair := (digits[i] - '0') * 10
		if i+1 < len(digits) {
			pair += digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, 0)
	if d.Negative {
		invert(dst[start:])
	}
	return dst
}

func decodeNumericKey(b []byte) (*Numeric, []byte, error) {
	if len(b) == 0 {
		return nil, nil, corruptKey()
	}
	rest := b[1:]
	switch b[0] {
	case keyNumericNaN:
		return numericNaN, rest, nil
	case keyNumericInf:
		return numericInf, rest, nil
	case keyNumericNegInf:
		return numericNegInf, rest, nil
	case keyNumericZero:
		return apd.New(0, 0), rest, nil
	case keyNumericPos, keyNumericNeg:
		return decodeNumericDigits(rest, b[0] == keyNumericNeg)
	}
	return nil, nil, corruptKey()
}

func decodeNumericDigits(b []byte, negative bool) (*Numeric, []byte, error) {
	flip := byte(0)
	if negative {
		flip = 0xff
	}
	if len(b) < 6 {
		return nil, nil, corruptKey()
	}
	place := int32(binary.BigEndian.Uint32(b)^(1<<31)) ^ int32(int8(flip))
	b = b[4:]
	var text []byte
	for {
		if len(b) == 0 {
			return nil, nil, corruptKey()
		}
		c := b[0] ^ flip
		b = b[1:]
		if c == 0 {
			break
		}
		if c > 100 {
			return nil, nil, corruptKey()
		}
		text = append(text, '0'+(c-1)/10, '0'+(c-1)%10)
	}
	if len(text) > 0 && text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if place > numericMaxWeightDigits || place < -numericMaxDscale || len(text) == 0 || len(text) > 200000 {
		return nil, nil, corruptKey()
	}
	d, err := makeNumeric(string(text), len(text), int(place), negative)
	if err != nil {
		return nil, nil, corruptKey()
	}
	return d, b, nil
}
