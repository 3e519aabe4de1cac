package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// dropRole is DROP ROLE: only roles that own nothing can go.
func (s *statement) dropRole(ctx context.Context, t *ast.DropRole) error {
	if !s.mayManageRoles(false) {
		return denied("permission denied to drop role")
	}
	for _, name := range t.Names {
		if err := s.lockRole(ctx, name); err != nil {
			return err
		}
		r := s.catalog().Role(name)
		if r == nil {
			if !t.IfExists {
				return noRole(name)
			}
			s.notice("00000", `role "%s" does not exist, skipping`, name)
			continue
		}
		if err := s.droppableRole(r); err != nil {
			return err
		}
		if err := s.Txn.Change(ctx, catalog.Delete(r)); err != nil {
			return err
		}
		if err := s.renameMembership(ctx, r.Name, ""); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) droppableRole(r *catalog.Role) error {
	switch {
	case r.Name == s.User:
		return pgerr.New(pgerr.ObjectInUse, "current user cannot be dropped")
	case r.Name == s.Run.Session.SessionUser():
		return pgerr.New(pgerr.ObjectInUse, "session user cannot be dropped")
	case r.Super && !s.isSuper():
		return denied("must be superuser to drop superusers")
	case r.ID == bootstrapRole:
		return pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop role %s because it is required by the database system", r.Name)
	}
	owned := s.ownedBy(r.Name)
	if len(owned) == 0 {
		return nil
	}
	for i := range owned {
		owned[i] = "owner of " + owned[i]
	}
	return pgerr.Newf(pgerr.DependentObjectsStillExist, `role "%s" cannot be dropped because some objects depend on it`, r.Name).WithDetail("%s", listed(owned))
}

// bootstrapRole is the id of the role that the data directory was made with.
const bootstrapRole = 10

// ownedBy describes what a role owns.
func (s *statement) ownedBy(role string) []string {
	var out []string
	for _, kind := range []catalog.Kind{catalog.KindSchema, catalog.KindTable, catalog.KindView, catalog.KindSequence} {
		for _, o := range s.catalog().Objects(kind) {
			q, isSequence := o.(*catalog.Sequence)
			if s.owner(o) == role && !(isSequence && q.OwnerTable != 0) {
				out = append(out, s.describe(o))
			}
		}
	}
	return out
}

// renameMembership writes a group's new name into its members' lists; "" takes it out.
func (s *statement) renameMembership(ctx context.Context, group, newName string) error {
	for _, o := range s.catalog().Objects(catalog.KindRole) {
		if !slices.Contains(o.(*catalog.Role).MemberOf, group) {
			continue
		}
		o, err := s.lockForChange(ctx, o)
		if err != nil {
			return err
		}
		r, ok := o.(*catalog.Role)
		if !ok {
			continue
		}
		c := *r
		c.MemberOf = slices.DeleteFunc(slices.Clone(r.MemberOf), func(g string) bool { return g == group })
		if newName != "" {
			c.MemberOf = append(c.MemberOf, newName)
		}
		if err := s.Txn.Change(ctx, catalog.Put(&c)); err != nil {
			return err
		}
	}
	return nil
}

// renameRole renames a role and what names it: memberships and owners.
func (s *statement) renameRole(ctx context.Context, name, newName string) error {
	r, err := s.role(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case r.Name == s.User || r.Name == s.Run.Session.SessionUser():
		return pgerr.New(pgerr.FeatureNotSupported, "session user cannot be renamed")
	case !s.mayManageRoles(r.Super):
		return denied("permission denied to rename role")
	}
	if err := reservedRole(newName); err != nil {
		return err
	}
	if err := s.lockRole(ctx, newName); err != nil {
		return err
	}
	if s.catalog().Role(newName) != nil {
		return pgerr.Newf(pgerr.DuplicateObject, `role "%s" already exists`, newName)
	}
	old := r.Name
	r.Name = newName
	if err := s.Txn.Change(ctx, catalog.Put(r)); err != nil {
		return err
	}
	if err := s.renameMembership(ctx, old, newName); err != nil {
		return err
	}
	return s.reown(ctx, old, newName)
}

// reown gives all that a role owns to another.
func (s *statement) reown(ctx context.Context, old, owner string) error {
	for _, kind := range []catalog.Kind{catalog.KindSchema, catalog.KindTable, catalog.KindView, catalog.KindSequence} {
		for _, o := range s.catalog().Objects(kind) {
			if s.owner(o) != old {
				continue
			}
			o, err := s.lockForChange(ctx, o)
			if err != nil {
				return err
			}
			if o == nil {
				continue
			}
			if err := s.Txn.Change(ctx, withOwner(o, owner)); err != nil {
				return err
			}
		}
	}
	return nil
}

// withOwner is the change that gives an object to a role.
func withOwner(o catalog.Object, owner string) catalog.Change {
	switch o := o.(type) {
	case *catalog.Table:
		c := o.Clone()
		c.Owner = owner
		c.Version++
		return catalog.Put(c)
	case *catalog.View:
		c := *o
		c.Owner = owner
		return catalog.Put(&c)
	case *catalog.Sequence:
		c := *o
		c.Owner = owner
		return catalog.Put(&c)
	case *catalog.Schema:
		c := *o
		c.Owner = owner
		return catalog.Put(&c)
	}
	return catalog.Put(o)
}
