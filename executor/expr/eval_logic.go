package expr

import (
	"github.com/akidb/akidb/internal/types"
)

// Eval is FALSE when one argument is, else NULL when one is, else TRUE.
func (e *And) Eval(ctx *Context) (types.Datum, error) {
	null := false
	for _, a := range e.Args {
		v, err := a.Eval(ctx)
		if err != nil {
			return nil, err
		}
		if v == nil {
			null = true
		} else if !v.(bool) {
			return false, nil
		}
	}
	if null {
		return nil, nil
	}
	return true, nil
}

// Eval is TRUE when one argument is, else NULL when one is, else FALSE.
func (e *Or) Eval(ctx *Context) (types.Datum, error) {
	null := false
	for _, a := range e.Args {
		v, err := a.Eval(ctx)
		if err != nil {
			return nil, err
		}
		if v == nil {
			null = true
		} else if v.(bool) {
			return true, nil
		}
	}
	if null {
		return nil, nil
	}
	return false, nil
}

// Eval negates; NULL stays NULL.
func (e *Not) Eval(ctx *Context) (types.Datum, error) {
	v, err := e.Arg.Eval(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	return !v.(bool), nil
}

// Eval tests for NULL. For a record, IS NULL means that all fields are and
// IS NOT NULL that none is, so that both may be false.
func (e *NullTest) Eval(ctx *Context) (types.Datum, error) {
	v, err := e.Arg.Eval(ctx)
	if err != nil {
		return nil, err
	}
	if r, ok := v.(*types.Record); ok {
		for _, field := range r.Values {
			if (field == nil) == e.Not {
				return false, nil
			}
		}
		return true, nil
	}
	return (v == nil) != e.Not, nil
}

// Eval compares with TRUE, FALSE or UNKNOWN and is never NULL.
func (e *BoolTest) Eval(ctx *Context) (types.Datum, error) {
	v, err := e.Arg.Eval(ctx)
	if err != nil {
		return nil, err
	}
	return (v == e.Want) != e.Not, nil
}

// Eval is <> in which NULL is a value like others.
func (e *DistinctFrom) Eval(ctx *Context) (types.Datum, error) {
	a, err := e.Left.Eval(ctx)
	if err != nil {
		return nil, err
	}
	b, err := e.Right.Eval(ctx)
	if err != nil {
		return nil, err
	}
	if a == nil || b == nil {
		return (a == nil && b == nil) == e.Not, nil
	}
	eq, err := call2(ctx, e.Eq, a, b)
	if err != nil {
		return nil, err
	}
	equal := eq != nil && eq.(bool)
	return equal == e.Not, nil
}

// Eval is NULL when both sides are equal, else the left side.
func (e *NullIf) Eval(ctx *Context) (types.Datum, error) {
	a, err := e.Left.Eval(ctx)
	if err != nil {
		return nil, err
	}
	b, err := e.Right.Eval(ctx)
	if err != nil || a == nil || b == nil {
		return a, err
	}
	eq, err := call2(ctx, e.Eq, a, b)
	if err != nil {
		return nil, err
	}
	if eq != nil && eq.(bool) {
		return nil, nil
	}
	return a, nil
}

// Eval computes only the arm that is taken.
func (e *Case) Eval(ctx *Context) (types.Datum, error) {
	for i := range e.Whens {
		ok, err := Test(ctx, e.Whens[i].Cond)
		if err != nil {
			return nil, err
		}
		if ok {
			return e.Whens[i].Result.Eval(ctx)
		}
	}
	if e.Else == nil {
		return nil, nil
	}
	return e.Else.Eval(ctx)
}

// Eval is the first value that is not NULL; the rest is not computed.
func (e *Coalesce) Eval(ctx *Context) (types.Datum, error) {
	for _, a := range e.Args {
		v, err := a.Eval(ctx)
		if err != nil || v != nil {
			return v, err
		}
	}
	return nil, nil
}

// Eval is the greatest or least value; NULLs are left out.
func (e *MinMax) Eval(ctx *Context) (types.Datum, error) {
	var best types.Datum
	for _, a := range e.Args {
		v, err := a.Eval(ctx)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if best == nil {
			best = v
			continue
		}
		c := types.Compare(e.Typ.OID, v, best)
		if e.Least && c < 0 || !e.Least && c > 0 {
			best = v
		}
	}
	return best, nil
}

// Eval compares two rows.
func (e *RowCompare) Eval(ctx *Context) (types.Datum, error) {
	if e.Op == "=" || e.Op == "<>" {
		return e.evalEqual(ctx)
	}
	for i := range e.Left {
		a, err := e.Left[i].Eval(ctx)
		if err != nil {
			return nil, err
		}
		b, err := e.Right[i].Eval(ctx)
		if err != nil || a == nil || b == nil {
			return nil, err
		}
		eq, err := call2(ctx, e.Eq[i], a, b)
		if err != nil || eq == nil {
			return nil, err
		}
		if eq.(bool) {
			continue
		}
		less, err := call2(ctx, e.Less[i], a, b)
		if err != nil || less == nil {
			return nil, err
		}
		return less.(bool) == (e.Op[0] == '<'), nil
	}
	return e.Op == "<=" || e.Op == ">=", nil
}

// evalEqual is AND of the fields' equalities for =, its negation for <>.
func (e *RowCompare) evalEqual(ctx *Context) (types.Datum, error) {
	null := false
	for i := range e.Left {
		a, err := e.Left[i].Eval(ctx)
		if err != nil {
			return nil, err
		}
		b, err := e.Right[i].Eval(ctx)
		if err != nil {
			return nil, err
		}
		eq, err := call2(ctx, e.Eq[i], a, b)
		if err != nil {
			return nil, err
		}
		if eq == nil {
			null = true
		} else if !eq.(bool) {
			return e.Op == "<>", nil
		}
	}
	if null {
		return nil, nil
	}
	return e.Op == "=", nil
}
