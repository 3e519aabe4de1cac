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

// expr binds an expression in a scope.
func (b *binder) expr(s *scope, e ast.Expr) (expr.Expr, error) {
	switch t := e.(type) {
	case *ast.Const:
		return b.constant(t)
	case *ast.ColumnRef:
		if t.Star {
			return b.wholeRowOf(s, t)
		}
		return b.column(s, t)
	case *ast.ParamRef:
		return b.param(t.Number, t.Pos)
	case *ast.Op:
		return b.operator(s, t)
	case *ast.AnyAll:
		return b.anyAll(s, t)
	case *ast.In:
		return b.in(s, t)
	case *ast.Between:
		return b.between(s, t)
	case *ast.DistinctFrom:
		l, r, eq, err := b.equalPair(s, t.Left, t.Right, t.Pos)
		if err != nil {
			return nil, err
		}
		return &expr.DistinctFrom{Left: l, Right: r, Eq: eq, Not: t.Not}, nil
	case *ast.NullIf:
		l, r, eq, err := b.equalPair(s, t.Left, t.Right, t.Pos)
		if err != nil {
			return nil, err
		}
		return &expr.NullIf{Left: l, Right: r, Eq: eq, Typ: l.Type()}, nil
	case *ast.BoolExpr:
		return b.boolean(s, t)
	case *ast.NullTest:
		arg, err := b.expr(s, t.Arg)
		if err != nil {
			return nil, err
		}
		if arg, err = b.known(arg); err != nil {
			return nil, err
		}
		return &expr.NullTest{Arg: arg, Not: t.Not}, nil
	case *ast.BooleanTest:
		arg, err := b.condition(s, t.Arg, "IS "+t.Test)
		if err != nil {
			return nil, err
		}
		var want types.Datum
		switch t.Test {
		case "TRUE":
			want = true
		case "FALSE":
			want = false
		}
		return &expr.BoolTest{Arg: arg, Want: want, Not: t.Not}, nil
	case *ast.TypeCast:
		return b.cast(s, t)
	case *ast.Collate:
		name := t.Name[len(t.Name)-1]
		switch strings.ToLower(name) {
		case "c", "posix", "default", "ucs_basic":
			return b.expr(s, t.Arg)
		}
		return nil, pgerr.Newf(pgerr.UndefinedObject, "collation %q for encoding \"UTF8\" does not exist", name).At(t.Pos)
	case *ast.FuncCall:
		return b.call(s, t)
	case *ast.Case:
		e, err := b.caseExpr(s, t)
		return b.withoutSeries(s, e, err, "CASE", t.Pos)
	case *ast.Coalesce:
		args, typ, err := b.common(s, t.Args, "COALESCE")
		if err != nil {
			return nil, at(err, t.Pos)
		}
		return b.withoutSeries(s, &expr.Coalesce{Args: args, Typ: typ}, nil, "COALESCE", t.Pos)
	case *ast.MinMax:
		what := "GREATEST"
		if t.Least {
			what = "LEAST"
		}
		args, typ, err := b.common(s, t.Args, what)
		if err != nil {
			return nil, at(err, t.Pos)
		}
		return &expr.MinMax{Args: args, Least: t.Least, Typ: typ}, nil
	case *ast.SubLink:
		return b.subLink(s, t)
	case *ast.ArrayExpr:
		return b.array(s, t)
	case *ast.RowExpr:
		return b.row(s, t)
	case *ast.Subscript:
		return b.subscript(s, t)
	case *ast.FieldSelect:
		return b.field(s, t)
	case *ast.ValueFunction:
		return b.valueFunction(t)
	case *ast.Grouping:
		return b.grouping(s, t)
	case *ast.Default:
		return nil, pgerr.New(pgerr.SyntaxError, "DEFAULT is not allowed in this context").At(t.Pos)
	default:
		return nil, pgerr.Unsupported("this expression")
	}
}

// withoutSeries refuses set-returning functions in what may not compute all of
// its arguments.
func (b *binder) withoutSeries(s *scope, e expr.Expr, err error, what string, pos int) (expr.Expr, error) {
	if err == nil && s.level != nil && s.level.srf && containsSeries(e) {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "set-returning functions are not allowed in %s", what).
			WithHint("You might be able to move the set-returning function into a LATERAL FROM item.").At(pos)
	}
	return e, err
}

func (b *binder) exprs(s *scope, list []ast.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = b.expr(s, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// known gives an expression of unknown type the type text.
func (b *binder) known(e expr.Expr) (expr.Expr, error) {
	if e.Type().OID == types.UnknownOID {
		return expr.Coerce(b.env.Types, e, textType, expr.CastImplicit)
	}
	return e, nil
}

func (b *binder) constant(c *ast.Const) (expr.Expr, error) {
	of := func(oid types.OID, v types.Datum) (expr.Expr, error) {
		return &expr.Const{Value: v, Typ: expr.Type{OID: oid, Typmod: types.NoTypmod}}, nil
	}
	switch c.Kind {
	case ast.ConstNull:
		return of(types.UnknownOID, nil)
	case ast.ConstInt:
		if c.Int >= -1<<31 && c.Int < 1<<31 {
			return of(types.Int4OID, c.Int)
		}
		return of(types.Int8OID, c.Int)
	case ast.ConstBool:
		return of(types.BoolOID, c.Bool)
	case ast.ConstFloat:
		d, err := types.Parse(types.NumericOID, types.NoTypmod, c.Text, b.env.Types)
		if err != nil {
			return nil, at(err, c.Pos)
		}
		return of(types.NumericOID, d)
	case ast.ConstBit:
		text := c.Text
		if strings.HasPrefix(text, "x") || strings.HasPrefix(text, "X") {
			var bits strings.Builder
			for _, h := range text[1:] {
				v, err := strconv.ParseUint(string(h), 16, 8)
				if err != nil {
					return nil, pgerr.Newf(pgerr.InvalidTextRepresentation, "%q is not a valid hexadecimal digit", string(h)).At(c.Pos)
				}
				for k := 3; k >= 0; k-- {
					bits.WriteByte('0' + byte(v>>k&1))
				}
			}
			text = bits.String()
		} else {
			text = strings.TrimPrefix(strings.TrimPrefix(text, "b"), "B")
		}
		d, err := types.Parse(types.BitOID, types.NoTypmod, text, b.env.Types)
		if err != nil {
			return nil, at(err, c.Pos)
		}
		return of(types.BitOID, d)
	default:
		return of(types.UnknownOID, c.Text)
	}
}

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

// condition binds an expression that must be boolean.
func (b *binder) condition(s *scope, e ast.Expr, what string) (expr.Expr, error) {
	bound, err := b.expr(s, e)
	if err != nil {
		return nil, err
	}
	return b.toBool(bound, what, positionOf(e))
}

func (b *binder) toBool(e expr.Expr, what string, pos int) (expr.Expr, error) {
	if e.Type().OID == types.BoolOID {
		return e, nil
	}
	if e.Type().OID != types.UnknownOID {
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, "argument of %s must be type boolean, not type %s", what, types.FormatType(e.Type().OID, -1)).At(pos)
	}
	out, err := expr.Coerce(b.env.Types, e, boolType, expr.CastImplicit)
	return out, at(err, pos)
}

func (b *binder) boolean(s *scope, t *ast.BoolExpr) (expr.Expr, error) {
	what := [...]string{"AND", "OR", "NOT"}[t.Kind]
	args := make([]expr.Expr, len(t.Args))
	for i, a := range t.Args {
		var err error
		if args[i], err = b.condition(s, a, what); err != nil {
			return nil, err
		}
	}
	switch t.Kind {
	case ast.And:
		return &expr.And{Args: args}, nil
	case ast.Or:
		return &expr.Or{Args: args}, nil
	default:
		return &expr.Not{Arg: args[0]}, nil
	}
}

func (b *binder) cast(s *scope, t *ast.TypeCast) (expr.Expr, error) {
	typ, domain, err := ResolveDeclared(b.env, t.Type)
	if err != nil {
		return nil, err
	}
	if a, ok := t.Arg.(*ast.ArrayExpr); ok && len(a.Elems) == 0 {
		row := types.Lookup(typ.OID)
		if row != nil && row.Elem != 0 {
			return &expr.ArrayCtor{Typ: typ}, nil
		}
	}
	arg, err := b.expr(s, t.Arg)
	if err != nil {
		return nil, err
	}
	out, err := expr.Coerce(b.env.Types, arg, typ, expr.CastExplicit)
	if err != nil {
		pos := t.Pos
		if p := positionOf(t.Arg); p > 0 && arg.Type().OID == types.UnknownOID {
			pos = p
		}
		return nil, at(err, pos)
	}
	return CheckDomain(b.env, domain, out)
}

// common binds expressions and brings them to one type.
func (b *binder) common(s *scope, list []ast.Expr, what string) ([]expr.Expr, expr.Type, error) {
	args, err := b.exprs(s, list)
	if err != nil {
		return nil, expr.Type{}, err
	}
	return b.unify(args, what)
}

func (b *binder) unify(args []expr.Expr, what string) ([]expr.Expr, expr.Type, error) {
	typ, err := expr.CommonType(what, args)
	if err != nil {
		return nil, typ, err
	}
	for i := range args {
		if args[i], err = expr.Coerce(b.env.Types, args[i], expr.Type{OID: typ.OID, Typmod: types.NoTypmod}, expr.CastImplicit); err != nil {
			return nil, typ, err
		}
	}
	return args, typ, nil
}

func (b *binder) caseExpr(s *scope, t *ast.Case) (expr.Expr, error) {
	out := &expr.Case{}
	var results []expr.Expr
	for _, w := range t.Whens {
		var cond expr.Expr
		var err error
		if t.Arg != nil {
			cond, err = b.operator(s, &ast.Op{Name: "=", Left: t.Arg, Right: w.Cond, Pos: t.Pos})
		} else {
			cond, err = b.condition(s, w.Cond, "CASE/WHEN")
		}
		if err != nil {
			return nil, err
		}
		r, err := b.expr(s, w.Result)
		if err != nil {
			return nil, err
		}
		out.Whens = append(out.Whens, expr.When{Cond: cond})
		results = append(results, r)
	}
	if t.Else != nil {
		r, err := b.expr(s, t.Else)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	results, typ, err := b.unify(results, "CASE")
	if err != nil {
		return nil, at(err, t.Pos)
	}
	for i := range out.Whens {
		out.Whens[i].Result = results[i]
	}
	if t.Else != nil {
		out.Else = results[len(results)-1]
	}
	out.Typ = typ
	return out, nil
}

func (b *binder) array(s *scope, t *ast.ArrayExpr) (expr.Expr, error) {
	if len(t.Elems) == 0 {
		return nil, pgerr.New(pgerr.IndeterminateDatatype, "cannot determine type of empty array").
			WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].").At(t.Pos)
	}
	args, typ, err := b.common(s, t.Elems, "ARRAY")
	if err != nil {
		return nil, at(err, t.Pos)
	}
	row := types.Lookup(typ.OID)
	if row != nil && row.Elem != 0 && row.Category == 'A' {
		return &expr.ArrayCtor{Elems: args, Typ: typ, Nested: true}, nil
	}
	if row == nil || row.Array == 0 {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "could not find array type for data type %s", types.FormatType(typ.OID, -1)).At(t.Pos)
	}
	return &expr.ArrayCtor{Elems: args, Typ: expr.Type{OID: row.Array, Typmod: -1}}, nil
}

func (b *binder) row(s *scope, t *ast.RowExpr) (expr.Expr, error) {
	out := &expr.RowCtor{Typ: expr.Type{OID: types.RecordOID, Typmod: -1}}
	for i, a := range t.Args {
		if c, ok := a.(*ast.ColumnRef); ok && c.Star {
			rels, err := b.starRelations(s, c)
			if err != nil {
				return nil, err
			}
			for _, tg := range rels {
				out.Fields = append(out.Fields, tg.value)
				out.Names = append(out.Names, tg.name)
			}
			continue
		}
		e, err := b.expr(s, a)
		if err != nil {
			return nil, err
		}
		if e, err = b.known(e); err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, e)
		out.Names = append(out.Names, "f"+strconv.Itoa(i+1))
	}
	return out, nil
}

// subscript binds a[1][2], which is one subscript of two dimensions.
func (b *binder) subscript(s *scope, t *ast.Subscript) (expr.Expr, error) {
	levels := []*ast.Subscript{t}
	base := t.Arg
	for {
		inner, ok := base.(*ast.Subscript)
		if !ok {
			break
		}
		levels, base = append(levels, inner), inner.Arg
	}
	slices.Reverse(levels)
	arg, err := b.expr(s, base)
	if err != nil {
		return nil, err
	}
	row := types.Lookup(arg.Type().OID)
	if arg.Type().OID == types.JSONBOID {
		return b.jsonSubscript(s, arg, levels)
	}
	if row == nil || row.Elem == 0 {
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", types.FormatType(arg.Type().OID, -1)).At(positionOf(base))
	}
	out := &expr.Subscript{Arg: arg, Typ: arg.Type()}
	out.Slice = slices.ContainsFunc(levels, func(l *ast.Subscript) bool { return l.Slice })
	if !out.Slice {
		out.Typ.OID = row.Elem
	}
	for _, l := range levels {
		if err := b.arrayLevel(s, out, l); err != nil {
			return nil, at(err, l.Pos)
		}
	}
	return out, nil
}

// arrayLevel adds the bounds of one dimension; among slices, an index n means 1:n.
func (b *binder) arrayLevel(s *scope, out *expr.Subscript, l *ast.Subscript) error {
	bound := func(e ast.Expr) (expr.Expr, error) {
		if e == nil {
			return nil, nil
		}
		x, err := b.expr(s, e)
		if err != nil {
			return nil, err
		}
		return expr.Coerce(b.env.Types, x, expr.Type{OID: types.Int4OID, Typmod: -1}, expr.CastAssignment)
	}
	low, err := bound(l.Low)
	if err != nil {
		return err
	}
	high, err := bound(l.High)
	if err != nil {
		return err
	}
	if out.Slice && !l.Slice {
		low, high = &expr.Const{Value: int64(1), Typ: expr.Type{OID: types.Int4OID, Typmod: -1}}, low
	}
	out.Low = append(out.Low, low)
	if out.Slice {
		out.High = append(out.High, high)
	}
	return nil
}

func (b *binder) jsonSubscript(s *scope, arg expr.Expr, levels []*ast.Subscript) (expr.Expr, error) {
	out := &expr.Subscript{Arg: arg, Typ: arg.Type()}
	for _, l := range levels {
		if l.Slice {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "jsonb subscript does not support slices").At(l.Pos)
		}
		key, err := b.expr(s, l.Low)
		if err != nil {
			return nil, err
		}
		if key, err = b.known(key); err != nil {
			return nil, err
		}
		out.Low = append(out.Low, key)
	}
	return out, nil
}

func (b *binder) field(s *scope, t *ast.FieldSelect) (expr.Expr, error) {
	arg, err := b.expr(s, t.Arg)
	if err != nil {
		return nil, err
	}
	if r, ok := arg.(*expr.RowCtor); ok {
		for i, n := range r.Names {
			if n == t.Name {
				return &expr.FieldSelect{Arg: arg, Index: i, Name: t.Name, Typ: r.Fields[i].Type()}, nil
			}
		}
	}
	for i, f := range b.origin(s, arg).Fields {
		if f.Name == t.Name {
			return selectField(arg, i, f), nil
		}
	}
	for i, f := range b.rowFields(arg.Type().OID) {
		if f.Name == t.Name {
			return selectField(arg, i, f), nil
		}
	}
	return nil, pgerr.Newf(pgerr.UndefinedColumn, "could not identify column %q in record data type", t.Name).At(t.Pos)
}

// rowFields are the columns of a table's row type.
func (b *binder) rowFields(oid types.OID) []expr.OutColumn {
	if b.env.Catalog == nil || !types.IsRow(oid) {
		return nil
	}
	t := b.env.Catalog.RowType(oid)
	if t == nil {
		return nil
	}
	var out []expr.OutColumn
	for _, c := range t.Live() {
		out = append(out, expr.OutColumn{Name: c.Name, Type: c.Type})
	}
	return out
}

func selectField(arg expr.Expr, i int, f expr.OutColumn) expr.Expr {
	return &expr.FieldSelect{Arg: arg, Index: i, Name: f.Name, Typ: expr.Type{OID: f.Type, Typmod: types.NoTypmod}}
}

// valueFunctions are the SQL value functions as calls with casts.
var valueFunctions = map[string]struct {
	call string
	cast types.OID
}{
	"current_date": {"now", types.DateOID}, "current_time": {"now", types.TimeTZOID}, "current_timestamp": {"now", 0},
	"localtime": {"now", types.TimeOID}, "localtimestamp": {"now", types.TimestampOID},
	"current_user": {"current_user", 0}, "current_role": {"current_user", 0}, "user": {"current_user", 0}, "session_user": {"session_user", 0},
	"current_catalog": {"current_database", 0}, "current_schema": {"current_schema", 0},
}

func (b *binder) valueFunction(t *ast.ValueFunction) (expr.Expr, error) {
	f, ok := valueFunctions[t.Name]
	if !ok {
		return nil, pgerr.Unsupported(strings.ToUpper(t.Name)).At(t.Pos)
	}
	call, err := expr.BindFunction(b.env.Types, "", f.call, nil, nil, false)
	if err != nil {
		return nil, at(err, t.Pos)
	}
	typ := call.Type()
	if f.cast != 0 {
		typ.OID = f.cast
	}
	typ.Typmod = t.Typmod
	if typ == call.Type() {
		return call, nil
	}
	out, err := expr.Coerce(b.env.Types, call, typ, expr.CastExplicit)
	return out, at(err, t.Pos)
}

// positionOf is where an expression begins, 0 where unknown.
func positionOf(e ast.Expr) int {
	switch t := e.(type) {
	case *ast.Const:
		return t.Pos
	case *ast.ColumnRef:
		return t.Pos
	case *ast.ParamRef:
		return t.Pos
	case *ast.Op:
		if t.Left != nil {
			if p := positionOf(t.Left); p > 0 {
				return p
			}
		}
		return t.Pos
	case *ast.FuncCall:
		return t.Pos
	case *ast.TypeCast:
		if p := positionOf(t.Arg); p > 0 {
			return p
		}
		return t.Pos
	case *ast.SubLink:
		return t.Pos
	case *ast.Case:
		return t.Pos
	case *ast.Coalesce:
		return t.Pos
	case *ast.RowExpr:
		return t.Pos
	case *ast.In:
		return positionOf(t.Left)
	}
	return 0
}
