package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// CheckTier says whether a table could be moved now, as the caller's transaction sees
// it; the move itself begins when that has committed.
func (m *Manager) CheckTier(table *catalog.Table, to types.Tier, wait bool) error {
	c := m.tiers.find(table.ID)
	_, _, err := state.Apply(stateOf(table, c), state.Event{Kind: state.SetTier, Tier: to, Wait: wait}, m.have())
	return nameCollection(err, table)
}

// SetTier begins to move a collection. With wait it first waits for a move under way
// and then until the collection is there, and gives the error of a move that failed.
func (m *Manager) SetTier(ctx context.Context, id types.OID, to types.Tier, wait bool) error {
	for {
		rest, err := m.apply(id, state.Event{Kind: state.SetTier, Tier: to, Wait: wait})
		if err != nil {
			return err
		}
		if rest == nil {
			break
		}
		if err := awaitRest(ctx, rest); err != nil {
			return err
		}
	}
	if !wait {
		return nil
	}
	return m.awaitTier(ctx, id, to)
}

func awaitRest(ctx context.Context, rest <-chan struct{}) error {
	select {
	case <-rest:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// awaitTier waits until a collection rests and says why it is not where it should be.
func (m *Manager) awaitTier(ctx context.Context, id types.OID, to types.Tier) error {
	c := m.tiers.find(id)
	c.op.Lock()
	work := c.moving
	c.op.Unlock()
	if work != nil {
		if err := awaitRest(ctx, work.rest); err != nil {
			return err
		}
	}
	table := m.store.Catalog().Table(id)
	switch {
	case table == nil || table.Tier == to:
		return nil
	case work != nil && work.failure != nil:
		return work.failure
	}
	return nameCollection(errCanceled, table)
}

// CancelMove ends a move before its switch; false when there is none.
func (m *Manager) CancelMove(id types.OID) (bool, error) {
	if c := m.tiers.find(id); c.move() == nil {
		return false, nil
	}
	_, err := m.apply(id, state.Event{Kind: state.Cancel})
	return true, err
}

// LockTable locks a table. A cold collection whose cold_access is restore comes back
// first, as long as the transaction has nothing of it yet that a move would wait for.
func (t *Txn) LockTable(ctx context.Context, table types.OID, mode storage.LockMode, wait storage.WaitPolicy) error {
	if mode <= storage.LockRowExclusive && !t.repeatable {
		if err := t.m.restoreFirst(ctx, table); err != nil {
			return err
		}
	}
	return t.Txn.LockTable(ctx, table, mode, wait)
}

func (m *Manager) restoreFirst(ctx context.Context, id types.OID) error {
	table := m.store.Catalog().Table(id)
	if table == nil || table.Tier != types.TierCold || m.tiers.rules().Policy.With(override(table)).ColdAccess != state.ColdRestore {
		return nil
	}
	return m.SetTier(ctx, id, types.TierWarm, true)
}
