package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// aggregated puts the Aggregate above a node and rewrites all that follows to its row.
func (sel *selecting) aggregated(n Node) (Node, error) {
	l := sel.s.level
	in := n.Common()
	a := &Aggregate{Child: n, Groups: sel.groups, Aggs: l.aggs, Sets: sel.sets}
	if l.grouping && a.Sets == nil {
		all := make([]int, len(sel.groups))
		for i := range all {
			all[i] = i
		}
		a.Sets = [][]int{all}
	}
	if a.Sets == nil {
		sel.addDependent(a)
	}
	for _, g := range a.Groups {
		a.Columns = append(a.Columns, Column{Name: columnName(g), Type: g.Type()})
	}
	for i := range a.Aggs {
		a.Columns = append(a.Columns, Column{Name: a.Aggs[i].Func.Name, Type: a.Aggs[i].Typ})
	}
	if a.Sets != nil {
		a.Columns = append(a.Columns, Column{Name: "grouping", Type: int8Type})
	}
	a.Rows = 1
	if len(a.Groups) > 0 {
		a.Rows = max(min(in.Rows/5, 200), 1)
	}
	a.Startup = in.Cost + in.Rows*cpuOperatorCost*float64(len(a.Groups)+len(a.Aggs)+1)
	a.Cost = a.Startup + a.Rows*cpuTupleCost
	if err := sel.regroup(a, in.Columns); err != nil {
		return nil, err
	}
	if sel.having == nil {
		return a, nil
	}
	return filter(a, andOf(conjuncts(expr.Fold(sel.b.env.Types, sel.having)))), nil
}

// regroup rewrites what is above the groups.
func (sel *selecting) regroup(a *Aggregate, below []Column) error {
	var bad error
	step := func(e expr.Expr) expr.Expr { return sel.overGroups(a, e, below, &bad) }
	for i := range sel.targets {
		sel.targets[i].value = step(sel.targets[i].value)
	}
	rewriteKeys(sel.order, step)
	on := append([]expr.Expr(nil), sel.on...)
	rewriteList(on, step)
	sel.on = on
	if sel.having != nil {
		sel.having = step(sel.having)
	}
	sel.rewriteWindows(step)
	return bad
}

// overGroups rewrites an expression over the joined row to the aggregate's row.
func (sel *selecting) overGroups(a *Aggregate, e expr.Expr, below []Column, bad *error) expr.Expr {
	return expr.Replace(e, func(x expr.Expr) expr.Expr {
		if r, ok := x.(*expr.AggRef); ok {
			at := len(a.Groups) + r.Index
			if r.Index == groupingMask {
				at = len(a.Columns) - 1
			}
			return &expr.Column{Index: at, Typ: r.Typ, Name: a.Columns[at].Name}
		}
		if _, ok := x.(*expr.Const); ok {
			return x
		}
		for i, g := range a.Groups {
			if expr.Equal(g, x) {
				return &expr.Column{Index: i, Typ: g.Type(), Name: columnName(g)}
			}
		}
		if c, ok := x.(*expr.Column); ok && *bad == nil {
			*bad = sel.ungrouped(c)
		}
		return nil
	})
}

// ungrouped is the error about a column outside GROUP BY.
func (sel *selecting) ungrouped(c *expr.Column) error {
	name := c.Name
	for _, l := range sel.from.leaves {
		if sel.placed != nil && c.Index < len(sel.placed) && sel.placed[c.Index] == l {
			name = l.rel.name + "." + c.Name
		}
	}
	for _, r := range sel.s.rels {
		for i, e := range r.exprs {
			if x, ok := e.(*expr.Column); ok && c.Index < len(sel.logical) && sel.placed[c.Index] != nil && x.Index == sel.logical[c.Index] {
				name = r.name + "." + r.columns[i].Name
			}
		}
	}
	return pgerr.Newf(pgerr.GroupingError, "column %q must appear in the GROUP BY clause or be used in an aggregate function", name).
		At(sel.written(c.Name))
}

// written finds where a column's name stands outside aggregates.
func (sel *selecting) written(name string) (pos int) {
	look := func(n any) bool {
		switch t := n.(type) {
		case *ast.FuncCall:
			return t.Over != nil || !isAggregateName(t.Name[len(t.Name)-1])
		case *ast.ColumnRef:
			if pos == 0 && !t.Star && t.Parts[len(t.Parts)-1] == name {
				pos = t.Pos
			}
		}
		return pos == 0
	}
	for i := range sel.q.Targets {
		ast.Walk(sel.q.Targets[i].Expr, look)
	}
	if sel.q.Having != nil {
		ast.Walk(sel.q.Having, look)
	}
	for _, o := range sel.q.OrderBy {
		ast.Walk(o.Expr, look)
	}
	return pos
}

// addDependent groups also by the columns of a table whose primary key is
// grouped by: they have one value in each group.
func (sel *selecting) addDependent(a *Aggregate) {
	if len(a.Groups) == 0 {
		return
	}
	var seen []*expr.Column
	sel.eachAbove(func(e expr.Expr) {
		expr.Walk(e, func(x expr.Expr) bool {
			for _, g := range a.Groups {
				if expr.Equal(g, x) {
					return false
				}
			}
			if c, ok := x.(*expr.Column); ok {
				seen = append(seen, c)
			}
			return true
		})
	})
	for _, c := range seen {
		if sel.dependent(a.Groups, c) && !grouped(a.Groups, c) {
			a.Groups = append(a.Groups[:len(a.Groups):len(a.Groups)], c)
		}
	}
}

func grouped(groups []expr.Expr, e expr.Expr) bool {
	for _, g := range groups {
		if expr.Equal(g, e) {
			return true
		}
	}
	return false
}

// eachAbove calls fn for what is computed above the groups.
func (sel *selecting) eachAbove(fn func(expr.Expr)) {
	for i := range sel.targets {
		fn(sel.targets[i].value)
	}
	for _, k := range sel.order {
		fn(k.Expr)
	}
	for _, e := range sel.on {
		fn(e)
	}
	if sel.having != nil {
		fn(sel.having)
	}
	sel.rewriteWindows(func(e expr.Expr) expr.Expr {
		fn(e)
		return e
	})
}

// dependent says whether the primary key of a column's table is grouped by.
func (sel *selecting) dependent(groups []expr.Expr, c *expr.Column) bool {
	if c.Index >= len(sel.placed) || sel.placed[c.Index] == nil {
		return false
	}
	l := sel.placed[c.Index]
	if l.table == nil {
		return false
	}
	for _, x := range sel.b.env.Catalog.Indexes(l.table.ID) {
		if !x.Primary {
			continue
		}
		all := len(x.Keys) > 0
		for _, k := range x.Keys {
			found := false
			for _, g := range groups {
				gc, ok := g.(*expr.Column)
				found = found || ok && gc.Index < len(sel.placed) && sel.placed[gc.Index] == l && sel.logical[gc.Index] == l.rel.start+int(k.Column)-1
			}
			all = all && found
		}
		if all {
			return true
		}
	}
	return false
}
