package types

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// The bits of interval's fields in its modifier, PostgreSQL's.
const (
	fieldMonth  = 1 << 1
	fieldYear   = 1 << 2
	fieldDay    = 1 << 3
	fieldHour   = 1 << 10
	fieldMinute = 1 << 11
	fieldSecond = 1 << 12

	allIntervalFields     = 0x7fff
	fullIntervalPrecision = 0xffff
)

var intervalFieldWords = map[int32]string{
	fieldYear: "year", fieldMonth: "month", fieldDay: "day", fieldHour: "hour", fieldMinute: "minute", fieldSecond: "second",
	fieldYear | fieldMonth:                           "year to month",
	fieldDay | fieldHour:                             "day to hour",
	fieldDay | fieldHour | fieldMinute:               "day to minute",
	fieldDay | fieldHour | fieldMinute | fieldSecond: "day to second",
	fieldHour | fieldMinute:                          "hour to minute",
	fieldHour | fieldMinute | fieldSecond:            "hour to second",
	fieldMinute | fieldSecond:                        "minute to second",
}

// intervalFields is the mask of an interval's modifier, 0 for all fields.
func intervalFields(typmod int32) int32 {
	if fields := typmod >> 16 & allIntervalFields; typmod >= 0 && fields != allIntervalFields {
		return fields
	}
	return 0
}

// intervalTypmodIn reads the words of the fields, the precision, or both.
func intervalTypmodIn(mods []string) (int32, error) {
	fields := int32(allIntervalFields)
	if len(mods) > 0 && mods[0] != "" && isLetter(mods[0][0]) {
		var ok bool
		if fields, ok = intervalFieldsNamed(mods[0]); !ok {
			return 0, invalidTypmod("invalid INTERVAL type modifier")
		}
		mods = mods[1:]
	}
	if len(mods) == 0 {
		if fields == allIntervalFields {
			return 0, invalidTypmod("invalid INTERVAL type modifier")
		}
		return fields<<16 | fullIntervalPrecision, nil
	}
	values, err := typmodInts(mods)
	if err != nil {
		return 0, err
	}
	if len(values) != 1 {
		return 0, invalidTypmod("invalid INTERVAL type modifier")
	}
	if values[0] < 0 {
		return 0, invalidTypmodf("INTERVAL(%d) precision must not be negative", values[0])
	}
	return fields<<16 | min(values[0], maxTimePrecision), nil
}

func intervalFieldsNamed(words string) (int32, bool) {
	words = strings.ToLower(words)
	for mask, text := range intervalFieldWords {
		if text == words {
			return mask, true
		}
	}
	return 0, false
}

func intervalTypmodOut(typmod int32) string {
	out := ""
	if fields := intervalFields(typmod); fields != 0 {
		out = " " + intervalFieldWords[fields]
	}
	if precision := typmod & fullIntervalPrecision; precision != fullIntervalPrecision {
		out += "(" + strconv.Itoa(int(precision)) + ")"
	}
	return out
}

var intervalCuts = map[int32]int64{
	fieldHour: microsPerHour, fieldDay | fieldHour: microsPerHour,
	fieldMinute: microsPerMinute, fieldHour | fieldMinute: microsPerMinute, fieldDay | fieldHour | fieldMinute: microsPerMinute,
}

// applyIntervalTypmod drops the fields to the right of the type's last one and
// rounds the seconds.
func applyIntervalTypmod(d Datum, typmod int32, _ bool) (Datum, error) {
	iv := d.(Interval)
	fields := intervalFields(typmod)
	switch fields {
	case fieldYear:
		iv = Interval{Months: iv.Months / monthsPerYear * monthsPerYear}
	case fieldMonth, fieldYear | fieldMonth:
		iv = Interval{Months: iv.Months}
	case fieldDay:
		iv.Micros = 0
	default:
		if unit := intervalCuts[fields]; unit != 0 {
			iv.Micros = iv.Micros / unit * unit
		}
	}
	if precision := typmod & fullIntervalPrecision; precision < maxTimePrecision {
		v, ok := roundToPrecision(iv.Micros, precision)
		if !ok {
			return nil, intervalOutOfRange()
		}
		iv.Micros = v
	}
	return iv, nil
}

// roundToPrecision rounds microseconds to digits of a second, halves away from
// zero.
func roundToPrecision(micros int64, digits int32) (int64, bool) {
	unit := int64(1)
	for ; digits < maxTimePrecision; digits++ {
		unit *= 10
	}
	half := unit / 2
	if micros < 0 {
		half = -half
	}
	v, ok := addInt64(micros, half)
	return v / unit * unit, ok
}

// applyTimePrecision rounds the four types of times and timestamps.
func applyTimePrecision(d Datum, typmod int32, _ bool) (Datum, error) {
	if typmod >= maxTimePrecision {
		return d, nil
	}
	round := func(v int64) int64 { v, _ = roundToPrecision(v, typmod); return v }
	switch t := d.(type) {
	case Time:
		return Time(round(int64(t))), nil
	case TimeTZ:
		return TimeTZ{Time: Time(round(int64(t.Time))), Zone: t.Zone}, nil
	case Timestamp:
		v, err := roundTimestamp(int64(t), typmod)
		return Timestamp(v), err
	case TimestampTZ:
		v, err := roundTimestamp(int64(t), typmod)
		return TimestampTZ(v), err
	}
	return d, nil
}

func roundTimestamp(v int64, digits int32) (int64, error) {
	if isInfiniteMicros(v) {
		return v, nil
	}
	r, ok := roundToPrecision(v, digits)
	if !ok || !validTimestamp(r) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range")
	}
	return r, nil
}
