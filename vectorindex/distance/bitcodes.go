package distance

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Kernels of RaBitQ codes (package quantize).

// BitSums sets out[i] to the sum, over the bits that are set in code i, of the
// four-bit numbers whose bits stand in planes: four rows of width bytes, the lowest
// bit first. Codes lie one after the other, width bytes each, a multiple of 8.
func BitSums(planes, codes []byte, width int, out []uint32) {
	if len(planes) != 4*width || len(codes) != width*len(out) || width%8 != 0 {
		panic("distance: bit codes of another size")
	}
	if len(out) > 0 && width > 0 {
		bitSums(planes, codes, width, out)
	}
}

func bitSumsPortable(planes, codes []byte, width int, out []uint32) {
	p0, p1, p2, p3 := planes[:width], planes[width:2*width], planes[2*width:3*width], planes[3*width:]
	for row := range out {
		code := codes[row*width : (row+1)*width]
		var s0, s1, s2, s3 int
		for i := 0; i+8 <= width; i += 8 {
			c := binary.LittleEndian.Uint64(code[i:])
			s0 += bits.OnesCount64(c & binary.LittleEndian.Uint64(p0[i:]))
			s1 += bits.OnesCount64(c & binary.LittleEndian.Uint64(p1[i:]))
			s2 += bits.OnesCount64(c & binary.LittleEndian.Uint64(p2[i:]))
			s3 += bits.OnesCount64(c & binary.LittleEndian.Uint64(p3[i:]))
		}
		out[row] = uint32(s0 + s1<<1 + s2<<2 + s3<<3)
	}
}

// DotNibbles is the product of a code of four bits an element with a query of
// signed bytes; each 32 bytes of the code hold elements 0 to 31 in their lower and
// 32 to 63 in their upper halves. The query is twice as long, a multiple of 64.
func DotNibbles(code []byte, query []int8) int32 {
	if len(query) != 2*len(code) || len(code)%32 != 0 {
		panic("distance: codes of another size")
	}
	return dotNibbles(code, query)
}

func dotNibblesPortable(code []byte, query []int8) int32 {
	sum := int32(0)
	for ; len(code) >= 32; code, query = code[32:], query[64:] {
		low, high := query[:32], query[32:64]
		for i, c := range code[:32] {
			sum += int32(c&15)*int32(low[i]) + int32(c>>4)*int32(high[i])
		}
	}
	return sum
}

// MinMax is the smallest and the largest element.
func MinMax(v []float32) (low, high float32) {
	low, high = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, x := range v {
		low, high = min(low, x), max(high, x)
	}
	return low, high
}

// BitPlanes makes (x - low) * inverse of each element, rounded to 0 to 15, into four planes
// of bits, as BitSums reads them, and returns the sum of the numbers. The length of
// v is a multiple of 64.
func BitPlanes(v []float32, low, inverse float32, planes []byte) uint32 {
	if len(v)%64 != 0 || len(planes) != len(v)/2 {
		panic("distance: bit planes of another size")
	}
	return bitPlanes(v, low, inverse, planes)
}

func bitPlanesPortable(v []float32, low, inverse float32, planes []byte) uint32 {
	width := len(v) / 8
	sum := uint32(0)
	for at := 0; at < len(v); at += 64 {
		var p0, p1, p2, p3 uint64
		for i, x := range v[at : at+64] {
			u := uint64(min(15, max(0, int32((x-low)*inverse+0.5))))
			p0 |= (u & 1) << i
			p1 |= (u >> 1 & 1) << i
			p2 |= (u >> 2 & 1) << i
			p3 |= (u >> 3) << i
		}
		binary.LittleEndian.PutUint64(planes[at/8:], p0)
		binary.LittleEndian.PutUint64(planes[width+at/8:], p1)
		binary.LittleEndian.PutUint64(planes[2*width+at/8:], p2)
		binary.LittleEndian.PutUint64(planes[3*width+at/8:], p3)
		sum += uint32(bits.OnesCount64(p0) + bits.OnesCount64(p1)<<1 + bits.OnesCount64(p2)<<2 + bits.OnesCount64(p3)<<3)
	}
	return sum
}

// planeSum is the sum of the numbers in four planes.
func planeSum(planes []byte) uint32 {
	width, sum := len(planes)/4, uint32(0)
	for j := range 4 {
		ones := 0
		for p := planes[j*width : (j+1)*width]; len(p) >= 8; p = p[8:] {
			ones += bits.OnesCount64(binary.LittleEndian.Uint64(p))
		}
		sum += uint32(ones) << j
	}
	return sum
}
