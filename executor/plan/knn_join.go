package plan

import "github.com/akidb/akidb/executor/expr"

// asksOn says whether the nearest rows of l may be read until enough of them
// have come through the joins. Where conditions on the other tables drop so many
// that a good part of l would be read, row by row, joining all and sorting is
// better.
func (sel *selecting) asksOn(p *joiner, l *leaf) bool {
	if sel.limit == nil || sel.q.WithTies || len(sel.locks) > 0 || len(sel.order) != 1 {
		return false
	}
	if _, ok := distanceOf(l.localExpr(sel.order[0].Expr)); !ok {
		return false
	}
	share := 1.0
	for _, other := range p.leaves {
		if other == l || other.table == nil {
			continue
		}
		var conds []expr.Expr
		for _, q := range sel.where {
			if p.setIn(q) == setOf(other) {
				conds = append(conds, q)
			}
		}
		share *= p.b.selectivity(other.table, other.local(conds))
	}
	// A row read by its id and joined through an index costs about as much as
	// this many rows of a scan that are joined by hashing.
	const rowCost = 10
	return likelyLimit(sel.limit)*rowCost < p.b.env.rows(l.table.ID)*share
}
