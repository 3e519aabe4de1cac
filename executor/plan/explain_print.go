package plan

import (
	"fmt"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/sql"
)

// print is an expression over a row whose places have names.
func (e *explainer) print(x expr.Expr, names []string) string {
	if x == nil {
		return ""
	}
	e.bindSlots(x, names)
	return expr.StringIn(expr.Rewrite(x, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Column:
			name := x.Name
			if x.Index >= 0 && x.Index < len(names) {
				name = names[x.Index]
			}
			return &expr.Column{Index: x.Index, Typ: x.Typ, Name: name}
		case *expr.ExecParam:
			if name, ok := e.slots[x.Slot]; ok {
				return &expr.Column{Typ: x.Typ, Name: name}
			}
		case *expr.SubPlan:
			return &expr.Column{Typ: x.Typ, Name: e.subplanName(x)}
		}
		return x
	}), e.x.Env)
}

// bindSlots notes what a subquery's parameters are.
func (e *explainer) bindSlots(x expr.Expr, names []string) {
	expr.Walk(x, func(x expr.Expr) bool {
		if sub, ok := x.(*expr.SubPlan); ok {
			for i, slot := range sub.Slots {
				if i < len(sub.Args) {
					e.slots[slot] = e.print(sub.Args[i], names)
				}
			}
		}
		return true
	})
}

func (e *explainer) subplanName(x *expr.SubPlan) string {
	if x.Plan >= len(e.plan.SubPlans) || e.once(x) {
		return fmt.Sprintf("$%d", x.Plan)
	}
	hashed := ""
	if x.Kind == expr.SubPlanAny && len(e.plan.SubPlans[x.Plan].Params) == 0 {
		hashed = "hashed "
	}
	return fmt.Sprintf("(%sSubPlan %d)", hashed, x.Plan+1)
}

func (e *explainer) printAll(list []expr.Expr, names []string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = e.print(x, names)
	}
	return out
}

// names are the names of the places of a node's row. An expression that is
// computed below gets parentheses of its own above (wrap), as in PostgreSQL.
func (e *explainer) names(n Node, wrap bool) []string {
	switch n := n.(type) {
	case *Project:
		below := e.names(n.Child, false)
		out := make([]string, len(n.Exprs))
		for i, x := range n.Exprs {
			out[i] = e.print(x, below)
			if _, plain := x.(*expr.Column); wrap && !plain {
				out[i] = "(" + out[i] + ")"
			}
		}
		return out
	case *Aggregate:
		return e.aggregateNames(n, wrap)
	case *WindowAgg:
		below := e.names(n.Child, wrap)
		out := append([]string{}, below...)
		for i := range n.Calls {
			out = append(out, wrapped(e.call(n.Calls[i].Func, n.Calls[i].Args, below, false)+" OVER (?)", wrap))
		}
		return out
	case *NestLoop:
		return e.joinNames(n.Kind, n.Left, n.Right, wrap)
	case *HashJoin:
		return e.joinNames(n.Kind, n.Left, n.Right, wrap)
	case *SetOp:
		return e.names(n.Left, wrap)
	}
	if c := onlyChild(n); c != nil {
		return e.names(*c, wrap)
	}
	return e.scanNames(n)
}

func wrapped(s string, wrap bool) string {
	if wrap {
		return "(" + s + ")"
	}
	return s
}

func (e *explainer) joinNames(kind JoinKind, left, right Node, wrap bool) []string {
	out := append([]string{}, e.names(left, wrap)...)
	if kind == Semi || kind == Anti {
		// Conditions of the join are over both sides; its row is the left one's.
		return out
	}
	return append(out, e.names(right, wrap)...)
}

// bothNames are those of the row that a join's conditions see.
func (e *explainer) bothNames(left, right Node) []string {
	return append(append([]string{}, e.names(left, false)...), e.names(right, false)...)
}

func (e *explainer) aggregateNames(n *Aggregate, wrap bool) []string {
	below := e.names(n.Child, false)
	var out []string
	for _, g := range n.Groups {
		_, plain := g.(*expr.Column)
		out = append(out, wrapped(e.print(g, below), wrap && !plain))
	}
	for i := range n.Aggs {
		out = append(out, wrapped(e.aggregate(&n.Aggs[i], below), wrap))
	}
	if n.Sets != nil {
		out = append(out, "GROUPING")
	}
	return out
}

func (e *explainer) aggregate(a *AggCall, names []string) string {
	var b strings.Builder
	if len(a.Direct) > 0 || a.Func.Aggregate != nil && a.Func.Aggregate.OrderedSet {
		b.WriteString(e.call(a.Func, a.Direct, names, false))
		b.WriteString(" WITHIN GROUP (ORDER BY " + strings.Join(e.sortKeys(a.OrderBy, names), ", ") + ")")
	} else {
		text := e.call(a.Func, a.Args, names, a.Distinct)
		if len(a.OrderBy) > 0 {
			text = strings.TrimSuffix(text, ")") + " ORDER BY " + strings.Join(e.sortKeys(a.OrderBy, names), ", ") + ")"
		}
		b.WriteString(text)
	}
	if a.Filter != nil {
		b.WriteString(" FILTER (WHERE " + e.print(a.Filter, names) + ")")
	}
	return b.String()
}

// call prints a function's call; count without arguments is count(*).
func (e *explainer) call(f *expr.Function, args []expr.Expr, names []string, distinct bool) string {
	inner := strings.Join(e.printAll(args, names), ", ")
	if len(args) == 0 && f.Name == "count" {
		inner = "*"
	}
	if distinct {
		inner = "DISTINCT " + inner
	}
	return f.Name + "(" + inner + ")"
}

func (e *explainer) sortKeys(keys []SortKey, names []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = e.print(k.Expr, names)
		if k.Desc {
			out[i] += " DESC"
		}
		switch {
		case k.NullsFirst && !k.Desc:
			out[i] += " NULLS FIRST"
		case !k.NullsFirst && k.Desc:
			out[i] += " NULLS LAST"
		}
	}
	return out
}

// scanNames are the names of a leaf's row.
func (e *explainer) scanNames(n Node) []string {
	prefix := ""
	if e.qualify {
		prefix = sql.QuoteIdent(aliasOf(n)) + "."
		if _, ok := n.(*Values); ok {
			prefix = `"*VALUES*".`
		}
	}
	cols := n.Common().Columns
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = prefix + sql.QuoteIdent(c.Name)
	}
	if k, ok := n.(*KNN); ok && len(out) > k.DistanceColumn() {
		out[k.DistanceColumn()] = wrapped(e.orderBy(k, out), false)
	}
	return out
}

// orderBy prints the distance that a KNN node orders by.
func (e *explainer) orderBy(n *KNN, names []string) string {
	return e.print(&expr.Call{Func: n.Distance, Args: []expr.Expr{n.Key, n.Query}, Typ: float8Type, Operator: n.Distance.Metric.Operator()}, names)
}

// aliasOf is the name by which a leaf is known in its query.
func aliasOf(n Node) string {
	switch n := n.(type) {
	case *SeqScan:
		return firstOf(n.Alias, n.Table.Name)
	case *IndexScan:
		return firstOf(n.Alias, n.Table.Name)
	case *KNN:
		return firstOf(n.Alias, n.Table.Name)
	case *FunctionScan:
		if n.Alias == "" && len(n.Calls) > 0 {
			return n.Calls[0].Func.Name
		}
		return n.Alias
	case *VirtualScan:
		return firstOf(n.Alias, n.Name)
	case *CTEScan:
		return n.Alias
	case *WorkTableScan:
		return n.Alias
	case *ModifyTable:
		return firstOf(n.Alias, n.Table.Name)
	case *Append:
		return firstOf(n.Alias, n.Table.Name)
	}
	return ""
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// ranges prints an index scan's ranges as the condition that they are.
func (e *explainer) ranges(n *IndexScan) string {
	names := e.names(n, false)
	arms := make([]string, 0, len(n.Ranges))
	for i := range n.Ranges {
		if parts := e.rangeParts(n, &n.Ranges[i], names); len(parts) == 1 {
			arms = append(arms, parts[0])
		} else if len(parts) > 1 {
			arms = append(arms, "("+strings.Join(parts, " AND ")+")")
		}
	}
	if len(arms) > 1 {
		return "(" + strings.Join(arms, " OR ") + ")"
	}
	return strings.Join(arms, "")
}

func (e *explainer) rangeParts(n *IndexScan, r *IndexRange, names []string) []string {
	key := func(i int) expr.Expr {
		return &expr.Column{Index: -1, Name: keyName(&n.Index.Keys[i], names), Typ: expr.Type{OID: n.Index.Keys[i].Type, Typmod: n.Index.Keys[i].Typmod}}
	}
	var out []string
	compare := func(i int, op string, v expr.Expr) {
		out = append(out, e.print(&expr.Call{Operator: op, Args: []expr.Expr{key(i), v}, Typ: boolType}, names))
	}
	for i, v := range r.Eq {
		compare(i, "=", v)
	}
	at := len(r.Eq)
	switch {
	case r.EqAny != nil:
		out = append(out, e.print(&expr.AnyAll{Left: key(at), Array: r.EqAny, Operator: "="}, names))
		at++
	case r.IsNull:
		out = append(out, e.print(&expr.NullTest{Arg: key(at)}, names))
		at++
	}
	switch {
	case r.Low != nil && r.Low == r.High:
		compare(at, "=", r.Low)
		return out
	case r.NotNull && r.Low == nil && r.High == nil:
		return append(out, e.print(&expr.NullTest{Arg: key(at), Not: true}, names))
	}
	if r.Low != nil {
		compare(at, boundOperator(">", r.LowOpen), r.Low)
	}
	if r.High != nil {
		compare(at, boundOperator("<", r.HighOpen), r.High)
	}
	return out
}

func boundOperator(op string, open bool) string {
	if open {
		return op
	}
	return op + "="
}

// keyName prints an index key: a column, a call, or an expression in
// parentheses.
func keyName(k *catalog.IndexKey, names []string) string {
	if k.Column > 0 {
		return names[k.Column-1]
	}
	if open := strings.IndexByte(k.Expr, '('); open > 0 && strings.HasSuffix(k.Expr, ")") && strings.Trim(k.Expr[:open], "abcdefghijklmnopqrstuvwxyz_0123456789") == "" {
		return k.Expr
	}
	return "(" + k.Expr + ")"
}
