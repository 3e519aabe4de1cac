package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/types"
)

// define makes a row of the function table from its declaration as PostgreSQL's
// documentation writes it:
//
//	name(type, type) result
//	schema.name(argument type, variadic type[] ) setof type
//	name(type, type = default) result
//
// Types are named as in pg_type. Rows are strict and immutable unless one of
// the methods below says otherwise. A declaration that cannot be read is our
// own bug and panics when the package starts.
func define(declaration string, eval evalFunc) *Function {
	f := declare(declaration)
	f.Eval = eval
	return f
}

// define2 is define for a function of two values that needs no context; the
// evaluator calls it without an argument slice.
func define2(declaration string, eval eval2Func) *Function {
	f := define(declaration, both(eval))
	f.eval2 = eval
	return f
}

// define1 is define for a function of one value that needs no context.
func define1(declaration string, eval func(types.Datum) (types.Datum, error)) *Function {
	return define(declaration, func(_ *Context, args []types.Datum) (types.Datum, error) { return eval(args[0]) })
}

// rowsFunc makes the rows of a set-returning function; see Function.Rows.
type rowsFunc = func(ctx *Context, args []types.Datum) (func() (types.Row, error), error)

// defineRows is define for a set-returning function. columns is "name type, …";
// empty for a function of a scalar type, whose column has the function's name.
func defineRows(declaration, columns string, rows rowsFunc) *Function {
	f := declare(declaration)
	f.Rows = rows
	if columns == "" {
		f.Columns = []OutColumn{{Name: f.Name, Type: f.Result}}
		return f
	}
	for _, c := range strings.Split(columns, ",") {
		name, typ, _ := strings.Cut(strings.TrimSpace(c), " ")
		f.Columns = append(f.Columns, OutColumn{Name: name, Type: typeNamed(typ)})
	}
	return f
}

// defineBound is define for a function whose values alone do not say what it
// needs to know of their types.
func defineBound(declaration string, bind bindFunc) *Function {
	f := declare(declaration)
	f.bind = bind
	f.Eval = bind(nil, false)
	return f
}

// bindFunc makes a function's Eval for the resolved types of its arguments;
// variadic says that the last argument is the array itself. Without types (the
// function table alone) the result has to guess from the Go values.
type bindFunc = func(args []Type, variadic bool) evalFunc

func (f *Function) stable() *Function { f.Volatility = Stable; return f }

func (f *Function) volatile() *Function { f.Volatility = Volatile; return f }

func (f *Function) withNulls() *Function { f.NotStrict = true; return f }

// declare reads a declaration.
func declare(declaration string) *Function {
	head, rest, ok := strings.Cut(declaration, "(")
	end := strings.LastIndexByte(rest, ')')
	if !ok || end < 0 {
		panic("expr: unreadable declaration " + declaration)
	}
	f := &Function{Name: strings.TrimSpace(head), Volatility: Immutable}
	if schema, name, ok := strings.Cut(f.Name, "."); ok {
		f.Schema, f.Name = schema, name
	}
	f.Result = typeNamed(strings.TrimPrefix(strings.TrimSpace(rest[end+1:]), "setof "))
	if list := strings.TrimSpace(rest[:end]); list != "" {
		for _, arg := range strings.Split(list, ",") {
			f.declareArg(strings.TrimSpace(arg))
		}
	}
	return f
}

func (f *Function) declareArg(arg string) {
	arg, value, hasDefault := strings.Cut(arg, "=")
	words := strings.Fields(arg)
	variadic := words[0] == "variadic"
	if variadic {
		words = words[1:]
	}
	oid := typeNamed(words[len(words)-1])
	f.Args = append(f.Args, oid)
	if variadic {
		f.Variadic = types.AnyOID
		if t := types.Lookup(oid); t.Elem != 0 {
			f.Variadic = t.Elem
		} else if oid == types.AnyArrayOID {
			f.Variadic = types.AnyElementOID
		}
	}
	if len(words) == 2 {
		for len(f.ArgNames) < len(f.Args)-1 {
			f.ArgNames = append(f.ArgNames, "")
		}
		f.ArgNames = append(f.ArgNames, words[0])
	}
	if !hasDefault {
		return
	}
	f.Defaults++
	f.DefaultValues = append(f.DefaultValues, defaultValue(oid, strings.TrimSpace(value)))
}

func defaultValue(oid types.OID, text string) types.Datum {
	if text == "null" {
		return nil
	}
	v, err := types.Parse(oid, types.NoTypmod, strings.Trim(text, "'"), nil)
	if err != nil {
		panic("expr: unreadable default " + text)
	}
	return v
}

func typeNamed(name string) types.OID {
	elem, isArray := strings.CutSuffix(name, "[]")
	t := types.ByName(elem)
	if t == nil {
		panic("expr: no type " + name)
	}
	if isArray {
		return t.Array
	}
	return t.OID
}

// rowsOf yields values one by one as rows of one column.
func rowsOf(values []types.Datum) func() (types.Row, error) {
	i := 0
	return func() (types.Row, error) {
		if i == len(values) {
			return nil, nil
		}
		i++
		return types.Row{values[i-1]}, nil
	}
}

// rowsOfRows yields rows one by one.
func rowsOfRows(rows []types.Row) func() (types.Row, error) {
	i := 0
	return func() (types.Row, error) {
		if i == len(rows) {
			return nil, nil
		}
		i++
		return rows[i-1], nil
	}
}

// datum gives a typed result as a Datum, and nil with an error.
func datum[T any](v T, err error) (types.Datum, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}
