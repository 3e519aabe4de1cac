package distance

// L2Squared is the squared Euclidean distance.
func L2Squared(a, b []float32) float32 { return l2Squared(a, b[:len(a)]) }

// Dot is the inner product.
func Dot(a, b []float32) float32 { return dot(a, b[:len(a)]) }

// L1 is the taxicab distance.
func L1(a, b []float32) float32 { return l1(a, b[:len(a)]) }

// CosineParts returns the inner product and both squared norms in one pass.
func CosineParts(a, b []float32) (dot, aa, bb float32) { return cosineParts(a, b[:len(a)]) }

// HalfL2Squared is L2Squared of binary16 elements.
func HalfL2Squared(a, b []uint16) float32 { return halfL2Squared(a, b[:len(a)]) }

// HalfDot is Dot of binary16 elements.
func HalfDot(a, b []uint16) float32 { return halfDot(a, b[:len(a)]) }

// HalfL1 is L1 of binary16 elements.
func HalfL1(a, b []uint16) float32 { return halfL1(a, b[:len(a)]) }

// HalfCosineParts is CosineParts of binary16 elements.
func HalfCosineParts(a, b []uint16) (dot, aa, bb float32) { return halfCosineParts(a, b[:len(a)]) }

// Hamming counts the bits that differ.
func Hamming(a, b []byte) int { return hamming(a, b[:len(a)]) }

// JaccardParts counts the bits set in both and in either.
func JaccardParts(a, b []byte) (both, either int) { return jaccardParts(a, b[:len(a)]) }

// DotCodes is the inner product of a code of unsigned bytes with a query of
// signed ones, exact in int32 up to 65,000 elements.
func DotCodes(code []uint8, query []int8) int32 { return dotCodes(code, query[:len(code)]) }

// CodeBlock is the number of bytes that DotCodesMany reads at once: codes must be
// readable, and queries padded with zeros, up to a multiple of it.
const CodeBlock = 64

// DotCodesMany sets out[i] to the inner product of the query with the code at
// address codes[i], prefetching the codes to come. The codes must lie off the Go
// heap and be readable up to len(query), a multiple of CodeBlock.
func DotCodesMany(query []int8, codes []uintptr, out []int32) {
	if len(codes) == 0 || len(query) == 0 {
		return
	}
	if len(query)%CodeBlock != 0 {
		panic("distance: query of codes is not padded")
	}
	dotCodesMany(query, codes, out[:len(codes)])
}
