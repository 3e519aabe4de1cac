package hnsw

import (
	"slices"

	"github.com/akidb/akidb/internal/types"
)

// Vector gives a copy of a row's vector as it was appended; false when the index
// has no such row.
func (x *Index) Vector(id types.RowID) (types.Datum, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	slot, ok := x.ids[id]
	if !ok || x.closed {
		return nil, false
	}
	switch {
	case isBit(x.options.Type):
		return types.Bits{N: x.options.Dims, B: slices.Clone(x.bitBytes(slot))}, true
	case x.options.Type == types.SparseVecOID:
		v := x.sparseVector(slot)
		return types.SparseVector{Dim: v.Dim, Index: slices.Clone(v.Index), Value: slices.Clone(v.Value)}, true
	case x.options.Type == types.HalfVecOID:
		return types.HalfVector(slices.Clone(x.half(slot))), true
	}
	return types.Vector(slices.Clone(x.vector(slot))), true
}
