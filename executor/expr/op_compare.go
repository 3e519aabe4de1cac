package expr

import (
	"bytes"
	"strings"
	"time"

	"github.com/akidb/akidb/internal/types"
)

// comparison is one of the six comparison operators; holds says for which
// results of a three-way comparison it is true.
type comparison struct {
	name, suffix        string
	commutator, negator string
	less, equal, more   bool
}

var comparisons = []comparison{
	{"=", "eq", "=", "<>", false, true, false},
	{"<>", "ne", "<>", "=", true, false, true},
	{"<", "lt", ">", ">=", true, false, false},
	{"<=", "le", ">=", ">", true, true, false},
	{">", "gt", "<", "<=", false, false, true},
	{">=", "ge", "<=", "<", false, true, true},
}

func (c comparison) holds(n int) bool { return n < 0 && c.less || n == 0 && c.equal || n > 0 && c.more }

// compareFunc orders two values that are not NULL.
type compareFunc = func(a, b types.Datum) int

// compareWith makes the six operators from a three-way comparison. code has %
// where the suffix (eq, lt …) goes.
func compareWith(left, right types.OID, code string, cmp compareFunc) []*Operator {
	out := make([]*Operator, 0, len(comparisons))
	for _, c := range comparisons {
		out = append(out, fast2(c.name, left, right, types.BoolOID, strings.Replace(code, "%", c.suffix, 1),
			func(a, b types.Datum) (types.Datum, error) { return c.holds(cmp(a, b)), nil }).with(c.commutator, c.negator))
	}
	return out
}

// compareOrdered makes the six operators for a Go type with its own order; this
// is the fast way, without a call of a comparison.
func compareOrdered[T int64 | string](left, right types.OID, code string) []*Operator {
	evals := []eval2Func{
		func(a, b types.Datum) (types.Datum, error) { return a.(T) == b.(T), nil },
		func(a, b types.Datum) (types.Datum, error) { return a.(T) != b.(T), nil },
		func(a, b types.Datum) (types.Datum, error) { return a.(T) < b.(T), nil },
		func(a, b types.Datum) (types.Datum, error) { return a.(T) <= b.(T), nil },
		func(a, b types.Datum) (types.Datum, error) { return a.(T) > b.(T), nil },
		func(a, b types.Datum) (types.Datum, error) { return a.(T) >= b.(T), nil },
	}
	out := make([]*Operator, len(evals))
	for i, c := range comparisons {
		out[i] = fast2(c.name, left, right, types.BoolOID, strings.Replace(code, "%", c.suffix, 1), evals[i]).with(c.commutator, c.negator)
	}
	return out
}

// byCodec compares by the type's own order. The type is looked up at the call:
// this is used in declarations, before the type table is filled.
func byCodec(oid types.OID) compareFunc {
	return func(a, b types.Datum) int { return types.Compare(oid, a, b) }
}

var comparisonOperators = buildComparisonOperators()

func buildComparisonOperators() []*Operator {
	var out []*Operator
	for _, l := range integers {
		for _, r := range integers {
			code := "int" + l.width + r.width + "%"
			if l.oid == r.oid {
				code = "int" + l.width + "%"
			}
			out = append(out, compareOrdered[int64](l.oid, r.oid, code)...)
		}
	}
	out = append(out, compareOrdered[int64](types.OidOID, types.OidOID, "oid%")...)
	out = append(out, compareOrdered[string](types.TextOID, types.TextOID, "text%")...)
	for _, o := range out {
		if o.Left == types.TextOID {
			o.Func.Name = textComparisonNames[o.Name]
		}
	}
	out = append(out, compareOrdered[string](types.NameOID, types.NameOID, "name%")...)
	out = append(out, compareOrdered[string](types.NameOID, types.TextOID, "name%text")...)
	out = append(out, compareOrdered[string](types.TextOID, types.NameOID, "text%name")...)
	out = append(out, compareOrdered[string](types.CharOID, types.CharOID, "char%")...)
	out = append(out, floatComparisons()...)
	out = append(out, codecComparisons()...)
	out = append(out, timeComparisons()...)
	out = append(out, equalityOnly()...)
	return append(out, patternComparisons()...)
}

// textComparisonNames: the function names of text's order do not follow the pattern.
var textComparisonNames = map[string]string{
	"=": "texteq", "<>": "textne", "<": "text_lt", "<=": "text_le", ">": "text_gt", ">=": "text_ge",
}

func floatComparisons() []*Operator {
	cmp := func(a, b types.Datum) int { return types.CompareFloat(float64Of(a), float64Of(b)) }
	out := compareWith(types.Float8OID, types.Float8OID, "float8%", cmp)
	out = append(out, compareWith(types.Float4OID, types.Float4OID, "float4%", cmp)...)
	out = append(out, compareWith(types.Float4OID, types.Float8OID, "float48%", cmp)...)
	return append(out, compareWith(types.Float8OID, types.Float4OID, "float84%", cmp)...)
}

func codecComparisons() []*Operator {
	var out []*Operator
	for _, t := range []struct {
		oid  types.OID
		code string
	}{
		{types.BoolOID, "bool%"}, {types.BpcharOID, "bpchar%"}, {types.ByteaOID, "bytea%"},
		{types.UUIDOID, "uuid_%"}, {types.BitOID, "bit%"}, {types.VarbitOID, "varbit%"},
		{types.NumericOID, "numeric_%"}, {types.JSONBOID, "jsonb_%"}, {types.TidOID, "tid%"},
		{types.OidVectorOID, "oidvector%"}, {types.AnyArrayOID, "array_%"}, {types.RecordOID, "record_%"},
		{types.InetOID, "network_%"}, {types.XID8OID, "xid8%"},
	} {
		cmp := byCodec(t.oid)
		switch t.oid {
		case types.AnyArrayOID:
			cmp = compareArrays
		case types.ByteaOID:
			cmp = func(a, b types.Datum) int { return bytes.Compare(a.([]byte), b.([]byte)) }
		case types.NumericOID:
			cmp = func(a, b types.Datum) int { return types.NumericCmp(a.(*types.Numeric), b.(*types.Numeric)) }
		}
		out = append(out, compareWith(t.oid, t.oid, t.code, cmp)...)
	}
	return append(out, compareWith(types.AnyEnumOID, types.AnyEnumOID, "enum_%", compareEnums)...)
}

// compareArrays orders by elements, then by length, then by dimensions.
func compareArrays(a, b types.Datum) int {
	x, y := a.(*types.Array), b.(*types.Array)
	for i := 0; i < len(x.Elems) && i < len(y.Elems); i++ {
		p, q := x.Elems[i], y.Elems[i]
		switch {
		case p == nil && q == nil:
			continue
		case p == nil:
			return 1 // NULL sorts last
		case q == nil:
			return -1
		}
		if c := types.Compare(x.Elem, p, q); c != 0 {
			return c
		}
	}
	if c := compareInts(len(x.Elems), len(y.Elems)); c != 0 {
		return c
	}
	if c := compareInts(len(x.Dims), len(y.Dims)); c != 0 {
		return c
	}
	for i := range x.Dims {
		if c := compareInts(x.Dims[i], y.Dims[i]); c != 0 {
			return c
		}
		if c := compareInts(x.Lower[i], y.Lower[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// patternComparisons order text by its bytes, for text_pattern_ops.
func patternComparisons() []*Operator {
	var out []*Operator
	for _, c := range comparisons {
		if c.name == "=" || c.name == "<>" {
			continue
		}
		name := "~" + c.name + "~"
		out = append(out,
			fast2(name, types.TextOID, types.TextOID, types.BoolOID, "text_pattern_"+c.suffix, func(a, b types.Datum) (types.Datum, error) {
				return c.holds(strings.Compare(a.(string), b.(string))), nil
			}).with("~"+c.commutator+"~", "~"+c.negator+"~"),
			fast2(name, types.BpcharOID, types.BpcharOID, types.BoolOID, "bpchar_pattern_"+c.suffix, func(a, b types.Datum) (types.Datum, error) {
				return c.holds(types.Compare(types.BpcharOID, a, b)), nil
			}).with("~"+c.commutator+"~", "~"+c.negator+"~"))
	}
	return out
}

// equalityOnly is xid and cid, which have no order, and the record images.
func equalityOnly() []*Operator {
	var out []*Operator
	for _, t := range []struct {
		left, right types.OID
		code        string
	}{{types.XidOID, types.XidOID, "xid%"}, {types.XidOID, types.Int4OID, "xid%int4"}, {types.CidOID, types.CidOID, "cid%"}} {
		ops := compareOrdered[int64](t.left, t.right, t.code)[:2]
		if t.left == types.CidOID {
			ops = ops[:1]
		}
		out = append(out, ops...)
	}
	for _, c := range comparisons {
		out = append(out, fast2("*"+c.name, types.RecordOID, types.RecordOID, types.BoolOID, "record_image_"+c.suffix,
			func(a, b types.Datum) (types.Datum, error) {
				return c.holds(types.Compare(types.RecordOID, a, b)), nil
			}).with("*"+c.commutator, "*"+c.negator))
	}
	return out
}

// timeComparisons are those of the date and time types, mixed ones included. A
// comparison with a time zone needs the session's.
func timeComparisons() []*Operator {
	var out []*Operator
	for _, t := range []struct {
		oid  types.OID
		code string
	}{
		{types.DateOID, "date_%"}, {types.TimeOID, "time_%"}, {types.TimeTZOID, "timetz_%"},
		{types.TimestampOID, "timestamp_%"}, {types.TimestampTZOID, "timestamptz_%"}, {types.IntervalOID, "interval_%"},
	} {
		out = append(out, compareWith(t.oid, t.oid, t.code, byCodec(t.oid))...)
	}
	out = append(out, compareWith(types.DateOID, types.TimestampOID, "date_%_timestamp", func(a, b types.Datum) int {
		return compareInt64(int64(dateAsTimestamp(a.(types.Date))), int64(b.(types.Timestamp)))
	})...)
	out = append(out, compareWith(types.TimestampOID, types.DateOID, "timestamp_%_date", func(a, b types.Datum) int {
		return compareInt64(int64(a.(types.Timestamp)), int64(dateAsTimestamp(b.(types.Date))))
	})...)
	mixed := []types.OID{types.DateOID, types.TimestampOID}
	names := map[types.OID]string{types.DateOID: "date", types.TimestampOID: "timestamp"}
	for _, other := range mixed {
		out = append(out, zonedComparisons(other, types.TimestampTZOID, names[other]+"_%_timestamptz")...)
		out = append(out, zonedComparisons(types.TimestampTZOID, other, "timestamptz_%_"+names[other])...)
	}
	return out
}

func compareInt64(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// dateAsTimestamp is midnight of the day; a day outside the range of timestamp
// becomes its nearer infinity, which orders rightly.
func dateAsTimestamp(d types.Date) types.Timestamp {
	t, err := d.Timestamp()
	switch {
	case err == nil:
		return t
	case d < 0:
		return types.TimestampNegInfinity
	}
	return types.TimestampInfinity
}

func zonedComparisons(left, right types.OID, code string) []*Operator {
	var out []*Operator
	for _, c := range comparisons {
		o := binary(c.name, left, right, types.BoolOID, strings.Replace(code, "%", c.suffix, 1),
			func(ctx *Context, args []types.Datum) (types.Datum, error) {
				zone := ctx.zone()
				return c.holds(compareInt64(instant(args[0], zone), instant(args[1], zone))), nil
			}).with(c.commutator, c.negator)
		o.Func.Volatility = Stable
		out = append(out, o)
	}
	return out
}

// instant is the point in time of a date, timestamp or timestamptz.
func instant(d types.Datum, zone *time.Location) int64 {
	switch v := d.(type) {
	case types.TimestampTZ:
		return int64(v)
	case types.Timestamp:
		return int64(timestampToTZ(v, zone))
	case types.Date:
		return int64(timestampToTZ(dateAsTimestamp(v), zone))
	}
	panic("expr: not a point in time")
}

func timestampToTZ(t types.Timestamp, zone *time.Location) types.TimestampTZ {
	if t.IsInfinite() {
		return types.TimestampTZ(t)
	}
	return t.AtZone(zone)
}

// zone is the session's time zone.
func (ctx *Context) zone() *time.Location {
	if ctx != nil && ctx.Env != nil && ctx.Env.TimeZone != nil {
		return ctx.Env.TimeZone
	}
	return time.UTC
}

// typesEnv is the environment for text forms.
func (ctx *Context) typesEnv() *types.Env {
	if ctx != nil {
		return ctx.Env
	}
	return nil
}
