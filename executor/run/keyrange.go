package run

import (
	"bytes"
	"math"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// rangeMaker computes an index scan's ranges when it opens.
type rangeMaker struct {
	x       *Execution
	index   *catalog.Index
	reverse bool
}

// make appends the ranges that are not empty, in the order in which the index
// gives their rows. distinct says that no row can lie in two of them.
func (m *rangeMaker) make(dst []storage.KeyRange, specs []plan.IndexRange) (out []storage.KeyRange, distinct bool, err error) {
	if len(specs) == 0 {
		return append(dst, storage.KeyRange{}), true, nil
	}
	for i := range specs {
		if dst, err = m.one(dst, &specs[i]); err != nil {
			return nil, false, err
		}
	}
	if len(dst) < 2 {
		return dst, true, nil
	}
	out, distinct = m.order(dst)
	return out, distinct, nil
}

func (m *rangeMaker) one(dst []storage.KeyRange, spec *plan.IndexRange) ([]storage.KeyRange, error) {
	eq := make([]types.Datum, 0, len(spec.Eq)+1)
	for i, e := range spec.Eq {
		d, fits, err := m.value(e, i)
		if err != nil || d == nil || fits != 0 {
			return dst, err
		}
		eq = append(eq, d)
	}
	if spec.EqAny != nil {
		return m.any(dst, spec, eq)
	}
	if spec.IsNull {
		eq = append(eq, nil)
	}
	return m.bounded(dst, spec, eq)
}

// any makes one range for each element of an array; NULL elements match nothing.
func (m *rangeMaker) any(dst []storage.KeyRange, spec *plan.IndexRange, eq []types.Datum) ([]storage.KeyRange, error) {
	d, err := m.x.eval(spec.EqAny, nil)
	if err != nil {
		return dst, err
	}
	var elems []types.Datum
	switch v := d.(type) {
	case *types.Array:
		elems = v.Elems
	default:
		return dst, nil
	}
	for _, e := range elems {
		if e == nil || fitsKey(m.index.Keys[len(eq)].Type, e) != 0 {
			continue
		}
		if dst, err = m.bounded(dst, spec, append(slices.Clone(eq), e)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// bounded adds the range with its bounds on the key column after eq.
func (m *rangeMaker) bounded(dst []storage.KeyRange, spec *plan.IndexRange, eq []types.Datum) ([]storage.KeyRange, error) {
	r := storage.KeyRange{Eq: eq, NotNull: spec.NotNull}
	if spec.Low != nil {
		d, fits, err := m.value(spec.Low, len(eq))
		if err != nil || d == nil || fits > 0 {
			return dst, err
		}
		if fits == 0 {
			r.Low = &storage.Bound{Value: d, Open: spec.LowOpen}
		}
		r.NotNull = r.NotNull || fits != 0
	}
	if spec.High != nil {
		d, fits, err := m.value(spec.High, len(eq))
		if err != nil || d == nil || fits < 0 {
			return dst, err
		}
		if fits == 0 {
			r.High = &storage.Bound{Value: d, Open: spec.HighOpen}
		}
		r.NotNull = r.NotNull || fits != 0
	}
	return append(dst, r), nil
}

// value computes the value for key column i; fits is -1 or 1 when it lies below
// or above all values of the column's type.
func (m *rangeMaker) value(e expr.Expr, i int) (d types.Datum, fits int, err error) {
	d, err = m.x.eval(e, nil)
	if err != nil || d == nil {
		return nil, 0, err
	}
	return d, fitsKey(m.index.Keys[i].Type, d), nil
}

// fitsKey compares an integer with the range of an index key's type: WHERE
// int4_column < 3000000000 keeps its bigint constant.
func fitsKey(oid types.OID, d types.Datum) int {
	v, ok := d.(int64)
	if !ok {
		return 0
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch oid {
	case types.Int2OID:
		low, high = math.MinInt16, math.MaxInt16
	case types.Int4OID:
		low, high = math.MinInt32, math.MaxInt32
	case types.OidOID:
		low, high = 0, math.MaxUint32
	}
	switch {
	case v < low:
		return -1
	case v > high:
		return 1
	}
	return 0
}

// order sorts ranges as the index does and drops equal ones. Ranges that fix
// equally many columns and have no bounds share no row.
func (m *rangeMaker) order(ranges []storage.KeyRange) (out []storage.KeyRange, distinct bool) {
	type keyed struct {
		key []byte
		r   storage.KeyRange
	}
	list := make([]keyed, len(ranges))
	distinct = true
	for i, r := range ranges {
		list[i] = keyed{key: m.startKey(&r), r: r}
		if len(r.Eq) != len(ranges[0].Eq) || r.Low != nil || r.High != nil || r.NotNull {
			distinct = false
		}
	}
	slices.SortStableFunc(list, func(a, b keyed) int { return bytes.Compare(a.key, b.key) })
	if m.reverse {
		slices.Reverse(list)
	}
	out = ranges[:0]
	for i, k := range list {
		if distinct && i > 0 && bytes.Equal(k.key, list[i-1].key) {
			continue
		}
		out = append(out, k.r)
	}
	return out, distinct
}

// startKey is where a range begins in the index.
func (m *rangeMaker) startKey(r *storage.KeyRange) []byte {
	var key []byte
	for i, d := range r.Eq {
		k := &m.index.Keys[i]
		key = types.AppendKey(key, k.Type, d, k.Desc, k.NullsFirst)
	}
	if len(r.Eq) >= len(m.index.Keys) {
		return key
	}
	k := &m.index.Keys[len(r.Eq)]
	first := r.Low
	if k.Desc {
		first = r.High
	}
	if first != nil {
		key = types.AppendKey(key, k.Type, first.Value, k.Desc, k.NullsFirst)
	}
	return key
}
