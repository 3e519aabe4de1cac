package run

import "github.com/akidb/akidb/internal/types"

// A join above may drop rows and ask for more than plan.KNN.Want (More). Then
// the search is made again for several times as many, without the rows given
// before: the work of all rounds together is little more than that of the last.

// roundGrowth is by how much a round is larger than the one before, and
// mostSearched how many rows are searched for in the graph; after that all are
// sorted, which costs less than so wide a search.
const (
	roundGrowth  = 8
	mostSearched = 20000
)

// again begins another round when the last one gave all the rows it was asked
// for; false when there are no more rows.
func (o *knnOp) again() (bool, error) {
	if !o.node.More || len(o.found) == 0 || len(o.found) < o.want {
		return false, nil
	}
	if o.given == nil {
		o.given = make(map[types.RowID]struct{}, len(o.found))
	}
	for i := range o.found {
		o.given[o.found[i].ID] = struct{}{}
	}
	o.last = o.found[len(o.found)-1]
	o.last.row = nil
	o.recycle()
	o.at = 0
	o.want *= roundGrowth
	if len(o.given)+o.want > mostSearched {
		o.way = knnSorted
		return true, o.sortAll(0)
	}
	return true, o.begin()
}

// wasPassed leaves out what came before, and what the earlier search missed: it
// would be out of order now.
func (o *knnOp) wasPassed(c *knnRow) bool {
	if _, ok := o.given[c.ID]; ok {
		return true
	}
	return compareDistance(*c, o.last) < 0
}

// sortWant is how many rows a sort keeps: all when more may be asked for.
func (o *knnOp) sortWant() int {
	if o.node.More {
		return 0
	}
	return o.want
}
