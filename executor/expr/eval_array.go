package expr

import (
	"strconv"
	"sync"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Eval compares the left side with each element.
func (e *AnyAll) Eval(ctx *Context) (types.Datum, error) {
	left, err := e.Left.Eval(ctx)
	if err != nil {
		return nil, err
	}
	v, err := e.Array.Eval(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	array := v.(*types.Array)
	if len(array.Elems) == 0 {
		return e.All, nil
	}
	if left == nil && !e.Func.NotStrict {
		return nil, nil
	}
	null := false
	for _, elem := range array.Elems {
		r, err := call2(ctx, e.Func, left, elem)
		if err != nil {
			return nil, err
		}
		if r == nil {
			null = true
		} else if r.(bool) != e.All {
			return !e.All, nil
		}
	}
	if null {
		return nil, nil
	}
	return e.All, nil
}

// hashFrom is the length of an IN list from which it is hashed; PostgreSQL
// hashes from 9 (MIN_ARRAY_SIZE_FOR_HASHED_SAOP).
const hashFrom = 9

// inSet is the hashed form of a list of constants.
type inSet struct {
	once   sync.Once
	values map[types.Datum]struct{}
	null   bool
	usable bool
}

// build hashes the list when all of it are constants of a type whose equality
// is Go's equality of the datums.
func (s *inSet) build(e *InList) {
	if len(e.List) < hashFrom || !hashable(e.Left.Type().OID) {
		return
	}
	values := make(map[types.Datum]struct{}, len(e.List))
	for _, item := range e.List {
		c, ok := item.(*Const)
		if !ok || c.Typ.OID != e.Left.Type().OID {
			return
		}
		if c.Value == nil {
			s.null = true
			continue
		}
		values[c.Value] = struct{}{}
	}
	s.values, s.usable = values, true
}

// hashable says whether == on two datums is SQL's equality of the type.
func hashable(oid types.OID) bool {
	switch oid {
	case types.BoolOID, types.Int2OID, types.Int4OID, types.Int8OID, types.OidOID, types.TextOID, types.VarcharOID,
		types.NameOID, types.UUIDOID, types.DateOID, types.TimeOID, types.TimestampOID, types.TimestampTZOID:
		return true
	}
	return false
}

// Eval is NULL when nothing matches and a NULL took part.
func (e *InList) Eval(ctx *Context) (types.Datum, error) {
	left, err := e.Left.Eval(ctx)
	if err != nil || left == nil {
		return nil, err
	}
	e.set.once.Do(func() { e.set.build(e) })
	found, null := false, e.set.null
	if e.set.usable {
		_, found = e.set.values[left]
	} else if found, null, err = e.scan(ctx, left); err != nil {
		return nil, err
	}
	if found {
		return !e.Not, nil
	}
	if null {
		return nil, nil
	}
	return e.Not, nil
}

func (e *InList) scan(ctx *Context, left types.Datum) (found, null bool, err error) {
	for _, item := range e.List {
		v, err := item.Eval(ctx)
		if err != nil {
			return false, false, err
		}
		eq, err := call2(ctx, e.Eq, left, v)
		if err != nil {
			return false, false, err
		}
		if eq == nil {
			null = true
		} else if eq.(bool) {
			return true, null, nil
		}
	}
	return false, null, nil
}

// Eval makes an array; nested elements give one more dimension.
func (e *ArrayCtor) Eval(ctx *Context) (types.Datum, error) {
	elemType := types.OID(0)
	if t := types.Lookup(e.Typ.OID); t != nil {
		elemType = t.Elem
	}
	elems := make([]types.Datum, len(e.Elems))
	for i, x := range e.Elems {
		v, err := x.Eval(ctx)
		if err != nil {
			return nil, err
		}
		elems[i] = v
	}
	if !e.Nested {
		return types.NewArray(elemType, elems), nil
	}
	return nestArrays(elemType, elems)
}

func nestArrays(elemType types.OID, parts []types.Datum) (types.Datum, error) {
	out := &types.Array{Elem: elemType}
	var first *types.Array
	for _, p := range parts {
		a, ok := p.(*types.Array)
		if !ok || len(a.Elems) == 0 {
			continue // NULL and empty arrays vanish unless others have elements
		}
		if first == nil {
			first = a
		}
		if !sameInts(first.Dims, a.Dims) {
			return nil, notSameDims()
		}
		out.Elems = append(out.Elems, a.Elems...)
	}
	if first == nil {
		return out, nil
	}
	if len(out.Elems) != len(parts)*len(first.Elems) {
		return nil, notSameDims()
	}
	out.Dims = append([]int{len(parts)}, first.Dims...)
	out.Lower = append([]int{1}, first.Lower...)
	return out, nil
}

func notSameDims() error {
	return pgerr.New(pgerr.ArraySubscriptError, "multidimensional arrays must have array expressions with matching dimensions")
}

func sameInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Eval makes a record.
func (e *RowCtor) Eval(ctx *Context) (types.Datum, error) {
	r := &types.Record{
		Names:  e.Names,
		Types:  make([]types.OID, len(e.Fields)),
		Values: make([]types.Datum, len(e.Fields)),
	}
	for i, f := range e.Fields {
		v, err := f.Eval(ctx)
		if err != nil {
			return nil, err
		}
		r.Types[i], r.Values[i] = f.Type().OID, v
	}
	return r, nil
}

// Eval takes a field of a record.
func (e *FieldSelect) Eval(ctx *Context) (types.Datum, error) {
	v, err := e.Arg.Eval(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	r := v.(*types.Record)
	if e.Index < 0 || e.Index >= len(r.Values) {
		return nil, pgerr.Newf(pgerr.UndefinedColumn, "could not identify column \"%s\" in record data type", e.Name)
	}
	return r.Values[e.Index], nil
}

// Eval takes an element or a slice.
func (e *Subscript) Eval(ctx *Context) (types.Datum, error) {
	v, err := e.Arg.Eval(ctx)
	if err != nil || v == nil {
		return nil, err
	}
	if j, ok := v.(types.JSONB); ok {
		return e.evalJSON(ctx, j)
	}
	array, ok := v.(*types.Array)
	if name, isName := v.(string); isName {
		array, ok = nameArray(name), true
	}
	if !ok {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "cannot subscript a value of this type")
	}
	if e.Slice {
		return e.evalSlice(ctx, array)
	}
	var index [6]int
	if len(e.Low) != len(array.Dims) || len(e.Low) > len(index) {
		return nil, e.checkIndexes(ctx)
	}
	for i, x := range e.Low {
		n, null, err := evalInt(ctx, x)
		if err != nil || null {
			return nil, err
		}
		index[i] = n
	}
	at := 0
	for i, d := range array.Dims {
		n := index[i] - array.Lower[i]
		if n < 0 || n >= d {
			return nil, nil
		}
		at = at*d + n
	}
	return array.Elems[at], nil
}

// nameArray is a name as the array of "char" that its subscripts see.
func nameArray(name string) *types.Array {
	a := &types.Array{Elem: types.CharOID, Dims: []int{len(name)}, Lower: []int{0}, Elems: make([]types.Datum, len(name))}
	for i := range len(name) {
		a.Elems[i] = name[i : i+1]
	}
	return a
}

// checkIndexes computes the indexes only for their errors.
func (e *Subscript) checkIndexes(ctx *Context) error {
	for _, x := range e.Low {
		if _, _, err := evalInt(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

func evalInt(ctx *Context, e Expr) (n int, null bool, err error) {
	v, err := e.Eval(ctx)
	if err != nil || v == nil {
		return 0, true, err
	}
	return int(v.(int64)), false, nil
}

func (e *Subscript) evalSlice(ctx *Context, a *types.Array) (types.Datum, error) {
	low, high := make([]int, len(a.Dims)), make([]int, len(a.Dims))
	for i := range a.Dims {
		low[i], high[i] = a.Lower[i], a.Lower[i]+a.Dims[i]-1
	}
	tooMany := len(e.Low) > len(a.Dims)
	for i := range e.Low {
		l, h, null, err := e.bounds(ctx, i)
		if err != nil || null {
			return nil, err
		}
		if tooMany {
			continue
		}
		if l != nil {
			low[i] = max(low[i], *l)
		}
		if h != nil {
			high[i] = min(high[i], *h)
		}
	}
	empty := &types.Array{Elem: a.Elem}
	if tooMany {
		return empty, nil
	}
	out := &types.Array{Elem: a.Elem, Dims: make([]int, len(a.Dims)), Lower: make([]int, len(a.Dims))}
	for i := range a.Dims {
		if high[i] < low[i] {
			return empty, nil
		}
		out.Dims[i], out.Lower[i] = high[i]-low[i]+1, 1
	}
	if len(a.Dims) == 0 {
		return empty, nil
	}
	out.Elems = copySlice(nil, a, low, high, 0, 0)
	return out, nil
}

// bounds computes the bounds of dimension i; an absent one is nil.
func (e *Subscript) bounds(ctx *Context, i int) (low, high *int, null bool, err error) {
	if e.Low[i] != nil {
		n, null, err := evalInt(ctx, e.Low[i])
		if err != nil || null {
			return nil, nil, null, err
		}
		low = &n
	}
	if i < len(e.High) && e.High[i] != nil {
		n, null, err := evalInt(ctx, e.High[i])
		if err != nil || null {
			return nil, nil, null, err
		}
		high = &n
	}
	return low, high, false, nil
}

func copySlice(dst []types.Datum, a *types.Array, low, high []int, dim, at int) []types.Datum {
	if dim == len(a.Dims) {
		return append(dst, a.Elems[at])
	}
	for i := low[dim]; i <= high[dim]; i++ {
		dst = copySlice(dst, a, low, high, dim+1, at*a.Dims[dim]+i-a.Lower[dim])
	}
	return dst
}

// evalJSON walks into a jsonb by keys and positions.
func (e *Subscript) evalJSON(ctx *Context, j types.JSONB) (types.Datum, error) {
	v, err := j.Value()
	if err != nil {
		return nil, err
	}
	for _, x := range e.Low {
		k, err := x.Eval(ctx)
		if err != nil || k == nil {
			return nil, err
		}
		next, ok := jsonStep(v, k)
		if !ok {
			return nil, nil
		}
		v = next
	}
	return types.JSONBFromValue(v), nil
}

// jsonStep takes a member of an object or an element of an array; negative
// positions count from the end.
func jsonStep(v any, key types.Datum) (any, bool) {
	switch c := v.(type) {
	case types.JSONObject:
		name, ok := key.(string)
		if !ok {
			return nil, false
		}
		for _, m := range c {
			if m.Key == name {
				return m.Value, true
			}
		}
	case []any:
		i, ok := jsonIndex(key)
		if !ok {
			return nil, false
		}
		if i < 0 {
			i += int64(len(c))
		}
		if i >= 0 && i < int64(len(c)) {
			return c[i], true
		}
	}
	return nil, false
}

func jsonIndex(key types.Datum) (int64, bool) {
	switch k := key.(type) {
	case int64:
		return k, true
	case string:
		return parseIndex(k)
	}
	return 0, false
}

// parseIndex reads a position written as text.
func parseIndex(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
