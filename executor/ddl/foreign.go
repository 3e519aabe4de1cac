package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// foreignActions are the words for the letters of the parse tree.
var foreignActions = map[string]string{"": "", "a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

// addForeign makes a FOREIGN KEY, as ATAddForeignKeyConstraint of PostgreSQL does.
func (d *definition) addForeign(ctx context.Context, k ast.Constraint) error {
	ref, err := d.referenced(ctx, k)
	if err != nil {
		return err
	}
	f := catalog.Foreign{
		Name: k.Name, RefTable: ref.ID, OnDelete: foreignActions[k.OnDelete], OnUpdate: foreignActions[k.OnUpdate],
		MatchFull: k.MatchFull, Deferrable: k.Deferrable, InitDeferred: k.InitDeferred, NotValid: k.NotValid,
	}
	if f.Columns, err = foreignColumns(d.table, k.Columns); err != nil {
		return err
	}
	if f.SetColumns, err = foreignColumns(d.table, k.SetColumns); err != nil {
		return err
	}
	for i, n := range f.SetColumns {
		if !slices.Contains(f.Columns, n) {
			return pgerr.Newf(pgerr.InvalidColumnReference, `column "%s" referenced in ON DELETE SET action must be part of foreign key`, k.SetColumns[i])
		}
	}
	if err := d.referencedColumns(&f, ref, k.RefColumns); err != nil {
		return err
	}
	if f.Name == "" {
		f.Name = d.names.constraint(d.table, nameAddition(k.Columns), "fkey")
	} else if hasConstraint(d.s.catalog(), d.table, f.Name) {
		return constraintExists(d.table, f.Name)
	}
	if err := d.implementable(&f, ref); err != nil {
		return err
	}
	if f.ID, err = d.s.NewID(); err != nil {
		return err
	}
	d.table.Foreign = append(d.table.Foreign, f)
	if !f.NotValid {
		d.addedForeign = append(d.addedForeign, f.Name)
	}
	return nil
}

// referenced finds and locks the table that a foreign key refers to.
func (d *definition) referenced(ctx context.Context, k ast.Constraint) (*catalog.Table, error) {
	if d.table.Partitioned != nil || d.table.Parent != 0 {
		return nil, pgerr.Unsupported("FOREIGN KEY of a partitioned table").At(k.Pos)
	}
	if r := k.RefTable; r.Name == d.table.Name && (r.Schema == "" || r.Schema == d.table.Schema) {
		return d.table, nil
	}
	o, err := d.s.relation(k.RefTable)
	if err != nil {
		return nil, err
	}
	t, ok := o.(*catalog.Table)
	switch {
	case o == nil:
		return nil, d.s.noRelation(k.RefTable, "relation")
	case !ok:
		return nil, pgerr.Newf(pgerr.WrongObjectType, `referenced relation "%s" is not a table`, k.RefTable.Name)
	case t.Partitioned != nil || t.Parent != 0:
		return nil, pgerr.Unsupported("FOREIGN KEY that refers to a partitioned table").At(k.Pos)
	case d.table.Temp == 0 && t.Temp != 0:
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "constraints on permanent tables may reference only permanent tables")
	case d.table.Temp != 0 && t.Temp == 0:
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "constraints on temporary tables may reference only temporary tables")
	}
	if err := d.s.Txn.LockTable(ctx, t.ID, storage.LockShareRowExclusive, d.s.Wait); err != nil {
		return nil, err
	}
	if t = d.s.catalog().Table(t.ID); t == nil {
		return nil, d.s.noRelation(k.RefTable, "relation")
	}
	return t, nil
}

func foreignColumns(t *catalog.Table, names []string) ([]int16, error) {
	var out []int16
	for _, name := range names {
		c := t.Column(name)
		if c == nil {
			return nil, pgerr.Newf(pgerr.UndefinedColumn, `column "%s" referenced in foreign key constraint does not exist`, name)
		}
		out = append(out, c.Num)
	}
	return out, nil
}

// referencedColumns finds the key that a foreign key refers to: the primary key
// unless columns are given.
func (d *definition) referencedColumns(f *catalog.Foreign, ref *catalog.Table, names []string) (err error) {
	list := d.s.catalog().Indexes(ref.ID)
	if ref == d.table {
		list = append(slices.Clone(list), d.keysToBe()...)
	}
	if len(names) == 0 {
		at := slices.IndexFunc(list, func(x *catalog.Index) bool { return x.Primary })
		if at < 0 {
			return pgerr.Newf(pgerr.UndefinedObject, `there is no primary key for referenced table "%s"`, ref.Name)
		}
		for _, key := range list[at].Keys {
			f.RefColumns = append(f.RefColumns, key.Column)
		}
	} else if f.RefColumns, err = foreignColumns(ref, names); err != nil {
		return err
	}
	if len(f.RefColumns) != len(f.Columns) {
		return pgerr.New(pgerr.InvalidForeignKey, "number of referencing and referenced columns for foreign key disagree")
	}
	for i, n := range f.RefColumns {
		if slices.Contains(f.RefColumns[:i], n) {
			return pgerr.New(pgerr.InvalidForeignKey, "foreign key referenced-columns list must not contain duplicates")
		}
	}
	if run.KeyIndex(list, f.RefColumns) == nil {
		return pgerr.Newf(pgerr.InvalidForeignKey, `there is no unique constraint matching given keys for referenced table "%s"`, ref.Name)
	}
	return nil
}

// keysToBe are the keys that the same statement makes, as if they were valid.
func (d *definition) keysToBe() []*catalog.Index {
	var out []*catalog.Index
	for _, x := range d.indexes {
		x = x.Clone()
		x.Valid = true
		out = append(out, x)
	}
	return out
}

// implementable demands that keys can be compared and that actions can be done.
func (d *definition) implementable(f *catalog.Foreign, ref *catalog.Table) error {
	for i, n := range f.Columns {
		c, to := &d.table.Columns[n-1], &ref.Columns[f.RefColumns[i]-1]
		if !run.ForeignComparable(c.Type, to.Type) {
			return pgerr.Newf(pgerr.DatatypeMismatch, `foreign key constraint "%s" cannot be implemented`, f.Name).
				WithDetail(`Key columns "%s" and "%s" are of incompatible types: %s and %s.`, c.Name, to.Name,
					types.FormatType(c.Type, types.NoTypmod), types.FormatType(to.Type, types.NoTypmod))
		}
		for _, action := range []struct{ when, what string }{{"UPDATE", f.OnUpdate}, {"DELETE", f.OnDelete}} {
			sets := action.what == "SET NULL" || action.what == "SET DEFAULT" || action.when == "UPDATE" && action.what == "CASCADE"
			if c.Generated != "" && sets {
				return pgerr.Newf(pgerr.SyntaxError, "invalid ON %s action for foreign key constraint containing generated column", action.when)
			}
		}
	}
	return nil
}

// tryForeign demands that all rows have parents by new or newly validated foreign keys.
func (d *definition) tryForeign(ctx context.Context) error {
	for _, name := range d.addedForeign {
		key := foreign(d.table, name)
		if key == nil {
			continue
		}
		f, err := run.NewForeign(d.s.catalog(), d.table, key)
		if err != nil {
			return err
		}
		if err := d.tryRowsOf(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (d *definition) tryRowsOf(ctx context.Context, f *run.Foreign) (err error) {
	s := d.s
	s.Txn.Advance()
	s.Txn.SeeNewest()
	it, err := s.Txn.Scan(ctx, storage.ScanSpec{Table: d.table, Columns: f.Key.Columns})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	var q run.ForeignQueue
	row := make(types.Row, len(d.table.Columns))
	for {
		_, ok, err := it.Next(row)
		if err != nil || !ok {
			return err
		}
		if err := q.Written([]*run.Foreign{f}, nil, row); err != nil {
			return err
		}
		for _, e := range q.Events {
			found, err := f.HasParent(ctx, s.Txn, e.New, false, false, s.Wait)
			if err != nil {
				return err
			}
			if !found {
				return f.Missing(e.New, s.Run.Types)
			}
		}
		q.Events = q.Events[:0]
	}
}

// foreign finds a FOREIGN KEY by name, or nil.
func foreign(t *catalog.Table, name string) *catalog.Foreign {
	for i := range t.Foreign {
		if t.Foreign[i].Name == name {
			return &t.Foreign[i]
		}
	}
	return nil
}

// foreignRef is a FOREIGN KEY that a DROP takes away from a table that stays.
type foreignRef struct {
	table types.OID
	name  string
}

// followForeign takes the foreign keys to a table, or those whose key is an index or
// has a column of it, that other tables have.
func (d *deletion) followForeign(t *catalog.Table, uses func(*catalog.Foreign) bool, on string) {
	for _, other := range d.s.catalog().Referencing(t.ID) {
		if d.isGone(other) {
			continue
		}
		for _, f := range other.Foreign {
			ref := foreignRef{other.ID, f.Name}
			if f.RefTable != t.ID || !uses(&f) || slices.Contains(d.foreign, ref) {
				continue
			}
			what := "constraint " + sql.QuoteIdent(f.Name) + " on " + d.s.describe(other)
			d.reasons = append(d.reasons, what+" depends on "+on)
			d.cascaded = append(d.cascaded, what)
			d.foreign = append(d.foreign, ref)
		}
	}
}

// ofIndex says whether a foreign key relies on an index: no other is over its columns.
func (d *deletion) ofIndex(x *catalog.Index) func(*catalog.Foreign) bool {
	list := slices.DeleteFunc(slices.Clone(d.s.catalog().Indexes(x.Table)), func(y *catalog.Index) bool { return d.isGone(y) || y.ID == x.ID })
	return func(f *catalog.Foreign) bool {
		return run.KeyIndex([]*catalog.Index{x}, f.RefColumns) != nil && run.KeyIndex(list, f.RefColumns) == nil
	}
}

func anyForeign(*catalog.Foreign) bool { return true }

// dropForeign takes a foreign key off its table.
func (s *statement) dropForeign(ctx context.Context, ref foreignRef) error {
	old := s.catalog().Table(ref.table)
	if old == nil {
		return nil
	}
	o, err := s.lockForChange(ctx, old)
	old, ok := o.(*catalog.Table)
	if err != nil || !ok {
		return err
	}
	t := old.Clone()
	t.Version++
	t.Foreign = slices.DeleteFunc(t.Foreign, func(f catalog.Foreign) bool { return f.Name == ref.name })
	return s.Txn.Change(ctx, catalog.Put(t))
}

// alterForeign is ALTER CONSTRAINT … [NOT] DEFERRABLE.
func (a *alteration) alterForeign(_ context.Context, act *ast.AlterAction) error {
	f := foreign(a.table, act.Name)
	if f == nil {
		if !hasConstraint(a.s.catalog(), a.table, act.Name) {
			return noConstraint(act.Name, a.table)
		}
		return pgerr.Newf(pgerr.WrongObjectType, `constraint "%s" of relation "%s" is not a foreign key constraint`, act.Name, a.table.Name)
	}
	f.Deferrable, f.InitDeferred = act.Constraint.Deferrable, act.Constraint.InitDeferred
	return nil
}

// refuseForeign refuses what is not done to a column that foreign keys use.
func (a *alteration) refuseForeign(c *catalog.Column) error {
	used := slices.ContainsFunc(a.table.Foreign, func(f catalog.Foreign) bool { return slices.Contains(f.Columns, c.Num) })
	for _, other := range a.s.catalog().Referencing(a.table.ID) {
		for _, f := range other.Foreign {
			used = used || f.RefTable == a.table.ID && slices.Contains(f.RefColumns, c.Num)
		}
	}
	if used {
		return pgerr.Unsupported("changing the type of a column of a foreign key").WithHint("Drop the constraint, change the type, and add it again.")
	}
	return nil
}
