package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func outOfRangeOf(typname string) error {
	return pgerr.New(pgerr.NumericValueOutOfRange, typname+" out of range")
}

// stableCast is castBy for a conversion that needs the session's time zone.
func stableCast(from, to types.OID, ctx CastContext, name string, convert func(*Context, types.Datum) (types.Datum, error)) CastRow {
	f := scalar(name, to, func(c *Context, args []types.Datum) (types.Datum, error) { return convert(c, args[0]) }, from)
	f.Volatility = Stable
	return CastRow{Source: from, Target: to, Context: ctx, Func: f}
}

var timeCasts = []CastRow{
	castBy(types.DateOID, types.TimestampOID, CastImplicit, "timestamp", dateToTimestamp),
	stableCast(types.DateOID, types.TimestampTZOID, CastImplicit, "timestamptz", func(ctx *Context, d types.Datum) (types.Datum, error) {
		t, err := d.(types.Date).Timestamp()
		if err != nil {
			return nil, err
		}
		return timestampToTZ(t, ctx.zone()), nil
	}),
	castBy(types.TimestampOID, types.DateOID, CastAssignment, "date", timestampToDate),
	castBy(types.TimestampOID, types.TimeOID, CastAssignment, "time", timestampToTime),
	stableCast(types.TimestampOID, types.TimestampTZOID, CastImplicit, "timestamptz", func(ctx *Context, d types.Datum) (types.Datum, error) {
		return timestampToTZ(d.(types.Timestamp), ctx.zone()), nil
	}),
	stableCast(types.TimestampTZOID, types.TimestampOID, CastAssignment, "timestamp", func(ctx *Context, d types.Datum) (types.Datum, error) {
		return ctx.local(d.(types.TimestampTZ)), nil
	}),
	stableCast(types.TimestampTZOID, types.DateOID, CastAssignment, "date", func(ctx *Context, d types.Datum) (types.Datum, error) {
		return timestampToDate(ctx.local(d.(types.TimestampTZ)))
	}),
	stableCast(types.TimestampTZOID, types.TimeOID, CastAssignment, "time", func(ctx *Context, d types.Datum) (types.Datum, error) {
		return timestampToTime(ctx.local(d.(types.TimestampTZ)))
	}),
	stableCast(types.TimestampTZOID, types.TimeTZOID, CastAssignment, "timetz", timestamptzToTimeTZ),
	castBy(types.TimeOID, types.IntervalOID, CastImplicit, "interval", func(d types.Datum) (types.Datum, error) {
		return types.Interval{Micros: int64(d.(types.Time))}, nil
	}),
	castBy(types.IntervalOID, types.TimeOID, CastAssignment, "time", func(d types.Datum) (types.Datum, error) {
		return wrapTime(d.(types.Interval).Micros), nil
	}),
	castBy(types.TimeTZOID, types.TimeOID, CastAssignment, "time", func(d types.Datum) (types.Datum, error) {
		return d.(types.TimeTZ).Time, nil
	}),
	stableCast(types.TimeOID, types.TimeTZOID, CastImplicit, "timetz", func(ctx *Context, d types.Datum) (types.Datum, error) {
		now := types.TimestampTZ(0)
		if env := ctx.typesEnv(); env != nil && !env.Now.IsZero() {
			now = types.TimestampFromTime(env.Now)
		}
		return types.TimeTZ{Time: d.(types.Time), Zone: ctx.zoneWest(now)}, nil
	}),
}

func dateToTimestamp(d types.Datum) (types.Datum, error) {
	t, err := d.(types.Date).Timestamp()
	if err != nil {
		return nil, err
	}
	return t, nil
}

func timestampToDate(d types.Datum) (types.Datum, error) {
	switch t := d.(types.Timestamp); t {
	case types.TimestampInfinity:
		return types.DateInfinity, nil
	case types.TimestampNegInfinity:
		return types.DateNegInfinity, nil
	default:
		date, _ := t.Split()
		return date, nil
	}
}

// timestampToTime of an infinity is NULL.
func timestampToTime(d types.Datum) (types.Datum, error) {
	t := d.(types.Timestamp)
	if t.IsInfinite() {
		return nil, nil
	}
	_, clock := t.Split()
	return clock, nil
}

// local is the wall clock of a point in time in the session's zone.
func (ctx *Context) local(t types.TimestampTZ) types.Timestamp {
	if t.IsInfinite() {
		return types.Timestamp(t)
	}
	return t.In(ctx.zone())
}

// zoneWest is the session zone's offset at t, in seconds west of UTC.
func (ctx *Context) zoneWest(t types.TimestampTZ) int32 {
	_, east := t.Time().In(ctx.zone()).Zone()
	return int32(-east)
}

func timestamptzToTimeTZ(ctx *Context, d types.Datum) (types.Datum, error) {
	t := d.(types.TimestampTZ)
	if t.IsInfinite() {
		return nil, nil
	}
	_, clock := ctx.local(t).Split()
	return types.TimeTZ{Time: clock, Zone: ctx.zoneWest(t)}, nil
}

// bitCasts are between bit strings and integers.
var bitCasts = []CastRow{
	relabel(types.BitOID, types.VarbitOID, CastImplicit),
	relabel(types.VarbitOID, types.BitOID, CastImplicit),
	intToBitCast(types.Int4OID, 32),
	intToBitCast(types.Int8OID, 64),
	castBy(types.BitOID, types.Int4OID, CastExplicit, "int4", func(d types.Datum) (types.Datum, error) {
		v, err := bitsToInt(d.(types.Bits), 32, "integer")
		return int64(int32(v)), err
	}),
	castBy(types.BitOID, types.Int8OID, CastExplicit, "int8", func(d types.Datum) (types.Datum, error) {
		v, err := bitsToInt(d.(types.Bits), 64, "bigint")
		return int64(v), err
	}),
}

// intToBitCast takes the low n bits of the integer, and its sign above them.
func intToBitCast(from types.OID, width int) CastRow {
	eval := func(_ *Context, args []types.Datum) (types.Datum, error) {
		v, n := args[0].(int64), int(args[1].(int64))
		if n < 1 {
			n = 1
		}
		out := types.Bits{N: n, B: make([]byte, (n+7)/8)}
		for i := range n {
			shift := n - 1 - i
			if v>>min(shift, width-1)&1 != 0 {
				out.B[i/8] |= 0x80 >> (i % 8)
			}
		}
		return out, nil
	}
	return CastRow{Source: from, Target: types.BitOID, Context: CastExplicit, Func: scalar("bit", types.BitOID, eval, from, types.Int4OID)}
}

func bitsToInt(b types.Bits, width int, typname string) (uint64, error) {
	if b.N > width {
		return 0, outOfRangeOf(typname)
	}
	var v uint64
	for i := range b.N {
		v <<= 1
		if bitAt(b, i) {
			v |= 1
		}
	}
	return v, nil
}
