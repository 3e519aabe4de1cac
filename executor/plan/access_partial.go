package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// impliedBy says whether conds imply each conjunct of a partial index's
// predicate, and which of conds hold for every row of the index.
func impliedBy(predicate, conds []expr.Expr) (implied []bool, ok bool) {
	implied = make([]bool, len(conds))
	for _, p := range predicate {
		found := false
		for i, c := range conds {
			found = found || implies(c, p)
			implied[i] = implied[i] || implies(p, c)
		}
		if !found {
			return nil, false
		}
	}
	return implied, true
}

// implies says whether b is true wherever a is: what can be proved quickly, as
// predicate_implied_by of PostgreSQL does.
func implies(a, b expr.Expr) bool {
	a, b = plainTruth(a), plainTruth(b)
	if expr.Equal(a, b) {
		return true
	}
	if x, ok := a.(*expr.Or); ok {
		return all(x.Args, func(arm expr.Expr) bool { return implies(arm, b) })
	}
	switch y := b.(type) {
	case *expr.And:
		return all(y.Args, func(part expr.Expr) bool { return implies(a, part) })
	case *expr.Or:
		return some(y.Args, func(arm expr.Expr) bool { return implies(a, arm) })
	}
	if x, ok := a.(*expr.And); ok {
		return some(x.Args, func(part expr.Expr) bool { return implies(part, b) })
	}
	if y, ok := b.(*expr.NullTest); ok && y.Not {
		return needsValue(a, y.Arg)
	}
	return impliesComparison(a, b)
}

func all(list []expr.Expr, holds func(expr.Expr) bool) bool {
	for _, e := range list {
		if !holds(e) {
			return false
		}
	}
	return true
}

func some(list []expr.Expr, holds func(expr.Expr) bool) bool {
	for _, e := range list {
		if holds(e) {
			return true
		}
	}
	return false
}

// plainTruth writes x = true and x IS TRUE as x, x = false and x IS FALSE as NOT
// x: as a condition they say the same.
func plainTruth(e expr.Expr) expr.Expr {
	switch x := e.(type) {
	case *expr.BoolTest:
		if v, ok := x.Want.(bool); ok && !x.Not {
			return truthOf(x.Arg, v)
		}
	case *expr.Call:
		if x.Operator != "=" || len(x.Args) != 2 || x.Args[0].Type().OID != types.BoolOID {
			return e
		}
		if c, ok := x.Args[1].(*expr.Const); ok {
			if v, ok := c.Value.(bool); ok {
				return truthOf(x.Args[0], v)
			}
		}
	}
	return e
}

func truthOf(e expr.Expr, v bool) expr.Expr {
	if v {
		return e
	}
	return &expr.Not{Arg: e}
}

// needsValue says whether cond cannot be true when e is NULL.
func needsValue(cond, e expr.Expr) bool {
	if sameKey(cond, e) {
		return true
	}
	switch x := cond.(type) {
	case *expr.Call:
		return !x.Func.NotStrict && some(x.Args, func(a expr.Expr) bool { return needsValue(a, e) })
	case *expr.Cast:
		return needsValue(x.Arg, e)
	case *expr.Not:
		return needsValue(x.Arg, e)
	case *expr.InList:
		return needsValue(x.Left, e)
	case *expr.AnyAll:
		return !x.All && needsValue(x.Left, e)
	}
	return false
}

// compared is a condition that compares an expression with constants: op is one
// of the six operators, or IN.
type compared struct {
	arg    expr.Expr
	op     string
	typ    types.OID
	values []types.Datum
}

func comparedOf(e expr.Expr) (compared, bool) {
	switch x := e.(type) {
	case *expr.Call:
		if len(x.Args) != 2 || commuted[x.Operator] == "" && x.Operator != "<>" {
			return compared{}, false
		}
		arg, value, op := x.Args[0], x.Args[1], x.Operator
		if _, ok := arg.(*expr.Const); ok {
			arg, value = value, arg
			if op != "<>" {
				op = commuted[op]
			}
		}
		c, ok := value.(*expr.Const)
		if !ok || c.Value == nil {
			return compared{}, false
		}
		return compared{arg, op, c.Typ.OID, []types.Datum{c.Value}}, true
	case *expr.InList:
		return comparedList(x)
	}
	return compared{}, false
}

func comparedList(x *expr.InList) (compared, bool) {
	if x.Not {
		return compared{}, false
	}
	out := compared{arg: x.Left, op: "="}
	for _, e := range x.List {
		c, ok := e.(*expr.Const)
		if !ok || c.Value == nil {
			return compared{}, false
		}
		out.typ = c.Typ.OID
		out.values = append(out.values, c.Value)
	}
	return out, len(out.values) > 0
}

// impliesComparison compares two comparisons of one expression with constants.
func impliesComparison(a, b expr.Expr) bool {
	x, ok := comparedOf(a)
	if !ok {
		return false
	}
	y, ok := comparedOf(b)
	if !ok || !sameKey(x.arg, y.arg) || !sameKeyClass(x.typ, y.typ) {
		return false
	}
	for _, v := range x.values {
		held := false
		for _, w := range y.values {
			held = held || impliedBound[[2]string{x.op, y.op}](types.Compare(x.typ, v, w))
		}
		if !held {
			return false
		}
	}
	return true
}

func below(c int) bool   { return c < 0 }
func upTo(c int) bool    { return c <= 0 }
func equal(c int) bool   { return c == 0 }
func from(c int) bool    { return c >= 0 }
func above(c int) bool   { return c > 0 }
func differs(c int) bool { return c != 0 }
func no(int) bool        { return false }

// impliedBound says, for e op v and e op w, how v must compare with w for the
// first to imply the second.
var impliedBound = boundTable()

func boundTable() map[[2]string]func(int) bool {
	ops := []string{"=", "<>", "<", "<=", ">", ">="}
	rows := map[string][]func(int) bool{
		"=":  {equal, differs, below, upTo, above, from},
		"<>": {no, equal, no, no, no, no},
		"<":  {no, upTo, upTo, upTo, no, no},
		"<=": {no, below, below, upTo, no, no},
		">":  {no, from, no, no, from, from},
		">=": {no, above, no, no, above, from},
	}
	out := map[[2]string]func(int) bool{}
	for op, row := range rows {
		for i, f := range row {
			out[[2]string{op, ops[i]}] = f
		}
	}
	return out
}
