package types

import (
	"cmp"
	"encoding/binary"
	"math"

	"github.com/akidb/akidb/internal/pgerr"
)

const (
	daysPerMonth  = 30
	monthsPerYear = 12
)

func intervalOutOfRange() error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range")
}

var intervalCodec = &Codec{
	Parse: func(s string, env *Env) (Datum, error) {
		iv, err := parseInterval(s, NoTypmod, env)
		if err != nil {
			return nil, err
		}
		return iv, nil
	},
	Format: func(dst []byte, d Datum, env *Env) []byte { return appendInterval(dst, d.(Interval), env) },
	Decode: func(b []byte) (Datum, error) {
		if err := exactly(b, 16); err != nil {
			return nil, err
		}
		return Interval{
			Micros: int64(binary.BigEndian.Uint64(b)),
			Days:   int32(binary.BigEndian.Uint32(b[8:])),
			Months: int32(binary.BigEndian.Uint32(b[12:])),
		}, nil
	},
	Encode: func(dst []byte, d Datum) ([]byte, error) {
		iv := d.(Interval)
		dst = binary.BigEndian.AppendUint64(dst, uint64(iv.Micros))
		dst = binary.BigEndian.AppendUint32(dst, uint32(iv.Days))
		return binary.BigEndian.AppendUint32(dst, uint32(iv.Months)), nil
	},
	Compare: func(a, b Datum) int { return a.(Interval).compare(b.(Interval)) },
	AppendKey: func(dst []byte, d Datum) []byte {
		days, micros := d.(Interval).span()
		return appendInt64Key(appendInt64Key(dst, days), micros)
	},
	DecodeKey: decodeIntervalKey,
}

// span is the interval's length with months of 30 days and days of 24 hours:
// whole days, and the microseconds of the last one, which are not negative.
func (i Interval) span() (days, micros int64) {
	days, micros = divMod(i.Micros, microsPerDay)
	return days + int64(i.Days) + int64(i.Months)*daysPerMonth, micros
}

func (i Interval) compare(j Interval) int {
	iDays, iMicros := i.span()
	jDays, jMicros := j.span()
	if c := cmp.Compare(iDays, jDays); c != 0 {
		return c
	}
	return cmp.Compare(iMicros, jMicros)
}

// decodeIntervalKey gives an interval that is equal to the encoded one.
func decodeIntervalKey(b []byte) (Datum, []byte, error) {
	days, rest, err := decodeInt64Key(b)
	if err != nil {
		return nil, nil, err
	}
	micros, rest, err := decodeInt64Key(rest)
	if err != nil {
		return nil, nil, err
	}
	if micros < 0 || micros >= microsPerDay {
		return nil, nil, corruptKey()
	}
	months := clampInt32(days / daysPerMonth)
	days -= int64(months) * daysPerMonth
	whole := clampInt32(days)
	over, ok1 := mulInt64(days-int64(whole), microsPerDay)
	sum, ok2 := addInt64(over, micros)
	if !ok1 || !ok2 {
		return nil, nil, corruptKey()
	}
	return Interval{Months: months, Days: whole, Micros: sum}, rest, nil
}

func clampInt32(v int64) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) }

func addInt32(a, b int32) (int32, bool) {
	v := int64(a) + int64(b)
	return int32(v), v == int64(int32(v))
}
