package run

import (
	"math"

	"github.com/akidb/akidb/executor/plan"
)

// There are no statistics of columns, so how many rows a range of a btree index
// holds is a guess until it is read. A dive reads the ids of matching rows as far
// as the exact way would still be cheaper than the graph: a thousand ids are read
// in 0.05 ms, a hundredth of what a filtered search through the graph takes. Ids
// that were all read are the first half of the exact way, and an overflow says
// that at least so many rows match.
type knnDive struct {
	made     bool
	complete bool // o.ids are all matching rows
	atLeast  int  // rows that match, when there were too many
}

// diveIfBounded reads ids when the planner believes that few rows match; false
// when there are too many for the exact way. Without a btree index the rows must
// be scanned whatever they are.
func (o *knnOp) diveIfBounded() (bool, error) {
	limit := o.diveLimit()
	if limit == 0 {
		return true, nil
	}
	return o.diveTo(limit)
}

// diveIfNarrow reads ids when the graph's first candidates did not give enough
// rows and so few of them passed that all who pass may be few.
func (o *knnOp) diveIfNarrow() (bool, error) {
	limit := o.diveLimit()
	if limit == 0 || o.dive.made || o.examined < minSample {
		return false, nil
	}
	if matching := (float64(o.passed) + 0.5) / float64(o.examined) * o.tableRows(); matching > 2*float64(limit) {
		return false, nil
	}
	return o.diveTo(limit)
}

func (o *knnOp) diveTo(limit int) (bool, error) {
	o.dive.made = true
	fits, err := o.collectIDs(limit)
	if err != nil {
		return false, err
	}
	o.dive.complete = fits
	if !fits {
		o.dive.atLeast = limit
	}
	return fits, nil
}

// diveLimit is the number of matching rows m at which both ways cost the same: m
// times the cost of a row, and the cost of filterMargin * want / (m / rows)
// candidates. 0: the filter has no btree index.
func (o *knnOp) diveLimit() int {
	x, ok := o.node.Alternative.(*plan.IndexScan)
	rows := o.tableRows()
	if !ok || o.other == nil || rows == 0 {
		return 0
	}
	m := math.Sqrt(filterMargin * float64(o.want) * rows * candidateCost / o.exactRowCost(x))
	fewest := float64(o.x.env.EfSearch) * candidateCost / o.exactRowCost(x) // a search costs at least ef candidates
	return min(int(max(m, fewest)), o.mostIDs())
}

// tableRows is the planner's number of rows of the table; 0 is unknown.
func (o *knnOp) tableRows() float64 {
	if o.node.Alternative == nil || o.node.Selectivity <= 0 {
		return 0
	}
	return o.node.Alternative.Common().Rows / o.node.Selectivity
}
