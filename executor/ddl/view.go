package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// createView is CREATE [OR REPLACE] VIEW.
func (s *statement) createView(ctx context.Context, t *ast.CreateView) error {
	q := &viewQuery{s: s}
	if err := q.qualify(t.Query); err != nil {
		return err
	}
	if q.temp && !t.View.Temp && t.View.Schema == "" {
		s.notice("00000", `view "%s" will be a temporary view`, t.View.Name)
		t.View.Temp = true
	}
	schema, err := s.creationSchema(ctx, t.View)
	if err != nil {
		return err
	}
	if err := s.lockRelationName(ctx, schema, t.View.Name); err != nil {
		return err
	}
	if err := q.lock(ctx); err != nil {
		return err
	}
	columns, err := s.viewColumns(t)
	if err != nil {
		return err
	}
	v := &catalog.View{Schema: schema, Name: t.View.Name, Owner: s.User, Columns: columns, Query: sql.DeparseStmt(t.Query), Uses: q.uses}
	if err := s.placeView(v, t.Replace); err != nil {
		return err
	}
	if slices.Contains(v.Uses, v.ID) {
		return pgerr.Newf(pgerr.InvalidObjectDefinition, `infinite recursion detected in rules for relation "%s"`, v.Name)
	}
	return s.Txn.Change(ctx, catalog.Put(v))
}

// placeView gives a view its id: a new one, or that of the view it replaces.
func (s *statement) placeView(v *catalog.View, replace bool) (err error) {
	old := s.catalog().Relation(v.Schema, v.Name)
	if old == nil {
		v.ID, err = s.NewID()
		return err
	}
	if !replace {
		return pgerr.Newf(pgerr.DuplicateTable, `relation "%s" already exists`, v.Name)
	}
	o, ok := old.(*catalog.View)
	if !ok {
		return wrongObject(old, "a view")
	}
	if err := s.mustOwn(o); err != nil {
		return err
	}
	v.ID, v.Owner, v.Comment = o.ID, o.Owner, o.Comment
	return replaceable(o, v)
}

// replaceable demands that a view's new columns begin with its old ones.
func replaceable(o, v *catalog.View) error {
	if len(v.Columns) < len(o.Columns) {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop columns from view")
	}
	for i := range o.Columns {
		a, b := &o.Columns[i], &v.Columns[i]
		if a.Name != b.Name {
			return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot change name of view column "%s" to "%s"`, a.Name, b.Name).
				WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		}
		if a.Type != b.Type || a.Typmod != b.Typmod {
			return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot change data type of view column "%s" from %s to %s`,
				a.Name, types.FormatType(a.Type, a.Typmod), types.FormatType(b.Type, b.Typmod))
		}
		b.Comment = a.Comment
	}
	return nil
}

// viewColumns plans the query and gives its columns their names.
func (s *statement) viewColumns(t *ast.CreateView) ([]catalog.Column, error) {
	p, err := plan.Prepare(s.Plan(), t.Query, nil)
	if err != nil {
		return nil, err
	}
	if len(p.Params) > 0 {
		return nil, pgerr.New(pgerr.UndefinedParameter, "there is no parameter $1")
	}
	if len(t.Columns) > len(p.Columns) {
		return nil, pgerr.New(pgerr.SyntaxError, "CREATE VIEW specifies more column names than columns")
	}
	return resultColumns(p.Columns, t.Columns)
}

// resultColumns makes columns of a query's result; names replace the first names.
func resultColumns(result []plan.Column, names []string) ([]catalog.Column, error) {
	out := make([]catalog.Column, len(result))
	for i, c := range result {
		name := c.Name
		if i < len(names) {
			name = names[i]
		}
		if columnNamed(out[:i], name) != nil {
			return nil, pgerr.Newf(pgerr.DuplicateColumn, `column "%s" specified more than once`, name)
		}
		oid := c.Type.OID
		if oid == types.UnknownOID {
			oid = types.TextOID
		}
		if err := storable(name, oid); err != nil {
			return nil, err
		}
		out[i] = catalog.Column{Num: int16(i + 1), Name: name, Type: oid, Typmod: c.Type.Typmod}
	}
	return out, nil
}

// lock keeps what the view reads from being dropped before the view is there.
func (q *viewQuery) lock(ctx context.Context) error {
	for _, id := range q.uses {
		o := q.s.catalog().Object(id)
		if _, ok := o.(*catalog.Table); ok {
			if err := q.s.Txn.LockTable(ctx, id, storage.LockAccessShare, q.s.Wait); err != nil {
				return err
			}
			o = q.s.catalog().Object(id)
		}
		if o == nil {
			return pgerr.New(pgerr.UndefinedTable, "a relation of the view was dropped")
		}
	}
	return nil
}
