package expr

import (
	"fmt"
	"strconv"
	"time"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// bindText parses and binds an expression without columns, as far as the tests
// of this package need it; the real binder is the planner's.
func bindText(text string) (e Expr, err error) {
	tree, err := sql.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	b := testBinder{env: types.DefaultEnv()}
	return b.expr(tree)
}

type testBinder struct {
	env    *types.Env
	params map[int]*Param
}

func untyped(v types.Datum) *Const {
	return &Const{Value: v, Typ: Type{types.UnknownOID, types.NoTypmod}}
}

func (b *testBinder) exprs(list []ast.Expr) ([]Expr, error) {
	out := make([]Expr, len(list))
	for i, x := range list {
		e, err := b.expr(x)
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

func (b *testBinder) common(what string, list []ast.Expr) ([]Expr, Type, error) {
	es, err := b.exprs(list)
	if err != nil {
		return nil, Type{}, err
	}
	t, err := CommonType(what, es)
	if err != nil {
		return nil, t, err
	}
	for i := range es {
		if es[i], err = Coerce(b.env, es[i], t, CastImplicit); err != nil {
			return nil, t, err
		}
	}
	return es, t, nil
}

func (b *testBinder) boolean(x ast.Expr) (Expr, error) {
	e, err := b.expr(x)
	if err != nil {
		return nil, err
	}
	return Coerce(b.env, e, boolType, CastImplicit)
}

func (b *testBinder) op(name string, l, r Expr) (*Call, error) {
	return BindOperator(b.env, "", name, l, r)
}

func (b *testBinder) expr(x ast.Expr) (Expr, error) {
	switch n := x.(type) {
	case *ast.Const:
		return b.constant(n), nil
	case *ast.ParamRef:
		p := b.params[n.Number]
		if p == nil {
			p = &Param{Number: n.Number, Typ: Type{types.UnknownOID, types.NoTypmod}}
			if b.params == nil {
				b.params = map[int]*Param{}
			}
			b.params[n.Number] = p
		}
		return p, nil
	case *ast.Op:
		return b.operator(n)
	case *ast.TypeCast:
		return b.cast(n)
	case *ast.FuncCall:
		args, err := b.exprs(n.Args)
		if err != nil {
			return nil, err
		}
		name, schema := n.Name[len(n.Name)-1], ""
		if len(n.Name) > 1 {
			schema = n.Name[0]
		}
		c, err := BindFunction(b.env, schema, name, args, n.ArgNames, n.Variadic)
		if err != nil {
			return nil, err
		}
		return c, nil
	case *ast.Collate:
		return b.expr(n.Arg)
	default:
		return b.construct(x)
	}
}

func (b *testBinder) constant(n *ast.Const) Expr {
	switch n.Kind {
	case ast.ConstNull:
		return untyped(nil)
	case ast.ConstInt:
		if n.Int == int64(int32(n.Int)) {
			return &Const{n.Int, Type{types.Int4OID, -1}}
		}
		return &Const{n.Int, Type{types.Int8OID, -1}}
	case ast.ConstFloat:
		d, err := types.ParseNumeric(n.Text)
		if err != nil {
			panic(err)
		}
		return &Const{d, Type{types.NumericOID, -1}}
	case ast.ConstBool:
		return &Const{n.Bool, boolType}
	case ast.ConstBit:
		d, err := types.Parse(types.BitOID, -1, n.Text, nil)
		if err != nil {
			panic(err)
		}
		return &Const{d, Type{types.BitOID, -1}}
	}
	return untyped(n.Text)
}

func (b *testBinder) operator(n *ast.Op) (Expr, error) {
	var left Expr
	var err error
	if n.Left != nil {
		if left, err = b.expr(n.Left); err != nil {
			return nil, err
		}
	}
	right, err := b.expr(n.Right)
	if err != nil {
		return nil, err
	}
	l, lok := left.(*RowCtor)
	r, rok := right.(*RowCtor)
	if lok && rok {
		return b.rows(n.Name, l, r)
	}
	c, err := b.op(n.Name, left, right)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (b *testBinder) rows(op string, l, r *RowCtor) (Expr, error) {
	out := &RowCompare{Op: op}
	for i := range l.Fields {
		eq, err := b.op("=", l.Fields[i], r.Fields[i])
		if err != nil {
			return nil, err
		}
		less, err := b.op("<", l.Fields[i], r.Fields[i])
		if err != nil {
			return nil, err
		}
		out.Left, out.Right = append(out.Left, eq.Args[0]), append(out.Right, eq.Args[1])
		out.Eq, out.Less = append(out.Eq, eq.Func), append(out.Less, less.Func)
	}
	return out, nil
}

func (b *testBinder) typeOf(n *ast.TypeName) (Type, error) {
	name := n.Names[len(n.Names)-1]
	t := types.ByName(name)
	if t == nil {
		return Type{}, fmt.Errorf("no type %s", name)
	}
	out := Type{OID: t.OID, Typmod: types.NoTypmod}
	if len(n.Mods) > 0 || n.IntervalFields != "" {
		var mods []string
		if n.IntervalFields != "" {
			mods = append(mods, n.IntervalFields)
		}
		for _, m := range n.Mods {
			mods = append(mods, strconv.FormatInt(m.(*ast.Const).Int, 10))
		}
		var err error
		if out.Typmod, err = types.TypmodIn(t.OID, mods); err != nil {
			return Type{}, err
		}
	}
	if len(n.Bounds) > 0 {
		out.OID = t.Array
	}
	return out, nil
}

func (b *testBinder) cast(n *ast.TypeCast) (Expr, error) {
	to, err := b.typeOf(n.Type)
	if err != nil {
		return nil, err
	}
	if a, ok := n.Arg.(*ast.ArrayExpr); ok && len(n.Type.Bounds) > 0 {
		return b.arrayOf(a, to)
	}
	arg, err := b.expr(n.Arg)
	if err != nil {
		return nil, err
	}
	return Coerce(b.env, arg, to, CastExplicit)
}

// arrayOf is ARRAY[…]::type[], whose elements are cast one by one.
func (b *testBinder) arrayOf(a *ast.ArrayExpr, to Type) (Expr, error) {
	es, err := b.exprs(a.Elems)
	if err != nil {
		return nil, err
	}
	elem := Type{elementOf(to.OID), to.Typmod}
	for i := range es {
		if es[i], err = Coerce(b.env, es[i], elem, CastExplicit); err != nil {
			return nil, err
		}
	}
	return &ArrayCtor{Elems: es, Typ: to}, nil
}

func (b *testBinder) construct(x ast.Expr) (Expr, error) {
	switch n := x.(type) {
	case *ast.BoolExpr:
		var args []Expr
		for _, a := range n.Args {
			e, err := b.boolean(a)
			if err != nil {
				return nil, err
			}
			args = append(args, e)
		}
		switch n.Kind {
		case ast.And:
			return &And{args}, nil
		case ast.Or:
			return &Or{args}, nil
		}
		return &Not{args[0]}, nil
	case *ast.NullTest:
		e, err := b.expr(n.Arg)
		return &NullTest{Arg: e, Not: n.Not}, err
	case *ast.BooleanTest:
		e, err := b.boolean(n.Arg)
		want := map[string]types.Datum{"TRUE": true, "FALSE": false}[n.Test]
		return &BoolTest{Arg: e, Want: want, Not: n.Not}, err
	case *ast.Coalesce:
		es, t, err := b.common("COALESCE", n.Args)
		return &Coalesce{es, t}, err
	case *ast.MinMax:
		es, t, err := b.common("GREATEST", n.Args)
		return &MinMax{es, n.Least, t}, err
	case *ast.ArrayExpr:
		return b.array(n)
	case *ast.RowExpr:
		es, err := b.exprs(n.Args)
		return &RowCtor{Fields: es, Names: make([]string, len(es)), Typ: Type{types.RecordOID, -1}}, err
	case *ast.Case:
		return b.caseExpr(n)
	case *ast.In:
		es, _, err := b.common("IN", append([]ast.Expr{n.Left}, n.List...))
		if err != nil {
			return nil, err
		}
		eq, _ := Equality(es[0].Type().OID)
		return &InList{Left: es[0], List: es[1:], Eq: eq, Not: n.Not}, nil
	default:
		return b.comparison(x)
	}
}

func (b *testBinder) comparison(x ast.Expr) (Expr, error) {
	switch n := x.(type) {
	case *ast.DistinctFrom:
		es, err := b.exprs([]ast.Expr{n.Left, n.Right})
		if err != nil {
			return nil, err
		}
		c, err := b.op("=", es[0], es[1])
		if err != nil {
			return nil, err
		}
		return &DistinctFrom{Left: c.Args[0], Right: c.Args[1], Eq: c.Func, Not: n.Not}, nil
	case *ast.NullIf:
		es, err := b.exprs([]ast.Expr{n.Left, n.Right})
		if err != nil {
			return nil, err
		}
		c, err := b.op("=", es[0], es[1])
		if err != nil {
			return nil, err
		}
		return &NullIf{Left: c.Args[0], Right: c.Args[1], Eq: c.Func, Typ: c.Args[0].Type()}, nil
	case *ast.AnyAll:
		es, err := b.exprs([]ast.Expr{n.Left, n.Right})
		if err != nil {
			return nil, err
		}
		a, err := BindAnyAll(b.env, "", n.Name, es[0], es[1], n.All)
		if err != nil {
			return nil, err
		}
		return a, nil
	case *ast.Subscript:
		return b.subscript(n)
	}
	return nil, fmt.Errorf("the test binder does not know %T", x)
}

func (b *testBinder) subscript(n *ast.Subscript) (Expr, error) {
	arg, err := b.expr(n.Arg)
	if err != nil {
		return nil, err
	}
	out, chained := arg.(*Subscript)
	if !chained || out.Slice != n.Slice {
		out = &Subscript{Arg: arg, Slice: n.Slice, Typ: arg.Type()}
		if t := elementOf(arg.Type().OID); t != 0 && !n.Slice {
			out.Typ = Type{t, -1}
		}
	}
	for _, side := range []struct {
		x  ast.Expr
		to *[]Expr
	}{{n.Low, &out.Low}, {n.High, &out.High}} {
		var e Expr
		if side.x != nil {
			if e, err = b.expr(side.x); err != nil {
				return nil, err
			}
			if c, ok := e.(*Const); ok && c.Typ.OID == types.UnknownOID {
				e = &Const{c.Value, Type{types.TextOID, -1}}
			}
		}
		*side.to = append(*side.to, e)
	}
	if !n.Slice {
		out.High = nil
	}
	return out, nil
}

func (b *testBinder) array(n *ast.ArrayExpr) (Expr, error) {
	nested := len(n.Elems) > 0
	for _, x := range n.Elems {
		if _, ok := x.(*ast.ArrayExpr); !ok {
			nested = false
		}
	}
	es, t, err := b.common("ARRAY", n.Elems)
	if err != nil {
		return nil, err
	}
	if !nested {
		t = Type{arrayOf(t.OID), -1}
	}
	return &ArrayCtor{Elems: es, Typ: t, Nested: nested}, nil
}

func (b *testBinder) caseExpr(n *ast.Case) (Expr, error) {
	results := []ast.Expr{}
	if n.Else != nil {
		results = append(results, n.Else)
	}
	for _, w := range n.Whens {
		results = append(results, w.Result)
	}
	es, t, err := b.common("CASE", results)
	if err != nil {
		return nil, err
	}
	out := &Case{Typ: t}
	if n.Else != nil {
		out.Else, es = es[0], es[1:]
	}
	for i, w := range n.Whens {
		var cond Expr
		if n.Arg == nil {
			cond, err = b.boolean(w.Cond)
		} else {
			cond, err = b.operator(&ast.Op{Name: "=", Left: n.Arg, Right: w.Cond})
		}
		if err != nil {
			return nil, err
		}
		out.Whens = append(out.Whens, When{cond, es[i]})
	}
	return out, nil
}

// evalText binds and evaluates an expression to its type and text form.
func evalText(text string) (typ, value string, err error) {
	e, err := bindText(text)
	if err != nil {
		return "", "", err
	}
	env := types.DefaultEnv()
	env.Now = time.Unix(1_700_000_000, 0)
	v, err := e.Eval(&Context{Env: env})
	if err != nil {
		return "", "", err
	}
	typ = typeName(nil, e.Type().OID)
	if v == nil {
		return typ, "NULL", nil
	}
	return typ, types.FormatString(e.Type().OID, v, types.DefaultEnv()), nil
}
