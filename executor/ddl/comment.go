package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// comment is COMMENT ON.
func (s *statement) comment(ctx context.Context, t *ast.Comment) error {
	text := ""
	if t.Text != nil {
		text = *t.Text
	}
	switch t.Object {
	case "TABLE", "VIEW", "INDEX", "SEQUENCE", "MATERIALIZED VIEW":
		return s.commentRelation(ctx, t, text)
	case "COLUMN":
		return s.commentColumn(ctx, t.Names, text)
	case "CONSTRAINT":
		return s.commentConstraint(ctx, t.Names, text)
	case "SCHEMA":
		return s.commentSchema(ctx, t.Names[len(t.Names)-1], text)
	case "DATABASE", "ROLE", "EXTENSION":
		return s.commentGlobal(t)
	}
	return pgerr.Unsupported("COMMENT ON " + t.Object)
}

// commentGlobal checks a comment on what has no place for one.
func (s *statement) commentGlobal(t *ast.Comment) error {
	name := t.Names[len(t.Names)-1]
	switch t.Object {
	case "DATABASE":
		if s.catalog().Named(catalog.KindDatabase, "", name) == nil {
			return noDatabase(name)
		}
	case "ROLE":
		if _, err := s.roleNamed(name); err != nil {
			return err
		}
	case "EXTENSION":
		if e, ok := extensions[name]; !ok || !e.available() {
			return pgerr.Newf(pgerr.UndefinedObject, `extension "%s" does not exist`, name)
		}
	}
	s.warning(pgerr.Warning, `comments on %ss are not kept`, map[string]string{"DATABASE": "database", "ROLE": "role", "EXTENSION": "extension"}[t.Object])
	return nil
}

func (s *statement) commentRelation(ctx context.Context, t *ast.Comment, text string) error {
	r := rangeVar(t.Names)
	o, err := s.relation(r)
	if err != nil {
		return err
	}
	kind := droppables[t.Object]
	if o == nil {
		return s.noRelation(r, "relation")
	}
	if kindWord(o) != kind.word {
		return wrongObject(o, kind.article)
	}
	if err := s.mustOwn(o); err != nil {
		return err
	}
	if o, err = s.lockForChange(ctx, o); err != nil {
		return err
	}
	switch o := o.(type) {
	case nil:
		return s.noRelation(r, "relation")
	case *catalog.Table:
		c := o.Clone()
		c.Comment = text
		c.Version++
		return s.Txn.Change(ctx, catalog.Put(c))
	case *catalog.View:
		c := *o
		c.Comment = text
		return s.Txn.Change(ctx, catalog.Put(&c))
	case *catalog.Index:
		c := o.Clone()
		c.Comment = text
		return s.Txn.Change(ctx, catalog.Put(c))
	case *catalog.Sequence:
		c := *o
		c.Comment = text
		return s.Txn.Change(ctx, catalog.Put(&c))
	}
	return nil
}

func (s *statement) commentColumn(ctx context.Context, names []string, text string) error {
	if len(names) < 2 {
		return pgerr.New(pgerr.SyntaxError, "column name must be qualified")
	}
	r, column := rangeVar(names[:len(names)-1]), names[len(names)-1]
	o, err := s.relation(r)
	if err == nil && o != nil {
		o, err = s.lockForChange(ctx, o)
	}
	if err != nil {
		return err
	}
	switch o := o.(type) {
	case nil:
		return s.noRelation(r, "relation")
	case *catalog.Table:
		t := o.Clone()
		c := t.Column(column)
		if c == nil {
			return noColumn(t, column)
		}
		c.Comment = text
		t.Version++
		return s.ownedChange(ctx, o, catalog.Put(t))
	case *catalog.View:
		v := *o
		v.Columns = append([]catalog.Column(nil), o.Columns...)
		c := columnNamed(v.Columns, column)
		if c == nil {
			return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" of relation "%s" does not exist`, column, v.Name)
		}
		c.Comment = text
		return s.ownedChange(ctx, o, catalog.Put(&v))
	}
	return wrongObject(o, "a table, view, materialized view, composite type, or foreign table")
}

// ownedChange makes a change if the user owns the object.
func (s *statement) ownedChange(ctx context.Context, o catalog.Object, change catalog.Change) error {
	if err := s.mustOwn(o); err != nil {
		return err
	}
	return s.Txn.Change(ctx, change)
}

func (s *statement) commentConstraint(ctx context.Context, names []string, text string) error {
	r := rangeVar(names[:len(names)-1])
	old, err := s.table(r)
	if err != nil {
		return err
	}
	if _, err := s.lockForChange(ctx, old); err != nil {
		return err
	}
	if old = s.catalog().Table(old.ID); old == nil {
		return s.noRelation(r, "relation")
	}
	name := names[len(names)-1]
	if x := keyConstraint(s.catalog(), old, name); x != nil {
		c := x.Clone()
		c.Comment = text
		return s.Txn.Change(ctx, catalog.Put(c))
	}
	t := old.Clone()
	k, f := check(t, name), foreign(t, name)
	switch {
	case k != nil:
		k.Comment = text
	case f != nil:
		f.Comment = text
	default:
		return noConstraintFor(name, t)
	}
	t.Version++
	return s.Txn.Change(ctx, catalog.Put(t))
}

func (s *statement) commentSchema(ctx context.Context, name, text string) error {
	if err := s.Txn.LockName(ctx, catalog.KindSchema, catalog.Name{Name: name}, s.Wait); err != nil {
		return err
	}
	old := s.catalog().Schema(name)
	if old == nil {
		return noSchema(name)
	}
	c := *old
	c.Comment = text
	return s.ownedChange(ctx, old, catalog.Put(&c))
}
