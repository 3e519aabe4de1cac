package expr

import (
	"strconv"
	"strings"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// timeFields is what the patterns of to_char show.
type timeFields struct {
	year, month, day     int
	hour, minute, second int64
	micros               int64
	date                 types.Date // for the calendar's patterns
	dayOfYear            int
	interval             bool
	zone                 string
	east                 int
	zoned                bool
}

var formatTimeFunctions = []*Function{
	define("to_char(timestamp, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return formatTimestamp(a[0].(types.Timestamp), a[1].(string), nil)
	}).stable(),
	define("to_char(timestamptz, text) text", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		t := a[0].(types.TimestampTZ)
		zone := t.Time().In(ctx.zone())
		return formatTimestamp(ctx.local(t), a[1].(string), &zone)
	}).stable(),
	define("to_char(interval, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		iv := a[0].(types.Interval)
		f := timeFields{interval: true, year: int(iv.Months / 12), month: int(iv.Months % 12), day: int(iv.Days)}
		f.setClock(iv.Micros)
		f.dayOfYear = int(iv.Months)*30 + f.day
		return f.format(a[1].(string))
	}).stable(),
}

func (f *timeFields) setClock(micros int64) {
	f.hour, f.minute = micros/3_600_000_000, micros/60_000_000%60
	f.second, f.micros = micros/1_000_000%60, micros%1_000_000
}

// formatTimestamp gives NULL for an infinity, as PostgreSQL does.
func formatTimestamp(t types.Timestamp, template string, zone *time.Time) (types.Datum, error) {
	if t.IsInfinite() || template == "" {
		return nil, nil
	}
	var f timeFields
	date, clock := t.Split()
	f.date = date
	f.year, f.month, f.day = date.YMD()
	f.dayOfYear = int(date-types.DateFromYMD(f.year, 1, 1)) + 1
	f.setClock(int64(clock))
	if zone != nil {
		f.zoned = true
		f.zone, f.east = zone.Zone()
	}
	return f.format(template)
}

func (f *timeFields) format(template string) (types.Datum, error) {
	if template == "" {
		return nil, nil
	}
	var out strings.Builder
	for _, n := range dateLanguage.parse(template) {
		if n.key == "" {
			out.WriteString(n.text)
			continue
		}
		s, number, err := f.pattern(&n)
		if err != nil {
			return nil, err
		}
		out.WriteString(s)
		if number && n.ordinal != "" {
			out.WriteString(ordinalSuffix(s, n.ordinal))
		}
	}
	return out.String(), nil
}

// padded prints a number with zeros, unless FM; a minus does not count.
func (n *formatNode) padded(v int64, width int) string {
	if n.fill {
		return strconv.FormatInt(v, 10)
	}
	if v < 0 {
		return "-" + padLeft(strconv.FormatInt(-v, 10), width)
	}
	return padLeft(strconv.FormatInt(v, 10), width)
}

// word prints a name in the case of the pattern, filled to width.
func (n *formatNode) word(s string, width int) string {
	switch {
	case n.key == strings.ToLower(n.key):
		s = strings.ToLower(s)
	case len(n.key) > 1 && n.key[1] >= 'A' && n.key[1] <= 'Z' || n.key[1] == '.':
		s = strings.ToUpper(s)
	}
	for len(s) < width && !n.fill && !n.name {
		s += " "
	}
	return s
}

func invalidForInterval() error {
	return pgerr.New(pgerr.InvalidDatetimeFormat, "invalid format specification for an interval value").
		WithHint("Intervals are not tied to specific calendar dates.")
}

// pattern prints one pattern; number tells whether TH may follow it.
func (f *timeFields) pattern(n *formatNode) (s string, number bool, err error) {
	key := strings.ToUpper(n.key)
	if f.interval && noInterval[key] {
		return "", false, invalidForInterval()
	}
	if s, ok := f.clockPattern(n, key); ok {
		return s, true, nil
	}
	if s, ok := f.yearPattern(n, key); ok {
		return s, true, nil
	}
	s, number = f.datePattern(n, key)
	return s, number, nil
}

// noInterval are the patterns that need a date.
var noInterval = map[string]bool{
	"TZ": true, "TZH": true, "TZM": true, "OF": true, "AD": true, "A.D.": true, "BC": true, "B.C.": true,
	"MONTH": true, "MON": true, "DAY": true, "DY": true, "D": true, "ID": true,
}

func (f *timeFields) clockPattern(n *formatNode, key string) (string, bool) {
	switch key {
	case "HH", "HH12":
		h := f.hour % 12
		if h == 0 {
			h = 12
		}
		return n.padded(h, 2), true
	case "HH24":
		return n.padded(f.hour, 2), true
	case "MI":
		return n.padded(f.minute, 2), true
	case "SS":
		return n.padded(f.second, 2), true
	case "MS", "FF3":
		return digits(f.micros/1000, 3), true
	case "US", "FF6":
		return digits(f.micros, 6), true
	case "FF1":
		return digits(f.micros/100_000, 1), true
	case "FF2":
		return digits(f.micros/10_000, 2), true
	case "FF4":
		return digits(f.micros/100, 4), true
	case "FF5":
		return digits(f.micros/10, 5), true
	case "SSSS", "SSSSS":
		return strconv.FormatInt(f.hour*3600+f.minute*60+f.second, 10), true
	}
	return "", false
}

// digits prints v in n digits, as C's %0*d does.
func digits(v int64, n int) string {
	if v < 0 {
		return "-" + padLeft(strconv.FormatInt(-v, 10), n-1)
	}
	return padLeft(strconv.FormatInt(v, 10), n)
}

// eraYear is the year without its era.
func (f *timeFields) eraYear(year int) int64 {
	if !f.interval && year <= 0 {
		return int64(1 - year)
	}
	return int64(year)
}

func (f *timeFields) yearPattern(n *formatNode, key string) (string, bool) {
	year := f.year
	if key[0] == 'I' && !f.interval {
		year, _ = isoWeek(f.date)
	}
	y := f.eraYear(year)
	switch key {
	case "Y,YYY":
		return strconv.FormatInt(y/1000, 10) + "," + digits(y%1000, 3), true
	case "YYYY", "IYYY":
		return n.padded(y, 4), true
	case "YYY", "IYY":
		return n.padded(y%1000, 3), true
	case "YY", "IY":
		return n.padded(y%100, 2), true
	case "Y", "I":
		return strconv.FormatInt(y%10, 10), true
	case "CC":
		century := centuryOf(f.year, 100)
		if f.interval {
			century = f.year / 100
		}
		if century <= 99 && century >= -99 {
			return n.padded(int64(century), 2), true
		}
		return strconv.Itoa(century), true
	}
	return "", false
}

var (
	monthWords = []string{"", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayWords   = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	romanMonth = []string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}
)

func (f *timeFields) datePattern(n *formatNode, key string) (s string, number bool) {
	switch key {
	case "AM", "PM", "A.M.", "P.M.":
		return n.word(dotted(key, "AM", "PM", f.hour%24 >= 12), 0), false
	case "AD", "BC", "A.D.", "B.C.":
		return n.word(dotted(key, "AD", "BC", f.year <= 0), 0), false
	case "MONTH":
		return n.word(monthWords[f.month], 9), false
	case "MON":
		return n.word(monthWords[f.month][:3], 0), false
	case "DAY":
		return n.word(dayWords[dayOfWeek(f.date)], 9), false
	case "DY":
		return n.word(dayWords[dayOfWeek(f.date)][:3], 0), false
	case "RM":
		return f.romanMonth(n), false
	case "TZ", "TZH", "TZM", "OF":
		return f.zonePattern(n, key), false
	case "FX":
		return "", false
	}
	return f.dayPattern(n, key), true
}

// dotted is one of two words, with points when the pattern has them.
func dotted(key, first, second string, isSecond bool) string {
	if isSecond {
		first = second
	}
	if len(key) == 4 {
		return first[:1] + "." + first[1:] + "."
	}
	return first
}

func (f *timeFields) dayPattern(n *formatNode, key string) string {
	switch key {
	case "MM":
		return n.padded(int64(f.month), 2)
	case "DDD":
		return n.padded(int64(f.dayOfYear), 3)
	case "IDDD":
		_, week := isoWeek(f.date)
		return n.padded(int64((week-1)*7+(dayOfWeek(f.date)+6)%7+1), 3)
	case "DD":
		return n.padded(int64(f.day), 2)
	case "D":
		return strconv.Itoa(dayOfWeek(f.date) + 1)
	case "ID":
		return strconv.Itoa((dayOfWeek(f.date)+6)%7 + 1)
	case "WW":
		return n.padded(int64((f.dayOfYear-1)/7+1), 2)
	case "IW":
		_, week := isoWeek(f.date)
		return n.padded(int64(week), 2)
	case "W":
		return strconv.Itoa((f.day-1)/7 + 1)
	case "Q":
		if f.month == 0 {
			return ""
		}
		return strconv.Itoa((f.month-1)/3 + 1)
	case "J":
		return strconv.FormatInt(int64(f.date)+julianOfDateZero, 10)
	}
	return ""
}

func (f *timeFields) romanMonth(n *formatNode) string {
	if f.month == 0 && f.year == 0 {
		return ""
	}
	at := f.month - 1
	switch {
	case f.month == 0 && f.year < 0:
		at = 0
	case f.month == 0:
		at = 11
	case f.month < 0:
		at = 12 + f.month
	}
	return n.word(romanMonth[at], 4)
}

func (f *timeFields) zonePattern(n *formatNode, key string) string {
	if !f.zoned {
		if key == "TZ" {
			return ""
		}
		f.east = 0
	}
	east, sign := f.east, "+"
	if east < 0 {
		east, sign = -east, "-"
	}
	switch key {
	case "TZ":
		name := f.zone
		if name == "" || name[0] == '+' || name[0] == '-' {
			name = sign + padLeft(strconv.Itoa(east/3600), 2)
			if east%3600 != 0 {
				name += ":" + padLeft(strconv.Itoa(east/60%60), 2)
			}
		}
		if n.key == "tz" {
			return strings.ToLower(name)
		}
		return name
	case "TZH":
		return sign + padLeft(strconv.Itoa(east/3600), 2)
	case "TZM":
		return padLeft(strconv.Itoa(east/60%60), 2)
	}
	out := sign + n.padded(int64(east/3600), 2)
	if east%3600 != 0 {
		out += ":" + padLeft(strconv.Itoa(east/60%60), 2)
	}
	return out
}
