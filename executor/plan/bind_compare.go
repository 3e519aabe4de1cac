package plan

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

func (b *binder) operator(s *scope, t *ast.Op) (expr.Expr, error) {
	if l, ok := t.Left.(*ast.RowExpr); ok {
		if r, ok := t.Right.(*ast.RowExpr); ok {
			return b.rowCompare(s, t.Name, l, r, t.Pos)
		}
		if sub, ok := t.Right.(*ast.SubLink); ok && sub.Kind == ast.SubLinkScalar {
			return b.rowCompareSubquery(s, t.Name, l, sub)
		}
	}
	var left expr.Expr
	var err error
	if t.Left != nil {
		if left, err = b.expr(s, t.Left); err != nil {
			return nil, err
		}
	}
	right, err := b.expr(s, t.Right)
	if err != nil {
		return nil, err
	}
	call, err := expr.BindOperator(b.env.Types, t.Schema, t.Name, left, right)
	if err != nil {
		return nil, at(err, badOperand(t, err))
	}
	return call, nil
}

// badOperand is where an operator's error is: at the literal that cannot be
// read as the type wanted, else at the operator.
func badOperand(t *ast.Op, err error) int {
	if strings.HasPrefix(pgerr.Code(err), "22") {
		for _, e := range []ast.Expr{t.Right, t.Left} {
			if c, ok := e.(*ast.Const); ok && c.Kind == ast.ConstString {
				return c.Pos
			}
		}
	}
	return t.Pos
}

func (b *binder) rowCompare(s *scope, op string, l, r *ast.RowExpr, pos int) (expr.Expr, error) {
	if len(l.Args) != len(r.Args) {
		return nil, pgerr.New(pgerr.SyntaxError, "unequal number of entries in row expressions").At(pos)
	}
	left, err := b.exprs(s, l.Args)
	if err != nil {
		return nil, err
	}
	right, err := b.exprs(s, r.Args)
	if err != nil {
		return nil, err
	}
	return b.compareRows(op, left, right, pos)
}

// rowCompareSubquery is (a, b) op (SELECT x, y).
func (b *binder) rowCompareSubquery(s *scope, op string, l *ast.RowExpr, sub *ast.SubLink) (expr.Expr, error) {
	q, ok := sub.Query.(*ast.Select)
	if !ok {
		return nil, pgerr.Unsupported("this statement as a subquery").At(sub.Pos)
	}
	left, err := b.exprs(s, l.Args)
	if err != nil {
		return nil, err
	}
	right, err := b.recordSubquery(s, q)
	if err != nil {
		return nil, err
	}
	if len(right) > len(left) {
		return nil, pgerr.New(pgerr.SyntaxError, "subquery has too many columns").At(sub.Pos)
	}
	if len(right) < len(left) {
		return nil, pgerr.New(pgerr.SyntaxError, "subquery has too few columns").At(sub.Pos)
	}
	return b.compareRows(op, left, right, sub.Pos)
}

func (b *binder) compareRows(op string, left, right []expr.Expr, pos int) (expr.Expr, error) {
	out := &expr.RowCompare{Op: op}
	if op == "!=" {
		out.Op = "<>"
	}
	for i := range left {
		call, err := expr.BindOperator(b.env.Types, "", "=", left[i], right[i])
		if err != nil {
			return nil, at(err, pos)
		}
		a, c := call.Args[0], call.Args[1]
		out.Left, out.Right, out.Eq = append(out.Left, a), append(out.Right, c), append(out.Eq, call.Func)
		less, ok := expr.Less(a.Type().OID)
		if !ok || a.Type().OID != c.Type().OID {
			if call, err := expr.BindOperator(b.env.Types, "", "<", a, c); err == nil {
				less = call.Func
			}
		}
		out.Less = append(out.Less, less)
	}
	return out, nil
}

// equalPair binds two sides of an equality.
func (b *binder) equalPair(s *scope, left, right ast.Expr, pos int) (expr.Expr, expr.Expr, *expr.Function, error) {
	l, err := b.expr(s, left)
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := b.expr(s, right)
	if err != nil {
		return nil, nil, nil, err
	}
	call, err := expr.BindOperator(b.env.Types, "", "=", l, r)
	if err != nil {
		return nil, nil, nil, at(err, pos)
	}
	return call.Args[0], call.Args[1], call.Func, nil
}

func (b *binder) anyAll(s *scope, t *ast.AnyAll) (expr.Expr, error) {
	left, err := b.expr(s, t.Left)
	if err != nil {
		return nil, err
	}
	right, err := b.expr(s, t.Right)
	if err != nil {
		return nil, err
	}
	if right.Type().OID == types.UnknownOID {
		elem := left.Type().OID
		if elem == types.UnknownOID {
			elem = types.TextOID
		}
		row := types.Lookup(elem)
		if row == nil || row.Array == 0 {
			return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires array on right side").At(t.Pos)
		}
		if right, err = expr.Coerce(b.env.Types, right, expr.Type{OID: row.Array, Typmod: -1}, expr.CastImplicit); err != nil {
			return nil, at(err, t.Pos)
		}
	}
	row := types.Lookup(right.Type().OID)
	if row == nil || row.Elem == 0 {
		return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires array on right side").At(t.Pos)
	}
	place := &expr.ExecParam{Slot: -1, Typ: expr.Type{OID: row.Elem, Typmod: -1}}
	call, err := expr.BindOperator(b.env.Types, "", t.Name, left, place)
	if err != nil {
		return nil, at(err, t.Pos)
	}
	if call.Type().OID != types.BoolOID {
		return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean").At(t.Pos)
	}
	if elem := call.Args[1].Type().OID; elem != row.Elem {
		if to := types.Lookup(elem); to != nil && to.Array != 0 {
			if right, err = expr.Coerce(b.env.Types, right, expr.Type{OID: to.Array, Typmod: -1}, expr.CastImplicit); err != nil {
				return nil, at(err, t.Pos)
			}
		}
	}
	return &expr.AnyAll{Left: call.Args[0], Array: right, Func: call.Func, Operator: t.Name, All: t.All}, nil
}

// in is x IN (a, b, c): over one type it is a list, else a chain of OR.
func (b *binder) in(s *scope, t *ast.In) (expr.Expr, error) {
	if l, ok := t.Left.(*ast.RowExpr); ok {
		return b.inRows(s, t, l)
	}
	all := append([]ast.Expr{t.Left}, t.List...)
	args, _, err := b.common(s, all, "IN")
	if err == nil {
		if eq, ok := expr.Equality(args[0].Type().OID); ok {
			return &expr.InList{Left: args[0], List: args[1:], Eq: eq, Not: t.Not}, nil
		}
	}
	out := &expr.Or{}
	for _, item := range t.List {
		eq, err := b.operator(s, &ast.Op{Name: "=", Left: t.Left, Right: item, Pos: t.Pos})
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, eq)
	}
	return negated(orOf(out), t.Not), nil
}

func (b *binder) inRows(s *scope, t *ast.In, l *ast.RowExpr) (expr.Expr, error) {
	out := &expr.Or{}
	for _, item := range t.List {
		r, ok := item.(*ast.RowExpr)
		if !ok {
			return nil, pgerr.New(pgerr.SyntaxError, "unequal number of entries in row expressions").At(t.Pos)
		}
		eq, err := b.rowCompare(s, "=", l, r, t.Pos)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, eq)
	}
	return negated(orOf(out), t.Not), nil
}

func orOf(o *expr.Or) expr.Expr {
	if len(o.Args) == 1 {
		return o.Args[0]
	}
	return o
}

func negated(e expr.Expr, not bool) expr.Expr {
	if not {
		return &expr.Not{Arg: e}
	}
	return e
}

func (b *binder) between(s *scope, t *ast.Between) (expr.Expr, error) {
	pair := func(low, high ast.Expr) (expr.Expr, error) {
		ge, err := b.operator(s, &ast.Op{Name: ">=", Left: t.Arg, Right: low, Pos: t.Pos})
		if err != nil {
			return nil, err
		}
		le, err := b.operator(s, &ast.Op{Name: "<=", Left: t.Arg, Right: high, Pos: t.Pos})
		if err != nil {
			return nil, err
		}
		return &expr.And{Args: []expr.Expr{ge, le}}, nil
	}
	e, err := pair(t.Low, t.High)
	if err == nil && t.Symmetric {
		var other expr.Expr
		other, err = pair(t.High, t.Low)
		e = &expr.Or{Args: []expr.Expr{e, other}}
	}
	if err != nil {
		return nil, err
	}
	return negated(e, t.Not), nil
}
