package sql

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

// objectStmt converts DDL on anything but tables; nil if it is none of that.
func (c *converter) objectStmt(n *pg.Node) ast.Stmt {
	switch v := n.Node.(type) {
	case *pg.Node_DropStmt:
		return c.drop(v.DropStmt)
	case *pg.Node_RenameStmt:
		return c.rename(v.RenameStmt)
	case *pg.Node_AlterObjectSchemaStmt:
		return c.alterSchema(v.AlterObjectSchemaStmt)
	case *pg.Node_CreateSeqStmt:
		s := v.CreateSeqStmt
		return &ast.CreateSequence{Name: c.rangeVar(s.Sequence), IfNotExists: s.IfNotExists, Options: c.options(s.Options)}
	case *pg.Node_AlterSeqStmt:
		s := v.AlterSeqStmt
		return &ast.AlterSequence{Name: c.rangeVar(s.Sequence), IfExists: s.MissingOk, Options: c.options(s.Options)}
	case *pg.Node_CreateSchemaStmt:
		return c.createSchema(v.CreateSchemaStmt)
	case *pg.Node_ViewStmt:
		s := v.ViewStmt
		if s.WithCheckOption > pg.ViewCheckOption_NO_CHECK_OPTION {
			return &ast.Unsupported{Feature: "WITH CHECK OPTION"}
		}
		query := c.stmt(s.Query)
		return &ast.CreateView{View: c.rangeVar(s.View), Columns: stringsOf(s.Aliases), Query: query, QueryText: DeparseStmt(query), Replace: s.Replace}
	case *pg.Node_CreateExtensionStmt:
		return createExtension(v.CreateExtensionStmt)
	case *pg.Node_CreatedbStmt:
		return &ast.CreateDatabase{Name: v.CreatedbStmt.Dbname, Options: c.options(v.CreatedbStmt.Options)}
	case *pg.Node_DropdbStmt:
		return &ast.DropDatabase{Name: v.DropdbStmt.Dbname, IfExists: v.DropdbStmt.MissingOk}
	case *pg.Node_CreateEnumStmt:
		return &ast.CreateEnum{Name: stringsOf(v.CreateEnumStmt.TypeName), Labels: stringsOf(v.CreateEnumStmt.Vals)}
	case *pg.Node_AlterEnumStmt:
		s := v.AlterEnumStmt
		return &ast.AlterEnum{Name: stringsOf(s.TypeName), Old: s.OldVal, New: s.NewVal, Neighbor: s.NewValNeighbor, After: s.NewValIsAfter, IfNotExists: s.SkipIfNewValExists}
	case *pg.Node_CreateDomainStmt:
		s := v.CreateDomainStmt
		return &ast.CreateDomain{Name: stringsOf(s.Domainname), Type: c.typeName(s.TypeName), Constraints: c.constraints(s.Constraints)}
	case *pg.Node_AlterDomainStmt:
		return c.alterDomain(v.AlterDomainStmt)
	case *pg.Node_TruncateStmt:
		s := v.TruncateStmt
		return &ast.Truncate{Tables: c.rangeVars(s.Relations), RestartIdentity: s.RestartSeqs, Cascade: s.Behavior == pg.DropBehavior_DROP_CASCADE}
	case *pg.Node_CommentStmt:
		return comment(v.CommentStmt)
	case *pg.Node_ReindexStmt:
		return c.reindex(v.ReindexStmt)
	case *pg.Node_RefreshMatViewStmt:
		s := v.RefreshMatViewStmt
		return &ast.RefreshMatView{View: c.rangeVar(s.Relation), Concurrently: s.Concurrent, NoData: s.SkipData}
	}
	return nil
}

// alterDomain converts ALTER DOMAIN; subtypes are PostgreSQL's letters.
func (c *converter) alterDomain(s *pg.AlterDomainStmt) ast.Stmt {
	out := &ast.AlterDomain{Name: stringsOf(s.TypeName), IfExists: s.MissingOk, Constraint: &ast.Constraint{Name: s.Name}}
	switch s.Subtype {
	case "T":
		out.Op = "DROP DEFAULT"
		if s.Def != nil {
			out.Op, out.Expr = "SET DEFAULT", c.expr(s.Def)
		}
	case "N":
		out.Op = "DROP NOT NULL"
	case "O":
		out.Op = "SET NOT NULL"
	case "C":
		out.Op = "ADD CONSTRAINT"
		if list := c.constraints([]*pg.Node{s.Def}); len(list) == 1 {
			out.Constraint = &list[0]
		}
	case "X":
		out.Op = "DROP CONSTRAINT"
	case "V":
		out.Op = "VALIDATE CONSTRAINT"
	}
	return out
}

func (c *converter) drop(s *pg.DropStmt) ast.Stmt {
	switch s.RemoveType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_INDEX, pg.ObjectType_OBJECT_SEQUENCE, pg.ObjectType_OBJECT_VIEW,
		pg.ObjectType_OBJECT_MATVIEW, pg.ObjectType_OBJECT_SCHEMA, pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN,
		pg.ObjectType_OBJECT_EXTENSION:
	default:
		return &ast.Unsupported{Feature: "DROP " + objectWord(s.RemoveType)}
	}
	return &ast.Drop{
		Object: objectWord(s.RemoveType), Names: each(s.Objects, nameOf), IfExists: s.MissingOk,
		Cascade: s.Behavior == pg.DropBehavior_DROP_CASCADE, Concurrently: s.Concurrent,
	}
}

func (c *converter) rename(s *pg.RenameStmt) ast.Stmt {
	if s.RenameType == pg.ObjectType_OBJECT_DOMCONSTRAINT {
		r := rangeVarOf(s.Object)
		out := &ast.AlterDomain{Name: []string{r.Name}, Op: "RENAME CONSTRAINT", Constraint: &ast.Constraint{Name: s.Subname}, NewName: s.Newname}
		if r.Schema != "" {
			out.Name = []string{r.Schema, r.Name}
		}
		return out
	}
	out := &ast.Rename{Object: objectWord(s.RenameType), Name: s.Subname, NewName: s.Newname, IfExists: s.MissingOk}
	if s.RenameType == pg.ObjectType_OBJECT_COLUMN && s.RelationType != pg.ObjectType_OBJECT_TABLE {
		out.Of = objectWord(s.RelationType)
	}
	switch s.RenameType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_COLUMN, pg.ObjectType_OBJECT_INDEX, pg.ObjectType_OBJECT_SEQUENCE,
		pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW, pg.ObjectType_OBJECT_TABCONSTRAINT:
		out.Table = c.rangeVar(s.Relation)
	case pg.ObjectType_OBJECT_SCHEMA, pg.ObjectType_OBJECT_DATABASE, pg.ObjectType_OBJECT_ROLE:
		out.Table = &ast.RangeVar{Name: s.Subname}
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		out.Table = rangeVarOf(s.Object)
	default:
		return &ast.Unsupported{Feature: "ALTER " + objectWord(s.RenameType) + " RENAME"}
	}
	return out
}

func (c *converter) alterSchema(s *pg.AlterObjectSchemaStmt) ast.Stmt {
	out := &ast.AlterSchema{Object: objectWord(s.ObjectType), Table: c.rangeVar(s.Relation), NewSchema: s.Newschema, IfExists: s.MissingOk}
	if out.Table == nil {
		out.Table = rangeVarOf(s.Object)
	}
	switch s.ObjectType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_SEQUENCE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW,
		pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN, pg.ObjectType_OBJECT_EXTENSION:
		return out
	}
	return &ast.Unsupported{Feature: "ALTER " + out.Object + " SET SCHEMA"}
}

func (c *converter) createSchema(s *pg.CreateSchemaStmt) ast.Stmt {
	if len(s.SchemaElts) > 0 {
		return &ast.Unsupported{Feature: "CREATE SCHEMA with schema elements"}
	}
	out := &ast.CreateSchema{Name: s.Schemaname, IfNotExists: s.IfNotExists}
	if s.Authrole != nil {
		out.Owner = roleName(s.Authrole)
		if out.Name == "" {
			out.Name = out.Owner
		}
	}
	return out
}

func createExtension(s *pg.CreateExtensionStmt) ast.Stmt {
	out := &ast.CreateExtension{Name: s.Extname, IfNotExists: s.IfNotExists}
	for _, n := range s.Options {
		if d := n.GetDefElem(); d.GetDefname() == "schema" {
			out.Schema = stringOf(d.Arg)
		}
	}
	return out
}

func comment(s *pg.CommentStmt) ast.Stmt {
	out := &ast.Comment{Object: objectWord(s.Objtype), Names: nameOf(s.Object)}
	if s.Comment != "" { // COMMENT … IS '' removes as well, as in PostgreSQL
		out.Text = &s.Comment
	}
	return out
}

func (c *converter) reindex(s *pg.ReindexStmt) ast.Stmt {
	out := &ast.Reindex{Name: c.rangeVar(s.Relation)}
	switch s.Kind {
	case pg.ReindexObjectType_REINDEX_OBJECT_INDEX:
		out.Object = "INDEX"
	case pg.ReindexObjectType_REINDEX_OBJECT_TABLE:
		out.Object = "TABLE"
	case pg.ReindexObjectType_REINDEX_OBJECT_SCHEMA:
		out.Object = "SCHEMA"
	case pg.ReindexObjectType_REINDEX_OBJECT_SYSTEM:
		return &ast.Unsupported{Feature: "REINDEX SYSTEM"}
	default:
		out.Object = "DATABASE"
	}
	if out.Name == nil {
		out.Name = &ast.RangeVar{Name: s.Name}
	}
	for _, n := range s.Params {
		if d := n.GetDefElem(); d.GetDefname() == "concurrently" {
			out.Concurrently = true
		}
	}
	return out
}
