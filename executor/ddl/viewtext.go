package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// A view is kept as text that names relations and columns, so that whatever
// renames one of them writes the text anew: the relation gets its new name, and
// an alias that keeps the old one for the rest of the query.

// parseView reads a view's query.
func parseView(v *catalog.View) (ast.Stmt, error) {
	list, err := sql.Parse(v.Query)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, pgerr.Newf(pgerr.DataCorrupted, `view "%s" is damaged`, v.Name)
	}
	return list[0].Tree, nil
}

// editViews calls edit for each mention of a relation in the views that read it.
func (s *statement) editViews(ctx context.Context, id types.OID, name catalog.Name, edit func(*ast.RangeVar)) error {
	for _, o := range s.catalog().Objects(catalog.KindView) {
		if !slices.Contains(o.(*catalog.View).Uses, id) {
			continue
		}
		o, err := s.lockForChange(ctx, o)
		if err != nil {
			return err
		}
		old, ok := o.(*catalog.View)
		if !ok {
			continue
		}
		query, err := parseView(old)
		if err != nil {
			return err
		}
		eachMention(query, name, edit)
		v := *old
		v.Query = sql.DeparseStmt(query)
		if err := s.Txn.Change(ctx, catalog.Put(&v)); err != nil {
			return err
		}
	}
	return nil
}

// renameInViews writes a relation's new name into the views that read it.
func (s *statement) renameInViews(ctx context.Context, id types.OID, from, to catalog.Name) error {
	return s.editViews(ctx, id, from, func(r *ast.RangeVar) {
		if r.Alias == nil && from.Name != to.Name {
			r.Alias = &ast.Alias{Name: from.Name}
		}
		r.Schema, r.Name = to.Schema, to.Name
	})
}

// keepColumnNames has the views that read a relation go on with the names that
// its columns have now, by an alias list.
func (s *statement) keepColumnNames(ctx context.Context, id types.OID, name catalog.Name, columns []catalog.Column) error {
	var names []string
	for i := range columns {
		if !columns[i].Dropped {
			names = append(names, columns[i].Name)
		}
	}
	return s.editViews(ctx, id, name, func(r *ast.RangeVar) {
		if r.Alias == nil {
			r.Alias = &ast.Alias{Name: r.Name}
		}
		if n := len(r.Alias.Columns); n < len(names) {
			r.Alias.Columns = append(r.Alias.Columns, names[n:]...)
		}
	})
}

// forgetColumn takes the place of a dropped column out of the alias lists.
func (s *statement) forgetColumn(ctx context.Context, t *catalog.Table, num int16) error {
	at := placeOf(t, num)
	return s.editViews(ctx, t.ID, nameOf(t), func(r *ast.RangeVar) { unaliasColumn(r, at) })
}

// placeOf is a column's place among the live ones.
func placeOf(t *catalog.Table, num int16) int {
	at := 0
	for i := range t.Columns[:num-1] {
		if !t.Columns[i].Dropped {
			at++
		}
	}
	return at
}

// unaliasColumn takes one name out of an alias list.
func unaliasColumn(r *ast.RangeVar, at int) {
	if r.Alias != nil && at < len(r.Alias.Columns) {
		r.Alias.Columns = slices.Delete(r.Alias.Columns, at, at+1)
	}
}

// eachMention calls edit for each mention of a relation in a query.
func eachMention(query ast.Stmt, name catalog.Name, edit func(*ast.RangeVar)) {
	ast.Walk(query, func(n any) bool {
		// Only relations have a schema here; WITH queries have none.
		if r, ok := n.(*ast.RangeVar); ok && r.Schema == name.Schema && r.Name == name.Name {
			edit(r)
		}
		return true
	})
}
