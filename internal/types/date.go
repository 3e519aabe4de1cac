package types

import (
	"cmp"
	"encoding/binary"

	"github.com/akidb/akidb/internal/pgerr"
)

// Julian day numbers of the calendar's anchors, as in PostgreSQL.
const (
	postgresEpochJulian = 2451545 // 2000-01-01
	unixEpochJulian     = 2440588 // 1970-01-01
	// datetimeMinJulian is 4714-11-24 BC; dateEndJulian is 5874898-01-01 and
	// timestampEndJulian 294277-01-01, both excluded.
	datetimeMinJulian  = 0
	dateEndJulian      = 2147483494
	timestampEndJulian = 109203528
)

// julianDay turns a date of the proleptic Gregorian calendar into a Julian day
// number; year 0 is 1 BC. The arithmetic is date2j of PostgreSQL.
func julianDay(year, month, day int) int {
	if month > 2 {
		month++
		year += 4800
	} else {
		month += 13
		year += 4799
	}
	century := year / 100
	julian := year*365 - 32167
	julian += year/4 - century + century/4
	return julian + 7834*month/256 + day
}

// calendarDay is j2date, the inverse of julianDay.
func calendarDay(jd int) (year, month, day int) {
	julian := uint32(jd) + 32044
	quad := julian / 146097
	extra := (julian-quad*146097)*4 + 3
	julian += 60 + quad*3 + extra/146097
	quad = julian / 1461
	julian -= quad * 1461
	y := julian * 4 / 1461
	if y != 0 {
		julian = (julian + 305) % 365
	} else {
		julian = (julian + 306) % 366
	}
	julian += 123
	y += quad * 4
	year = int(y) - 4800
	quad = julian * 2141 / 65536
	day = int(julian - 7834*quad/256)
	month = int((quad+10)%12) + 1
	return year, month, day
}

// validJulian bounds what julianDay may be asked: 4714-11-24 BC to 5874898-06-03.
func validJulian(year, month, day int) bool {
	afterMin := year > -4713 || year == -4713 && (month > 11 || month == 11 && day >= 24)
	beforeMax := year < 5874898 || year == 5874898 && month < 6
	return afterMin && beforeMax
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var monthDays = [2][13]int{
	{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31},
	{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31},
}

func daysIn(year, month int) int {
	if isLeap(year) {
		return monthDays[1][month]
	}
	return monthDays[0][month]
}

// weekday is 0 for Sunday.
func weekday(jd int) int {
	d := (jd + 1) % 7
	if d < 0 {
		d += 7
	}
	return d
}

// DateFromYMD makes a date of the proleptic Gregorian calendar; year 0 is 1 BC.
func DateFromYMD(year, month, day int) Date {
	return Date(julianDay(year, month, day) - postgresEpochJulian)
}

// YMD returns the calendar date; year 0 is 1 BC. An infinite date has none.
func (d Date) YMD() (year, month, day int) { return calendarDay(int(d) + postgresEpochJulian) }

// IsInfinite tells whether d is infinity or -infinity.
func (d Date) IsInfinite() bool { return d == DateInfinity || d == DateNegInfinity }

// Timestamp is midnight of the date; 22008 when timestamps do not reach it.
func (d Date) Timestamp() (Timestamp, error) {
	switch {
	case d == DateInfinity:
		return TimestampInfinity, nil
	case d == DateNegInfinity:
		return TimestampNegInfinity, nil
	case int(d) >= timestampEndJulian-postgresEpochJulian:
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return Timestamp(int64(d) * microsPerDay), nil
}

func validDate(days int64) bool {
	return days >= datetimeMinJulian-postgresEpochJulian && days < dateEndJulian-postgresEpochJulian
}

var dateCodec = &Codec{
	Parse: func(s string, env *Env) (Datum, error) {
		d, err := parseDate(s, env)
		if err != nil {
			return nil, err
		}
		return d, nil
	},
	Format: func(dst []byte, d Datum, env *Env) []byte { return appendDate(dst, d.(Date), env) },
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 4); err != nil {
			return nil, err
		}
		d := Date(binary.BigEndian.Uint32(b))
		if !d.IsInfinite() && !validDate(int64(d)) {
			return nil, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range")
		}
		return d, nil
	},
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		return binary.BigEndian.AppendUint32(dst, uint32(d.(Date))), nil
	},
	Compare:   func(a, b Datum) int { return cmp.Compare(a.(Date), b.(Date)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendInt32Key(dst, int32(d.(Date))) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeInt32Key(b)
		return Date(v), rest, err
	},
}

func parseDate(s string, env *Env) (Date, error) {
	in, err := decodeDateTime(s, "date", env, false)
	if err != nil {
		return 0, err
	}
	switch in.special {
	case specialInfinity:
		return DateInfinity, nil
	case specialNegInfinity:
		return DateNegInfinity, nil
	case specialEpoch:
		return Date(unixEpochJulian - postgresEpochJulian), nil
	}
	outOf := pgerr.Newf(pgerr.DatetimeFieldOverflow, "date out of range: \"%s\"", s)
	if !validJulian(in.year, in.month, in.day) {
		return 0, outOf
	}
	days := int64(julianDay(in.year, in.month, in.day) - postgresEpochJulian)
	if !validDate(days) {
		return 0, outOf
	}
	return Date(days), nil
}
