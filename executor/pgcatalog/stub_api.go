package pgcatalog

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Stubs of the API under construction; each moves to its own file.

// Env is what relations are computed from.
type Env struct {
	Session expr.Session
	Catalog *catalog.Snapshot
	Stats   func(table types.OID) storage.TableStats
	// Activity lists sessions (pg_stat_activity), Locks, Settings, Prepared, Cursors and
	// Progress give what only the executor knows, as rows of those relations.
	Dynamic map[string]func() ([]types.Row, error)
}

// Columns gives a relation's columns (Table is its oid, Attnum set); nil when there is none.
func Columns(schema, name string) []plan.Column { return nil }

// Open starts reading a relation. lookups are hints that rows may be restricted by.
func Open(env *Env, schema, name string, lookups []Lookup) (func() (types.Row, error), error) {
	return nil, nil
}

// Lookup is a column (position) that must equal a value.
type Lookup struct {
	Column int
	Value  types.Datum
}

// Names implements types.NameResolver for reg* types over a session.
func Names(env *Env) types.NameResolver { return nil }
