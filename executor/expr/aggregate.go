package expr

import (
	"github.com/akidb/akidb/internal/types"
)

// aggregate is the row of an aggregate; see define for the declaration.
func aggregate(declaration string, start func(ctx *Context, args []Type) Accumulator) *Function {
	f := declare(declaration)
	f.NotStrict = true
	f.Aggregate = &Aggregate{New: start}
	return f
}

// simple is aggregate for an accumulator that needs neither context nor types.
func simple[A Accumulator](declaration string, start func() A) *Function {
	return aggregate(declaration, func(*Context, []Type) Accumulator { return start() })
}

// counter is count(*) and count(x).
type counter struct{ n int64 }

func (c *counter) Add(args []types.Datum) error {
	if len(args) == 0 || args[0] != nil {
		c.n++
	}
	return nil
}

func (c *counter) Result() (types.Datum, error) { return c.n, nil }

// folder keeps one value and folds each next one into it by a strict function;
// the first value that is not NULL starts it.
type folder struct {
	value types.Datum
	fold  eval2Func
}

func (f *folder) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	if f.value == nil {
		f.value = args[0]
		return nil
	}
	v, err := f.fold(f.value, args[0])
	if err != nil {
		return err
	}
	f.value = v
	return nil
}

func (f *folder) Result() (types.Datum, error) { return f.value, nil }

func folding(declaration string, fold eval2Func) *Function {
	return simple(declaration, func() *folder { return &folder{fold: fold} })
}

// extreme is min (sign -1) or max (sign 1) by the order of the argument's type.
func extreme(name string, oid types.OID, sign int) *Function {
	f := &Function{Name: name, Args: []types.OID{oid}, Result: oid, Volatility: Immutable, NotStrict: true}
	f.Aggregate = &Aggregate{New: func(ctx *Context, args []Type) Accumulator {
		actual := oid
		if len(args) > 0 {
			actual = args[0].OID
		}
		cmp := orderOf(actual)
		return &folder{fold: func(a, b types.Datum) (types.Datum, error) {
			if cmp(b, a)*sign > 0 {
				return b, nil
			}
			return a, nil
		}}
	}}
	return f
}

// orderOf is the order of a type's values that are not NULL.
func orderOf(oid types.OID) compareFunc {
	switch {
	case oid == types.AnyEnumOID:
		return compareEnums
	case elementOf(oid) != 0:
		return compareArrays
	}
	return byCodec(oid)
}

// orderedTypes are those that min and max exist for.
var orderedTypes = []types.OID{
	types.Int8OID, types.Int4OID, types.Int2OID, types.OidOID, types.Float4OID, types.Float8OID, types.DateOID, types.TimeOID,
	types.TimeTZOID, types.TimestampOID, types.TimestampTZOID, types.IntervalOID, types.TextOID, types.NumericOID,
	types.AnyArrayOID, types.BpcharOID, types.TidOID, types.InetOID, types.AnyEnumOID, types.ByteaOID, types.RecordOID, types.XID8OID,
}

func boolAnd(a, b types.Datum) (types.Datum, error) { return a.(bool) && b.(bool), nil }

func boolOr(a, b types.Datum) (types.Datum, error) { return a.(bool) || b.(bool), nil }

var plainAggregates = buildPlainAggregates()

func buildPlainAggregates() []*Function {
	out := []*Function{
		simple("count() int8", func() *counter { return &counter{} }),
		simple("count(any) int8", func() *counter { return &counter{} }),
		folding("bool_and(bool) bool", boolAnd),
		folding("every(bool) bool", boolAnd),
		folding("bool_or(bool) bool", boolOr),
		folding("any_value(anyelement) anyelement", func(a, _ types.Datum) (types.Datum, error) { return a, nil }),
		folding("bit_and(bit) bit", bitwise("AND", func(a, b byte) byte { return a & b })),
		folding("bit_or(bit) bit", bitwise("OR", func(a, b byte) byte { return a | b })),
		folding("bit_xor(bit) bit", bitwise("XOR", func(a, b byte) byte { return a ^ b })),
	}
	for _, t := range []string{"int2", "int4", "int8"} {
		out = append(out,
			folding("bit_and("+t+") "+t, func(a, b types.Datum) (types.Datum, error) { return a.(int64) & b.(int64), nil }),
			folding("bit_or("+t+") "+t, func(a, b types.Datum) (types.Datum, error) { return a.(int64) | b.(int64), nil }),
			folding("bit_xor("+t+") "+t, func(a, b types.Datum) (types.Datum, error) { return a.(int64) ^ b.(int64), nil }),
		)
	}
	for _, oid := range orderedTypes {
		out = append(out, extreme("min", oid, -1), extreme("max", oid, 1))
	}
	return out
}
