package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// alterCollection is ALTER COLLECTION … SET TIER | PIN | UNPIN | CANCEL | SET (…).
func (s *statement) alterCollection(ctx context.Context, t *ast.AlterCollection) error {
	o, err := s.altered(ctx, t.Table, "TABLE", t.IfExists)
	if err != nil || o == nil {
		return err
	}
	old, ok := o.(*catalog.Table)
	if !ok {
		return wrongObject(o, "a collection").At(t.Table.Pos)
	}
	table := old.Clone()
	table.Version++
	switch t.Action {
	case "SET TIER":
		return checkTier(t.Tier)
	case "CANCEL":
		s.notice("00000", `collection "%s" is not moving`, table.Name)
		return nil
	case "PIN", "UNPIN":
		table.Pinned = t.Action == "PIN"
	case "SET":
		if err := setTableOptions(table, t.Options); err != nil {
			return err
		}
	default:
		return pgerr.Unsupported("ALTER COLLECTION " + t.Action)
	}
	return s.Txn.Change(ctx, catalog.Put(table))
}

// setTableOptions is SET (…) on a table.
func setTableOptions(t *catalog.Table, list []ast.Option) error {
	added, err := options(list, tableOptions)
	if err != nil {
		return err
	}
	if tier, ok := added["tier"]; ok {
		if err := checkTier(tier); err != nil {
			return err
		}
		delete(added, "tier")
	}
	t.Options = mergeOptions(t.Options, added, nil)
	return nil
}
