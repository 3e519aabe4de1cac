package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// distanceRow is one distance of one vector type under the name of its function.
type distanceRow struct {
	name   string
	metric types.Metric
	// derived computes from the metric's distance what the function returns;
	// nil for the distance itself.
	derived func(distance float64) float64
}

func negate(d float64) float64 { return -d }

// square undoes the root exactly: the sum under it was a float32.
func square(d float64) float64 { return float64(float32(d * d)) }

// spherical is the angle of vectors of length 1 as a part of half a turn; d is
// the negative inner product.
func spherical(d float64) float64 { return math.Acos(max(-1, min(1, -d))) / math.Pi }

// distancesOf are the functions that pgvector has for a type; prefix is the
// type's name in those that are not overloaded.
func distancesOf(prefix string) []distanceRow {
	return []distanceRow{
		{"l2_distance", types.MetricL2, nil},
		{"inner_product", types.MetricInnerProduct, negate},
		{"cosine_distance", types.MetricCosine, nil},
		{"l1_distance", types.MetricL1, nil},
		{prefix + "_l2_squared_distance", types.MetricL2, square},
		{prefix + "_negative_inner_product", types.MetricInnerProduct, nil},
		{prefix + "_spherical_distance", types.MetricInnerProduct, spherical},
	}
}

// vectorKind is what the distances of a vector type need to know of it.
type vectorKind struct {
	name     string
	oid      types.OID
	distance func(metric types.Metric, a, b types.Datum) (float64, error)
}

var vectorKinds = []vectorKind{
	{"vector", types.VectorOID, func(metric types.Metric, a, b types.Datum) (float64, error) {
		x, y := a.(types.Vector), b.(types.Vector)
		if len(x) != len(y) {
			return 0, types.CheckSameDims("vector", len(x), len(y))
		}
		return vectorDistance(metric, x, y), nil
	}},
	{"halfvec", types.HalfVecOID, func(metric types.Metric, a, b types.Datum) (float64, error) {
		x, y := a.(types.HalfVector), b.(types.HalfVector)
		if len(x) != len(y) {
			return 0, types.CheckSameDims("halfvec", len(x), len(y))
		}
		return halfDistance(metric, x, y), nil
	}},
	{"sparsevec", types.SparseVecOID, func(metric types.Metric, a, b types.Datum) (float64, error) {
		x, y := a.(types.SparseVector), b.(types.SparseVector)
		if x.Dim != y.Dim {
			return 0, types.CheckSameDims("sparsevec", int(x.Dim), int(y.Dim))
		}
		return sparseDistance(metric, x, y), nil
	}},
}

// distanceFunctions are made from the tables above, and the bit strings' two.
var distanceFunctions = buildDistances()

func buildDistances() []*Function {
	var out []*Function
	for _, k := range vectorKinds {
		for _, d := range distancesOf(k.name) {
			out = append(out, distanceFunction(k, d))
		}
	}
	return append(out,
		bitDistanceFunction("public.hamming_distance(bit, bit) float8", types.MetricHamming),
		bitDistanceFunction("public.jaccard_distance(bit, bit) float8", types.MetricJaccard))
}

func distanceFunction(k vectorKind, d distanceRow) *Function {
	metric, derived := d.metric, d.derived
	f := define2("public."+d.name+"("+k.name+", "+k.name+") float8", func(a, b types.Datum) (types.Datum, error) {
		r, err := k.distance(metric, a, b)
		if err != nil {
			return nil, err
		}
		if derived != nil {
			r = derived(r)
		}
		return r, nil
	})
	if derived == nil {
		f.Metric = metric
	}
	return f
}

func bitDistanceFunction(declaration string, metric types.Metric) *Function {
	f := define2(declaration, func(a, b types.Datum) (types.Datum, error) {
		x, y := a.(types.Bits), b.(types.Bits)
		if x.N != y.N {
			return nil, pgerr.Newf(pgerr.DataException, "different bit lengths %d and %d", x.N, y.N)
		}
		return bitDistance(metric, x, y), nil
	})
	f.Metric = metric
	return f
}
