//go:build !amd64

package distance

func l2Squared(a, b []float32) float32                  { return l2SquaredPortable(a, b) }
func dot(a, b []float32) float32                        { return dotPortable(a, b) }
func l1(a, b []float32) float32                         { return l1Portable(a, b) }
func cosineParts(a, b []float32) (d, aa, bb float32)    { return cosinePartsPortable(a, b) }
func halfL2Squared(a, b []uint16) float32               { return halfL2SquaredPortable(a, b) }
func halfDot(a, b []uint16) float32                     { return halfDotPortable(a, b) }
func halfL1(a, b []uint16) float32                      { return halfL1Portable(a, b) }
func halfCosineParts(a, b []uint16) (d, aa, bb float32) { return halfCosinePartsPortable(a, b) }
func hamming(a, b []byte) int                           { return hammingPortable(a, b) }
func jaccardParts(a, b []byte) (both, either int)       { return jaccardPartsPortable(a, b) }
func dotCodes(code []uint8, query []int8) int32         { return dotCodesPortable(code, query) }
func bitSums(planes, codes []byte, width int, out []uint32) {
	bitSumsPortable(planes, codes, width, out)
}
func dotNibbles(code []byte, query []int8) int32 { return dotNibblesPortable(code, query) }
func bitPlanes(v []float32, low, inverse float32, planes []byte) uint32 {
	return bitPlanesPortable(v, low, inverse, planes)
}
func dotCodesMany(query []int8, codes []uintptr, out []int32) {
	dotCodesManyPortable(query, codes, out)
}

// Prefetch asks for the cache lines of bytes from an address off the Go heap.
func Prefetch(_ uintptr, _ int) {}

// Level names the kernels in use.
func Level() string { return "portable" }
