package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/sql/ast"
)

// single says whether a tree reads one leaf only.
func (t *joinTree) single() bool {
	return t.leaf != nil || t.right == nil && t.left.single()
}

// plainQuery says whether a query does nothing but read, join and choose rows.
func plainQuery(q *ast.Select) bool {
	return q.With == nil && q.SetOp == "" && q.Values == nil && q.Into == nil && len(q.From) > 0 &&
		!q.Distinct && len(q.DistinctOn) == 0 && len(q.GroupBy) == 0 && q.Having == nil && len(q.Windows) == 0 &&
		len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil && len(q.Locking) == 0
}

// flat says whether a query's FROM may join the one that it is an item of.
func (f *fromBinder) flat(q *ast.Select) bool {
	if f.s.whole || f.s.joined || !plainQuery(q) {
		return false
	}
	for i := range q.Targets {
		if !simpleTarget(q.Targets[i].Expr) {
			return false
		}
	}
	return true
}

// simpleTarget says whether an output may be computed anywhere, any number of
// times: no aggregates, windows, sets, subqueries or volatile functions.
func simpleTarget(e ast.Expr) bool {
	simple := true
	ast.Walk(e, func(n any) bool {
		switch t := n.(type) {
		case *ast.SubLink:
			simple = false
		case *ast.FuncCall:
			if t.Over != nil {
				simple = false
			}
			for _, fn := range expr.FunctionsNamed(t.Name[len(t.Name)-1]) {
				if fn.Aggregate != nil || fn.Window != nil || fn.Rows != nil || fn.Volatility == expr.Volatile {
					simple = false
				}
			}
		}
		return simple
	})
	return simple
}

// pullUp binds a query's FROM among the items of this one. ok is false, and
// nothing has changed, when an output is computed and an outer join around
// would have to make it NULL.
func (f *fromBinder) pullUp(q *ast.Select, s *scope, name string) (part fromPart, ok bool, err error) {
	leaves, width := f.tree.leaves, f.s.width
	s.width = width
	s.level = &level{named: q.Windows}
	inner := &fromBinder{b: f.b, s: s, tree: &fromTree{leaves: leaves[:len(leaves):len(leaves)]}, nullable: f.nullable}
	if err := inner.add(q.From); err != nil {
		return part, false, err
	}
	sel := &selecting{b: f.b, s: s, q: q, from: inner.tree}
	if err := sel.bind(); err != nil {
		return part, false, err
	}
	rel := &relation{name: name, exprs: []expr.Expr{}}
	for _, t := range sel.targets {
		if _, plain := t.value.(*expr.Column); !plain && f.nullable > 0 {
			s.rels, s.star, s.width, s.level = nil, nil, 0, nil
			return part, false, nil
		}
		rel.columns = append(rel.columns, Column{Name: t.name, Type: t.value.Type(), Table: t.column.Table, Attnum: t.column.Attnum, Fields: t.column.Fields})
		rel.exprs = append(rel.exprs, t.value)
	}
	f.tree.leaves, f.s.width = inner.tree.leaves, s.width
	tree := inner.tree.root
	if len(sel.where) > 0 {
		tree = &joinTree{kind: Inner, left: tree, on: sel.where}
	}
	return fromPart{tree: tree, rels: []*relation{rel}, star: starOf(rel)}, true, nil
}

// existsJoin makes EXISTS (query) of WHERE a semi join, NOT EXISTS an anti
// join, when an equality connects the query with this level. ok is false, and
// nothing has changed, when it is to stay a subquery.
func (sel *selecting) existsJoin(q *ast.Select, not bool) (ok bool, err error) {
	if !plainQuery(q) || !onlyTables(q.From) || isVolatile(q) {
		return false, nil
	}
	for i := range q.Targets {
		if !simpleTarget(q.Targets[i].Expr) {
			return false, nil
		}
	}
	leaves, width := sel.from.leaves, sel.s.width
	s := &scope{outer: sel.s, joined: true, width: width}
	s.level = &level{}
	f := &fromBinder{b: sel.b, s: s, tree: &fromTree{leaves: leaves[:len(leaves):len(leaves)]}}
	if err := f.add(q.From); err != nil {
		return false, err
	}
	inner := &selecting{b: sel.b, s: s, q: q, from: f.tree, base: width}
	if err := inner.bind(); err != nil {
		return false, err
	}
	connected := f.tree.root.readsOnly(width)
	linked := false
	for _, w := range inner.where {
		linked = linked || connects(w, width)
		connected = connected && (sel.base == 0 || !readsBelow(w, sel.base))
	}
	if !connected || !linked {
		return false, nil
	}
	kind := Semi
	if not {
		kind = Anti
	}
	sel.from.leaves, sel.s.width = f.tree.leaves, s.width
	for _, l := range f.tree.leaves[len(leaves):] {
		l.tested = true
	}
	sel.from.root = &joinTree{kind: kind, left: sel.from.root, right: f.tree.root, on: inner.where}
	return true, nil
}

// readsOnly says whether a tree's own conditions read no places below width.
func (t *joinTree) readsOnly(width int) bool {
	if t == nil || t.leaf != nil {
		return true
	}
	for _, e := range t.on {
		if readsBelow(e, width) {
			return false
		}
	}
	return t.left.readsOnly(width) && t.right.readsOnly(width)
}

func readsBelow(e expr.Expr, width int) bool {
	below, _ := sides(e, width)
	return below
}

// connects says whether a condition is an equality of a value of the places
// below width with one of those above.
func connects(e expr.Expr, width int) bool {
	c, ok := e.(*expr.Call)
	if !ok || c.Operator != "=" || len(c.Args) != 2 || !hashable(c.Args[0].Type().OID, c.Args[1].Type().OID) {
		return false
	}
	below0, above0 := sides(c.Args[0], width)
	below1, above1 := sides(c.Args[1], width)
	return below0 && !above0 && above1 && !below1 || below1 && !above1 && above0 && !below0
}

func sides(e expr.Expr, width int) (below, above bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			below = below || c.Index < width
			above = above || c.Index >= width
		}
		return true
	})
	return below, above
}

// onlyTables says whether items are names and joins of names.
func onlyTables(items []ast.FromItem) bool {
	for _, item := range items {
		switch t := item.(type) {
		case *ast.RangeVar:
		case *ast.Join:
			if !onlyTables([]ast.FromItem{t.Left, t.Right}) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// fewRows is by how much smaller a subquery must be than the table it selects
// from to be read first.
const fewRows = 20

// inJoin makes column IN (query) of WHERE a join with the query's distinct rows,
// when these are few and an index finds the table's rows by them. Else it gives
// the bound condition.
func (sel *selecting) inJoin(l *ast.SubLink, q *ast.Select) (expr.Expr, error) {
	b, s := sel.b, sel.s
	link := &link{params: map[int]bool{}}
	node, err := b.queryIn(q, &scope{outer: s, link: link})
	if err != nil {
		return nil, err
	}
	sub, err := b.subLinkOf(s, l, node, link)
	if err != nil {
		return nil, err
	}
	plan := sub.(*expr.SubPlan)
	node = b.plan.SubPlans[plan.Plan].Root
	if len(link.params) > 0 || isVolatile(q) || len(plan.Test) != 1 || !sel.indexed(plan.Test[0], node.Common().Rows) {
		return sub, nil
	}
	cols := plainColumns(node.Common().Columns)
	if !hashable(plan.Test[0].Type().OID, cols[0].Type.OID) || len(sel.from.leaves) == maxLeaves {
		return sub, nil
	}
	d := &Distinct{Child: node}
	d.Info = *node.Common()
	d.Columns = cols
	f := &fromBinder{b: b, s: s, tree: sel.from}
	part, err := f.node(d, "", nil, "")
	if err != nil {
		return nil, err
	}
	sel.from.root = crossed(sel.from.root, part.tree)
	return expr.BindOperator(b.env.Types, "", "=", plan.Test[0], part.rels[0].columnAt(0))
}

// indexed says whether an expression is a column that an index begins with, of
// a table with many times the rows.
func (sel *selecting) indexed(e expr.Expr, rows float64) bool {
	c, ok := e.(*expr.Column)
	if !ok {
		return false
	}
	for _, l := range sel.from.leaves {
		if l.table == nil || c.Index < l.rel.start || c.Index >= l.rel.start+len(l.rel.columns) {
			continue
		}
		if sel.b.env.rows(l.table.ID) < rows*fewRows {
			return false
		}
		for _, x := range sel.b.env.Catalog.Indexes(l.table.ID) {
			if x.Valid && x.Method == "btree" && x.Predicate == "" && int(x.Keys[0].Column) == c.Index-l.rel.start+1 {
				return true
			}
		}
	}
	return false
}

// bindWhere binds WHERE. Where its conditions are joined with subqueries, they
// are bound a second time as they are, for rows that change while their lock is
// waited for.
func (sel *selecting) bindWhere(where ast.Expr) error {
	b, s := sel.b, sel.s
	if where == nil {
		return nil
	}
	s.level.refused = "WHERE"
	defer func() { s.level.refused = "" }()
	list := splitAnd(where, nil)
	if sel.from == nil || sel.from.root == nil || sel.nearestFirst() || !hasSubLink(list) {
		w, err := b.condition(s, where, "WHERE")
		if err != nil {
			return err
		}
		sel.where = conjuncts(expr.Fold(b.env.Types, w))
		return nil
	}
	what := "WHERE"
	if len(list) > 1 {
		what = "AND"
	}
	joined := false
	for _, e := range list {
		bound, err := sel.bindConjunct(e, what)
		if err != nil {
			return err
		}
		if bound == nil {
			joined = true
			continue
		}
		sel.where = append(sel.where, conjuncts(expr.Fold(b.env.Types, bound))...)
	}
	if joined && sel.rechecks {
		w, err := b.condition(s, where, "WHERE")
		if err != nil {
			return err
		}
		sel.again = conjuncts(expr.Fold(b.env.Types, w))
	}
	return nil
}

// bindConjunct binds one condition of WHERE; nil when it became a join.
func (sel *selecting) bindConjunct(e ast.Expr, what string) (expr.Expr, error) {
	l, not := e, false
	if n, ok := e.(*ast.BoolExpr); ok && n.Kind == ast.Not {
		l, not = n.Args[0], true
	}
	sub, ok := l.(*ast.SubLink)
	if ok {
		q, isSelect := sub.Query.(*ast.Select)
		switch {
		case isSelect && sub.Kind == ast.SubLinkExists:
			done, err := sel.existsJoin(q, not)
			if done || err != nil {
				return nil, err
			}
		case isSelect && sub.Kind == ast.SubLinkAny && !not && (sub.Op == "=" || sub.Op == "") && !sel.rechecks:
			return sel.inJoin(sub, q)
		}
	}
	return sel.b.condition(sel.s, e, what)
}

// nearestFirst says whether the query wants the first rows in a computed order
// (nearest neighbours): then WHERE had better be tested on rows in that order.
func (sel *selecting) nearestFirst() bool {
	if sel.q == nil || sel.q.Limit == nil || len(sel.q.OrderBy) == 0 {
		return false
	}
	switch t := sel.q.OrderBy[0].Expr.(type) {
	case *ast.ColumnRef:
		for i := range sel.q.Targets {
			if len(t.Parts) == 1 && sel.q.Targets[i].Name == t.Parts[0] {
				_, plain := sel.q.Targets[i].Expr.(*ast.ColumnRef)
				return !plain
			}
		}
		return false
	case *ast.Const:
		if n := t.Int - 1; t.Kind == ast.ConstInt && n >= 0 && n < int64(len(sel.q.Targets)) {
			_, plain := sel.q.Targets[n].Expr.(*ast.ColumnRef)
			return !plain
		}
	}
	return true
}

func splitAnd(e ast.Expr, out []ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BoolExpr); ok && b.Kind == ast.And {
		for _, a := range b.Args {
			out = splitAnd(a, out)
		}
		return out
	}
	return append(out, e)
}

// hasSubLink says whether one of the conditions is a subquery itself.
func hasSubLink(list []ast.Expr) bool {
	for _, e := range list {
		if n, ok := e.(*ast.BoolExpr); ok && n.Kind == ast.Not {
			e = n.Args[0]
		}
		if _, ok := e.(*ast.SubLink); ok {
			return true
		}
	}
	return false
}
