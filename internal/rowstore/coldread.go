package rowstore

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// The rows of a cold table are its local rows and those of its segments that have
// neither a local row nor a tombstone of the same id. A snapshot and the descriptor
// that goes with it say the same for ever: segments never change, and a table that
// got others is remade for older snapshots (layer.remade).

// tombstone stands in a row's place and says that a segment's row is deleted: a
// version that no row has, and nothing after it.
var tombstone = []byte{0}

func isTombstone(b []byte) bool { return len(b) == 1 && b[0] == 0 }

// mayHold says whether a segment may have a row.
func mayHold(table *catalog.Table, id types.RowID) bool {
	if table.Cold == nil {
		return false
	}
	for i := range table.Cold.Segments {
		if s := &table.Cold.Segments[i]; s.MinRowID <= id && id <= s.MaxRowID {
			return true
		}
	}
	return false
}

// hasSegments says whether rows of a table lie in segments.
func hasSegments(table *catalog.Table) bool { return table.Cold != nil && len(table.Cold.Segments) > 0 }

// rowsHidden says whether layers empty a table, so that nothing of its segments shows.
func rowsHidden(layers []*layer, table types.OID) bool {
	for _, l := range layers {
		if _, ok := l.emptied[string(oidKey(keyRow, table))]; ok {
			return true
		}
	}
	return false
}

// errNoColdStore is the error of reading segments where no cold store is.
func errNoColdStore(table *catalog.Table) error {
	return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "collection %q is cold and there is no cold store to read it from", table.Name)
}

// segments says whether a row that is not here may lie in a segment. r.key is the row's.
func (r *rowReader) segments(id types.RowID) bool {
	return mayHold(r.table, id) && !rowsHidden(r.layers, r.table.ID)
}

// columns are the attnums that the reader wants.
func (r *rowReader) columns() []int16 {
	var out []int16
	for i := range r.table.Columns {
		if c := &r.table.Columns[i]; r.want[i] && !c.Dropped {
			out = append(out, c.Num)
		}
	}
	return out
}

// fromSegment fills dst with a row of a segment; false when none has it.
func (r *rowReader) fromSegment(ctx context.Context, id types.RowID, dst types.Row) (found bool, err error) {
	if r.cold == nil {
		return false, errNoColdStore(r.table)
	}
	if dst == nil {
		return r.cold.Holds(ctx, r.table, id)
	}
	err = r.cold.Rows(ctx, r.table, r.columns(), []types.RowID{id}, func(_ types.RowID, row types.Row) error {
		copy(dst, row)
		found = true
		return nil
	})
	return found, err
}

// coldBatch is how many rows are asked of the segments at once.
const coldBatch = 256

// batch reads rows, those of segments with one question. A row that does not exist is nil.
func (r *rowReader) batch(ctx context.Context, ids []types.RowID) ([]types.Row, error) {
	rows := make([]types.Row, len(ids))
	var missing []types.RowID
	at := map[types.RowID]int{}
	for i, id := range ids {
		row := make(types.Row, len(r.table.Columns))
		found, elsewhere, err := r.local(id, row)
		switch {
		case err != nil:
			return nil, err
		case found:
			rows[i] = row
		case elsewhere:
			if _, twice := at[id]; !twice {
				missing = append(missing, id)
			}
			at[id] = i
		}
	}
	if len(missing) == 0 {
		return rows, nil
	}
	if r.cold == nil {
		return nil, errNoColdStore(r.table)
	}
	err := r.cold.Rows(ctx, r.table, r.columns(), missing, func(id types.RowID, row types.Row) error {
		if i, ok := at[id]; ok {
			rows[i] = append(types.Row(nil), row...)
		}
		return nil
	})
	for i, id := range ids {
		if j, ok := at[id]; ok && j != i {
			rows[i] = rows[j]
		}
	}
	return rows, err
}

// scan reads all rows of a table: the local ones in the order of their ids, then
// those of the segments. The caller sees to it that the table is not remade.
func (t *Txn) scan(ctx context.Context, layers []*layer, table *catalog.Table, columns []int16) (storage.RowIter, error) {
	local, err := t.newRowScan(layers, table, columns)
	if err != nil {
		return nil, err // not a nil *rowScan, which is no nil iterator
	}
	if !hasSegments(table) || rowsHidden(layers, table.ID) {
		return local, nil
	}
	local.seen = roaring64.New()
	return &coldScan{ctx: ctx, cold: t.store.opts.Cold, spec: storage.ScanSpec{Table: table, Columns: columns}, local: local, seen: local.seen}, nil
}

// coldScan reads the local rows of a table and then those of its segments. It
// remembers the ids of the former, tombstones included, as a bitmap.
type coldScan struct {
	ctx      context.Context //nolint:containedctx // an iterator's steps have none
	cold     Cold
	spec     storage.ScanSpec
	local    *rowScan // nil once it is read
	seen     *roaring64.Bitmap
	segments storage.RowIter
}

// Next fills dst with the next row.
func (c *coldScan) Next(dst types.Row) (types.RowID, bool, error) {
	if c.local != nil {
		if id, ok, err := c.local.Next(dst); ok || err != nil {
			return id, ok, err
		}
		if err := c.open(); err != nil {
			return 0, false, err
		}
	}
	for {
		id, ok, err := c.segments.Next(dst)
		if err != nil || !ok {
			return 0, false, err
		}
		if !c.seen.Contains(uint64(id)) {
			return id, true, nil
		}
	}
}

// open goes on to the segments.
func (c *coldScan) open() error {
	l := c.local
	c.local = nil
	if err := l.Close(); err != nil {
		return err
	}
	if c.cold == nil {
		return errNoColdStore(c.spec.Table)
	}
	var err error
	c.segments, err = c.cold.Scan(c.ctx, c.spec)
	return err
}

// Close frees what is open.
func (c *coldScan) Close() error {
	switch {
	case c.local != nil:
		return c.local.Close()
	case c.segments != nil:
		return c.segments.Close()
	}
	return nil
}

// nextCold is indexScan.Next for a cold table: it reads ahead, a few rows first, so
// that segments are asked for many rows at once.
func (x *indexScan) nextCold(dst types.Row) (types.RowID, bool, error) {
	if x.at == len(x.ahead) {
		if err := x.readAhead(); err != nil || len(x.ahead) == 0 {
			return 0, false, err
		}
	}
	id, row := x.ahead[x.at], x.rows[x.at]
	x.rows[x.at] = nil
	x.at++
	if row == nil {
		return 0, false, damaged("index " + x.spec.Index.Name)
	}
	copy(dst, row)
	return id, true, nil
}

func (x *indexScan) readAhead() (err error) {
	x.size = min(max(4*x.size, 4), coldBatch)
	x.ahead, x.at = x.ahead[:0], 0
	for len(x.ahead) < x.size {
		id, ok, err := x.nextID()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		x.ahead = append(x.ahead, id)
	}
	x.rows, err = x.reader.batch(x.ctx, x.ahead)
	return err
}
