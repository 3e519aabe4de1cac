package tiering

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// bareBody is the body of a warm index whose vectors cannot lie in cells (sparse
// vectors, Jaccard's distance): it holds nothing, and each search reads all rows.
type bareBody struct {
	m *Manager
	v *vectorIndex
}

func (b *bareBody) Append(types.RowID, types.Datum) error  { return nil }
func (b *bareBody) Remove(types.RowID)                     {}
func (b *bareBody) Contains(types.RowID) bool              { return true }
func (b *bareBody) IDs(func(types.RowID) bool)             {}
func (b *bareBody) Len() int                               { return int(b.m.store.Stats(b.v.desc().Table).Rows) }
func (b *bareBody) Pending() int                           { return 0 }
func (b *bareBody) Bytes() int64                           { return 0 }
func (b *bareBody) maintain(context.Context) (bool, error) { return false, nil }
func (b *bareBody) save() error                            { return nil }
func (b *bareBody) Close() error                           { return nil }

func (b *bareBody) nearest(ctx context.Context, t *Txn, spec *storage.NearestSpec) (storage.NearestIter, error) {
	list, err := b.measure(ctx, t, spec)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, nearer)
	return &sortedList{list: list, stats: storage.NearestStats{Tier: spec.Table.Tier, Method: "exact", Candidates: len(list)}}, nil
}

// measure reads the rows that may come and computes their distances.
func (b *bareBody) measure(ctx context.Context, t *Txn, spec *storage.NearestSpec) (list []storage.Candidate, err error) {
	key := b.v.desc().Keys[0]
	add := func(id types.RowID, row types.Row) error {
		d, ok, err := t.m.key(spec.Table, b.v.desc(), row)
		if err != nil || !ok {
			return err
		}
		n, err := distanceOf(key.Metric, spec.Query, d)
		if err == nil && n == n { // a zero vector under cosine is near to nothing
			list = append(list, storage.Candidate{ID: id, Distance: n})
		}
		return err
	}
	if spec.Among == nil {
		return list, t.eachRow(ctx, spec.Table, b.v, add)
	}
	row, columns := make(types.Row, len(spec.Table.Columns)), b.v.columns(spec.Table)
	for _, id := range spec.Among {
		ok, err := t.Txn.Get(ctx, spec.Table, id, columns, row)
		if err == nil && ok {
			err = add(id, row)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// distanceOf is the exact distance of two vectors, which have the index's type.
func distanceOf(metric types.Metric, q, d types.Datum) (float64, error) {
	switch v := d.(type) {
	case types.Vector:
		if w, ok := q.(types.Vector); ok && len(w) == len(v) {
			return distance.Vector(metric, w, v), nil
		}
	case types.HalfVector:
		if w, ok := q.(types.HalfVector); ok && len(w) == len(v) {
			return distance.Half(metric, w, v), nil
		}
	case types.SparseVector:
		if w, ok := q.(types.SparseVector); ok && w.Dim == v.Dim {
			return distance.Sparse(metric, w, v), nil
		}
	case types.Bits:
		if w, ok := q.(types.Bits); ok && w.N == v.N {
			return distance.Bit(metric, w, v), nil
		}
	}
	return 0, pgerr.New(pgerr.DataException, "different vector dimensions")
}
