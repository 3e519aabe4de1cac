package tiering

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/crashpoint"
	"github.com/akidb/akidb/internal/rowstore"
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
	for v := range m.indexes.Load().all() {
		b, ok := v.present().(*coldBody)
		if !ok {
			continue
		}
		n, table := b.Pending(), v.desc().Table
		if (n >= leastToSeal || b.Bytes() >= leastBytes) && n >= b.Len()/sealShare && !slices.Contains(due, table) {
			due = append(due, table)
		}
	}
	return due
}

// reseal seals the local rows of a cold collection.
func (m *Manager) reseal(ctx context.Context, id types.OID) error {
	return m.besideMoves(ctx, id, func(j *job) error {
		if j.table.Cold == nil {
			return nil
		}
		err := m.sealLocal(ctx, j)
		if err != nil && ctx.Err() == nil {
			j.collection.noteError(err)
		}
		return err
	})
}

func (c *collection) noteError(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.Error = shortError(err)
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
	return j.switchBeside(ctx, nil, func(tx *rowstore.Txn, to *catalog.Table) error {
		if to.Cold != rows.table.Cold {
			return nameCollection(errChanged, to)
		}
		for _, v := range m.vectorIndexes(to.ID) {
			j.indexes = append(j.indexes, &newPlace{v: v}) // opened anew, with what is local then
		}
		to = to.Clone()
		to.Version++
		to.Cold = j.cold
		return tx.Unload(ctx, to, j.watch.Changed())
	})
}
