package ddl

import (
	"context"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// maxReported is how many dependent objects a message lists (MAX_REPORTED_DEPS).
const maxReported = 100

// deletion is what a DROP takes away: the objects named, what belongs to them
// (indexes, owned sequences), and what depends on them, which goes only with CASCADE.
type deletion struct {
	s       *statement
	cascade bool
	roots   []catalog.Object
	// heading is what the error calls the thing dropped when it is no object (a column).
	heading  string
	gone     map[types.OID]bool
	objects  []catalog.Object
	defaults []columnDefault
	columns  []columnDefault // of a type that goes
	foreign  []foreignRef
	reasons  []string // view v depends on table t
	cascaded []string // view v
}

// columnDefault names a column whose default goes.
type columnDefault struct {
	table  *catalog.Table
	column int16
}

func (s *statement) deletion(cascade bool) *deletion {
	return &deletion{s: s, cascade: cascade, gone: map[types.OID]bool{}}
}

// root adds an object that the statement names.
func (d *deletion) root(o catalog.Object) {
	if !d.isGone(o) {
		d.roots = append(d.roots, o)
		d.take(o)
	}
}

func (d *deletion) isGone(o catalog.Object) bool { return d.gone[o.ObjectID()] }

// take marks an object and what belongs to it.
func (d *deletion) take(o catalog.Object) {
	d.gone[o.ObjectID()] = true
	d.objects = append(d.objects, o)
	var parts []catalog.Object
	switch o := o.(type) {
	case *catalog.Table:
		parts = d.s.parts(o)
		for _, p := range d.s.catalog().Partitions(o.ID) {
			parts = append(parts, p)
		}
	case *catalog.Index:
		for _, x := range d.s.catalog().IndexParts(o) {
			parts = append(parts, x)
		}
	}
	for _, part := range parts {
		if !d.isGone(part) {
			d.take(part)
		}
	}
}

// parts are the objects that go with a table without saying.
func (s *statement) parts(t *catalog.Table) []catalog.Object {
	var out []catalog.Object
	for _, x := range s.catalog().Indexes(t.ID) {
		out = append(out, x)
	}
	for _, q := range s.catalog().Sequences(t.ID) {
		out = append(out, q)
	}
	return out
}

// follow takes what depends on an object.
func (d *deletion) follow(o catalog.Object) error {
	for _, dep := range d.s.dependents(o) {
		if d.isGone(dep) {
			continue
		}
		if err := d.depend(dep, d.s.describe(o)); err != nil {
			return err
		}
	}
	if t, ok := o.(*catalog.Table); ok {
		for _, p := range d.s.catalog().Partitions(t.ID) {
			if err := d.follow(p); err != nil {
				return err
			}
		}
		for _, q := range d.s.catalog().Sequences(t.ID) {
			if err := d.followDefaults(q); err != nil {
				return err
			}
		}
		d.followForeign(t, anyForeign, d.s.describe(t))
	}
	switch o := o.(type) {
	case *catalog.Sequence:
		return d.followDefaults(o)
	case *catalog.Index:
		d.followForeign(d.s.catalog().Table(o.Table), d.ofIndex(o), d.s.describe(o))
	case *catalog.UserType:
		return d.followType(o)
	}
	return nil
}

// depend takes an object because of another one.
func (d *deletion) depend(dep catalog.Object, on string) error {
	d.reasons = append(d.reasons, d.s.describe(dep)+" depends on "+on)
	d.cascaded = append(d.cascaded, d.s.describe(dep))
	d.take(dep)
	return d.follow(dep)
}

// dependents are the objects that cannot be without another, by age.
func (s *statement) dependents(o catalog.Object) []catalog.Object {
	switch o := o.(type) {
	case *catalog.Table, *catalog.View:
		return s.viewsOf(o)
	case *catalog.Schema:
		return s.contents(o.Name)
	}
	return nil
}

// viewsOf are the views that read a relation.
func (s *statement) viewsOf(o catalog.Object) []catalog.Object {
	var out []catalog.Object
	for _, v := range s.catalog().Objects(catalog.KindView) {
		if slices.Contains(v.(*catalog.View).Uses, o.ObjectID()) {
			out = append(out, v)
		}
	}
	return out
}

// contents are the relations of a schema that stand for themselves.
func (s *statement) contents(schema string) []catalog.Object {
	var out []catalog.Object
	for _, kind := range []catalog.Kind{catalog.KindTable, catalog.KindView, catalog.KindSequence, catalog.KindType} {
		for _, o := range s.catalog().Objects(kind) {
			if in, _ := o.ObjectName(); in != schema {
				continue
			}
			if q, ok := o.(*catalog.Sequence); ok && q.OwnerTable != 0 {
				continue
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b catalog.Object) int { return int(a.ObjectID()) - int(b.ObjectID()) })
	return out
}

// followDefaults takes the defaults that a sequence gives.
func (d *deletion) followDefaults(q *catalog.Sequence) error {
	for _, o := range d.s.catalog().Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		if d.isGone(t) {
			continue
		}
		for _, c := range t.Live() {
			if c.Default == "" || !d.s.defaultUses(c.Default, q) {
				continue
			}
			what := "default value for column " + sql.QuoteIdent(c.Name) + " of " + d.s.describe(t)
			d.reasons = append(d.reasons, what+" depends on "+d.s.describe(q))
			d.cascaded = append(d.cascaded, what)
			d.defaults = append(d.defaults, columnDefault{t, c.Num})
		}
	}
	return nil
}

// run checks that nothing depends on what goes, or that it may go too, and drops it all.
func (d *deletion) run(ctx context.Context) error {
	if len(d.roots) == 0 {
		return nil
	}
	for _, o := range d.roots {
		if err := d.requireFree(o); err != nil {
			return err
		}
	}
	for _, o := range slices.Clone(d.roots) {
		if err := d.follow(o); err != nil {
			return err
		}
	}
	if err := d.report(); err != nil {
		return err
	}
	return d.execute(ctx)
}

// requireFree refuses to drop a part of another object by itself.
func (d *deletion) requireFree(o catalog.Object) error {
	s := d.s
	switch o := o.(type) {
	case *catalog.Index:
		if x, ok := s.catalog().Object(o.Parent).(*catalog.Index); ok && !d.isGone(x) {
			return pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", s.describe(o), s.describe(x)).
				WithHint("You can drop %s instead.", s.describe(x))
		}
		if o.Constraint != 0 && !d.isGone(s.catalog().Table(o.Table)) {
			constraint := "constraint " + sql.QuoteIdent(o.Name) + " on " + s.describe(s.catalog().Table(o.Table))
			return pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", s.describe(o), constraint).
				WithHint("You can drop %s instead.", constraint)
		}
	case *catalog.Sequence:
		t := s.catalog().Table(o.OwnerTable)
		if t == nil || d.isGone(t) {
			return nil
		}
		if c := &t.Columns[o.OwnerColumn-1]; identitySequence(s.catalog(), t, c) == o {
			column := "column " + sql.QuoteIdent(c.Name) + " of " + s.describe(t)
			return pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", s.describe(o), column).
				WithHint("You can drop %s instead.", column)
		}
	}
	return nil
}

// report is the error without CASCADE, the notice with it.
func (d *deletion) report() error {
	if len(d.reasons) == 0 {
		return nil
	}
	if !d.cascade {
		what := "cannot drop desired object(s) because other objects depend on them"
		if d.heading != "" {
			what = "cannot drop " + d.heading + " because other objects depend on it"
		} else if len(d.roots) == 1 {
			what = "cannot drop " + d.s.describe(d.roots[0]) + " because other objects depend on it"
		}
		return pgerr.New(pgerr.DependentObjectsStillExist, what).WithDetail("%s", listed(d.reasons)).
			WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	if len(d.cascaded) == 1 {
		d.s.notice("00000", "drop cascades to %s", d.cascaded[0])
		return nil
	}
	e := pgerr.Newf("00000", "drop cascades to %d other objects", len(d.cascaded))
	lines := make([]string, len(d.cascaded))
	for i, what := range d.cascaded {
		lines[i] = "drop cascades to " + what
	}
	e.Severity, e.Detail = "NOTICE", listed(lines)
	d.s.send(e)
	return nil
}

// listed is a list for a message, cut where it is too long.
func listed(lines []string) string {
	if n := len(lines) - maxReported; n > 0 {
		rest := "and 1 other object (see server log for list)"
		if n > 1 {
			rest = "and " + itoa(n) + " other objects (see server log for list)"
		}
		lines = append(slices.Clone(lines[:maxReported]), rest)
	}
	return strings.Join(lines, "\n")
}

// execute locks and drops what was gathered.
func (d *deletion) execute(ctx context.Context) error {
	var changes, typesGone []catalog.Change
	for _, o := range d.objects {
		if err := d.s.lockDropped(ctx, o); err != nil {
			return err
		}
		if o.ObjectKind() == catalog.KindType {
			typesGone = append(typesGone, catalog.Delete(o)) // after the columns that have it
			continue
		}
		changes = append(changes, catalog.Delete(o))
	}
	if len(d.columns) > 0 { // so that dropping them finds no views
		if err := d.s.Txn.Change(ctx, changes...); err != nil {
			return err
		}
		changes = nil
	}
	for _, ref := range d.columns {
		if d.isGone(ref.table) {
			continue
		}
		if err := d.s.dropColumnOf(ctx, ref); err != nil {
			return err
		}
	}
	for _, ref := range d.foreign {
		if err := d.s.dropForeign(ctx, ref); err != nil {
			return err
		}
	}
	for _, ref := range d.defaults {
		if err := d.s.dropDefault(ctx, ref); err != nil {
			return err
		}
	}
	return d.s.Txn.Change(ctx, append(changes, typesGone...)...)
}

// dropColumnOf drops a column whose type goes, with what depends on it.
func (s *statement) dropColumnOf(ctx context.Context, ref columnDefault) error {
	c := &ref.table.Columns[ref.column-1]
	return s.alterTable(ctx, &ast.AlterTable{
		Kind: "TABLE", Table: &ast.RangeVar{Schema: ref.table.Schema, Name: ref.table.Name},
		Actions: []ast.AlterAction{{Op: "DROP COLUMN", Name: c.Name, IfExists: true, Cascade: true}},
	})
}

// dropDefault takes the default off a column that may be another table's.
func (s *statement) dropDefault(ctx context.Context, ref columnDefault) error {
	o, err := s.lockForChange(ctx, ref.table)
	old, ok := o.(*catalog.Table)
	if err != nil || !ok {
		return err
	}
	t := old.Clone()
	t.Version++
	t.Columns[ref.column-1].Default = ""
	return s.Txn.Change(ctx, catalog.Put(t))
}

func (s *statement) lockDropped(ctx context.Context, o catalog.Object) error {
	switch o := o.(type) {
	case *catalog.Schema:
		return s.Txn.LockName(ctx, catalog.KindSchema, catalog.Name{Name: o.Name}, s.Wait)
	case *catalog.UserType:
		return s.Txn.LockName(ctx, catalog.KindType, nameOf(o), s.Wait)
	}
	return s.lockForDrop(ctx, o)
}
