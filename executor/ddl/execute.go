package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// statement is one schema change under way.
type statement struct {
	*Env
	// only says that the statement leaves the partitions of its table alone (ONLY).
	only bool
}

// Handles says whether a statement is one that Execute runs.
func Handles(stmt ast.Stmt) bool {
	switch stmt.(type) {
	case *ast.CreateTable, *ast.CreateTableAs, *ast.AlterTable, *ast.Rename, *ast.AlterSchema, *ast.Drop, *ast.CreateIndex,
		*ast.CreateSequence, *ast.AlterSequence, *ast.CreateSchema, *ast.CreateView, *ast.CreateExtension, *ast.CreateDatabase,
		*ast.DropDatabase, *ast.CreateEnum, *ast.AlterEnum, *ast.RefreshMatView, *ast.CreateDomain, *ast.AlterDomain, *ast.Truncate, *ast.Comment,
		*ast.Reindex, *ast.CreateRole, *ast.AlterRole, *ast.AlterDatabase, *ast.DropRole, *ast.Grant, *ast.AlterCollection:
		return true
	}
	return false
}

// Execute runs one schema statement inside the environment's transaction (statement
// already started) and returns its command tag ("CREATE TABLE").
func Execute(ctx context.Context, env *Env, stmt ast.Stmt) (string, error) {
	s := &statement{Env: env}
	if _, reads := stmt.(*ast.CreateTableAs); !reads {
		env.Txn.SeeNewest()
	}
	switch t := stmt.(type) {
	case *ast.CreateTable:
		return "CREATE TABLE", s.createTable(ctx, t)
	case *ast.CreateTableAs:
		return s.createTableAs(ctx, t)
	case *ast.AlterTable:
		return "ALTER " + t.Kind, s.alterTable(ctx, t)
	case *ast.Rename:
		return renameTag(t), s.rename(ctx, t)
	case *ast.AlterSchema:
		return "ALTER " + t.Object, s.setSchema(ctx, t)
	case *ast.Drop:
		return "DROP " + t.Object, s.drop(ctx, t)
	case *ast.CreateIndex:
		return "CREATE INDEX", s.createIndex(ctx, t)
	case *ast.Reindex:
		return "REINDEX", s.reindex(ctx, t)
	case *ast.CreateSequence:
		return "CREATE SEQUENCE", s.createSequence(ctx, t)
	case *ast.AlterSequence:
		return "ALTER SEQUENCE", s.alterSequence(ctx, t)
	case *ast.CreateSchema:
		return "CREATE SCHEMA", s.createSchema(ctx, t)
	case *ast.CreateView:
		return "CREATE VIEW", s.createView(ctx, t)
	case *ast.CreateExtension:
		return "CREATE EXTENSION", s.createExtension(t)
	case *ast.Truncate:
		return "TRUNCATE TABLE", s.truncate(ctx, t)
	case *ast.Comment:
		return "COMMENT", s.comment(ctx, t)
	case *ast.AlterCollection:
		return "ALTER COLLECTION", s.alterCollection(ctx, t)
	}
	return s.executeGlobal(ctx, stmt)
}

// executeGlobal runs statements about what is no part of a schema, and refuses what AkiDB has not.
func (s *statement) executeGlobal(ctx context.Context, stmt ast.Stmt) (string, error) {
	switch t := stmt.(type) {
	case *ast.CreateRole:
		return "CREATE ROLE", s.createRole(ctx, t)
	case *ast.AlterRole:
		return "ALTER ROLE", s.alterRole(ctx, t)
	case *ast.AlterDatabase:
		return "ALTER DATABASE", s.alterDatabase(ctx, t)
	case *ast.DropRole:
		return "DROP ROLE", s.dropRole(ctx, t)
	case *ast.Grant:
		return s.grant(ctx, t)
	case *ast.CreateDatabase:
		return "", pgerr.Unsupported("CREATE DATABASE").WithHint("Use CREATE SCHEMA.")
	case *ast.DropDatabase:
		return "", pgerr.Unsupported("DROP DATABASE")
	case *ast.CreateEnum:
		return "CREATE TYPE", s.createEnum(ctx, t)
	case *ast.AlterEnum:
		return "ALTER TYPE", s.alterEnum(ctx, t)
	case *ast.CreateDomain:
		return "CREATE DOMAIN", s.createDomain(ctx, t)
	case *ast.AlterDomain:
		return "ALTER DOMAIN", s.alterDomain(ctx, t)
	case *ast.RefreshMatView:
		return "", pgerr.Unsupported("REFRESH MATERIALIZED VIEW")
	}
	return "", pgerr.Unsupported("this statement")
}

// notice sends a NOTICE.
func (s *statement) notice(code, format string, args ...any) {
	e := pgerr.Newf(code, format, args...)
	e.Severity = "NOTICE"
	s.send(e)
}

// warning sends a WARNING.
func (s *statement) warning(code, format string, args ...any) {
	e := pgerr.Newf(code, format, args...)
	e.Severity = "WARNING"
	s.send(e)
}

func (s *statement) send(e *pgerr.Error) {
	if s.Notice != nil {
		s.Notice(e)
	}
}
