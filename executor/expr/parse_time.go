package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var parseTimeFunctions = []*Function{
	define("to_date(text, text) date", func(_ *Context, a []types.Datum) (types.Datum, error) {
		p, err := parseTimeTemplate(a[0].(string), a[1].(string))
		if err != nil {
			return nil, err
		}
		return datum(p.date(a[0].(string)))
	}).stable(),
	define("to_timestamp(text, text) timestamptz", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		p, err := parseTimeTemplate(a[0].(string), a[1].(string))
		if err != nil {
			return nil, err
		}
		return p.timestamptz(ctx, a[0].(string))
	}).stable(),
}

// parsedTime is what the patterns of to_date and to_timestamp found. A pattern
// may come twice only with the same value.
type parsedTime struct {
	values  map[string]int // by field: year, month, hour12 …
	pm, bc  bool
	digits  int // of the year
	zone    int // sign of the zone, 0 without one
	isoDate bool
	plain   bool
}

// timeReader reads text by a template.
type timeReader struct {
	parsedTime
	text  string
	s     string // what is left of text
	nodes []formatNode
	fixed bool // FX: blanks and separators must match
	extra int  // blanks and separators of the text beyond those of the template
}

func parseTimeTemplate(s, template string) (*parsedTime, error) {
	r := timeReader{text: s, s: s, nodes: dateLanguage.parse(template)}
	r.values = map[string]int{}
	for i := range r.nodes {
		n := &r.nodes[i]
		if strings.EqualFold(n.key, "FX") {
			r.fixed = true
			continue
		}
		if !r.fixed && (n.key != "" || i == 0) {
			for r.s != "" && isBlank(r.s[0]) {
				r.s = r.s[1:]
				r.extra++
			}
		}
		if n.key == "" {
			r.literal(n)
			continue
		}
		if r.s == "" {
			break
		}
		if err := r.field(i); err != nil {
			return nil, err
		}
		if !r.fixed {
			r.extra = 0
			for r.s != "" && isBlank(r.s[0]) {
				r.s = r.s[1:]
				r.extra++
			}
		}
	}
	return &r.parsedTime, nil
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isTemplateSeparator: any printable character but letters and digits.
func isTemplateSeparator(c byte) bool {
	return c > ' ' && c < 0x7f && !isLetter(c) && (c < '0' || c > '9')
}

// literal skips what stands for a template's own text.
func (r *timeReader) literal(n *formatNode) {
	if r.s == "" {
		return
	}
	c := n.text[0]
	_, size := utf8.DecodeRuneInString(r.s)
	switch {
	case r.fixed:
		r.s = r.s[size:]
	case !n.quoted && (isBlank(c) || isTemplateSeparator(c)):
		r.extra--
		if isBlank(r.s[0]) || isTemplateSeparator(r.s[0]) {
			r.s = r.s[1:]
			r.extra++
		}
	case r.extra > 0:
		r.extra--
	default:
		r.s = r.s[size:]
	}
}

// numberPattern is a pattern that reads a number of up to width digits.
type numberPattern struct {
	field string
	width int
	iso   bool // of the ISO week calendar
	date  bool // of the Gregorian calendar
}

var numberPatterns = map[string]numberPattern{
	"HH": {field: "hour12", width: 2}, "HH12": {field: "hour12", width: 2}, "HH24": {field: "hour", width: 2},
	"MI": {field: "minute", width: 2}, "SS": {field: "second", width: 2},
	"SSSS": {field: "daysecond", width: 5}, "SSSSS": {field: "daysecond", width: 5},
	"MM": {field: "month", width: 2, date: true}, "DD": {field: "day", width: 2, date: true},
	"DDD": {field: "yearday", width: 3, date: true}, "D": {field: "weekday", width: 1},
	"ID": {field: "isoday", width: 1, iso: true}, "IDDD": {field: "isoyearday", width: 3, iso: true},
	"WW": {field: "week", width: 2, date: true}, "W": {field: "monthweek", width: 1, date: true}, "IW": {field: "isoweek", width: 2, iso: true},
	"Q": {field: "", width: 1}, "CC": {field: "century", width: 2, date: true}, "J": {field: "julian", width: 9},
	"YYYY": {field: "year", width: 4, date: true}, "YYY": {field: "year", width: 3, date: true},
	"YY": {field: "year", width: 2, date: true}, "Y": {field: "year", width: 1, date: true},
	"IYYY": {field: "year", width: 4, iso: true}, "IYY": {field: "year", width: 3, iso: true},
	"IY": {field: "year", width: 2, iso: true}, "I": {field: "year", width: 1, iso: true},
}

func (r *timeReader) field(i int) error {
	n := &r.nodes[i]
	key := strings.ToUpper(n.key)
	if p, ok := numberPatterns[key]; ok {
		return r.number(i, p)
	}
	switch key {
	case "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		return r.fraction(i, key)
	case "AM", "PM", "A.M.", "P.M.":
		at, err := r.word(n, dottedWords(key, "am", "pm"))
		r.pm = at == 1
		r.values["half"] = 1
		return err
	case "AD", "BC", "A.D.", "B.C.":
		at, err := r.word(n, dottedWords(key, "ad", "bc"))
		r.bc = at == 1
		return err
	case "MONTH", "MON":
		return r.month(n, key == "MON")
	case "DAY", "DY":
		return r.dayName(n, key == "DY")
	case "RM":
		at, err := r.word(n, romanReversed)
		if err != nil {
			return err
		}
		return r.set(n, numberPattern{field: "month", date: true}, 12-at)
	case "TZH":
		return r.zoneHour(i)
	case "TZM":
		return r.number(i, numberPattern{field: "zoneminute", width: 2})
	case "TZ", "OF":
		return pgerr.Newf(pgerr.FeatureNotSupported, "formatting field \"%s\" is only supported in to_char", key)
	case "Y,YYY":
		return r.thousands(n)
	}
	return nil
}

var romanReversed = []string{"xii", "xi", "x", "ix", "viii", "vii", "vi", "v", "iv", "iii", "ii", "i"}

func dottedWords(key, a, b string) []string {
	if len(key) == 4 {
		return []string{a[:1] + "." + a[1:] + ".", b[:1] + "." + b[1:] + "."}
	}
	return []string{a, b}
}

// word takes the first of the words that the text starts with, in any case.
func (r *timeReader) word(n *formatNode, words []string) (int, error) {
	for i, w := range words {
		if len(r.s) >= len(w) && strings.EqualFold(r.s[:len(w)], w) {
			r.s = r.s[len(w):]
			return i, nil
		}
	}
	shown := r.s
	for i, c := range shown {
		if isBlank(byte(c)) {
			shown = shown[:i]
			break
		}
	}
	return 0, pgerr.Newf(pgerr.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", shown, n.key).
		WithDetail("The given value did not match any of the allowed values for this field.")
}

func (r *timeReader) month(n *formatNode, short bool) error {
	at, err := r.word(n, shortened(monthWords[1:], short))
	if err != nil {
		return err
	}
	return r.set(n, numberPattern{field: "month", date: true}, at+1)
}

func (r *timeReader) dayName(n *formatNode, short bool) error {
	at, err := r.word(n, shortened(dayWords, short))
	if err != nil {
		return err
	}
	return r.set(n, numberPattern{field: "weekday"}, at+1)
}

func shortened(words []string, short bool) []string {
	if !short {
		return words
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w[:3]
	}
	return out
}

// endsField tells whether the text behind node i ends its number by itself.
func (r *timeReader) endsField(i int) bool {
	if r.nodes[i].ordinal != "" || i+1 == len(r.nodes) {
		return true
	}
	next := &r.nodes[i+1]
	if next.key != "" {
		_, isNumber := numberPatterns[strings.ToUpper(next.key)]
		switch strings.ToUpper(next.key) {
		case "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "Y,YYY":
			isNumber = true
		}
		return !isNumber
	}
	return next.text[0] < '0' || next.text[0] > '9'
}

// take reads a number: any digits where the template ends it, else width of them.
func (r *timeReader) take(i, width int) (value int, used string, err error) {
	n := &r.nodes[i]
	r.s = strings.TrimLeft(r.s, " \t\n\v\f\r")
	limit := len(r.s)
	open := n.fill || r.endsField(i)
	if !open {
		if len(r.s) < width {
			return 0, "", pgerr.Newf(pgerr.InvalidDatetimeFormat, "source string too short for \"%s\" formatting field", n.key).
				WithDetail("Field requires %d characters, but only %d remain.", width, len(r.s)).
				WithHint("If your source string is not fixed-width, try using the \"FM\" modifier.")
		}
		limit = width
	}
	end := 0
	if end < limit && (r.s[0] == '-' || r.s[0] == '+') {
		end++
	}
	first := end
	for end < limit && r.s[end] >= '0' && r.s[end] <= '9' {
		end++
	}
	if end == first {
		return 0, "", pgerr.Newf(pgerr.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", r.s[:min(width, len(r.s))], n.key).
			WithDetail("Value must be an integer.")
	}
	if !open && end < width {
		return 0, "", pgerr.Newf(pgerr.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", r.s[:width], n.key).
			WithDetail("Field requires %d characters, but only %d could be parsed.", width, end).
			WithHint("If your source string is not fixed-width, try using the \"FM\" modifier.")
	}
	used = r.s[:end]
	wide, err := strconv.ParseInt(used, 10, 32)
	if err != nil {
		return 0, "", pgerr.Newf(pgerr.DatetimeFieldOverflow, "value for \"%s\" in source string is out of range", n.key).
			WithDetail("Value must be in the range %d to %d.", -1<<31, 1<<31-1)
	}
	r.s = r.s[end:]
	if n.ordinal != "" && len(r.s) >= 2 {
		r.s = r.s[2:]
	}
	return int(wide), used, nil
}

func (r *timeReader) number(i int, p numberPattern) error {
	if err := r.convention(p); err != nil {
		return err
	}
	v, used, err := r.take(i, p.width)
	if err != nil || p.field == "" {
		return err
	}
	if p.field == "year" {
		r.digits = p.width
		if p.width < 4 && len(used) <= 3 && v >= 0 {
			v = partialYear(v)
		}
	}
	return r.set(&r.nodes[i], p, v)
}

// partialYear takes a year without its century as one near 2020.
func partialYear(y int) int {
	switch {
	case y < 70:
		return y + 2000
	case y < 100:
		return y + 1900
	case y < 520:
		return y + 2000
	case y < 1000:
		return y + 1000
	}
	return y
}

// convention refuses the ISO week calendar beside the Gregorian one.
func (r *timeReader) convention(p numberPattern) error {
	r.isoDate, r.plain = r.isoDate || p.iso, r.plain || p.date
	if r.isoDate && r.plain {
		return pgerr.New(pgerr.InvalidDatetimeFormat, "invalid combination of date conventions").
			WithHint("Do not mix Gregorian and ISO week date conventions in a formatting template.")
	}
	return nil
}

func (r *timeReader) set(n *formatNode, p numberPattern, v int) error {
	if err := r.convention(p); err != nil {
		return err
	}
	if old, ok := r.values[p.field]; ok && old != v {
		return pgerr.Newf(pgerr.InvalidDatetimeFormat, "conflicting values for \"%s\" field in formatting string", n.key).
			WithDetail("This value contradicts a previous setting for the same field type.")
	}
	r.values[p.field] = v
	return nil
}

// fraction reads digits behind the point: 25 in MS is 250 milliseconds.
func (r *timeReader) fraction(i int, key string) error {
	width := map[string]int{"MS": 3, "US": 6}[key]
	if width == 0 {
		width = int(key[2] - '0')
	}
	v, used, err := r.take(i, width)
	if err != nil {
		return err
	}
	for n := len(used); n < 6; n++ {
		v *= 10
	}
	for n := len(used); n > 6; n-- {
		v /= 10
	}
	field := "micros"
	if key == "MS" {
		field = "millis" // adds to the microseconds
	}
	return r.set(&r.nodes[i], numberPattern{field: field}, v)
}

// zoneHour takes a minus as its sign even when it went as a separator.
func (r *timeReader) zoneHour(i int) error {
	r.zone = 1
	if at := len(r.text) - len(r.s); at > 0 && r.extra > 0 && r.text[at-1] == '-' {
		r.zone = -1
	}
	if r.s != "" && (r.s[0] == '+' || r.s[0] == '-' || r.s[0] == ' ') {
		if r.s[0] == '-' {
			r.zone = -1
		}
		r.s = r.s[1:]
	}
	return r.number(i, numberPattern{field: "zonehour", width: 2})
}

func (r *timeReader) thousands(n *formatNode) error {
	comma := strings.IndexByte(r.s, ',')
	end := comma + 1
	for end < len(r.s) && end < comma+4 && r.s[end] >= '0' && r.s[end] <= '9' {
		end++
	}
	high, err := strconv.Atoi(r.s[:max(comma, 0)])
	low, err2 := strconv.Atoi(r.s[comma+1 : end])
	if comma < 0 || err != nil || err2 != nil {
		return pgerr.Newf(pgerr.InvalidDatetimeFormat, "invalid input string for \"Y,YYY\"")
	}
	r.s = r.s[end:]
	return r.set(n, numberPattern{field: "year", date: true}, high*1000+low)
}
