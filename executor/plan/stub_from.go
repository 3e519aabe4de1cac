package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// Stubs of FROM, WITH, the planning of one SELECT and data modification.

type fromTree struct{ leaves []*leaf }

type leaf struct {
	rel    *relation
	table  *catalog.Table
	wantID bool
}

func (b *binder) with(s *scope, w *ast.With) error { return pgerr.Unsupported("WITH") }
func (b *binder) from(s *scope, f []ast.FromItem) (*fromTree, error) {
	return nil, pgerr.Unsupported("FROM")
}
func (sel *selecting) plan() (Node, error) { return nil, pgerr.Unsupported("SELECT") }
func (b *binder) insert(t *ast.Insert, s *scope) (Node, error) {
	return nil, pgerr.Unsupported("INSERT")
}
func (b *binder) update(t *ast.Update, s *scope) (Node, error) {
	return nil, pgerr.Unsupported("UPDATE")
}
func (b *binder) delete(t *ast.Delete, s *scope) (Node, error) {
	return nil, pgerr.Unsupported("DELETE")
}
func itoa(n int) string                                                            { return "" }
func sorted(n Node, order []SortKey, want expr.Expr) Node                          { return n }
func wanted(limit, offset expr.Expr) expr.Expr                                     { return nil }
func limited(n Node, q *ast.Select, order []SortKey, limit, offset expr.Expr) Node { return n }
