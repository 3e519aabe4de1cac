package types

import (
	"math"
	"strings"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
)

// specialTime is a value that the calendar does not reach.
type specialTime uint8

const (
	specialNone specialTime = iota
	specialInfinity
	specialNegInfinity
	specialEpoch
)

// dateTimeInput is what date and time text means. year 0 is 1 BC; west is
// seconds west of UTC.
type dateTimeInput struct {
	special                                        specialTime
	year, month, day, hour, minute, second, micros int
	west                                           int
}

func (in *dateTimeInput) specialTimestamp() (Timestamp, bool) {
	switch in.special {
	case specialInfinity:
		return TimestampInfinity, true
	case specialNegInfinity:
		return TimestampNegInfinity, true
	case specialEpoch:
		return Timestamp(unixEpochMicros), true
	}
	return 0, false
}

func (in *dateTimeInput) parts() DateTimeParts {
	return DateTimeParts{
		Year: in.year, Month: in.month, Day: in.day,
		Hour: in.hour, Minute: in.minute, Second: in.second, Micros: in.micros,
	}
}

func (in *dateTimeInput) timeOfDay() Time {
	return Time(int64(in.hour)*microsPerHour + int64(in.minute)*microsPerMinute + int64(in.second)*microsPerSecond + int64(in.micros))
}

// The parts of a date and time that have been seen.
const (
	hasYear = 1 << iota
	hasMonth
	hasDay
	hasDayOfYear
	hasHour
	hasMinute
	hasSecond
	hasMillisecond
	hasMicrosecond
	hasZone
	hasDSTModifier
	hasDSTZone
	hasEra
	hasAMPM
	hasWeekday
	hasReserved
	hasWeek
	hasDecade
	hasCentury
	hasMillennium

	hasDate    = hasYear | hasMonth | hasDay
	hasTime    = hasHour | hasMinute | hasSeconds
	hasSeconds = hasSecond | hasMillisecond | hasMicrosecond
)

// dateTimeDecoder gives the fields of a date and time their meaning. It reads
// as PostgreSQL's "Appendix B.1, Date/Time Input Interpretation" describes.
type dateTimeDecoder struct {
	dateTimeInput
	env    *Env
	order  dateOrder
	fields []textField
	// timeOnly reads a time of day, in which a date only helps to find the zone.
	timeOnly bool

	seen       int
	label      int // the unit that a word gave to the next number
	dayOfYear  int
	textMonth  bool
	twoDigits  bool // the year has at most two digits
	bc, julian bool
	half       int
	zone       *time.Location // a zone by name, resolved when the date is known
	unknown    string         // a zone name that nobody knows
}

func newDateTimeDecoder(s string, env *Env, timeOnly bool) (*dateTimeDecoder, dateFault) {
	fields, ok := splitDateTime(s)
	if !ok {
		return nil, faultFormat
	}
	d := &dateTimeDecoder{env: env, fields: fields, timeOnly: timeOnly}
	_, d.order = dateStyle(env.DateStyle)
	return d, faultNone
}

// decodeDateTime reads a date with or without a time of day; typ is the type's
// name for messages. A zone is always accepted; only timestamptz uses it.
func decodeDateTime(s, typ string, env *Env, _ bool) (*dateTimeInput, error) {
	d, fault := newDateTimeDecoder(s, env, false)
	if fault == faultNone {
		if fault = d.run(); fault == faultNone && d.special == specialNone {
			fault = d.finishDateTime()
		}
	}
	return d.result(s, typ, fault)
}

// decodeTimeOnly reads a time of day.
func decodeTimeOnly(s, typ string, env *Env) (*dateTimeInput, error) {
	d, fault := newDateTimeDecoder(s, env, true)
	if fault == faultNone {
		if fault = d.run(); fault == faultNone {
			fault = d.finishTime()
		}
	}
	return d.result(s, typ, fault)
}

func (d *dateTimeDecoder) result(s, typ string, fault dateFault) (*dateTimeInput, error) {
	switch {
	case fault == faultNone:
		return &d.dateTimeInput, nil
	case d != nil && d.unknown != "":
		return nil, UnknownZone(d.unknown)
	}
	return nil, fault.err(s, typ)
}

// UnknownZone is the error for a time zone that nobody knows.
func UnknownZone(name string) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, "time zone \"%s\" not recognized", name)
}

// dateSeen is what counts as seen for numbers: a time of day has no date.
func (d *dateTimeDecoder) dateSeen() int {
	if d.timeOnly {
		return d.seen | hasDate
	}
	return d.seen
}

func (d *dateTimeDecoder) run() dateFault {
	for i := range d.fields {
		mask, fault := d.field(i)
		if fault != faultNone {
			return fault
		}
		if mask&d.seen != 0 {
			return faultFormat
		}
		d.seen |= mask
	}
	return faultNone
}

func (d *dateTimeDecoder) field(i int) (mask int, fault dateFault) {
	f := d.fields[i]
	switch f.kind {
	case fieldDate:
		return d.dateField(i, f.text)
	case fieldTime:
		if d.label != unitNone && !d.timeOnly {
			if d.label != unitTime {
				return 0, faultFormat
			}
			d.label = unitNone
		}
		fault = d.clock(f.text)
		if fault == faultNone && !d.timeOnly && d.clockOverflows() {
			fault = faultField
		}
		return hasTime, fault
	case fieldZone:
		return hasZone, d.offset(f.text)
	case fieldNumber:
		return d.numberField(i, f.text)
	}
	return d.wordField(i, f.text)
}

// dateField is a date, the zone's name after one, a julian day with a zone, or
// a time run together with a zone.
func (d *dateTimeDecoder) dateField(i int, s string) (int, dateFault) {
	if d.timeOnly {
		return d.dateFieldOfTime(i, s)
	}
	if d.label == unitJulian {
		return d.julianWithZone(s)
	}
	if d.label == unitNone && d.seen&(hasMonth|hasDay) != hasMonth|hasDay {
		return d.date(s)
	}
	if !isDigit(s[0]) && d.label == unitNone {
		return d.namedZone(s)
	}
	if d.label != unitNone && d.label != unitTime {
		return 0, faultFormat
	}
	d.label = unitNone
	return d.clockWithZone(s, d.seen)
}

func (d *dateTimeDecoder) dateFieldOfTime(i int, s string) (int, dateFault) {
	n := len(d.fields)
	switch {
	case i == 0 && n >= 2 && (d.fields[n-1].kind == fieldDate || d.fields[1].kind == fieldTime):
		return d.date(s)
	case isDigit(s[0]):
		d.label = unitNone
		return d.clockWithZone(s, d.dateSeen())
	}
	return d.namedZone(s)
}

func (d *dateTimeDecoder) julianWithZone(s string) (int, dateFault) {
	day, rest, fault := leadingInt(s)
	if fault != faultNone || day < 0 {
		return 0, faultField
	}
	d.setJulian(day)
	d.label = unitNone
	return hasDate | hasTime | hasZone, d.offset(rest)
}

func (d *dateTimeDecoder) setJulian(day int) {
	d.year, d.month, d.day = calendarDay(day)
	d.julian = true
}

// clockWithZone reads hhmmss-zz.
func (d *dateTimeDecoder) clockWithZone(s string, seen int) (int, dateFault) {
	if d.seen&hasTime == hasTime {
		return 0, faultFormat
	}
	at := strings.IndexByte(s, '-')
	if at < 0 {
		return 0, faultFormat
	}
	if fault := d.offset(s[at:]); fault != faultNone {
		return 0, fault
	}
	mask, fault := d.runTogether(s[:at], seen)
	return mask | hasZone, fault
}

func (d *dateTimeDecoder) namedZone(s string) (int, dateFault) {
	loc, ok := namedZone(s)
	if !ok {
		d.unknown = s
		return 0, faultFormat
	}
	d.zone = loc
	return hasZone, faultNone
}

// offset reads +hh[:mm[:ss]] or +hhmm.
func (d *dateTimeDecoder) offset(s string) dateFault {
	west, fault := decodeOffset(s)
	d.west = west
	return fault
}

func decodeOffset(s string) (west int, fault dateFault) {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, faultFormat
	}
	var part [3]int
	var rest string
	if part[0], rest, fault = leadingInt(s[1:]); fault != faultNone {
		return 0, faultZone
	}
	switch {
	case rest != "" && rest[0] == ':':
		for i := 1; i < 3 && rest != "" && rest[0] == ':'; i++ {
			if part[i], rest, fault = leadingInt(rest[1:]); fault != faultNone {
				return 0, faultZone
			}
		}
	case rest == "" && len(s) > 3:
		part[0], part[1] = part[0]/100, part[0]%100
	}
	if part[0] < 0 || part[0] > 15 || part[1] < 0 || part[1] > 59 || part[2] < 0 || part[2] > 59 {
		return 0, faultZone
	}
	if rest != "" {
		return 0, faultFormat
	}
	west = part[0]*3600 + part[1]*60 + part[2]
	if s[0] == '+' {
		west = -west
	}
	return west, faultNone
}

// finishDateTime checks and completes a date and time.
func (d *dateTimeDecoder) finishDateTime() dateFault {
	if fault := d.checkDate(); fault != faultNone {
		return fault
	}
	if fault := d.applyHalf(); fault != faultNone {
		return fault
	}
	if d.seen&hasDate != hasDate {
		return faultFormat
	}
	return d.resolveZone(d.dateTimeInput)
}

// resolveZone finds the offset of a named zone, or the session's, at a moment.
func (d *dateTimeDecoder) resolveZone(at dateTimeInput) dateFault {
	loc := d.zone
	if loc == nil && d.seen&hasZone == 0 {
		if loc = d.env.TimeZone; loc == nil {
			loc = time.UTC
		}
	}
	if loc == nil {
		return faultNone
	}
	if d.seen&hasDSTModifier != 0 {
		return faultFormat
	}
	d.west = zoneWestAt(loc, at)
	return faultNone
}

func zoneWestAt(loc *time.Location, at dateTimeInput) int {
	if loc == time.UTC || !validJulian(at.year, at.month, at.day) {
		return 0
	}
	days := int64(julianDay(at.year, at.month, at.day) - unixEpochJulian)
	return -localOffset(loc, days*86400+int64(at.hour)*3600+int64(at.minute)*60+int64(at.second))
}

// finishTime checks and completes a time of day.
func (d *dateTimeDecoder) finishTime() dateFault {
	if fault := d.checkDate(); fault != faultNone {
		return fault
	}
	if fault := d.applyHalf(); fault != faultNone {
		return fault
	}
	if d.clockOverflows() {
		return faultField
	}
	if d.seen&hasTime != hasTime {
		return faultFormat
	}
	if d.zone == nil && d.seen&hasZone != 0 {
		return faultNone
	}
	at := d.dateTimeInput
	switch {
	case d.seen&hasDate == hasDate:
	case d.zone != nil && !hasFixedOffset(d.zone), d.seen&hasDate != 0 && d.zone == nil:
		return faultFormat
	default:
		at.year, at.month, at.day = d.env.today()
	}
	return d.resolveZone(at)
}

// hasFixedOffset tells whether the clocks of loc never change.
func hasFixedOffset(loc *time.Location) bool {
	start, end := time.Unix(0, 0).In(loc).ZoneBounds()
	return start.IsZero() && end.IsZero()
}

func (d *dateTimeDecoder) clockOverflows() bool {
	return d.hour < 0 || d.hour > 24 || int64(d.timeOfDay()) > microsPerDay
}

// applyHalf turns 12-hour clocks into 24-hour ones.
func (d *dateTimeDecoder) applyHalf() dateFault {
	switch {
	case d.half == hours24:
	case d.hour > 12:
		return faultField
	case d.half == hoursAM && d.hour == 12:
		d.hour = 0
	case d.half == hoursPM && d.hour != 12:
		d.hour += 12
	}
	return faultNone
}

// checkDate settles the year and checks month and day.
func (d *dateTimeDecoder) checkDate() dateFault {
	if d.seen&hasYear != 0 && !d.julian {
		if fault := d.settleYear(); fault != faultNone {
			return fault
		}
	}
	if d.seen&hasDayOfYear != 0 {
		d.year, d.month, d.day = calendarDay(julianDay(d.year, 1, 1) + d.dayOfYear - 1)
	}
	if d.seen&hasMonth != 0 && (d.month < 1 || d.month > 12) || d.seen&hasDay != 0 && (d.day < 1 || d.day > 31) {
		return faultMonthDay
	}
	if d.seen&hasDate == hasDate && d.day > daysIn(d.year, d.month) {
		return faultField
	}
	return faultNone
}

func (d *dateTimeDecoder) settleYear() dateFault {
	switch {
	case d.bc:
		if d.year <= 0 {
			return faultField
		}
		d.year = 1 - d.year
	case d.twoDigits:
		if d.year < 0 {
			return faultField
		}
		if d.year < 70 {
			d.year += 2000
		} else if d.year < 100 {
			d.year += 1900
		}
	case d.year <= 0:
		return faultField
	}
	return faultNone
}

// now is the transaction's time; a clock outside a transaction.
func (env *Env) now() time.Time {
	now := env.Now
	if now.IsZero() {
		now = time.Now()
	}
	if env.TimeZone != nil {
		return now.In(env.TimeZone)
	}
	return now.UTC()
}

func (env *Env) today() (year, month, day int) {
	now := env.now()
	return now.Year(), int(now.Month()), now.Day()
}

// fractionMicros reads ".25" as microseconds; rounding may give a whole second.
func fractionMicros(s string) (int, dateFault) {
	f, ok := parseFraction(s)
	if !ok {
		return 0, faultFormat
	}
	return int(math.RoundToEven(f * 1e6)), faultNone
}
