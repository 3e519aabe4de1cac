package expr

import "github.com/akidb/akidb/internal/types"

// Eval converts the argument; NULL stays NULL.
func (e *Cast) Eval(ctx *Context) (types.Datum, error) {
	v, err := e.Arg.Eval(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	return e.convert(ctx, v)
}

func (e *Cast) convert(ctx *Context, v types.Datum) (types.Datum, error) {
	var err error
	switch {
	case e.Elem != nil:
		v, err = e.convertElems(ctx, v.(*types.Array))
	case e.Func != nil:
		v, err = e.call(ctx, v)
	case e.IO:
		v, err = convertByText(ctx, e.Arg.Type().OID, e.Typ.OID, v)
	}
	if err != nil || v == nil || !e.ApplyTypmod {
		return v, err
	}
	return applyTypmod(e.Typ, v, e.Explicit)
}

// call passes the type modifier to the functions that take it: int4 to bit(n).
func (e *Cast) call(ctx *Context, v types.Datum) (types.Datum, error) {
	n := min(len(e.Func.Args), 2)
	args, mark := ctx.take(n)
	args[0] = v
	if n == 2 {
		args[1] = int64(e.Typ.Typmod)
	}
	r, err := e.Func.Eval(ctx, args)
	ctx.release(args, mark)
	return r, err
}

func (e *Cast) convertElems(ctx *Context, a *types.Array) (types.Datum, error) {
	out := &types.Array{Elem: e.Elem.Typ.OID, Dims: a.Dims, Lower: a.Lower, Elems: make([]types.Datum, len(a.Elems))}
	for i, v := range a.Elems {
		if v == nil {
			continue
		}
		r, err := e.Elem.convert(ctx, v)
		if err != nil {
			return nil, err
		}
		out.Elems[i] = r
	}
	return out, nil
}

// applyTypmod enforces a modifier; an array type's is its elements'.
func applyTypmod(to Type, v types.Datum, explicit bool) (types.Datum, error) {
	t := types.Lookup(to.OID)
	if t == nil || !t.IsArray() {
		return types.ApplyTypmod(to.OID, to.Typmod, v, explicit)
	}
	a := v.(*types.Array)
	out := *a
	out.Elems = make([]types.Datum, len(a.Elems))
	for i, e := range a.Elems {
		if e == nil {
			continue
		}
		r, err := types.ApplyTypmod(t.Elem, to.Typmod, e, explicit)
		if err != nil {
			return nil, err
		}
		out.Elems[i] = r
	}
	return &out, nil
}

// convertByText writes a value with its type's output and reads it with the
// other's input.
func convertByText(ctx *Context, from, to types.OID, v types.Datum) (types.Datum, error) {
	env := ctx.typesEnv()
	s := types.FormatString(from, v, env)
	switch to {
	case types.TextOID, types.VarcharOID, types.BpcharOID, types.UnknownOID:
		return s, nil
	}
	return types.Parse(to, types.NoTypmod, s, env)
}
