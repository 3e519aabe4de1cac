package expr

import (
	"slices"
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions that look at an array and its bounds, and those that make arrays.
var arrayFunctions = []*Function{
	define1("array_ndims(anyarray) int4", func(a types.Datum) (types.Datum, error) {
		if n := len(a.(*types.Array).Dims); n > 0 {
			return int64(n), nil
		}
		return nil, nil
	}),
	define1("array_dims(anyarray) text", func(a types.Datum) (types.Datum, error) { return arrayDims(a.(*types.Array)), nil }),
	define1("cardinality(anyarray) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(*types.Array).Elems)), nil }),
	define2("array_length(anyarray, int4) int4", dimension(func(low, n int) int { return n })),
	define2("array_lower(anyarray, int4) int4", dimension(func(low, n int) int { return low })),
	define2("array_upper(anyarray, int4) int4", dimension(func(low, n int) int { return low + n - 1 })),
	define("array_position(anycompatiblearray, anycompatible) int4", evalArrayPosition).withNulls(),
	define("array_position(anycompatiblearray, anycompatible, int4) int4", evalArrayPosition).withNulls(),
	define("array_positions(anycompatiblearray, anycompatible) int4[]", evalArrayPositions).withNulls(),
	define("array_remove(anycompatiblearray, anycompatible) anycompatiblearray", evalArrayRemove).withNulls(),
	define("array_replace(anycompatiblearray, anycompatible, anycompatible) anycompatiblearray", evalArrayReplace).withNulls(),
	defineBound("array_fill(anyelement, int4[]) anyarray", bindArrayFill).withNulls(),
	defineBound("array_fill(anyelement, int4[], int4[]) anyarray", bindArrayFill).withNulls(),
	define2("trim_array(anyarray, int4) anyarray", trimArray),
	defineRows("unnest(anyarray) setof anyelement", "", func(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
		return rowsOf(args[0].(*types.Array).Elems), nil
	}),
	defineRows("generate_subscripts(anyarray, int4) setof int4", "", generateSubscripts),
	defineRows("generate_subscripts(anyarray, int4, bool) setof int4", "", generateSubscripts),
	defineBound("pg_typeof(any) regtype", func(args []Type, _ bool) evalFunc {
		oid := typeAt(args, 0)
		if oid == 0 {
			oid = types.UnknownOID
		}
		return func(*Context, []types.Datum) (types.Datum, error) { return int64(oid), nil }
	}).stable().withNulls(),
	define("num_nulls(variadic any) int4", func(_ *Context, args []types.Datum) (types.Datum, error) {
		return int64(countNulls(args)), nil
	}).withNulls(),
	define("num_nonnulls(variadic any) int4", func(_ *Context, args []types.Datum) (types.Datum, error) {
		return int64(len(args) - countNulls(args)), nil
	}).withNulls(),
}

func countNulls(args []types.Datum) int {
	n := 0
	for _, a := range args {
		if a == nil {
			n++
		}
	}
	return n
}

// arrayDims is [1:2][1:3], NULL for an empty array.
func arrayDims(a *types.Array) types.Datum {
	if len(a.Dims) == 0 {
		return nil
	}
	var out []byte
	for i, low := range a.Lower {
		out = strconv.AppendInt(append(out, '['), int64(low), 10)
		out = strconv.AppendInt(append(out, ':'), int64(low+a.Dims[i]-1), 10)
		out = append(out, ']')
	}
	return string(out)
}

// dimension asks for something of one dimension, by its lower bound and length.
func dimension(of func(low, n int) int) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		array, d := a.(*types.Array), b.(int64)
		if d < 1 || d > int64(len(array.Dims)) {
			return nil, nil
		}
		return int64(of(array.Lower[d-1], array.Dims[d-1])), nil
	}
}

// sameElement is IS NOT DISTINCT FROM between elements.
func sameElement(elem types.OID, a, b types.Datum) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return types.Compare(elem, a, b) == 0
}

// searchable refuses arrays that the searching functions cannot number.
func searchable(a *types.Array, what string) error {
	if len(a.Dims) > 1 {
		return pgerr.Newf(pgerr.FeatureNotSupported, "%s multidimensional arrays is not supported", what)
	}
	return nil
}

func evalArrayPosition(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil {
		return nil, nil
	}
	a := args[0].(*types.Array)
	if err := searchable(a, "searching for elements in"); err != nil {
		return nil, err
	}
	from := int64(-1 << 31)
	if len(args) == 3 {
		if args[2] == nil {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "initial position must not be null")
		}
		from = args[2].(int64)
	}
	for i, e := range a.Elems {
		if at := int64(a.Lower[0] + i); at >= from && sameElement(a.Elem, e, args[1]) {
			return at, nil
		}
	}
	return nil, nil
}

func evalArrayPositions(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil {
		return nil, nil
	}
	a := args[0].(*types.Array)
	if err := searchable(a, "searching for elements in"); err != nil {
		return nil, err
	}
	var found []types.Datum
	for i, e := range a.Elems {
		if sameElement(a.Elem, e, args[1]) {
			found = append(found, int64(a.Lower[0]+i))
		}
	}
	return types.NewArray(types.Int4OID, found), nil
}

func evalArrayRemove(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil {
		return nil, nil
	}
	a := args[0].(*types.Array)
	if err := searchable(a, "removing elements from"); err != nil {
		return nil, err
	}
	kept := make([]types.Datum, 0, len(a.Elems))
	for _, e := range a.Elems {
		if !sameElement(a.Elem, e, args[1]) {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return &types.Array{Elem: a.Elem}, nil
	}
	return &types.Array{Elem: a.Elem, Dims: []int{len(kept)}, Lower: a.Lower, Elems: kept}, nil
}

func evalArrayReplace(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil {
		return nil, nil
	}
	out := *args[0].(*types.Array)
	out.Elems = slices.Clone(out.Elems)
	for i, e := range out.Elems {
		if sameElement(out.Elem, e, args[1]) {
			out.Elems[i] = args[2]
		}
	}
	return &out, nil
}

func bindArrayFill(args []Type, _ bool) evalFunc {
	elem := typeAt(args, 0)
	return func(_ *Context, args []types.Datum) (types.Datum, error) {
		dims, err := fillBounds(args[1], "Dimension array must be one dimensional.")
		if err != nil {
			return nil, err
		}
		lower := slices.Repeat([]int{1}, len(dims))
		if len(args) == 3 {
			if lower, err = fillBounds(args[2], "Low bound array must be one dimensional."); err != nil {
				return nil, err
			}
			if len(lower) != len(dims) {
				return nil, wrongSubscripts("Low bound array has different size than dimensions array.")
			}
		}
		return fillArray(elem, args[0], dims, lower)
	}
}

func wrongSubscripts(detail string) error {
	return pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts").WithDetail("%s", detail)
}

func fillBounds(d types.Datum, detail string) ([]int, error) {
	if d == nil {
		return nil, pgerr.New(pgerr.NullValueNotAllowed, "dimension array or low bound array cannot be null")
	}
	a := d.(*types.Array)
	if len(a.Dims) > 1 {
		return nil, wrongSubscripts(detail)
	}
	out := make([]int, len(a.Elems))
	for i, e := range a.Elems {
		if e == nil {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "dimension values cannot be null")
		}
		out[i] = int(e.(int64))
	}
	return out, nil
}

// maxArrayFill bounds the elements of an array, as PostgreSQL's MaxArraySize.
const (
	maxArrayFill = 134217727
	maxArrayDims = 6
)

func fillArray(elem types.OID, value types.Datum, dims, lower []int) (types.Datum, error) {
	if len(dims) > maxArrayDims {
		return nil, pgerr.Newf(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(dims), maxArrayDims)
	}
	total := min(len(dims), 1)
	for _, n := range dims {
		if total *= n; n < 0 || total > maxArrayFill {
			return nil, pgerr.Newf(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayFill)
		}
	}
	if total == 0 {
		return &types.Array{Elem: elem}, nil
	}
	return &types.Array{Elem: elem, Dims: dims, Lower: lower, Elems: slices.Repeat([]types.Datum{value}, total)}, nil
}

func trimArray(a, b types.Datum) (types.Datum, error) {
	array, n := a.(*types.Array), b.(int64)
	length := 0
	if len(array.Dims) > 0 {
		length = array.Dims[0]
	}
	if n < 0 || n > int64(length) {
		return nil, pgerr.Newf(pgerr.ArraySubscriptError, "number of elements to trim must be between 0 and %d", length)
	}
	keep := length - int(n)
	if keep == 0 {
		return &types.Array{Elem: array.Elem}, nil
	}
	// As a slice, the result begins at 1 in every dimension.
	out := &types.Array{Elem: array.Elem, Dims: slices.Clone(array.Dims), Lower: slices.Repeat([]int{1}, len(array.Dims))}
	out.Dims[0] = keep
	out.Elems = array.Elems[: len(array.Elems)/length*keep : len(array.Elems)/length*keep]
	return out, nil
}

func generateSubscripts(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	a, d := args[0].(*types.Array), args[1].(int64)
	if d < 1 || d > int64(len(a.Dims)) {
		return rowsOf(nil), nil
	}
	out := make([]types.Datum, a.Dims[d-1])
	for i := range out {
		out[i] = int64(a.Lower[d-1] + i)
	}
	if len(args) == 3 && args[2].(bool) {
		slices.Reverse(out)
	}
	return rowsOf(out), nil
}
