package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
)

// plan plans a bound SELECT: read and join, group, windows, set-returning
// functions, then order, duplicates, locks and limits.
func (sel *selecting) plan() (Node, error) {
	if err := sel.checkLocks(); err != nil {
		return nil, err
	}
	sel.ranks = sel.ranksOnly()
	part, ordered, err := sel.source()
	if err != nil {
		return nil, err
	}
	sel.ranks = sel.ranks && ordered
	locks := sel.lockSpecs(part)
	sel.rewrite(part.place)
	n := part.node
	if sel.grouped {
		sel.trace(part)
	}
	if sel.grouped {
		if n, err = sel.aggregated(n); err != nil {
			return nil, err
		}
	}
	if sel.ranks {
		n = sel.ranked(n)
	}
	if n, err = sel.windows(n); err != nil {
		return nil, err
	}
	if n, err = sel.series(n); err != nil {
		return nil, err
	}
	return sel.finish(n, ordered, locks)
}

// rewrite applies a rewriting to all that is still to be computed.
func (sel *selecting) rewrite(fn func(expr.Expr) expr.Expr) {
	for i := range sel.targets {
		sel.targets[i].value = fn(sel.targets[i].value)
	}
	rewriteKeys(sel.order, fn)
	rewriteList(sel.on, fn)
	rewriteList(sel.groups, fn)
	if sel.having != nil {
		sel.having = fn(sel.having)
	}
	l := sel.s.level
	for i := range l.aggs {
		a := &l.aggs[i]
		rewriteList(a.Args, fn)
		rewriteList(a.Direct, fn)
		rewriteKeys(a.OrderBy, fn)
		if a.Filter != nil {
			a.Filter = fn(a.Filter)
		}
	}
	sel.rewriteWindows(fn)
}

func (sel *selecting) rewriteWindows(fn func(expr.Expr) expr.Expr) {
	for i := range sel.s.level.windows {
		w := &sel.s.level.windows[i]
		rewriteList(w.call.Args, fn)
		rewriteList(w.partition, fn)
		rewriteKeys(w.order, fn)
		if w.call.Filter != nil {
			w.call.Filter = fn(w.call.Filter)
		}
	}
}

func rewriteList(list []expr.Expr, fn func(expr.Expr) expr.Expr) {
	for i, e := range list {
		list[i] = fn(e)
	}
}

func rewriteKeys(keys []SortKey, fn func(expr.Expr) expr.Expr) {
	for i := range keys {
		keys[i].Expr = fn(keys[i].Expr)
	}
}

// each calls fn for all that is computed of the joined row.
func (sel *selecting) each(fn func(expr.Expr)) {
	sel.rewrite(func(e expr.Expr) expr.Expr {
		fn(e)
		return e
	})
}

// read is source for the conditions that read columns.
func (sel *selecting) read() (*joined, bool, error) {
	p := &joiner{b: sel.b, leaves: sel.from.leaves, width: sel.s.width, need: make([]bool, sel.s.width)}
	p.owner = owners(p.leaves, p.width)
	if sel.from.root == nil {
		return p.filtered(&joined{node: oneRow(), same: true}, sel.where), false, nil
	}
	if never(sel.where) {
		return sel.noRows(p), false, nil
	}
	p.reduce(sel.from.root, p.allNeed(sel.where))
	sel.pickDriver(p)
	sel.mark(p, nil)
	if p.driver == nil {
		if part, err := sel.nearestOf(p); part != nil || err != nil {
			if err == nil {
				sel.useDistance(p)
			}
			return part, true, err
		}
	}
	if p.driver != nil && hasCall(p.keys[0].Expr) {
		return sel.nearest(p)
	}
	if key, ok := sel.extreme(); ok {
		if part, err := sel.first(p, key); part != nil || err != nil {
			return part, false, err
		}
	}
	part, err := p.plan(sel.from.root, sel.where)
	if err == nil && p.ordered && !keepsOrder(part.node) {
		p.driver, p.ordered, p.limit = nil, false, 0 // the order is lost: read in the cheapest way
		part, err = p.plan(sel.from.root, sel.where)
	}
	if err != nil {
		return nil, false, err
	}
	return part, p.ordered, nil
}

// nearest tries the order by a computed key (a distance) first, with which the
// key's own columns need not be read.
func (sel *selecting) nearest(p *joiner) (*joined, bool, error) {
	key := p.keys[0].Expr
	all := append([]bool(nil), p.need...)
	clear(p.need)
	sel.mark(p, key)
	part, err := p.plan(sel.from.root, sel.where)
	if err != nil {
		return nil, false, err
	}
	if !p.ordered || part.at[p.driver.distance()] < 0 || p.more && !keepsOrder(part.node) {
		if !p.ordered || p.more {
			p.driver, p.more, p.partly = nil, false, false
		}
		p.need, p.ordered = all, false
		part, err = p.plan(sel.from.root, sel.where)
		return part, p.ordered && keepsOrder(part.node), err
	}
	sel.useDistance(p)
	if p.partly {
		sel.presorted = 1
		return part, false, nil
	}
	return part, keepsOrder(part.node), nil
}

// useDistance reads the distance that the driver's scan computes instead of
// computing it again.
func (sel *selecting) useDistance(p *joiner) {
	place, key := p.driver.distance(), sel.order[0].Expr
	d, ok := distanceOf(key)
	sel.rewrite(func(e expr.Expr) expr.Expr {
		return expr.Replace(e, func(x expr.Expr) expr.Expr {
			if ok && d.equal(x) || expr.Equal(x, key) {
				return &expr.Column{Index: place, Typ: key.Type(), Name: distanceName}
			}
			return nil
		})
	})
}

// mark notes the places that are read. What is equal to without is computed by
// a scan, so that its columns do not count.
func (sel *selecting) mark(p *joiner, without expr.Expr) {
	note := func(e expr.Expr) {
		expr.Walk(e, func(x expr.Expr) bool {
			if without != nil && expr.Equal(x, without) {
				return false
			}
			if c, ok := x.(*expr.Column); ok {
				p.need[c.Index] = true
			}
			return true
		})
	}
	sel.each(note)
	for _, w := range sel.where {
		note(w)
	}
	for _, w := range sel.again {
		note(w)
	}
	p.markTree(sel.from.root)
	for _, l := range p.leaves {
		if l.needsID() {
			p.need[l.rowID()] = true
		}
	}
}

// allNeed gives the leaves of which one of the conditions needs a value.
func (p *joiner) allNeed(quals []expr.Expr) leafSet {
	var out leafSet
	for _, q := range quals {
		out |= p.needsValue(q)
	}
	return out
}

func oneRow() Node {
	v := &Values{Lists: [][]expr.Expr{{}}}
	v.Columns, v.Rows, v.Cost = []Column{}, 1, cpuTupleCost
	return v
}

// never says whether a condition is false whatever the row.
func never(quals []expr.Expr) bool {
	for _, q := range quals {
		if c, ok := q.(*expr.Const); ok && c.Value != true {
			return true
		}
	}
	return false
}

// noRows stands for a source that no row passes: nothing is read.
func (sel *selecting) noRows(p *joiner) *joined {
	v := &Values{}
	v.Columns = make([]Column, p.width)
	for _, l := range p.leaves {
		copy(v.Columns[l.rel.start:], l.rel.columns)
	}
	at := make([]int32, p.width)
	for i := range at {
		at[i] = int32(i)
	}
	return &joined{node: v, at: at, same: true}
}

// hasCall says whether a key is computed.
func hasCall(e expr.Expr) bool {
	_, plain := e.(*expr.Column)
	return !plain
}

// ordersRows says whether ORDER BY orders the joined rows themselves.
func (sel *selecting) ordersRows() bool {
	return len(sel.order) > 0 && !sel.grouped && !sel.q.Distinct && len(sel.on) == 0 && (len(sel.s.level.windows) == 0 || sel.ranks) && !sel.s.level.srf
}

// pickDriver finds the table in whose order the result is wanted, if the rows
// of the result come from it one by one.
func (sel *selecting) pickDriver(p *joiner) {
	if !sel.ordersRows() {
		return
	}
	var set leafSet
	order := sel.order
	if p.partly = len(order) > 1 && sel.byDistance(); p.partly {
		order = order[:1]
	}
	for _, k := range order {
		if correlated(k.Expr) || expr.VolatilityOf(k.Expr) == expr.Volatile {
			return
		}
		set |= p.setIn(k.Expr)
	}
	for _, l := range p.leaves {
		if set != setOf(l) || l.table == nil || l.sample != nil {
			continue
		}
		drops, ok := p.dropsRows(sel.from.root, l)
		if !ok {
			return
		}
		for _, q := range sel.where {
			if s := p.setIn(q); s != set && (s != 0 || !sel.from.root.single()) {
				drops = true
			}
		}
		if (drops || p.partly) && hasCall(sel.order[0].Expr) {
			// The nearest rows may all be dropped by the join, or be ties.
			if p.more = sel.asksOn(p, l); !p.more {
				return
			}
		}
		p.driver, p.keys = l, order
		// A btree scan takes it as an estimate, a nearest-neighbour scan as all it is
		// to give.
		if p.more || !hasCall(sel.order[0].Expr) || !drops && !sel.q.WithTies && len(sel.locks) == 0 {
			p.want = wanted(sel.limit, sel.offset)
			if p.partly {
				p.want = sel.b.withReserve(p.want)
			}
		}
		p.limit = likelyLimit(sel.limit)
		return
	}
}

// correlated says whether e has a subquery that reads columns of the row.
func correlated(e expr.Expr) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		if s, ok := x.(*expr.SubPlan); ok {
			found = found || hasColumn(s)
		}
		return !found
	})
	return found
}

// likelyLimit is how many rows a LIMIT leaves, 0 for all.
func likelyLimit(limit expr.Expr) float64 {
	if limit == nil {
		return 0
	}
	if c, ok := limit.(*expr.Const); ok {
		if n, ok := c.Value.(int64); ok {
			return float64(max(n, 1))
		}
	}
	return 100
}

// dropsRows says whether a join may drop rows of the leaf; ok is false when the
// leaf's order cannot come out of the tree at all.
func (p *joiner) dropsRows(t *joinTree, l *leaf) (drops, ok bool) {
	switch {
	case t.leaf != nil:
		return false, t.leaf == l
	case !t.set().touches(setOf(l)) || t.kind == FullOuter:
		return false, false
	case t.right == nil:
		drops, ok = p.dropsRows(t.left, l)
		for _, e := range t.on {
			drops = drops || !p.setIn(e).within(setOf(l))
		}
		return drops, ok
	case t.left.set().touches(setOf(l)):
		drops, ok = p.dropsRows(t.left, l)
		return drops || t.kind != LeftOuter, ok
	case t.kind == Inner:
		_, ok = p.dropsRows(t.right, l)
		return true, ok
	}
	return false, false
}

// keepsOrder says whether the order of the leftmost scan is that of the rows. A
// hash join that outgrows its memory mixes the rows.
func keepsOrder(n Node) bool {
	switch t := n.(type) {
	case *IndexScan, *KNN, *SeqScan:
		return true
	case *Append:
		return t.Order != nil
	case *Filter:
		return keepsOrder(t.Child)
	case *NestLoop:
		return t.Kind != RightOuter && t.Kind != FullOuter && keepsOrder(t.Left)
	}
	return false
}

// checkLocks refuses FOR UPDATE of what has no rows to lock.
func (sel *selecting) checkLocks() error {
	if len(sel.q.Locking) == 0 {
		return nil
	}
	strength := sel.q.Locking[0].Strength
	for _, l := range sel.from.leaves {
		if l.table == nil && l.locks != "" && !l.tested {
			return pgerr.Newf(pgerr.FeatureNotSupported, "FOR %s of %s is not supported", strength, l.locks)
		}
	}
	if sel.from.root == nil {
		return nil
	}
	nullable := nullableSide(sel.from.root)
	for _, u := range sel.locks {
		if nullable.touches(setOf(u.leaf)) {
			return pgerr.Newf(pgerr.FeatureNotSupported, "FOR %s cannot be applied to the nullable side of an outer join", strength)
		}
	}
	return nil
}

func nullableSide(t *joinTree) leafSet {
	if t == nil || t.leaf != nil {
		return 0
	}
	out := nullableSide(t.left) | nullableSide(t.right)
	switch t.kind {
	case LeftOuter:
		out |= t.right.set()
	case FullOuter:
		out |= t.set()
	}
	return out
}

// lockSpecs places row locks over the joined row.
func (sel *selecting) lockSpecs(part *joined) []RowLockSpec {
	var out []RowLockSpec
	for _, u := range sel.locks {
		out = append(out, RowLockSpec{
			Table: u.leaf.table, Leaves: sel.b.leavesOf(u.leaf.table), Offset: int(part.at[u.leaf.rel.start]), RowID: int(part.at[u.leaf.rowID()]),
			Strength: u.strength, Wait: u.wait, Recheck: part.place(andOf(sel.recheck())),
		})
	}
	return out
}

// recheck is the WHERE clause for a row that changed while its lock was waited for.
func (sel *selecting) recheck() []expr.Expr {
	if sel.again != nil {
		return sel.again
	}
	return sel.where
}

// trace notes which leaf and column each place of the joined row is.
func (sel *selecting) trace(part *joined) {
	width := len(part.node.Common().Columns)
	sel.placed, sel.logical = make([]*leaf, width), make([]int, width)
	for _, l := range sel.from.leaves {
		for i := range l.rel.columns {
			if at := int(part.at[l.rel.start+i]); at >= 0 {
				sel.placed[at], sel.logical[at] = l, l.rel.start+i
			}
		}
	}
}
