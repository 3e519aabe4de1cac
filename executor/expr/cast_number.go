package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// castBy is a row of the cast table with its function, which has the name of
// the target type.
func castBy(from, to types.OID, ctx CastContext, name string, convert func(types.Datum) (types.Datum, error)) CastRow {
	return CastRow{Source: from, Target: to, Context: ctx, Func: scalar(name, to,
		func(_ *Context, args []types.Datum) (types.Datum, error) { return convert(args[0]) }, from)}
}

// relabel is a binary coercible pair.
func relabel(from, to types.OID, ctx CastContext) CastRow {
	return CastRow{Source: from, Target: to, Context: ctx}
}

var numberCasts = buildNumberCasts()

func buildNumberCasts() []CastRow {
	var out []CastRow
	for _, from := range integers {
		for _, to := range integers {
			if from.oid == to.oid {
				continue
			}
			ctx := CastImplicit
			if to.max < from.max {
				ctx = CastAssignment
			}
			out = append(out, castBy(from.oid, to.oid, ctx, "int"+to.width, to.fromInteger))
		}
		out = append(out,
			castBy(from.oid, types.Float4OID, CastImplicit, "float4", func(d types.Datum) (types.Datum, error) { return float32(d.(int64)), nil }),
			castBy(from.oid, types.Float8OID, CastImplicit, "float8", func(d types.Datum) (types.Datum, error) { return float64(d.(int64)), nil }),
			castBy(from.oid, types.NumericOID, CastImplicit, "numeric", func(d types.Datum) (types.Datum, error) {
				return types.NumericFromInt64(d.(int64)), nil
			}),
			castBy(types.Float4OID, from.oid, CastAssignment, "int"+from.width, from.fromFloat),
			castBy(types.Float8OID, from.oid, CastAssignment, "int"+from.width, from.fromFloat),
			castBy(types.NumericOID, from.oid, CastAssignment, "int"+from.width, from.fromNumeric),
		)
	}
	return append(out,
		castBy(types.Float4OID, types.Float8OID, CastImplicit, "float8", func(d types.Datum) (types.Datum, error) { return float64(d.(float32)), nil }),
		castBy(types.Float8OID, types.Float4OID, CastAssignment, "float4", narrowFloat),
		castBy(types.Float4OID, types.NumericOID, CastAssignment, "numeric", func(d types.Datum) (types.Datum, error) {
			return types.NumericFromFloat32(d.(float32)), nil
		}),
		castBy(types.Float8OID, types.NumericOID, CastAssignment, "numeric", func(d types.Datum) (types.Datum, error) {
			return types.NumericFromFloat64(d.(float64)), nil
		}),
		castBy(types.NumericOID, types.Float8OID, CastImplicit, "float8", numericToFloat8),
		castBy(types.NumericOID, types.Float4OID, CastImplicit, "float4", func(d types.Datum) (types.Datum, error) {
			f, err := types.NumericToFloat32(d.(*types.Numeric))
			if err != nil {
				return nil, err
			}
			return f, nil
		}),
		castBy(types.Int4OID, types.BoolOID, CastExplicit, "bool", func(d types.Datum) (types.Datum, error) { return d.(int64) != 0, nil }),
		castBy(types.BoolOID, types.Int4OID, CastExplicit, "int4", boolToInt),
	)
}

func boolToInt(d types.Datum) (types.Datum, error) {
	if d.(bool) {
		return int64(1), nil
	}
	return int64(0), nil
}

func (t integer) fromInteger(d types.Datum) (types.Datum, error) {
	if v := d.(int64); v < t.min || v > t.max {
		return nil, t.outOfRange()
	}
	return d, nil
}

func (t integer) fromFloat(d types.Datum) (types.Datum, error) {
	f := roundHalfEven(float64Of(d))
	// -float64(min) is max+1 exactly, where max itself may not be a float64.
	if math.IsNaN(f) || f < float64(t.min) || f >= -float64(t.min) {
		return nil, t.outOfRange()
	}
	return int64(f), nil
}

func (t integer) fromNumeric(d types.Datum) (types.Datum, error) {
	n := d.(*types.Numeric)
	name := map[types.OID]string{types.Int2OID: "smallint", types.Int4OID: "integer", types.Int8OID: "bigint"}[t.oid]
	if types.NumericIsNaN(n) {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "cannot convert NaN to %s", name)
	}
	if n.Form != 0 {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "cannot convert infinity to %s", name)
	}
	v, err := types.NumericToInt64(n)
	if err != nil {
		return nil, t.outOfRange()
	}
	return t.fit(v)
}

func numericToFloat8(d types.Datum) (types.Datum, error) {
	f, err := types.NumericToFloat64(d.(*types.Numeric))
	if err != nil {
		return nil, err
	}
	return f, nil
}

func narrowFloat(d types.Datum) (types.Datum, error) {
	f := d.(float64)
	r := float32(f)
	if math.IsInf(float64(r), 0) && !math.IsInf(f, 0) {
		return nil, floatOverflow()
	}
	if r == 0 && f != 0 {
		return nil, floatUnderflow()
	}
	return r, nil
}

// regTypes are the types that are an oid with a name.
var regTypes = []types.OID{
	types.RegprocOID, types.RegprocedureOID, types.RegoperOID, types.RegoperatorOID, types.RegclassOID, types.RegtypeOID,
	types.RegconfigOID, types.RegdictionaryOID, types.RegnamespaceOID, types.RegroleOID, types.RegcollationOID,
}

var oidCasts = buildOIDCasts()

func buildOIDCasts() []CastRow {
	var out []CastRow
	for _, oid := range append([]types.OID{types.OidOID}, regTypes...) {
		out = append(out,
			castBy(types.Int8OID, oid, CastImplicit, "oid", int8ToOID),
			castBy(types.Int2OID, oid, CastImplicit, "int4", int2ToOID),
			castBy(types.Int4OID, oid, CastImplicit, "", int2ToOID),
			castBy(oid, types.Int8OID, CastAssignment, "int8", identity),
			castBy(oid, types.Int4OID, CastAssignment, "int4", oidToInt4),
		)
		if oid != types.OidOID {
			out = append(out, relabel(oid, types.OidOID, CastImplicit), relabel(types.OidOID, oid, CastImplicit))
		}
	}
	// Only oid itself has these functions in pg_proc; the reg types share them.
	for i := range out {
		if f := out[i].Func; f != nil && (out[i].Source == types.Int8OID && out[i].Target != types.OidOID ||
			out[i].Target == types.Int8OID && out[i].Source != types.OidOID || f.Name == "int4") {
			f.Name = ""
		}
	}
	return append(out,
		relabel(types.RegprocOID, types.RegprocedureOID, CastImplicit),
		relabel(types.RegprocedureOID, types.RegprocOID, CastImplicit),
		relabel(types.RegoperOID, types.RegoperatorOID, CastImplicit),
		relabel(types.RegoperatorOID, types.RegoperOID, CastImplicit),
		castBy(types.XID8OID, types.XidOID, CastExplicit, "xid", func(d types.Datum) (types.Datum, error) {
			return int64(uint32(d.(int64))), nil
		}),
		textToReg(types.TextOID), textToReg(types.VarcharOID),
	)
}

func int8ToOID(d types.Datum) (types.Datum, error) {
	if v := d.(int64); v < 0 || v > math.MaxUint32 {
		return nil, pgerr.New(pgerr.NumericValueOutOfRange, "OID out of range")
	}
	return d, nil
}

// int2ToOID and oidToInt4 keep the 32 bits: a negative integer is a large oid.
func int2ToOID(d types.Datum) (types.Datum, error) { return int64(uint32(d.(int64))), nil }

func oidToInt4(d types.Datum) (types.Datum, error) { return int64(int32(d.(int64))), nil }

func textToReg(from types.OID) CastRow {
	f := &Function{Name: "regclass", Args: []types.OID{types.TextOID}, Result: types.RegclassOID, Volatility: Stable,
		Eval: func(ctx *Context, args []types.Datum) (types.Datum, error) {
			return types.Parse(types.RegclassOID, types.NoTypmod, args[0].(string), ctx.typesEnv())
		}}
	if from != types.TextOID {
		f.Name = ""
	}
	return CastRow{Source: from, Target: types.RegclassOID, Context: CastImplicit, Func: f}
}
