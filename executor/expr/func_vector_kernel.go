package expr

import (
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// The distances are those of the kernels that the vector indexes use, so that a
// row has the same distance to its last digit whether an index gave it or not.
// Their sums run in float32, as pgvector's do.

func vectorDistance(metric types.Metric, a, b types.Vector) float64 {
	return distance.Vector(metric, a, b)
}

func halfDistance(metric types.Metric, a, b types.HalfVector) float64 {
	return distance.Half(metric, a, b)
}

func sparseDistance(metric types.Metric, a, b types.SparseVector) float64 {
	return distance.Sparse(metric, a, b)
}

func bitDistance(metric types.Metric, a, b types.Bits) float64 {
	return distance.Bit(metric, a, b)
}
