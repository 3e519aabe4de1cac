// Package catalog describes the schema: tables (collections), their columns and
// constraints, indexes, sequences, views, roles. A Snapshot is immutable; a
// change makes a new one (Apply). Nothing here does I/O: internal/rowstore keeps
// the descriptors as JSON, one key each, and loads them at open.
//
// Object ids are shared by all kinds of objects (they are pg_class.oid and the
// like), never reused, and stable for the life of a data directory.
package catalog
