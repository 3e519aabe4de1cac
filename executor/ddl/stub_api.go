package ddl

import (
	"context"

	"github.com/akidb/akidb/sql/ast"
)

// Stubs of the API under construction; each moves to its own file.

// Handles says whether a statement is one that Execute runs.
func Handles(stmt ast.Stmt) bool { return false }

// Execute runs one schema statement inside the environment's transaction (statement
// already started) and returns its command tag ("CREATE TABLE").
func Execute(ctx context.Context, env *Env, stmt ast.Stmt) (string, error) { return "", nil }
