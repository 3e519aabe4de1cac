package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
)

func unsupportedLateral() error {
	return pgerr.Unsupported("a LATERAL reference across these joins")
}

// join joins two parts under conditions over the logical row.
func (p *joiner) join(kind JoinKind, l, r *joined, quals []expr.Expr) (*joined, error) {
	if r.deps.touches(l.set) {
		return p.lateral(kind, l, r, quals)
	}
	if l.deps.touches(r.set) {
		if kind != Inner {
			return nil, unsupportedLateral()
		}
		return p.lateral(kind, r, l, quals)
	}
	rows := p.joinRows(kind, l, r, quals)
	hash := p.hash(kind, l, r, quals)
	if loop := p.indexLoop(kind, l, r, quals); loop != nil && (hash == nil || loop.node.Common().Cost < hash.node.Common().Cost) {
		hash = loop
	}
	if kind == Inner && !p.keepsLeft(l) {
		if loop := p.indexLoop(kind, r, l, quals); loop != nil && (hash == nil || loop.node.Common().Cost < hash.node.Common().Cost) {
			hash = loop
		}
	}
	if loop := p.disabledHash(kind, l, r, quals, hash); loop != nil {
		hash = loop
	}
	hash.node.Common().Rows = rows
	return hash, nil
}

// disabledHash is a plain nested loop where there is nothing better: no
// equality, or hash joins are switched off.
func (p *joiner) disabledHash(kind JoinKind, l, r *joined, quals []expr.Expr, best *joined) *joined {
	if best != nil && best.node.Common().Cost < disabledCost {
		return nil
	}
	loop := p.loop(kind, l, r, quals)
	p.b.env.discourage(loop.node.Common(), "enable_nestloop")
	if best != nil && best.node.Common().Cost <= loop.node.Common().Cost {
		return nil
	}
	return loop
}

// discourage makes a join that is switched off the last choice.
func (e *Env) discourage(n *Info, setting string) {
	if !e.enabled(setting) {
		n.Startup += disabledCost
		n.Cost += disabledCost
	}
}

// keepsLeft says whether a part must stay on the left for its order's sake.
func (p *joiner) keepsLeft(l *joined) bool {
	return p.ordered && p.driver != nil && l.set.touches(setOf(p.driver))
}

// beside is the part that a join's row makes.
func (p *joiner) beside(l, r *joined, kind JoinKind) *joined {
	out := &joined{set: l.set | r.set, at: append([]int32(nil), l.at...)}
	out.slots = append(append(out.slots, l.slots...), r.slots...)
	out.args = append(append(out.args, l.args...), r.args...)
	out.deps = (l.deps | r.deps) &^ out.set
	if kind != Semi && kind != Anti {
		shift := int32(len(l.node.Common().Columns))
		for i, at := range r.at {
			if at >= 0 {
				out.at[i] = at + shift
			}
		}
	}
	out.same = unmoved(out.at)
	return out
}

func unmoved(at []int32) bool {
	for i, to := range at {
		if to >= 0 && int(to) != i {
			return false
		}
	}
	return true
}

func joinColumns(kind JoinKind, l, r Node) []Column {
	left := l.Common().Columns
	if kind == Semi || kind == Anti {
		return left
	}
	right := r.Common().Columns
	out := make([]Column, 0, len(left)+len(right))
	return append(append(out, left...), right...)
}

// condition places join conditions over left ++ right, also of a semi join,
// whose own row has no right part.
func (p *joiner) condition(l, r *joined, quals []expr.Expr) expr.Expr {
	if len(quals) == 0 {
		return nil
	}
	both := p.beside(l, r, Inner)
	return andOf(both.placeAll(quals))
}

// hash makes a hash join, nil when no condition is an equality. The smaller
// side of an inner join is the one that is hashed.
func (p *joiner) hash(kind JoinKind, l, r *joined, quals []expr.Expr) *joined {
	if kind == Inner && l.rows() < r.rows() && !p.keepsLeft(l) {
		l, r = r, l
	}
	var rest []expr.Expr
	n := &HashJoin{Kind: kind}
	for _, q := range quals {
		lk, rk, ok := p.equal(q, l.set, r.set)
		if !ok {
			rest = append(rest, q)
			continue
		}
		n.LeftKeys = append(n.LeftKeys, l.place(lk))
		n.RightKeys = append(n.RightKeys, r.place(rk))
	}
	if len(n.LeftKeys) == 0 {
		return nil
	}
	n.Left, n.Right = l.node, r.node
	n.Cond = p.condition(l, r, rest)
	n.Columns = joinColumns(kind, l.node, r.node)
	left, right := l.node.Common(), r.node.Common()
	n.Startup = right.Cost + right.Rows*(cpuTupleCost+cpuOperatorCost)
	n.Cost = n.Startup + left.Cost + left.Rows*(cpuTupleCost+cpuOperatorCost)
	p.b.env.discourage(&n.Info, "enable_hashjoin")
	out := p.beside(l, r, kind)
	out.node = n
	return out
}

// loop joins every row with every row.
func (p *joiner) loop(kind JoinKind, l, r *joined, quals []expr.Expr) *joined {
	if kind == Inner && r.rows() < l.rows() && !p.keepsLeft(l) && r.rows() < 2 {
		l, r = r, l
	}
	n := &NestLoop{Kind: kind, Left: l.node, Right: r.node, Cond: p.condition(l, r, quals), Materialize: true}
	n.Columns = joinColumns(kind, l.node, r.node)
	left, right := l.node.Common(), r.node.Common()
	n.Cost = left.Cost + right.Cost + left.Rows*right.Rows*(cpuTupleCost+cpuOperatorCost)
	out := p.beside(l, r, kind)
	out.node = n
	return out
}

// lateral runs the right part for each left row with the values it reads of it.
func (p *joiner) lateral(kind JoinKind, l, r *joined, quals []expr.Expr) (*joined, error) {
	if kind == FullOuter || kind == RightOuter {
		return nil, unsupportedLateral()
	}
	n := &NestLoop{Kind: kind, Left: l.node, Right: r.node, Cond: p.condition(l, r, quals)}
	out := p.beside(l, r, kind)
	out.slots, out.args = append([]int(nil), l.slots...), append([]expr.Expr(nil), l.args...)
	for i, a := range r.args {
		switch set := p.setIn(a); {
		case set.within(l.set):
			n.Slots = append(n.Slots, r.slots[i])
			n.Args = append(n.Args, l.place(a))
		case set.touches(l.set):
			return nil, unsupportedLateral()
		default:
			out.slots, out.args = append(out.slots, r.slots[i]), append(out.args, a)
		}
	}
	n.Columns = joinColumns(kind, l.node, r.node)
	left, right := l.node.Common(), r.node.Common()
	n.Rows = max(left.Rows*right.Rows, 1)
	n.Cost = left.Cost + left.Rows*right.Cost
	out.node = n
	return out, nil
}

// indexLoop reads the right table through an index for each left row, nil when
// no index serves.
func (p *joiner) indexLoop(kind JoinKind, l, r *joined, quals []expr.Expr) *joined {
	if r.single == nil || r.single.sample != nil || kind == FullOuter || kind == RightOuter || !p.keyed(l, r, quals) {
		return nil
	}
	n := &NestLoop{Kind: kind, Left: l.node}
	slots := map[int]int{} // logical place: slot
	conds := append([]expr.Expr(nil), r.quals...)
	var rest []expr.Expr
	for _, q := range quals {
		if !p.setIn(q).touches(r.set) || hasSubPlan(q) || expr.VolatilityOf(q) == expr.Volatile {
			rest = append(rest, q)
			continue
		}
		conds = append(conds, expr.Rewrite(q, func(x expr.Expr) expr.Expr {
			c, ok := x.(*expr.Column)
			if !ok || !l.set.touches(1<<p.owner[c.Index]) {
				return x
			}
			slot, ok := slots[c.Index]
			if !ok {
				slot = p.b.plan.ExecSlots
				p.b.plan.ExecSlots++
				slots[c.Index] = slot
				n.Slots = append(n.Slots, slot)
				n.Args = append(n.Args, l.place(c))
			}
			return &expr.ExecParam{Slot: slot, Typ: c.Typ, Name: c.Name}
		}))
	}
	inner := p.tableScan(r.single, conds)
	scan := inner.node
	if !looksUp(scan, n.Slots) {
		return nil
	}
	n.Right = scan
	n.Cond = p.condition(l, inner, rest)
	n.Columns = joinColumns(kind, l.node, scan)
	left := l.node.Common()
	rows := left.Rows
	if p.limit > 0 && p.keepsLeft(l) {
		rows = min(rows, p.limit)
	}
	n.Cost = left.Cost + rows*max(scan.Common().Cost, 1)
	p.b.env.discourage(&n.Info, "enable_nestloop")
	out := p.beside(l, inner, kind)
	out.node = n
	return out
}

// keyed says whether an index of the right table begins with a column that a
// condition compares with the left part.
func (p *joiner) keyed(l, r *joined, quals []expr.Expr) bool {
	t := r.single.table
	for _, q := range quals {
		_, rk, ok := p.equal(q, l.set, r.set)
		if !ok {
			continue
		}
		c, ok := rk.(*expr.Column)
		if !ok {
			continue
		}
		for _, x := range p.b.env.Catalog.Indexes(t.ID) {
			if x.Valid && x.Method == "btree" && int(x.Keys[0].Column) == c.Index-r.single.rel.start+1 {
				return true
			}
		}
	}
	return false
}

func hasSubPlan(e expr.Expr) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		if _, ok := x.(*expr.SubPlan); ok {
			found = true
		}
		return !found
	})
	return found
}

// rangesUse says whether index ranges read one of the slots.
func rangesUse(ranges []IndexRange, slots []int) (found bool) {
	look := func(e expr.Expr) {
		expr.Walk(e, func(x expr.Expr) bool {
			if p, ok := x.(*expr.ExecParam); ok {
				for _, s := range slots {
					found = found || s == p.Slot
				}
			}
			return !found
		})
	}
	for i := range ranges {
		for _, e := range ranges[i].Eq {
			look(e)
		}
		look(ranges[i].EqAny)
		look(ranges[i].Low)
		look(ranges[i].High)
	}
	return found
}
