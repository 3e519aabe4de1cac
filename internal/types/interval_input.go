package types

import (
	"math"
	"strings"
)

// intervalDecoder collects the parts of an interval's text. Years and months
// are kept apart until the end.
type intervalDecoder struct {
	years, months, days int32
	micros              int64
	fields              int32 // the fields that the type allows, 0 for all
	negative            bool  // a leading minus covers all fields (sql_standard)
	seen                int
}

// parseInterval reads an interval; typmod tells what a number without a unit
// means.
func parseInterval(s string, typmod int32, env *Env) (Interval, error) {
	d := intervalDecoder{fields: intervalFields(typmod)}
	fault := d.decode(s, env)
	if fault == faultFormat {
		// What no other style understands may be ISO 8601.
		d = intervalDecoder{}
		fault = d.iso(s)
	}
	switch fault {
	case faultNone:
	case faultField:
		return Interval{}, faultInterval.err(s, "interval")
	default:
		return Interval{}, fault.err(s, "interval")
	}
	months := int64(d.years)*monthsPerYear + int64(d.months)
	if months != int64(int32(months)) {
		return Interval{}, intervalOutOfRange()
	}
	return Interval{Micros: d.micros, Days: d.days, Months: int32(months)}, nil
}

func (d *intervalDecoder) decode(s string, env *Env) dateFault {
	fields, ok := splitDateTime(s)
	if !ok {
		return faultFormat
	}
	d.negative = env.IntervalStyle == "sql_standard" && onlyLeadingSign(fields)
	unit := unitNone
	waiting, ago := false, false // a unit waits for its number
	// Backwards, so that units come before their numbers.
	for i := len(fields) - 1; i >= 0; i-- {
		f := fields[i]
		mask := 0
		switch f.kind {
		case fieldTime, fieldZone, fieldNumber, fieldDate:
			var fault dateFault
			if mask, unit, fault = d.value(f, unit); fault != faultNone {
				return fault
			}
			waiting = false
		default:
			w, _ := lookupIntervalWord(f.text)
			switch w.kind {
			case wordIgnored:
				continue
			case wordUnit:
				if waiting {
					return faultFormat
				}
				unit, waiting = w.value, true
			case wordAgo:
				ago, unit = true, unitAgo // a number before it needs a unit of its own
			default:
				return faultFormat
			}
		}
		if mask&d.seen != 0 {
			return faultFormat
		}
		d.seen |= mask
	}
	if d.seen == 0 || waiting {
		return faultFormat
	}
	if ago {
		return d.negate()
	}
	return faultNone
}

// onlyLeadingSign tells whether the first field has a minus and no other has a
// sign: then the minus is meant for all.
func onlyLeadingSign(fields []textField) bool {
	if len(fields) == 0 || fields[0].text[0] != '-' {
		return false
	}
	for _, f := range fields[1:] {
		if f.text[0] == '-' || f.text[0] == '+' {
			return false
		}
	}
	return true
}

func (d *intervalDecoder) negate() dateFault {
	if d.micros == math.MinInt64 || d.days == math.MinInt32 || d.months == math.MinInt32 || d.years == math.MinInt32 {
		return faultField
	}
	d.micros, d.days, d.months, d.years = -d.micros, -d.days, -d.months, -d.years
	return faultNone
}

// value is a number or a time; it returns the unit of the number before it.
func (d *intervalDecoder) value(f textField, unit int) (mask, next int, fault dateFault) {
	if f.kind == fieldTime {
		micros, fault := d.clock(f.text)
		if fault != faultNone {
			return 0, unit, fault
		}
		d.setClock(micros)
		return hasTime, unitDay, faultNone
	}
	if f.kind == fieldZone && strings.IndexByte(f.text, ':') > 0 {
		if micros, fault := d.clock(f.text[1:]); fault == faultNone {
			if f.text[0] == '-' {
				micros = -micros
			}
			d.setClock(micros)
			return hasTime, unitDay, faultNone
		}
	}
	if unit == unitNone {
		unit = d.defaultUnit()
	}
	return d.number(f.text, unit)
}

// setClock takes a time of day in place of the fractions of days so far, as
// PostgreSQL does.
func (d *intervalDecoder) setClock(micros int64) {
	if d.negative && micros > 0 {
		micros = -micros
	}
	d.micros = micros
}

func (d *intervalDecoder) clock(s string) (int64, dateFault) {
	hour, minute, second, micros, fault := clockFields(s, d.fields == fieldMinute|fieldSecond)
	if fault != faultNone {
		return 0, fault
	}
	total, ok := mulInt64(hour, microsPerHour)
	if ok {
		total, ok = addInt64(total, int64(minute)*microsPerMinute+int64(second)*microsPerSecond+int64(micros))
	}
	if !ok {
		return 0, faultField
	}
	return total, faultNone
}

// defaultUnit is what a number without a unit means.
func (d *intervalDecoder) defaultUnit() int {
	switch {
	case d.fields == 0 || d.fields&fieldSecond != 0:
		return unitSecond
	case d.fields&fieldMinute != 0:
		return unitMinute
	case d.fields&fieldHour != 0:
		return unitHour
	case d.fields&fieldDay != 0:
		return unitDay
	case d.fields&fieldMonth != 0:
		return unitMonth
	}
	return unitYear
}

// number is val[.frac], or years-months.
func (d *intervalDecoder) number(s string, unit int) (mask, next int, fault dateFault) {
	v, rest, fault := leadingInt64(s)
	if fault != faultNone {
		return 0, unit, fault
	}
	frac := 0.0
	switch {
	case rest == "":
	case rest[0] == '-':
		var months int
		var tail string
		if months, tail, fault = leadingInt(rest[1:]); fault != faultNone || months < 0 || months >= monthsPerYear {
			return 0, unit, faultField
		}
		if tail != "" || len(tail) == len(rest)-1 {
			return 0, unit, faultFormat
		}
		if s[0] == '-' {
			months = -months
		}
		var ok bool
		if v, ok = mulInt64(v, monthsPerYear); !ok {
			return 0, unit, faultField
		}
		if v, ok = addInt64(v, int64(months)); !ok {
			return 0, unit, faultField
		}
		unit = unitMonth
	case rest[0] == '.':
		var ok bool
		if frac, ok = parseFraction(rest); !ok {
			return 0, unit, faultFormat
		}
		if s[0] == '-' {
			frac = -frac
		}
	default:
		// A sign alone was left by leadingInt.
		if len(rest) != len(s) || len(s) < 2 || s[1] != '.' {
			return 0, unit, faultFormat
		}
		var ok bool
		if frac, ok = parseFraction(s[1:]); !ok {
			return 0, unit, faultFormat
		}
		if s[0] == '-' {
			frac = -frac
		}
	}
	if d.negative {
		v, frac = -abs64(v), -math.Abs(frac)
	}
	mask, ok := d.add(v, frac, unit)
	if mask == 0 {
		return 0, unit, faultFormat
	}
	if !ok {
		return 0, unit, faultField
	}
	if unit == unitHour {
		unit = unitDay // of the number before it
	}
	return mask, unit, faultNone
}

func abs64(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// clockUnits are the units that end in microseconds.
var clockUnits = map[int]struct {
	micros int64
	mask   int
}{
	unitMicrosecond: {1, hasMicrosecond},
	unitMillisecond: {1000, hasMillisecond},
	unitSecond:      {microsPerSecond, hasSecond},
	unitMinute:      {microsPerMinute, hasMinute},
	unitHour:        {microsPerHour, hasHour},
}

// add adds v.frac units; mask 0 is a unit that no interval has.
func (d *intervalDecoder) add(v int64, frac float64, unit int) (mask int, ok bool) {
	if u, is := clockUnits[unit]; is {
		mask = u.mask
		if unit == unitSecond && frac != 0 {
			mask = hasSeconds
		}
		return mask, d.addMicros(v, frac, u.micros)
	}
	switch unit {
	case unitDay:
		return hasDay, d.addDays(v, 1) && d.addMicros(0, frac, microsPerDay)
	case unitWeek:
		return hasWeek, d.addDays(v, 7) && d.addFractionOfDays(frac, 7)
	case unitMonth:
		return hasMonth, d.addMonths(v) && d.addFractionOfDays(frac, daysPerMonth)
	case unitYear:
		return hasYear, d.addYears(v, frac, 1)
	case unitDecade:
		return hasDecade, d.addYears(v, frac, 10)
	case unitCentury:
		return hasCentury, d.addYears(v, frac, 100)
	case unitMillennium:
		return hasMillennium, d.addYears(v, frac, 1000)
	}
	return 0, false
}

func (d *intervalDecoder) addMicros(v int64, frac float64, scale int64) bool {
	scaled, ok := mulInt64(v, scale)
	if !ok {
		return false
	}
	if d.micros, ok = addInt64(d.micros, scaled); !ok || frac == 0 {
		return ok
	}
	frac *= float64(scale)
	whole := int64(frac)
	if d.micros, ok = addInt64(d.micros, whole); !ok {
		return false
	}
	switch frac -= float64(whole); {
	case frac > 0.5:
		d.micros, ok = addInt64(d.micros, 1)
	case frac < -0.5:
		d.micros, ok = addInt64(d.micros, -1)
	}
	return ok
}

// addTo32 adds v*scale to a 32-bit part.
func addTo32(part *int32, v, scale int64) bool {
	if v != int64(int32(v)) {
		return false
	}
	sum := int64(*part) + v*scale
	*part = int32(sum)
	return sum == int64(int32(sum))
}

func (d *intervalDecoder) addDays(v, scale int64) bool { return addTo32(&d.days, v, scale) }

func (d *intervalDecoder) addMonths(v int64) bool { return addTo32(&d.months, v, 1) }

func (d *intervalDecoder) addYears(v int64, frac float64, scale int64) bool {
	months := math.RoundToEven(frac * float64(scale) * monthsPerYear)
	return addTo32(&d.years, v, scale) && addTo32(&d.months, int64(months), 1)
}

func (d *intervalDecoder) addFractionOfDays(frac, scale float64) bool {
	if frac == 0 {
		return true
	}
	frac *= scale
	whole := int64(frac)
	return addTo32(&d.days, whole, 1) && d.addMicros(0, frac-float64(whole), microsPerDay)
}
