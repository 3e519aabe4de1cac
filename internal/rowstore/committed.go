package rowstore

import (
	"context"
	"errors"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// newestReader reads the newest committed rows of a table, all columns. The
// caller sees to it that the table does not change its place meanwhile.
func (s *Store) newestReader(table *catalog.Table) *rowReader {
	return &rowReader{reader: s.db, newest: s.db, cold: s.opts.Cold, table: table, want: everything(table)}
}

// present takes a snapshot of the committed state and the descriptor of a table
// that says where its rows lie in it. The caller closes the snapshot.
func (s *Store) present(table *catalog.Table) (*pebble.Snapshot, *catalog.Table) {
	t := s.table(table.ID)
	t.switching.RLock()
	defer t.switching.RUnlock()
	snap, now := s.db.NewSnapshot(), s.Catalog().Table(table.ID)
	if now == nil || now.Cold == table.Cold {
		return snap, table
	}
	placed := *table
	placed.Cold = now.Cold
	return snap, &placed
}

// ScanIDs calls fn for the id of every committed row: those of local rows in
// order, then those of segments in none.
func (s *Store) ScanIDs(ctx context.Context, table *catalog.Table, fn func(types.RowID) error) error {
	snap, table := s.present(table)
	var local *roaring64.Bitmap
	if hasSegments(table) {
		local = roaring64.New()
	}
	err := localKinds(ctx, snap, table.ID, func(id types.RowID, kind localKind) error {
		if local != nil {
			local.Add(uint64(id))
		}
		if kind == kindTombstone {
			return nil
		}
		return fn(id)
	})
	if err = errors.Join(err, snap.Close()); err != nil || local == nil {
		return err
	}
	if s.opts.Cold == nil {
		return errNoColdStore(table)
	}
	return s.opts.Cold.IDs(ctx, table, func(id types.RowID) error {
		if local.Contains(uint64(id)) {
			return nil
		}
		return fn(id)
	})
}

// LocalIDs calls fn for every committed local row of a table and for every
// tombstone, in the order of their ids. Copies of segments' rows are left out.
func (s *Store) LocalIDs(ctx context.Context, table *catalog.Table, fn func(id types.RowID, tombstone bool) error) (err error) {
	snap, table := s.present(table)
	defer func() { err = errors.Join(err, snap.Close()) }()
	return localKinds(ctx, snap, table.ID, func(id types.RowID, kind localKind) error {
		if kind == kindCopy && mayHold(table, id) {
			return nil
		}
		return fn(id, kind == kindTombstone)
	})
}

// localKind is what lies under a row's key.
type localKind uint8

const (
	kindRow localKind = iota
	kindCopy
	kindTombstone
)

func kindOf(b []byte) localKind {
	switch {
	case isTombstone(b):
		return kindTombstone
	case isCopy(b):
		return kindCopy
	default:
		return kindRow
	}
}

// localKinds calls fn for all row keys of a table.
func localKinds(ctx context.Context, r pebble.Reader, table types.OID, fn func(types.RowID, localKind) error) error {
	prefix := oidKey(keyRow, table)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return readError(err)
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), it.Close())
		}
		if err := fn(idOf(it.Key()), kindOf(it.Value())); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return readError(errors.Join(it.Error(), it.Close()))
}

// Rows calls fn for the committed rows with the given ids, in their order; ids
// that are gone are left out. The row is reused.
func (s *Store) Rows(ctx context.Context, table *catalog.Table, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) (err error) {
	snap, table := s.present(table)
	defer func() { err = errors.Join(err, snap.Close()) }()
	r := &rowReader{reader: snap, newest: snap, cold: s.opts.Cold, table: table, want: wanted(table, columns)}
	if hasSegments(table) {
		return r.inBatches(ctx, ids, fn)
	}
	row := make(types.Row, len(table.Columns))
	for i, id := range ids {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		ok, err := r.get(ctx, id, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := fn(id, row); err != nil {
			return err
		}
	}
	return nil
}

func (r *rowReader) inBatches(ctx context.Context, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
	for chunk := range slices.Chunk(ids, coldBatch) {
		rows, err := r.batch(ctx, chunk)
		if err != nil {
			return err
		}
		for i, row := range rows {
			if row == nil {
				continue
			}
			if err := fn(chunk[i], row); err != nil {
				return err
			}
		}
	}
	return nil
}
