package plan

import (
	"math"

	"github.com/akidb/akidb/executor/expr"
)

// PostgreSQL's cost constants, in units of one page read in sequence, so that
// EXPLAIN's numbers look familiar. pointReadCost is ours: reading one more row
// by its id, about four rows of a sequential scan.
const (
	seqPageCost       = 1.0
	randomPageCost    = 4.0
	cpuTupleCost      = 0.01
	cpuIndexTupleCost = 0.005
	cpuOperatorCost   = 0.0025
	pointReadCost     = 0.1
	disabledCost      = 1e10
)

// filterCost is the cost of testing a row.
func filterCost(conds []expr.Expr) float64 {
	n := 0
	for _, c := range conds {
		expr.Walk(c, func(e expr.Expr) bool {
			switch e.(type) {
			case *expr.Call, *expr.InList, *expr.AnyAll, *expr.SubPlan:
				n++
			}
			return true
		})
	}
	return float64(n) * cpuOperatorCost
}

func conjunctsOf(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	return conjuncts(e)
}

// descentCost is finding the first entry of a range.
func descentCost(rows float64) float64 {
	const height, perLevel = 2, 50
	return math.Ceil(math.Log2(math.Max(rows, 2)))*cpuOperatorCost + height*perLevel*cpuOperatorCost
}

// sortCost is cost_tuplesort: a comparison costs two operators; a top-N heap
// compares with the n kept.
func sortCost(rows, want float64) float64 {
	n := math.Max(rows, 2)
	kept := n
	if 2*want < n {
		kept = math.Max(2*want, 2)
	}
	return 2*cpuOperatorCost*n*math.Log2(kept) + cpuOperatorCost*math.Min(n, want)
}
