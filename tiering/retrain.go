package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
)

// leastToTrain rows are worth cells of their own.
const leastToTrain = 1000

// outgrown says whether an index has twice the rows that its cells were trained on:
// cells that were only split find less.
func (b *cellsBody) outgrown() bool {
	return b.Len() >= max(2*b.trained, leastToTrain)
}

// retrain builds the cells of an index anew, beside searches and writes.
func (m *Manager) retrain(ctx context.Context, v *vectorIndex) error {
	defer v.retraining.Store(false)
	return m.besideMoves(ctx, v.desc().Table, func(j *job) error {
		if kindOf(v.desc(), j.table.Tier) != cellsKind || m.index(v.desc().ID) != v {
			return nil
		}
		j.follow()
		p := &newPlace{v: v, rows: -1}
		j.indexes = []*newPlace{p}
		if err := m.buildCells(ctx, v, m.storedRows(j.table, v), nil); err != nil {
			return err
		}
		b, err := m.openCells(ctx, v)
		if err != nil {
			return err
		}
		p.body = b
		return j.switchBeside(ctx, func() error { return j.bringMost(ctx) }, func(tx *rowstore.Txn, table *catalog.Table) error {
			if table.Tier != j.table.Tier || m.index(v.desc().ID) != v {
				return nameCollection(errChanged, table)
			}
			if err := j.catchUpLast(ctx); err != nil {
				return err
			}
			x := v.desc().Clone() // its version tells the commit from others
			x.Version++
			return tx.Change(ctx, catalog.Put(x))
		})
	})
}
