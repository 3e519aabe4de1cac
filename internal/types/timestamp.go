package types

import (
	"cmp"
	"encoding/binary"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
)

// unixEpochMicros is 1970-01-01 in microseconds since 2000-01-01, and
// postgresUnixSeconds is 2000-01-01 in Unix seconds.
const (
	postgresUnixSeconds = (postgresEpochJulian - unixEpochJulian) * 86400
	unixEpochMicros     = -postgresUnixSeconds * microsPerSecond
)

// Bounds of timestamps: 4714-11-24 BC and 294277-01-01, the latter excluded.
const (
	minTimestamp = (datetimeMinJulian - postgresEpochJulian) * microsPerDay
	endTimestamp = (timestampEndJulian - postgresEpochJulian) * microsPerDay
)

func timestampOutOfRange() error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range")
}

func validTimestamp(t int64) bool { return t >= minTimestamp && t < endTimestamp }

func isInfiniteMicros(v int64) bool {
	return v == int64(TimestampInfinity) || v == int64(TimestampNegInfinity)
}

// IsInfinite tells whether t is infinity or -infinity.
func (t Timestamp) IsInfinite() bool { return isInfiniteMicros(int64(t)) }

// IsInfinite tells whether t is infinity or -infinity.
func (t TimestampTZ) IsInfinite() bool { return isInfiniteMicros(int64(t)) }

// TimestampFromTime cuts t to microseconds.
func TimestampFromTime(t time.Time) TimestampTZ {
	return TimestampTZ((t.Unix()-postgresUnixSeconds)*microsPerSecond + int64(t.Nanosecond()/1000))
}

// Time is the moment in UTC; an infinity has none.
func (t TimestampTZ) Time() time.Time { return microsToTime(int64(t)) }

// Time is the clock's reading as a moment in UTC; an infinity has none.
func (t Timestamp) Time() time.Time { return microsToTime(int64(t)) }

func microsToTime(v int64) time.Time {
	sec, micros := divMod(v, microsPerSecond)
	return time.Unix(sec+postgresUnixSeconds, micros*1000).UTC()
}

// divMod is the flooring division.
func divMod(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

// AtZone is the moment at which the clocks of loc show t.
func (t Timestamp) AtZone(loc *time.Location) TimestampTZ {
	if t.IsInfinite() {
		return TimestampTZ(t)
	}
	sec, micros := divMod(int64(t), microsPerSecond)
	local := sec + postgresUnixSeconds
	return TimestampTZ((local-int64(localOffset(loc, local))-postgresUnixSeconds)*microsPerSecond + micros)
}

// In is what the clocks of loc show at t.
func (t TimestampTZ) In(loc *time.Location) Timestamp {
	if t.IsInfinite() || loc == time.UTC {
		return Timestamp(t)
	}
	sec, _ := divMod(int64(t), microsPerSecond)
	_, offset := time.Unix(sec+postgresUnixSeconds, 0).In(loc).Zone()
	return Timestamp(int64(t) + int64(offset)*microsPerSecond)
}

// Split separates date and time of day of a finite timestamp.
func (t Timestamp) Split() (Date, Time) {
	day, rest := divMod(int64(t), microsPerDay)
	return Date(day), Time(rest)
}

// DateTimeParts are the calendar parts of a timestamp; year 0 is 1 BC.
type DateTimeParts struct {
	Year, Month, Day, Hour, Minute, Second, Micros int
}

// Parts splits a finite timestamp.
func (t Timestamp) Parts() DateTimeParts {
	date, clock := t.Split()
	var p DateTimeParts
	p.Year, p.Month, p.Day = date.YMD()
	p.Hour, p.Minute, p.Second, p.Micros = clock.parts()
	return p
}

func (t Time) parts() (hour, minute, second, micros int) {
	v := int64(t)
	return int(v / microsPerHour), int(v / microsPerMinute % 60), int(v / microsPerSecond % 60), int(v % microsPerSecond)
}

// TimestampFromParts is the inverse of Parts; 22008 outside the range. Time
// fields may exceed their usual ranges.
func TimestampFromParts(p DateTimeParts) (Timestamp, error) {
	if !validJulian(p.Year, p.Month, p.Day) {
		return 0, timestampOutOfRange()
	}
	day := int64(julianDay(p.Year, p.Month, p.Day) - postgresEpochJulian)
	if day > 2*timestampEndJulian {
		return 0, timestampOutOfRange()
	}
	v, ok := mulInt64(day, microsPerDay)
	if !ok {
		return 0, timestampOutOfRange()
	}
	clock := int64(p.Hour)*microsPerHour + int64(p.Minute)*microsPerMinute + int64(p.Second)*microsPerSecond + int64(p.Micros)
	if v, ok = addInt64(v, clock); !ok || !validTimestamp(v) {
		return 0, timestampOutOfRange()
	}
	return Timestamp(v), nil
}

func addInt64(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

func mulInt64(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, (c < 0) == ((a < 0) != (b < 0)) && c/b == a && !(a == -1 && b == -1<<63)
}

// microsCodec serves timestamp and timestamptz, whose datums are microseconds.
func microsCodec[T Timestamp | TimestampTZ](parse func(string, *Env) (T, error), format func([]byte, T, *Env) []byte) *Codec {
	return &Codec{
		Parse: func(s string, env *Env) (Datum, error) {
			t, err := parse(s, env)
			if err != nil {
				return nil, err
			}
			return t, nil
		},
		Format: func(dst []byte, d Datum, env *Env) []byte { return format(dst, d.(T), env) },
		Decode: func(b []byte) (Datum, error) {
			if err := exactly(b, 8); err != nil {
				return nil, err
			}
			v := int64(binary.BigEndian.Uint64(b))
			if !isInfiniteMicros(v) && !validTimestamp(v) {
				return nil, timestampOutOfRange()
			}
			return T(v), nil
		},
		Encode: func(dst []byte, d Datum) ([]byte, error) {
			return binary.BigEndian.AppendUint64(dst, uint64(d.(T))), nil
		},
		Compare:   func(a, b Datum) int { return cmp.Compare(a.(T), b.(T)) },
		AppendKey: func(dst []byte, d Datum) []byte { return appendInt64Key(dst, int64(d.(T))) },
		DecodeKey: func(b []byte) (Datum, []byte, error) {
			v, rest, err := decodeInt64Key(b)
			return T(v), rest, err
		},
	}
}

var (
	timestampCodec   = microsCodec(parseTimestamp, appendTimestamp)
	timestamptzCodec = microsCodec(parseTimestampTZ, appendTimestampTZ)
)

func parseTimestamp(s string, env *Env) (Timestamp, error) {
	in, err := decodeDateTime(s, "timestamp", env, false)
	if err != nil {
		return 0, err
	}
	if v, ok := in.specialTimestamp(); ok {
		return v, nil
	}
	v, err := TimestampFromParts(in.parts())
	if err != nil {
		return 0, pgerr.Newf(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", s)
	}
	return v, nil
}

func parseTimestampTZ(s string, env *Env) (TimestampTZ, error) {
	in, err := decodeDateTime(s, "timestamp with time zone", env, true)
	if err != nil {
		return 0, err
	}
	if v, ok := in.specialTimestamp(); ok {
		return TimestampTZ(v), nil
	}
	p := in.parts()
	p.Second += in.west
	v, err := TimestampFromParts(p)
	if err != nil {
		return 0, pgerr.Newf(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", s)
	}
	return TimestampTZ(v), nil
}
