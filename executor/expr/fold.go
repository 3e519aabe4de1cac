package expr

import (
	"github.com/akidb/akidb/internal/types"
)

// Fold computes immutable parts of e that have no columns or parameters. A part
// that fails is left, so that the error comes at execution, as in PostgreSQL.
func Fold(env *types.Env, e Expr) Expr {
	return Rewrite(e, func(x Expr) Expr { return foldNode(env, x) })
}

// foldNode folds one node whose children are folded.
func foldNode(env *types.Env, e Expr) Expr {
	switch x := e.(type) {
	case *Const:
		return x
	case *And:
		return foldLogic(x, x.Args, true, func(args []Expr) Expr { return &And{Args: args} })
	case *Or:
		return foldLogic(x, x.Args, false, func(args []Expr) Expr { return &Or{Args: args} })
	case *Case:
		return foldCase(x)
	case *Coalesce:
		return foldCoalesce(x)
	}
	if !foldable(e) {
		return e
	}
	v, err := e.Eval(&Context{Env: env})
	if err != nil {
		return e
	}
	return &Const{Value: v, Typ: e.Type()}
}

// foldable says whether e depends on nothing but constants.
func foldable(e Expr) bool {
	switch x := e.(type) {
	case *Column, *Param, *ExecParam, *SubPlan, *AggRef, *WindowRef, *RowCtor:
		return false
	case *Call:
		f := x.Func
		if f.Eval == nil || f.Rows != nil || f.Aggregate != nil || f.Window != nil {
			return false
		}
		if !f.NotStrict && hasNull(x.Args) && f.Volatility != Volatile {
			return constants(e)
		}
	}
	return nodeVolatility(e) == Immutable && constants(e)
}

func hasNull(args []Expr) bool {
	for _, a := range args {
		if c, ok := a.(*Const); ok && c.Value == nil {
			return true
		}
	}
	return false
}

func constants(e Expr) bool {
	all := true
	eachChild(e, func(c Expr) {
		if _, ok := c.(*Const); !ok {
			all = false
		}
	})
	return all
}

// foldLogic drops the arguments of AND (neutral true) or OR (neutral false)
// that do not matter, and the whole when one decides it.
func foldLogic(e Expr, args []Expr, neutral bool, rebuild func([]Expr) Expr) Expr {
	kept := make([]Expr, 0, len(args))
	null := false
	for _, a := range args {
		c, ok := a.(*Const)
		switch {
		case !ok:
			kept = append(kept, a)
		case c.Value == nil:
			null = true
		case c.Value.(bool) != neutral:
			return &Const{Value: !neutral, Typ: boolType}
		}
	}
	if null {
		kept = append(kept, &Const{Typ: boolType})
	}
	switch {
	case len(kept) == 0:
		return &Const{Value: neutral, Typ: boolType}
	case len(kept) == 1:
		return kept[0]
	case len(kept) == len(args):
		return e
	}
	return rebuild(kept)
}

// foldCase drops arms that cannot be taken, and what follows a certain one.
func foldCase(x *Case) Expr {
	out := &Case{Else: x.Else, Typ: x.Typ}
	for _, w := range x.Whens {
		c, ok := w.Cond.(*Const)
		if !ok {
			out.Whens = append(out.Whens, w)
			continue
		}
		if yes, _ := c.Value.(bool); yes {
			out.Else = w.Result
			break
		}
	}
	switch {
	case len(out.Whens) == len(x.Whens):
		return x
	case len(out.Whens) > 0:
		return out
	case out.Else == nil:
		return &Const{Typ: x.Typ}
	}
	return out.Else
}

// foldCoalesce drops NULLs and what follows a constant.
func foldCoalesce(x *Coalesce) Expr {
	var kept []Expr
	for _, a := range x.Args {
		c, ok := a.(*Const)
		if ok && c.Value == nil {
			continue
		}
		kept = append(kept, a)
		if ok {
			break
		}
	}
	switch {
	case len(kept) == 0:
		return &Const{Typ: x.Typ}
	case len(kept) == 1:
		return kept[0]
	case len(kept) == len(x.Args):
		return x
	}
	return &Coalesce{Args: kept, Typ: x.Typ}
}
