// Package pgcatalog computes the relations of pg_catalog, information_schema and
// akidb from the catalog snapshot: one family a file, each relation a row in a
// table (name, columns, function that makes its rows).
package pgcatalog
