package ddl

import (
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// maxKeys is PostgreSQL's INDEX_MAX_KEYS.
const maxKeys = 32

// addKey makes the index of a PRIMARY KEY or UNIQUE constraint.
func (d *definition) addKey(k ast.Constraint) error {
	primary := k.Kind == ast.ConstraintPrimary
	if primary && d.hasPrimary() {
		return pgerr.Newf(pgerr.InvalidTableDefinition, `multiple primary keys for table "%s" are not allowed`, d.table.Name).At(k.Pos)
	}
	if k.UsingIndex != "" {
		return d.adoptIndex(k)
	}
	x := &catalog.Index{
		Table: d.table.ID, Schema: d.table.Schema, Method: "btree", Unique: true, Primary: primary, NullsNotDistinct: k.NullsNotDist, Version: 1,
	}
	var err error
	if x.Options, err = options(k.Options, btreeOptions); err != nil {
		return err
	}
	if err := d.keyColumns(x, k); err != nil {
		return err
	}
	x.Valid = d.table.Partitioned != nil && !(d.s.only && len(d.s.catalog().Partitions(d.table.ID)) > 0)
	if d.sameKey(x, k.Name) {
		return nil
	}
	if x.Name, err = d.keyName(k); err != nil {
		return err
	}
	if x.ID, err = d.s.NewID(); err != nil {
		return err
	}
	if x.Constraint, err = d.s.NewID(); err != nil {
		return err
	}
	d.indexes = append(d.indexes, x)
	return keyCoversPartition(d.table, x)
}

func (d *definition) hasPrimary() bool {
	isPrimary := func(x *catalog.Index) bool { return x.Primary }
	return slices.ContainsFunc(d.indexes, isPrimary) || slices.ContainsFunc(d.s.catalog().Indexes(d.table.ID), isPrimary)
}

// sameKey says whether an unnamed UNIQUE repeats a key of the same statement;
// PostgreSQL makes one index of both.
func (d *definition) sameKey(x *catalog.Index, name string) bool {
	return name == "" && slices.ContainsFunc(d.indexes, func(y *catalog.Index) bool {
		same := func(a, b catalog.IndexKey) bool { return a.Column == b.Column }
		return slices.EqualFunc(x.Keys, y.Keys, same) && slices.Equal(x.Include, y.Include) && x.NullsNotDistinct == y.NullsNotDistinct
	})
}

// keyColumns fills in the keys and the included columns.
func (d *definition) keyColumns(x *catalog.Index, k ast.Constraint) error {
	what := "unique constraint"
	if x.Primary {
		what = "primary key constraint"
	}
	if len(k.Columns)+len(k.Include) > maxKeys {
		return tooManyKeys()
	}
	var seen []int16
	for _, name := range k.Columns {
		c := d.table.Column(name)
		if c == nil {
			return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" named in key does not exist`, name).At(k.Pos)
		}
		if slices.Contains(seen, c.Num) {
			return pgerr.Newf(pgerr.DuplicateColumn, `column "%s" appears twice in %s`, name, what).At(k.Pos)
		}
		if _, err := btreeClass(c.Type, nil); err != nil {
			return err
		}
		seen = append(seen, c.Num)
		if x.Primary && !c.NotNull {
			c.NotNull = true
			d.newNotNull = append(d.newNotNull, c.Name)
		}
		x.Keys = append(x.Keys, catalog.IndexKey{Column: c.Num, Type: c.Type, Typmod: c.Typmod})
	}
	for _, name := range k.Include {
		c := d.table.Column(name)
		if c == nil {
			return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" named in key does not exist`, name).At(k.Pos)
		}
		x.Include = append(x.Include, c.Num)
	}
	return nil
}

func tooManyKeys() *pgerr.Error {
	return pgerr.Newf(pgerr.TooManyColumns, "cannot use more than %d columns in an index", maxKeys)
}

// keyName is the constraint's name, given or made up; it must be free both as a
// constraint of the table and as a relation of the schema.
func (d *definition) keyName(k ast.Constraint) (string, error) {
	if k.Name == "" {
		if k.Kind == ast.ConstraintPrimary {
			return d.names.relation(d.table.Name, "", "pkey"), nil
		}
		return d.names.relation(d.table.Name, nameAddition(append(slices.Clone(k.Columns), k.Include...)), "key"), nil
	}
	if hasConstraint(d.s.catalog(), d.table, k.Name) {
		return "", constraintExists(d.table, k.Name)
	}
	if d.names.taken[k.Name] || k.Name == d.table.Name || d.s.catalog().Relation(d.table.Schema, k.Name) != nil {
		return "", pgerr.Newf(pgerr.DuplicateTable, `relation "%s" already exists`, k.Name)
	}
	d.names.taken[k.Name] = true
	return k.Name, nil
}

// adoptIndex is ADD CONSTRAINT … USING INDEX: an existing unique index becomes a key.
func (d *definition) adoptIndex(k ast.Constraint) error {
	old, _ := d.s.catalog().Relation(d.table.Schema, k.UsingIndex).(*catalog.Index)
	switch {
	case old == nil:
		return pgerr.Newf(pgerr.UndefinedObject, `index "%s" does not exist`, k.UsingIndex).At(k.Pos)
	case old.Table != d.table.ID:
		return notUsable(k, `index "%s" does not belong to table "%s"`, old.Name, d.table.Name)
	case old.Constraint != 0:
		return notUsable(k, `index "%s" is already associated with a constraint`, old.Name)
	case !old.Valid:
		return notUsable(k, `index "%s" is not valid`, old.Name)
	case !old.Unique:
		return wrongIndex(k, `"%s" is not a unique index`, old.Name)
	case old.Predicate != "":
		return wrongIndex(k, `"%s" is a partial index`, old.Name)
	}
	x := old.Clone()
	for _, key := range x.Keys {
		if key.Column == 0 {
			return wrongIndex(k, `index "%s" contains expressions`, old.Name)
		}
		c := &d.table.Columns[key.Column-1]
		if k.Kind == ast.ConstraintPrimary && !c.NotNull {
			c.NotNull = true
			d.newNotNull = append(d.newNotNull, c.Name)
		}
	}
	if k.Name != "" && k.Name != x.Name {
		d.s.notice("00000", `ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "%s" to "%s"`, x.Name, k.Name)
		x.Name = k.Name
	}
	id, err := d.s.NewID()
	if err != nil {
		return err
	}
	x.Constraint, x.Primary = id, k.Kind == ast.ConstraintPrimary
	x.Version++
	d.adopted = append(d.adopted, x)
	return nil
}

func notUsable(k ast.Constraint, format string, args ...any) error {
	return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, format, args...).At(k.Pos)
}

func wrongIndex(k ast.Constraint, format string, args ...any) error {
	return pgerr.Newf(pgerr.WrongObjectType, format, args...).
		WithDetail("Cannot create a primary key or unique constraint using such an index.").At(k.Pos)
}

// dimensions is the dimension of a vector key, 0 when it has none.

// hasOrder says whether a type has a btree operator class.
func hasOrder(oid types.OID) bool {
	t := types.Lookup(oid)
	if t == nil || t.Category == 'P' {
		return false
	}
	if t.IsArray() {
		return hasOrder(t.Elem)
	}
	return oid != types.JSONOID && oid != types.XMLOID && t.Codec != nil && t.Codec.Compare != nil
}
