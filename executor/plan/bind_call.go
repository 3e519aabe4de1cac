package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// level is what is gathered of one query level: its aggregates and windows.
type level struct {
	aggs    []AggCall
	windows []windowUse
	// inside says what is being bound, for calls that may not nest.
	inAggregate bool
	inWindow    bool
	// refused names the clause that takes no aggregates ("WHERE"), "" where they are allowed.
	refused  string
	groups   []expr.Expr // bound GROUP BY expressions, for GROUPING()
	grouping bool
	srf      bool // a set-returning function was found
	named    []ast.Window
}

// windowUse is one window function call with its window.
type windowUse struct {
	call      WindowCall
	partition []expr.Expr
	order     []SortKey
	frame     *ast.Frame
	start     expr.Expr
	end       expr.Expr
}

func funcName(t *ast.FuncCall) (schema, name string) {
	name = t.Name[len(t.Name)-1]
	if len(t.Name) > 1 {
		schema = t.Name[len(t.Name)-2]
	}
	return schema, name
}

// call binds a function, aggregate or window function call.
func (b *binder) call(s *scope, t *ast.FuncCall) (expr.Expr, error) {
	schema, name := funcName(t)
	l := s.level
	outerAgg := l != nil && l.inAggregate
	args := t.Args
	names := t.ArgNames
	if t.WithinGroup {
		for _, o := range t.OrderBy {
			args = append(append([]ast.Expr(nil), args...), o.Expr)
		}
	}
	isAgg := isAggregateName(name)
	if isAgg && l != nil && t.Over == nil {
		l.inAggregate = true
	}
	bound, err := b.exprs(s, args)
	if isAgg && l != nil && t.Over == nil {
		l.inAggregate = outerAgg
	}
	if err != nil {
		return nil, err
	}
	call, err := expr.BindFunction(b.env.Types, schema, name, bound, names, t.Variadic)
	if err != nil {
		return nil, at(err, t.Pos)
	}
	f := call.Func
	switch {
	case t.Over != nil:
		return b.windowCall(s, t, call)
	case f.Window != nil:
		return nil, pgerr.Newf(pgerr.WindowingError, "window function %s requires an OVER clause", name).At(t.Pos)
	case f.Aggregate != nil:
		return b.aggregate(s, t, call)
	}
	switch {
	case t.Star:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name).At(t.Pos)
	case t.Distinct:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "DISTINCT specified, but %s is not an aggregate function", name).At(t.Pos)
	case t.Filter != nil:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "FILTER specified, but %s is not an aggregate function", name).At(t.Pos)
	}
	if f.Rows != nil {
		if l == nil || l.refused != "" {
			clause := "this context"
			if l != nil {
				clause = l.refused
			}
			return nil, pgerr.Newf(pgerr.FeatureNotSupported, "set-returning functions are not allowed in %s", clause).At(t.Pos)
		}
		l.srf = true
	}
	return call, nil
}

func isAggregateName(name string) bool {
	for _, f := range expr.FunctionsNamed(strings.ToLower(name)) {
		if f.Aggregate != nil {
			return true
		}
	}
	return false
}

// aggregate gathers an aggregate call and gives a reference to it.
func (b *binder) aggregate(s *scope, t *ast.FuncCall, call *expr.Call) (expr.Expr, error) {
	l := s.level
	switch {
	case l == nil || l.refused != "":
		clause := "this context"
		if l != nil {
			clause = l.refused
		}
		return nil, pgerr.Newf(pgerr.GroupingError, "aggregate functions are not allowed in %s", clause).At(t.Pos)
	case l.inAggregate:
		return nil, pgerr.New(pgerr.GroupingError, "aggregate function calls cannot be nested").At(t.Pos)
	}
	l.inAggregate = true
	defer func() { l.inAggregate = false }()
	a := AggCall{Func: call.Func, Args: call.Args, Distinct: t.Distinct, Typ: call.Typ}
	if t.WithinGroup {
		n := len(call.Args) - len(t.OrderBy)
		a.Direct, a.Args = call.Args[:n], call.Args[n:]
		for i, o := range t.OrderBy {
			a.OrderBy = append(a.OrderBy, SortKey{Expr: a.Args[i], Desc: o.Desc, NullsFirst: nullsFirst(o)})
		}
	} else {
		keys, err := b.sortKeys(s, t.OrderBy)
		if err != nil {
			return nil, err
		}
		a.OrderBy = keys
	}
	if t.Distinct {
		for _, arg := range a.Args {
			if err := groupable(arg, t.Pos); err != nil {
				return nil, err
			}
		}
	}
	if t.Filter != nil {
		f, err := b.condition(s, t.Filter, "FILTER")
		if err != nil {
			return nil, err
		}
		a.Filter = f
	}
	if readsOuterOnly(&a) {
		return nil, pgerr.Unsupported("an aggregate of an outer query's columns in a subquery").At(t.Pos)
	}
	for i := range l.aggs {
		if sameAggregate(&l.aggs[i], &a) {
			return &expr.AggRef{Index: i, Typ: a.Typ}, nil
		}
	}
	l.aggs = append(l.aggs, a)
	return &expr.AggRef{Index: len(l.aggs) - 1, Typ: a.Typ}, nil
}

// readsOuterOnly says whether an aggregate belongs to an outer level: it reads
// columns, and all of them are the outer level's.
func readsOuterOnly(a *AggCall) bool {
	outer, own := false, false
	for _, e := range a.Args {
		expr.Walk(e, func(x expr.Expr) bool {
			switch x.(type) {
			case *expr.Column:
				own = true
			case *expr.ExecParam:
				outer = true
			}
			return true
		})
	}
	return outer && !own
}

func sameAggregate(a, c *AggCall) bool {
	if a.Func != c.Func || a.Distinct != c.Distinct || len(a.Args) != len(c.Args) || len(a.OrderBy)+len(c.OrderBy)+len(a.Direct)+len(c.Direct) > 0 {
		return false
	}
	if (a.Filter == nil) != (c.Filter == nil) || a.Filter != nil && !expr.Equal(a.Filter, c.Filter) {
		return false
	}
	for i := range a.Args {
		if !expr.Equal(a.Args[i], c.Args[i]) {
			return false
		}
	}
	return true
}

// sortKeys binds ORDER BY items that are plain expressions.
func (b *binder) sortKeys(s *scope, list []ast.SortBy) ([]SortKey, error) {
	var out []SortKey
	for _, o := range list {
		e, err := b.expr(s, o.Expr)
		if err != nil {
			return nil, err
		}
		if e, err = b.known(e); err != nil {
			return nil, err
		}
		if err := sortable(e, positionOf(o.Expr)); err != nil {
			return nil, err
		}
		out = append(out, SortKey{Expr: e, Desc: o.Desc, NullsFirst: nullsFirst(o)})
	}
	return out, nil
}

func nullsFirst(o ast.SortBy) bool {
	switch o.Nulls {
	case ast.NullsFirst:
		return true
	case ast.NullsLast:
		return false
	default:
		return o.Desc
	}
}

// windowCall gathers a window function call.
func (b *binder) windowCall(s *scope, t *ast.FuncCall, call *expr.Call) (expr.Expr, error) {
	_, name := funcName(t)
	l := s.level
	switch {
	case l == nil || l.refused != "":
		clause := "this context"
		if l != nil {
			clause = l.refused
		}
		return nil, pgerr.Newf(pgerr.WindowingError, "window functions are not allowed in %s", clause).At(t.Pos)
	case call.Func.Window == nil && call.Func.Aggregate == nil:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "OVER specified, but %s is not a window function nor an aggregate function", name).At(t.Pos)
	case l.inWindow:
		return nil, pgerr.New(pgerr.WindowingError, "window function calls cannot be nested").At(t.Pos)
	case t.Distinct:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "DISTINCT is not implemented for window functions").At(t.Pos)
	}
	l.inWindow = true
	defer func() { l.inWindow = false }()
	w, err := b.window(s, t.Over)
	if err != nil {
		return nil, err
	}
	w.call = WindowCall{Func: call.Func, Args: call.Args, Typ: call.Typ}
	if t.Filter != nil {
		if w.call.Filter, err = b.condition(s, t.Filter, "FILTER"); err != nil {
			return nil, err
		}
	}
	l.windows = append(l.windows, w)
	return &expr.WindowRef{Index: len(l.windows) - 1, Typ: call.Typ}, nil
}

// window binds a window definition or finds a named one.
func (b *binder) window(s *scope, w *ast.Window) (windowUse, error) {
	var out windowUse
	base := ""
	if w.Ref != "" {
		base = w.Ref
	} else if w.Name != "" && len(w.PartitionBy)+len(w.OrderBy) == 0 && w.Frame == nil {
		base = w.Name
	}
	if base != "" {
		found := false
		for i := range s.level.named {
			if n := &s.level.named[i]; n.Name == base {
				def := *n
				def.Name = ""
				var err error
				if out, err = b.window(s, &def); err != nil {
					return out, err
				}
				found = true
			}
		}
		if !found {
			return out, pgerr.Newf(pgerr.UndefinedObject, "window %q does not exist", base).At(w.Pos)
		}
	}
	if len(w.PartitionBy) > 0 {
		p, err := b.exprs(s, w.PartitionBy)
		if err != nil {
			return out, err
		}
		out.partition = p
	}
	if len(w.OrderBy) > 0 {
		keys, err := b.sortKeys(s, w.OrderBy)
		if err != nil {
			return out, err
		}
		out.order = keys
	}
	if w.Frame != nil {
		out.frame = w.Frame
		var err error
		if out.start, err = b.frameOffset(s, w.Frame, w.Frame.Start, out.order); err != nil {
			return out, err
		}
		if out.end, err = b.frameOffset(s, w.Frame, w.Frame.End, out.order); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (b *binder) frameOffset(s *scope, f *ast.Frame, bound ast.FrameBound, order []SortKey) (expr.Expr, error) {
	if bound.Offset == nil {
		return nil, nil
	}
	e, err := b.expr(s, bound.Offset)
	if err != nil {
		return nil, err
	}
	if f.Mode != "RANGE" {
		return expr.Coerce(b.env.Types, e, int8Type, expr.CastAssignment)
	}
	if e.Type().OID == types.UnknownOID && len(order) > 0 {
		typ := order[0].Expr.Type()
		if row := types.Lookup(typ.OID); row != nil && row.Category == 'D' {
			typ.OID = types.IntervalOID
		}
		return expr.Coerce(b.env.Types, e, expr.Type{OID: typ.OID, Typmod: -1}, expr.CastImplicit)
	}
	return e, nil
}

// grouping is GROUPING(a, b): the bits of the mask that grouping sets give.
func (b *binder) grouping(s *scope, t *ast.Grouping) (expr.Expr, error) {
	if s.level == nil || s.level.groups == nil {
		return nil, pgerr.New(pgerr.GroupingError, "arguments to GROUPING must be grouping expressions of the associated query level").At(t.Pos)
	}
	s.level.grouping = true
	var total expr.Expr
	for i, a := range t.Args {
		e, err := b.expr(s, a)
		if err != nil {
			return nil, err
		}
		at := -1
		for g := range s.level.groups {
			if expr.Equal(s.level.groups[g], e) {
				at = g
			}
		}
		if at < 0 {
			return nil, pgerr.New(pgerr.GroupingError, "arguments to GROUPING must be grouping expressions of the associated query level").At(t.Pos)
		}
		bit, err := b.maskBit(at, len(t.Args)-1-i)
		if err != nil {
			return nil, err
		}
		if total == nil {
			total = bit
			continue
		}
		if total, err = expr.BindOperator(b.env.Types, "", "+", total, bit); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// maskBit is bit number from of the grouping mask, moved to bit number to.
func (b *binder) maskBit(from, to int) (expr.Expr, error) {
	four := func(n int64) expr.Expr { return &expr.Const{Value: n, Typ: expr.Type{OID: types.Int4OID, Typmod: -1}} }
	mask, err := expr.Coerce(b.env.Types, &expr.AggRef{Index: groupingMask, Typ: int8Type}, expr.Type{OID: types.Int4OID, Typmod: -1}, expr.CastAssignment)
	if err != nil {
		return nil, err
	}
	e := mask
	for _, step := range []struct {
		op string
		n  int64
	}{{">>", int64(from)}, {"&", 1}, {"<<", int64(to)}} {
		call, err := expr.BindOperator(b.env.Types, "", step.op, e, four(step.n))
		if err != nil {
			return nil, err
		}
		e = call
	}
	return e, nil
}

// groupingMask is the AggRef index that stands for the grouping mask.
const groupingMask = -1

// subLink binds a subquery in an expression.
func (b *binder) subLink(s *scope, t *ast.SubLink) (expr.Expr, error) {
	link := &link{params: map[int]bool{}}
	inner := &scope{outer: s, link: link}
	q, ok := t.Query.(*ast.Select)
	if !ok {
		return nil, pgerr.Unsupported("this statement as a subquery").At(t.Pos)
	}
	node, err := b.queryIn(q, inner)
	if err != nil {
		return nil, err
	}
	return b.subLinkOf(s, t, node, link)
}

// subLinkOf makes the expression of a subquery that is planned.
func (b *binder) subLinkOf(s *scope, t *ast.SubLink, node Node, link *link) (expr.Expr, error) {
	cols := node.Common().Columns
	var err error
	out := &expr.SubPlan{Operator: t.Op}
	switch t.Kind {
	case ast.SubLinkExists:
		out.Kind, out.Typ = expr.SubPlanExists, boolType
	case ast.SubLinkScalar:
		if len(cols) != 1 {
			return nil, pgerr.New(pgerr.SyntaxError, "subquery must return only one column").At(t.Pos)
		}
		out.Kind, out.Typ = expr.SubPlanScalar, cols[0].Type
	case ast.SubLinkArray:
		if len(cols) != 1 {
			return nil, pgerr.New(pgerr.SyntaxError, "subquery must return only one column").At(t.Pos)
		}
		row := types.Lookup(cols[0].Type.OID)
		if row == nil || row.Array == 0 {
			return nil, pgerr.New(pgerr.UndefinedObject, "could not find array type").At(t.Pos)
		}
		out.Kind, out.Typ = expr.SubPlanArray, expr.Type{OID: row.Array, Typmod: -1}
	default:
		out.Kind, out.Typ = expr.SubPlanAny, boolType
		if t.Kind == ast.SubLinkAll {
			out.Kind = expr.SubPlanAll
		}
		if node, err = b.subTest(s, t, out, node, cols); err != nil {
			return nil, err
		}
	}
	b.addSubPlan(out, node, link)
	return out, nil
}

// addSubPlan gives a subquery its place in the plan.
func (b *binder) addSubPlan(out *expr.SubPlan, node Node, link *link) {
	out.Slots, out.Args = link.slots, link.args
	sub := &SubQuery{Root: node, Name: "SubPlan"}
	for slot := range link.params {
		sub.Params = append(sub.Params, slot)
	}
	slices.Sort(sub.Params)
	if len(sub.Params) == 0 {
		sub.Name = "InitPlan"
	}
	b.plan.SubPlans = append(b.plan.SubPlans, sub)
	out.Plan = len(b.plan.SubPlans) - 1
	sub.Name += " " + strconv.Itoa(len(b.plan.SubPlans))
}

// subTest binds the left side of ANY and ALL against the subquery's columns.
func (b *binder) subTest(s *scope, t *ast.SubLink, out *expr.SubPlan, node Node, cols []Column) (Node, error) {
	var tests []expr.Expr
	if r, ok := t.Test.(*ast.RowExpr); ok {
		for _, a := range r.Args {
			e, err := b.expr(s, a)
			if err != nil {
				return nil, err
			}
			tests = append(tests, e)
		}
	} else {
		e, err := b.expr(s, t.Test)
		if err != nil {
			return nil, err
		}
		tests = []expr.Expr{e}
	}
	if len(tests) < len(cols) {
		return nil, pgerr.New(pgerr.SyntaxError, "subquery has too many columns").At(t.Pos)
	}
	if len(tests) > len(cols) {
		return nil, pgerr.New(pgerr.SyntaxError, "subquery has too few columns").At(t.Pos)
	}
	op := t.Op
	if op == "" {
		op = "="
	}
	project := &Project{Child: node}
	casts := false
	for i, e := range tests {
		c := &expr.Column{Index: i, Typ: cols[i].Type, Name: cols[i].Name}
		call, err := expr.BindOperator(b.env.Types, "", op, e, c)
		if err != nil {
			return nil, at(err, t.Pos)
		}
		if got := call.Type().OID; got != types.BoolOID {
			return nil, pgerr.Newf(pgerr.DatatypeMismatch, "row comparison operator must yield type boolean, not type %s", types.FormatType(got, types.NoTypmod)).At(t.Pos)
		}
		out.Test = append(out.Test, call.Args[0])
		out.Funcs = append(out.Funcs, call.Func)
		project.Exprs = append(project.Exprs, call.Args[1])
		if call.Args[1] != expr.Expr(c) {
			casts = true
		}
		project.Columns = append(project.Columns, Column{Name: cols[i].Name, Type: call.Args[1].Type()})
	}
	out.Operator = op
	if !casts {
		return node, nil
	}
	project.Info.Rows = node.Common().Rows
	return project, nil
}
