package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// Costs of reading rows, in units of one row of a sequential scan, about 0.3 µs. A
// candidate costs its part of the graph walk and a point read of its row (3.4 µs
// of 512 dimensions); an exact distance costs reading one vector where the graph
// has it (0.17 µs, more when it is in no cache); an entry of a btree index that no
// filter needs the row of costs 0.05 µs, else a point read.
const (
	candidateCost = 10.0
	vectorCost    = 1.0
	indexIDCost   = 0.25
	indexRowCost  = 4.0

	// storedVectorCost is a vector that lies with the rows: a look-up of its own.
	storedVectorCost = 12.0
)

// perVector is the cost of an exact distance.
func (o *knnOp) perVector() float64 {
	if o.node.Index.Method == "hnsw" && o.node.Table.Tier == types.TierHot {
		return vectorCost
	}
	return storedVectorCost
}

// exactCost estimates the exact way; 0 is unknown.
func (o *knnOp) exactCost() float64 {
	alt := o.node.Alternative
	if alt == nil || o.other == nil {
		return 0
	}
	matching := max(alt.Common().Rows, float64(o.dive.atLeast), 1)
	if x, ok := alt.(*plan.IndexScan); ok {
		return matching * o.exactRowCost(x)
	}
	if o.node.Selectivity <= 0 {
		return 0
	}
	return matching/o.node.Selectivity + matching*o.perVector()
}

// exactRowCost is what one matching row costs that a btree index finds.
func (o *knnOp) exactRowCost(x *plan.IndexScan) float64 {
	if x.Filter == nil {
		return indexIDCost + o.perVector()
	}
	return indexRowCost + o.perVector()
}

// exactIsCheaper decides by the planner's estimates before anything is read.
func (o *knnOp) exactIsCheaper() bool {
	other := o.exactCost()
	if o.node.Filter == nil || other == 0 || o.node.Selectivity <= 0 {
		return false
	}
	candidates := max(float64(o.want)/o.node.Selectivity, float64(o.x.env.EfSearch))
	return candidates*candidateCost > other
}

// The graph finds the nearest candidates surely and those at the end of what it was
// asked for less so. Without a filter ef is several times LIMIT; with one, the rows
// that pass may be all of a batch, its end included. So candidates for filterMargin
// times LIMIT rows are searched for, as far as that is cheap.
const (
	filterMargin = 2
	mostFiltered = 1024
)

// filteredEf is how many candidates the first batch needs by the planner's estimate.
func (o *knnOp) filteredEf() int {
	share := o.selectivity()
	if o.node.Filter == nil || share <= 0 {
		return 0
	}
	return int(min(filterMargin*float64(o.want)/share, mostFiltered))
}

// selectivity is the planner's estimate, or more when a dive has found more; 0 is unknown.
func (o *knnOp) selectivity() float64 {
	if rows := o.tableRows(); o.dive.atLeast > 0 && rows > 0 {
		return max(o.node.Selectivity, min(float64(o.dive.atLeast)/rows, 1))
	}
	return o.node.Selectivity
}

// isSettled decides after enough rows passed, by the candidates that it took, whether
// so many more have been searched for that the rows are the nearest.
func (o *knnOp) isSettled(pulled int) bool {
	if o.node.Filter == nil || o.bounded || pulled >= mostFiltered {
		return true
	}
	return pulled >= filterMargin*o.examined
}

// shouldSwitch decides after a batch, by what passed so far. Work already done
// is at most about the cost of the other way, so that a wrong estimate costs no
// more than twice the better way.
func (o *knnOp) shouldSwitch() bool {
	limit := o.exactCost()
	if limit == 0 {
		if o.x.env.MaxScan <= 0 {
			return false
		}
		return o.examined >= o.x.env.MaxScan
	}
	spent := float64(o.examined) * candidateCost
	if spent > limit {
		return true
	}
	if o.examined < 2*max(o.x.env.EfSearch, minSample) {
		return false
	}
	rate := (float64(o.passed) + 0.5) / float64(o.examined)
	remaining := float64(o.want-len(o.found)) / rate * candidateCost
	return remaining > 2*limit
}

// minSample is how many candidates must have been looked at before their pass
// rate says anything.
const minSample = 50
