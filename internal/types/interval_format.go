package types

import "strconv"

// intervalParts is an interval as it is shown.
type intervalParts struct {
	years, months, days, hours, minutes, seconds, micros int64
}

func (i Interval) parts() intervalParts {
	m := i.Micros
	return intervalParts{
		years: int64(i.Months / monthsPerYear), months: int64(i.Months % monthsPerYear), days: int64(i.Days),
		hours: m / microsPerHour, minutes: m / microsPerMinute % 60, seconds: m / microsPerSecond % 60, micros: m % microsPerSecond,
	}
}

// appendInterval prints an interval in the session's IntervalStyle.
func appendInterval(dst []byte, iv Interval, env *Env) []byte {
	p := iv.parts()
	switch env.IntervalStyle {
	case "postgres_verbose":
		return p.verbose(dst)
	case "iso_8601":
		return p.iso(dst)
	case "sql_standard":
		return p.sqlStandard(dst)
	}
	return p.postgres(dst)
}

// clock prints h:mm:ss[.f] without a sign, the hours in at least width digits.
func (p intervalParts) clock(dst []byte, width int) []byte {
	dst = append(appendPadded64(dst, p.hours, width), ':')
	dst = append(append2(dst, int(abs64(p.minutes))), ':')
	return p.secondsText(dst, true)
}

func (p intervalParts) secondsText(dst []byte, pad bool) []byte {
	return appendSeconds(dst, int(abs64(p.seconds)), int(abs64(p.micros)), pad)
}

func appendPadded64(dst []byte, v int64, width int) []byte {
	if v < 0 {
		return appendUnsigned(dst, uint64(-v), width)
	}
	return appendUnsigned(dst, uint64(v), width)
}

func appendUnsigned(dst []byte, v uint64, width int) []byte {
	start := len(dst)
	dst = strconv.AppendUint(dst, v, 10)
	for len(dst)-start < width {
		dst = append(dst, 0)
		copy(dst[start+1:], dst[start:])
		dst[start] = '0'
	}
	return dst
}

func (p intervalParts) hasClock() bool {
	return p.hours != 0 || p.minutes != 0 || p.seconds != 0 || p.micros != 0
}

func (p intervalParts) negativeClock() bool {
	return p.hours < 0 || p.minutes < 0 || p.seconds < 0 || p.micros < 0
}

// postgres prints 1 year 2 mons -3 days +04:05:06: a positive part after a
// negative one gets a plus.
func (p intervalParts) postgres(dst []byte) []byte {
	start := len(dst)
	negative := false
	for _, u := range []struct {
		v    int64
		name string
	}{{p.years, "year"}, {p.months, "mon"}, {p.days, "day"}} {
		if u.v == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if negative && u.v > 0 {
			dst = append(dst, '+')
		}
		dst = append(strconv.AppendInt(dst, u.v, 10), ' ')
		dst = append(dst, u.name...)
		if u.v != 1 {
			dst = append(dst, 's')
		}
		negative = u.v < 0
	}
	if len(dst) > start && !p.hasClock() {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, ' ')
	}
	if p.negativeClock() {
		dst = append(dst, '-')
	} else if negative {
		dst = append(dst, '+')
	}
	return p.clock(dst, 2)
}

// verbose prints @ 1 year 2 mons ago.
func (p intervalParts) verbose(dst []byte) []byte {
	dst = append(dst, '@')
	ago, any := false, false
	add := func(v int64, name string) {
		if v == 0 {
			return
		}
		if !any {
			ago = v < 0
		}
		if ago {
			v = -v
		}
		any = true
		dst = append(strconv.AppendInt(append(dst, ' '), v, 10), ' ')
		dst = append(dst, name...)
		if v != 1 {
			dst = append(dst, 's')
		}
	}
	add(p.years, "year")
	add(p.months, "mon")
	add(p.days, "day")
	add(p.hours, "hour")
	add(p.minutes, "min")
	if p.seconds != 0 || p.micros != 0 {
		negative := p.seconds < 0 || p.micros < 0
		if !any {
			ago = negative
		}
		any = true
		dst = append(dst, ' ')
		if negative != ago {
			dst = append(dst, '-')
		}
		dst = append(p.secondsText(dst, false), " sec"...)
		if abs64(p.seconds) != 1 || p.micros != 0 {
			dst = append(dst, 's')
		}
	}
	if !any {
		return append(dst, " 0"...)
	}
	if ago {
		dst = append(dst, " ago"...)
	}
	return dst
}

// iso prints P1Y2M3DT4H5M6S.
func (p intervalParts) iso(dst []byte) []byte {
	if p == (intervalParts{}) {
		return append(dst, "PT0S"...)
	}
	dst = append(dst, 'P')
	add := func(v int64, unit byte) {
		if v != 0 {
			dst = append(strconv.AppendInt(dst, v, 10), unit)
		}
	}
	add(p.years, 'Y')
	add(p.months, 'M')
	add(p.days, 'D')
	if !p.hasClock() {
		return dst
	}
	dst = append(dst, 'T')
	add(p.hours, 'H')
	add(p.minutes, 'M')
	if p.seconds != 0 || p.micros != 0 {
		if p.seconds < 0 || p.micros < 0 {
			dst = append(dst, '-')
		}
		dst = append(p.secondsText(dst, false), 'S')
	}
	return dst
}

// sqlStandard prints 1-2, 3 4:05:06 or, where signs or kinds mix, +1-2 -3 +4:05:06.
func (p intervalParts) sqlStandard(dst []byte) []byte {
	negative := p.years < 0 || p.months < 0 || p.days < 0 || p.negativeClock()
	positive := p.years > 0 || p.months > 0 || p.days > 0 || p.hours > 0 || p.minutes > 0 || p.seconds > 0 || p.micros > 0
	yearMonth, dayTime := p.years != 0 || p.months != 0, p.days != 0 || p.hasClock()
	if negative && !positive && !(yearMonth && dayTime) {
		dst = append(dst, '-')
		p = p.magnitude()
	}
	switch {
	case !negative && !positive:
		return append(dst, '0')
	case negative && positive || yearMonth && dayTime:
		return p.sqlMixed(dst)
	case yearMonth:
		dst = append(appendPadded64(dst, p.years, 1), '-')
		return appendPadded64(dst, p.months, 1)
	case p.days != 0:
		dst = append(appendPadded64(dst, p.days, 1), ' ')
	}
	return p.clock(dst, 1)
}

func (p intervalParts) magnitude() intervalParts {
	return intervalParts{
		-p.years, -p.months, -p.days, -p.hours, -p.minutes, -p.seconds, -p.micros,
	}
}

func (p intervalParts) sqlMixed(dst []byte) []byte {
	dst = append(appendPadded64(append(dst, signOf(p.years < 0 || p.months < 0)), p.years, 1), '-')
	dst = append(appendPadded64(dst, p.months, 1), ' ')
	dst = append(appendPadded64(append(dst, signOf(p.days < 0)), p.days, 1), ' ')
	return p.clock(append(dst, signOf(p.negativeClock())), 1)
}

func signOf(negative bool) byte {
	if negative {
		return '-'
	}
	return '+'
}
