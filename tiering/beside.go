package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// What remakes a part of a collection in its tier (reseal.go, retrain.go) is no move, but
// goes a move's way: the new part is written beside the old one and switched by one
// commit. Should the process end before it, nothing has happened.

// besideMoves runs fn while the collection rests; a move that begins meanwhile waits for
// it. It does nothing when the collection moves.
func (m *Manager) besideMoves(ctx context.Context, id types.OID, fn func(j *job) error) error {
	c := m.tiers.find(id)
	c.op.Lock()
	if c.moving != nil || c.sealing != nil {
		c.op.Unlock()
		return nil
	}
	done := make(chan struct{})
	c.sealing = done
	c.op.Unlock()
	defer func() {
		c.op.Lock()
		c.sealing = nil
		c.op.Unlock()
		close(done)
	}()
	if err := m.await(ctx); err != nil {
		return err
	}
	defer func() { <-m.turns }()
	table := m.store.Catalog().Table(id)
	if table == nil {
		return nil
	}
	j := &job{m: m, table: table, collection: c, shown: &progressCell{}}
	defer j.discard()
	if err := fn(j); err != nil {
		return err
	}
	return j.free()
}

// switchBeside commits what fn writes once nobody has the table. before comes in each
// attempt, ahead of the lock.
func (j *job) switchBeside(ctx context.Context, before func() error, fn func(tx *rowstore.Txn, table *catalog.Table) error) error {
	return untilAlone(ctx, func() (bool, error) {
		if before != nil {
			if err := before(); err != nil {
				return false, err
			}
		}
		return j.trySwitchBeside(ctx, fn)
	})
}

// trySwitchBeside is one attempt; false when somebody has the table.
func (j *job) trySwitchBeside(ctx context.Context, fn func(tx *rowstore.Txn, table *catalog.Table) error) (bool, error) {
	m, id := j.m, j.table.ID
	tx, err := m.store.Begin(ctx, storage.TxnOptions{})
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // of what was not committed
	table, err := m.lockAlone(ctx, tx, id)
	if table == nil || err != nil {
		return false, err
	}
	if j.watch.Broken() {
		return false, nameCollection(errChanged, j.table)
	}
	if err := fn(tx, table); err != nil {
		return false, err
	}
	m.switching.Store(id, j)
	defer m.switching.Delete(id)
	return true, tx.Commit(ctx, false)
}
