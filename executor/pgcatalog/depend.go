package pgcatalog

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Object ids of the catalogs that pg_depend and pg_description refer to.
const (
	classCatalog      types.OID = 1259
	typeCatalog       types.OID = 1247
	functionCatalog   types.OID = 1255
	constraintCatalog types.OID = 2606
	defaultCatalog    types.OID = 2604
	namespaceCatalog  types.OID = 2615
	databaseCatalog   types.OID = 1262
	extensionCatalog  types.OID = 3079
	methodCatalog     types.OID = 2601
	operatorCatalog   types.OID = 2617
	opclassCatalog    types.OID = 2616
	opfamilyCatalog   types.OID = 2753
	castCatalog       types.OID = 2605
)

var dependSource = &source{
	fixed: extensionMembers,
	kinds: relationKinds,
	objects: func(b *builder, o catalog.Object) {
		switch o := o.(type) {
		case *catalog.Table:
			b.tableDepends(o)
		case *catalog.Index:
			b.indexDepends(o)
		case *catalog.Sequence:
			b.sequenceDepends(o)
		case *catalog.View:
			b.depend(classCatalog, o.ID, namespaceCatalog, schemaOID(b.env.Catalog, o.Schema), 0, "n")
		}
	},
}

func (b *builder) depend(class, id, refClass, ref types.OID, column int16, kind string) {
	b.add(oid(class), oid(id), int64(0), oid(refClass), oid(ref), int64(column), kind)
}

func (b *builder) tableDepends(t *catalog.Table) {
	b.depend(classCatalog, t.ID, namespaceCatalog, schemaOID(b.env.Catalog, t.Schema), 0, "n")
	if t.RowType != 0 {
		b.depend(typeCatalog, t.RowType, classCatalog, t.ID, 0, "i")
	}
	if t.Parent != 0 {
		b.depend(classCatalog, t.ID, classCatalog, t.Parent, 0, "a")
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Dropped || c.Default == "" && c.Generated == "" {
			continue
		}
		kind := "a"
		if c.Generated != "" {
			kind = "i"
		}
		b.depend(defaultCatalog, defaultOID(t.ID, c.Num), classCatalog, t.ID, c.Num, kind)
		for up := t; up != nil; up = b.env.Catalog.Table(up.Parent) { // a partition shares its parent's sequence
			for _, q := range b.env.Catalog.Sequences(up.ID) {
				if q.OwnerColumn == c.Num && up.Columns[c.Num-1].Identity == 0 {
					b.depend(defaultCatalog, defaultOID(t.ID, c.Num), classCatalog, q.ID, 0, "n")
				}
			}
		}
	}
	for i := range t.Checks {
		for _, n := range t.Checks[i].Columns {
			b.depend(constraintCatalog, t.Checks[i].ID, classCatalog, t.ID, n, "a")
		}
	}
	for i := range t.Foreign {
		f := &t.Foreign[i]
		for _, n := range f.Columns {
			b.depend(constraintCatalog, f.ID, classCatalog, t.ID, n, "a")
		}
		for _, n := range f.RefColumns {
			b.depend(constraintCatalog, f.ID, classCatalog, f.RefTable, n, "n")
		}
	}
}

func (b *builder) indexDepends(x *catalog.Index) {
	for i := range x.Keys {
		switch {
		case x.Constraint != 0:
			b.depend(constraintCatalog, x.Constraint, classCatalog, x.Table, x.Keys[i].Column, "a")
		default:
			b.depend(classCatalog, x.ID, classCatalog, x.Table, x.Keys[i].Column, "a")
		}
	}
	if x.Parent != 0 {
		b.depend(classCatalog, x.ID, classCatalog, x.Parent, 0, "P")
		b.depend(classCatalog, x.ID, classCatalog, x.Table, 0, "S")
	}
	if x.Constraint != 0 {
		b.depend(classCatalog, x.ID, constraintCatalog, x.Constraint, 0, "i")
	}
}

func (b *builder) sequenceDepends(q *catalog.Sequence) {
	b.depend(classCatalog, q.ID, namespaceCatalog, schemaOID(b.env.Catalog, q.Schema), 0, "n")
	t := b.env.Catalog.Table(q.OwnerTable)
	if t == nil || q.OwnerColumn < 1 || int(q.OwnerColumn) > len(t.Columns) {
		return
	}
	kind := "a"
	if t.Columns[q.OwnerColumn-1].Identity != 0 {
		kind = "i"
	}
	b.depend(classCatalog, q.ID, classCatalog, t.ID, q.OwnerColumn, kind)
}

// extensionMembers ties what pgvector brings to its extension, so that dumps
// leave it to CREATE EXTENSION; what AkiDB brings itself is tied too, since a
// dump must not hold it either.
func extensionMembers() []types.Row {
	b := &builder{env: &Env{Catalog: catalog.Empty()}}
	member := func(class types.OID, id types.Datum) {
		b.depend(class, types.OID(id.(int64)), extensionCatalog, extensionOID, 0, "e")
	}
	b.depend(extensionCatalog, extensionOID, namespaceCatalog, publicSchemaOID, 0, "n")
	public := func(class types.OID, relation string, schema int) {
		for _, row := range sources[relation].fixed() {
			if row[schema] == int64(publicSchemaOID) || row[schema] == int64(schemaOIDs["akidb"]) {
				member(class, row[0])
			}
		}
	}
	member(namespaceCatalog, oid(schemaOIDs["akidb"]))
	for _, r := range relations().list {
		if r.schema == "akidb" {
			member(classCatalog, oid(r.oid))
		}
	}
	public(typeCatalog, "pg_type", 2)
	public(functionCatalog, "pg_proc", 2)
	public(operatorCatalog, "pg_operator", 2)
	public(opclassCatalog, "pg_opclass", 3)
	public(opfamilyCatalog, "pg_opfamily", 3)
	for _, row := range sources["pg_cast"].fixed() {
		if isVectorType(types.OID(row[1].(int64))) || isVectorType(types.OID(row[2].(int64))) {
			member(castCatalog, row[0])
		}
	}
	member(methodCatalog, oid(methodOID("hnsw")))
	member(methodCatalog, oid(methodOID("ivfflat")))
	return b.rows
}

var descriptionSource = &source{
	fixed: func() []types.Row {
		return []types.Row{{oid(extensionOID), oid(extensionCatalog), int64(0), vectorComment}}
	},
	kinds: append([]catalog.Kind{catalog.KindSchema}, relationKinds...),
	objects: func(b *builder, o catalog.Object) {
		comment := func(id, class types.OID, column int16, text string) {
			if text != "" {
				b.add(oid(id), oid(class), int64(column), text)
			}
		}
		switch o := o.(type) {
		case *catalog.Schema:
			comment(o.ID, namespaceCatalog, 0, o.Comment)
		case *catalog.Table:
			comment(o.ID, classCatalog, 0, o.Comment)
			for i := range o.Columns {
				comment(o.ID, classCatalog, o.Columns[i].Num, o.Columns[i].Comment)
			}
			for i := range o.Checks {
				comment(o.Checks[i].ID, constraintCatalog, 0, o.Checks[i].Comment)
			}
			for i := range o.Foreign {
				comment(o.Foreign[i].ID, constraintCatalog, 0, o.Foreign[i].Comment)
			}
		case *catalog.View:
			comment(o.ID, classCatalog, 0, o.Comment)
			for i := range o.Columns {
				comment(o.ID, classCatalog, o.Columns[i].Num, o.Columns[i].Comment)
			}
		case *catalog.Index:
			comment(o.ID, classCatalog, 0, o.Comment)
		case *catalog.Sequence:
			comment(o.ID, classCatalog, 0, o.Comment)
		}
	},
}

var sharedDescriptionSource = fixedTable(
	types.Row{int64(databaseOID), int64(databaseCatalog), "default administrative connection database"},
)
