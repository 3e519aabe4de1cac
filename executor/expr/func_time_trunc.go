package expr

import (
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var truncFunctions = []*Function{
	define2("date_trunc(text, timestamp) timestamp", func(unit, t types.Datum) (types.Datum, error) {
		return datum(truncTimestamp(unit.(string), t.(types.Timestamp), "timestamp without time zone"))
	}),
	define("date_trunc(text, timestamptz) timestamptz", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		return datum(truncTimestampTZ(a[0].(string), a[1].(types.TimestampTZ), ctx.zone()))
	}).stable(),
	define("date_trunc(text, timestamptz, text) timestamptz", func(_ *Context, a []types.Datum) (types.Datum, error) {
		loc, err := zoneNamed(a[2].(string))
		if err != nil {
			return nil, err
		}
		return datum(truncTimestampTZ(a[0].(string), a[1].(types.TimestampTZ), loc))
	}).stable(),
	define2("date_trunc(text, interval) interval", func(unit, iv types.Datum) (types.Datum, error) {
		return datum(truncInterval(unit.(string), iv.(types.Interval)))
	}),
}

// clockUnits are the units below a day, in microseconds.
var clockUnits = map[string]int64{
	"microsecond": 1, "millisecond": 1000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000,
}

func truncTimestamp(name string, t types.Timestamp, typname string) (types.Timestamp, error) {
	unit, ok := types.IntervalUnitNamed(name)
	if !ok {
		return 0, pgerr.Newf(pgerr.InvalidParameterValue, "unit \"%s\" not recognized for type %s", lowerASCII(name), typname)
	}
	size := clockUnits[unit]
	if size == 0 && unit != "day" && !truncatesDate(unit) {
		return 0, unitNotSupported(name, typname)
	}
	if t.IsInfinite() {
		return t, nil
	}
	date, clock := t.Split()
	if size > 0 {
		return t - clockRest(clock, size), nil
	}
	return truncDate(unit, date).Timestamp()
}

func clockRest(clock types.Time, size int64) types.Timestamp {
	return types.Timestamp(int64(clock) % size)
}

func truncatesDate(unit string) bool {
	switch unit {
	case "week", "month", "quarter", "year", "decade", "century", "millennium":
		return true
	}
	return false
}

func truncDate(unit string, d types.Date) types.Date {
	year, month, _ := d.YMD()
	switch unit {
	case "week":
		return d - types.Date(floorMod(dayOfWeek(d)-1, 7))
	case "month":
		return types.DateFromYMD(year, month, 1)
	case "quarter":
		return types.DateFromYMD(year, (month-1)/3*3+1, 1)
	case "year":
		return types.DateFromYMD(year, 1, 1)
	case "decade":
		return types.DateFromYMD(floorDiv(year, 10)*10, 1, 1)
	case "century":
		return types.DateFromYMD(floorDiv(year-1, 100)*100+1, 1, 1)
	case "millennium":
		return types.DateFromYMD(floorDiv(year-1, 1000)*1000+1, 1, 1)
	}
	return d
}

// truncTimestampTZ cuts in a zone. Units below a day keep the offset, so that
// an hour that the clocks show twice stays two.
func truncTimestampTZ(name string, t types.TimestampTZ, loc *time.Location) (types.TimestampTZ, error) {
	local := types.Timestamp(t)
	if !t.IsInfinite() {
		local = t.In(loc)
	}
	cut, err := truncTimestamp(name, local, "timestamp with time zone")
	if err != nil || t.IsInfinite() {
		return t, err
	}
	if unit, _ := types.UnitNamed(name); clockUnits[unit] != 0 {
		return t - types.TimestampTZ(local-cut), nil
	}
	return cut.AtZone(loc), nil
}

var intervalMonthUnits = map[string]int32{
	"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200, "millennium": 12000,
}

func truncInterval(name string, iv types.Interval) (types.Interval, error) {
	unit, ok := types.IntervalUnitNamed(name)
	if !ok {
		return iv, pgerr.Newf(pgerr.InvalidParameterValue, "unit \"%s\" not recognized for type interval", lowerASCII(name))
	}
	if size := clockUnits[unit]; size != 0 {
		iv.Micros = iv.Micros / size * size
		return iv, nil
	}
	if unit == "day" {
		iv.Micros = 0
		return iv, nil
	}
	if months := intervalMonthUnits[unit]; months != 0 {
		return types.Interval{Months: iv.Months / months * months}, nil
	}
	err := unitNotSupported(name, "interval")
	if unit == "week" {
		err = err.WithDetail("Months usually have fractional weeks.")
	}
	return iv, err
}
