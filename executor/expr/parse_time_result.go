package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func fieldOutOfRange(s string) error {
	return pgerr.Newf(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s)
}

// date puts the calendar's fields together; what is missing is the first of its kind.
func (p *parsedTime) date(s string) (types.Date, error) {
	if j, ok := p.values["julian"]; ok {
		return types.Date(j - julianOfDateZero), nil
	}
	year := p.year()
	if p.isoDate {
		return p.isoWeekDate(year), nil
	}
	month, day := p.or("month", 1), p.or("day", 1)
	if w, ok := p.values["week"]; ok {
		return types.DateFromYMD(year, 1, 1) + types.Date((w-1)*7), nil
	}
	if d, ok := p.values["yearday"]; ok && p.values["month"] == 0 {
		first := types.DateFromYMD(year, 1, 1)
		if d < 1 || d > int(types.DateFromYMD(year+1, 1, 1)-first) {
			return 0, fieldOutOfRange(s)
		}
		return first + types.Date(d-1), nil
	}
	if w, ok := p.values["monthweek"]; ok {
		day = (w-1)*7 + 1
	}
	if month < 1 || month > 12 || day < 1 || day > 31 || year < -4713 || year > 5874897 {
		return 0, fieldOutOfRange(s)
	}
	d := types.DateFromYMD(year, month, day)
	if _, m, _ := d.YMD(); m != month {
		return 0, fieldOutOfRange(s)
	}
	if d < minDate {
		return 0, pgerr.Newf(pgerr.DatetimeFieldOverflow, "date out of range: \"%s\"", s)
	}
	return d, nil
}

func (p *parsedTime) or(field string, missing int) int {
	if v, ok := p.values[field]; ok {
		return v
	}
	return missing
}

// year is counted with 1 BC as 0.
func (p *parsedTime) year() int {
	year, hasYear := p.values["year"]
	century, hasCentury := p.values["century"]
	switch {
	case hasCentury && hasYear && p.digits <= 2:
		year = year % 100
		if year != 0 {
			century--
		}
		year += century * 100
		if p.bc {
			year = 1 - year
		}
		return year
	case hasCentury && !hasYear:
		if p.bc {
			century = -century
		}
		if century >= 0 {
			return (century-1)*100 + 1
		}
		return century*100 + 1
	case !hasYear:
		return 0
	case p.bc && year > 0:
		return 1 - year
	case year < 0 && !p.bc:
		return year + 1
	case year < 0:
		return -year
	}
	return year
}

// isoWeekDate is a date of the ISO week calendar.
func (p *parsedTime) isoWeekDate(year int) types.Date {
	fourth := types.DateFromYMD(year, 1, 4)
	monday := fourth - types.Date((dayOfWeek(fourth)+6)%7)
	if d, ok := p.values["isoyearday"]; ok {
		return monday + types.Date(d-1)
	}
	day := p.or("isoday", 1)
	if d, ok := p.values["weekday"]; ok {
		day = (d+5)%7 + 1
	}
	return monday + types.Date((p.or("isoweek", 1)-1)*7+day-1)
}

// clock puts the fields of the time of day together.
func (p *parsedTime) clock(s string) (types.Time, error) {
	hour, minute, second := p.or("hour", 0), p.or("minute", 0), p.or("second", 0)
	if v, ok := p.values["daysecond"]; ok {
		hour, minute, second = v/3600, v/60%60, v%60
	}
	half, hasHalf := p.values["hour12"]
	if hasHalf {
		hour = half
		if p.values["half"] != 0 && (half < 1 || half > 12) {
			return 0, pgerr.Newf(pgerr.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", half).
				WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
		}
	} else if p.values["half"] != 0 {
		if hour < 1 || hour > 12 {
			return 0, pgerr.Newf(pgerr.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", hour).
				WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
		}
	}
	switch {
	case p.values["half"] == 0:
		if hasHalf && half == 12 {
			hour = 0
		}
	case p.pm && hour < 12:
		hour += 12
	case !p.pm && hour == 12:
		hour = 0
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, fieldOutOfRange(s)
	}
	return types.Time(int64(hour*3600+minute*60+second)*1_000_000 + int64(p.or("micros", 0)+p.or("millis", 0))), nil
}

func (p *parsedTime) timestamptz(ctx *Context, s string) (types.Datum, error) {
	clock, err := p.clock(s)
	if err != nil {
		return nil, err
	}
	date, err := p.date(s)
	if err != nil {
		return nil, err
	}
	t, err := date.Timestamp()
	if err != nil {
		return nil, pgerr.Newf(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", s)
	}
	t += types.Timestamp(clock)
	if p.zone == 0 {
		return timestampToTZ(t, ctx.zone()), nil
	}
	hour, minute := p.or("zonehour", 0), p.or("zoneminute", 0)
	if hour > 15 || minute < 0 || minute > 59 {
		return nil, fieldOutOfRange(s)
	}
	return types.TimestampTZ(int64(t) - int64(p.zone*(hour*3600+minute*60))*1_000_000), nil
}
