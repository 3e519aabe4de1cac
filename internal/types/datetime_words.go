package types

// wordKind is what a word of date and time input does.
type wordKind uint8

const (
	wordUnknown wordKind = iota
	wordIgnored
	wordReserved // now, today, infinity
	wordMonth
	wordWeekday
	wordEra   // 1 is BC
	wordAMPM  // one of halfAM, halfPM
	wordUnit  // names the next number
	wordClock // the T of ISO 8601
	wordZone  // seconds east of UTC
	wordDSTZone
	wordDSTModifier // the DST of MET DST, in seconds
	wordAgo
)

// Values of wordReserved.
const (
	reservedNow = iota
	reservedToday
	reservedTomorrow
	reservedYesterday
	reservedZulu
	reservedEpoch
	reservedInfinity
	reservedNegInfinity
)

// The units of dates and intervals.
const (
	unitNone = iota
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitQuarter
	unitYear
	unitDecade
	unitCentury
	unitMillennium
	unitJulian
	unitTime
	unitDayOfWeek
	unitDayOfYear
	unitISODayOfWeek
	unitISOYear
	unitAgo // no unit: what ago leaves for the number before it
)

// Values of wordAMPM.
const (
	hours24 = iota
	hoursAM
	hoursPM
)

type dateWord struct {
	kind  wordKind
	value int
}

// maxWordBytes is how much of a word counts, as in PostgreSQL: microseconds and
// microsecon are the same.
const maxWordBytes = 10

func lookupDateWord(s string) (dateWord, bool) {
	w, ok := dateWords[s[:min(len(s), maxWordBytes)]]
	return w, ok
}

func lookupIntervalWord(s string) (dateWord, bool) {
	w, ok := intervalWords[s[:min(len(s), maxWordBytes)]]
	return w, ok
}

// lookupZoneAbbrev knows the abbreviations, which win over the other words.
func lookupZoneAbbrev(s string) (dateWord, bool) {
	a, ok := zoneAbbrevs[s]
	if !ok {
		return dateWord{}, false
	}
	if a.dst {
		return dateWord{wordDSTZone, int(a.offset)}, true
	}
	return dateWord{wordZone, int(a.offset)}, true
}

var dateWords = map[string]dateWord{
	"now": {wordReserved, reservedNow}, "today": {wordReserved, reservedToday},
	"tomorrow": {wordReserved, reservedTomorrow}, "yesterday": {wordReserved, reservedYesterday},
	"allballs": {wordReserved, reservedZulu}, "epoch": {wordReserved, reservedEpoch},
	"infinity": {wordReserved, reservedInfinity}, "+infinity": {wordReserved, reservedInfinity},
	"-infinity": {wordReserved, reservedNegInfinity},

	"jan": {wordMonth, 1}, "january": {wordMonth, 1}, "feb": {wordMonth, 2}, "february": {wordMonth, 2},
	"mar": {wordMonth, 3}, "march": {wordMonth, 3}, "apr": {wordMonth, 4}, "april": {wordMonth, 4},
	"may": {wordMonth, 5}, "jun": {wordMonth, 6}, "june": {wordMonth, 6}, "jul": {wordMonth, 7},
	"july": {wordMonth, 7}, "aug": {wordMonth, 8}, "august": {wordMonth, 8}, "sep": {wordMonth, 9},
	"sept": {wordMonth, 9}, "september": {wordMonth, 9}, "oct": {wordMonth, 10}, "october": {wordMonth, 10},
	"nov": {wordMonth, 11}, "november": {wordMonth, 11}, "dec": {wordMonth, 12}, "december": {wordMonth, 12},

	"sun": {wordWeekday, 0}, "sunday": {wordWeekday, 0}, "mon": {wordWeekday, 1}, "monday": {wordWeekday, 1},
	"tue": {wordWeekday, 2}, "tues": {wordWeekday, 2}, "tuesday": {wordWeekday, 2}, "wed": {wordWeekday, 3},
	"weds": {wordWeekday, 3}, "wednesday": {wordWeekday, 3}, "thu": {wordWeekday, 4}, "thur": {wordWeekday, 4},
	"thurs": {wordWeekday, 4}, "thursday": {wordWeekday, 4}, "fri": {wordWeekday, 5}, "friday": {wordWeekday, 5},
	"sat": {wordWeekday, 6}, "saturday": {wordWeekday, 6},

	"ad": {wordEra, 0}, "bc": {wordEra, 1}, "am": {wordAMPM, hoursAM}, "pm": {wordAMPM, hoursPM},
	"at": {wordIgnored, 0}, "on": {wordIgnored, 0}, "t": {wordClock, unitTime}, "dst": {wordDSTModifier, 3600},

	"y": {wordUnit, unitYear}, "m": {wordUnit, unitMonth}, "d": {wordUnit, unitDay}, "h": {wordUnit, unitHour},
	"mm": {wordUnit, unitMinute}, "s": {wordUnit, unitSecond}, "j": {wordUnit, unitJulian}, "jd": {wordUnit, unitJulian},
	"julian": {wordUnit, unitJulian}, "dow": {wordUnit, unitDayOfWeek}, "doy": {wordUnit, unitDayOfYear},
	"isodow": {wordUnit, unitISODayOfWeek}, "isoyear": {wordUnit, unitISOYear},
}

var intervalWords = map[string]dateWord{
	"@": {wordIgnored, 0}, "ago": {wordAgo, unitAgo},
	"us": {wordUnit, unitMicrosecond}, "usec": {wordUnit, unitMicrosecond}, "usecs": {wordUnit, unitMicrosecond},
	"usecond": {wordUnit, unitMicrosecond}, "useconds": {wordUnit, unitMicrosecond}, "microsecon": {wordUnit, unitMicrosecond},
	"ms": {wordUnit, unitMillisecond}, "msec": {wordUnit, unitMillisecond}, "msecs": {wordUnit, unitMillisecond},
	"msecond": {wordUnit, unitMillisecond}, "mseconds": {wordUnit, unitMillisecond}, "millisecon": {wordUnit, unitMillisecond},
	"s": {wordUnit, unitSecond}, "sec": {wordUnit, unitSecond}, "secs": {wordUnit, unitSecond},
	"second": {wordUnit, unitSecond}, "seconds": {wordUnit, unitSecond},
	"m": {wordUnit, unitMinute}, "min": {wordUnit, unitMinute}, "mins": {wordUnit, unitMinute},
	"minute": {wordUnit, unitMinute}, "minutes": {wordUnit, unitMinute},
	"h": {wordUnit, unitHour}, "hr": {wordUnit, unitHour}, "hrs": {wordUnit, unitHour},
	"hour": {wordUnit, unitHour}, "hours": {wordUnit, unitHour},
	"d": {wordUnit, unitDay}, "day": {wordUnit, unitDay}, "days": {wordUnit, unitDay},
	"w": {wordUnit, unitWeek}, "week": {wordUnit, unitWeek}, "weeks": {wordUnit, unitWeek},
	"mon": {wordUnit, unitMonth}, "mons": {wordUnit, unitMonth}, "month": {wordUnit, unitMonth}, "months": {wordUnit, unitMonth},
	"qtr": {wordUnit, unitQuarter}, "quarter": {wordUnit, unitQuarter},
	"y": {wordUnit, unitYear}, "year": {wordUnit, unitYear}, "years": {wordUnit, unitYear},
	"yr": {wordUnit, unitYear}, "yrs": {wordUnit, unitYear},
	"dec": {wordUnit, unitDecade}, "decs": {wordUnit, unitDecade}, "decade": {wordUnit, unitDecade}, "decades": {wordUnit, unitDecade},
	"c": {wordUnit, unitCentury}, "cent": {wordUnit, unitCentury}, "century": {wordUnit, unitCentury}, "centuries": {wordUnit, unitCentury},
	"mil": {wordUnit, unitMillennium}, "mils": {wordUnit, unitMillennium}, "millennium": {wordUnit, unitMillennium},
	"millennia": {wordUnit, unitMillennium},
}
