package tiering

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// way is a move between neighbouring tiers.
type way struct{ from, to types.Tier }

// leg is how a way is gone. Each step may be repeated.
type leg struct {
	name string
	// write makes the new place beside the old one.
	write func(ctx context.Context, j *job) error
	// place writes the rows' part of the switch and the descriptor.
	place func(ctx context.Context, tx *rowstore.Txn, j *job, to *catalog.Table) error
	// free removes the old place's files, undo those of a new place that was given up.
	free, undo func(m *Manager, table *catalog.Table) error
}

var legs map[way]*leg

func init() { // the functions reach the table again
	legs = map[way]*leg{
		{types.TierHot, types.TierWarm}:  {"hot-warm", writeWarm, keepRows, freeNothing, removeCells},
		{types.TierWarm, types.TierHot}:  {"warm-hot", writeHot, keepRows, removeCells, freeNothing},
		{types.TierWarm, types.TierCold}: {"warm-cold", writeCold, unloadRows, removeLocal, freeNothing},
		{types.TierCold, types.TierWarm}: {"cold-warm", loadWarm, loadRows, freeNothing, removeLoaded},
	}
}

// keepRows is the switch of a move that leaves the rows where they are.
func keepRows(ctx context.Context, tx *rowstore.Txn, _ *job, to *catalog.Table) error {
	return tx.Change(ctx, catalog.Put(to))
}

func freeNothing(*Manager, *catalog.Table) error { return nil }

// removeCells removes the files of cells that the table's indexes do not use now.
func removeCells(m *Manager, table *catalog.Table) error {
	return m.removeUnused(table, false)
}

// removeLoaded removes what has come back from segments.
func removeLoaded(m *Manager, table *catalog.Table) error {
	return errors.Join(m.store.DropCopies(context.Background(), table), m.removeUnused(table, false))
}

// removeLocal removes all files of a cold table's indexes.
func removeLocal(m *Manager, table *catalog.Table) error {
	return m.removeUnused(table, true)
}

func (m *Manager) removeUnused(table *catalog.Table, graphs bool) error {
	var errs []error
	for _, v := range m.vectorIndexes(table.ID) {
		kind := kindOf(v.desc(), table.Tier)
		v.fileMu.Lock()
		if kind != cellsKind {
			errs = append(errs, removeIfThere(m.cellsPath(v.desc().ID)))
		}
		if graphs && kind != graphKind {
			errs = append(errs, removeIfThere(m.path(v.desc().ID)))
		}
		v.fileMu.Unlock()
	}
	return errors.Join(errs...)
}

// prepare notes the indexes that get another body.
func (j *job) prepare(to types.Tier) {
	j.follow()
	for _, v := range j.m.vectorIndexes(j.table.ID) {
		if v.committed.Load() && j.m.changesBody(v, j.table.Tier, to) {
			j.indexes = append(j.indexes, &newPlace{v: v, rows: -1})
		}
	}
}

// writeWarm builds cells from the graphs.
func writeWarm(ctx context.Context, j *job) error {
	j.prepare(types.TierWarm)
	for _, p := range j.indexes {
		if kindOf(p.v.desc(), types.TierWarm) != cellsKind {
			p.body = &bareBody{m: j.m, v: p.v}
			continue
		}
		old, err := j.m.open(ctx, p.v)
		if err != nil {
			return err
		}
		p.rows = 0
		rows := j.m.graphRows(j.table, p, old)
		if err := j.m.buildCells(ctx, p.v, rows, j.shown.set); err != nil {
			return err
		}
		b, err := j.m.openCells(ctx, p.v)
		if err != nil {
			return err
		}
		p.body = b
	}
	return nil
}

// graphRows gives the committed rows of an index whose graph has the vectors; p.rows
// is how many came last.
func (m *Manager) graphRows(table *catalog.Table, p *newPlace, old body) ivf.Rows {
	g, ok := old.(*graphBody)
	if !ok {
		p.rows = -1
		return m.storedRows(table, p.v)
	}
	var ids []types.RowID
	return func(ctx context.Context, yield func(types.RowID, ivf.Value) error) error {
		if ids == nil {
			if err := m.store.ScanIDs(ctx, table, func(id types.RowID) error { ids = append(ids, id); return nil }); err != nil {
				return err
			}
		}
		p.rows = 0
		for i, id := range ids {
			if i%1024 == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			v, ok := g.Vector(id)
			if !ok {
				continue // it has none, or was deleted meanwhile
			}
			p.rows++
			if err := yield(id, ivf.ValueOf(v)); err != nil {
				return err
			}
		}
		return nil
	}
}

// writeHot loads the graphs that were kept, or builds them.
func writeHot(ctx context.Context, j *job) error {
	j.prepare(types.TierHot)
	for _, p := range j.indexes {
		g, err := j.m.loadGraph(p.v)
		if err != nil {
			return err
		}
		p.body = g
		if err := j.m.catchUp(ctx, j.table, p.v, g); err != nil {
			return err
		}
		if err := g.Build(ctx, j.shown.set); err != nil {
			return err
		}
	}
	return nil
}

// writeCold seals the rows as a snapshot shows them, with the cells of the warm tier.
func writeCold(ctx context.Context, j *job) error {
	if j.m.opts.Cold == nil {
		return noColdStore()
	}
	if err := j.m.nameCollection(ctx, j.table.ID); err != nil {
		return err
	}
	j.prepare(types.TierCold)
	for _, p := range j.indexes {
		p.body = &coldBody{m: j.m, v: p.v, tail: map[types.RowID]types.Datum{}}
	}
	rows, err := j.m.freeze(ctx, j.table.ID)
	if err != nil {
		return err
	}
	defer rows.close()
	files, remove, err := j.linkCells(ctx)
	defer remove()
	if err != nil {
		return err
	}
	j.cold, err = j.m.opts.Cold.Seal(ctx, rows.sealing(files), j.shown.set)
	return fileError(err)
}

// sealing is what the object store gets of the rows; ready are files of cells.
func (f *frozenRows) sealing(ready map[types.OID]string) coldstore.Sealing {
	cat := f.tx.Catalog()
	return coldstore.Sealing{
		Collection: f.table.Collection, Table: f.table, Indexes: cat.Indexes(f.table.ID), Sequences: cat.Sequences(f.table.ID),
		Rows: f.rows, Files: ready, Changes: f.changes, Base: f.table.Cold, Deleted: f.deleted,
	}
}

// linkCells brings the cells of the indexes to their files and gives these other
// names, under which they stay as they are while they are uploaded.
func (j *job) linkCells(ctx context.Context) (files map[types.OID]string, remove func(), err error) {
	files = map[types.OID]string{}
	remove = func() {
		for _, path := range files {
			_ = removeIfThere(path) // a start removes it otherwise
		}
	}
	for _, p := range j.indexes {
		b, err := j.m.open(ctx, p.v)
		if err != nil {
			return files, remove, err
		}
		cells, ok := b.(*cellsBody)
		if !ok {
			continue
		}
		if cells.Pending() > 0 {
			if err := cells.merge(ctx); err != nil {
				return files, remove, err
			}
		}
		path := j.m.cellsPath(p.v.desc().ID)
		files[p.v.desc().ID] = path + ".seal" + temporary
		if err := errors.Join(removeIfThere(files[p.v.desc().ID]), os.Link(path, files[p.v.desc().ID])); err != nil {
			return files, remove, err
		}
	}
	return files, remove, nil
}

// unloadRows is the switch to segments: rows that were written since the copy stay.
func unloadRows(ctx context.Context, tx *rowstore.Txn, j *job, to *catalog.Table) error {
	to.Cold = j.cold
	return tx.Unload(ctx, to, rowIDs(j.changed))
}

func rowIDs(set *roaring64.Bitmap) []types.RowID {
	ids := make([]types.RowID, 0, set.GetCardinality())
	for it := set.Iterator(); it.HasNext(); {
		ids = append(ids, types.RowID(it.Next()))
	}
	return ids
}

// loadBatch is how many rows come back from segments at a time.
const loadBatch = 1000

// loadWarm brings the rows of the segments back, and the cells beside them.
func loadWarm(ctx context.Context, j *job) error {
	if j.m.opts.Cold == nil {
		return noColdStore()
	}
	j.prepare(types.TierWarm)
	tx, err := j.m.store.Begin(ctx, storage.TxnOptions{})
	if err != nil {
		return err
	}
	j.tx = tx
	if err := j.loadSegments(ctx); err != nil {
		return err
	}
	for _, p := range j.indexes {
		if kindOf(p.v.desc(), types.TierWarm) != cellsKind {
			p.body = &bareBody{m: j.m, v: p.v}
			continue
		}
		if err := j.loadCells(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) loadSegments(ctx context.Context) error {
	coll := j.m.opts.Cold.Collection(j.table)
	it, err := coll.Scan(ctx, storage.ScanSpec{Table: j.table, Columns: allColumns(j.table)})
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // only read
	ids, rows := make([]types.RowID, 0, loadBatch), make([]types.Row, loadBatch)
	for i := range rows {
		rows[i] = make(types.Row, len(j.table.Columns))
	}
	total, done := int64(coll.SegmentRows()), int64(0)
	for {
		id, ok, err := it.Next(rows[len(ids)])
		if err != nil {
			return err
		}
		if ok {
			ids = append(ids, id)
		}
		if len(ids) == loadBatch || !ok {
			if err := j.tx.LoadRows(ctx, j.table, ids, rows[:len(ids)]); err != nil {
				return err
			}
			done += int64(len(ids))
			j.shown.set(done, total)
			ids = ids[:0]
		}
		if !ok {
			return nil
		}
	}
}

func allColumns(table *catalog.Table) []int16 {
	var all []int16
	for _, c := range table.Live() {
		all = append(all, c.Num)
	}
	return all
}

// loadCells fetches the part of an index, or builds its cells when there is not just
// one, and brings them up to the local rows.
func (j *job) loadCells(ctx context.Context, p *newPlace) error {
	cold, path := j.m.opts.Cold, j.m.cellsPath(p.v.desc().ID)
	parts := cold.Collection(j.table).Parts(p.v.desc().ID, coldstore.KindIVF)
	var b *cellsBody
	var err error
	if len(parts) == 1 {
		if err = cold.FetchPart(ctx, parts[0], path); err == nil {
			b, err = j.m.openCells(ctx, p.v)
		}
	} else if err = j.m.buildCells(ctx, p.v, j.segmentRows(p.v), nil); err == nil {
		b, err = j.m.openCells(ctx, p.v)
	}
	if err != nil {
		return fmt.Errorf("index %q: %w", p.v.desc().Name, err)
	}
	p.body = b
	return j.bringLocal(ctx, p)
}

// segmentRows gives the rows of the segments.
func (j *job) segmentRows(v *vectorIndex) ivf.Rows {
	return func(ctx context.Context, yield func(types.RowID, ivf.Value) error) error {
		it, err := j.m.opts.Cold.Collection(j.table).Scan(ctx, storage.ScanSpec{Table: j.table, Columns: v.columns(j.table)})
		if err != nil {
			return err
		}
		defer func() { _ = it.Close() }() // only read
		row := make(types.Row, len(j.table.Columns))
		for {
			id, ok, err := it.Next(row)
			if err != nil || !ok {
				return err
			}
			if err := j.m.yieldKey(j.table, v, id, row, yield); err != nil {
				return err
			}
		}
	}
}

// bringLocal brings a body up to local rows and tombstones.
func (j *job) bringLocal(ctx context.Context, p *newPlace) error {
	var ids []types.RowID
	err := j.m.store.LocalIDs(ctx, j.table, func(id types.RowID, _ bool) error {
		ids = append(ids, id)
		return nil
	})
	for from := 0; err == nil && from < len(ids); from += catchUpBatch {
		err = j.m.bringBatch(ctx, j.table, p, ids[from:min(from+catchUpBatch, len(ids))])
	}
	return err
}

// loadRows is the switch from segments.
func loadRows(ctx context.Context, tx *rowstore.Txn, _ *job, to *catalog.Table) error {
	to.Cold = nil
	return tx.FinishLoad(ctx, to)
}
