// Package types owns values: the Go representation of every SQL type (Datum),
// its text and binary forms as PostgreSQL and pgvector define them, its order
// (Compare and the order-preserving key encoding), and the small identifiers
// that every room shares (OID, RowID, Metric, Tier).
//
// It never does I/O and knows no tables. Everything about a type is one row of
// the type table (type.go), so that a new type is a new row and its codec, not
// a new branch somewhere else.
package types
