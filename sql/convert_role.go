package sql

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

// roleStmt converts roles and rights; nil if it is none of that.
func (c *converter) roleStmt(n *pg.Node) ast.Stmt {
	switch v := n.Node.(type) {
	case *pg.Node_CreateRoleStmt:
		s := v.CreateRoleStmt
		return &ast.CreateRole{Name: s.Role, Options: c.options(s.Options), User: s.StmtType == pg.RoleStmtType_ROLESTMT_USER}
	case *pg.Node_AlterRoleStmt:
		return c.alterRole(v.AlterRoleStmt)
	case *pg.Node_AlterDefaultPrivilegesStmt:
		return c.defaultPrivileges(v.AlterDefaultPrivilegesStmt)
	case *pg.Node_AlterOwnerStmt:
		return c.alterOwner(v.AlterOwnerStmt)
	case *pg.Node_AlterRoleSetStmt:
		s := v.AlterRoleSetStmt
		if s.Role == nil {
			return &ast.Unsupported{Feature: "ALTER ROLE ALL"}
		}
		if s.Database != "" {
			return &ast.Unsupported{Feature: "ALTER ROLE IN DATABASE"}
		}
		return &ast.AlterRole{Name: roleName(s.Role), Set: c.set(s.Setstmt)}
	case *pg.Node_AlterDatabaseSetStmt:
		return &ast.AlterDatabase{Name: v.AlterDatabaseSetStmt.Dbname, Set: c.set(v.AlterDatabaseSetStmt.Setstmt)}
	case *pg.Node_DropRoleStmt:
		return &ast.DropRole{Names: stringsOf(v.DropRoleStmt.Roles), IfExists: v.DropRoleStmt.MissingOk}
	case *pg.Node_GrantStmt:
		return c.grant(v.GrantStmt)
	case *pg.Node_GrantRoleStmt:
		s := v.GrantRoleStmt
		return &ast.Grant{Revoke: !s.IsGrant, Roles: stringsOf(s.GrantedRoles), Grantees: stringsOf(s.GranteeRoles)}
	}
	return nil
}

func (c *converter) grant(s *pg.GrantStmt) ast.Stmt {
	out := &ast.Grant{
		Revoke: !s.IsGrant, Privileges: stringsOf(s.Privileges), Object: objectWord(s.Objtype),
		Names: each(s.Objects, nameOf), Grantees: stringsOf(s.Grantees),
	}
	if s.Targtype == pg.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA {
		out.Object = "ALL " + out.Object + "S IN SCHEMA"
	}
	return out
}

// alterRole converts ALTER ROLE; ALTER GROUP … DROP USER is REVOKE.
func (c *converter) alterRole(s *pg.AlterRoleStmt) ast.Stmt {
	options := c.options(s.Options)
	if s.Action >= 0 {
		return &ast.AlterRole{Name: roleName(s.Role), Options: options}
	}
	out := &ast.Grant{Revoke: true, Roles: []string{roleName(s.Role)}}
	for _, n := range s.Options {
		for _, member := range n.GetDefElem().GetArg().GetList().GetItems() {
			out.Grantees = append(out.Grantees, stringOf(member))
		}
	}
	return out
}

// defaultPrivileges converts ALTER DEFAULT PRIVILEGES.
func (c *converter) defaultPrivileges(s *pg.AlterDefaultPrivilegesStmt) ast.Stmt {
	g := s.Action
	return &ast.Grant{Revoke: !g.GetIsGrant(), Privileges: stringsOf(g.GetPrivileges()), Object: "DEFAULT PRIVILEGES", Grantees: stringsOf(g.GetGrantees())}
}

// alterOwner converts OWNER TO of schemas, databases and types.
func (c *converter) alterOwner(s *pg.AlterOwnerStmt) ast.Stmt {
	switch s.ObjectType {
	case pg.ObjectType_OBJECT_SCHEMA, pg.ObjectType_OBJECT_DATABASE, pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		return &ast.AlterTable{
			Kind: objectWord(s.ObjectType), Table: rangeVarOf(s.Object),
			Actions: []ast.AlterAction{{Op: "OWNER", Name: roleName(s.Newowner)}},
		}
	}
	return &ast.Unsupported{Feature: "ALTER " + objectWord(s.ObjectType) + " OWNER"}
}
