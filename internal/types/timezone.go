package types

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // so that zones are known on machines without a zone database
)

//go:embed zonenames.txt
var zoneNamesText string

// zoneNames maps lower-case names to the names of the IANA database.
var zoneNames = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, name := range ZoneNames() {
		m[strings.ToLower(name)] = name
	}
	return m
})

// ZoneNames lists the time zones known by name, sorted.
func ZoneNames() []string {
	lines := strings.Split(strings.TrimRight(zoneNamesText, "\n"), "\n")
	return lines[1:]
}

// ZoneAbbrev is an abbreviation of a time zone; Offset is seconds east of UTC.
type ZoneAbbrev struct {
	Name   string
	Offset int
	DST    bool
}

// ZoneAbbrevs lists the abbreviations that date and time input knows, unsorted.
func ZoneAbbrevs() []ZoneAbbrev {
	out := make([]ZoneAbbrev, 0, len(zoneAbbrevs))
	for name, a := range zoneAbbrevs {
		out = append(out, ZoneAbbrev{strings.ToUpper(name), int(a.offset), a.dst})
	}
	return out
}

var loadedZones sync.Map // lower-case name -> *time.Location

// namedZone finds a zone of the database by name, in any case, or by a POSIX
// specification without daylight saving (UTC+3, <+03>-3, -05:30), whose sign is
// positive WEST of Greenwich.
func namedZone(name string) (*time.Location, bool) {
	lower := strings.ToLower(name)
	if loc, ok := loadedZones.Load(lower); ok {
		return loc.(*time.Location), true
	}
	loc, ok := loadZone(lower)
	if !ok {
		if loc, ok = posixZone(name); !ok {
			return nil, false
		}
		return loc, true
	}
	loadedZones.Store(lower, loc)
	return loc, true
}

func loadZone(lower string) (*time.Location, bool) {
	name, ok := zoneNames()[lower]
	if !ok {
		return nil, false
	}
	if name == "UTC" {
		return time.UTC, true
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

func posixZone(s string) (*time.Location, bool) {
	name, rest := "", s
	if strings.HasPrefix(s, "<") {
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return nil, false
		}
		name, rest = s[1:end], s[end+1:]
	} else {
		n := 0
		for n < len(s) && isLetter(s[n]) {
			n++
		}
		name, rest = s[:n], s[n:]
	}
	if rest == "" {
		return nil, false
	}
	sign := -1
	if rest[0] == '+' || rest[0] == '-' {
		if rest[0] == '-' {
			sign = 1
		}
		rest = rest[1:]
	}
	seconds, ok := clockSeconds(rest)
	if !ok {
		return nil, false
	}
	return time.FixedZone(name, sign*seconds), true
}

// clockSeconds reads h[h][:mm[:ss]].
func clockSeconds(s string) (int, bool) {
	total, unit := 0, 3600
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, false
	}
	for i, part := range parts {
		v, err := strconv.Atoi(part)
		if err != nil || part[0] == '+' || part[0] == '-' || i > 0 && v > 59 || i == 0 && v > 167 {
			return 0, false
		}
		total += v * unit
		unit /= 60
	}
	return total, true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// LookupZone finds a zone by abbreviation (EST), name (America/New_York, any
// case) or offset. Like PostgreSQL's AT TIME ZONE it takes an offset as POSIX
// does: '+05:30' lies west of Greenwich.
func LookupZone(name string) (*time.Location, bool) {
	if a, ok := zoneAbbrevs[strings.ToLower(name)]; ok {
		if a.offset == 0 && strings.EqualFold(name, "utc") {
			return time.UTC, true
		}
		return time.FixedZone(strings.ToUpper(name), int(a.offset)), true
	}
	return namedZone(name)
}

// localOffset is the offset, in seconds east of UTC, that the clocks of loc have
// when they show local (Unix seconds as though in UTC). Like PostgreSQL it takes
// standard time for a moment that the clocks skip or show twice.
func localOffset(loc *time.Location, local int64) int {
	if loc == time.UTC {
		return 0
	}
	// Look from a day earlier, which is before any transition that matters.
	t := time.Unix(local-86400, 0).In(loc)
	_, before := t.Zone()
	_, end := t.ZoneBounds()
	if end.IsZero() {
		return before
	}
	_, after := end.Zone()
	boundary := end.Unix()
	atBefore, atAfter := local-int64(before), local-int64(after)
	switch {
	case atBefore < boundary && atAfter < boundary:
		return before
	case atBefore > boundary && atAfter >= boundary:
		return after
	case atBefore > atAfter:
		return before
	}
	return after
}

// maxZoneHours bounds the numbers that SET TIME ZONE takes, as PostgreSQL does.
const maxZoneHours = 168

// SettingZone finds the zone that a value of the setting TimeZone means, and how
// the setting shows it. Unlike elsewhere a bare number is hours EAST of
// Greenwich: +5.5 is shown as <+05:30>-05:30, whose POSIX sign points west.
func SettingZone(value string) (loc *time.Location, shown string, ok bool) {
	hours, err := strconv.ParseFloat(value, 64)
	if err != nil || strings.ContainsAny(value, "xXpPnNiI_") {
		if loc, ok = namedZone(value); !ok {
			loc, ok = LookupZone(value)
		}
		if ok && strings.EqualFold(loc.String(), value) {
			return loc, loc.String(), true
		}
		return loc, value, ok
	}
	if !(hours >= -maxZoneHours+1 && hours <= maxZoneHours-1) {
		return nil, "", false
	}
	east := int(hours * 3600)
	name := string(appendOffset(nil, east))
	west := "-" + name[1:]
	if name[0] == '-' {
		west = "+" + name[1:]
	}
	return time.FixedZone("", east), "<" + name + ">" + west, true
}
