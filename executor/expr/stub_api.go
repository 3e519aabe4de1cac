package expr

import "github.com/akidb/akidb/internal/types"

// Stubs of the API under construction; each moves to its own file.

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
