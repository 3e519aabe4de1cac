package types

import (
	"strings"
	"time"
)

type dateOutput uint8

const (
	outputISO dateOutput = iota
	outputSQL
	outputPostgres
	outputGerman
)

type dateOrder uint8

const (
	orderMDY dateOrder = iota
	orderDMY
	orderYMD
)

// dateStyle reads "ISO, MDY" and the like.
func dateStyle(s string) (dateOutput, dateOrder) {
	out, order := outputISO, orderMDY
	if s == "ISO, MDY" || s == "" {
		return out, order
	}
	style, rest, _ := strings.Cut(s, ",")
	switch strings.ToLower(strings.TrimSpace(style)) {
	case "sql":
		out = outputSQL
	case "postgres":
		out = outputPostgres
	case "german":
		out, order = outputGerman, orderDMY
	}
	switch strings.ToLower(strings.TrimSpace(rest)) {
	case "dmy", "euro", "european":
		order = orderDMY
	case "ymd":
		order = orderYMD
	case "mdy", "us":
		order = orderMDY
	}
	return out, order
}

// append2 prints two digits, more when there are more.
func append2(dst []byte, v int) []byte { return appendPadded(dst, v, 2) }

func appendPadded(dst []byte, v, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for v > 0 || i == len(buf) {
		i--
		buf[i] = byte('0' + v%10)
		v /= 10
	}
	for n := len(buf) - i; n < width; n++ {
		dst = append(dst, '0')
	}
	return append(dst, buf[i:]...)
}

// shownYear is the year of the era: 1 BC is year 0.
func shownYear(year int) (shown int, bc bool) {
	if year > 0 {
		return year, false
	}
	return 1 - year, true
}

func appendDate(dst []byte, d Date, env *Env) []byte {
	switch d {
	case DateInfinity:
		return append(dst, "infinity"...)
	case DateNegInfinity:
		return append(dst, "-infinity"...)
	}
	year, month, day := d.YMD()
	out, order := dateStyle(env.DateStyle)
	dst = appendYMD(dst, year, month, day, out, order)
	return appendEra(dst, year)
}

func appendEra(dst []byte, year int) []byte {
	if year <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

// appendYMD prints a date alone; the Postgres style of timestamps differs and
// stands in appendTimestampText.
func appendYMD(dst []byte, year, month, day int, out dateOutput, order dateOrder) []byte {
	y, _ := shownYear(year)
	sep := byte('-')
	switch out {
	case outputISO:
		dst = append(appendPadded(dst, y, 4), '-')
		dst = append(append2(dst, month), '-')
		return append2(dst, day)
	case outputSQL:
		sep = '/'
	case outputGerman:
		sep, order = '.', orderDMY
	}
	if order == orderDMY {
		month, day = day, month
	}
	dst = append(append2(dst, month), sep)
	dst = append(append2(dst, day), sep)
	return appendPadded(dst, y, 4)
}

func appendTime(dst []byte, t Time) []byte {
	hour, minute, second, micros := t.parts()
	dst = append(append2(dst, hour), ':')
	dst = append(append2(dst, minute), ':')
	return appendSeconds(dst, second, micros, true)
}

// appendSeconds prints seconds with their fraction, without trailing zeros.
func appendSeconds(dst []byte, second, micros int, pad bool) []byte {
	width := 1
	if pad {
		width = 2
	}
	dst = appendPadded(dst, second, width)
	if micros == 0 {
		return dst
	}
	dst = appendPadded(append(dst, '.'), micros, 6)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendOffset prints +hh[:mm[:ss]] of an offset in seconds east of UTC.
func appendOffset(dst []byte, east int) []byte {
	sign := byte('+')
	if east < 0 {
		sign, east = '-', -east
	}
	dst = append2(append(dst, sign), east/3600)
	if east%3600 == 0 {
		return dst
	}
	dst = append2(append(dst, ':'), east/60%60)
	if east%60 == 0 {
		return dst
	}
	return append2(append(dst, ':'), east%60)
}

func appendInfinite(dst []byte, v int64) []byte {
	if v < 0 {
		return append(dst, "-infinity"...)
	}
	return append(dst, "infinity"...)
}

func appendTimestamp(dst []byte, t Timestamp, env *Env) []byte {
	if t.IsInfinite() {
		return appendInfinite(dst, int64(t))
	}
	return appendTimestampText(dst, t, env, nil)
}

func appendTimestampTZ(dst []byte, t TimestampTZ, env *Env) []byte {
	if t.IsInfinite() {
		return appendInfinite(dst, int64(t))
	}
	var zone shownZone
	if env.TimeZone == time.UTC || env.TimeZone == nil {
		zone.name = "UTC"
		return appendTimestampText(dst, Timestamp(t), env, &zone)
	}
	sec, _ := divMod(int64(t), microsPerSecond)
	zone.name, zone.east = time.Unix(sec+postgresUnixSeconds, 0).In(env.TimeZone).Zone()
	return appendTimestampText(dst, Timestamp(int64(t)+int64(zone.east)*microsPerSecond), env, &zone)
}

type shownZone struct {
	name string
	east int
}

var (
	dayNames   = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	monthNames = [13]string{"", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
)

// appendTimestampText prints a finite local timestamp, with a zone unless nil.
func appendTimestampText(dst []byte, t Timestamp, env *Env, zone *shownZone) []byte {
	out, order := dateStyle(env.DateStyle)
	date, clock := t.Split()
	year, month, day := date.YMD()
	if out == outputPostgres {
		dst = append(append(dst, dayNames[weekday(int(date)+postgresEpochJulian)]...), ' ')
		if order == orderDMY {
			dst = append(append2(dst, day), ' ')
			dst = append(dst, monthNames[month]...)
		} else {
			dst = append(append(dst, monthNames[month]...), ' ')
			dst = append2(dst, day)
		}
		dst = append(appendTime(append(dst, ' '), clock), ' ')
		y, _ := shownYear(year)
		dst = appendPadded(dst, y, 4)
	} else {
		dst = appendYMD(dst, year, month, day, out, order)
		dst = appendTime(append(dst, ' '), clock)
	}
	return appendEra(appendZone(dst, zone, out), year)
}

func appendZone(dst []byte, zone *shownZone, out dateOutput) []byte {
	switch {
	case zone == nil:
		return dst
	case out == outputISO:
		return appendOffset(dst, zone.east)
	case zone.name != "":
		return append(append(dst, ' '), zone.name...)
	case out == outputPostgres:
		dst = append(dst, ' ')
	}
	return appendOffset(dst, zone.east)
}
