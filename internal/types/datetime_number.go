package types

import (
	"strconv"
	"strings"
)

// parseFraction reads a point and its digits, which may be missing.
func parseFraction(s string) (float64, bool) {
	if s == "." {
		return 0, true
	}
	for i := 1; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat("0"+s, 64)
	return f, err == nil
}

// numberField is a number whose meaning follows from the word before it, or
// from its length and from what has been seen.
func (d *dateTimeDecoder) numberField(i int, s string) (int, dateFault) {
	if d.label != unitNone {
		return d.labelled(s)
	}
	point := strings.IndexByte(s, '.')
	if d.timeOnly {
		return d.numberOfTime(i, s, point)
	}
	switch {
	case point >= 0 && d.seen&hasDate == 0:
		return d.date(s)
	case point > 2:
		return d.runTogether(s, d.seen)
	case len(s) >= 6 && (d.seen&hasDate == 0 || d.seen&hasTime == 0):
		return d.runTogether(s, d.seen)
	}
	return d.number(s, d.textMonth, d.seen)
}

func (d *dateTimeDecoder) numberOfTime(i int, s string, point int) (int, dateFault) {
	n := len(d.fields)
	switch {
	case point >= 0 && i == 0 && n >= 2 && d.fields[n-1].kind == fieldDate:
		return d.date(s)
	case point > 2, point < 0 && len(s) > 4:
		return d.runTogether(s, d.dateSeen())
	case point >= 0:
		return 0, faultFormat
	}
	return d.number(s, false, d.dateSeen())
}

// labelled is the number after a unit: y2001m02d04, j2451187, t101112.
func (d *dateTimeDecoder) labelled(s string) (int, dateFault) {
	unit := d.label
	d.label = unitNone
	v, rest, fault := leadingInt(s)
	if fault != faultNone {
		return 0, fault
	}
	if rest != "" && (rest[0] != '.' || unit != unitJulian && unit != unitTime && unit != unitSecond) {
		return 0, faultFormat
	}
	switch unit {
	case unitYear:
		d.year = v
		return hasYear, faultNone
	case unitMonth:
		if d.seen&hasMonth != 0 && d.seen&hasHour != 0 {
			d.minute = v
			return hasMinute, faultNone
		}
		d.month = v
		return hasMonth, faultNone
	case unitDay:
		d.day = v
		return hasDay, faultNone
	case unitHour:
		d.hour = v
		return hasHour, faultNone
	case unitMinute:
		d.minute = v
		return hasMinute, faultNone
	case unitSecond:
		d.second = v
		if rest == "" {
			return hasSecond, faultNone
		}
		d.micros, fault = fractionMicros(rest)
		return hasSeconds, fault
	case unitJulian:
		return d.labelledJulian(v, rest)
	case unitTime:
		mask, fault := d.runTogether(s, d.seen|hasDate)
		if fault == faultNone && mask != hasTime {
			fault = faultFormat
		}
		return mask, fault
	}
	return 0, faultFormat
}

func (d *dateTimeDecoder) labelledJulian(day int, rest string) (int, dateFault) {
	if day < 0 {
		return 0, faultField
	}
	d.setJulian(day)
	if rest == "" {
		return hasDate, faultNone
	}
	f, ok := parseFraction(rest)
	if !ok {
		return 0, faultFormat
	}
	d.hour, d.minute, d.second, d.micros = Time(f * float64(microsPerDay)).parts()
	return hasDate | hasTime, faultNone
}

// number places a lone number by the order of DateStyle and what is missing.
func (d *dateTimeDecoder) number(s string, textMonth bool, seen int) (int, dateFault) {
	v, rest, fault := leadingInt(s)
	if fault != faultNone {
		return 0, fault
	}
	if len(rest) == len(s) {
		return 0, faultFormat
	}
	if rest != "" {
		if rest[0] != '.' {
			return 0, faultFormat
		}
		if len(s)-len(rest) > 2 {
			return d.runTogether(s, seen|hasDate)
		}
		if d.micros, fault = fractionMicros(rest); fault != faultNone {
			return 0, fault
		}
	}
	if len(s) == 3 && seen&hasDate == hasYear && v >= 1 && v <= 366 {
		d.dayOfYear = v
		return hasDayOfYear | hasMonth | hasDay, faultNone
	}
	if seen&hasDate == hasDate {
		return d.runTogether(s, seen)
	}
	part := d.partFor(len(s), textMonth, seen)
	switch part {
	case hasYear:
		d.year, d.twoDigits = v, len(s) <= 2
	case hasMonth:
		d.month = v
	case hasDay:
		if seen&hasDate == hasYear|hasMonth && textMonth && len(s) >= 3 && d.twoDigits {
			// The first number was the day after all.
			d.day, d.year, d.twoDigits = d.year, v, false
			return part, faultNone
		}
		d.day = v
	default:
		return 0, faultFormat
	}
	return part, faultNone
}

// partFor is the part of the date that a number of n digits is.
func (d *dateTimeDecoder) partFor(n int, textMonth bool, seen int) int {
	switch seen & hasDate {
	case 0:
		switch {
		case n >= 3 || d.order == orderYMD:
			return hasYear
		case d.order == orderDMY:
			return hasDay
		}
		return hasMonth
	case hasYear, hasDay:
		return hasMonth
	case hasMonth:
		if textMonth && (n >= 3 || d.order == orderYMD) {
			return hasYear
		}
		return hasDay
	case hasYear | hasMonth:
		return hasDay
	case hasMonth | hasDay:
		return hasYear
	}
	return 0
}

// runTogether reads yyyymmdd, yymmdd, hhmmss[.f] and hhmm.
func (d *dateTimeDecoder) runTogether(s string, seen int) (int, dateFault) {
	if whole, _, ok := strings.Cut(s, "."); ok {
		var fault dateFault
		if d.micros, fault = fractionMicros(s[len(whole):]); fault != faultNone {
			return 0, fault
		}
		s = whole
	} else if seen&hasDate != hasDate && len(s) >= 6 {
		return d.runTogetherDate(s)
	}
	if seen&hasTime == hasTime || len(s) != 6 && len(s) != 4 {
		return 0, faultFormat
	}
	clock := [3]int{}
	for i := 0; i < len(s); i += 2 {
		v, err := strconv.Atoi(s[i : i+2])
		if err != nil {
			return 0, faultFormat
		}
		clock[i/2] = v
	}
	d.hour, d.minute, d.second = clock[0], clock[1], clock[2]
	return hasTime, faultNone
}

func (d *dateTimeDecoder) runTogetherDate(s string) (int, dateFault) {
	year, rest, fault := leadingInt(s[:len(s)-4])
	month, err1 := strconv.Atoi(s[len(s)-4 : len(s)-2])
	day, err2 := strconv.Atoi(s[len(s)-2:])
	switch {
	case fault != faultNone:
		return 0, fault
	case rest != "" || err1 != nil || err2 != nil:
		return 0, faultFormat
	}
	d.year, d.month, d.day = year, month, day
	if len(s) == 6 {
		d.twoDigits = true
	}
	return hasDate, faultNone
}

// date reads a date in one field: numbers and at most one month's name between
// separators.
func (d *dateTimeDecoder) date(s string) (int, dateFault) {
	parts, ok := dateParts(s)
	if !ok {
		return 0, faultFormat
	}
	seen, mask, textMonth := d.seen, 0, false
	for _, part := range parts {
		if isDigit(part[0]) {
			continue
		}
		w, _ := lookupDateWord(part)
		if w.kind == wordIgnored {
			continue
		}
		if w.kind != wordMonth || seen&hasMonth != 0 {
			return 0, faultFormat
		}
		d.month, textMonth = w.value, true
		seen |= hasMonth
		mask |= hasMonth
	}
	for _, part := range parts {
		if !isDigit(part[0]) {
			continue
		}
		one, fault := d.number(part, textMonth, seen)
		if fault != faultNone {
			return 0, fault
		}
		if seen&one != 0 {
			return 0, faultFormat
		}
		seen |= one
		mask |= one
	}
	if seen&^(hasDayOfYear|hasZone) != hasDate {
		return 0, faultFormat
	}
	return mask, faultNone
}

// dateParts cuts a date at its separators.
func dateParts(s string) ([]string, bool) {
	var parts []string
	c := fieldCutter{s: s}
	for c.i < len(s) && len(parts) < maxDateFields {
		c.run(func(b byte) bool { return !isAlnum(b) })
		switch {
		case c.i == len(s):
			return nil, false
		case isDigit(c.peek()):
			parts = append(parts, c.run(isDigit))
		default:
			parts = append(parts, c.run(isLetter))
		}
		c.i++ // whatever ends a part goes, even a letter
	}
	return parts, true
}

// clock reads h:m, h:m:s[.f] and m:s.f.
func (d *dateTimeDecoder) clock(s string) dateFault {
	hour, minute, second, micros, fault := clockFields(s, false)
	if hour != int64(int(hour)) {
		return faultField
	}
	d.hour, d.minute, d.second, d.micros = int(hour), minute, second, micros
	return fault
}

// clockFields reads a field with colons; minutesFirst takes a:b as minutes and
// seconds.
func clockFields(s string, minutesFirst bool) (hour int64, minute, second, micros int, fault dateFault) {
	hour, rest, fault := leadingInt64(s)
	if fault != faultNone {
		return 0, 0, 0, 0, faultField
	}
	if rest == "" || rest[0] != ':' {
		return 0, 0, 0, 0, faultFormat
	}
	if minute, rest, fault = leadingInt(rest[1:]); fault != faultNone {
		return 0, 0, 0, 0, faultField
	}
	shift := false
	switch {
	case rest == "":
		shift = minutesFirst
	case rest[0] == '.':
		micros, fault = fractionMicros(rest)
		shift = true
	case rest[0] == ':':
		if second, rest, fault = leadingInt(rest[1:]); fault != faultNone {
			return 0, 0, 0, 0, faultField
		}
		if rest != "" {
			if rest[0] != '.' {
				return 0, 0, 0, 0, faultFormat
			}
			micros, fault = fractionMicros(rest)
		}
	default:
		fault = faultFormat
	}
	if fault != faultNone {
		return 0, 0, 0, 0, fault
	}
	if shift {
		if hour > 59 {
			return 0, 0, 0, 0, faultField
		}
		hour, minute, second = 0, int(hour), minute
	}
	if hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, 0, 0, 0, faultField
	}
	return hour, minute, second, micros, faultNone
}
