package plan

import (
	"github.com/akidb/akidb/executor/expr"
)

// nearestOf plans ORDER BY distance(t.v, q.v) LIMIT n where q, joined with t, has
// one row at most (a WITH query or a subquery that finds the query vector): the
// row is read first and its vector is the query of a nearest-neighbour scan. nil
// when it does not apply.
func (sel *selecting) nearestOf(p *joiner) (*joined, error) {
	if !sel.ordersRows() || len(sel.order) != 1 || sel.limit == nil || sel.q.WithTies || len(sel.locks) > 0 {
		return nil, nil
	}
	key := sel.order[0].Expr
	call, ok := key.(*expr.Call)
	if !ok || call.Func.Metric == 0 || len(call.Args) != 2 {
		return nil, nil
	}
	var trees []*joinTree
	quals := append([]expr.Expr(nil), sel.where...)
	flatten(sel.from.root, &trees, &quals)
	if len(trees) != 2 {
		return nil, nil
	}
	for i, t := range trees {
		other := trees[1-i]
		if t.leaf == nil || t.leaf.table == nil || t.leaf.sample != nil || !p.setIn(key).within(t.set()|other.set()) {
			continue
		}
		a, b := p.setIn(call.Args[0]), p.setIn(call.Args[1])
		if a == t.set() && b.within(other.set()) && b != 0 || b == t.set() && a.within(other.set()) && a != 0 {
			if part, err := sel.nearestTo(p, t.leaf, other, quals); part != nil || err != nil {
				return part, err
			}
		}
	}
	return nil, nil
}

// nearestTo reads the one row of other and the rows of l in the order of their
// distance to it.
func (sel *selecting) nearestTo(p *joiner, l *leaf, other *joinTree, quals []expr.Expr) (*joined, error) {
	var own, outer []expr.Expr
	for _, q := range quals {
		if set := p.setIn(q); set != 0 && set.within(other.set()) {
			outer = append(outer, q)
		} else if hasSubPlan(q) && !set.within(setOf(l)) {
			return nil, nil
		} else {
			own = append(own, q)
		}
	}
	left, err := p.plan(other, outer)
	if err != nil || left.deps != 0 || !p.atMostOne(other, outer, left.node) {
		return nil, err
	}
	n := &NestLoop{Kind: Inner, Left: left.node}
	outside := p.outside(n, left)
	for i, q := range own {
		own[i] = expr.Rewrite(q, outside)
	}
	p.driver, p.want = l, wanted(sel.limit, sel.offset)
	p.keys = []SortKey{sel.order[0]}
	p.keys[0].Expr = expr.Rewrite(sel.order[0].Expr, outside)
	right := p.orderedScan(l, own)
	if right == nil || right.at[l.distance()] < 0 {
		p.driver, p.keys, p.want = nil, nil, nil
		return nil, nil
	}
	in := right.node.Common()
	n.Right = right.node
	n.Columns = joinColumns(Inner, left.node, right.node)
	n.Rows, n.Startup = in.Rows, left.node.Common().Cost+in.Startup
	n.Cost = left.node.Common().Cost + in.Cost
	out := p.beside(left, right, Inner)
	out.node = n
	return out, nil
}

// outside makes columns of the left part the parameters of a nested loop.
func (p *joiner) outside(n *NestLoop, left *joined) func(expr.Expr) expr.Expr {
	slots := map[int]int{}
	return func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok || !left.set.touches(1<<p.owner[c.Index]) {
			return x
		}
		slot, ok := slots[c.Index]
		if !ok {
			slot = p.b.plan.ExecSlots
			p.b.plan.ExecSlots++
			slots[c.Index] = slot
			n.Slots = append(n.Slots, slot)
			n.Args = append(n.Args, left.place(c))
		}
		return &expr.ExecParam{Slot: slot, Typ: c.Typ, Name: c.Name}
	}
}

// atMostOne says whether a part has one row at most.
func (p *joiner) atMostOne(t *joinTree, quals []expr.Expr, n Node) bool {
	if t.leaf != nil && t.leaf.table != nil {
		return p.uniqueUnder(t.leaf, quals)
	}
	return t.leaf != nil && p.b.oneRowAtMost(n)
}

// uniqueUnder says whether conditions fix all columns of a unique index.
func (p *joiner) uniqueUnder(l *leaf, quals []expr.Expr) bool {
	fixed := map[int]bool{}
	for _, q := range quals {
		c, ok := q.(*expr.Call)
		if !ok || c.Operator != "=" || len(c.Args) != 2 {
			continue
		}
		for side := range 2 {
			if col, ok := c.Args[side].(*expr.Column); ok && !hasColumn(c.Args[1-side]) {
				fixed[col.Index-l.rel.start] = true
			}
		}
	}
	for _, columns := range p.b.uniqueKeys(l.table) {
		all := len(columns) > 0
		for _, c := range columns {
			all = all && fixed[c]
		}
		if all {
			return true
		}
	}
	return false
}

// oneRowAtMost says whether a node gives one row at most.
func (b *binder) oneRowAtMost(n Node) bool {
	switch t := n.(type) {
	case *Values:
		return len(t.Lists) <= 1
	case *Limit:
		c, ok := t.Count.(*expr.Const)
		return ok && c.Value == int64(1) && !t.WithTies || b.oneRowAtMost(t.Child)
	case *Aggregate:
		return len(t.Groups) == 0 && t.Sets == nil
	case *IndexScan:
		return t.Index.Unique && len(t.Ranges) == 1 && t.Ranges[0].EqAny == nil && len(t.Ranges[0].Eq) == len(t.Index.Keys)
	case *CTEScan:
		return b.oneRowAtMost(b.plan.CTEs[t.CTE].Root)
	case *Filter:
		return b.oneRowAtMost(t.Child)
	case *Sort:
		return b.oneRowAtMost(t.Child)
	case *Project:
		return t.SRF == nil && b.oneRowAtMost(t.Child)
	}
	return false
}
