package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql/ast"
)

func (s *statement) truncate(ctx context.Context, t *ast.Truncate) error {
	tables, err := s.truncated(ctx, t)
	if err != nil {
		return err
	}
	for _, table := range tables {
		for _, leaf := range s.catalog().Leaves(table, nil) {
			if err := s.Txn.LockTable(ctx, leaf.ID, storage.LockAccessExclusive, s.Wait); err != nil {
				return err
			}
			if err := s.Txn.Truncate(ctx, leaf); err != nil {
				return err
			}
		}
		if !t.RestartIdentity {
			continue
		}
		for _, q := range s.catalog().Sequences(table.ID) {
			if err := s.SetValue(ctx, q.ID, q.Start, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// truncated finds and locks the tables that are emptied: those named, and with
// CASCADE those with foreign keys to them.
func (s *statement) truncated(ctx context.Context, t *ast.Truncate) ([]*catalog.Table, error) {
	var out []*catalog.Table
	add := func(table *catalog.Table, name *ast.RangeVar) error {
		if err := s.Txn.LockTable(ctx, table.ID, storage.LockAccessExclusive, s.Wait); err != nil {
			return err
		}
		if table = s.catalog().Table(table.ID); table == nil {
			return s.noRelation(name, "relation")
		}
		out = append(out, table)
		return nil
	}
	for _, name := range t.Tables {
		table, err := s.table(name)
		if err == nil {
			err = add(table, name)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(out); i++ { // it grows
		for _, other := range s.catalog().Referencing(out[i].ID) {
			if slices.ContainsFunc(out, func(o *catalog.Table) bool { return o.ID == other.ID }) {
				continue
			}
			if !t.Cascade {
				return nil, pgerr.New(pgerr.FeatureNotSupported, "cannot truncate a table referenced in a foreign key constraint").
					WithDetail(`Table "%s" references "%s".`, other.Name, out[i].Name).
					WithHint(`Truncate table "%s" at the same time, or use TRUNCATE ... CASCADE.`, other.Name)
			}
			s.notice("00000", `truncate cascades to table "%s"`, other.Name)
			if err := add(other, &ast.RangeVar{Schema: other.Schema, Name: other.Name}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
