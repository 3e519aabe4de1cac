package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/cockroachdb/apd/v3"
)

// A timePart is what extract finds: a whole number of 10^-scale, an infinity,
// or nothing.
type timePart struct {
	value    int64
	scale    int32
	infinite int  // sign of an infinity
	null     bool // the part of an infinite value that swings
	// day and clock are a julian day with the microseconds of the day.
	julian bool
}

func (p timePart) float() types.Datum {
	switch {
	case p.null:
		return nil
	case p.infinite != 0:
		return math.Inf(p.infinite)
	case p.julian:
		return float64(p.value/microsPerDay) + float64(p.value%microsPerDay)/microsPerDay
	}
	return float64(p.value) / math.Pow10(int(p.scale))
}

func (p timePart) numeric() (types.Datum, error) {
	switch {
	case p.null:
		return nil, nil
	case p.infinite != 0:
		return types.ParseNumeric([]string{"-Infinity", "", "Infinity"}[p.infinite+1])
	case p.julian:
		day := types.NumericFromInt64(p.value / microsPerDay)
		part, err := types.NumericDiv(types.NumericFromInt64(p.value%microsPerDay), types.NumericFromInt64(microsPerDay))
		if err != nil {
			return nil, err
		}
		return datum(types.NumericAdd(day, part))
	}
	return apd.New(p.value, -p.scale), nil
}

// partOf finds a unit of a value; supported is false when the type has no such unit.
type partOf func(ctx *Context, unit string, d types.Datum) (p timePart, supported bool)

var partFunctions = buildPartFunctions()

func buildPartFunctions() []*Function {
	var out []*Function
	for _, t := range []struct {
		name string
		part partOf
	}{
		{"timestamp", partOfTimestamp}, {"timestamptz", partOfTimestampTZ}, {"date", partOfDate},
		{"time", partOfTime}, {"timetz", partOfTimeTZ}, {"interval", partOfInterval},
	} {
		sqlName := types.ByName(t.name).SQLName
		find := func(ctx *Context, args []types.Datum, part partOf) (timePart, error) {
			return findPart(ctx, part, sqlName, args[0].(string), args[1])
		}
		extract := define("extract(text, "+t.name+") numeric", func(ctx *Context, args []types.Datum) (types.Datum, error) {
			p, err := find(ctx, args, t.part)
			if err != nil {
				return nil, err
			}
			return p.numeric()
		})
		datePart := define("date_part(text, "+t.name+") float8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
			if d, ok := args[1].(types.Date); ok {
				// date_part sees a date as its midnight.
				v, err := d.Timestamp()
				if err != nil {
					return nil, err
				}
				p, err := findPart(ctx, partOfTimestamp, "timestamp without time zone", args[0].(string), v)
				return p.float(), err
			}
			p, err := find(ctx, args, t.part)
			if err != nil {
				return nil, err
			}
			return p.float(), nil
		})
		if t.name == "timestamptz" {
			extract.Volatility, datePart.Volatility = Stable, Stable
		}
		out = append(out, extract, datePart)
	}
	return out
}

func findPart(ctx *Context, part partOf, typname, name string, d types.Datum) (timePart, error) {
	unit, ok := types.UnitNamed(name)
	if !ok {
		return timePart{}, pgerr.Newf(pgerr.InvalidParameterValue, "unit \"%s\" not recognized for type %s", lowerASCII(name), typname)
	}
	p, ok := part(ctx, unit, d)
	if !ok {
		return p, unitNotSupported(name, typname)
	}
	return p, nil
}

func unitNotSupported(name, typname string) *pgerr.Error {
	return pgerr.Newf(pgerr.FeatureNotSupported, "unit \"%s\" not supported for type %s", lowerASCII(name), typname)
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

func whole(v int) (timePart, bool) { return timePart{value: int64(v)}, true }

// partOfClock finds the units of a time of day.
func partOfClock(unit string, micros int64) (timePart, bool) {
	const perMinute = 60_000_000
	switch unit {
	case "microsecond":
		return timePart{value: micros % perMinute}, true
	case "millisecond":
		return timePart{value: micros % perMinute, scale: 3}, true
	case "second":
		return timePart{value: micros % perMinute, scale: 6}, true
	case "minute":
		return timePart{value: micros / perMinute % 60}, true
	case "hour":
		return timePart{value: micros / (60 * perMinute)}, true
	}
	return timePart{}, false
}

// partOfCalendar finds the units of a date.
func partOfCalendar(unit string, d types.Date) (timePart, bool) {
	year, month, day := d.YMD()
	switch unit {
	case "day":
		return whole(day)
	case "month":
		return whole(month)
	case "quarter":
		return whole((month-1)/3 + 1)
	case "week":
		_, week := isoWeek(d)
		return whole(week)
	case "year":
		return whole(shownYear(year))
	case "isoyear":
		y, _ := isoWeek(d)
		return whole(shownYear(y))
	case "decade":
		return whole(floorDiv(year, 10))
	case "century":
		return whole(centuryOf(year, 100))
	case "millennium":
		return whole(centuryOf(year, 1000))
	case "dow":
		return whole(dayOfWeek(d))
	case "isodow":
		return whole((dayOfWeek(d)+6)%7 + 1)
	case "doy":
		return whole(int(d-types.DateFromYMD(year, 1, 1)) + 1)
	}
	return timePart{}, false
}

// shownYear has no year 0: 1 BC is -1.
func shownYear(year int) int {
	if year > 0 {
		return year
	}
	return year - 1
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// centuryOf counts periods of n years from 1 AD; there is no period 0.
func centuryOf(year, n int) int {
	if year > 0 {
		return (year + n - 1) / n
	}
	return -((n - 1 - (year - 1)) / n)
}

// dayOfWeek is 0 for Sunday.
func dayOfWeek(d types.Date) int { return floorMod(int(d)+6, 7) }

func floorMod(a, b int) int { return a - floorDiv(a, b)*b }

// isoWeek is the ISO 8601 year and week: those of the week's Thursday.
func isoWeek(d types.Date) (year, week int) {
	thursday := d - types.Date(floorMod(dayOfWeek(d)-1, 7)) + 3
	year, _, _ = thursday.YMD()
	return year, int(thursday-types.DateFromYMD(year, 1, 1))/7 + 1
}

// partOfInfinity: what only grows is infinite, what swings is NULL.
func partOfInfinity(unit string, sign int) (timePart, bool) {
	switch unit {
	case "year", "decade", "century", "millennium", "julian", "isoyear", "epoch":
		return timePart{infinite: sign}, true
	}
	return timePart{null: true}, true
}

const julianOfDateZero = 2451545

func partOfTimestamp(_ *Context, unit string, d types.Datum) (timePart, bool) {
	t := d.(types.Timestamp)
	if t.IsInfinite() {
		return partOfInfinity(unit, sign(int64(t)))
	}
	date, clock := t.Split()
	switch unit {
	case "epoch":
		return timePart{value: int64(t) + unixEpochDays*microsPerDay, scale: 6}, true
	case "julian":
		return timePart{value: (int64(date)+julianOfDateZero)*microsPerDay + int64(clock), julian: true}, true
	}
	if p, ok := partOfClock(unit, int64(clock)); ok {
		return p, true
	}
	return partOfCalendar(unit, date)
}

func sign(v int64) int {
	if v < 0 {
		return -1
	}
	return 1
}

func partOfTimestampTZ(ctx *Context, unit string, d types.Datum) (timePart, bool) {
	t := d.(types.TimestampTZ)
	if t.IsInfinite() {
		return partOfInfinity(unit, sign(int64(t)))
	}
	if p, ok := partOfZone(unit, -ctx.zoneWest(t)); ok {
		return p, true
	}
	if unit == "epoch" {
		return timePart{value: int64(t) + unixEpochDays*microsPerDay, scale: 6}, true
	}
	return partOfTimestamp(ctx, unit, ctx.local(t))
}

func partOfZone(unit string, east int32) (timePart, bool) {
	switch unit {
	case "timezone":
		return whole(int(east))
	case "timezone_hour":
		return whole(int(east / 3600))
	case "timezone_minute":
		return whole(int(east % 3600 / 60))
	}
	return timePart{}, false
}

func partOfDate(_ *Context, unit string, d types.Datum) (timePart, bool) {
	date := d.(types.Date)
	if _, ok := partOfCalendar(unit, 0); !ok && unit != "epoch" && unit != "julian" {
		return timePart{}, false
	}
	if date.IsInfinite() {
		return partOfInfinity(unit, sign(int64(date)))
	}
	switch unit {
	case "epoch":
		return timePart{value: (int64(date) + unixEpochDays) * 86400}, true
	case "julian":
		return timePart{value: int64(date) + julianOfDateZero}, true
	}
	return partOfCalendar(unit, date)
}

func partOfTime(_ *Context, unit string, d types.Datum) (timePart, bool) {
	if unit == "epoch" {
		return timePart{value: int64(d.(types.Time)), scale: 6}, true
	}
	return partOfClock(unit, int64(d.(types.Time)))
}

func partOfTimeTZ(_ *Context, unit string, d types.Datum) (timePart, bool) {
	t := d.(types.TimeTZ)
	if p, ok := partOfZone(unit, -t.Zone); ok {
		return p, true
	}
	if unit == "epoch" {
		return timePart{value: int64(t.Time) + int64(t.Zone)*1_000_000, scale: 6}, true
	}
	return partOfClock(unit, int64(t.Time))
}

func partOfInterval(_ *Context, unit string, d types.Datum) (timePart, bool) {
	iv := d.(types.Interval)
	years, months := int(iv.Months/12), int(iv.Months%12)
	switch unit {
	case "day":
		return whole(int(iv.Days))
	case "month":
		return whole(months)
	case "quarter":
		return whole(months/3 + 1)
	case "year":
		return whole(years)
	case "decade":
		return whole(years / 10)
	case "century":
		return whole(years / 100)
	case "millennium":
		return whole(years / 1000)
	case "epoch":
		// A year has 365.25 days and a month 30.
		quarterDays := int64(years)*1461 + int64(months)*120 + int64(iv.Days)*4
		micros := quarterDays * (86400 / 4) * 1_000_000
		return timePart{value: micros + iv.Micros, scale: 6}, true
	}
	return partOfClock(unit, iv.Micros)
}
