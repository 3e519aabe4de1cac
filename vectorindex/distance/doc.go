// Package distance computes distances between vectors of every kind that
// pgvector knows: float32, binary16, sparse, bit strings, and the one-byte codes
// that graph traversal reads.
//
// There are two layers. Kernels (L2Squared, Dot, ...) take plain slices, never
// allocate and exist three times: AVX-512, AVX2 with FMA, portable Go. The set is
// picked once, at start, from what the processor offers. The portable one is the
// reference that the others are fuzzed against. Functions by metric (Vector,
// Half, Sparse, Bit) return float64 in the sense of pgvector's operators and are
// what SQL sees.
//
// Slices of one call have the same length; a shorter second slice is a bug of the
// caller and panics. The package knows nothing of indexes and keeps no state but
// the choice of kernels.
package distance

//go:generate go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg distance
