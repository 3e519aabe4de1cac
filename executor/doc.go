// Package executor runs statements: sessions, transactions, prepared statements,
// portals, DDL, and one op_*.go per plan operator. It reads and writes rows only
// through Source (source.go), which it declares and which tiering's manager
// satisfies; executor/plan makes the plans, executor/expr evaluates expressions,
// executor/pgcatalog answers for pg_catalog and information_schema.
package executor
