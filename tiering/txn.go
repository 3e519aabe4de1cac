package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Txn is a transaction of the row store that also searches and builds vector
// indexes. It belongs to one goroutine.
type Txn struct {
	*rowstore.Txn
	m *Manager
	// repeatable says that its snapshot outlives statements.
	repeatable bool
	// built are the vector indexes that this transaction has made.
	built []types.OID
	// seen are the collections whose access was counted for this statement, last
	// the latest of them: most statements have one.
	last types.OID
	seen []types.OID
	// files are the index files that a snapshot has for indexes that it restores.
	files map[types.OID]indexPart
	// changed are the tables whose descriptors this transaction has written; dropped
	// those that it drops and that have something in the object store.
	changed []types.OID
	dropped []*catalog.Table
}

// BuildIndex fills an index and makes it valid.
func (t *Txn) BuildIndex(ctx context.Context, table *catalog.Table, x *catalog.Index) error {
	if !x.Vector() {
		return t.Txn.BuildIndex(ctx, table, x)
	}
	if table.Tier == types.TierCold {
		return pgerr.Unsupported("CREATE INDEX on a cold collection").WithHint("Move it to a warmer tier first.")
	}
	v := t.m.make(x)
	t.built = append(t.built, x.ID)
	v.builder.Store(storage.SessionOf(ctx))
	defer v.progress.Store(nil)
	v.report("initializing", 0, t.m.store.Stats(table.ID).Rows)
	b, err := t.build(ctx, table, v)
	if b != nil {
		v.place.Store(&place{b})
	}
	if err != nil {
		return err
	}
	// The file stands before the commit: a crash after it rebuilds nothing, and
	// one before it leaves a stray that the next start removes.
	if err := b.save(); err != nil {
		return err
	}
	valid := x.Clone()
	valid.Valid = true
	return t.Change(ctx, catalog.Put(valid))
}

// build makes the body. The transaction's lock keeps writers away, so that the rows
// of now are all there are until it ends.
func (t *Txn) build(ctx context.Context, table *catalog.Table, v *vectorIndex) (body, error) {
	if b, err := t.takeOver(ctx, table, v); b != nil || err != nil {
		return b, err
	}
	switch kindOf(v.desc(), table.Tier) {
	case graphKind:
		return t.buildGraph(ctx, table, v)
	case cellsKind:
		v.report("performing k-means", 0, t.m.store.Stats(table.ID).Rows)
		err := t.m.buildCells(ctx, v, t.seenRows(table, v), v.cellsProgress)
		if err != nil {
			return nil, err
		}
		return t.m.openCells(ctx, v)
	}
	return &bareBody{m: t.m, v: v}, nil
}

// cellsProgress reports a build of cells: the first half is training.
func (v *vectorIndex) cellsProgress(done, total int64) {
	switch {
	case total == 0:
		v.report("performing k-means", done, 0)
	case done < total:
		v.report("assigning tuples", done-total/2, total/2)
	default:
		v.report("loading tuples", total/2, total/2)
	}
}

func (t *Txn) buildGraph(ctx context.Context, table *catalog.Table, v *vectorIndex) (body, error) {
	g, err := t.m.newGraph(v)
	if err != nil {
		return nil, err
	}
	err = t.eachRow(ctx, table, v, func(id types.RowID, row types.Row) error { return t.m.put(table, v, g, id, row) })
	if err == nil {
		err = v.build(ctx, g)
	}
	return g, err
}

// Indexed is how many vectors an index holds.
func (t *Txn) Indexed(index types.OID) int {
	if v := t.m.index(index); v != nil {
		if b := v.present(); b != nil {
			return b.Len()
		}
	}
	return 0
}

// Insert writes a row. It waits first while a tail is too long, as do the other
// ways to write vectors.
func (t *Txn) Insert(ctx context.Context, table *catalog.Table, row types.Row, opts storage.InsertOptions) (types.RowID, *storage.Conflict, error) {
	t.touch(table.ID)
	if err := t.m.admit(ctx, table.ID); err != nil {
		return 0, nil, err
	}
	return t.Txn.Insert(ctx, table, row, opts)
}

// InsertRows writes a batch of a COPY.
func (t *Txn) InsertRows(ctx context.Context, table *catalog.Table, rows []types.Row) error {
	t.touch(table.ID)
	if err := t.m.admit(ctx, table.ID); err != nil {
		return err
	}
	return t.Txn.InsertRows(ctx, table, rows)
}

// Update replaces a locked row.
func (t *Txn) Update(ctx context.Context, table *catalog.Table, id types.RowID, old, new types.Row, wait storage.WaitPolicy) (types.RowID, error) {
	t.touch(table.ID)
	if err := t.m.admit(ctx, table.ID); err != nil {
		return 0, err
	}
	return t.Txn.Update(ctx, table, id, old, new, wait)
}

// Commit makes everything durable.
func (t *Txn) Commit(ctx context.Context, async bool) error {
	err := t.Txn.Commit(ctx, async)
	if err == nil {
		t.m.changed(t.changed)
		t.m.forgetDropped(t.dropped)
	}
	t.forgetUnborn()
	return err
}

// Rollback undoes everything.
func (t *Txn) Rollback() {
	t.Txn.Rollback()
	t.forgetUnborn()
}

// forgetUnborn frees the indexes that were built here but are not in the
// committed catalog: the transaction, or a savepoint of it, was rolled back.
func (t *Txn) forgetUnborn() {
	for _, id := range t.built {
		if _, ok := t.m.store.Catalog().Object(id).(*catalog.Index); !ok {
			t.m.unregister(id)
		}
	}
	t.built = nil
}
