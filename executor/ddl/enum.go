package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

func quoted(name string) string { return sql.QuoteIdent(name) }

// createEnum is CREATE TYPE … AS ENUM.
func (s *statement) createEnum(ctx context.Context, t *ast.CreateEnum) error {
	name, err := s.newType(ctx, t.Name)
	if err != nil {
		return err
	}
	id, err := s.NewID()
	if err != nil {
		return err
	}
	u := &catalog.UserType{ID: types.EnumOID(id), Schema: name.Schema, Name: name.Name, Owner: s.User, Typmod: types.NoTypmod}
	for _, label := range t.Labels {
		if err := checkLabel(label); err != nil {
			return err
		}
		if slices.Contains(u.Labels, label) {
			return pgerr.New(pgerr.UniqueViolation, `duplicate key value violates unique constraint "pg_enum_typid_label_index"`).
				WithDetail("Key (enumtypid, enumlabel)=(%d, %s) already exists.", uint32(u.ID), label).
				Of("pg_catalog", "pg_enum", "", "pg_enum_typid_label_index")
		}
		u.Labels = append(u.Labels, label)
	}
	return s.Txn.Change(ctx, catalog.Put(u))
}

func checkLabel(label string) error {
	if len(label) > maxName {
		return pgerr.Newf("42602", `invalid enum label "%s"`, label).WithDetail("Labels must be %d bytes or less.", maxName)
	}
	return nil
}

// alterEnum is ALTER TYPE … ADD VALUE and RENAME VALUE.
func (s *statement) alterEnum(ctx context.Context, t *ast.AlterEnum) error {
	u, err := s.alteredType(ctx, rangeVar(t.Name))
	if err != nil {
		return err
	}
	if !u.IsEnum() {
		return pgerr.Newf(pgerr.WrongObjectType, "%s is not an enum", u.Name)
	}
	if err := checkLabel(t.New); err != nil {
		return err
	}
	changed := u.Clone()
	if t.Old == "" {
		err = s.addLabel(changed, t)
	} else {
		err = renameLabel(changed, t.Old, t.New)
	}
	if err != nil {
		return err
	}
	if err := s.Txn.Change(ctx, catalog.Put(changed)); err != nil || t.Old == "" {
		return err
	}
	return s.renameLabelInTexts(ctx, changed, t.Old, t.New)
}

func renameLabel(u *catalog.UserType, from, to string) error {
	i := slices.Index(u.Labels, from)
	if i < 0 {
		return noLabel(from)
	}
	if slices.Contains(u.Labels, to) {
		return labelExists(to)
	}
	u.Labels[i] = to
	return nil
}

func noLabel(label string) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, `"%s" is not an existing enum label`, label)
}

func labelExists(label string) error {
	return pgerr.Newf(pgerr.DuplicateObject, `enum label "%s" already exists`, label)
}

// addLabel gives a new label its place. The numbers of the others stay, for rows
// and indexes hold them.
func (s *statement) addLabel(u *catalog.UserType, t *ast.AlterEnum) error {
	if slices.Contains(u.Labels, t.New) {
		if t.IfNotExists {
			s.notice(pgerr.DuplicateObject, `enum label "%s" already exists, skipping`, t.New)
			return nil
		}
		return labelExists(t.New)
	}
	at := len(u.Labels)
	if t.Neighbor != "" {
		if at = slices.Index(u.Labels, t.Neighbor); at < 0 {
			return noLabel(t.Neighbor)
		}
		if t.After {
			at++
		}
	}
	order, err := orderBetween(u, at)
	if err != nil {
		return err
	}
	for i := len(u.Orders); i < len(u.Labels); i++ {
		u.Orders = append(u.Orders, u.OrderAt(i))
	}
	u.Labels, u.Orders = slices.Insert(u.Labels, at, t.New), slices.Insert(u.Orders, at, order)
	return nil
}

// orderBetween is the number of a label to be put at a place: half way between its
// neighbours, which works some fifty times between the same two.
func orderBetween(u *catalog.UserType, at int) (float64, error) {
	n := len(u.Labels)
	switch {
	case n == 0:
		return 1, nil
	case at == n:
		return u.OrderAt(n-1) + 1, nil
	case at == 0:
		return u.OrderAt(0) - 1, nil
	}
	low, high := u.OrderAt(at-1), u.OrderAt(at)
	middle := low + (high-low)/2
	if middle <= low || middle >= high {
		return 0, pgerr.Newf(pgerr.ProgramLimitExceeded, `there is no place left between labels "%s" and "%s"`, u.Labels[at-1], u.Labels[at])
	}
	return middle, nil
}
