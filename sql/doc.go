// Package sql turns SQL text into syntax trees (sql/ast). It owns splitting a
// string into statements, the guard against input that would overflow the
// parser's stack, PostgreSQL's grammar through pg_query, and AkiDB's own
// grammar for collections and snapshots. It is the only importer of pg_query.
package sql
