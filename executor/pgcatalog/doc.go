// Package pgcatalog computes the relations of pg_catalog, information_schema and
// akidb from the catalog snapshot: one family a file, each relation a row of
// relations.txt (name, object id, kind, columns, as PostgreSQL 16 has them) and,
// unless it is always empty, a source of rows in the table of registry.go.
//
// A source says which rows are the system's own (made once, indexed by column on
// demand) and which belong to an object of the catalog, and in which columns
// that object's id and name stand: a lookup by one of them makes the rows of
// that object alone. Nothing here is stored and nothing is written.
package pgcatalog
