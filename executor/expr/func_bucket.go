package expr

import (
	"math"
	"sort"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// invalidWidthBucket is SQLSTATE 2201G, which only width_bucket uses.
const invalidWidthBucket = "2201G"

var bucketFunctions = []*Function{
	define("width_bucket(float8, float8, float8, int4) int4", widthBucketFloat),
	define("width_bucket(numeric, numeric, numeric, int4) int4", widthBucketNumeric),
	define("width_bucket(anycompatible, anycompatiblearray) int4", widthBucketArray),
}

func widthBucketFloat(_ *Context, args []types.Datum) (types.Datum, error) {
	x, low, high, count := args[0].(float64), args[1].(float64), args[2].(float64), args[3].(int64)
	switch {
	case count <= 0:
		return nil, pgerr.New(invalidWidthBucket, "count must be greater than zero")
	case math.IsNaN(x) || math.IsNaN(low) || math.IsNaN(high):
		return nil, pgerr.New(invalidWidthBucket, "operand, lower bound, and upper bound cannot be NaN")
	case math.IsInf(low, 0) || math.IsInf(high, 0):
		return nil, pgerr.New(invalidWidthBucket, "lower and upper bounds must be finite")
	case low == high:
		return nil, pgerr.New(invalidWidthBucket, "lower bound cannot equal upper bound")
	}
	if low > high {
		x, low, high = -x, -low, -high
	}
	switch {
	case x < low:
		return int64(0), nil
	case x >= high:
		return checkBucket(count + 1)
	}
	// Halves keep the differences of huge bounds finite.
	n := int64(float64(count) * ((x/2 - low/2) / (high/2 - low/2)))
	return checkBucket(min(n, count-1) + 1)
}

func checkBucket(n int64) (types.Datum, error) {
	if n > math.MaxInt32 {
		return nil, pgerr.New(pgerr.NumericValueOutOfRange, "integer out of range")
	}
	return n, nil
}

func widthBucketNumeric(_ *Context, args []types.Datum) (types.Datum, error) {
	x, low, high, count := args[0].(*types.Numeric), args[1].(*types.Numeric), args[2].(*types.Numeric), args[3].(int64)
	switch {
	case count <= 0:
		return nil, pgerr.New(invalidWidthBucket, "count must be greater than zero")
	case types.NumericIsNaN(x) || types.NumericIsNaN(low) || types.NumericIsNaN(high):
		return nil, pgerr.New(invalidWidthBucket, "operand, lower bound, and upper bound cannot be NaN")
	case notFiniteNumeric(low) || notFiniteNumeric(high):
		return nil, pgerr.New(invalidWidthBucket, "lower and upper bounds must be finite")
	}
	order := types.NumericCmp(low, high)
	if order == 0 {
		return nil, pgerr.New(invalidWidthBucket, "lower bound cannot equal upper bound")
	}
	if order > 0 {
		x, low, high = types.NumericNeg(x), types.NumericNeg(low), types.NumericNeg(high)
	}
	if types.NumericCmp(x, low) < 0 {
		return int64(0), nil
	}
	if types.NumericCmp(x, high) >= 0 {
		return checkBucket(count + 1)
	}
	return numericBucket(x, low, high, count)
}

func numericBucket(x, low, high *types.Numeric, count int64) (types.Datum, error) {
	offset, err := types.NumericSub(x, low)
	if err != nil {
		return nil, err
	}
	offset, err = types.NumericMul(offset, types.NumericFromInt64(count))
	if err != nil {
		return nil, err
	}
	width, err := types.NumericSub(high, low)
	if err != nil {
		return nil, err
	}
	q, err := numericQuotient(offset, width)
	if err != nil {
		return nil, err
	}
	n, err := types.NumericToInt64(q)
	if err != nil {
		return nil, err
	}
	return checkBucket(n + 1)
}

// widthBucketArray counts the thresholds that are not above the operand.
func widthBucketArray(_ *Context, args []types.Datum) (types.Datum, error) {
	a := args[1].(*types.Array)
	if len(a.Dims) > 1 {
		return nil, pgerr.New(pgerr.ArraySubscriptError, "thresholds must be one-dimensional array")
	}
	for _, e := range a.Elems {
		if e == nil {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "thresholds array must not contain NULLs")
		}
	}
	return int64(sort.Search(len(a.Elems), func(i int) bool { return types.Compare(a.Elem, a.Elems[i], args[0]) > 0 })), nil
}
