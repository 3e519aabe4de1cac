package pgcatalog

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// The object ids of what every database has.
const (
	superuser            = "postgres"
	superuserOID         = types.OID(10)
	databaseOID          = types.OID(5)
	extensionOID         = types.OID(16400)
	heapMethod           = types.OID(2)
	catalogSchemaOID     = types.OID(11)
	publicSchemaOID      = types.OID(2200)
	defaultCollation     = types.OID(100)
	cCollation           = types.OID(950)
	defaultTablespaceOID = types.OID(1663)
)

// methodOIDs are the access methods.
var methodOIDs = map[string]types.OID{
	"heap": heapMethod, "btree": 403, "hash": 405, "gist": 783, "gin": 2742, "brin": 3580, "spgist": 4000,
	"hnsw": 16401, "ivfflat": 16402,
}

func methodOID(name string) types.OID { return methodOIDs[name] }

// schemaOID is a schema's object id, 0 when there is none.
func schemaOID(cat *catalog.Snapshot, name string) types.OID {
	if id, ok := schemaOIDs[name]; ok {
		return id
	}
	if s := cat.Schema(name); s != nil {
		return s.ID
	}
	if name == "public" {
		return publicSchemaOID
	}
	return 0
}

// roleOID is a role's object id; objects without a known owner are the superuser's.
func roleOID(cat *catalog.Snapshot, name string) types.OID {
	if r := cat.Role(name); r != nil {
		return r.ID
	}
	if name == predefinedRoles[0].Name {
		return predefinedRoles[0].ID
	}
	return superuserOID
}

// ownerOf is who owns an object; an index has its table's owner.
func ownerOf(cat *catalog.Snapshot, o catalog.Object) string {
	owner := ""
	switch o := o.(type) {
	case *catalog.Table:
		owner = o.Owner
	case *catalog.Index:
		if t := cat.Table(o.Table); t != nil {
			owner = t.Owner
		}
	case *catalog.Sequence:
		owner = o.Owner
	case *catalog.View:
		owner = o.Owner
	case *catalog.Schema:
		owner = o.Owner
		if o.ID == publicSchemaOID && owner == superuser { // as initdb leaves it
			owner = predefinedRoles[0].Name
		}
	}
	if owner == "" {
		return superuser
	}
	return owner
}

func (b *builder) stats(table types.OID) storage.TableStats {
	if b.env.Stats == nil {
		return storage.TableStats{}
	}
	return b.env.Stats(table)
}

// database is the name of the database that the session is in.
func (b *builder) database() string {
	if b.env.Session == nil {
		return "postgres"
	}
	return b.env.Session.Database()
}

var namespaceSource = &source{
	fixed: func() []types.Row {
		var rows []types.Row
		for _, name := range []string{"pg_toast", "pg_catalog", "information_schema", "akidb"} {
			rows = append(rows, types.Row{oid(schemaOIDs[name]), name, oid(superuserOID), nil})
		}
		return rows
	},
	kinds: []catalog.Kind{catalog.KindSchema}, owner: "oid", name: "nspname",
	objects: func(b *builder, o catalog.Object) {
		b.add(oid(o.ObjectID()), o.(*catalog.Schema).Name, oid(roleOID(b.env.Catalog, ownerOf(b.env.Catalog, o))), nil)
	},
}

var databaseSource = &source{
	kinds: []catalog.Kind{catalog.KindDatabase}, owner: "oid", name: "datname",
	objects: func(b *builder, o catalog.Object) {
		b.add(
			oid(o.ObjectID()), o.(*catalog.Database).Name, oid(superuserOID), int64(6), "c", false, true, int64(-1), int64(0), int64(1),
			oid(defaultTablespaceOID), "C.UTF-8", "C.UTF-8", nil, nil, nil, nil,
		)
	},
}

var methodSource = &source{fixed: func() []types.Row {
	row := func(name, handler, kind string) types.Row {
		return types.Row{oid(methodOIDs[name]), name, oid(functionOID(handler)), kind}
	}
	return []types.Row{
		row("heap", "heap_tableam_handler", "t"), row("btree", "bthandler", "i"), row("hash", "hashhandler", "i"),
		row("gist", "gisthandler", "i"), row("gin", "ginhandler", "i"), row("spgist", "spghandler", "i"), row("brin", "brinhandler", "i"),
		row("hnsw", "hnswhandler", "i"), row("ivfflat", "ivfflathandler", "i"),
	}
}}

var languageSource = fixedTable(
	types.Row{int64(12), "internal", int64(10), false, false, int64(0), int64(0), int64(2246), nil},
	types.Row{int64(13), "c", int64(10), false, false, int64(0), int64(0), int64(2247), nil},
	types.Row{int64(14), "sql", int64(10), false, true, int64(0), int64(0), int64(2248), nil},
)

var collationSource = fixedTable(
	collation(100, "default", "d", -1, nil), collation(950, "C", "c", -1, "C"), collation(951, "POSIX", "c", -1, "POSIX"),
	collation(12340, "ucs_basic", "c", 6, "C"), collation(12341, "C.utf8", "c", 6, "C.utf8"),
)

func collation(id int64, name, provider string, encoding int64, locale types.Datum) types.Row {
	return types.Row{id, name, int64(catalogSchemaOID), int64(superuserOID), provider, true, encoding, locale, locale, nil, nil, nil}
}

// collationOID is a collation by name.
func collationOID(name string) types.OID {
	for _, row := range collationSource.fixed() {
		if row[1] == name {
			return types.OID(row[0].(int64))
		}
	}
	return defaultCollation
}

var tablespaceSource = fixedTable(
	types.Row{int64(1663), "pg_default", int64(10), nil, nil},
	types.Row{int64(1664), "pg_global", int64(10), nil, nil},
)

// vectorVersion is the version of pgvector whose behaviour the vector types have.
const vectorVersion = "0.8.0"

const vectorComment = "vector data type and ivfflat and hnsw access methods"

// extensionSource shows pgvector's extension always: its types, functions and
// access methods are built in, and CREATE EXTENSION changes nothing. The other
// extensions whose functions are built in are not shown, or every dump would ask
// for them.
var extensionSource = fixedTable(
	types.Row{int64(13559), "plpgsql", int64(superuserOID), int64(catalogSchemaOID), false, "1.0", nil, nil},
	types.Row{int64(extensionOID), "vector", int64(superuserOID), int64(publicSchemaOID), true, vectorVersion, nil, nil},
)

// availableExtensions are those that CREATE EXTENSION accepts.
var availableExtensions = []struct{ name, version, comment string }{
	{"pgcrypto", "1.3", "cryptographic functions"},
	{"plpgsql", "1.0", "PL/pgSQL procedural language"},
	{"uuid-ossp", "1.1", "generate universally unique identifiers (UUIDs)"},
	{"vector", vectorVersion, vectorComment},
}

var availableExtensionSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, e := range availableExtensions {
		rows = append(rows, types.Row{e.name, e.version, installedVersion(e.name), e.comment})
	}
	return rows
}}

var extensionVersionSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, e := range availableExtensions {
		rows = append(rows, types.Row{e.name, e.version, installedVersion(e.name) != nil, true, true, true, nil, nil, e.comment})
	}
	return rows
}}

func installedVersion(extension string) types.Datum {
	for _, row := range extensionSource.fixed() {
		if row[1] == extension {
			return row[5]
		}
	}
	return nil
}
