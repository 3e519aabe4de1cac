package plan

import (
	"slices"

	"github.com/akidb/akidb/executor/expr"
)

// extreme is the order in which the first row decides the query's only
// aggregate: min or max of a column of the only table.
func (sel *selecting) extreme() (SortKey, bool) {
	aggs := sel.s.level.aggs
	if len(aggs) != 1 || len(sel.groups) > 0 || sel.sets != nil || len(sel.where) > 0 && never(sel.where) {
		return SortKey{}, false
	}
	a, leaf := &aggs[0], sel.from.root.leaf
	if leaf == nil || leaf.table == nil || leaf.sample != nil || len(a.Args) != 1 || a.Filter != nil || len(a.OrderBy) > 0 {
		return SortKey{}, false
	}
	column, ok := a.Args[0].(*expr.Column)
	if !ok {
		return SortKey{}, false
	}
	switch a.Func.Name {
	case "min":
		return SortKey{Expr: column}, true
	case "max":
		return SortKey{Expr: column, Desc: true, NullsFirst: true}, true
	}
	return SortKey{}, false
}

// first reads only the row that min or max is of, where an index finds it; nil
// where none does. NULLs count in neither.
func (sel *selecting) first(p *joiner, key SortKey) (*joined, error) {
	p.driver, p.keys = sel.from.root.leaf, []SortKey{key}
	p.want = &expr.Const{Value: int64(1), Typ: int8Type}
	where := append(slices.Clone(sel.where), &expr.NullTest{Arg: key.Expr, Not: true})
	part, err := p.plan(sel.from.root, where)
	if err != nil {
		return nil, err
	}
	if !p.ordered {
		p.driver, p.keys, p.want = nil, nil, nil
		return nil, nil
	}
	part.node = &Limit{Info: Info{Columns: part.node.Common().Columns, Rows: 1}, Child: part.node, Count: p.want}
	return part, nil
}
