package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// generate_series over numbers; that over timestamps is with the times.
var seriesFunctions = []*Function{
	defineRows("generate_series(int4, int4) setof int4", "", integerSeries(math.MinInt32, math.MaxInt32)),
	defineRows("generate_series(int4, int4, int4) setof int4", "", integerSeries(math.MinInt32, math.MaxInt32)),
	defineRows("generate_series(int8, int8) setof int8", "", integerSeries(math.MinInt64, math.MaxInt64)),
	defineRows("generate_series(int8, int8, int8) setof int8", "", integerSeries(math.MinInt64, math.MaxInt64)),
	defineRows("generate_series(numeric, numeric) setof numeric", "", numericSeries),
	defineRows("generate_series(numeric, numeric, numeric) setof numeric", "", numericSeries),
}

func zeroStep() error { return pgerr.New(pgerr.InvalidParameterValue, "step size cannot equal zero") }

// integerSeries ends where the next value would leave the type.
func integerSeries(low, high int64) rowsFunc {
	return func(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
		at, stop, step := args[0].(int64), args[1].(int64), int64(1)
		if len(args) == 3 {
			step = args[2].(int64)
		}
		if step == 0 {
			return nil, zeroStep()
		}
		done := false
		return func() (types.Row, error) {
			if done || step > 0 && at > stop || step < 0 && at < stop {
				return nil, nil
			}
			v := at
			if done = step > 0 && at > high-step || step < 0 && at < low-step; !done {
				at += step
			}
			return types.Row{v}, nil
		}, nil
	}
}

func numericSeries(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	step := types.NumericFromInt64(1)
	for i, name := range []string{"start", "stop", "step size"}[:len(args)] {
		n := args[i].(*types.Numeric)
		what := name + " value"
		if i == 2 {
			step, what = n, name
		}
		switch {
		case types.NumericIsNaN(n):
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "%s cannot be NaN", what)
		case types.NumericIsInf(n):
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "%s cannot be infinity", what)
		}
	}
	at, stop, sign := args[0].(*types.Numeric), args[1].(*types.Numeric), types.NumericSign(step)
	if sign == 0 {
		return nil, zeroStep()
	}
	return func() (types.Row, error) {
		if types.NumericCmp(at, stop)*sign > 0 {
			return nil, nil
		}
		v := at
		next, err := types.NumericAdd(at, step)
		if err != nil {
			return nil, err
		}
		at = next
		return types.Row{v}, nil
	}, nil
}
