package expr

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var makeTimeFunctions = []*Function{
	define("make_date(year int4, month int4, day int4) date", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return datum(makeDate(a[0].(int64), a[1].(int64), a[2].(int64)))
	}),
	define("make_time(hour int4, min int4, sec float8) time", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return datum(makeTime(a[0].(int64), a[1].(int64), a[2].(float64)))
	}),
	define("make_timestamp(year int4, month int4, mday int4, hour int4, min int4, sec float8) timestamp", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return datum(makeTimestamp(a))
	}),
	define("make_timestamptz(year int4, month int4, mday int4, hour int4, min int4, sec float8) timestamptz", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		t, err := makeTimestamp(a)
		if err != nil {
			return nil, err
		}
		return timestampToTZ(t, ctx.zone()), nil
	}).stable(),
	define("make_timestamptz(year int4, month int4, mday int4, hour int4, min int4, sec float8, timezone text) timestamptz", func(_ *Context, a []types.Datum) (types.Datum, error) {
		loc, err := inputZone(a[6].(string))
		if err != nil {
			return nil, err
		}
		t, err := makeTimestamp(a)
		if err != nil {
			return nil, err
		}
		return timestampToTZ(t, loc), nil
	}).stable(),
	define("make_interval(years int4 = 0, months int4 = 0, weeks int4 = 0, days int4 = 0, hours int4 = 0, mins int4 = 0, secs float8 = 0.0) interval", makeInterval),
}

// makeDate takes a negative year as BC.
func makeDate(year, month, day int64) (types.Date, error) {
	bad := pgerr.Newf(pgerr.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	if year == 0 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, bad
	}
	y := int(year)
	if y < 0 {
		y++
	}
	if y < -4713 || y > 5874897 {
		return 0, pgerr.Newf(pgerr.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", year, month, day)
	}
	d := types.DateFromYMD(y, int(month), int(day))
	if _, m, _ := d.YMD(); m != int(month) {
		return 0, bad
	}
	if d < minDate {
		return 0, pgerr.Newf(pgerr.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", year, month, day)
	}
	return d, nil
}

func makeTime(hour, minute int64, sec float64) (types.Time, error) {
	micros := math.RoundToEven(sec * 1e6)
	total := float64(hour*60+minute)*60e6 + micros
	if hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(sec >= 0 && sec <= 60) || total > microsPerDay {
		return 0, pgerr.Newf(pgerr.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", hour, minute, padLeft(formatG(sec), 2))
	}
	return types.Time(int64(total)), nil
}

// formatG prints a float as C's %g.
func formatG(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return fmt.Sprintf("%v", f)
	}
	exp := 0
	if f != 0 {
		text := strconv.FormatFloat(f, 'e', 5, 64)
		for i := range text {
			if text[i] == 'e' {
				exp, _ = strconv.Atoi(text[i+1:]) // our own exponent
			}
		}
	}
	if exp < -4 || exp >= 6 {
		return trimFraction(strconv.FormatFloat(f, 'e', 5, 64))
	}
	return trimFraction(strconv.FormatFloat(f, 'f', max(5-exp, 0), 64))
}

// trimFraction drops the zeros that end a fraction.
func trimFraction(s string) string {
	mantissa, exp := s, ""
	for i := range s {
		if s[i] == 'e' {
			mantissa, exp = s[:i], s[i:]
		}
	}
	point := false
	for i := range mantissa {
		point = point || mantissa[i] == '.'
	}
	for point && mantissa[len(mantissa)-1] == '0' {
		mantissa = mantissa[:len(mantissa)-1]
	}
	if point && mantissa[len(mantissa)-1] == '.' {
		mantissa = mantissa[:len(mantissa)-1]
	}
	return mantissa + exp
}

func padLeft(s string, n int) string {
	for len(s) < n {
		s = "0" + s
	}
	return s
}

func makeTimestamp(a []types.Datum) (types.Timestamp, error) {
	date, err := makeDate(a[0].(int64), a[1].(int64), a[2].(int64))
	if err != nil {
		return 0, err
	}
	clock, err := makeTime(a[3].(int64), a[4].(int64), a[5].(float64))
	if err != nil {
		return 0, err
	}
	t, err := date.Timestamp()
	if err != nil {
		return 0, timestampOutOfRange()
	}
	return t + types.Timestamp(clock), nil
}

// inputZone reads a zone as input does: unlike AT TIME ZONE it takes a signed
// offset as ISO 8601 does, east of Greenwich.
func inputZone(name string) (*time.Location, error) {
	if name != "" && (name[0] == '+' || name[0] == '-' || name[0] >= '0' && name[0] <= '9') {
		if name[0] != '+' && name[0] != '-' {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid input syntax for type %s: \"%s\"", "numeric time zone", name).
				WithHint("Numeric time zones must have \"-\" or \"+\" as first character.")
		}
		t, err := types.Parse(types.TimeTZOID, types.NoTypmod, "00:00"+name, nil)
		if err != nil {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "numeric time zone \"%s\" out of range", name)
		}
		return time.FixedZone("", int(-t.(types.TimeTZ).Zone)), nil
	}
	return zoneNamed(name)
}

func makeInterval(_ *Context, a []types.Datum) (types.Datum, error) {
	bad := pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range")
	months := a[0].(int64)*12 + a[1].(int64)
	days := a[2].(int64)*7 + a[3].(int64)
	secs := a[6].(float64) * 1e6
	clock := a[4].(int64)*3_600_000_000 + a[5].(int64)*60_000_000
	total := float64(clock) + math.RoundToEven(secs)
	if months != int64(int32(months)) || days != int64(int32(days)) || !(math.Abs(total) < math.MaxInt64) || math.Abs(secs) >= math.MaxInt64 {
		return nil, bad
	}
	return types.Interval{Months: int32(months), Days: int32(days), Micros: clock + int64(math.RoundToEven(secs))}, nil
}
