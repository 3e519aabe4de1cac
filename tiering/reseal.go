package tiering

import (
	"context"
	"time"

	"github.com/akidb/akidb/internal/crashpoint"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Rows that are written to a cold collection lie here, and their vectors in memory. Once
// they are many, they are sealed into segments of their own. That is no move: the tier
// stays, and so does all but those rows.
const (
	// leastToSeal rows or leastBytes of vectors, and more than one row in sealShare of all:
	// each seal adds a part to every search.
	leastToSeal = 5_000
	leastBytes  = 64 << 20
	sealShare   = 20
)

// resealDue are the cold collections with many local rows. Only those somebody has
// asked for are known to have any: others were not written to since the start.
func (m *Manager) resealDue() []types.OID {
	var due []types.OID
	for table, list := range m.indexes.Load().byTable {
		for _, v := range list {
			b, ok := v.present().(*coldBody)
			if !ok {
				continue
			}
			n := b.Pending()
			if (n >= leastToSeal || b.Bytes() >= leastBytes) && n >= b.Len()/sealShare {
				due = append(due, table)
				break
			}
		}
	}
	return due
}

// reseal seals the local rows of a cold collection, when it rests. A move that begins
// meanwhile waits.
func (m *Manager) reseal(ctx context.Context, id types.OID) error {
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
	if table == nil || table.Cold == nil {
		return nil
	}
	j := &job{m: m, table: table, collection: c, shown: &progressCell{}}
	defer j.discard()
	err := m.sealLocal(ctx, j)
	if err != nil && ctx.Err() == nil {
		c.mu.Lock()
		c.recent.Error = shortError(err)
		c.mu.Unlock()
	}
	return err
}

func (m *Manager) sealLocal(ctx context.Context, j *job) error {
	j.follow()
	rows, err := m.freeze(ctx, j.table.ID)
	if err != nil {
		return err
	}
	defer rows.close()
	if rows.table.Cold != j.table.Cold {
		return nameCollection(errChanged, j.table)
	}
	in := rows.sealing(nil)
	in.Changes = 0 // a manifest over others is never the same as one before
	crashpoint.Here("tiering.reseal-write")
	if j.cold, err = m.opts.Cold.Seal(ctx, in, nil); err != nil {
		return fileError(err)
	}
	crashpoint.Here("tiering.reseal-written")
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		done, err := m.switchSealed(ctx, j)
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

// switchSealed is one attempt to put the new segments into the descriptor; false when
// somebody has the table.
func (m *Manager) switchSealed(ctx context.Context, j *job) (bool, error) {
	tx, err := m.store.Begin(ctx, storage.TxnOptions{})
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // of what was not committed
	err = tx.LockTable(ctx, j.table.ID, storage.LockAccessExclusive, storage.WaitPolicy{Timeout: lockPatience})
	switch {
	case pgerr.Code(err) == pgerr.LockNotAvailable:
		return false, nil
	case err != nil:
		return false, err
	}
	table := m.store.Catalog().Table(j.table.ID)
	switch {
	case table == nil:
		return false, errGone
	case table.Cold != j.table.Cold || j.watch.Broken():
		return false, nameCollection(errChanged, j.table)
	}
	to := table.Clone()
	to.Version++
	to.Cold = j.cold
	if err := tx.Unload(ctx, to, j.watch.Changed()); err != nil {
		return false, err
	}
	for _, v := range m.vectorIndexes(table.ID) {
		j.indexes = append(j.indexes, &newPlace{v: v}) // opened anew, with what is local then
	}
	m.switching.Store(table.ID, j)
	defer m.switching.Delete(table.ID)
	return true, tx.Commit(ctx, false)
}
