package types

import (
	"math"
	"strconv"
)

// isoReader reads ISO 8601 durations: P1Y2M3DT4H5M6S and the alternative
// forms P0001-02-03T04:05:06 and P00010203T040506.
type isoReader struct {
	s string
	i int
}

func (r *isoReader) next() byte {
	if r.i < len(r.s) {
		r.i++
		return r.s[r.i-1]
	}
	r.i++
	return 0
}

func (r *isoReader) atEnd() bool { return r.i >= len(r.s) }

// number reads a decimal number as a whole and a fraction of the same sign.
func (r *isoReader) number() (whole int64, frac float64, fault dateFault) {
	start := r.i
	if r.atEnd() || !isDigit(r.s[r.i]) && r.s[r.i] != '-' && r.s[r.i] != '.' {
		return 0, 0, faultFormat
	}
	r.i++
	for !r.atEnd() && (isDigit(r.s[r.i]) || r.s[r.i] == '.') {
		r.i++
	}
	if n := exponentLength(r.s[r.i:]); n > 0 {
		r.i += n
	}
	f, err := strconv.ParseFloat(r.s[start:r.i], 64)
	if err != nil {
		return 0, 0, faultFormat
	}
	if f < -1e15 || f > 1e15 {
		return 0, 0, faultField
	}
	t := math.Trunc(f)
	return int64(t), f - t, faultNone
}

// exponentLength is the length of e[+-]digits at the start of s, 0 for none.
func exponentLength(s string) int {
	if s == "" || s[0]|0x20 != 'e' {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	first := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == first {
		return 0
	}
	return i
}

// isoWidth is the number of digits at the start of s, after a sign.
func isoWidth(s string) int {
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func (d *intervalDecoder) iso(s string) dateFault {
	if len(s) < 2 || s[0] != 'P' {
		return faultFormat
	}
	r := &isoReader{s: s, i: 1}
	clock, any := false, false
	for !r.atEnd() {
		if r.s[r.i] == 'T' {
			clock, any = true, false
			r.i++
			continue
		}
		start := r.i
		v, frac, fault := r.number()
		if fault != faultNone {
			return fault
		}
		unit := r.next()
		done := false
		if clock {
			done, fault = d.isoClock(r, start, v, frac, unit, any)
		} else {
			done, clock, fault = d.isoDate(r, start, v, frac, unit, any)
		}
		if done || fault != faultNone {
			return fault
		}
		any = true
		if clock && (unit == 'T' || r.s[r.i-1] == 'T') {
			any = false
		}
	}
	return faultNone
}

func fieldFault(ok bool) dateFault {
	if ok {
		return faultNone
	}
	return faultField
}

var isoDateUnits = map[byte]int{'Y': unitYear, 'M': unitMonth, 'W': unitWeek, 'D': unitDay}

// isoDate takes one field before T; clock says that a T ended an alternative form.
func (d *intervalDecoder) isoDate(r *isoReader, start int, v int64, frac float64, unit byte, any bool) (done, clock bool, fault dateFault) {
	if u, ok := isoDateUnits[unit]; ok {
		_, ok := d.add(v, frac, u)
		return false, false, fieldFault(ok)
	}
	if unit != 'T' && unit != 0 && unit != '-' {
		return true, false, faultFormat
	}
	if unit != '-' && isoWidth(r.s[start:]) == 8 && !any {
		ok := d.addYears(v/10000, 0, 1) && d.addMonths(v/100%100) && d.addDays(v%100, 1) && d.addMicros(0, frac, microsPerDay)
		return unit == 0, unit == 'T', fieldFault(ok)
	}
	if any {
		return true, false, faultFormat
	}
	if !d.addYears(v, frac, 1) {
		return true, false, faultField
	}
	if unit == 0 || unit == 'T' {
		return unit == 0, unit == 'T', faultNone
	}
	for _, u := range [2]int{unitMonth, unitDay} {
		if v, frac, fault = r.number(); fault != faultNone {
			return true, false, fault
		}
		if _, ok := d.add(v, frac, u); !ok {
			return true, false, faultField
		}
		switch unit = r.next(); {
		case unit == 0:
			return true, false, faultNone
		case unit == 'T':
			return false, true, faultNone
		case unit != '-' || u == unitDay:
			return true, false, faultFormat
		}
	}
	return true, false, faultFormat
}

var isoClockUnits = map[byte]int64{'H': microsPerHour, 'M': microsPerMinute, 'S': microsPerSecond}

func (d *intervalDecoder) isoClock(r *isoReader, start int, v int64, frac float64, unit byte, any bool) (done bool, fault dateFault) {
	if scale, ok := isoClockUnits[unit]; ok {
		return false, fieldFault(d.addMicros(v, frac, scale))
	}
	if unit != 0 && unit != ':' {
		return true, faultFormat
	}
	if unit == 0 && isoWidth(r.s[start:]) == 6 && !any {
		ok := d.addMicros(v/10000, 0, microsPerHour) && d.addMicros(v/100%100, 0, microsPerMinute) &&
			d.addMicros(v%100, 0, microsPerSecond) && d.addMicros(0, frac, 1)
		return true, fieldFault(ok)
	}
	if any {
		return true, faultFormat
	}
	scale := microsPerHour
	for {
		if !d.addMicros(v, frac, scale) {
			return true, faultField
		}
		switch {
		case unit == 0:
			return true, faultNone
		case unit != ':' || scale == microsPerSecond:
			return true, faultFormat
		}
		scale /= 60
		if v, frac, fault = r.number(); fault != faultNone {
			return true, fault
		}
		unit = r.next()
	}
}
