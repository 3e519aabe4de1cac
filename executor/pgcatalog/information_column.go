package pgcatalog

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

var schemaColumns = &source{
	fixed: informationRows("columns", "", func(b *builder, r *relation) {
		for i, c := range r.columns {
			b.addColumn(r.schema, r.name, &catalog.Column{
				Num: c.Attnum, Name: c.Name, Type: c.Type.OID, Typmod: types.NoTypmod, NotNull: r.notNull[i],
			}, nil, false)
		}
	}),
	kinds: []catalog.Kind{catalog.KindTable, catalog.KindView}, name: "table_name",
	objects: func(b *builder, o catalog.Object) {
		schema, name := o.ObjectName()
		columns := columnsOf(o)
		for i := range columns {
			c := &columns[i]
			if c.Dropped {
				continue
			}
			var identity *catalog.Sequence
			for _, q := range b.env.Catalog.Sequences(o.ObjectID()) {
				if q.OwnerColumn == c.Num && c.Identity != 0 {
					identity = q
				}
			}
			b.addColumn(schema, name, c, identity, o.ObjectKind() == catalog.KindTable)
		}
	},
}

func (b *builder) addColumn(schema, table string, c *catalog.Column, identity *catalog.Sequence, updatable bool) {
	typ, typmod := c.Declared()
	pairs := []types.Datum{
		"table_catalog", b.database(), "table_schema", schema, "table_name", table, "column_name", c.Name,
		"ordinal_position", int64(c.Num), "is_nullable", yesNo(!c.NotNull), "dtd_identifier", number(int64(c.Num)),
		"is_self_referencing", "NO", "is_identity", yesNo(c.Identity != 0), "identity_cycle", "NO",
		"is_generated", "NEVER", "is_updatable", yesNo(updatable),
	}
	if u, ok := b.env.Catalog.Object(typ).(*catalog.UserType); ok && u.Base != 0 {
		pairs = append(pairs, "domain_catalog", b.database(), "domain_schema", u.Schema, "domain_name", u.Name)
		typ, typmod = u.Base, u.Typmod
		if u.NotNull {
			pairs = append(pairs, "is_nullable", "NO")
		}
	}
	pairs = append(pairs, typePairs(b.Definer, b.database(), typ, typmod)...)
	if name := b.collationShown(c); name != "" {
		pairs = append(pairs, "collation_catalog", b.database(), "collation_schema", "pg_catalog", "collation_name", name)
	}
	switch {
	case c.Generated != "":
		pairs = append(pairs, "is_generated", "ALWAYS", "generation_expression", b.DefaultText(c))
	case c.Default != "":
		pairs = append(pairs, "column_default", b.DefaultText(c))
	}
	if identity != nil {
		generation := "BY DEFAULT"
		if c.Identity == 'a' {
			generation = "ALWAYS"
		}
		pairs = append(pairs, "identity_generation", generation, "identity_start", number(identity.Start),
			"identity_increment", number(identity.Increment), "identity_maximum", number(identity.Max),
			"identity_minimum", number(identity.Min), "identity_cycle", yesNo(identity.Cycle))
	}
	b.set(pairs...)
}

// collationShown is a column's collation, "" for the default one.
func (b *builder) collationShown(c *catalog.Column) string {
	switch {
	case c.Collation != "" && c.Collation != "default":
		return c.Collation
	case factsOf(b.env.Catalog, c.Type).collation == cCollation:
		return "C"
	}
	return ""
}

var schemaElementTypes = &source{
	kinds: []catalog.Kind{catalog.KindTable, catalog.KindView}, name: "object_name",
	objects: func(b *builder, o catalog.Object) {
		schema, name := o.ObjectName()
		for _, c := range columnsOf(o) {
			t := types.Lookup(c.Type)
			if t == nil || !t.IsArray() || c.Dropped {
				continue
			}
			elemSchema, elemName := b.TypeSchema(t.Elem)
			b.set("object_catalog", b.database(), "object_schema", schema, "object_name", name, "object_type", "TABLE",
				"collection_type_identifier", number(int64(c.Num)), "data_type", dataType(b.Definer, t.Elem),
				"udt_catalog", b.database(), "udt_schema", elemSchema, "udt_name", elemName, "dtd_identifier", "a"+number(int64(c.Num)))
		}
	},
}
