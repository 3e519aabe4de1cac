package expr

// Walk calls fn for e and, while it returns true, for its children.
func Walk(e Expr, fn func(Expr) bool) {
	if e == nil || !fn(e) {
		return
	}
	eachChild(e, func(c Expr) { Walk(c, fn) })
}

// eachChild calls fn for the direct children of e.
func eachChild(e Expr, fn func(Expr)) {
	switch x := e.(type) {
	case *Call:
		each(x.Args, fn)
	case *Cast:
		one(x.Arg, fn)
	case *And:
		each(x.Args, fn)
	case *Or:
		each(x.Args, fn)
	case *Not:
		one(x.Arg, fn)
	case *NullTest:
		one(x.Arg, fn)
	case *BoolTest:
		one(x.Arg, fn)
	case *DistinctFrom:
		one(x.Left, fn)
		one(x.Right, fn)
	case *NullIf:
		one(x.Left, fn)
		one(x.Right, fn)
	case *Case:
		for _, w := range x.Whens {
			one(w.Cond, fn)
			one(w.Result, fn)
		}
		one(x.Else, fn)
	case *Coalesce:
		each(x.Args, fn)
	case *MinMax:
		each(x.Args, fn)
	case *AnyAll:
		one(x.Left, fn)
		one(x.Array, fn)
	case *InList:
		one(x.Left, fn)
		each(x.List, fn)
	case *ArrayCtor:
		each(x.Elems, fn)
	case *RowCtor:
		each(x.Fields, fn)
	case *RowCompare:
		each(x.Left, fn)
		each(x.Right, fn)
	case *Subscript:
		one(x.Arg, fn)
		each(x.Low, fn)
		each(x.High, fn)
	case *FieldSelect:
		one(x.Arg, fn)
	case *SubPlan:
		each(x.Args, fn)
		each(x.Test, fn)
	}
}

func one(e Expr, fn func(Expr)) {
	if e != nil {
		fn(e)
	}
}

func each(list []Expr, fn func(Expr)) {
	for _, e := range list {
		one(e, fn)
	}
}

// Rewrite rebuilds e bottom-up with fn applied to every node; unchanged parts are shared.
func Rewrite(e Expr, fn func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	r := rewriter{fn: fn}
	return fn(r.children(e))
}

// Replace rebuilds e top-down: where fn gives something, that stands in place
// of the part, which is not looked into; unchanged parts are shared.
func Replace(e Expr, fn func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	if out := fn(e); out != nil {
		return out
	}
	r := rewriter{fn: fn, down: true}
	return r.children(e)
}

// rewriter rebuilds one node; changed tells whether a child differs. down is
// Replace, else it is Rewrite.
type rewriter struct {
	fn      func(Expr) Expr
	down    bool
	changed bool
}

func (r *rewriter) one(e Expr) Expr {
	if e == nil {
		return nil
	}
	step := Rewrite
	if r.down {
		step = Replace
	}
	out := step(e, r.fn)
	r.changed = r.changed || out != e
	return out
}

func (r *rewriter) list(es []Expr) []Expr {
	if es == nil {
		return nil
	}
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = r.one(e)
	}
	return out
}

// children rebuilds e with rewritten children, or returns e itself.
func (r *rewriter) children(e Expr) Expr {
	out := r.rebuilt(e)
	if !r.changed {
		return e
	}
	return out
}

func (r *rewriter) rebuilt(e Expr) Expr {
	switch x := e.(type) {
	case *Call:
		c := *x
		c.Args = r.list(x.Args)
		return &c
	case *Cast:
		c := *x
		c.Arg = r.one(x.Arg)
		return &c
	case *And:
		return &And{Args: r.list(x.Args)}
	case *Or:
		return &Or{Args: r.list(x.Args)}
	case *Not:
		return &Not{Arg: r.one(x.Arg)}
	case *NullTest:
		return &NullTest{Arg: r.one(x.Arg), Not: x.Not}
	case *BoolTest:
		return &BoolTest{Arg: r.one(x.Arg), Want: x.Want, Not: x.Not}
	case *DistinctFrom:
		return &DistinctFrom{Left: r.one(x.Left), Right: r.one(x.Right), Eq: x.Eq, Not: x.Not}
	case *NullIf:
		return &NullIf{Left: r.one(x.Left), Right: r.one(x.Right), Eq: x.Eq, Typ: x.Typ}
	case *Coalesce:
		return &Coalesce{Args: r.list(x.Args), Typ: x.Typ}
	case *MinMax:
		return &MinMax{Args: r.list(x.Args), Least: x.Least, Typ: x.Typ}
	case *Case:
		return r.rebuiltCase(x)
	default:
		return r.rebuiltComposite(e)
	}
}

func (r *rewriter) rebuiltCase(x *Case) Expr {
	c := *x
	c.Whens = make([]When, len(x.Whens))
	for i, w := range x.Whens {
		c.Whens[i] = When{Cond: r.one(w.Cond), Result: r.one(w.Result)}
	}
	c.Else = r.one(x.Else)
	return &c
}

// rebuiltComposite is rebuilt for arrays, rows and subqueries.
func (r *rewriter) rebuiltComposite(e Expr) Expr {
	switch x := e.(type) {
	case *AnyAll:
		c := *x
		c.Left, c.Array = r.one(x.Left), r.one(x.Array)
		return &c
	case *InList:
		return &InList{Left: r.one(x.Left), List: r.list(x.List), Eq: x.Eq, Not: x.Not}
	case *ArrayCtor:
		return &ArrayCtor{Elems: r.list(x.Elems), Typ: x.Typ, Nested: x.Nested}
	case *RowCtor:
		return &RowCtor{Fields: r.list(x.Fields), Names: x.Names, Typ: x.Typ}
	case *RowCompare:
		c := *x
		c.Left, c.Right = r.list(x.Left), r.list(x.Right)
		return &c
	case *Subscript:
		c := *x
		c.Arg, c.Low, c.High = r.one(x.Arg), r.list(x.Low), r.list(x.High)
		return &c
	case *FieldSelect:
		c := *x
		c.Arg = r.one(x.Arg)
		return &c
	case *SubPlan:
		c := *x
		c.Args, c.Test = r.list(x.Args), r.list(x.Test)
		return &c
	}
	return e
}

// VolatilityOf is the worst volatility in e (subplans count as Volatile only when they contain such calls: they count Stable here).
func VolatilityOf(e Expr) Volatility {
	worst := Immutable
	Walk(e, func(x Expr) bool {
		worst = worse(worst, nodeVolatility(x))
		return worst != Volatile
	})
	return worst
}

func nodeVolatility(e Expr) Volatility {
	switch x := e.(type) {
	case *Call:
		return x.Func.Volatility
	case *Cast:
		return castVolatility(x)
	case *AnyAll:
		return x.Func.Volatility
	case *SubPlan:
		return Stable
	}
	return Immutable
}

// worse is the one that allows less.
func worse(a, b Volatility) Volatility {
	rank := func(v Volatility) int {
		switch v {
		case Volatile:
			return 2
		case Stable:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
