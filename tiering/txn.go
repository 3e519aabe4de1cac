package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Txn is a transaction of the row store that also searches and builds vector
// indexes. It belongs to one goroutine.
type Txn struct {
	*rowstore.Txn
	m *Manager
	// built are the vector indexes that this transaction has made.
	built []types.OID
	// seen are the collections whose access was counted for this statement, last
	// the latest of them: most statements have one.
	last types.OID
	seen []types.OID
	// changed are the tables whose descriptors this transaction has written.
	changed []types.OID
}

// BuildIndex fills an index and makes it valid.
func (t *Txn) BuildIndex(ctx context.Context, table *catalog.Table, x *catalog.Index) error {
	if !x.Vector() {
		return t.Txn.BuildIndex(ctx, table, x)
	}
	v, err := t.m.make(x)
	if err != nil {
		return err
	}
	t.built = append(t.built, x.ID)
	defer v.progress.Store(nil)
	if err := t.fill(ctx, table, v); err != nil {
		return err
	}
	// The file stands before the commit: a crash after it rebuilds nothing, and
	// one before it leaves a stray that the next start removes.
	v.changed.Add(1)
	if err := t.m.checkpoint(v); err != nil {
		return err
	}
	valid := x.Clone()
	valid.Valid = true
	return t.Change(ctx, catalog.Put(valid))
}

// fill puts every row into the index and builds the graph. The transaction's lock
// keeps writers away, so that the rows of now are all there are until it ends.
func (t *Txn) fill(ctx context.Context, table *catalog.Table, v *vectorIndex) error {
	v.report("initializing", 0, t.m.store.Stats(table.ID).Rows)
	if err := t.putAll(ctx, table, v); err != nil {
		return err
	}
	return v.build(ctx)
}

func (t *Txn) putAll(ctx context.Context, table *catalog.Table, v *vectorIndex) error {
	it, err := t.Scan(ctx, storage.ScanSpec{Table: table, Columns: v.columns(table)})
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // only read
	row := make(types.Row, len(table.Columns))
	for n := 0; ; n++ {
		id, ok, err := it.Next(row)
		if err != nil || !ok {
			return err
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := t.m.put(table, v, id, row); err != nil {
			return err
		}
	}
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
		t.m.tiers.changed(t.m.store.Catalog(), t.changed)
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
