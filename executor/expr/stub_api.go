package expr

import "github.com/akidb/akidb/internal/types"

// Stubs of the API under construction; each moves to its own file.

// Coerce makes e of type to. An unknown-typed string constant is parsed now, an
// unknown-typed *Param gets the type in place (the binder keeps one *Param per
// number). 42846 cannot cast / 42804 for assignment, without position.
func Coerce(env *types.Env, e Expr, to Type, ctx CastContext) (Expr, error) { return e, nil }

// CanCoerce says whether Coerce would find a way.
func CanCoerce(from, to types.OID, ctx CastContext) bool { return false }

// CommonType is select_common_type for CASE, UNION, VALUES, ARRAY, IN, COALESCE …:
// what names the construct in the error (42804 "CASE types integer and text cannot be matched").
func CommonType(what string, args []Expr) (Type, error) { return Type{}, nil }

// BindOperator picks the operator by PostgreSQL's rules and coerces the operands; left
// is nil for a prefix operator. 42883 "operator does not exist: integer + text" with hint; 42725.
func BindOperator(env *types.Env, schema, name string, left, right Expr) (*Call, error) {
	return nil, nil
}

// BindFunction picks a function, aggregate, window or set-returning function and coerces the
// arguments; names is nil or parallel to args. searchPath restricts unqualified names (nil: all).
// The result's Typ is resolved (polymorphic, ResultOf). 42883 "function f(integer) does not exist" with hint.
func BindFunction(env *types.Env, schema, name string, args []Expr, names []string, variadic bool) (*Call, error) {
	return nil, nil
}

// Equality and Less are the = and < functions over one type.
func Equality(oid types.OID) (*Function, bool) { return nil, false }

// Less is the < function over one type.
func Less(oid types.OID) (*Function, bool) { return nil, false }

// Fold computes immutable parts of e that have no columns or parameters. A part
// that fails is left, so that the error comes at execution, as in PostgreSQL.
func Fold(env *types.Env, e Expr) Expr { return e }

// Walk calls fn for e and, while it returns true, for its children.
func Walk(e Expr, fn func(Expr) bool) {}

// Rewrite rebuilds e bottom-up with fn applied to every node; unchanged parts are shared.
func Rewrite(e Expr, fn func(Expr) Expr) Expr { return e }

// String prints e as EXPLAIN does: (price < '20'::numeric).
func String(e Expr) string { return "" }

// VolatilityOf is the worst volatility in e (subplans count as Volatile only when they contain such calls: they count Stable here).
func VolatilityOf(e Expr) Volatility { return Immutable }

// Equal says whether two expressions are the same (GROUP BY matching).
func Equal(a, b Expr) bool { return false }
