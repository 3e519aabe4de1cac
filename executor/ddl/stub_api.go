package ddl

import (
	"context"
	"github.com/akidb/akidb/internal/catalog"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// Stubs of statements under construction; each moves to its own file.

func (s *statement) createTableAs(ctx context.Context, t *ast.CreateTableAs) (string, error) {
	return "", pgerr.Unsupported("CREATE TABLE AS")
}
func (s *statement) alterTable(ctx context.Context, t *ast.AlterTable) error {
	return pgerr.Unsupported("x")
}
func renameTag(t *ast.Rename) string                                 { return "" }
func (s *statement) rename(ctx context.Context, t *ast.Rename) error { return pgerr.Unsupported("x") }
func (s *statement) setSchema(ctx context.Context, t *ast.AlterSchema) error {
	return pgerr.Unsupported("x")
}
func (s *statement) drop(ctx context.Context, t *ast.Drop) error { return pgerr.Unsupported("x") }
func (s *statement) createView(ctx context.Context, t *ast.CreateView) error {
	return pgerr.Unsupported("x")
}
func (s *statement) createExtension(t *ast.CreateExtension) error      { return pgerr.Unsupported("x") }
func (s *statement) comment(ctx context.Context, t *ast.Comment) error { return pgerr.Unsupported("x") }
func (s *statement) alterCollection(ctx context.Context, t *ast.AlterCollection) error {
	return pgerr.Unsupported("x")
}
func (s *statement) createRole(ctx context.Context, t *ast.CreateRole) error {
	return pgerr.Unsupported("x")
}
func (s *statement) alterRole(ctx context.Context, t *ast.AlterRole) error {
	return pgerr.Unsupported("x")
}
func (s *statement) alterDatabase(ctx context.Context, t *ast.AlterDatabase) error {
	return pgerr.Unsupported("x")
}
func (s *statement) dropRole(ctx context.Context, t *ast.DropRole) error {
	return pgerr.Unsupported("x")
}
func (s *statement) grant(ctx context.Context, t *ast.Grant) (string, error) {
	return "", pgerr.Unsupported("x")
}
func (s *statement) move(ctx context.Context, o catalog.Object, to catalog.Name) error {
	return pgerr.Unsupported("x")
}
