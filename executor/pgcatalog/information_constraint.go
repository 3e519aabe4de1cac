package pgcatalog

import (
	"fmt"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// constraintTypes are information_schema's words for pg_constraint.contype.
var constraintTypes = map[string]string{"p": "PRIMARY KEY", "u": "UNIQUE", "c": "CHECK", "f": "FOREIGN KEY"}

// eachConstraint makes a source that is asked for each constraint of each table.
func eachConstraint(table string, each func(b *builder, t *catalog.Table, c constraint)) *source {
	return &source{
		kinds: []catalog.Kind{catalog.KindTable}, name: table,
		objects: func(b *builder, o catalog.Object) {
			t := o.(*catalog.Table)
			for _, c := range constraintsOf(b.Definer, t) {
				each(b, t, c)
			}
		},
	}
}

// notNullName is the name under which the standard's views show NOT NULL.
func (b *builder) notNullName(t *catalog.Table, c *catalog.Column) string {
	return fmt.Sprintf("%d_%d_%d_not_null", schemaOID(b.env.Catalog, t.Schema), t.ID, c.Num)
}

var schemaTableConstraints = &source{
	kinds: []catalog.Kind{catalog.KindTable}, name: "table_name",
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		add := func(name, kind string, deferrable, deferred bool, distinct types.Datum) {
			b.add(b.database(), t.Schema, name, b.database(), t.Schema, t.Name, kind, yesNo(deferrable), yesNo(deferred), "YES", distinct)
		}
		for _, c := range constraintsOf(b.Definer, t) {
			var distinct types.Datum
			if x, ok := b.env.Catalog.Object(c.index).(*catalog.Index); ok && c.kind == "u" {
				distinct = yesNo(!x.NullsNotDistinct)
			}
			deferrable := c.foreign != nil && c.foreign.Deferrable
			add(c.name, constraintTypes[c.kind], deferrable, deferrable && c.foreign.InitDeferred, distinct)
		}
		for _, c := range t.Live() {
			if c.NotNull {
				add(b.notNullName(t, c), "CHECK", false, false, nil)
			}
		}
	},
}

var schemaChecks = &source{all: func(b *builder) error {
	for _, o := range b.env.Catalog.Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		for i := range t.Checks {
			b.add(b.database(), t.Schema, t.Checks[i].Name, "("+b.CheckText(&t.Checks[i])+")")
		}
		for _, c := range t.Live() {
			if c.NotNull {
				b.add(b.database(), t.Schema, b.notNullName(t, c), c.Name+" IS NOT NULL")
			}
		}
	}
	for _, o := range b.env.Catalog.Objects(catalog.KindType) {
		u := o.(*catalog.UserType)
		for i := range u.Checks {
			b.add(b.database(), u.Schema, u.Checks[i].Name, "("+b.CheckText(&u.Checks[i])+")")
		}
	}
	return nil
}}

var schemaKeyColumns = eachConstraint("table_name", func(b *builder, t *catalog.Table, c constraint) {
	if c.kind == "c" {
		return
	}
	for i, n := range c.columns {
		var position types.Datum
		if c.foreign != nil {
			position = b.positionInKey(c, i)
		}
		b.add(b.database(), t.Schema, c.name, b.database(), t.Schema, t.Name, t.Columns[n-1].Name, int64(i+1), position)
	}
})

// positionInKey is where the column that a foreign key's column refers to stands
// in the key.
func (b *builder) positionInKey(c constraint, i int) types.Datum {
	x, ok := b.env.Catalog.Object(c.index).(*catalog.Index)
	if !ok {
		return nil
	}
	for k := range x.Keys {
		if x.Keys[k].Column == c.foreign.RefColumns[i] {
			return int64(k + 1)
		}
	}
	return nil
}

// used gives the table and columns that a constraint is about: of a foreign key
// those that it refers to.
func (b *builder) used(t *catalog.Table, c constraint) (*catalog.Table, []int16) {
	if c.foreign != nil {
		return b.env.Catalog.Table(c.foreign.RefTable), c.foreign.RefColumns
	}
	return t, c.columns
}

var schemaConstraintColumns = eachConstraint("", func(b *builder, t *catalog.Table, c constraint) {
	table, columns := b.used(t, c)
	if table == nil {
		return
	}
	for _, n := range columns {
		b.add(b.database(), table.Schema, table.Name, table.Columns[n-1].Name, b.database(), t.Schema, c.name)
	}
})

var schemaConstraintTables = eachConstraint("", func(b *builder, t *catalog.Table, c constraint) {
	if table, _ := b.used(t, c); table != nil && c.kind != "c" {
		b.add(b.database(), table.Schema, table.Name, b.database(), t.Schema, c.name)
	}
})

var schemaReferences = eachConstraint("", func(b *builder, t *catalog.Table, c constraint) {
	if c.foreign == nil {
		return
	}
	var schema, name types.Datum
	if x, ok := b.env.Catalog.Object(c.index).(*catalog.Index); ok {
		schema, name = x.Schema, x.Name
	}
	rule := func(action string) string {
		if action == "" {
			return "NO ACTION"
		}
		return action
	}
	match := "NONE"
	if c.foreign.MatchFull {
		match = "FULL"
	}
	b.add(b.database(), t.Schema, c.name, b.database(), schema, name, match, rule(c.foreign.OnUpdate), rule(c.foreign.OnDelete))
})
