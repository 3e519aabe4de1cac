package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

const microsPerDay = 24 * 60 * 60 * 1_000_000

func dateOutOfRange() error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range")
}

func timestampOutOfRange() error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range")
}

// minDate is 4714-11-24 BC and maxDate the last day that date can hold.
const (
	minDate = -2451545
	maxDate = 2145031948
)

func addDays(d types.Date, n int64) (types.Datum, error) {
	if d.IsInfinite() {
		return d, nil
	}
	sum := int64(d) + n
	if sum < minDate || sum > maxDate {
		return nil, dateOutOfRange()
	}
	return types.Date(sum), nil
}

func timestampAdd(t types.Timestamp, iv types.Interval) (types.Datum, error) {
	r, err := types.TimestampAdd(t, iv)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func timestamptzAdd(ctx *Context, t types.TimestampTZ, iv types.Interval) (types.Datum, error) {
	r, err := types.TimestampTZAdd(t, iv, ctx.zone())
	if err != nil {
		return nil, err
	}
	return r, nil
}

func dateAdd(d types.Date, iv types.Interval) (types.Datum, error) {
	t, err := d.Timestamp()
	if err != nil {
		return nil, err
	}
	return timestampAdd(t, iv)
}

func interval2(op func(a, b types.Interval) (types.Interval, error)) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		r, err := op(a.(types.Interval), b.(types.Interval))
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

func intervalScale(iv types.Interval, f float64) (types.Datum, error) {
	r, err := iv.Mul(f)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func intervalDiv(iv types.Interval, f float64) (types.Datum, error) {
	if f == 0 {
		return nil, divisionByZero()
	}
	r, err := iv.Div(f)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// swapped calls an operator with its operands exchanged.
func swapped(eval eval2Func) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) { return eval(b, a) }
}

// lessInterval subtracts the interval on the right.
func lessInterval(eval eval2Func) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		neg, err := b.(types.Interval).Neg()
		if err != nil {
			return nil, err
		}
		return eval(a, neg)
	}
}

func datePlusInterval(a, b types.Datum) (types.Datum, error) {
	return dateAdd(a.(types.Date), b.(types.Interval))
}

func timestampPlusInterval(a, b types.Datum) (types.Datum, error) {
	return timestampAdd(a.(types.Timestamp), b.(types.Interval))
}

// timePlusInterval wraps around midnight; days and months do not count.
func timePlusInterval(a, b types.Datum) (types.Datum, error) {
	return wrapTime(int64(a.(types.Time)) + b.(types.Interval).Micros%microsPerDay), nil
}

func timetzPlusInterval(a, b types.Datum) (types.Datum, error) {
	t := a.(types.TimeTZ)
	return types.TimeTZ{Time: wrapTime(int64(t.Time) + b.(types.Interval).Micros%microsPerDay), Zone: t.Zone}, nil
}

func wrapTime(micros int64) types.Time {
	micros %= microsPerDay
	if micros < 0 {
		micros += microsPerDay
	}
	return types.Time(micros)
}

func datePlusTime(a, b types.Datum) (types.Datum, error) {
	t, err := a.(types.Date).Timestamp()
	if err != nil || t.IsInfinite() {
		return t, err
	}
	return t + types.Timestamp(b.(types.Time)), nil
}

func datePlusTimeTZ(a, b types.Datum) (types.Datum, error) {
	t, err := a.(types.Date).Timestamp()
	if err != nil {
		return nil, err
	}
	if t.IsInfinite() {
		return types.TimestampTZ(t), nil
	}
	tz := b.(types.TimeTZ)
	return types.TimestampTZ(int64(t) + int64(tz.Time) + int64(tz.Zone)*1_000_000), nil
}

func dateMinusDate(a, b types.Datum) (types.Datum, error) {
	x, y := a.(types.Date), b.(types.Date)
	if x.IsInfinite() || y.IsInfinite() {
		return nil, pgerr.New(pgerr.DatetimeFieldOverflow, "cannot subtract infinite dates")
	}
	return int64(x) - int64(y), nil
}

func timestampMinusTimestamp(a, b types.Datum) (types.Datum, error) {
	r, err := types.TimestampSub(a.(types.Timestamp), b.(types.Timestamp))
	if err != nil {
		return nil, err
	}
	return r, nil
}

func timestamptzMinusTimestamptz(a, b types.Datum) (types.Datum, error) {
	r, err := types.TimestampSub(types.Timestamp(a.(types.TimestampTZ)), types.Timestamp(b.(types.TimestampTZ)))
	if err != nil {
		return nil, err
	}
	return r, nil
}

// zoned is a stable operator that needs the session's time zone.
func zoned(name string, left, right, result types.OID, code string, eval evalFunc) *Operator {
	o := binary(name, left, right, result, code, eval)
	o.Func.Volatility = Stable
	return o
}

var timeOperators = []*Operator{
	fast2("+", types.DateOID, types.Int4OID, types.DateOID, "date_pli", func(a, b types.Datum) (types.Datum, error) {
		return addDays(a.(types.Date), b.(int64))
	}).with("+", ""),
	fast2("+", types.Int4OID, types.DateOID, types.DateOID, "integer_pl_date", func(a, b types.Datum) (types.Datum, error) {
		return addDays(b.(types.Date), a.(int64))
	}).with("+", ""),
	fast2("-", types.DateOID, types.Int4OID, types.DateOID, "date_mii", func(a, b types.Datum) (types.Datum, error) {
		return addDays(a.(types.Date), -b.(int64))
	}),
	fast2("-", types.DateOID, types.DateOID, types.Int4OID, "date_mi", dateMinusDate),
	fast2("+", types.DateOID, types.IntervalOID, types.TimestampOID, "date_pl_interval", datePlusInterval).with("+", ""),
	fast2("+", types.IntervalOID, types.DateOID, types.TimestampOID, "interval_pl_date", swapped(datePlusInterval)).with("+", ""),
	fast2("-", types.DateOID, types.IntervalOID, types.TimestampOID, "date_mi_interval", lessInterval(datePlusInterval)),
	fast2("+", types.DateOID, types.TimeOID, types.TimestampOID, "datetime_pl", datePlusTime).with("+", ""),
	fast2("+", types.TimeOID, types.DateOID, types.TimestampOID, "timedate_pl", swapped(datePlusTime)).with("+", ""),
	fast2("+", types.DateOID, types.TimeTZOID, types.TimestampTZOID, "datetimetz_pl", datePlusTimeTZ).with("+", ""),
	fast2("+", types.TimeTZOID, types.DateOID, types.TimestampTZOID, "timetzdate_pl", swapped(datePlusTimeTZ)).with("+", ""),

	fast2("+", types.IntervalOID, types.IntervalOID, types.IntervalOID, "interval_pl", interval2(types.Interval.Add)).with("+", ""),
	fast2("-", types.IntervalOID, types.IntervalOID, types.IntervalOID, "interval_mi", interval2(types.Interval.Sub)),
	fast2("*", types.IntervalOID, types.Float8OID, types.IntervalOID, "interval_mul", func(a, b types.Datum) (types.Datum, error) {
		return intervalScale(a.(types.Interval), b.(float64))
	}).with("*", ""),
	fast2("*", types.Float8OID, types.IntervalOID, types.IntervalOID, "mul_d_interval", func(a, b types.Datum) (types.Datum, error) {
		return intervalScale(b.(types.Interval), a.(float64))
	}).with("*", ""),
	fast2("/", types.IntervalOID, types.Float8OID, types.IntervalOID, "interval_div", func(a, b types.Datum) (types.Datum, error) {
		return intervalDiv(a.(types.Interval), b.(float64))
	}),
	fast1("-", types.IntervalOID, types.IntervalOID, "interval_um", func(a types.Datum) (types.Datum, error) {
		r, err := a.(types.Interval).Neg()
		if err != nil {
			return nil, err
		}
		return r, nil
	}),

	fast2("+", types.TimestampOID, types.IntervalOID, types.TimestampOID, "timestamp_pl_interval", timestampPlusInterval).with("+", ""),
	fast2("+", types.IntervalOID, types.TimestampOID, types.TimestampOID, "interval_pl_timestamp", swapped(timestampPlusInterval)).with("+", ""),
	fast2("-", types.TimestampOID, types.IntervalOID, types.TimestampOID, "timestamp_mi_interval", lessInterval(timestampPlusInterval)),
	fast2("-", types.TimestampOID, types.TimestampOID, types.IntervalOID, "timestamp_mi", timestampMinusTimestamp),
	zoned("+", types.TimestampTZOID, types.IntervalOID, types.TimestampTZOID, "timestamptz_pl_interval", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		return timestamptzAdd(ctx, a[0].(types.TimestampTZ), a[1].(types.Interval))
	}).with("+", ""),
	zoned("+", types.IntervalOID, types.TimestampTZOID, types.TimestampTZOID, "interval_pl_timestamptz", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		return timestamptzAdd(ctx, a[1].(types.TimestampTZ), a[0].(types.Interval))
	}).with("+", ""),
	zoned("-", types.TimestampTZOID, types.IntervalOID, types.TimestampTZOID, "timestamptz_mi_interval", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		neg, err := a[1].(types.Interval).Neg()
		if err != nil {
			return nil, err
		}
		return timestamptzAdd(ctx, a[0].(types.TimestampTZ), neg)
	}),
	fast2("-", types.TimestampTZOID, types.TimestampTZOID, types.IntervalOID, "timestamptz_mi", timestamptzMinusTimestamptz),

	fast2("+", types.TimeOID, types.IntervalOID, types.TimeOID, "time_pl_interval", timePlusInterval).with("+", ""),
	fast2("+", types.IntervalOID, types.TimeOID, types.TimeOID, "interval_pl_time", swapped(timePlusInterval)).with("+", ""),
	fast2("-", types.TimeOID, types.IntervalOID, types.TimeOID, "time_mi_interval", lessInterval(timePlusInterval)),
	fast2("-", types.TimeOID, types.TimeOID, types.IntervalOID, "time_mi_time", func(a, b types.Datum) (types.Datum, error) {
		return types.Interval{Micros: int64(a.(types.Time)) - int64(b.(types.Time))}, nil
	}),
	fast2("+", types.TimeTZOID, types.IntervalOID, types.TimeTZOID, "timetz_pl_interval", timetzPlusInterval).with("+", ""),
	fast2("+", types.IntervalOID, types.TimeTZOID, types.TimeTZOID, "interval_pl_timetz", swapped(timetzPlusInterval)).with("+", ""),
	fast2("-", types.TimeTZOID, types.IntervalOID, types.TimeTZOID, "timetz_mi_interval", lessInterval(timetzPlusInterval)),
}

// roundHalfEven rounds as rint of C does.
func roundHalfEven(f float64) float64 { return math.RoundToEven(f) }
