package types

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

// maxBits is the longest bit string.
const maxBits = 83886080

var bitCodec = &Codec{
	Parse: func(s string, _ *Env) (Datum, error) {
		b, err := ParseBits(s)
		if err != nil {
			return nil, err
		}
		return b, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte {
		b := d.(Bits)
		for i := 0; i < b.N; i++ {
			dst = append(dst, '0'+b.B[i/8]>>(7-i%8)&1)
		}
		return dst
	},
	Decode: decodeBits,
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		b := d.(Bits)
		return append(binary.BigEndian.AppendUint32(dst, uint32(b.N)), b.B...), nil
	},
	Compare: func(a, b Datum) int {
		x, y := a.(Bits), b.(Bits)
		n := min(len(x.B), len(y.B))
		if c := bytes.Compare(x.B[:n], y.B[:n]); c != 0 {
			return c
		}
		return cmp.Compare(x.N, y.N)
	},
	// The unused bits of the last byte are zero, so the bytes order first and
	// the length decides between equal ones.
	AppendKey: func(dst []byte, d Datum) []byte {
		b := d.(Bits)
		return append(appendBytesKey(dst, b.B), byte(b.N%8+7)%8)
	},
	DecodeKey: decodeBitsKey,
}

// ParseBits reads 0101, b0101 or x5F.
func ParseBits(s string) (Bits, error) {
	switch {
	case s == "":
		return Bits{B: []byte{}}, nil
	case s[0] == 'b' || s[0] == 'B':
		return parseBinaryDigits(s[1:])
	case s[0] == 'x' || s[0] == 'X':
		return parseHexDigits(s[1:])
	}
	return parseBinaryDigits(s)
}

func parseBinaryDigits(s string) (Bits, error) {
	if len(s) > maxBits {
		return Bits{}, tooManyBits()
	}
	b := Bits{N: len(s), B: make([]byte, (len(s)+7)/8)}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '0':
		case '1':
			b.B[i/8] |= 0x80 >> (i % 8)
		default:
			return Bits{}, badDigit(s[i:], "binary")
		}
	}
	return b, nil
}

func parseHexDigits(s string) (Bits, error) {
	if len(s) > maxBits/4 {
		return Bits{}, tooManyBits()
	}
	b := Bits{N: 4 * len(s), B: make([]byte, (len(s)+1)/2)}
	for i := 0; i < len(s); i++ {
		v, ok := hexValue(s[i])
		if !ok {
			return Bits{}, badDigit(s[i:], "hexadecimal")
		}
		b.B[i/2] |= v << (4 * (1 - i%2))
	}
	return b, nil
}

func badDigit(s, kind string) error {
	_, n := utf8.DecodeRuneInString(s)
	return pgerr.Newf(pgerr.InvalidTextRepresentation, "\"%s\" is not a valid %s digit", s[:n], kind)
}

func tooManyBits() error {
	return pgerr.Newf(pgerr.ProgramLimitExceeded, "bit string length exceeds the maximum allowed (%d)", maxBits)
}

func decodeBits(b []byte) (Datum, error) {
	if len(b) < 4 {
		return nil, shortMessage()
	}
	n := int(int32(binary.BigEndian.Uint32(b)))
	if n < 0 || n > maxBits {
		return nil, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid length in external bit string")
	}
	if err := exactly(b[4:], (n+7)/8); err != nil {
		return nil, err
	}
	out := Bits{N: n, B: append([]byte{}, b[4:]...)}
	if n%8 != 0 {
		out.B[n/8] &= 0xff << (8 - n%8)
	}
	return out, nil
}

func decodeBitsKey(b []byte) (Datum, []byte, error) {
	v, rest, err := decodeBytesKey(b)
	if err != nil {
		return nil, nil, err
	}
	if len(rest) == 0 || rest[0] > 7 || (len(v) == 0 && rest[0] != 7) {
		return nil, nil, corruptKey()
	}
	if len(v) == 0 {
		return Bits{B: v}, rest[1:], nil
	}
	return Bits{N: 8*(len(v)-1) + int(rest[0]) + 1, B: v}, rest[1:], nil
}
