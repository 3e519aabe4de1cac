package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var arrayOperators = []*Operator{
	fast2("@>", types.AnyArrayOID, types.AnyArrayOID, types.BoolOID, "arraycontains", func(a, b types.Datum) (types.Datum, error) {
		return arrayContains(a.(*types.Array), b.(*types.Array)), nil
	}).with("<@", ""),
	fast2("<@", types.AnyArrayOID, types.AnyArrayOID, types.BoolOID, "arraycontained", func(a, b types.Datum) (types.Datum, error) {
		return arrayContains(b.(*types.Array), a.(*types.Array)), nil
	}).with("@>", ""),
	fast2("&&", types.AnyArrayOID, types.AnyArrayOID, types.BoolOID, "arrayoverlap", func(a, b types.Datum) (types.Datum, error) {
		x, y := a.(*types.Array), b.(*types.Array)
		return slices.ContainsFunc(y.Elems, func(e types.Datum) bool { return arrayHas(x, e) }), nil
	}).with("&&", ""),
	notStrict(binary("||", types.AnyCompatibleArrayOID, types.AnyCompatibleArrayOID, types.AnyCompatibleArrayOID, "array_cat", evalArrayCat)),
	forElement(notStrict(binary("||", types.AnyCompatibleArrayOID, types.AnyCompatibleOID, types.AnyCompatibleArrayOID, "array_append", evalArrayAppend(0))), 1, evalArrayAppend),
	forElement(notStrict(binary("||", types.AnyCompatibleOID, types.AnyCompatibleArrayOID, types.AnyCompatibleArrayOID, "array_prepend", evalArrayPrepend(0))), 0, evalArrayPrepend),
}

func notStrict(o *Operator) *Operator {
	o.Func.NotStrict = true
	return o
}

// arrayHas says whether an element equals e; NULL equals nothing.
func arrayHas(a *types.Array, e types.Datum) bool {
	if e == nil {
		return false
	}
	return slices.ContainsFunc(a.Elems, func(x types.Datum) bool {
		return x != nil && types.Compare(a.Elem, x, e) == 0
	})
}

func arrayContains(a, b *types.Array) bool {
	for _, e := range b.Elems {
		if !arrayHas(a, e) {
			return false
		}
	}
	return true
}

func evalArrayCat(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil {
		return args[1], nil
	}
	if args[1] == nil {
		return args[0], nil
	}
	a, b := args[0].(*types.Array), args[1].(*types.Array)
	switch {
	case len(a.Elems) == 0:
		return b, nil
	case len(b.Elems) == 0:
		return a, nil
	}
	return concatArrays(a, b)
}

// concatArrays joins arrays of the same number of dimensions, or an array with
// one of its own elements, which has one dimension fewer.
func concatArrays(a, b *types.Array) (types.Datum, error) {
	out := &types.Array{Elem: a.Elem, Elems: slices.Concat(a.Elems, b.Elems)}
	switch {
	case len(a.Dims) == len(b.Dims) && sameInts(a.Dims[1:], b.Dims[1:]):
		out.Dims, out.Lower = slices.Clone(a.Dims), slices.Clone(a.Lower)
		out.Dims[0] += b.Dims[0]
	case len(a.Dims) == len(b.Dims)+1 && sameInts(a.Dims[1:], b.Dims):
		out.Dims, out.Lower = slices.Clone(a.Dims), slices.Clone(a.Lower)
		out.Dims[0]++
	case len(b.Dims) == len(a.Dims)+1 && sameInts(b.Dims[1:], a.Dims):
		out.Dims, out.Lower = slices.Clone(b.Dims), slices.Clone(b.Lower)
		out.Dims[0]++
	default:
		err := pgerr.New(pgerr.ArraySubscriptError, "cannot concatenate incompatible arrays")
		if diff := len(a.Dims) - len(b.Dims); diff < -1 || diff > 1 {
			return nil, err.WithDetail("Arrays of %d and %d dimensions are not compatible for concatenation.", len(a.Dims), len(b.Dims))
		}
		return nil, err.WithDetail("Arrays with differing element dimensions are not compatible for concatenation.")
	}
	return out, nil
}

func evalArrayAppend(elem types.OID) evalFunc {
	return func(_ *Context, args []types.Datum) (types.Datum, error) {
		return extendArray(elem, args[0], args[1], false)
	}
}

func evalArrayPrepend(elem types.OID) evalFunc {
	return func(_ *Context, args []types.Datum) (types.Datum, error) {
		return extendArray(elem, args[1], args[0], true)
	}
}

// forElement binds a function to the element type, which NULL || element needs:
// the array is not there to tell it. arg is the place of the element.
func forElement(o *Operator, arg int, eval func(elem types.OID) evalFunc) *Operator {
	o.Func.bind = func(args []Type, _ bool) evalFunc {
		if args == nil {
			return eval(0)
		}
		return eval(args[arg].OID)
	}
	return o
}

func extendArray(elemType types.OID, array, elem types.Datum, front bool) (types.Datum, error) {
	a, _ := array.(*types.Array)
	if a == nil || len(a.Elems) == 0 {
		if a != nil && a.Elem != 0 {
			elemType = a.Elem
		}
		return types.NewArray(elemType, []types.Datum{elem}), nil
	}
	if len(a.Dims) != 1 {
		return nil, pgerr.New(pgerr.DataException, "argument must be empty or one-dimensional array")
	}
	out := &types.Array{Elem: a.Elem, Dims: []int{len(a.Elems) + 1}, Lower: slices.Clone(a.Lower)}
	if front {
		out.Elems = append([]types.Datum{elem}, a.Elems...)
	} else {
		out.Elems = append(slices.Clone(a.Elems), elem)
	}
	return out, nil
}
