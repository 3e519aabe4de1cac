package expr

import (
	"math"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// transactionTime is now(): fixed for a transaction.
func transactionTime(ctx *Context, _ []types.Datum) (types.Datum, error) { return ctx.now(), nil }

func (ctx *Context) now() types.TimestampTZ {
	if env := ctx.typesEnv(); env != nil && !env.Now.IsZero() {
		return types.TimestampFromTime(env.Now)
	}
	return types.TimestampFromTime(time.Now())
}

func (ctx *Context) today() types.Date {
	date, _ := ctx.local(ctx.now()).Split()
	return date
}

var clockFunctions = []*Function{
	define("now() timestamptz", transactionTime).stable(),
	define("transaction_timestamp() timestamptz", transactionTime).stable(),
	define("statement_timestamp() timestamptz", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		if ctx == nil || ctx.Session == nil {
			return ctx.now(), nil
		}
		return ctx.Session.Do(ctx.Ctx, "statement_timestamp", nil)
	}).stable(),
	define("clock_timestamp() timestamptz", func(*Context, []types.Datum) (types.Datum, error) {
		return types.TimestampFromTime(time.Now()), nil
	}).volatile(),
	define("timeofday() text", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		return time.Now().In(ctx.zone()).Format("Mon Jan 02 15:04:05.000000 2006 MST"), nil
	}).volatile(),
}

var timeFunctions = []*Function{
	define1("isfinite(date) bool", func(d types.Datum) (types.Datum, error) { return !d.(types.Date).IsInfinite(), nil }),
	define1("isfinite(timestamp) bool", func(d types.Datum) (types.Datum, error) { return !d.(types.Timestamp).IsInfinite(), nil }),
	define1("isfinite(timestamptz) bool", func(d types.Datum) (types.Datum, error) { return !d.(types.TimestampTZ).IsInfinite(), nil }),
	define1("isfinite(interval) bool", func(types.Datum) (types.Datum, error) { return true, nil }),

	define1("justify_hours(interval) interval", justify(types.Interval.JustifyHours)),
	define1("justify_days(interval) interval", justify(types.Interval.JustifyDays)),
	define1("justify_interval(interval) interval", justify(types.Interval.JustifyInterval)),

	define2("age(timestamp, timestamp) interval", func(a, b types.Datum) (types.Datum, error) {
		return datum(types.AgeTimestamp(a.(types.Timestamp), b.(types.Timestamp)))
	}),
	define("age(timestamptz, timestamptz) interval", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		return datum(types.AgeTimestamp(ctx.local(a[0].(types.TimestampTZ)), ctx.local(a[1].(types.TimestampTZ))))
	}).stable(),
	define("age(timestamp) interval", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		return ageFromToday(ctx, a[0].(types.Timestamp))
	}).stable(),
	define("age(timestamptz) interval", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		return ageFromToday(ctx, ctx.local(a[0].(types.TimestampTZ)))
	}).stable(),

	define("date_bin(interval, timestamp, timestamp) timestamp", func(_ *Context, a []types.Datum) (types.Datum, error) {
		v, err := dateBin(a[0].(types.Interval), int64(a[1].(types.Timestamp)), int64(a[2].(types.Timestamp)))
		return datum(types.Timestamp(v), err)
	}),
	define("date_bin(interval, timestamptz, timestamptz) timestamptz", func(_ *Context, a []types.Datum) (types.Datum, error) {
		v, err := dateBin(a[0].(types.Interval), int64(a[1].(types.TimestampTZ)), int64(a[2].(types.TimestampTZ)))
		return datum(types.TimestampTZ(v), err)
	}),
	define1("to_timestamp(float8) timestamptz", func(d types.Datum) (types.Datum, error) { return timestampOfUnix(d.(float64)) }),

	defineRows("generate_series(timestamp, timestamp, interval) setof timestamp", "", timestampSeries),
	defineRows("generate_series(timestamptz, timestamptz, interval) setof timestamptz", "", timestamptzSeries).stable(),
	defineRows("generate_series(timestamptz, timestamptz, interval, text) setof timestamptz", "", timestamptzSeries),
}

func justify(f func(types.Interval) (types.Interval, error)) func(types.Datum) (types.Datum, error) {
	return func(d types.Datum) (types.Datum, error) { return datum(f(d.(types.Interval))) }
}

func ageFromToday(ctx *Context, t types.Timestamp) (types.Datum, error) {
	today, err := ctx.today().Timestamp()
	if err != nil {
		return nil, err
	}
	return datum(types.AgeTimestamp(today, t))
}

// dateBin is the start of the stride-long bin that t lies in, bins beginning at origin.
func dateBin(stride types.Interval, t, origin int64) (int64, error) {
	switch {
	case types.Timestamp(t).IsInfinite():
		return t, nil
	case types.Timestamp(origin).IsInfinite():
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "origin out of range")
	case stride.Months != 0:
		return 0, pgerr.New(pgerr.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	size := float64(stride.Days)*microsPerDay + float64(stride.Micros)
	if math.Abs(size) >= math.MaxInt64 {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range")
	}
	micros := int64(stride.Days)*microsPerDay + stride.Micros
	if micros <= 0 {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	over := (t - origin) % micros
	bin := t - over
	if over < 0 {
		bin -= micros
		if bin > t || bin < minDate*microsPerDay {
			return 0, timestampOutOfRange()
		}
	}
	return bin, nil
}

// timestampOfUnix is the moment so many seconds after 1970-01-01 UTC.
func timestampOfUnix(f float64) (types.Datum, error) {
	switch {
	case math.IsNaN(f):
		return nil, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp cannot be NaN")
	case math.IsInf(f, 1):
		return types.TimestampTZ(types.TimestampInfinity), nil
	case math.IsInf(f, -1):
		return types.TimestampTZ(types.TimestampNegInfinity), nil
	}
	const firstSecond, lastSecond = (minDate + unixEpochDays) * 86400.0, 9224318016000.0
	if f < firstSecond || f >= lastSecond {
		return nil, pgerr.Newf(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", formatG(f))
	}
	micros := math.RoundToEven((f - unixEpochDays*86400) * 1e6)
	return types.TimestampTZ(int64(micros)), nil
}

// unixEpochDays is from 1970-01-01 to 2000-01-01.
const unixEpochDays = 10957

// seriesEnd tells whether a step went past the end.
func seriesEnd(forward bool, at, stop int64) bool {
	return forward && at > stop || !forward && at < stop
}

// stepDirection tells whether a step leads forward.
func stepDirection(step types.Interval) (forward bool, err error) {
	switch types.Compare(types.IntervalOID, step, types.Interval{}) {
	case 0:
		return false, zeroStep()
	case 1:
		return true, nil
	}
	return false, nil
}

func timestampSeries(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	at, stop, step := args[0].(types.Timestamp), args[1].(types.Timestamp), args[2].(types.Interval)
	forward, err := stepDirection(step)
	if err != nil {
		return nil, err
	}
	return func() (types.Row, error) {
		if seriesEnd(forward, int64(at), int64(stop)) {
			return nil, nil
		}
		v := at
		next, err := types.TimestampAdd(at, step)
		if err != nil {
			return nil, err
		}
		at = next
		return types.Row{v}, nil
	}, nil
}

func timestamptzSeries(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
	at, stop, step := args[0].(types.TimestampTZ), args[1].(types.TimestampTZ), args[2].(types.Interval)
	forward, err := stepDirection(step)
	if err != nil {
		return nil, err
	}
	loc := ctx.zone()
	if len(args) == 4 {
		if loc, err = zoneNamed(args[3].(string)); err != nil {
			return nil, err
		}
	}
	return func() (types.Row, error) {
		if seriesEnd(forward, int64(at), int64(stop)) {
			return nil, nil
		}
		v := at
		next, err := types.TimestampTZAdd(at, step, loc)
		if err != nil {
			return nil, err
		}
		at = next
		return types.Row{v}, nil
	}, nil
}
