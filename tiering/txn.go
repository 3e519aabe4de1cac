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
	// built are the vector indexes that this transaction has made; emptied the
	// rows that it has truncated.
	built   []types.OID
	emptied map[types.OID][]types.RowID
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

// fill puts every row that the statement sees into the index and builds the graph.
func (t *Txn) fill(ctx context.Context, table *catalog.Table, v *vectorIndex) error {
	total := t.m.store.Stats(table.ID).Rows
	v.report("initializing", 0, total)
	it, err := t.Scan(ctx, storage.ScanSpec{Table: table, Columns: v.columns(table)})
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }()
	row := make(types.Row, len(table.Columns))
	n := int64(0)
	for ; ; n++ {
		id, ok, err := it.Next(row)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if err := t.m.put(table, v, id, row); err != nil {
			return err
		}
	}
	return v.build(ctx)
}

// Truncate empties a table and its indexes.
func (t *Txn) Truncate(ctx context.Context, table *catalog.Table) error {
	if len(t.m.indexes.Load().byTable[table.ID]) > 0 {
		ids, err := t.rowIDs(ctx, table)
		if err != nil {
			return err
		}
		if t.emptied == nil {
			t.emptied = map[types.OID][]types.RowID{}
		}
		t.emptied[table.ID] = append(t.emptied[table.ID], ids...)
	}
	return t.Txn.Truncate(ctx, table)
}

func (t *Txn) rowIDs(ctx context.Context, table *catalog.Table) ([]types.RowID, error) {
	it, err := t.Scan(ctx, storage.ScanSpec{Table: table})
	if err != nil {
		return nil, err
	}
	defer func() { _ = it.Close() }()
	row := make(types.Row, len(table.Columns))
	var ids []types.RowID
	for {
		id, ok, err := it.Next(row)
		if err != nil || !ok {
			return ids, err
		}
		ids = append(ids, id)
	}
}

// Commit makes everything durable.
func (t *Txn) Commit(ctx context.Context, async bool) error {
	err := t.Txn.Commit(ctx, async)
	if err == nil {
		for table, ids := range t.emptied {
			t.m.Gone(table, ids)
		}
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
	t.built, t.emptied = nil, nil
}
