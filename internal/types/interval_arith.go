package types

import (
	"math"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
)

// Neg is -i.
func (i Interval) Neg() (Interval, error) {
	if i.Micros == math.MinInt64 || i.Days == math.MinInt32 || i.Months == math.MinInt32 {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: -i.Micros, Days: -i.Days, Months: -i.Months}, nil
}

// Add is i + j, part by part.
func (i Interval) Add(j Interval) (Interval, error) {
	micros, ok1 := addInt64(i.Micros, j.Micros)
	days, ok2 := addInt32(i.Days, j.Days)
	months, ok3 := addInt32(i.Months, j.Months)
	if !ok1 || !ok2 || !ok3 {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: micros, Days: days, Months: months}, nil
}

// Sub is i - j, part by part.
func (i Interval) Sub(j Interval) (Interval, error) {
	micros := i.Micros - j.Micros
	ok := j.Micros == 0 || (micros < i.Micros) == (j.Micros > 0)
	days, months := int64(i.Days)-int64(j.Days), int64(i.Months)-int64(j.Months)
	if !ok || days != int64(int32(days)) || months != int64(int32(months)) {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: micros, Days: int32(days), Months: int32(months)}, nil
}

// Mul scales an interval; fractions of months become days of 30 a month, those
// of days become time.
func (i Interval) Mul(f float64) (Interval, error) {
	return i.scaled(func(v float64) float64 { return v * f })
}

// Div is Mul by 1/f, without the rounding of 1/f.
func (i Interval) Div(f float64) (Interval, error) {
	if f == 0 {
		return Interval{}, divisionByZero()
	}
	return i.scaled(func(v float64) float64 { return v / f })
}

func (i Interval) scaled(scale func(float64) float64) (Interval, error) {
	const secondsPerDay = 86400
	months, days := scale(float64(i.Months)), scale(float64(i.Days))
	if !fitsInt32(months) || !fitsInt32(days) {
		return Interval{}, intervalOutOfRange()
	}
	wholeMonths, wholeDays := math.Trunc(months), math.Trunc(days)
	moreDays := roundMicros((months - wholeMonths) * daysPerMonth)
	seconds := roundMicros((days - wholeDays + moreDays - math.Trunc(moreDays)) * secondsPerDay)
	if math.Abs(seconds) >= secondsPerDay {
		over := math.Trunc(seconds / secondsPerDay)
		wholeDays += over
		seconds -= over * secondsPerDay
	}
	wholeDays += math.Trunc(moreDays)
	micros := math.RoundToEven(scale(float64(i.Micros)) + seconds*1e6)
	if !fitsInt32(wholeDays) || !(micros >= math.MinInt64 && micros < -math.MinInt64) {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: int64(micros), Days: int32(wholeDays), Months: int32(wholeMonths)}, nil
}

// fitsInt32 is false for NaN too.
func fitsInt32(f float64) bool { return f >= math.MinInt32 && f < -math.MinInt32 }

func roundMicros(f float64) float64 { return math.RoundToEven(f*1e6) / 1e6 }

// JustifyHours turns 24 hours into a day, with one sign for both.
func (i Interval) JustifyHours() (Interval, error) {
	days := i.Micros / microsPerDay
	i.Micros -= days * microsPerDay
	sum := int64(i.Days) + days
	if sum != int64(int32(sum)) {
		return Interval{}, intervalOutOfRange()
	}
	i.Days = int32(sum)
	switch {
	case i.Days > 0 && i.Micros < 0:
		i.Micros += microsPerDay
		i.Days--
	case i.Days < 0 && i.Micros > 0:
		i.Micros -= microsPerDay
		i.Days++
	}
	return i, nil
}

// JustifyDays turns 30 days into a month, with one sign for both.
func (i Interval) JustifyDays() (Interval, error) {
	months := i.Days / daysPerMonth
	i.Days -= months * daysPerMonth
	var ok bool
	if i.Months, ok = addInt32(i.Months, months); !ok {
		return Interval{}, intervalOutOfRange()
	}
	switch {
	case i.Months > 0 && i.Days < 0:
		i.Days += daysPerMonth
		i.Months--
	case i.Months < 0 && i.Days > 0:
		i.Days -= daysPerMonth
		i.Months++
	}
	return i, nil
}

// JustifyInterval does both and gives all three parts one sign.
func (i Interval) JustifyInterval() (Interval, error) {
	days, micros := int64(i.Days)+i.Micros/microsPerDay, i.Micros%microsPerDay
	months := int64(i.Months) + days/daysPerMonth
	days %= daysPerMonth
	switch {
	case months > 0 && (days < 0 || days == 0 && micros < 0):
		days += daysPerMonth
		months--
	case months < 0 && (days > 0 || days == 0 && micros > 0):
		days -= daysPerMonth
		months++
	}
	switch {
	case days > 0 && micros < 0:
		micros += microsPerDay
		days--
	case days < 0 && micros > 0:
		micros -= microsPerDay
		days++
	}
	if months != int64(int32(months)) {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: micros, Days: int32(days), Months: int32(months)}, nil
}

// TimestampAdd adds months first (to the end of a shorter month), then days,
// then time.
func TimestampAdd(t Timestamp, iv Interval) (Timestamp, error) {
	if t.IsInfinite() {
		return t, nil
	}
	t, err := addCalendar(t, iv)
	if err != nil {
		return 0, err
	}
	v, ok := addInt64(int64(t), iv.Micros)
	if !ok || !validTimestamp(v) {
		return 0, timestampOutOfRange()
	}
	return Timestamp(v), nil
}

// addCalendar adds the months and days of an interval.
func addCalendar(t Timestamp, iv Interval) (Timestamp, error) {
	if iv.Months == 0 && iv.Days == 0 {
		return t, nil
	}
	date, clock := t.Split()
	year, month, day := date.YMD()
	if iv.Months != 0 {
		months := int64(year)*monthsPerYear + int64(month) - 1 + int64(iv.Months)
		y, m := divMod(months, monthsPerYear)
		year, month = int(y), int(m)+1
		day = min(day, daysIn(year, month))
	}
	if !validJulian(year, month, day) {
		return 0, timestampOutOfRange()
	}
	days := int64(julianDay(year, month, day)) - postgresEpochJulian
	v, ok := mulInt64(days, microsPerDay)
	if ok {
		v, ok = addInt64(v, int64(clock))
	}
	if !ok || iv.Months != 0 && !validTimestamp(v) {
		return 0, timestampOutOfRange()
	}
	if days += int64(iv.Days); days < datetimeMinJulian-postgresEpochJulian || days > math.MaxInt32 {
		return 0, timestampOutOfRange()
	}
	if v, ok = mulInt64(days, microsPerDay); ok {
		v, ok = addInt64(v, int64(clock))
	}
	if !ok || !validTimestamp(v) {
		return 0, timestampOutOfRange()
	}
	return Timestamp(v), nil
}

// TimestampTZAdd adds months and days on the calendar of loc, then time.
func TimestampTZAdd(t TimestampTZ, iv Interval, loc *time.Location) (TimestampTZ, error) {
	if t.IsInfinite() {
		return t, nil
	}
	if iv.Months != 0 {
		local, err := addCalendar(t.In(loc), Interval{Months: iv.Months})
		if err != nil {
			return 0, err
		}
		t = local.AtZone(loc)
	}
	if iv.Days != 0 {
		local, err := addCalendar(t.In(loc), Interval{Days: iv.Days})
		if err != nil {
			return 0, err
		}
		t = local.AtZone(loc)
	}
	v, ok := addInt64(int64(t), iv.Micros)
	if !ok || !validTimestamp(v) {
		return 0, timestampOutOfRange()
	}
	return TimestampTZ(v), nil
}

// TimestampSub is a - b in days and time.
func TimestampSub(a, b Timestamp) (Interval, error) {
	if a.IsInfinite() || b.IsInfinite() {
		return Interval{}, pgerr.New(pgerr.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
	}
	return Interval{Micros: int64(a) - int64(b)}.JustifyHours()
}

// AgeTimestamp is a - b in years, months, days and time, as a person counts.
func AgeTimestamp(a, b Timestamp) (Interval, error) {
	if a.IsInfinite() || b.IsInfinite() {
		return Interval{}, timestampOutOfRange()
	}
	negative := a < b
	if negative {
		a, b = b, a
	}
	late, early := a.Parts(), b.Parts()
	micros := late.clock() - early.clock()
	days := late.Day - early.Day
	months := (late.Year-early.Year)*monthsPerYear + late.Month - early.Month
	if micros < 0 {
		micros += microsPerDay
		days--
	}
	// The borrowed month is the one that the earlier moment lies in.
	for days < 0 {
		days += daysIn(early.Year, early.Month)
		months--
	}
	out := Interval{Micros: micros, Days: int32(days), Months: int32(months)}
	if negative {
		return out.Neg()
	}
	return out, nil
}

// clock is the time of day in microseconds.
func (p DateTimeParts) clock() int64 {
	return int64(p.Hour)*microsPerHour + int64(p.Minute)*microsPerMinute + int64(p.Second)*microsPerSecond + int64(p.Micros)
}
