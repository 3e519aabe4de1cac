package plan

import "github.com/akidb/akidb/executor/expr"

// byDistance says whether the nearest rows are wanted, some of them.
func (sel *selecting) byDistance() bool {
	if sel.limit == nil || sel.q.WithTies || len(sel.locks) > 0 || len(sel.order) == 0 {
		return false
	}
	key := sel.order[0]
	_, ok := distanceOf(key.Expr)
	return ok && !key.Desc && !key.NullsFirst
}

// tieReserve is how many rows more than wanted are searched for at first when
// further keys decide between equal distances, so that the first row after the
// ties is mostly found at once.
const tieReserve = 10

// withReserve is want with some rows more.
func (b *binder) withReserve(want expr.Expr) expr.Expr {
	more := b.calculate("+", want, &expr.Const{Value: int64(tieReserve), Typ: int8Type})
	if more == nil {
		return want
	}
	return expr.Fold(b.env.Types, more)
}

// asksOn says whether the nearest rows of l may be read until enough of them
// have come through the joins. Where conditions on the other tables drop so many
// that a good part of l would be read, row by row, joining all and sorting is
// better.
func (sel *selecting) asksOn(p *joiner, l *leaf) bool {
	if !sel.byDistance() {
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
