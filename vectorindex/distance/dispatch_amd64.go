package distance

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The sets of kernels, each needing what the one before needs and more.
const (
	levelPortable = iota
	levelAVX2     // AVX2, FMA, F16C
	levelAVX512   // AVX-512 F, BW, DQ, VL, VNNI, VPOPCNTDQ; BMI2
)

// level is the best set that the processor has. Tests change it.
var level = bestLevel()

// Every processor with AVX2 that was ever made has F16C, which cpu does not tell.
func bestLevel() int {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasBMI2 {
		return levelPortable
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VNNI && x.HasAVX512VPOPCNTDQ {
		return levelAVX512
	}
	return levelAVX2
}

// Level names the kernels in use.
func Level() string { return [...]string{"portable", "avx2", "avx512"}[level] }

func l2Squared(a, b []float32) float32 {
	switch level {
	case levelAVX512:
		return l2SquaredAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return l2SquaredAVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return l2SquaredPortable(a, b)
}

func dot(a, b []float32) float32 {
	switch level {
	case levelAVX512:
		return dotAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return dotAVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return dotPortable(a, b)
}

func l1(a, b []float32) float32 {
	switch level {
	case levelAVX512:
		return l1AVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return l1AVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return l1Portable(a, b)
}

func cosineParts(a, b []float32) (dot, aa, bb float32) {
	switch level {
	case levelAVX512:
		return cosinePartsAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return cosinePartsAVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return cosinePartsPortable(a, b)
}

func halfL2Squared(a, b []uint16) float32 {
	switch level {
	case levelAVX512:
		return halfL2SquaredAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return halfL2SquaredAVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return halfL2SquaredPortable(a, b)
}

func halfDot(a, b []uint16) float32 {
	switch level {
	case levelAVX512:
		return halfDotAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return halfDotAVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return halfDotPortable(a, b)
}

func halfL1(a, b []uint16) float32 {
	switch level {
	case levelAVX512:
		return halfL1AVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return halfL1AVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return halfL1Portable(a, b)
}

func halfCosineParts(a, b []uint16) (dot, aa, bb float32) {
	switch level {
	case levelAVX512:
		return halfCosinePartsAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case levelAVX2:
		return halfCosinePartsAVX2(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return halfCosinePartsPortable(a, b)
}

// Counting bits eight bytes at a time, as the portable kernels do, is what AVX2
// would do no faster.
func hamming(a, b []byte) int {
	if level == levelAVX512 {
		return hammingAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return hammingPortable(a, b)
}

func jaccardParts(a, b []byte) (both, either int) {
	if level == levelAVX512 {
		return jaccardPartsAVX512(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	}
	return jaccardPartsPortable(a, b)
}

func dotCodes(code []uint8, query []int8) int32 {
	switch level {
	case levelAVX512:
		return dotCodesAVX512(unsafe.SliceData(code), unsafe.SliceData(query), len(code))
	case levelAVX2:
		return dotCodesAVX2(unsafe.SliceData(code), unsafe.SliceData(query), len(code))
	}
	return dotCodesPortable(code, query)
}

func dotCodesMany(query []int8, codes []uintptr, out []int32) {
	switch level {
	case levelAVX512:
		dotCodesManyAVX512(&query[0], len(query)/CodeBlock, &codes[0], len(codes), &out[0])
	case levelAVX2:
		dotCodesManyAVX2(&query[0], len(query)/CodeBlock, &codes[0], len(codes), &out[0])
	default:
		dotCodesManyPortable(query, codes, out)
	}
}

// Prefetch asks for the cache lines of bytes from an address off the Go heap.
func Prefetch(address uintptr, bytes int) { prefetchLines(address, bytes) }

func bitSums(planes, codes []byte, width int, out []uint32) {
	if level == levelAVX512 {
		bitSumsAVX512(&planes[0], &codes[0], width, &out[0], len(out))
		return
	}
	bitSumsPortable(planes, codes, width, out)
}

func dotNibbles(code []byte, query []int8) int32 {
	switch level {
	case levelAVX512:
		return dotNibblesAVX512(unsafe.SliceData(code), unsafe.SliceData(query), len(code)/32)
	case levelAVX2:
		return dotNibblesAVX2(unsafe.SliceData(code), unsafe.SliceData(query), len(code)/32)
	}
	return dotNibblesPortable(code, query)
}

func bitPlanes(v []float32, low, inverse float32, planes []byte) uint32 {
	if level == levelAVX512 && len(v) > 0 {
		bitPlanesAVX512(&v[0], len(v)/16, low, inverse, &planes[0], len(v)/8)
		return planeSum(planes)
	}
	return bitPlanesPortable(v, low, inverse, planes)
}
