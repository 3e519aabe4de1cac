package types

import "time"

// Env is what a session's settings change in the text forms of values.
type Env struct {
	TimeZone         *time.Location
	DateStyle        string // "ISO, MDY" and the like
	IntervalStyle    string // postgres, postgres_verbose, iso_8601, sql_standard
	ExtraFloatDigits int    // >= 1 means shortest round trip
	ByteaEscape      bool   // bytea_output = escape
	// Now is the transaction's time, for 'now', 'today' and the like.
	Now time.Time
	// Names resolves names behind regclass, regtype and the like; nil outside a session.
	Names NameResolver
	// Users knows the types that users made; nil outside a session.
	Users UserTypes
}

// NameResolver turns names into object ids and back for the reg* types.
// kind is the reg type (RegclassOID, RegtypeOID, …).
type NameResolver interface {
	ResolveName(kind OID, name string) (OID, error)
	ObjectName(kind OID, oid OID) (string, bool)
}

// DefaultEnv is UTC, ISO, shortest floats.
func DefaultEnv() *Env {
	return &Env{TimeZone: time.UTC, DateStyle: "ISO, MDY", IntervalStyle: "postgres", ExtraFloatDigits: 1}
}
