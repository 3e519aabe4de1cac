package hnsw

import (
	"runtime"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// Options say what an index holds and how its graph is built. M, EfConstruction,
// Metric, Type and Dims are fixed for the life of an index and its checkpoints.
type Options struct {
	// M is the number of neighbours that a new node chooses on each layer, 2 to
	// 100; layer 0 keeps up to 2M. 0 is 16, as in pgvector.
	M int
	// EfConstruction is the size of the list of candidates during insertion, 4 to
	// 1000. 0 is 64, as in pgvector.
	EfConstruction int
	// Metric is the distance that the index answers.
	Metric types.Metric
	// Type is the SQL type of the vectors: vector, halfvec, sparsevec, bit or varbit.
	Type types.OID
	// Dims is the number of elements, or of bits.
	Dims int
	// Workers is the number of goroutines that Build uses; 0 is one a processor.
	Workers int
}

// Defaults and limits of pgvector.
const (
	defaultM              = 16
	defaultEfConstruction = 64

	maxBits       = 64_000
	maxSparseDims = 1_000_000_000
)

func (o *Options) complete() error {
	if o.M == 0 {
		o.M = defaultM
	}
	if o.EfConstruction == 0 {
		o.EfConstruction = defaultEfConstruction
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	switch {
	case o.M < 2 || o.M > 100:
		return pgerr.Newf(pgerr.InvalidParameterValue, "value %d out of bounds for option \"m\"", o.M)
	case o.EfConstruction < 4 || o.EfConstruction > 1000:
		return pgerr.Newf(pgerr.InvalidParameterValue, "value %d out of bounds for option \"ef_construction\"", o.EfConstruction)
	case o.Dims <= 0:
		return pgerr.New(pgerr.InvalidParameterValue, "column does not have dimensions")
	}
	return o.checkMetric()
}

func (o *Options) checkMetric() error {
	limit, bits := types.MaxVectorDims, false
	switch o.Type {
	case types.VectorOID, types.HalfVecOID:
	case types.SparseVecOID:
		limit = maxSparseDims
	case types.BitOID, types.VarbitOID:
		limit, bits = maxBits, true
	default:
		return pgerr.New(pgerr.InvalidParameterValue, "type not supported for hnsw index")
	}
	if o.Dims > limit {
		return pgerr.Newf(pgerr.InvalidParameterValue, "column cannot have more than %d dimensions for hnsw index", limit)
	}
	known := o.Metric == types.MetricL1 || quantize.Codes(o.Metric)
	if bits {
		known = o.Metric == types.MetricHamming || o.Metric == types.MetricJaccard
	}
	if !known {
		return pgerr.Newf(pgerr.InvalidParameterValue, "the type has no %s distance", o.Metric)
	}
	return nil
}

func isBit(t types.OID) bool { return t == types.BitOID || t == types.VarbitOID }
