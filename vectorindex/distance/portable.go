package distance

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/akidb/akidb/internal/types"
)

// The portable kernels are the reference. Four sums run side by side, so that
// the additions of one do not wait for those of another.

func l2SquaredPortable(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s0 += d * d
	}
	return s0 + s1 + s2 + s3
}

func dotPortable(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func l1Portable(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1 float32
	i := 0
	for ; i+2 <= len(a); i += 2 {
		s0 += abs(a[i] - b[i])
		s1 += abs(a[i+1] - b[i+1])
	}
	for ; i < len(a); i++ {
		s0 += abs(a[i] - b[i])
	}
	return s0 + s1
}

func cosinePartsPortable(a, b []float32) (dot, aa, bb float32) {
	b = b[:len(a)]
	for i, x := range a {
		y := b[i]
		dot += x * y
		aa += x * x
		bb += y * y
	}
	return dot, aa, bb
}

func halfL2SquaredPortable(a, b []uint16) float32 {
	b = b[:len(a)]
	var s float32
	for i := range a {
		d := types.HalfToFloat32(a[i]) - types.HalfToFloat32(b[i])
		s += d * d
	}
	return s
}

func halfDotPortable(a, b []uint16) float32 {
	b = b[:len(a)]
	var s float32
	for i := range a {
		s += types.HalfToFloat32(a[i]) * types.HalfToFloat32(b[i])
	}
	return s
}

func halfL1Portable(a, b []uint16) float32 {
	b = b[:len(a)]
	var s float32
	for i := range a {
		s += abs(types.HalfToFloat32(a[i]) - types.HalfToFloat32(b[i]))
	}
	return s
}

func halfCosinePartsPortable(a, b []uint16) (dot, aa, bb float32) {
	b = b[:len(a)]
	for i := range a {
		x, y := types.HalfToFloat32(a[i]), types.HalfToFloat32(b[i])
		dot += x * y
		aa += x * x
		bb += y * y
	}
	return dot, aa, bb
}

func hammingPortable(a, b []byte) int {
	b = b[:len(a)]
	n, i := 0, 0
	for ; i+8 <= len(a); i += 8 {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]))
	}
	for ; i < len(a); i++ {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return n
}

func jaccardPartsPortable(a, b []byte) (both, either int) {
	b = b[:len(a)]
	i := 0
	for ; i+8 <= len(a); i += 8 {
		x, y := binary.LittleEndian.Uint64(a[i:]), binary.LittleEndian.Uint64(b[i:])
		both += bits.OnesCount64(x & y)
		either += bits.OnesCount64(x | y)
	}
	for ; i < len(a); i++ {
		both += bits.OnesCount8(a[i] & b[i])
		either += bits.OnesCount8(a[i] | b[i])
	}
	return both, either
}

func dotCodesPortable(code []uint8, query []int8) int32 {
	query = query[:len(code)]
	var s0, s1 int32
	i := 0
	for ; i+2 <= len(code); i += 2 {
		s0 += int32(code[i]) * int32(query[i])
		s1 += int32(code[i+1]) * int32(query[i+1])
	}
	if i < len(code) {
		s0 += int32(code[i]) * int32(query[i])
	}
	return s0 + s1
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}

func dotCodesManyPortable(query []int8, codes []uintptr, out []int32) {
	for i := range codes {
		code := *(*unsafe.Pointer)(unsafe.Pointer(&codes[i])) // an address off the Go heap
		out[i] = dotCodesPortable(unsafe.Slice((*uint8)(code), len(query)), query)
	}
}
