package tiering

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Written puts a row's vectors into the tails of its table's vector indexes. It
// is called before the row's transaction commits.
func (m *Manager) Written(table *catalog.Table, id types.RowID, row types.Row) error {
	for _, v := range m.indexes.Load().of(table.ID) {
		b, err := m.open(context.Background(), v)
		if err == nil {
			err = m.put(table, v, b, id, row)
		}
		if err != nil {
			return err
		}
		v.changed.Add(1)
		m.queue(v)
	}
	return nil
}

// Undone takes rows out again whose write was undone.
func (m *Manager) Undone(table types.OID, ids []types.RowID) { m.remove(table, ids) }

// Gone takes out rows that were deleted and that no snapshot sees any more.
func (m *Manager) Gone(table types.OID, ids []types.RowID) { m.remove(table, ids) }

func (m *Manager) remove(table types.OID, ids []types.RowID) {
	for _, v := range m.indexes.Load().of(table) {
		b := v.opened()
		if b == nil {
			continue // when it is opened, it is compared with the rows
		}
		for _, id := range ids {
			b.Remove(id)
		}
		v.changed.Add(int64(len(ids)))
		m.queue(v) // many removals call for a repair
	}
}

// opened is the body, nil when nobody has asked for it; it waits for one who does
// just now, who may have read the rows before.
func (v *vectorIndex) opened() body {
	if b := v.present(); b != nil {
		return b
	}
	v.opening.Lock()
	defer v.opening.Unlock()
	return v.present()
}

// CatalogChanged takes over the descriptors of a commit and frees the indexes
// that it dropped. It looks at what has changed alone: there may be thousands of
// collections.
func (m *Manager) CatalogChanged(old, now *catalog.Snapshot, changed []types.OID) {
	m.swapBodies(old, now)
	for _, id := range changed {
		v := m.index(id)
		if v == nil {
			continue
		}
		if x, ok := now.Object(id).(*catalog.Index); ok {
			v.committed.Store(true)
			v.current.Store(x)
			continue
		}
		if v.committed.Load() {
			m.unregister(id)
		}
	}
}

// key computes the value that an index holds for a row; false when it holds none.
func (m *Manager) key(table *catalog.Table, x *catalog.Index, row types.Row) (types.Datum, bool, error) {
	if x.Predicate == "" && x.Keys[0].Column > 0 {
		d := row[x.Keys[0].Column-1]
		return d, d != nil, nil
	}
	keys, include, err := m.opts.Keyer.Keys(table, x, row)
	if err != nil || !include || keys[0] == nil {
		return nil, false, err
	}
	return keys[0], true, nil
}
