package sql

import (
	"fmt"
	"strings"
	"unicode"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

// stmt converts a statement; nil gives nil.
func (c *converter) stmt(n *pg.Node) ast.Stmt {
	if n == nil || n.Node == nil {
		return nil
	}
	switch v := n.Node.(type) {
	case *pg.Node_SelectStmt:
		return c.selectStmt(v.SelectStmt)
	case *pg.Node_InsertStmt:
		return c.insert(v.InsertStmt)
	case *pg.Node_UpdateStmt:
		return c.update(v.UpdateStmt)
	case *pg.Node_DeleteStmt:
		return c.delete(v.DeleteStmt)
	case *pg.Node_MergeStmt:
		return c.merge(v.MergeStmt)
	case *pg.Node_CreateStmt:
		return c.createTable(v.CreateStmt)
	case *pg.Node_CreateTableAsStmt:
		return c.createTableAs(v.CreateTableAsStmt)
	case *pg.Node_IndexStmt:
		return c.createIndex(v.IndexStmt)
	case *pg.Node_AlterTableStmt:
		return c.alterTable(v.AlterTableStmt)
	}
	for _, convert := range []func(*pg.Node) ast.Stmt{c.sessionStmt, c.objectStmt, c.roleStmt} {
		if s := convert(n); s != nil {
			return s
		}
	}
	return &ast.Unsupported{Feature: statementWords(n)}
}

// selectStmt converts a query; SELECT INTO is CREATE TABLE AS.
func (c *converter) selectStmt(s *pg.SelectStmt) ast.Stmt {
	q := c.query(s)
	if s.IntoClause == nil {
		return q
	}
	q.Into = nil
	return &ast.CreateTableAs{Table: c.rangeVar(s.IntoClause.Rel), Query: q, WithData: true}
}

// nodeWords are the words in a node's Go type name: JsonObjectConstructor gives
// JSON OBJECT CONSTRUCTOR.
func nodeWords(n *pg.Node, suffix string) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", n.GetNode()), "*pg_query.Node_")
	return strings.ToUpper(spaceWords(strings.TrimSuffix(name, suffix)))
}

func spaceWords(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// featureWords are the names of statements whose node is not called so.
var featureWords = map[string]string{
	"CREATE TRIG": "CREATE TRIGGER", "CREATE EVENT TRIG": "CREATE EVENT TRIGGER", "ALTER EVENT TRIG": "ALTER EVENT TRIGGER",
	"CREATE AM": "CREATE ACCESS METHOD", "CREATE PLANG": "CREATE LANGUAGE", "CREATE FDW": "CREATE FOREIGN DATA WRAPPER",
	"ALTER FDW": "ALTER FOREIGN DATA WRAPPER", "CREATE FOREIGN SERVER": "CREATE SERVER", "ALTER FOREIGN SERVER": "ALTER SERVER",
	"CREATE OP CLASS": "CREATE OPERATOR CLASS", "CREATE OP FAMILY": "CREATE OPERATOR FAMILY", "ALTER OP FAMILY": "ALTER OPERATOR FAMILY",
	"CREATE STATS": "CREATE STATISTICS", "ALTER STATS": "ALTER STATISTICS", "RULE": "CREATE RULE", "COMPOSITE TYPE": "CREATE TYPE AS",
	"CREATE RANGE": "CREATE TYPE AS RANGE", "SEC LABEL": "SECURITY LABEL", "CONSTRAINTS SET": "SET CONSTRAINTS",
	"CREATE TABLE SPACE": "CREATE TABLESPACE", "DROP TABLE SPACE": "DROP TABLESPACE", "ALTER TABLE SPACE OPTIONS": "ALTER TABLESPACE",
	"ALTER TABLE MOVE ALL": "ALTER TABLE ALL IN TABLESPACE", "ALTER TSDICTIONARY": "ALTER TEXT SEARCH DICTIONARY",
	"ALTER TSCONFIGURATION": "ALTER TEXT SEARCH CONFIGURATION", "ALTER EXTENSION CONTENTS": "ALTER EXTENSION",
	"ALTER OBJECT DEPENDS": "DEPENDS ON EXTENSION", "ALTER DATABASE REFRESH COLL": "ALTER DATABASE REFRESH COLLATION VERSION",
}

// statementWords names a statement that AkiDB has not.
func statementWords(n *pg.Node) string {
	switch v := n.Node.(type) {
	case *pg.Node_DefineStmt:
		return "CREATE " + objectWord(v.DefineStmt.Kind)
	case *pg.Node_AlterOwnerStmt:
		return "ALTER " + objectWord(v.AlterOwnerStmt.ObjectType) + " OWNER"
	case *pg.Node_CreateFunctionStmt:
		if v.CreateFunctionStmt.IsProcedure {
			return "CREATE PROCEDURE"
		}
	case *pg.Node_AlterFunctionStmt:
		return "ALTER " + objectWord(v.AlterFunctionStmt.Objtype)
	}
	words := nodeWords(n, "Stmt")
	if name, ok := featureWords[words]; ok {
		return name
	}
	return words
}
