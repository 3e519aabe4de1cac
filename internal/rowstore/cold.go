package rowstore

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Cold reads rows that lie in segments of the object store. It knows nothing of
// tombstones and of newer local rows: those are the row store's. Rows are filled
// as Txn.Get fills them, columns added since the segment was written included.
// Tables are given by the descriptor that the caller sees (Table.Cold is set). A
// row handed to a function may be reused once it returns, its values not.
type Cold interface {
	// Rows calls fn for those of the rows that a segment has, in no order.
	Rows(ctx context.Context, table *catalog.Table, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error
	// Holds says whether a segment has a row.
	Holds(ctx context.Context, table *catalog.Table, id types.RowID) (bool, error)
	// IDs calls fn for every row id of the segments, in no order.
	IDs(ctx context.Context, table *catalog.Table, fn func(types.RowID) error) error
	// Scan reads all rows of the segments, in no order.
	Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error)
}
