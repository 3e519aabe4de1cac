package expr

import (
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// zoneFunctions are AT TIME ZONE and its likes.
var zoneFunctions = []*Function{
	define2("timezone(text, timestamp) timestamptz", func(z, t types.Datum) (types.Datum, error) {
		loc, err := zoneNamed(z.(string))
		if err != nil {
			return nil, err
		}
		return intoZone(t.(types.Timestamp), loc)
	}),
	define2("timezone(text, timestamptz) timestamp", func(z, t types.Datum) (types.Datum, error) {
		loc, err := zoneNamed(z.(string))
		if err != nil {
			return nil, err
		}
		return outOfZone(t.(types.TimestampTZ), loc)
	}),
	define("timezone(text, timetz) timetz", func(ctx *Context, a []types.Datum) (types.Datum, error) {
		loc, err := zoneNamed(a[0].(string))
		if err != nil {
			return nil, err
		}
		_, east := ctx.now().Time().In(loc).Zone()
		return timetzAt(a[1].(types.TimeTZ), int32(-east)), nil
	}).volatile(),
	define2("timezone(interval, timestamp) timestamptz", func(z, t types.Datum) (types.Datum, error) {
		loc, err := zoneOfInterval(z.(types.Interval))
		if err != nil {
			return nil, err
		}
		return intoZone(t.(types.Timestamp), loc)
	}),
	define2("timezone(interval, timestamptz) timestamp", func(z, t types.Datum) (types.Datum, error) {
		loc, err := zoneOfInterval(z.(types.Interval))
		if err != nil {
			return nil, err
		}
		return outOfZone(t.(types.TimestampTZ), loc)
	}),
	define2("timezone(interval, timetz) timetz", func(z, t types.Datum) (types.Datum, error) {
		loc, err := zoneOfInterval(z.(types.Interval))
		if err != nil {
			return nil, err
		}
		_, east := time.Unix(0, 0).In(loc).Zone()
		return timetzAt(t.(types.TimeTZ), int32(-east)), nil
	}),
}

func zoneNamed(name string) (*time.Location, error) {
	loc, ok := types.LookupZone(name)
	if !ok {
		return nil, types.UnknownZone(name)
	}
	return loc, nil
}

func zoneOfInterval(iv types.Interval) (*time.Location, error) {
	if iv.Months != 0 || iv.Days != 0 {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "interval time zone \"%s\" must not include months or days",
			types.FormatString(types.IntervalOID, iv, nil))
	}
	return time.FixedZone("", int(iv.Micros/1_000_000)), nil
}

func intoZone(t types.Timestamp, loc *time.Location) (types.Datum, error) {
	z := t.AtZone(loc)
	if !t.IsInfinite() && !inTimestampRange(int64(z)) {
		return nil, timestampOutOfRange()
	}
	return z, nil
}

func outOfZone(t types.TimestampTZ, loc *time.Location) (types.Datum, error) {
	local := t.In(loc)
	if !t.IsInfinite() && !inTimestampRange(int64(local)) {
		return nil, timestampOutOfRange()
	}
	return local, nil
}

// endTimestampDay is 294277-01-01, the first day that timestamps do not reach.
const endTimestampDay = 106751983

func inTimestampRange(v int64) bool {
	return v >= minDate*microsPerDay && v < endTimestampDay*microsPerDay
}

// timetzAt is the same moment of a day under another offset.
func timetzAt(t types.TimeTZ, west int32) types.TimeTZ {
	return types.TimeTZ{Time: wrapTime(int64(t.Time) + int64(t.Zone-west)*1_000_000), Zone: west}
}
