package types

import "github.com/akidb/akidb/internal/pgerr"

// fieldKind is what a piece of date and time text looks like before its meaning
// is known.
type fieldKind uint8

const (
	fieldNumber  fieldKind = iota // 2020, 12.5, .5
	fieldWord                     // jan, pm, utc
	fieldDate                     // 2020-01-02, 1/2/2020, 2-jan-2020, america/new_york
	fieldTime                     // 10:20:30.5
	fieldZone                     // +05:30, -8
	fieldSpecial                  // +infinity, -infinity
)

type textField struct {
	kind fieldKind
	text string // lower case
}

// maxDateFields and maxDateBytes bound what date and time input looks at.
const (
	maxDateFields = 25
	maxDateBytes  = 153
)

// splitDateTime cuts text into fields; ok is false for text that no date or
// interval contains.
func splitDateTime(s string) (fields []textField, ok bool) {
	if len(s) > maxDateBytes {
		return nil, false
	}
	c := fieldCutter{s: asciiLower(s)}
	fields = make([]textField, 0, 8)
	for c.i < len(c.s) {
		ch := c.s[c.i]
		if isSpace(ch) {
			c.i++
			continue
		}
		if len(fields) == maxDateFields {
			return nil, false
		}
		var f textField
		switch {
		case isDigit(ch):
			f = c.digits()
		case ch == '.':
			c.i++
			f = textField{fieldNumber, "." + c.run(isDigit)}
		case isLetter(ch):
			f = c.letters()
		case ch == '+' || ch == '-':
			if f, ok = c.signed(); !ok {
				return nil, false
			}
		case ch > ' ' && ch < 0x7f:
			c.i++
			continue
		default:
			return nil, false
		}
		fields = append(fields, f)
	}
	return fields, true
}

// asciiLower leaves bytes beyond ASCII alone, so that none becomes a letter.
func asciiLower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

type fieldCutter struct {
	s string
	i int
}

func (c *fieldCutter) peek() byte {
	if c.i < len(c.s) {
		return c.s[c.i]
	}
	return 0
}

// run takes the bytes that fit.
func (c *fieldCutter) run(fits func(byte) bool) string {
	start := c.i
	for c.i < len(c.s) && fits(c.s[c.i]) {
		c.i++
	}
	return c.s[start:c.i]
}

func isAlnum(c byte) bool { return isDigit(c) || isLetter(c) }

func isClockByte(c byte) bool { return isDigit(c) || c == ':' || c == '.' }

// digits takes a field that starts with a digit: a number, a time or a date.
func (c *fieldCutter) digits() textField {
	start := c.i
	c.run(isDigit)
	kind := fieldNumber
	switch sep := c.peek(); sep {
	case ':':
		c.run(isClockByte)
		kind = fieldTime
	case '-', '/', '.':
		c.i++
		kind = c.datePart(sep)
	}
	return textField{kind, c.s[start:c.i]}
}

// datePart goes on after the first separator of a date. Only a second
// separator, the same, makes a date of what may be a decimal fraction.
func (c *fieldCutter) datePart(sep byte) fieldKind {
	if !isDigit(c.peek()) {
		c.run(func(b byte) bool { return isAlnum(b) || b == sep })
		return fieldDate
	}
	kind := fieldDate
	if sep == '.' {
		kind = fieldNumber
	}
	c.run(isDigit)
	if c.peek() == sep {
		kind = fieldDate
		c.run(func(b byte) bool { return isDigit(b) || b == sep })
	}
	return kind
}

func isZoneByte(c byte) bool {
	switch c {
	case '+', '-', '/', '_', '.', ':':
		return true
	}
	return isAlnum(c)
}

// letters takes a word, or a date or zone name that starts with one. A word
// before a digit or '+' stands alone when it is known (t10:00, j2451187).
func (c *fieldCutter) letters() textField {
	start := c.i
	c.run(isLetter)
	switch next := c.peek(); {
	case next == '-' || next == '/' || next == '.':
	case next == '+' || isDigit(next):
		if _, known := lookupDateWord(c.s[start:c.i]); known {
			return textField{fieldWord, c.s[start:c.i]}
		}
	default:
		return textField{fieldWord, c.s[start:c.i]}
	}
	c.run(isZoneByte)
	return textField{fieldDate, c.s[start:c.i]}
}

// signed takes a zone offset or a signed word.
func (c *fieldCutter) signed() (textField, bool) {
	sign := c.s[c.i : c.i+1]
	c.i++
	c.run(isSpace)
	switch {
	case isDigit(c.peek()):
		return textField{fieldZone, sign + c.run(func(b byte) bool { return isClockByte(b) || b == '-' })}, true
	case isLetter(c.peek()):
		return textField{fieldSpecial, sign + c.run(isLetter)}, true
	}
	return textField{}, false
}

// dateFault is why date and time text was refused.
type dateFault uint8

const (
	faultNone dateFault = iota
	faultFormat
	faultField
	faultMonthDay // a field out of range that another DateStyle may explain
	faultInterval
	faultZone
)

// err words the fault as PostgreSQL does.
func (f dateFault) err(s, typname string) error {
	switch f {
	case faultField:
		return pgerr.Newf(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s)
	case faultMonthDay:
		return pgerr.Newf(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s).
			WithHint("Perhaps you need a different \"datestyle\" setting.")
	case faultInterval:
		return pgerr.Newf(pgerr.IntervalFieldOverflow, "interval field value out of range: \"%s\"", s)
	case faultZone:
		return pgerr.Newf(pgerr.InvalidTimeZoneDisplacement, "time zone displacement out of range: \"%s\"", s)
	}
	return pgerr.Newf(pgerr.InvalidDatetimeFormat, "invalid input syntax for type %s: \"%s\"", typname, s)
}

// leadingInt reads the digits (and sign) at the start of s as a 32-bit integer;
// rest is what follows them.
func leadingInt(s string) (v int, rest string, fault dateFault) {
	wide, rest, fault := leadingInt64(s)
	if fault == faultNone && wide != int64(int32(wide)) {
		fault = faultField
	}
	return int(wide), rest, fault
}

func leadingInt64(s string) (v int64, rest string, fault dateFault) {
	i, negative := 0, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, i = s[0] == '-', 1
	}
	start := i
	for ; i < len(s) && isDigit(s[i]); i++ {
		d := int64(s[i] - '0')
		if negative {
			d = -d
		}
		shifted, ok1 := mulInt64(v, 10)
		next, ok2 := addInt64(shifted, d)
		if !ok1 || !ok2 {
			return 0, s, faultField
		}
		v = next
	}
	if i == start {
		return 0, s, faultNone
	}
	return v, s[i:], faultNone
}
