package expr

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// BindFunction picks a function, aggregate, window or set-returning function and coerces the
// arguments; names is nil or parallel to args. An unqualified name is looked for in all schemas.
// The result's Typ is resolved (polymorphic, ResultOf). 42883 "function f(integer) does not exist" with hint.
func BindFunction(env *types.Env, schema, name string, args []Expr, names []string, variadic bool) (*Call, error) {
	actual := typesOf(args)
	all := functionCandidates(schema, name, len(args), names, variadic)
	c := exactFunction(all, actual)
	if c == nil {
		if call, err := bindAsCast(env, schema, name, args, names, variadic); call != nil || err != nil {
			return call, err
		}
		fitting := matchArgs(all, actual)
		switch len(fitting) {
		case 0:
			return nil, functionError(env, schema, name, actual, names)
		case 1:
			c = &fitting[0]
		default:
			if c = selectCandidate(fitting, actual); c == nil {
				return nil, pgerr.Newf(pgerr.AmbiguousFunction, "function %s is not unique", signature(env, schema, name, actual, names)).
					WithHint("Could not choose a best candidate function. You might need to add explicit type casts.")
			}
		}
	}
	return c.call(env, args, actual, variadic)
}

// functionCandidates is FuncnameGetCandidates: the functions of a name that can
// take so many arguments, with their declared types put into the call's order.
func functionCandidates(schema, name string, n int, names []string, variadic bool) []candidate {
	var out []candidate
	for _, f := range FunctionsNamed(name) {
		if !inSchema(f.Schema, schema) {
			continue
		}
		c, ok := fit(f, n, names, variadic)
		if !ok {
			continue
		}
		out = addCandidate(out, c)
	}
	return out
}

// addCandidate drops the worse of two with the same arguments: one that is
// expanded, or one that needs more defaults.
func addCandidate(all []candidate, c candidate) []candidate {
	for i := range all {
		o := &all[i]
		if !slices.Equal(o.args, c.args) {
			continue
		}
		switch {
		case o.expanded && !c.expanded, o.expanded == c.expanded && o.defaulted > c.defaulted:
			*o = c
			return all
		case c.expanded && !o.expanded, o.expanded == c.expanded && o.defaulted < c.defaulted:
			return all
		}
	}
	return append(all, c)
}

func fit(f *Function, n int, names []string, variadic bool) (candidate, bool) {
	c := candidate{fn: f}
	if slices.ContainsFunc(names, func(s string) bool { return s != "" }) {
		return fitNamed(f, n, names, variadic)
	}
	params := len(f.Args)
	switch {
	case variadic && f.Variadic == 0:
		return c, false
	case f.Variadic != 0 && !variadic && n >= params:
		c.args = slices.Clone(f.Args[:params-1])
		for range n - params + 1 {
			c.args = append(c.args, f.Variadic)
		}
		c.expanded = true
		return c, true
	case n == params:
		c.args = f.Args
		return c, true
	case n < params && n+f.Defaults >= params:
		c.args, c.defaulted = f.Args[:n], params-n
		return c, true
	}
	return c, false
}

// fitNamed is MatchNamedCall: positional arguments first, then named ones; what
// is left out must have a default.
func fitNamed(f *Function, n int, names []string, variadic bool) (candidate, bool) {
	c := candidate{fn: f, place: make([]int, n), args: make([]types.OID, n)}
	if n > len(f.Args) || f.Variadic != 0 && !variadic {
		return c, false
	}
	taken := make([]bool, len(f.Args))
	for i := range n {
		p := i
		if names[i] != "" {
			if p = slices.Index(f.ArgNames, names[i]); p < 0 || p >= len(f.Args) {
				return c, false
			}
		}
		if taken[p] {
			return c, false
		}
		taken[p], c.place[i], c.args[i] = true, p, f.Args[p]
	}
	for p, t := range taken {
		if !t && p < len(f.Args)-f.Defaults {
			return c, false
		}
	}
	c.defaulted = len(f.Args) - n
	return c, true
}

func exactFunction(all []candidate, actual []types.OID) *candidate {
	for i := range all {
		if slices.Equal(all[i].args, actual) {
			return &all[i]
		}
	}
	return nil
}

// bindAsCast takes text(x), float8('1') and the like as casts, when the name is
// that of a type and no function takes just this type.
func bindAsCast(env *types.Env, schema, name string, args []Expr, names []string, variadic bool) (*Call, error) {
	if len(args) != 1 || variadic || len(names) > 0 && names[0] != "" || schema != "" && schema != "pg_catalog" && schema != "public" {
		return nil, nil
	}
	t := types.ByName(name)
	if t == nil || t.Category == 'P' || strings.HasPrefix(name, "_") {
		return nil, nil
	}
	from := args[0].Type().OID
	if !unknownType(from) {
		kind, _ := findPath(from, t.OID, CastExplicit)
		if kind != pathRelabel && kind != pathIO || kind == pathIO && from == types.RecordOID && t.Category == 'S' {
			return nil, nil
		}
	}
	to := Type{OID: t.OID, Typmod: types.NoTypmod}
	arg, err := Coerce(env, args[0], to, CastExplicit)
	if err != nil {
		return nil, err
	}
	f := &Function{Name: name, Args: []types.OID{t.OID}, Result: t.OID, Volatility: Immutable,
		Eval: func(_ *Context, args []types.Datum) (types.Datum, error) { return args[0], nil }}
	return &Call{Func: f, Args: []Expr{arg}, Typ: to, Implicit: true}, nil
}

// call coerces the arguments and fills in what was left out.
func (c *candidate) call(env *types.Env, args []Expr, actual []types.OID, variadic bool) (*Call, error) {
	declared, result, err := resolveSignature(env, c.args, actual, c.fn.Result)
	if err != nil {
		return nil, err
	}
	coerced, err := coerceArgs(env, args, declared)
	if err != nil {
		return nil, err
	}
	call := &Call{Func: c.fn, Args: c.arrange(coerced), Variadic: variadic, Typ: Type{OID: result, Typmod: types.NoTypmod}}
	if c.expanded && c.fn.Variadic != types.AnyOID {
		call.Args = collectVariadic(c.fn, call.Args, declared)
	}
	if c.fn.ResultOf != nil {
		call.Typ = c.fn.ResultOf(argTypes(call.Args))
	}
	return specialise(call, "", declared), nil
}

// arrange puts the arguments into the function's order, with its defaults.
func (c *candidate) arrange(args []Expr) []Expr {
	if c.place == nil && c.defaulted == 0 {
		return args
	}
	f := c.fn
	out := make([]Expr, len(f.Args))
	for i, a := range args {
		p := i
		if c.place != nil {
			p = c.place[i]
		}
		out[p] = a
	}
	first := len(f.Args) - f.Defaults
	for p := range out {
		if out[p] == nil {
			var v types.Datum
			if p-first < len(f.DefaultValues) {
				v = f.DefaultValues[p-first]
			}
			out[p] = &Const{Value: v, Typ: Type{OID: f.Args[p], Typmod: types.NoTypmod}}
		}
	}
	return out
}

// collectVariadic makes an array of the trailing arguments, as the function
// declares it. VARIADIC "any" gets them one by one.
func collectVariadic(f *Function, args []Expr, declared []types.OID) []Expr {
	fixed := len(f.Args) - 1
	elem := declared[len(declared)-1]
	array := &ArrayCtor{Elems: args[fixed:], Typ: Type{OID: arrayOf(elem), Typmod: types.NoTypmod}}
	return append(slices.Clone(args[:fixed]), array)
}

func functionError(env *types.Env, schema, name string, actual []types.OID, names []string) error {
	return pgerr.Newf(pgerr.UndefinedFunction, "function %s does not exist", signature(env, schema, name, actual, names)).
		WithHint("No function matches the given name and argument types. You might need to add explicit type casts.")
}

// signature is a call as errors print it: schema.f(integer, b => text).
func signature(env *types.Env, schema, name string, actual []types.OID, names []string) string {
	var b strings.Builder
	if schema != "" {
		b.WriteString(schema + ".")
	}
	b.WriteString(name + "(")
	for i, oid := range actual {
		if i > 0 {
			b.WriteString(", ")
		}
		if i < len(names) && names[i] != "" {
			b.WriteString(names[i] + " => ")
		}
		b.WriteString(typeName(env, oid))
	}
	b.WriteString(")")
	return b.String()
}
