package distance

import (
	"math"

	"github.com/akidb/akidb/internal/types"
)

// Vector is the distance of two vectors as pgvector's operator of the metric
// gives it: <-> is the root, <#> the negative product, <=> is NaN when a vector
// is zero. Sums run in float32 as in pgvector. Metrics of bit strings panic.
func Vector(metric types.Metric, a, b types.Vector) float64 {
	switch metric {
	case types.MetricL2:
		return math.Sqrt(float64(L2Squared(a, b)))
	case types.MetricInnerProduct:
		return -float64(Dot(a, b))
	case types.MetricCosine:
		return cosine(CosineParts(a, b))
	case types.MetricL1:
		return float64(L1(a, b))
	}
	panic("distance: metric " + metric.String() + " of vectors")
}

// Half is Vector for halfvec; sums run in float32 as in pgvector.
func Half(metric types.Metric, a, b types.HalfVector) float64 {
	switch metric {
	case types.MetricL2:
		return math.Sqrt(float64(HalfL2Squared(a, b)))
	case types.MetricInnerProduct:
		return -float64(HalfDot(a, b))
	case types.MetricCosine:
		return cosine(HalfCosineParts(a, b))
	case types.MetricL1:
		return float64(HalfL1(a, b))
	}
	panic("distance: metric " + metric.String() + " of halfvecs")
}

// Sparse is Vector for sparsevec.
func Sparse(metric types.Metric, a, b types.SparseVector) float64 {
	switch metric {
	case types.MetricL2:
		return math.Sqrt(float64(SparseL2Squared(a, b)))
	case types.MetricInnerProduct:
		return -float64(SparseDot(a, b))
	case types.MetricCosine:
		return cosine(SparseCosineParts(a, b))
	case types.MetricL1:
		return float64(SparseL1(a, b))
	}
	panic("distance: metric " + metric.String() + " of sparsevecs")
}

// Bit is the distance of two bit strings of the same length. The Jaccard
// distance of strings that share no bit, two empty ones included, is 1.
func Bit(metric types.Metric, a, b types.Bits) float64 {
	switch metric {
	case types.MetricHamming:
		return float64(Hamming(a.B, b.B))
	case types.MetricJaccard:
		return JaccardOf(JaccardParts(a.B, b.B))
	}
	panic("distance: metric " + metric.String() + " of bit strings")
}

// JaccardOf is the Jaccard distance from the counts of JaccardParts.
func JaccardOf(both, either int) float64 {
	if both == 0 {
		return 1
	}
	return 1 - float64(both)/float64(either)
}

// cosine keeps rounding from carrying the similarity out of [-1, 1]; a zero
// vector gives 0/0, that is NaN, which survives both comparisons.
func cosine(dot, aa, bb float32) float64 {
	similarity := float64(dot) / math.Sqrt(float64(aa)*float64(bb))
	if similarity > 1 {
		similarity = 1
	} else if similarity < -1 {
		similarity = -1
	}
	return 1 - similarity
}
