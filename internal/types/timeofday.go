package types

import (
	"cmp"
	"encoding/binary"

	"github.com/akidb/akidb/internal/pgerr"
)

// Microseconds in the units of time.
const (
	microsPerSecond int64 = 1000000
	microsPerMinute       = 60 * microsPerSecond
	microsPerHour         = 60 * microsPerMinute
	microsPerDay          = 24 * microsPerHour
)

// maxZoneSeconds bounds a time zone's displacement (15:59:59), excluded.
const maxZoneSeconds = 16 * 3600

func timeOutOfRange() error { return pgerr.New(pgerr.DatetimeFieldOverflow, "time out of range") }

func validTime(t int64) bool { return t >= 0 && t <= microsPerDay }

var timeCodec = &Codec{
	Parse: func(s string, env *Env) (Datum, error) {
		in, err := decodeTimeOnly(s, "time", env)
		if err != nil {
			return nil, err
		}
		return in.timeOfDay(), nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte { return appendTime(dst, d.(Time)) },
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 8); err != nil {
			return nil, err
		}
		v := int64(binary.BigEndian.Uint64(b))
		if !validTime(v) {
			return nil, timeOutOfRange()
		}
		return Time(v), nil
	},
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		return binary.BigEndian.AppendUint64(dst, uint64(d.(Time))), nil
	},
	Compare:   func(a, b Datum) int { return cmp.Compare(a.(Time), b.(Time)) },
	AppendKey: func(dst []byte, d Datum) []byte { return appendInt64Key(dst, int64(d.(Time))) },
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeInt64Key(b)
		return Time(v), rest, err
	},
}

var timetzCodec = &Codec{
	Parse: func(s string, env *Env) (Datum, error) {
		in, err := decodeTimeOnly(s, "time with time zone", env)
		if err != nil {
			return nil, err
		}
		return TimeTZ{Time: in.timeOfDay(), Zone: int32(in.west)}, nil
	},
	Format: func(dst []byte, d Datum, _ *Env) []byte {
		t := d.(TimeTZ)
		return appendOffset(appendTime(dst, t.Time), -int(t.Zone))
	},
	Decode: decodeTimeTZ,
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		t := d.(TimeTZ)
		dst = binary.BigEndian.AppendUint64(dst, uint64(t.Time))
		return binary.BigEndian.AppendUint32(dst, uint32(t.Zone)), nil
	},
	Compare: compareTimeTZ,
	AppendKey: func(dst []byte, d Datum) []byte {
		t := d.(TimeTZ)
		return appendInt32Key(appendInt64Key(dst, t.utc()), t.Zone)
	},
	DecodeKey: func(b []byte) (Datum, []byte, error) {
		v, rest, err := decodeInt64Key(b)
		if err != nil {
			return nil, nil, err
		}
		zone, rest, err := decodeInt32Key(rest)
		return TimeTZ{Time: Time(v - int64(zone)*microsPerSecond), Zone: zone}, rest, err
	},
}

// utc is the time of day at UTC, not brought back into one day.
func (t TimeTZ) utc() int64 { return int64(t.Time) + int64(t.Zone)*microsPerSecond }

// compareTimeTZ orders by the moment, then by the zone.
func compareTimeTZ(a, b Datum) int {
	x, y := a.(TimeTZ), b.(TimeTZ)
	if c := cmp.Compare(x.utc(), y.utc()); c != 0 {
		return c
	}
	return cmp.Compare(x.Zone, y.Zone)
}

func decodeTimeTZ(b []byte) (Datum, error) {
	if err := exactly(b, 12); err != nil {
		return nil, err
	}
	v := int64(binary.BigEndian.Uint64(b))
	zone := int32(binary.BigEndian.Uint32(b[8:]))
	if !validTime(v) {
		return nil, timeOutOfRange()
	}
	if zone <= -maxZoneSeconds || zone >= maxZoneSeconds {
		return nil, pgerr.New(pgerr.InvalidTimeZoneDisplacement, "time zone displacement out of range")
	}
	return TimeTZ{Time: Time(v), Zone: zone}, nil
}
