package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// alterCollection is ALTER COLLECTION … SET TIER | PIN | UNPIN | CANCEL | SET (…).
func (s *statement) alterCollection(ctx context.Context, t *ast.AlterCollection) error {
	if t.Action == "SET TIER" || t.Action == "CANCEL" {
		return s.moveCollection(t)
	}
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
	case "PIN", "UNPIN":
		table.Pinned = t.Action == "PIN"
	case "SET":
		if err := s.setTableOptions(table, t.Options); err != nil {
			return err
		}
	default:
		return pgerr.Unsupported("ALTER COLLECTION " + t.Action)
	}
	if err := s.Txn.Change(ctx, catalog.Put(table)); err != nil {
		return err
	}
	for _, p := range s.catalog().Partitions(table.ID) { // each is a collection of its own
		part := *t
		part.Table = &ast.RangeVar{Schema: p.Schema, Name: p.Name}
		if err := s.alterCollection(ctx, &part); err != nil {
			return err
		}
	}
	return nil
}

// moveCollection is SET TIER and CANCEL. It takes no lock: the move is not part of the
// transaction, and waits for those who have one.
func (s *statement) moveCollection(t *ast.AlterCollection) error {
	o, err := s.relation(t.Table)
	if err != nil {
		return err
	}
	table, ok := o.(*catalog.Table)
	switch {
	case o == nil && t.IfExists:
		s.notice("00000", `relation "%s" does not exist, skipping`, t.Table.Name)
		return nil
	case o == nil:
		return s.noRelation(t.Table, "relation")
	case !ok:
		return wrongObject(o, "a collection").At(t.Table.Pos)
	}
	if err := s.mustOwn(table); err != nil {
		return err
	}
	if t.Action == "SET TIER" {
		tier, err := parseTier(t.Tier)
		if err != nil {
			return err
		}
		return s.setTier(table, tier, t.Wait)
	}
	if s.CancelMove == nil {
		return pgerr.Unsupported("tiering")
	}
	any := false
	for _, leaf := range s.catalog().Leaves(table, nil) {
		moved, err := s.CancelMove(leaf)
		if err != nil {
			return err
		}
		any = any || moved
	}
	if !any {
		s.notice("00000", `collection "%s" is not moving`, table.Name)
	}
	return nil
}

// setTier asks for a move; of a partitioned table all partitions move that are elsewhere.
func (s *statement) setTier(table *catalog.Table, tier types.Tier, wait bool) error {
	if table.Partitioned != nil {
		for _, leaf := range s.catalog().Leaves(table, nil) {
			if leaf.Tier == tier {
				continue
			}
			if err := s.setTier(leaf, tier, wait); err != nil {
				return err
			}
		}
		return nil
	}
	switch {
	case table.Temp != 0 && tier != types.TierHot:
		return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, `temporary table "%s" cannot be moved`, table.Name)
	case s.SetTier != nil:
		return s.SetTier(table, tier, wait)
	case tier == table.Tier:
		return nil
	}
	return pgerr.Unsupported("tier " + tier.String())
}

// parseTier reads hot, warm or cold.
func parseTier(name string) (types.Tier, error) {
	for _, t := range []types.Tier{types.TierHot, types.TierWarm, types.TierCold} {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for parameter "tier": "%s"`, name).
		WithHint("Available values: hot, warm, cold.")
}

// setTableOptions is SET (…) on a table.
func (s *statement) setTableOptions(t *catalog.Table, list []ast.Option) error {
	added, err := options(list, tableOptions)
	if err != nil {
		return err
	}
	name, moves := added["tier"]
	delete(added, "tier")
	t.Options = mergeOptions(t.Options, added, nil)
	if !moves || t.Partitioned != nil { // the partitions are asked themselves
		return nil
	}
	tier, err := parseTier(name)
	if err != nil {
		return err
	}
	return s.setTier(t, tier, false)
}
