package expr

import "github.com/akidb/akidb/internal/types"

// overlapsFunctions are (a, b) OVERLAPS (c, d); an interval as an end is added
// to its start.
var overlapsFunctions = buildOverlaps()

func buildOverlaps() []*Function {
	out := []*Function{overlapsRow("timetz", "timetz", "timetz", nil)}
	for _, t := range []struct {
		name string
		add  func(ctx *Context, t, iv types.Datum) (types.Datum, error)
	}{
		{"timestamp", func(_ *Context, t, iv types.Datum) (types.Datum, error) { return timestampPlusInterval(t, iv) }},
		{"timestamptz", func(ctx *Context, t, iv types.Datum) (types.Datum, error) {
			return timestamptzAdd(ctx, t.(types.TimestampTZ), iv.(types.Interval))
		}},
		{"time", func(_ *Context, t, iv types.Datum) (types.Datum, error) { return timePlusInterval(t, iv) }},
	} {
		for _, ends := range [][2]string{{t.name, t.name}, {"interval", "interval"}, {t.name, "interval"}, {"interval", t.name}} {
			f := overlapsRow(t.name, ends[0], ends[1], t.add)
			if t.name == "timestamptz" && (ends[0] == "interval" || ends[1] == "interval") {
				f.Volatility = Stable
			}
			out = append(out, f)
		}
	}
	return out
}

func overlapsRow(name, end1, end2 string, add func(*Context, types.Datum, types.Datum) (types.Datum, error)) *Function {
	oid := typeNamed(name)
	return define("overlaps("+name+", "+end1+", "+name+", "+end2+") bool", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		p := [4]types.Datum{args[0], args[1], args[2], args[3]}
		for i, end := range []string{end1, end2} {
			if end != "interval" || name == "interval" || p[2*i+1] == nil {
				continue
			}
			if p[2*i] == nil {
				p[2*i+1] = nil
				continue
			}
			var err error
			if p[2*i+1], err = add(ctx, p[2*i], p[2*i+1]); err != nil {
				return nil, err
			}
		}
		return overlap(oid, p[0], p[1], p[2], p[3]), nil
	}).withNulls()
}

// overlap follows the SQL standard: ends may come in either order, and a NULL
// end makes the answer NULL unless the other one decides.
func overlap(oid types.OID, start1, end1, start2, end2 types.Datum) types.Datum {
	start1, end1, ok1 := inOrder(oid, start1, end1)
	start2, end2, ok2 := inOrder(oid, start2, end2)
	if !ok1 || !ok2 {
		return nil
	}
	c := types.Compare(oid, start1, start2)
	if c == 0 {
		// Equal starts overlap, whatever the lengths are.
		if end1 == nil || end2 == nil {
			return nil
		}
		return true
	}
	late, end := start1, end2
	other := end1
	if c < 0 {
		late, end, other = start2, end1, end2
	}
	if end == nil {
		return nil
	}
	if types.Compare(oid, late, end) < 0 {
		return true
	}
	// The later one lies behind the earlier one; its missing end could not help.
	if other == nil {
		return nil
	}
	return false
}

// inOrder puts the ends of a period in order; a lone one counts as the start.
func inOrder(oid types.OID, start, end types.Datum) (types.Datum, types.Datum, bool) {
	switch {
	case start == nil && end == nil:
		return nil, nil, false
	case start == nil:
		return end, nil, true
	case end != nil && types.Compare(oid, start, end) > 0:
		return end, start, true
	}
	return start, end, true
}
