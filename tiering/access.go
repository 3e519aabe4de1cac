package tiering

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// One statement that reads or writes a collection is one access, however often it
// comes here.

// touch counts the statement's access to a collection.
func (t *Txn) touch(table types.OID) {
	if table != t.last {
		t.touchOther(table)
	}
}

func (t *Txn) touchOther(table types.OID) {
	t.last = table
	if !slices.Contains(t.seen, table) {
		t.seen = append(t.seen, table)
		t.m.tiers.touch(table)
	}
}

// StartStatement takes the statement's snapshot.
func (t *Txn) StartStatement(ctx context.Context) error {
	t.last, t.seen = 0, t.seen[:0]
	return t.Txn.StartStatement(ctx)
}

// Get reads a row.
func (t *Txn) Get(ctx context.Context, table *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error) {
	t.touch(table.ID)
	return t.Txn.Get(ctx, table, id, columns, dst)
}

// Scan reads all rows.
func (t *Txn) Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	t.touch(spec.Table.ID)
	return t.Txn.Scan(ctx, spec)
}

// ScanIndex reads rows through an index.
func (t *Txn) ScanIndex(ctx context.Context, spec storage.IndexScanSpec) (storage.RowIter, error) {
	t.touch(spec.Table.ID)
	return t.Txn.ScanIndex(ctx, spec)
}

// Delete removes a locked row.
func (t *Txn) Delete(ctx context.Context, table *catalog.Table, id types.RowID, old types.Row) error {
	t.touch(table.ID)
	return t.Txn.Delete(ctx, table, id, old)
}

// Change applies schema changes.
func (t *Txn) Change(ctx context.Context, changes ...catalog.Change) error {
	for _, c := range changes {
		if c.Kind != catalog.KindTable {
			continue
		}
		t.changed = append(t.changed, c.ID)
		if old := t.Catalog().Table(c.ID); c.Object == nil && old != nil && old.Collection != "" {
			t.dropped = append(t.dropped, old)
		}
	}
	return t.Txn.Change(ctx, changes...)
}
