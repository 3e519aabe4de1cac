package plan

import (
	"slices"

	"github.com/akidb/akidb/executor/expr"
)

// rankings are the window functions whose value for a row needs no later row,
// but for its peers, which rank alike.
var rankings = []string{"row_number", "rank", "dense_rank"}

// ranksOnly says whether all windows rank in the order of the result, of which a
// part is wanted, as in hybrid searches:
//
//	SELECT id, rank() OVER (ORDER BY v <=> $1) FROM t ORDER BY v <=> $1 LIMIT 20
//
// Then only the rows wanted need be read and ranked. An order by the rank itself
// is the order that it ranks by.
func (sel *selecting) ranksOnly() bool {
	windows := sel.s.level.windows
	if sel.grouped || sel.q.Distinct || len(sel.on) > 0 || sel.s.level.srf {
		return false
	}
	if len(windows) == 0 || sel.limit == nil || sel.q.WithTies || len(sel.order) != 1 {
		return false
	}
	for i := range windows {
		w := &windows[i]
		if len(w.partition) > 0 || !slices.Contains(rankings, w.call.Func.Name) || !sameKeys(w.order, windows[0].order) {
			return false
		}
	}
	by := windows[0].order
	if len(by) != 1 {
		return false
	}
	if r, ok := sel.order[0].Expr.(*expr.WindowRef); ok && r.Index < len(windows) && !sel.order[0].Desc {
		sel.order, sel.byOut = slices.Clone(by), []int{-1}
	}
	return sameKeys(sel.order, by)
}

// ranked keeps only the rows wanted of rows in the order of the result.
func (sel *selecting) ranked(n Node) Node {
	want := wanted(sel.limit, sel.offset)
	in := n.Common()
	return &Limit{Info: Info{Columns: in.Columns, Rows: min(in.Rows, likelyLimit(sel.limit)), Startup: in.Startup, Cost: in.Cost}, Child: n, Count: want}
}
