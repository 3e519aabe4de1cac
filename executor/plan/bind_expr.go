package plan

import (
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
		if row != nil && row.Elem != 0 && row.Category == 'A' { // name has elements, too
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
