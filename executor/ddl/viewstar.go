package ddl

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// stars writes the columns that stars stand for.
func (q *viewQuery) stars(sel *ast.Select, items []fromItem) error {
	var out []ast.Target
	for _, t := range sel.Targets {
		ref, ok := t.Expr.(*ast.ColumnRef)
		if !ok || !ref.Star {
			out = append(out, t)
			continue
		}
		columns, ok := starColumns(ref, items)
		if !ok {
			return pgerr.Unsupported("this star in a view").WithHint("Name the columns.").At(ref.Pos)
		}
		if columns == nil {
			return pgerr.New(pgerr.SyntaxError, "SELECT * with no tables specified is not valid").At(ref.Pos)
		}
		for _, c := range columns {
			parts := []string{c.item, c.name}
			if c.item == "" {
				parts = parts[1:]
			}
			out = append(out, ast.Target{Expr: &ast.ColumnRef{Parts: parts, Pos: ref.Pos}, Pos: t.Pos})
		}
	}
	sel.Targets = out
	return nil
}

// starColumns are the columns of * or name.*; false when they are not known.
func starColumns(ref *ast.ColumnRef, items []fromItem) (columns []itemColumn, ok bool) {
	if len(ref.Parts) == 0 {
		for _, i := range items {
			if !i.star.known {
				return nil, false
			}
			columns = append(columns, i.star.columns...)
		}
		return columns, true
	}
	name := ref.Parts[len(ref.Parts)-1]
	for _, i := range items {
		for _, n := range i.named {
			if n.name == name {
				return n.columns, n.known
			}
		}
	}
	return nil, false
}
