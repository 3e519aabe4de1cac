package tiering

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/types"
)

// progressCell is how much of a step is done.
type progressCell struct{ done, total atomic.Int64 }

func (p *progressCell) set(done, total int64) {
	p.done.Store(done)
	p.total.Store(total)
}

// share is 0 to 1.
func (p *progressCell) share() float64 {
	total := p.total.Load()
	if total <= 0 {
		return 0
	}
	return min(1, float64(p.done.Load())/float64(total))
}

// job is a move's new place while it is made: the steps of one leg run one after the
// other and share it.
type job struct {
	m          *Manager
	collection *collection
	table      *catalog.Table // when it was begun
	shown      *progressCell
	// watch tells which rows commits have written since the copy began; changed are
	// those it told of so far.
	watch   *rowstore.Watch
	changed *roaring64.Bitmap
	// indexes have got a new body; old are those that it has replaced.
	indexes []*newPlace
	// tx holds the rows that come back from segments; cold is where rows went.
	tx   *rowstore.Txn
	cold *catalog.Cold
}

// newPlace is a body that is made for an index.
type newPlace struct {
	v         *vectorIndex
	body, old body
	rows      int // how many vectors it was given
}

var errChanged = pgerr.New(pgerr.ObjectInUse, "collection was changed while it was moved").WithHint("Move it again.")

// discard gives up what was made.
func (j *job) discard() {
	if j.watch != nil {
		j.watch.Stop()
	}
	if j.tx != nil {
		j.tx.Rollback()
	}
	for _, p := range j.indexes {
		if p.body != nil && p.v.present() != p.body {
			j.m.report(p.v, "index not freed", p.body.Close())
		}
	}
	*j = job{}
}

// follow begins to watch what commits write.
func (j *job) follow() {
	j.watch, j.changed = j.m.store.Watch(j.table.ID), roaring64.New()
}

// catchUp brings the new bodies up to what was committed since the last call, and
// says how many rows that were.
func (j *job) catchUp(ctx context.Context) (int, error) {
	old := j.watch
	j.watch = j.m.store.Watch(j.table.ID)
	ids, broken := old.Changed(), old.Broken()
	old.Stop()
	if broken {
		return 0, nameCollection(errChanged, j.table)
	}
	return len(ids), j.bring(ctx, ids)
}

// catchUpLast is catchUp while the table is locked against all others.
func (j *job) catchUpLast(ctx context.Context) error {
	if j.watch.Broken() {
		return nameCollection(errChanged, j.table)
	}
	return j.bring(ctx, j.watch.Changed())
}

// bring makes the new bodies agree with the committed rows of some ids.
func (j *job) bring(ctx context.Context, ids []types.RowID) error {
	for _, id := range ids {
		j.changed.Add(uint64(id))
	}
	table := j.m.store.Catalog().Table(j.table.ID)
	if table == nil {
		return errGone
	}
	for _, p := range j.indexes {
		for batch := range slices.Chunk(ids, catchUpBatch) {
			if err := j.m.bringBatch(ctx, table, p, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Manager) bringBatch(ctx context.Context, table *catalog.Table, p *newPlace, ids []types.RowID) error {
	at := 0
	gone := func(until types.RowID) {
		for ; at < len(ids) && ids[at] != until; at++ {
			p.body.Remove(ids[at])
		}
	}
	err := m.store.Rows(ctx, table, p.v.columns(table), ids, func(id types.RowID, row types.Row) error {
		gone(id)
		at++
		return m.put(table, p.v, p.body, id, row)
	})
	if err == nil {
		gone(0)
	}
	return err
}

// vectorIndexes are the table's vector indexes.
func (m *Manager) vectorIndexes(table types.OID) []*vectorIndex {
	return m.indexes.Load().of(table)
}

// verify compares the new bodies with what they were given.
func (j *job) verify(context.Context) error {
	for _, p := range j.indexes {
		if b, ok := p.body.(*cellsBody); ok && p.rows >= 0 && b.Len() != p.rows {
			return pgerr.Newf(pgerr.DataCorrupted, "index \"%s\" has %d vectors instead of %d in its new place", p.v.desc().Name, b.Len(), p.rows)
		}
	}
	return nil
}

// sameIndexes says whether the table still has the indexes that new bodies were made for.
func (j *job) sameIndexes(to types.Tier) error {
	for _, p := range j.indexes {
		if j.m.index(p.v.desc().ID) != p.v {
			return nameCollection(errChanged, j.table)
		}
	}
	n := 0
	for _, v := range j.m.vectorIndexes(j.table.ID) {
		if v.committed.Load() && j.m.changesBody(v, j.table.Tier, to) {
			n++
		}
	}
	if n != len(j.indexes) {
		return nameCollection(errChanged, j.table)
	}
	return nil
}

// changesBody says whether an index has another body in another tier.
func (m *Manager) changesBody(v *vectorIndex, from, to types.Tier) bool {
	return kindOf(v.desc(), from) != kindOf(v.desc(), to)
}

// swap puts the new bodies in the place of the old ones. It comes inside the commit
// of the switch, while nobody reads or writes the table.
func (j *job) swap() {
	for _, p := range j.indexes {
		p.v.opening.Lock()
		p.old = p.v.present()
		if p.body == nil {
			p.v.place.Store(nil) // opened when it is asked for
		} else {
			p.v.place.Store(&place{p.body})
		}
		p.v.opening.Unlock()
		p.v.moved.all()
	}
}

// free closes the old bodies. A graph is brought to its file first, which makes the
// way back short.
func (j *job) free() error {
	var errs []error
	for _, p := range j.indexes {
		if p.old == nil {
			continue
		}
		if g, ok := p.old.(*graphBody); ok && p.v.changed.Swap(0) > 0 {
			errs = append(errs, g.save())
		}
		errs = append(errs, p.old.Close())
		p.old = nil
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("freeing the old place: %w", err)
	}
	return nil
}
