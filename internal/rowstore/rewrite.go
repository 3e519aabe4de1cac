package rowstore

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Rewrite replaces every row by what fn makes of it; row ids stay, and vectors
// that do not change are not written again. Rows in segments cannot be replaced.
func (t *Txn) Rewrite(ctx context.Context, from, to *catalog.Table, fn func(types.Row) (types.Row, error)) error {
	if hasSegments(from) {
		return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "collection %q is cold", from.Name).
			WithHint("ALTER COLLECTION %s SET TIER warm WAIT; first.", from.Name)
	}
	var all []int16
	for _, c := range from.Live() {
		all = append(all, c.Num)
	}
	it, err := t.newRowScan(append([]*layer(nil), t.layers...), from, all)
	if err != nil {
		return err
	}
	// The new rows come into a layer of their own: the scan reads those below.
	t.layers = append(t.layers, newLayer(""))
	err = t.emptyRows(from)
	if err == nil {
		err = t.rewrite(ctx, it, from, to, fn)
	}
	top := t.top()
	t.layers = t.layers[:len(t.layers)-1]
	if err = errors.Join(err, it.Close()); err == nil {
		err = t.top().merge(top)
	}
	if err != nil {
		t.undo(top)
	}
	return err
}

func (t *Txn) rewrite(ctx context.Context, it *rowScan, from, to *catalog.Table, fn func(types.Row) (types.Row, error)) error {
	indexes := t.Catalog().Indexes(to.ID)
	old := make(types.Row, len(from.Columns))
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		id, ok, err := it.Next(old)
		if err != nil || !ok {
			return err
		}
		row, err := fn(old)
		if err != nil {
			return err
		}
		b, err := appendRow(nil, to, uint64(n)+2, row)
		if err != nil {
			return err
		}
		l := t.top()
		l.put(rowKey(nil, to.ID, id), b)
		t.replaceVectors(from, to, id, old, row)
		l.count(to.ID, 1)
		for _, x := range indexes {
			if !x.Ordered() {
				continue
			}
			e, ok, err := t.store.entryOf(to, x, row)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if e.unique {
				if has, err := t.holder(&e); err != nil || has != 0 {
					return errors.Join(t.errNotUnique(to, &e), err)
				}
			}
			l.put(e.stored(id))
		}
		if err := t.bound(); err != nil {
			return err
		}
	}
}

// replaceVectors writes the vectors of a rewritten row that its old form has not.
func (t *Txn) replaceVectors(from, to *catalog.Table, id types.RowID, old, row types.Row) {
	for i := range to.Columns {
		c := &to.Columns[i]
		if c.Dropped {
			continue
		}
		had := i < len(from.Columns) && !from.Columns[i].Dropped && isVector(from.Columns[i].Type) && old[i] != nil
		has := isVector(c.Type) && row[i] != nil
		switch {
		case has && had && from.Columns[i].Type == c.Type && types.Compare(c.Type, old[i], row[i]) == 0:
		case has:
			t.top().put(vectorKey(nil, to.ID, c.Num, id), appendVector([]byte{}, row[i]))
		case had:
			t.top().remove(vectorKey(nil, to.ID, c.Num, id))
		}
	}
}

// dropVectors adds the removal of the vectors of dropped columns to a batch.
func (s *Store) dropVectors(b *pebble.Batch, changes []catalog.Change) error {
	for _, ch := range changes {
		t, ok := ch.Object.(*catalog.Table)
		old := s.Catalog().Table(ch.ID)
		if !ok || old == nil {
			continue
		}
		for i := range old.Columns {
			c := &old.Columns[i]
			if !isVector(c.Type) || c.Dropped || i >= len(t.Columns) || !t.Columns[i].Dropped {
				continue
			}
			prefix := vectorPrefix(nil, t.ID, c.Num)
			if err := b.DeleteRange(prefix, prefixEnd(prefix), nil); err != nil {
				return err
			}
		}
	}
	return nil
}
