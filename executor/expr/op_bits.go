package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var bitOperators = []*Operator{
	fast2("&", types.BitOID, types.BitOID, types.BitOID, "bitand", bitwise("AND", func(a, b byte) byte { return a & b })).with("&", ""),
	fast2("|", types.BitOID, types.BitOID, types.BitOID, "bitor", bitwise("OR", func(a, b byte) byte { return a | b })).with("|", ""),
	fast2("#", types.BitOID, types.BitOID, types.BitOID, "bitxor", bitwise("XOR", func(a, b byte) byte { return a ^ b })).with("#", ""),
	fast2("<<", types.BitOID, types.Int4OID, types.BitOID, "bitshiftleft", func(a, b types.Datum) (types.Datum, error) {
		return shiftBits(a.(types.Bits), -b.(int64)), nil
	}),
	fast2(">>", types.BitOID, types.Int4OID, types.BitOID, "bitshiftright", func(a, b types.Datum) (types.Datum, error) {
		return shiftBits(a.(types.Bits), b.(int64)), nil
	}),
	fast1("~", types.BitOID, types.BitOID, "bitnot", bitNot),
	fast2("||", types.VarbitOID, types.VarbitOID, types.VarbitOID, "bitcat", func(a, b types.Datum) (types.Datum, error) {
		return concatBits(a.(types.Bits), b.(types.Bits)), nil
	}),
}

func bitwise(name string, op func(a, b byte) byte) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		x, y := a.(types.Bits), b.(types.Bits)
		if x.N != y.N {
			return nil, pgerr.Newf(pgerr.StringDataLengthMismatch, "cannot %s bit strings of different sizes", name)
		}
		out := make([]byte, len(x.B))
		for i := range out {
			out[i] = op(x.B[i], y.B[i])
		}
		return types.Bits{N: x.N, B: out}, nil
	}
}

func bitNot(a types.Datum) (types.Datum, error) {
	x := a.(types.Bits)
	out := types.Bits{N: x.N, B: make([]byte, len(x.B))}
	for i := range x.B {
		out.B[i] = ^x.B[i]
	}
	clearTail(out)
	return out, nil
}

// clearTail zeroes the unused bits of the last byte.
func clearTail(b types.Bits) {
	if rest := b.N % 8; rest != 0 {
		b.B[len(b.B)-1] &= 0xff << (8 - rest)
	}
}

func bitAt(b types.Bits, i int) bool { return b.B[i/8]&(0x80>>(i%8)) != 0 }

// shiftBits moves to the right by n, to the left when n is negative; the length
// stays and zeros come in.
func shiftBits(b types.Bits, n int64) types.Bits {
	out := types.Bits{N: b.N, B: make([]byte, len(b.B))}
	for i := range b.N {
		from := int64(i) - n
		if from >= 0 && from < int64(b.N) && bitAt(b, int(from)) {
			out.B[i/8] |= 0x80 >> (i % 8)
		}
	}
	return out
}

func concatBits(a, b types.Bits) types.Bits {
	out := types.Bits{N: a.N + b.N, B: make([]byte, (a.N+b.N+7)/8)}
	copy(out.B, a.B)
	for i := range b.N {
		if bitAt(b, i) {
			out.B[(a.N+i)/8] |= 0x80 >> ((a.N + i) % 8)
		}
	}
	return out
}
