package ddl

import (
	"context"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

func (s *statement) createSchema(ctx context.Context, t *ast.CreateSchema) error {
	owner, err := s.roleNamed(t.Owner)
	if err != nil {
		return err
	}
	name := t.Name
	if name == "current_user" || name == "session_user" {
		name = owner
	}
	if err := reservedSchema(name); err != nil {
		return err
	}
	if err := s.Txn.LockName(ctx, catalog.KindSchema, catalog.Name{Name: name}, s.Wait); err != nil {
		return err
	}
	if s.catalog().Schema(name) != nil || isSystemSchema(name) {
		if t.IfNotExists {
			s.notice(pgerr.DuplicateSchema, `schema "%s" already exists, skipping`, name)
			return nil
		}
		return schemaExists(name)
	}
	id, err := s.NewID()
	if err != nil {
		return err
	}
	return s.Txn.Change(ctx, catalog.Put(&catalog.Schema{ID: id, Name: name, Owner: owner}))
}

func schemaExists(name string) error {
	return pgerr.Newf(pgerr.DuplicateSchema, `schema "%s" already exists`, name)
}

func reservedSchema(name string) error {
	if strings.HasPrefix(name, "pg_") {
		return pgerr.Newf(pgerr.ReservedName, `unacceptable schema name "%s"`, name).WithDetail(`The prefix "pg_" is reserved for system schemas.`)
	}
	return nil
}

// roleNamed resolves a role as written; "" is the user.
func (s *statement) roleNamed(name string) (string, error) {
	switch name {
	case "", "current_user":
		return s.User, nil
	case "session_user":
		return s.Run.Session.SessionUser(), nil
	}
	if s.catalog().Role(name) == nil {
		return "", noRole(name)
	}
	return name, nil
}

func noRole(name string) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedObject, `role "%s" does not exist`, name)
}

// renameSchema is ALTER SCHEMA … RENAME TO: everything in it moves along.
func (s *statement) renameSchema(ctx context.Context, name, newName string) error {
	old := s.catalog().Schema(name)
	if old == nil {
		return noSchema(name)
	}
	if err := s.mustOwn(old); err != nil {
		return err
	}
	if err := reservedSchema(newName); err != nil {
		return err
	}
	for _, n := range []string{name, newName} {
		if err := s.Txn.LockName(ctx, catalog.KindSchema, catalog.Name{Name: n}, s.Wait); err != nil {
			return err
		}
	}
	if s.catalog().Schema(newName) != nil || isSystemSchema(newName) {
		return schemaExists(newName)
	}
	if old = s.catalog().Schema(name); old == nil {
		return noSchema(name)
	}
	renamed := *old
	renamed.Name = newName
	if err := s.Txn.Change(ctx, catalog.Put(&renamed)); err != nil {
		return err
	}
	for _, kind := range []catalog.Kind{catalog.KindTable, catalog.KindView, catalog.KindSequence} {
		for _, o := range s.catalog().Objects(kind) {
			if schema, relation := o.ObjectName(); schema == name {
				if err := s.move(ctx, o, catalog.Name{Schema: newName, Name: relation}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
