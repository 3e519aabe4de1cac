package pgcatalog

import (
	"slices"

	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

var constraintSource = &source{all: func(b *builder) error {
	cat := b.env.Catalog
	switch id, ok := b.wanted(7).(int64); {
	case ok && id != 0:
		if t := cat.Table(types.OID(id)); t != nil {
			b.addConstraints(t)
		}
		return nil
	case !ok:
		for _, o := range cat.Objects(catalog.KindTable) {
			b.addConstraints(o.(*catalog.Table))
		}
	}
	for _, o := range cat.Objects(catalog.KindType) {
		u := o.(*catalog.UserType)
		for i := range u.Checks {
			c := &u.Checks[i]
			b.addConstraint(constraint{oid: c.ID, name: c.Name, schema: u.Schema, kind: "c", typ: u.ID, valid: !c.NotValid, text: b.CheckText(c)})
		}
	}
	return nil
}}

// constraint is what differs between the rows of pg_constraint.
type constraint struct {
	oid          types.OID
	name, schema string
	kind         string
	table, typ   types.OID
	index        types.OID
	valid        bool
	parent       types.OID // the constraint of the partitioned table
	inherited    bool
	columns      []int16
	foreign      *catalog.Foreign
	text         string
}

func (b *builder) addConstraints(t *catalog.Table) {
	for _, c := range constraintsOf(b.Definer, t) {
		b.addConstraint(c)
	}
}

// constraintsOf lists a table's constraints: keys, checks, foreign keys.
func constraintsOf(d *expr.Definer, t *catalog.Table) []constraint {
	var out []constraint
	for _, x := range d.Catalog.Indexes(t.ID) {
		if x.Constraint == 0 {
			continue
		}
		kind := "u"
		if x.Primary {
			kind = "p"
		}
		parent := types.OID(0)
		if up, ok := d.Catalog.Object(x.Parent).(*catalog.Index); ok {
			parent = up.Constraint
		}
		out = append(out, constraint{
			parent: parent, inherited: parent != 0,
			oid: x.Constraint, name: x.Name, schema: t.Schema, kind: kind, table: t.ID, index: x.ID, valid: true, columns: expr.KeyColumns(x),
		})
	}
	above := d.Catalog.Table(t.Parent)
	for i := range t.Checks {
		c := &t.Checks[i]
		inherited := above != nil && slices.ContainsFunc(above.Checks, func(k catalog.Check) bool { return k.Name == c.Name })
		out = append(out, constraint{
			oid: c.ID, name: c.Name, schema: t.Schema, kind: "c", table: t.ID, valid: !c.NotValid, inherited: inherited, columns: c.Columns, text: d.CheckText(c),
		})
	}
	for i := range t.Foreign {
		f := &t.Foreign[i]
		out = append(out, constraint{
			oid: f.ID, name: f.Name, schema: t.Schema, kind: "f", table: t.ID, valid: !f.NotValid, columns: f.Columns, foreign: f,
			index: referencedKey(d.Catalog, f),
		})
	}
	return out
}

// referencedKey is the unique index that a foreign key refers to.
func referencedKey(cat *catalog.Snapshot, f *catalog.Foreign) types.OID {
	for _, x := range cat.Indexes(f.RefTable) {
		if x.Unique && sameColumns(expr.KeyColumns(x), f.RefColumns) {
			return x.ID
		}
	}
	return 0
}

func sameColumns(a, b []int16) bool {
	if len(a) != len(b) {
		return false
	}
	in := map[int16]bool{}
	for _, n := range a {
		in[n] = true
	}
	for _, n := range b {
		if !in[n] {
			return false
		}
	}
	return true
}

// actionLetters are confupdtype and confdeltype.
var actionLetters = map[string]string{
	"": "a", "NO ACTION": "a", "RESTRICT": "r", "CASCADE": "c", "SET NULL": "n", "SET DEFAULT": "d",
}

func (b *builder) addConstraint(c constraint) {
	var columns, refColumns, equal types.Datum
	if len(c.columns) > 0 {
		columns = int2array(c.columns)
	}
	ref, onUpdate, onDelete, match := types.OID(0), " ", " ", " "
	var deferrable, deferred bool
	var setColumns types.Datum
	if f := c.foreign; f != nil {
		ref, match, deferrable, deferred = f.RefTable, "s", f.Deferrable, f.InitDeferred
		if f.MatchFull {
			match = "f"
		}
		if len(f.SetColumns) > 0 {
			setColumns = int2array(f.SetColumns)
		}
		onUpdate, onDelete = actionLetters[strings.ToUpper(f.OnUpdate)], actionLetters[strings.ToUpper(f.OnDelete)]
		refColumns, equal = int2array(f.RefColumns), oidarray(b.equalityOperators(f))
	}
	b.add(
		oid(c.oid), c.name, oid(schemaOID(b.env.Catalog, c.schema)), c.kind, deferrable, deferred, c.valid, oid(c.table), oid(c.typ), oid(c.index),
		oid(c.parent), oid(ref), onUpdate, onDelete, match, !c.inherited, ancestors(c.inherited), c.kind != "c", columns, refColumns, equal, equal, equal, setColumns, nil, orNull(c.text),
	)
}

// equalityOperators are the operators that compare a foreign key's columns.
func (b *builder) equalityOperators(f *catalog.Foreign) []types.OID {
	ref := b.env.Catalog.Table(f.RefTable)
	if ref == nil {
		return nil
	}
	out := make([]types.OID, len(f.RefColumns))
	for i, n := range f.RefColumns {
		typ := ref.Columns[n-1].Type
		if o, ok := expr.FindOperator("=", typ, typ); ok {
			out[i] = o.OID
		}
	}
	return out
}
