package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// storedVectors reads the vectors of an index from the committed rows.
type storedVectors struct {
	m *Manager
	v *vectorIndex
}

// Vectors fills in those that are there.
func (s *storedVectors) Vectors(ids []types.RowID, into []ivf.Value) error {
	table := s.m.store.Catalog().Table(s.v.desc().Table)
	if table == nil {
		return nil
	}
	at := 0
	return s.m.store.Rows(context.Background(), table, s.v.columns(table), ids, func(id types.RowID, row types.Row) error {
		for ids[at] != id { // those that are gone are left out
			at++
		}
		key, ok, err := s.m.key(table, s.v.desc(), row)
		if err == nil && ok {
			into[at] = ivf.ValueOf(key)
		}
		return err
	})
}

// seenVectors reads the vectors of an index as a transaction sees the rows: also
// those that it has written itself, and those that were deleted since.
type seenVectors struct {
	ctx     context.Context
	t       *Txn
	table   *catalog.Table
	v       *vectorIndex
	columns []int16
	row     types.Row
}

// Vectors fills in those that the transaction sees.
func (s *seenVectors) Vectors(ids []types.RowID, into []ivf.Value) error {
	if s.row == nil {
		s.row, s.columns = make(types.Row, len(s.table.Columns)), s.v.columns(s.table)
	}
	for i, id := range ids {
		if i%256 == 255 && s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		ok, err := s.t.Txn.Get(s.ctx, s.table, id, s.columns, s.row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		key, ok, err := s.t.m.key(s.table, s.v.desc(), s.row)
		if err != nil {
			return err
		}
		if ok {
			into[i] = ivf.ValueOf(key)
		}
	}
	return nil
}

// storedRows gives the committed rows of an index, the same in each call but for
// those deleted meanwhile.
func (m *Manager) storedRows(table *catalog.Table, v *vectorIndex) ivf.Rows {
	var ids []types.RowID
	return func(ctx context.Context, yield func(types.RowID, ivf.Value) error) error {
		if ids == nil {
			if err := m.store.ScanIDs(ctx, table, func(id types.RowID) error { ids = append(ids, id); return nil }); err != nil {
				return err
			}
		}
		return m.store.Rows(ctx, table, v.columns(table), ids, func(id types.RowID, row types.Row) error {
			return m.yieldKey(table, v, id, row, yield)
		})
	}
}

// seenRows gives the rows of an index as a transaction sees them.
func (t *Txn) seenRows(table *catalog.Table, v *vectorIndex) ivf.Rows {
	return func(ctx context.Context, yield func(types.RowID, ivf.Value) error) error {
		return t.eachRow(ctx, table, v, func(id types.RowID, row types.Row) error {
			return t.m.yieldKey(table, v, id, row, yield)
		})
	}
}

func (m *Manager) yieldKey(table *catalog.Table, v *vectorIndex, id types.RowID, row types.Row, yield func(types.RowID, ivf.Value) error) error {
	key, ok, err := m.key(table, v.desc(), row)
	if err != nil || !ok || v.desc().Keys[0].LeavesOut(key) {
		return err
	}
	return yield(id, ivf.ValueOf(key))
}

// eachRow reads all rows that the transaction sees, with the columns of an index.
func (t *Txn) eachRow(ctx context.Context, table *catalog.Table, v *vectorIndex, fn func(types.RowID, types.Row) error) error {
	it, err := t.Txn.Scan(ctx, storage.ScanSpec{Table: table, Columns: v.columns(table)})
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
		if err := fn(id, row); err != nil {
			return err
		}
	}
}
