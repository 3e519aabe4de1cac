package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql/ast"
)

func (s *statement) truncate(ctx context.Context, t *ast.Truncate) error {
	for _, name := range t.Tables {
		table, err := s.table(name)
		if err != nil {
			return err
		}
		if err := s.Txn.LockTable(ctx, table.ID, storage.LockAccessExclusive, s.Wait); err != nil {
			return err
		}
		if table = s.catalog().Table(table.ID); table == nil {
			return s.noRelation(name, "relation")
		}
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
