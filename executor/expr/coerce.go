package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// pathKind is how one type becomes another.
type pathKind uint8

const (
	pathNone    pathKind = iota
	pathRelabel          // the datum stays
	pathFunc             // a row of the cast table
	pathIO               // through text
	pathArray            // element by element
)

var contextRank = map[CastContext]int{CastImplicit: 0, CastAssignment: 1, CastExplicit: 2}

// findPath is find_coercion_pathway of PostgreSQL.
func findPath(from, to types.OID, ctx CastContext) (pathKind, *CastRow) {
	if from == to {
		return pathRelabel, nil
	}
	switch {
	case types.IsRow(from) && to == types.RecordOID:
		return pathRelabel, nil
	case from == types.RecordOID && types.IsRow(to) && ctx != CastImplicit:
		return pathIO, nil
	}
	if row, ok := FindCast(from, to); ok {
		if contextRank[ctx] < contextRank[row.Context] {
			return pathNone, nil
		}
		switch {
		case row.Func != nil:
			return pathFunc, row
		case row.IO:
			return pathIO, row
		}
		return pathRelabel, row
	}
	if to != types.OidVectorOID && to != types.Int2VectorOID {
		if fe, te := elementOf(from), elementOf(to); fe != 0 && te != 0 {
			if kind, _ := findPath(fe, te, ctx); kind != pathNone {
				return pathArray, nil
			}
		}
	}
	if ctx != CastImplicit && category(to) == 'S' && hasText(from) {
		return pathIO, nil
	}
	if ctx == CastExplicit && category(from) == 'S' && hasText(to) {
		return pathIO, nil
	}
	return pathNone, nil
}

// hasText leaves out pseudo-types, but for record and cstring which have text forms.
func hasText(oid types.OID) bool {
	return category(oid) != 'P' || oid == types.RecordOID || oid == types.CstringOID || oid == types.VoidOID
}

// CanCoerce says whether Coerce would find a way.
func CanCoerce(from, to types.OID, ctx CastContext) bool {
	switch {
	case from == to, to == types.AnyOID, isPolymorphic(to):
		return true
	case unknownType(from):
		return true
	}
	kind, _ := findPath(from, to, ctx)
	return kind != pathNone
}

// Coerce makes e of type to. An unknown-typed string constant is parsed now, an
// unknown-typed *Param gets the type in place (the binder keeps one *Param per
// number). 42846 cannot cast / 42804 for assignment, without position.
func Coerce(env *types.Env, e Expr, to Type, ctx CastContext) (Expr, error) {
	out, err := coerceBase(env, e, to, ctx)
	if err != nil {
		return nil, err
	}
	return coerceTypmod(env, out, to, ctx)
}

func coerceBase(env *types.Env, e Expr, to Type, ctx CastContext) (Expr, error) {
	from := e.Type().OID
	if from == to.OID || to.OID == types.AnyOID || isPolymorphic(to.OID) {
		return e, nil
	}
	base := Type{OID: to.OID, Typmod: types.NoTypmod}
	if unknownType(from) {
		switch x := e.(type) {
		case *Const:
			return literal(env, x, to)
		case *Param:
			x.Typ = base
			return x, nil
		}
		if base.OID == types.TextOID {
			return &Cast{Arg: e, Typ: base, Explicit: ctx == CastExplicit}, nil
		}
		return &Cast{Arg: e, Typ: base, IO: true, Explicit: ctx == CastExplicit}, nil
	}
	kind, row := findPath(from, to.OID, ctx)
	cast := &Cast{Arg: e, Typ: base, Explicit: ctx == CastExplicit}
	switch kind {
	case pathNone:
		return nil, cannotCoerce(env, from, to.OID, ctx)
	case pathFunc:
		cast.Func = row.Func
		if len(row.Func.Args) > 1 {
			cast.Typ.Typmod = to.Typmod
		}
	case pathIO:
		cast.IO = true
	case pathArray:
		elem, err := coerceElem(env, elementOf(from), elementOf(to.OID), ctx)
		if err != nil {
			return nil, err
		}
		cast.Elem = elem
	case pathRelabel:
		if c, ok := e.(*Const); ok {
			return &Const{Value: c.Value, Typ: base}, nil
		}
	}
	return foldCast(env, cast), nil
}

// coerceElem is the cast of an array's elements; its argument only has a type.
func coerceElem(env *types.Env, from, to types.OID, ctx CastContext) (*Cast, error) {
	arg := &Const{Typ: Type{OID: from, Typmod: types.NoTypmod}}
	cast := &Cast{Arg: arg, Typ: Type{OID: to, Typmod: types.NoTypmod}, Explicit: ctx == CastExplicit}
	kind, row := findPath(from, to, ctx)
	switch kind {
	case pathNone:
		return nil, cannotCoerce(env, from, to, ctx)
	case pathFunc:
		cast.Func = row.Func
	case pathIO:
		cast.IO = true
	}
	return cast, nil
}

func cannotCoerce(env *types.Env, from, to types.OID, ctx CastContext) error {
	if ctx == CastAssignment {
		return pgerr.Newf(pgerr.DatatypeMismatch, "column is of type %s but expression is of type %s", typeName(env, to), typeName(env, from)).
			WithHint("You will need to rewrite or cast the expression.")
	}
	return pgerr.Newf(pgerr.CannotCoerce, "cannot cast type %s to %s", typeName(env, from), typeName(env, to))
}

// literal reads an untyped literal as a value of a type.
func literal(env *types.Env, c *Const, to Type) (Expr, error) {
	base := Type{OID: to.OID, Typmod: types.NoTypmod}
	if c.Value == nil {
		return &Const{Typ: base}, nil
	}
	s := c.Value.(string)
	typmod := types.NoTypmod
	if to.OID == types.IntervalOID {
		typmod = to.Typmod // INTERVAL '5' DAY: the fields decide what 5 means
		base.Typmod = typmod
	}
	v, err := types.Parse(to.OID, typmod, s, env)
	if err != nil {
		return nil, err
	}
	return &Const{Value: v, Typ: base}, nil
}

// coerceTypmod enforces to's modifier unless e has it already.
func coerceTypmod(env *types.Env, e Expr, to Type, ctx CastContext) (Expr, error) {
	if to.Typmod < 0 || e.Type().Typmod == to.Typmod || e.Type().OID != to.OID {
		return e, nil
	}
	if c, ok := e.(*Const); ok && c.Value == nil {
		return &Const{Typ: to}, nil
	}
	if c, ok := e.(*Cast); ok && c.Typ.Typmod < 0 && !c.ApplyTypmod && c.Explicit == (ctx == CastExplicit) {
		applied := *c
		applied.Typ.Typmod, applied.ApplyTypmod = to.Typmod, true
		return &applied, nil
	}
	return foldCast(env, &Cast{Arg: e, Typ: to, ApplyTypmod: true, Explicit: ctx == CastExplicit}), nil
}

// foldCast computes the cast of a constant now when that is the same at any
// time. A failing one is left: its error comes at execution.
func foldCast(env *types.Env, c *Cast) Expr {
	arg, ok := c.Arg.(*Const)
	if !ok || castVolatility(c) != Immutable {
		return c
	}
	if arg.Value == nil {
		return &Const{Typ: c.Typ}
	}
	v, err := c.Eval(&Context{Env: env})
	if err != nil {
		return c
	}
	return &Const{Value: v, Typ: c.Typ}
}

// castVolatility is Stable for what depends on settings or the catalog.
func castVolatility(c *Cast) Volatility {
	switch {
	case c.Elem != nil:
		return castVolatility(c.Elem)
	case c.Func != nil:
		return c.Func.Volatility
	case c.IO && !(immutableText(c.Arg.Type().OID) && immutableText(c.Typ.OID)):
		return Stable
	}
	return Immutable
}

// immutableText says whether a type's text form depends on no setting.
func immutableText(oid types.OID) bool {
	switch oid {
	case types.DateOID, types.TimeOID, types.TimeTZOID, types.TimestampOID, types.TimestampTZOID, types.IntervalOID, types.RecordOID:
		return false
	}
	if types.IsUserType(oid) {
		return false
	}
	for _, r := range regTypes {
		if oid == r {
			return false
		}
	}
	if e := elementOf(oid); e != 0 {
		return immutableText(e)
	}
	return true
}

// CommonType is select_common_type for CASE, UNION, VALUES, ARRAY, IN, COALESCE …:
// what names the construct in the error (42804 "CASE types integer and text cannot be matched").
func CommonType(what string, args []Expr) (Type, error) {
	oids := make([]types.OID, len(args))
	for i, a := range args {
		oids[i] = a.Type().OID
	}
	oid, bad := commonOID(oids)
	if bad != 0 {
		return Type{}, pgerr.Newf(pgerr.DatatypeMismatch, "%s types %s and %s cannot be matched", what, typeName(nil, oid), typeName(nil, bad))
	}
	out := Type{OID: oid, Typmod: types.NoTypmod}
	for i, a := range args {
		t := a.Type()
		if t.OID != oid || i > 0 && t.Typmod != out.Typmod {
			return Type{OID: oid, Typmod: types.NoTypmod}, nil
		}
		out.Typmod = t.Typmod
	}
	return out, nil
}

// commonOID is the common type; bad is the type that does not fit, 0 for none.
func commonOID(oids []types.OID) (oid, bad types.OID) {
	for _, next := range oids {
		switch {
		case unknownType(next) || next == oid:
		case oid == 0:
			oid = next
		case category(next) != category(oid):
			return oid, next
		case !preferred(0, oid) && CanCoerce(oid, next, CastImplicit) && !CanCoerce(next, oid, CastImplicit):
			oid = next
		}
	}
	if oid == 0 {
		oid = types.TextOID
	}
	return oid, 0
}
