// Package expr owns bound expressions and how they are computed: the tree with
// its types (expr.go), evaluation (eval.go), the tables of functions, operators,
// casts and aggregates, one file a family, and PostgreSQL's rules by which a
// name and argument types pick one of them (resolve.go).
//
// A new function is a row in its family's table, never a branch in the
// evaluator. The package knows no tables, no plans and no storage; what a
// function needs of its session it asks through Session.
//
// Distance functions use the kernels of vectorindex/distance, the one set of
// kernels that there is.
package expr
