package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// renameTag is the command tag of ALTER … RENAME: parts have their table's.
func renameTag(t *ast.Rename) string {
	switch t.Object {
	case "COLUMN", "CONSTRAINT":
		if t.Of != "" {
			return "ALTER " + t.Of
		}
		return "ALTER TABLE"
	}
	return "ALTER " + t.Object
}

func (s *statement) rename(ctx context.Context, t *ast.Rename) error {
	switch t.Object {
	case "SCHEMA":
		return s.renameSchema(ctx, t.Table.Name, t.NewName)
	case "ROLE":
		return s.renameRole(ctx, t.Table.Name, t.NewName)
	case "DATABASE":
		return pgerr.Unsupported("ALTER DATABASE RENAME")
	case "TYPE", "DOMAIN":
		return s.renameType(ctx, t)
	}
	o, err := s.altered(ctx, t.Table, renameKind(t), t.IfExists)
	if err != nil || o == nil {
		return err
	}
	switch t.Object {
	case "COLUMN":
		return s.renameColumn(ctx, o, t.Name, t.NewName)
	case "CONSTRAINT":
		return s.renameConstraint(ctx, o, t.Name, t.NewName)
	}
	schema, _ := o.ObjectName()
	if _, err := s.newRelation(ctx, schema, t.NewName, false); err != nil {
		return err
	}
	return s.move(ctx, o, catalog.Name{Schema: schema, Name: t.NewName})
}

// renameKind is what kind of relation a rename demands; ALTER TABLE takes all.
func renameKind(t *ast.Rename) string {
	switch {
	case t.Of != "":
		return t.Of
	case t.Object == "COLUMN" || t.Object == "CONSTRAINT":
		return "TABLE"
	}
	return t.Object
}

// altered finds and locks the relation of an ALTER; nil after a notice. ALTER
// TABLE goes for views, indexes and sequences too.
func (s *statement) altered(ctx context.Context, r *ast.RangeVar, kind string, ifExists bool) (catalog.Object, error) {
	o, err := s.relation(r)
	if err != nil {
		return nil, err
	}
	if o == nil {
		if isSystemSchema(r.Schema) && r.Schema != "akidb" {
			return nil, systemTable(r.Name)
		}
		if !ifExists {
			return nil, s.noRelation(r, "relation")
		}
		s.notice("00000", `relation "%s" does not exist, skipping`, r.Name)
		return nil, nil
	}
	want := droppables[kind]
	if kind != "TABLE" && kindWord(o) != want.word {
		return nil, wrongObject(o, want.article).At(r.Pos)
	}
	if err := s.mustOwn(o); err != nil {
		return nil, err
	}
	if err := s.lockForDrop(ctx, o); err != nil {
		return nil, err
	}
	if o = s.catalog().Object(o.ObjectID()); o == nil {
		return nil, s.noRelation(r, "relation")
	}
	return o, nil
}

// setSchema is ALTER … SET SCHEMA.
func (s *statement) setSchema(ctx context.Context, t *ast.AlterSchema) error {
	switch t.Object {
	case "TYPE", "DOMAIN":
		return s.setTypeSchema(ctx, t)
	case "EXTENSION":
		return pgerr.Unsupported("ALTER EXTENSION SET SCHEMA")
	}
	o, err := s.altered(ctx, t.Table, t.Object, t.IfExists)
	if err != nil || o == nil {
		return err
	}
	old, name := o.ObjectName()
	switch {
	case s.isTemp(old) || s.isTemp(t.NewSchema) || t.NewSchema == "pg_temp":
		return pgerr.New(pgerr.FeatureNotSupported, "cannot move objects into or out of temporary schemas")
	case isSystemSchema(t.NewSchema):
		return pgerr.Newf(pgerr.InsufficientPrivilege, "permission denied for schema %s", t.NewSchema)
	case s.catalog().Schema(t.NewSchema) == nil:
		return noSchema(t.NewSchema)
	case old == t.NewSchema:
		return nil
	}
	if x, ok := o.(*catalog.Index); ok {
		return wrongObject(x, "a table, view, or sequence")
	}
	if q, ok := o.(*catalog.Sequence); ok && q.OwnerTable != 0 {
		return s.ownedSequenceError(q, "cannot move an owned sequence into another schema")
	}
	return s.move(ctx, o, catalog.Name{Schema: t.NewSchema, Name: name})
}

func (s *statement) ownedSequenceError(q *catalog.Sequence, what string) error {
	e := pgerr.New(pgerr.FeatureNotSupported, what)
	if t := s.catalog().Table(q.OwnerTable); t != nil {
		e.Detail = `Sequence "` + q.Name + `" is linked to table "` + t.Name + `".`
	}
	return e
}

// move gives an object another name or schema. A table takes its indexes and
// sequences along to a schema; the texts that name what moved are written anew.
func (s *statement) move(ctx context.Context, o catalog.Object, to catalog.Name) error {
	if err := s.lockForDrop(ctx, o); err != nil {
		return err
	}
	if o = s.catalog().Object(o.ObjectID()); o == nil {
		return nil // dropped meanwhile
	}
	from := nameOf(o)
	if from.Schema != to.Schema {
		if err := s.freeIn(ctx, o, to); err != nil {
			return err
		}
	}
	switch o := o.(type) {
	case *catalog.Table:
		return s.moveTable(ctx, o, to)
	case *catalog.View:
		v := *o
		v.Schema, v.Name = to.Schema, to.Name
		if err := s.Txn.Change(ctx, catalog.Put(&v)); err != nil {
			return err
		}
		return s.renameInViews(ctx, o.ID, from, to)
	case *catalog.Sequence:
		return s.moveSequence(ctx, o, to)
	case *catalog.Index:
		x := o.Clone()
		x.Name, x.Schema = to.Name, to.Schema
		x.Version++
		return s.Txn.Change(ctx, catalog.Put(x))
	}
	return pgerr.Unsupported("moving " + kindWord(o))
}

func nameOf(o catalog.Object) catalog.Name {
	schema, name := o.ObjectName()
	return catalog.Name{Schema: schema, Name: name}
}

// freeIn demands that the names of what moves are free in another schema.
func (s *statement) freeIn(ctx context.Context, o catalog.Object, to catalog.Name) error {
	names := []string{to.Name}
	if t, ok := o.(*catalog.Table); ok {
		for _, part := range s.parts(t) {
			names = append(names, nameOf(part).Name)
		}
	}
	for _, name := range names {
		if err := s.lockRelationName(ctx, to.Schema, name); err != nil {
			return err
		}
		if s.catalog().Relation(to.Schema, name) != nil {
			return pgerr.Newf(pgerr.DuplicateTable, `relation "%s" already exists in schema "%s"`, name, to.Schema)
		}
	}
	return nil
}

func (s *statement) moveTable(ctx context.Context, o *catalog.Table, to catalog.Name) error {
	t := o.Clone()
	t.Schema, t.Name = to.Schema, to.Name
	t.Version++
	if err := s.Txn.Change(ctx, catalog.Put(t)); err != nil {
		return err
	}
	if o.Schema != to.Schema {
		for _, part := range s.parts(t) {
			if err := s.move(ctx, part, catalog.Name{Schema: to.Schema, Name: nameOf(part).Name}); err != nil {
				return err
			}
		}
	}
	return s.renameInViews(ctx, o.ID, nameOf(o), to)
}

func (s *statement) moveSequence(ctx context.Context, o *catalog.Sequence, to catalog.Name) error {
	for t := range s.tablesWithDefault(o) {
		if _, err := s.lockForChange(ctx, t); err != nil {
			return err
		}
	}
	users := s.tablesWithDefault(o) // as they are now that they are locked
	q := *o
	q.Schema, q.Name = to.Schema, to.Name
	if err := s.Txn.Change(ctx, catalog.Put(&q)); err != nil {
		return err
	}
	for t, columns := range users {
		t := t.Clone()
		t.Version++
		for _, num := range columns {
			t.Columns[num-1].Default = s.renamedDefault(t.Columns[num-1].Default, nameOf(o), to)
		}
		if err := s.Txn.Change(ctx, catalog.Put(t)); err != nil {
			return err
		}
	}
	return nil
}

// tablesWithDefault are the columns whose default uses a sequence.
func (s *statement) tablesWithDefault(q *catalog.Sequence) map[*catalog.Table][]int16 {
	out := map[*catalog.Table][]int16{}
	for _, o := range s.catalog().Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		for _, c := range t.Live() {
			if c.Default != "" && s.defaultUses(c.Default, q) {
				out[t] = append(out[t], c.Num)
			}
		}
	}
	return out
}

// renamedDefault writes a sequence's new name into a default.
func (s *statement) renamedDefault(text string, from, to catalog.Name) string {
	e, err := sql.ParseExpr(text)
	if err != nil {
		return text
	}
	ast.Walk(e, func(n any) bool {
		k := sequenceLiteral(n)
		if k == nil {
			return true
		}
		if names := splitName(k.Text); len(names) > 0 && names[len(names)-1] == from.Name {
			k.Text = qualifiedName(to)
		}
		return true
	})
	return sql.Deparse(e)
}

func qualifiedName(n catalog.Name) string {
	return sql.QuoteIdent(n.Schema) + "." + sql.QuoteIdent(n.Name)
}

// renameColumn renames a column of a table or a view.
func (s *statement) renameColumn(ctx context.Context, o catalog.Object, name, newName string) error {
	switch o := o.(type) {
	case *catalog.Table:
		if parent := s.catalog().Table(o.Parent); parent != nil && parent.Column(name) != nil {
			return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot rename inherited column "%s"`, name)
		}
		return s.renameTableColumn(ctx, o, name, newName)
	case *catalog.View:
		v := *o
		v.Columns = append([]catalog.Column(nil), o.Columns...)
		c := columnNamed(v.Columns, name)
		if c == nil {
			return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" does not exist`, name)
		}
		if columnNamed(v.Columns, newName) != nil {
			return columnExists(newName, v.Name)
		}
		c.Name = newName
		if err := s.keepColumnNames(ctx, o.ID, nameOf(o), o.Columns); err != nil {
			return err
		}
		return s.Txn.Change(ctx, catalog.Put(&v))
	}
	return wrongObject(o, "a table, view, or composite type")
}

func columnNamed(columns []catalog.Column, name string) *catalog.Column {
	for i := range columns {
		if columns[i].Name == name && !columns[i].Dropped {
			return &columns[i]
		}
	}
	return nil
}

func columnExists(name, relation string) *pgerr.Error {
	return pgerr.Newf(pgerr.DuplicateColumn, `column "%s" of relation "%s" already exists`, name, relation)
}

func (s *statement) renameTableColumn(ctx context.Context, old *catalog.Table, name, newName string) error {
	t := old.Clone()
	c := t.Column(name)
	if c == nil {
		return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" does not exist`, name)
	}
	if err := s.define(t).checkColumnName(newName); err != nil {
		return err
	}
	if t.Column(newName) != nil {
		return columnExists(newName, t.Name)
	}
	c.Name = newName
	t.Version++
	for i := range t.Checks {
		t.Checks[i].Expr = renamedColumn(t.Checks[i].Expr, name, newName)
	}
	for i := range t.Columns {
		t.Columns[i].Generated = renamedColumn(t.Columns[i].Generated, name, newName)
	}
	changes := []catalog.Change{catalog.Put(t)}
	for _, x := range s.catalog().Indexes(t.ID) {
		x = x.Clone()
		x.Version++
		x.Predicate = renamedColumn(x.Predicate, name, newName)
		for i := range x.Keys {
			x.Keys[i].Expr = renamedColumn(x.Keys[i].Expr, name, newName)
		}
		changes = append(changes, catalog.Put(x))
	}
	if p := t.Partitioned; p != nil {
		renamed := &catalog.Partitioning{Strategy: p.Strategy, Keys: slices.Clone(p.Keys)}
		for i := range renamed.Keys {
			renamed.Keys[i].Expr = renamedColumn(renamed.Keys[i].Expr, name, newName)
		}
		t.Partitioned = renamed
	}
	if err := s.keepColumnNames(ctx, t.ID, nameOf(old), old.Columns); err != nil {
		return err
	}
	if err := s.Txn.Change(ctx, changes...); err != nil {
		return err
	}
	for _, child := range s.catalog().Partitions(t.ID) {
		if err := s.Txn.LockTable(ctx, child.ID, storage.LockAccessExclusive, s.Wait); err != nil {
			return err
		}
		if err := s.renameTableColumn(ctx, child, name, newName); err != nil {
			return err
		}
	}
	return nil
}

// renamedColumn writes a column's new name into a stored expression.
func renamedColumn(text, name, newName string) string {
	if text == "" {
		return ""
	}
	e, err := sql.ParseExpr(text)
	if err != nil {
		return text
	}
	ast.Walk(e, func(n any) bool {
		if r, ok := n.(*ast.ColumnRef); ok && !r.Star && len(r.Parts) == 1 && r.Parts[0] == name {
			r.Parts[0] = newName
		}
		return true
	})
	return sql.Deparse(e)
}

// renameConstraint renames a CHECK, or a key together with its index.
func (s *statement) renameConstraint(ctx context.Context, o catalog.Object, name, newName string) error {
	old, ok := o.(*catalog.Table)
	if !ok {
		return wrongObject(o, "a table")
	}
	if hasConstraint(s.catalog(), old, newName) {
		return constraintExists(old, newName)
	}
	if x := keyConstraint(s.catalog(), old, name); x != nil {
		if _, err := s.newRelation(ctx, x.Schema, newName, false); err != nil {
			return err
		}
		return s.move(ctx, x, catalog.Name{Schema: x.Schema, Name: newName})
	}
	t := old.Clone()
	k, f := check(t, name), foreign(t, name)
	switch {
	case k != nil:
		k.Name = newName
	case f != nil:
		f.Name = newName
	default:
		return noConstraintFor(name, t)
	}
	t.Version++
	return s.Txn.Change(ctx, catalog.Put(t))
}

func noConstraintFor(name string, t *catalog.Table) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedObject, `constraint "%s" for table "%s" does not exist`, name, t.Name)
}
