// Package ddl changes the schema: it turns CREATE, ALTER, DROP and the like into
// catalog changes, checks them, and has the rows follow. One kind of object a file.
//
// It owns the rules of PostgreSQL's commands: who may do what, which names are
// taken, which names are made up, what depends on what. It never reads or writes
// anything but through the transaction, and it keeps nothing between statements.
//
// Invariants: a name is locked before the catalog is asked whether it is free; a
// table is locked before it is changed; every change of a table or an index
// raises its Version; an expression in the catalog is text that sql.ParseExpr
// takes, and was bound once before it was stored; the relations in a view's text
// are qualified with their schema.
package ddl
