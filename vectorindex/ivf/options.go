package ivf

import (
	"math"
	"runtime"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Options say what an index holds and how it is built. Metric, Type and Dims are
// fixed for the life of an index and its files.
type Options struct {
	// Lists is the number of cells, 1 to 32768; 0 lets the number of rows decide.
	Lists int
	// Metric is the distance that the index answers.
	Metric types.Metric
	// Type is the SQL type of the vectors: vector, halfvec, bit or varbit.
	Type types.OID
	// Dims is the number of elements, or of bits.
	Dims int
	// Seed decides every random choice of a build: the same rows and the same seed
	// give the same file.
	Seed uint64
	// Workers is the number of goroutines of a build; 0 is one a processor.
	Workers int
	// SampleBytes bounds the vectors that training holds in memory; 0 is 128 MiB.
	SampleBytes int
	// FetchCells is how many cells a search reads at once: 1 where reading is a
	// memory access, more where each request takes its time. 0 is 1.
	FetchCells int
}

const (
	maxLists           = 32768 // pgvector's
	defaultSampleBytes = 128 << 20
	maxBits            = 64_000
)

func (o *Options) complete() error {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.SampleBytes <= 0 {
		o.SampleBytes = defaultSampleBytes
	}
	o.FetchCells = max(1, o.FetchCells)
	switch {
	case o.Lists < 0 || o.Lists > maxLists:
		return pgerr.Newf(pgerr.InvalidParameterValue, "value %d out of bounds for option \"lists\"", o.Lists)
	case o.Dims <= 0:
		return pgerr.New(pgerr.InvalidParameterValue, "column does not have dimensions")
	}
	return o.checkMetric()
}

func (o *Options) checkMetric() error {
	limit, known := types.MaxVectorDims, false
	switch o.Type {
	case types.VectorOID, types.HalfVecOID:
		known = o.Metric >= types.MetricL2 && o.Metric <= types.MetricL1
	case types.BitOID, types.VarbitOID:
		limit, known = maxBits, o.Metric == types.MetricHamming
	default:
		return pgerr.New(pgerr.InvalidParameterValue, "type not supported for ivfflat index")
	}
	if o.Dims > limit {
		return pgerr.Newf(pgerr.InvalidParameterValue, "column cannot have more than %d dimensions for ivfflat index", limit)
	}
	if !known {
		return pgerr.Newf(pgerr.InvalidParameterValue, "the type has no %s distance", o.Metric)
	}
	return nil
}

func isBit(t types.OID) bool { return t == types.BitOID || t == types.VarbitOID }

// listsFor is the number of cells of n rows: so many that finding the nearest cells
// and looking through them take about as long. Codes are compared ten times as fast
// as centroids, so there are few cells (measured on emb512 and glove100).
func (o *Options) listsFor(n int) int {
	lists := o.Lists
	if lists == 0 {
		lists = int(2 * math.Sqrt(float64(n)))
	}
	return max(1, min(lists, n, maxLists))
}
