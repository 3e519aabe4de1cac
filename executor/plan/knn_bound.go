package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// takeBound finds the distance at which the search may end: <distance> < x,
// which then needs no more testing, or a bound on a similarity, such as
// 1 - <distance> > x, which is tested all the same since its subtraction rounds.
// A similarity bounds only searches that want some rows: all rows are sorted anyway.
func (n *KNN) takeBound(b *binder, d distance, conds []expr.Expr) (rest []expr.Expr) {
	for _, c := range conds {
		limit, open, ok := boundOf(d, c)
		if !ok || n.MaxDistance != nil {
			rest = append(rest, c)
			continue
		}
		n.MaxDistance, n.MaxDistanceOpen = limit, open
	}
	for i := 0; n.Want != nil && n.MaxDistance == nil && i < len(rest); i++ {
		n.MaxDistance = b.similarityBound(d, rest[i])
	}
	return rest
}

// withoutDistance are the conditions that can be tested without the distance.
func (n *KNN) withoutDistance(conds []expr.Expr) (plain []expr.Expr) {
	for _, c := range conds {
		if n.WithDistance(c) == c {
			plain = append(plain, c)
		}
	}
	return plain
}

func boundOf(d distance, cond expr.Expr) (limit expr.Expr, open, ok bool) {
	limit, op := compareTo(cond, d.equal)
	if op != "<" && op != "<=" || !fixedValue(limit) || limit.Type().OID != types.Float8OID {
		return nil, false, false
	}
	return limit, op == "<", true
}

// compareTo turns a comparison so that what is looked for stands on its left.
func compareTo(cond expr.Expr, is func(expr.Expr) bool) (other expr.Expr, op string) {
	call, ok := cond.(*expr.Call)
	if !ok || len(call.Args) != 2 || commuted[call.Operator] == "" {
		return nil, ""
	}
	switch {
	case is(call.Args[0]):
		return call.Args[1], call.Operator
	case is(call.Args[1]):
		return call.Args[0], commuted[call.Operator]
	}
	return nil, ""
}

// similarityBound is the distance above which a bound on a similarity cannot
// hold; nil for other conditions. Zero vectors, whose cosine distance is NaN, are
// not similar to anything, although NaN > x is true to SQL: no vector index holds
// them, and pgvector does not give them either.
func (b *binder) similarityBound(d distance, cond expr.Expr) expr.Expr {
	var from expr.Expr
	limit, op := compareTo(cond, func(e expr.Expr) bool {
		f, ok := similarity(d, e)
		if ok {
			from = f
		}
		return ok
	})
	if op != ">" && op != ">=" || !fixedValue(limit) || limit.Type().OID != types.Float8OID {
		return nil
	}
	// from - distance > limit: distance < from - limit, give or take the rounding
	// of both subtractions.
	const rounding = 1e-12
	float := func(v float64) expr.Expr { return &expr.Const{Value: v, Typ: float8Type} }
	slack := b.calculate("*", float(rounding), b.calculate("+", float(1), b.calculate("+", b.absolute(from), b.absolute(limit))))
	bound := b.calculate("+", b.calculate("-", from, limit), slack)
	if bound == nil {
		return nil
	}
	return expr.Fold(b.env.Types, bound)
}

// similarity is from of an expression from - <distance>: - <distance> and
// <distance> * -1 are 0 - <distance>.
func similarity(d distance, e expr.Expr) (from expr.Expr, ok bool) {
	zero := &expr.Const{Value: float64(0), Typ: float8Type}
	call, is := e.(*expr.Call)
	switch {
	case !is:
		return nil, false
	case call.Operator == "-" && len(call.Args) == 1:
		return zero, d.equal(call.Args[0])
	case len(call.Args) != 2:
		return nil, false
	case call.Operator == "-" && fixedValue(call.Args[0]):
		return call.Args[0], d.equal(call.Args[1])
	case call.Operator == "*" && minusOne(call.Args[0]):
		return zero, d.equal(call.Args[1])
	case call.Operator == "*" && minusOne(call.Args[1]):
		return zero, d.equal(call.Args[0])
	}
	return nil, false
}

func minusOne(e expr.Expr) bool {
	c, ok := e.(*expr.Const)
	return ok && c.Value == float64(-1)
}

// calculate binds an operator over doubles; nil when an operand is.
func (b *binder) calculate(op string, left, right expr.Expr) expr.Expr {
	if left == nil || right == nil {
		return nil
	}
	call, err := expr.BindOperator(b.env.Types, "", op, left, right)
	if err != nil {
		return nil
	}
	return call
}

func (b *binder) absolute(e expr.Expr) expr.Expr {
	call, err := expr.BindFunction(b.env.Types, "", "abs", []expr.Expr{e}, nil, false)
	if err != nil {
		return nil
	}
	return call
}
