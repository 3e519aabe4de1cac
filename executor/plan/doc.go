// Package plan turns syntax trees into plans: it binds names and types
// (bind_*.go), chooses how to read and join (one rule a file; the nearest
// neighbour search is one rule, knn.go), and prints plans (explain.go). A Plan
// is immutable: it is made once when a statement is prepared and shared by its
// executions, which keep all their state elsewhere.
//
// While a query level is bound, the columns of all its FROM items lie side by
// side in one logical row (scope.go, from.go); the joiner (join.go) decides how
// they are read and joined and where they are in the rows in fact, and what was
// bound is rewritten to that. Subqueries, views and WITH queries that only
// choose rows and columns, and EXISTS, are bound into the level itself
// (pullup.go).
//
// Rows: a scan's output row has one place per column of the table (attnum-1,
// dropped ones included; columns that nobody needs stay nil), a join's is the
// left row followed by the right row, and every other node's is what its fields
// say. expr.Column.Index counts those places.
package plan
