package types

var unitNames = map[int]string{
	unitMicrosecond: "microsecond", unitMillisecond: "millisecond", unitSecond: "second", unitMinute: "minute",
	unitHour: "hour", unitDay: "day", unitWeek: "week", unitMonth: "month", unitQuarter: "quarter", unitYear: "year",
	unitDecade: "decade", unitCentury: "century", unitMillennium: "millennium", unitJulian: "julian",
	unitDayOfWeek: "dow", unitDayOfYear: "doy", unitISODayOfWeek: "isodow", unitISOYear: "isoyear",
}

// zoneUnits are the units that only a value with a zone has.
var zoneUnits = map[string]string{"timezone": "timezone", "timezone_h": "timezone_hour", "timezone_m": "timezone_minute"}

// UnitNamed gives the one name of a unit of dates and intervals, from any of
// the names that extract and date_trunc take: secs is second, c is century.
func UnitNamed(s string) (unit string, ok bool) {
	s = asciiLower(s)
	if s == "epoch" {
		return s, true
	}
	if unit, ok = IntervalUnitNamed(s); ok {
		return unit, true
	}
	if w, known := lookupDateWord(s); known && w.kind == wordUnit {
		return unitNames[w.value], true
	}
	return "", false
}

// IntervalUnitNamed is UnitNamed for the units that date_trunc knows, which are
// those of interval input.
func IntervalUnitNamed(s string) (unit string, ok bool) {
	s = asciiLower(s)
	if w, known := lookupIntervalWord(s); known && w.kind == wordUnit {
		return unitNames[w.value], true
	}
	unit, ok = zoneUnits[s[:min(len(s), maxWordBytes)]]
	return unit, ok
}
