package run

import "github.com/akidb/akidb/internal/types"

// rowBytes estimates the memory that a kept row takes.
func rowBytes(row types.Row) int64 {
	n := int64(24 + 16*len(row))
	for _, d := range row {
		n += datumBytes(d)
	}
	return n
}

func datumBytes(d types.Datum) int64 {
	switch v := d.(type) {
	case nil, bool:
		return 0
	case string:
		return 16 + int64(len(v))
	case types.JSONB:
		return 16 + int64(len(v))
	case []byte:
		return 24 + int64(len(v))
	case types.Vector:
		return 24 + 4*int64(len(v))
	case types.HalfVector:
		return 24 + 2*int64(len(v))
	case types.SparseVector:
		return 56 + 8*int64(len(v.Index))
	case types.Bits:
		return 32 + int64(len(v.B))
	case *types.Numeric:
		return 64
	case *types.Array:
		return 96 + rowBytes(v.Elems)
	case *types.Record:
		return 96 + rowBytes(v.Values)
	}
	return 16
}

// copyRow keeps a row beyond the next call; datums are shared.
func copyRow(row types.Row) types.Row {
	out := make(types.Row, len(row))
	copy(out, row)
	return out
}
