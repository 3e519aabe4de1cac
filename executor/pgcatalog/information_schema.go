package pgcatalog

import (
	"strconv"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// informationRows makes fixed rows of a relation of information_schema, one for
// each computed relation of the kinds wanted.
func informationRows(name string, kinds string, each func(b *builder, r *relation)) func() []types.Row {
	return func() []types.Row {
		b := &builder{
			env: &Env{Catalog: catalog.Empty()}, Definer: expr.NewDefiner(nil, catalog.Empty()),
			relation: relations().byName[[2]string{"information_schema", name}],
		}
		for _, r := range relations().list {
			if kinds == "" || r.kind == kinds {
				each(b, r)
			}
		}
		return b.rows
	}
}

// tableType tells tables from views.
func tableType(kind string) string {
	if kind == "v" {
		return "VIEW"
	}
	return "BASE TABLE"
}

var schemaTables = &source{
	fixed: informationRows("tables", "", func(b *builder, r *relation) {
		b.addTable(r.schema, r.name, tableType(r.kind), false)
	}),
	kinds: []catalog.Kind{catalog.KindTable, catalog.KindView}, name: "table_name",
	objects: func(b *builder, o catalog.Object) {
		schema, name := o.ObjectName()
		kind := "BASE TABLE"
		switch {
		case o.ObjectKind() == catalog.KindView:
			kind = "VIEW"
		case isTemporary(schema):
			kind = "LOCAL TEMPORARY"
		}
		b.addTable(schema, name, kind, kind != "VIEW")
	},
}

func isTemporary(schema string) bool { return len(schema) > 7 && schema[:8] == "pg_temp_" }

func (b *builder) addTable(schema, name, kind string, insertable bool) {
	var commit types.Datum
	if kind == "LOCAL TEMPORARY" {
		commit = "PRESERVE"
	}
	b.set("table_catalog", b.database(), "table_schema", schema, "table_name", name, "table_type", kind,
		"is_insertable_into", yesNo(insertable), "is_typed", "NO", "commit_action", commit)
}

var schemaViews = &source{
	kinds: []catalog.Kind{catalog.KindView}, name: "table_name",
	objects: func(b *builder, o catalog.Object) {
		v := o.(*catalog.View)
		b.set("table_catalog", b.database(), "table_schema", v.Schema, "table_name", v.Name, "view_definition", b.ViewDefinition(v),
			"check_option", "NONE", "is_updatable", "NO", "is_insertable_into", "NO", "is_trigger_updatable", "NO",
			"is_trigger_deletable", "NO", "is_trigger_insertable_into", "NO")
	},
}

var schemaSchemata = &source{all: func(b *builder) error {
	add := func(name, owner string) {
		b.set("catalog_name", b.database(), "schema_name", name, "schema_owner", owner)
	}
	for _, o := range b.env.Catalog.Objects(catalog.KindSchema) {
		add(o.(*catalog.Schema).Name, ownerOf(b.env.Catalog, o))
	}
	for _, name := range []string{"information_schema", "pg_catalog", "pg_toast", "akidb"} {
		add(name, superuser)
	}
	return nil
}}

var schemaSequences = &source{
	kinds: []catalog.Kind{catalog.KindSequence}, name: "sequence_name",
	objects: func(b *builder, o catalog.Object) {
		q := o.(*catalog.Sequence)
		if t := b.env.Catalog.Table(q.OwnerTable); t != nil && t.Columns[q.OwnerColumn-1].Identity != 0 {
			return // PostgreSQL shows these as properties of the column alone
		}
		b.set("sequence_catalog", b.database(), "sequence_schema", q.Schema, "sequence_name", q.Name, "data_type", b.TypeName(q.Type, types.NoTypmod),
			"numeric_precision", numberPrecision[q.Type], "numeric_precision_radix", int64(2), "numeric_scale", int64(0),
			"start_value", number(q.Start), "minimum_value", number(q.Min), "maximum_value", number(q.Max), "increment", number(q.Increment),
			"cycle_option", yesNo(q.Cycle))
	},
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

var schemaRoutines = &source{fixed: func() []types.Row {
	d := expr.NewDefiner(nil, catalog.Empty())
	b := &builder{env: &Env{Catalog: catalog.Empty()}, Definer: d, relation: relations().byName[[2]string{"information_schema", "routines"}]}
	for _, f := range expr.Functions() {
		if f.Aggregate != nil || f.Window != nil {
			continue
		}
		schema, name := d.TypeSchema(f.Result)
		b.set("specific_catalog", b.database(), "specific_schema", functionSchema(f), "specific_name", f.Name+"_"+number(int64(f.OID)),
			"routine_catalog", b.database(), "routine_schema", functionSchema(f), "routine_name", f.Name, "routine_type", "FUNCTION",
			"data_type", dataType(d, f.Result), "type_udt_catalog", b.database(), "type_udt_schema", schema, "type_udt_name", name,
			"dtd_identifier", "0", "routine_body", "EXTERNAL", "routine_definition", f.Name, "external_language", "INTERNAL",
			"parameter_style", "GENERAL", "is_deterministic", yesNo(f.Volatility == expr.Immutable), "sql_data_access", "MODIFIES",
			"is_null_call", yesNo(!f.NotStrict), "schema_level_routine", "YES", "max_dynamic_result_sets", int64(0),
			"security_type", "INVOKER", "as_locator", "NO", "is_udt_dependent", "NO")
	}
	return b.rows
}}

var schemaCatalogName = &source{all: func(b *builder) error {
	b.add(b.database())
	return nil
}}

var schemaEnabledRoles = &source{all: func(b *builder) error {
	for _, name := range b.roleNames() {
		b.add(name)
	}
	return nil
}}

var schemaCharacterSets = &source{all: func(b *builder) error {
	b.add(nil, nil, "UTF8", "UCS", "UTF8", b.database(), "pg_catalog", "default")
	return nil
}}

var schemaDomains = &source{
	kinds: []catalog.Kind{catalog.KindType}, name: "domain_name",
	objects: func(b *builder, o catalog.Object) {
		u := o.(*catalog.UserType)
		if u.Base == 0 {
			return
		}
		pairs := []types.Datum{"domain_catalog", b.database(), "domain_schema", u.Schema, "domain_name", u.Name,
			"domain_default", orNull(defaultOfDomain(b, u)), "dtd_identifier", "1"}
		b.set(append(pairs, typePairs(b.Definer, b.database(), u.Base, u.Typmod)...)...)
	},
}

func defaultOfDomain(b *builder, u *catalog.UserType) string {
	if u.Default == "" {
		return ""
	}
	return b.ExpressionText(u.Default, plan.BaseOf(b.env.Catalog, u.ID).OID)
}

// tablePrivileges are what an owner may do with a table.
var tablePrivileges = []string{"INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}

var schemaGrants = &source{
	kinds: []catalog.Kind{catalog.KindTable, catalog.KindView}, name: "table_name",
	objects: func(b *builder, o catalog.Object) {
		schema, name := o.ObjectName()
		owner := ownerOf(b.env.Catalog, o)
		for _, p := range tablePrivileges {
			b.add(owner, owner, b.database(), schema, name, p, "YES", yesNo(p == "SELECT"))
		}
	},
}

var schemaColumnGrants = &source{
	kinds: []catalog.Kind{catalog.KindTable, catalog.KindView}, name: "table_name",
	objects: func(b *builder, o catalog.Object) {
		schema, name := o.ObjectName()
		owner := ownerOf(b.env.Catalog, o)
		for _, c := range columnsOf(o) {
			for _, p := range []string{"INSERT", "SELECT", "UPDATE", "REFERENCES"} {
				if !c.Dropped {
					b.add(owner, owner, b.database(), schema, name, c.Name, p, "YES")
				}
			}
		}
	},
}

func columnsOf(o catalog.Object) []catalog.Column {
	switch o := o.(type) {
	case *catalog.Table:
		return o.Columns
	case *catalog.View:
		return o.Columns
	}
	return nil
}
