package tiering

import (
	"context"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Segments is how the row store reads the segments of cold tables; nil when there
// is no cold store.
func Segments(store *coldstore.Store) rowstore.Cold {
	if store == nil {
		return nil
	}
	return segments{store}
}

type segments struct{ store *coldstore.Store }

func (s segments) Rows(ctx context.Context, table *catalog.Table, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
	return s.store.Collection(table).Rows(ctx, columns, ids, fn)
}

func (s segments) Holds(ctx context.Context, table *catalog.Table, id types.RowID) (bool, error) {
	return s.store.Collection(table).Holds(ctx, id)
}

func (s segments) IDs(ctx context.Context, table *catalog.Table, fn func(types.RowID) error) error {
	return s.store.Collection(table).IDs(ctx, fn)
}

func (s segments) Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	return s.store.Collection(spec.Table).Scan(ctx, spec)
}
