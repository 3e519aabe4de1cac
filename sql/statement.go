package sql

import "github.com/akidb/akidb/sql/ast"

// Statement is one statement of a query string.
type Statement struct {
	Tree ast.Stmt
	// Text is the statement's own text, without the terminating semicolon.
	Text string
	// Offset is the number of characters of the query string before Text;
	// positions in Tree are relative to Text.
	Offset int
}
