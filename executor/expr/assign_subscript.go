package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// AssignSubscript is the new value of a column of which a part is assigned to:
// SET a[1] = value. target is the part as it would be read. The result is a
// call of a function that no name finds: its arguments are the column, the value
// and the bounds.
func AssignSubscript(target *Subscript, value Expr) *Call {
	args := []Expr{target.Arg, value}
	levels := len(target.Low)
	for i, low := range target.Low {
		high := Expr(nil)
		if target.Slice {
			high = target.High[i]
		}
		args = append(args, orAbsent(low), orAbsent(high))
	}
	typ := target.Arg.Type()
	f := &Function{Name: "array_subscript_assign", Result: typ.OID, Volatility: Immutable, NotStrict: true}
	a := subscriptAssign{elem: elementOf(typ.OID), levels: levels, slice: target.Slice, low: present(target.Low), high: present(target.High)}
	f.Eval = a.array
	if typ.OID == types.JSONBOID {
		f.Name, f.Eval = "jsonb_subscript_assign", a.json
	}
	for _, x := range args {
		f.Args = append(f.Args, x.Type().OID)
	}
	return &Call{Func: f, Args: args, Typ: Type{OID: typ.OID, Typmod: types.NoTypmod}}
}

func orAbsent(e Expr) Expr {
	if e == nil {
		return &Const{Typ: Type{OID: types.Int4OID, Typmod: types.NoTypmod}}
	}
	return e
}

func present(list []Expr) []bool {
	out := make([]bool, len(list))
	for i, e := range list {
		out[i] = e != nil
	}
	return out
}

// subscriptAssign is the shape of one assignment; low and high tell which bounds
// are written.
type subscriptAssign struct {
	elem      types.OID
	levels    int
	slice     bool
	low, high []bool
}

func subscriptError(message string) error { return pgerr.New(pgerr.ArraySubscriptError, message) }

func nullSubscript(kind string) error {
	return pgerr.Newf(pgerr.NullValueNotAllowed, "%s subscript in assignment must not be null", kind)
}

func (s *subscriptAssign) array(_ *Context, args []types.Datum) (types.Datum, error) {
	a, _ := args[0].(*types.Array)
	if a == nil {
		a = &types.Array{Elem: s.elem}
	}
	if len(a.Dims) > 0 && s.levels != len(a.Dims) && !(s.slice && s.levels < len(a.Dims)) || s.levels > maxArrayDims {
		return nil, subscriptError("wrong number of array subscripts")
	}
	low, high, err := s.bounds(a, args[2:])
	if err != nil {
		return nil, err
	}
	if !s.slice {
		out, err := extend(a, low, low)
		if err != nil {
			return nil, err
		}
		out.Elems[offsetIn(out, low)] = args[1]
		return out, nil
	}
	if args[1] == nil {
		return a, nil
	}
	return assignSlice(a, low, high, args[1].(*types.Array))
}

// bounds computes the bounds of every dimension; those not written are the array's.
func (s *subscriptAssign) bounds(a *types.Array, values []types.Datum) (low, high []int, err error) {
	n := max(s.levels, len(a.Dims))
	low, high = make([]int, n), make([]int, n)
	for i := range n {
		low[i] = 1
		if i < len(a.Dims) {
			low[i], high[i] = a.Lower[i], a.Lower[i]+a.Dims[i]-1
		}
		if i >= s.levels {
			continue
		}
		for side, v := range values[2*i : 2*i+2] {
			written, at := s.low, low
			if side == 1 {
				written, at = s.high, high
			}
			switch {
			case i >= len(written) || !written[i]:
				if s.slice && len(a.Dims) == 0 {
					return nil, nil, pgerr.As(subscriptError("array slice subscript must provide both boundaries")).
						WithDetail("When assigning to a slice of an empty array value, slice boundaries must be fully specified.")
				}
			case v == nil:
				return nil, nil, nullSubscript("array")
			default:
				at[i] = int(v.(int64))
			}
		}
	}
	return low, high, nil
}

// extend copies an array and makes room for low to high. Only an array of one
// dimension grows; what comes between is NULL.
func extend(a *types.Array, low, high []int) (*types.Array, error) {
	out := &types.Array{Elem: a.Elem, Dims: slices.Clone(a.Dims), Lower: slices.Clone(a.Lower), Elems: slices.Clone(a.Elems)}
	if len(a.Dims) == 0 {
		total := 1
		for i := range low {
			if high[i] < low[i] {
				return nil, subscriptError("upper bound cannot be less than lower bound")
			}
			out.Dims, out.Lower = append(out.Dims, high[i]-low[i]+1), append(out.Lower, low[i])
			if total *= out.Dims[i]; total > maxArrayFill {
				return nil, tooLargeArray()
			}
		}
		out.Elems = make([]types.Datum, total)
		return out, nil
	}
	if len(a.Dims) > 1 {
		for i := range low {
			if low[i] < a.Lower[i] || high[i] >= a.Lower[i]+a.Dims[i] {
				return nil, subscriptError("array subscript out of range")
			}
		}
		return out, nil
	}
	before, after := max(a.Lower[0]-low[0], 0), max(high[0]-(a.Lower[0]+a.Dims[0]-1), 0)
	if before+after+len(a.Elems) > maxArrayFill {
		return nil, tooLargeArray()
	}
	out.Elems = slices.Concat(make([]types.Datum, before), out.Elems, make([]types.Datum, after))
	out.Dims[0], out.Lower[0] = len(out.Elems), a.Lower[0]-before
	return out, nil
}

func tooLargeArray() error {
	return pgerr.Newf(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayFill)
}

func offsetIn(a *types.Array, index []int) int {
	at := 0
	for i, n := range index {
		at = at*a.Dims[i] + n - a.Lower[i]
	}
	return at
}

func assignSlice(a *types.Array, low, high []int, from *types.Array) (types.Datum, error) {
	count := 1
	for i := range low {
		if high[i] < low[i] {
			return nil, subscriptError("upper bound cannot be less than lower bound")
		}
		if count *= high[i] - low[i] + 1; count > maxArrayFill {
			return nil, tooLargeArray()
		}
	}
	if len(from.Elems) < count {
		return nil, subscriptError("source array too small")
	}
	out, err := extend(a, low, high)
	if err != nil {
		return nil, err
	}
	index := slices.Clone(low)
	for n := range count {
		out.Elems[offsetIn(out, index)] = from.Elems[n]
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] <= high[i] {
				break
			}
			index[i] = low[i]
		}
	}
	return out, nil
}

// json assigns to a place in a jsonb. What is missing on the way is made: an
// array for a number, an object for a text.
func (s *subscriptAssign) json(_ *Context, args []types.Datum) (types.Datum, error) {
	var root any
	if j, ok := args[0].(types.JSONB); ok {
		var err error
		if root, err = j.Value(); err != nil {
			return nil, err
		}
		if isJSONScalar(j) {
			return nil, scalarOnPath()
		}
	}
	path := make([]types.Datum, s.levels)
	for i := range path {
		if path[i] = args[2+2*i]; path[i] == nil {
			return nil, nullSubscript("jsonb")
		}
	}
	if root == nil {
		root = emptyFor(path[0])
	}
	value := any(nil)
	if args[1] != nil {
		value = args[1]
	}
	v, err := assignJSON(root, path, value, 1)
	if err != nil {
		return nil, err
	}
	return types.JSONBFromValue(v), nil
}

func emptyFor(step types.Datum) any {
	if _, ok := step.(int64); ok {
		return []any{}
	}
	return types.JSONObject{}
}

func scalarOnPath() error {
	return pgerr.New(pgerr.InvalidParameterValue, "cannot replace existing key").
		WithDetail("The path assumes key is a composite object, but it is a scalar value.")
}

func assignJSON(v any, path []types.Datum, value any, position int) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	below := func(child any, there bool) (any, error) {
		if !there && len(path) > 1 {
			child = emptyFor(path[1])
		}
		return assignJSON(child, path[1:], value, position+1)
	}
	switch c := v.(type) {
	case types.JSONObject:
		key, ok := path[0].(string)
		if !ok {
			key = itoa(int(path[0].(int64)))
		}
		i := slices.IndexFunc(c, func(m types.JSONMember) bool { return m.Key == key })
		if i < 0 {
			child, err := below(nil, false)
			return append(slices.Clone(c), types.JSONMember{Key: key, Value: child}), err
		}
		child, err := below(c[i].Value, true)
		c[i].Value = child
		return c, err
	case []any:
		return assignElement(c, path[0], position, below)
	}
	return nil, scalarOnPath()
}

func assignElement(list []any, step types.Datum, position int, below func(child any, there bool) (any, error)) (any, error) {
	n, ok := jsonIndex(step)
	if !ok {
		return nil, pgerr.Newf(pgerr.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", position, step)
	}
	if n < 0 {
		if n += int64(len(list)); n < 0 {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "path element at position %d is out of range: %d", position, n-int64(len(list)))
		}
	}
	if n >= int64(len(list)) {
		if n > maxArrayFill {
			return nil, tooLargeArray()
		}
		list = append(list, make([]any, n+1-int64(len(list)))...)
		child, err := below(nil, false)
		list[n] = child
		return list, err
	}
	child, err := below(list[n], true)
	list[n] = child
	return list, err
}
