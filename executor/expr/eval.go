package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// frameSize is how many arguments one chunk of a Context's scratch holds; deep
// expressions take a few dozen.
const frameSize = 64

// take returns n places for arguments. They are given back by release with the
// mark, last taken first given back. The scratch is a stack in the Context and
// not an array of the caller, because an array passed to a function value
// escapes to the heap.
func (ctx *Context) take(n int) (args []types.Datum, mark int) {
	mark = len(ctx.scratch)
	if cap(ctx.scratch)-mark < n {
		// Frames already taken keep the old array; only the length matters here.
		grown := make([]types.Datum, mark, max(frameSize, 2*(mark+n)))
		ctx.scratch = grown
	}
	ctx.scratch = ctx.scratch[:mark+n]
	return ctx.scratch[mark : mark+n : mark+n], mark
}

func (ctx *Context) release(args []types.Datum, mark int) {
	clear(args)
	ctx.scratch = ctx.scratch[:mark]
}

// Test evaluates a condition: true only when e is TRUE, as WHERE asks.
func Test(ctx *Context, e Expr) (bool, error) {
	v, err := e.Eval(ctx)
	if err != nil || v == nil {
		return false, err
	}
	return v.(bool), nil
}

// Eval returns the constant.
func (e *Const) Eval(*Context) (types.Datum, error) { return e.Value, nil }

// Eval returns the column of the input row.
func (e *Column) Eval(ctx *Context) (types.Datum, error) { return ctx.Row[e.Index], nil }

// Eval returns the parameter's value.
func (e *Param) Eval(ctx *Context) (types.Datum, error) {
	if e.Number < 1 || e.Number > len(ctx.Params) {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "no value found for parameter %d", e.Number)
	}
	return ctx.Params[e.Number-1], nil
}

// Eval returns the value that the plan set.
func (e *ExecParam) Eval(ctx *Context) (types.Datum, error) { return ctx.Exec[e.Slot], nil }

// Eval computes the arguments, all of them even when one is NULL, and calls
// the function.
func (e *Call) Eval(ctx *Context) (types.Datum, error) {
	f := e.Func
	if f.eval2 != nil && len(e.Args) == 2 {
		a, err := e.Args[0].Eval(ctx)
		if err != nil {
			return nil, err
		}
		b, err := e.Args[1].Eval(ctx)
		if err != nil || a == nil || b == nil {
			return nil, err
		}
		return f.eval2(a, b)
	}
	if f.Eval == nil {
		return nil, notScalar(f)
	}
	args, mark := ctx.take(len(e.Args))
	v, err := e.apply(ctx, args)
	ctx.release(args, mark)
	return v, err
}

// spread gives f(VARIADIC array) of a VARIADIC "any" function its array's
// elements one by one; NULL stays NULL.
func spread(args []types.Datum) []types.Datum {
	last, ok := args[len(args)-1].(*types.Array)
	if !ok {
		return args
	}
	return append(slices.Clone(args[:len(args)-1]), last.Elems...)
}

func (e *Call) apply(ctx *Context, args []types.Datum) (types.Datum, error) {
	null := false
	for i, a := range e.Args {
		v, err := a.Eval(ctx)
		if err != nil {
			return nil, err
		}
		null = null || v == nil
		args[i] = v
	}
	if null && !e.Func.NotStrict {
		return nil, nil
	}
	if e.Variadic && e.Func.Variadic == types.AnyOID && e.Func.bind == nil {
		if args[len(args)-1] == nil {
			return nil, nil
		}
		args = spread(args)
	}
	return e.Func.Eval(ctx, args)
}

// notScalar is for a call in a place where the planner left an aggregate, a
// window or a set-returning function.
func notScalar(f *Function) error {
	switch {
	case f.Rows != nil:
		return pgerr.New(pgerr.FeatureNotSupported, "set-valued function called in context that cannot accept a set")
	case f.Aggregate != nil:
		return pgerr.Newf(pgerr.GroupingError, "aggregate function %s called in non-aggregate context", f.Name)
	case f.Window != nil:
		return pgerr.Newf(pgerr.WindowingError, "window function %s requires an OVER clause", f.Name)
	}
	return pgerr.Unsupported("function " + f.Name)
}

// call2 applies a strict function of two arguments to values.
func call2(ctx *Context, f *Function, a, b types.Datum) (types.Datum, error) {
	if f.eval2 != nil {
		if a == nil || b == nil {
			return nil, nil
		}
		return f.eval2(a, b)
	}
	if (a == nil || b == nil) && !f.NotStrict {
		return nil, nil
	}
	args, mark := ctx.take(2)
	args[0], args[1] = a, b
	v, err := f.Eval(ctx, args)
	ctx.release(args, mark)
	return v, err
}

// Apply calls a scalar function with values, minding strictness.
func Apply(ctx *Context, f *Function, args ...types.Datum) (types.Datum, error) {
	if !f.NotStrict {
		for _, a := range args {
			if a == nil {
				return nil, nil
			}
		}
	}
	if f.Eval == nil {
		return nil, notScalar(f)
	}
	return f.Eval(ctx, args)
}

// Eval is never reached: the planner replaces the reference by a Column.
func (e *AggRef) Eval(*Context) (types.Datum, error) {
	panic("expr: an aggregate reference reached execution")
}

// Eval is never reached: the planner replaces the reference by a Column.
func (e *WindowRef) Eval(*Context) (types.Datum, error) {
	panic("expr: a window reference reached execution")
}

// Eval runs the subquery through the context's Runner.
func (e *SubPlan) Eval(ctx *Context) (types.Datum, error) {
	if ctx.Runner == nil {
		return nil, pgerr.Unsupported("a subquery in this place")
	}
	return ctx.Runner.RunSubPlan(ctx, e)
}
