package types

import "time"

// wordField is a word: a month, a zone, today, pm …
func (d *dateTimeDecoder) wordField(i int, s string) (int, dateFault) {
	w, ok := lookupZoneAbbrev(s)
	if !ok {
		w, _ = lookupDateWord(s)
	}
	switch w.kind {
	case wordIgnored:
		return 0, faultNone
	case wordReserved:
		return d.reserved(w.value)
	case wordMonth:
		return d.monthWord(w.value)
	case wordDSTModifier:
		d.west -= w.value
		return hasDSTModifier | hasDSTZone, faultNone
	case wordDSTZone:
		d.west = -w.value
		return hasZone | hasDSTZone, faultNone
	case wordZone:
		d.west = -w.value
		return hasZone, faultNone
	case wordAMPM:
		d.half = w.value
		return hasAMPM, faultNone
	case wordEra:
		d.bc = w.value == 1
		return hasEra, faultNone
	case wordWeekday:
		if d.timeOnly {
			return 0, faultFormat
		}
		return hasWeekday, faultNone
	case wordUnit:
		d.label = w.value
		return 0, faultNone
	case wordClock:
		return d.clockMark(i)
	}
	loc, known := namedZone(s)
	if !known {
		return 0, faultFormat
	}
	d.zone = loc
	return hasZone, faultNone
}

// clockMark is the T between date and time.
func (d *dateTimeDecoder) clockMark(i int) (int, dateFault) {
	if !d.timeOnly && d.seen&hasDate != hasDate || i+1 >= len(d.fields) {
		return 0, faultFormat
	}
	switch d.fields[i+1].kind {
	case fieldNumber, fieldTime, fieldDate:
		d.label = unitTime
		return 0, faultNone
	}
	return 0, faultFormat
}

// monthWord is a month's name; a lone number before it was the day.
func (d *dateTimeDecoder) monthWord(month int) (int, dateFault) {
	if d.timeOnly {
		return 0, faultFormat
	}
	mask := hasMonth
	if d.seen&hasMonth != 0 && !d.textMonth && d.seen&hasDay == 0 && d.month >= 1 && d.month <= 31 {
		d.day = d.month
		mask = hasDay
	}
	d.textMonth = true
	d.month = month
	return mask, faultNone
}

func (d *dateTimeDecoder) reserved(value int) (int, dateFault) {
	switch {
	case value == reservedZulu:
		d.hour, d.minute, d.second, d.west = 0, 0, 0, 0
		return hasReserved | hasTime | hasZone, faultNone
	case d.timeOnly && value == reservedNow:
		d.setClock(d.env.now())
		return hasTime, faultNone
	case d.timeOnly:
		return 0, faultFormat
	}
	switch value {
	case reservedNow:
		now := d.env.now()
		d.setDay(now)
		d.setClock(now)
		_, east := now.Zone()
		d.west = -east
		return hasDate | hasTime | hasZone, faultNone
	case reservedToday:
		d.setDay(d.env.now())
		return hasDate, faultNone
	case reservedTomorrow:
		d.setDay(d.env.now().AddDate(0, 0, 1))
		return hasDate, faultNone
	case reservedYesterday:
		d.setDay(d.env.now().AddDate(0, 0, -1))
		return hasDate, faultNone
	case reservedEpoch:
		d.special = specialEpoch
	case reservedInfinity:
		d.special = specialInfinity
	case reservedNegInfinity:
		d.special = specialNegInfinity
	}
	return hasDate | hasTime | hasZone, faultNone
}

func (d *dateTimeDecoder) setDay(t time.Time) {
	d.year, d.month, d.day = t.Year(), int(t.Month()), t.Day()
}

func (d *dateTimeDecoder) setClock(t time.Time) {
	d.hour, d.minute, d.second, d.micros = t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1000
}
