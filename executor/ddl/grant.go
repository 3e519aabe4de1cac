package ddl

import (
	"context"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// grant is GRANT and REVOKE: of roles, which is kept and decides who owns what;
// and of rights, which is checked and then told to have no effect.
func (s *statement) grant(ctx context.Context, t *ast.Grant) (string, error) {
	tag := "GRANT"
	if t.Revoke {
		tag = "REVOKE"
	}
	if t.Object == "DEFAULT PRIVILEGES" {
		tag = "ALTER DEFAULT PRIVILEGES"
	}
	if len(t.Roles) == 0 {
		return tag, s.grantRights(t, tag)
	}
	for _, group := range t.Roles {
		if err := s.grantRole(ctx, group, t.Grantees, t.Revoke); err != nil {
			return "", err
		}
	}
	if t.Revoke {
		return "REVOKE ROLE", nil
	}
	return "GRANT ROLE", nil
}

// grantRole makes roles members of a group, or takes them out.
func (s *statement) grantRole(ctx context.Context, group string, members []string, revoke bool) error {
	g, err := s.role(ctx, group)
	if err != nil {
		return err
	}
	if !s.mayManageRoles(g.Super) {
		return denied(`must have admin option on role "` + g.Name + `"`)
	}
	for _, name := range members {
		m, err := s.role(ctx, name)
		if err != nil {
			return err
		}
		has := slices.Contains(m.MemberOf, g.Name)
		switch {
		case revoke && !has:
			s.warning(pgerr.Warning, `role "%s" is not a member of role "%s"`, m.Name, g.Name)
			continue
		case revoke:
			m.MemberOf = slices.DeleteFunc(slices.Clone(m.MemberOf), func(r string) bool { return r == g.Name })
		case has:
			s.notice("00000", `role "%s" is already a member of role "%s"`, m.Name, g.Name)
			continue
		case m.Name == g.Name || s.memberOf(g.Name, m.Name, nil):
			return pgerr.Newf("0LP01", `role "%s" is a member of role "%s"`, g.Name, m.Name)
		default:
			m.MemberOf = append(slices.Clone(m.MemberOf), g.Name)
		}
		if err := s.Txn.Change(ctx, catalog.Put(m)); err != nil {
			return err
		}
	}
	return nil
}

// rights are the privileges that each kind of object knows.
var rights = map[string][]string{
	"TABLE":    {"select", "insert", "update", "delete", "truncate", "references", "trigger"},
	"SEQUENCE": {"usage", "select", "update"}, "SCHEMA": {"create", "usage"}, "DATABASE": {"create", "connect", "temporary", "temp"},
	"FUNCTION": {"execute"}, "PROCEDURE": {"execute"}, "ROUTINE": {"execute"}, "TYPE": {"usage"}, "DOMAIN": {"usage"}, "LANGUAGE": {"usage"},
}

// grantRights checks a GRANT of rights and says that it changes nothing: every
// role may read and write all rows, only owners may change the schema.
func (s *statement) grantRights(t *ast.Grant, tag string) error {
	for _, name := range t.Grantees {
		if name != "public" {
			if _, err := s.roleNamed(name); err != nil {
				return err
			}
		}
	}
	if err := s.grantObjects(t); err != nil {
		return err
	}
	s.warning(pgerr.Warning, "%s has no effect: every role may read and write all rows", tag)
	return nil
}

// grantObjects demands that the objects exist and have the rights named.
func (s *statement) grantObjects(t *ast.Grant) error {
	known := rights[t.Object]
	for _, p := range t.Privileges {
		if known != nil && p != "" && !slices.Contains(known, p) {
			return pgerr.Newf("0LP01", "invalid privilege type %s for %s", strings.ToUpper(p), grantWord(t.Object))
		}
	}
	for _, names := range t.Names {
		switch t.Object {
		case "TABLE", "SEQUENCE":
			r := rangeVar(names)
			o, err := s.relation(r)
			if err != nil {
				return err
			}
			if o == nil {
				if isSystemSchema(r.Schema) {
					continue
				}
				return s.noRelation(r, "relation")
			}
			if err := s.mustOwn(o); err != nil {
				return err
			}
		case "SCHEMA", "ALL TABLES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "ALL FUNCTIONS IN SCHEMA":
			if name := names[len(names)-1]; s.catalog().Schema(name) == nil && !isSystemSchema(name) {
				return noSchema(name)
			}
		case "DATABASE":
			if name := names[len(names)-1]; s.catalog().Named(catalog.KindDatabase, "", name) == nil {
				return noDatabase(name)
			}
		}
	}
	return nil
}

// grantWord is what the error about a wrong right calls a kind of object.
func grantWord(object string) string {
	if object == "TABLE" {
		return "relation"
	}
	return strings.ToLower(object)
}
