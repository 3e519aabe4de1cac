package tiering

import (
	"context"
	"encoding/json"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/crashpoint"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

const (
	// A switch needs the table to itself. It waits for that no longer than readers
	// who come after it can wait, and tries again later.
	lockPatience  = 50 * time.Millisecond
	firstPause    = 5 * time.Millisecond
	longestPause  = time.Second
	fewToCatchUp  = 256 // rows that may be left to bring while the table is locked
	catchUpRounds = 20
)

// switchTier makes the new place the owner, in one commit. It has told the state
// machine when it returns no error.
func (m *Manager) switchTier(ctx context.Context, id types.OID, c *collection, work *moving, l *leg, mv state.Move) error {
	j := &work.job
	return untilAlone(ctx, func() (bool, error) {
		if mv := c.move(); mv == nil || mv.Stop {
			return false, errCanceled
		}
		if err := j.bringMost(ctx); err != nil {
			return false, err
		}
		return m.trySwitch(ctx, id, c, work, l, mv)
	})
}

// untilAlone makes attempts that need a table to themselves until one has got it.
func untilAlone(ctx context.Context, try func() (done bool, err error)) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		done, err := try()
		if done || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lockAlone locks a table against all others; nil when somebody has it.
func (m *Manager) lockAlone(ctx context.Context, tx *rowstore.Txn, id types.OID) (*catalog.Table, error) {
	err := tx.LockTable(ctx, id, storage.LockAccessExclusive, storage.WaitPolicy{Timeout: lockPatience})
	switch {
	case pgerr.Code(err) == pgerr.LockNotAvailable:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if table := m.store.Catalog().Table(id); table != nil {
		return table, nil
	}
	return nil, errGone
}

// bringMost catches up until few rows are left.
func (j *job) bringMost(ctx context.Context) error {
	for range catchUpRounds {
		if n, err := j.catchUp(ctx); err != nil || n <= fewToCatchUp {
			return err
		}
	}
	return nil
}

var errCanceled = pgerr.New(pgerr.QueryCanceled, "collection was not moved: the move was cancelled")

// trySwitch is one attempt; false when somebody has the table.
func (m *Manager) trySwitch(ctx context.Context, id types.OID, c *collection, work *moving, l *leg, mv state.Move) (done bool, err error) {
	j := &work.job
	tx := j.tx
	if tx == nil {
		if tx, err = m.store.Begin(ctx, storage.TxnOptions{}); err != nil {
			return false, err
		}
		defer tx.Rollback() // of what was not committed
	}
	table, err := m.lockAlone(ctx, tx, id)
	if table == nil || err != nil {
		return false, err
	}
	if err := j.catchUpLast(ctx); err != nil {
		return false, err
	}
	if err := j.sameIndexes(mv.To); err != nil {
		return false, err
	}
	c.op.Lock()
	defer c.op.Unlock()
	if mv := c.move(); mv == nil || mv.Step != state.Switch || mv.Stop {
		return false, errCanceled
	}
	if err := m.commitSwitch(ctx, tx, table, c, j, l); err != nil {
		return false, err
	}
	crashpoint.Here("tiering." + l.name + "-switched")
	work.cancel = nil
	j.watch.Stop()
	_, _ = m.applyLocked(id, c, state.Event{Kind: state.Done, Step: state.Switch}) // never refused
	return true, nil
}

// commitSwitch writes the descriptor, the rows' move and the state, and swaps the
// bodies before the lock is given back. c.op is held.
func (m *Manager) commitSwitch(ctx context.Context, tx *rowstore.Txn, table *catalog.Table, c *collection, j *job, l *leg) error {
	c.mu.Lock()
	r := c.recent
	c.mu.Unlock()
	to := table.Clone()
	to.Version++
	to.Tier = r.Move.To
	now := m.tiers.opts.Clock.Now().UnixNano()
	counts, _ := c.Saved()
	promoted := r.Move.To < r.Move.From
	r.Last, r.Window, r.Count, r.Updated, r.Error = counts.Last, counts.Window, counts.Count, now, ""
	if promoted {
		r.Window, r.Count = now, 0
	}
	r.Move = state.Switched(state.State{Tier: table.Tier, Move: r.Move}).Move
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := l.place(ctx, tx, j, to); err != nil {
		return err
	}
	if err := remake(ctx, tx, m.store.Catalog(), j); err != nil {
		return err
	}
	tx.PutTierState(table.ID, value)
	m.switching.Store(table.ID, j)
	defer m.switching.Delete(table.ID)
	crashpoint.Here("tiering." + l.name + "-commit")
	j.tx = nil // the commit ends it
	if err := tx.Commit(ctx, false); err != nil {
		return err
	}
	if promoted {
		c.Restart(now)
	}
	c.mu.Lock()
	c.recent.Updated, c.recent.Error = now, ""
	c.mu.Unlock()
	return nil
}

// remake has transactions with an older snapshot not use the indexes: the new bodies
// lack the rows that only those see.
func remake(ctx context.Context, tx *rowstore.Txn, cat *catalog.Snapshot, j *job) error {
	for _, p := range j.indexes {
		if x, ok := cat.Object(p.v.desc().ID).(*catalog.Index); ok {
			if err := tx.Change(ctx, catalog.Put(x.Clone())); err != nil {
				return err
			}
		}
	}
	return nil
}

// swapBodies comes with the catalog of a commit: where it is a switch's, the new
// bodies take their places before anybody else can lock the table.
func (m *Manager) swapBodies(old, now *catalog.Snapshot) {
	m.switching.Range(func(_, j any) bool {
		if j := j.(*job); j.isIn(old, now) {
			j.swap()
		}
		return true
	})
}

// isIn says whether a commit is the job's: the table lies elsewhere, or an index that
// stays where it is has a new version.
func (j *job) isIn(old, now *catalog.Snapshot) bool {
	a, b := old.Table(j.table.ID), now.Table(j.table.ID)
	if a == nil || b == nil {
		return false
	}
	if a.Tier != b.Tier || a.Cold != b.Cold {
		return true
	}
	if len(j.indexes) == 0 {
		return false
	}
	id := j.indexes[0].v.desc().ID
	x, _ := old.Object(id).(*catalog.Index)
	y, _ := now.Object(id).(*catalog.Index)
	return x != nil && y != nil && y.Version > x.Version
}
