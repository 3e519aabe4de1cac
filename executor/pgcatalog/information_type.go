package pgcatalog

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// typePairs describe a type in the columns that several views of
// information_schema share.
func typePairs(d *expr.Definer, database string, typ types.OID, typmod int32) []types.Datum {
	schema, name := d.TypeSchema(typ)
	pairs := []types.Datum{"data_type", dataType(d, typ), "udt_catalog", database, "udt_schema", schema, "udt_name", name}
	return append(pairs, lengthPairs(typ, typmod)...)
}

// dataType is data_type: the SQL name of PostgreSQL's own types.
func dataType(d *expr.Definer, typ types.OID) string {
	t := types.Lookup(typ)
	switch {
	case t != nil && t.IsArray():
		return "ARRAY"
	case t == nil || typ >= types.VectorOID:
		return "USER-DEFINED"
	}
	return d.TypeName(typ, types.NoTypmod)
}

// headerBytes is what a length's type modifier has on top of the length.
const headerBytes = 4

// maxOctets is character_octet_length of a type without a limit.
const maxOctets = 1 << 30

// numberPrecision is precision and radix of the number types.
var numberPrecision = map[types.OID]int64{
	types.Int2OID: 16, types.Int4OID: 32, types.Int8OID: 64, types.Float4OID: 24, types.Float8OID: 53,
}

func lengthPairs(typ types.OID, typmod int32) []types.Datum {
	switch typ {
	case types.TextOID:
		return []types.Datum{"character_octet_length", int64(maxOctets)}
	case types.VarcharOID, types.BpcharOID:
		if typmod < headerBytes {
			return []types.Datum{"character_octet_length", int64(maxOctets)}
		}
		n := int64(typmod - headerBytes)
		return []types.Datum{"character_maximum_length", n, "character_octet_length", n * 4}
	case types.BitOID, types.VarbitOID:
		if typmod >= 0 {
			return []types.Datum{"character_maximum_length", int64(typmod)}
		}
	case types.Int2OID, types.Int4OID, types.Int8OID:
		return []types.Datum{"numeric_precision", numberPrecision[typ], "numeric_precision_radix", int64(2), "numeric_scale", int64(0)}
	case types.Float4OID, types.Float8OID:
		return []types.Datum{"numeric_precision", numberPrecision[typ], "numeric_precision_radix", int64(2)}
	case types.NumericOID:
		if typmod < headerBytes {
			return []types.Datum{"numeric_precision_radix", int64(10)}
		}
		mod := typmod - headerBytes
		return []types.Datum{"numeric_precision", int64(mod >> 16), "numeric_precision_radix", int64(10), "numeric_scale", int64(mod & 0x7ff)}
	case types.DateOID:
		return []types.Datum{"datetime_precision", int64(0)}
	case types.TimeOID, types.TimeTZOID, types.TimestampOID, types.TimestampTZOID:
		return []types.Datum{"datetime_precision", timePrecision(typmod)}
	case types.IntervalOID:
		if typmod >= 0 {
			typmod &= 0xffff
			if typmod == 0xffff {
				typmod = -1
			}
		}
		return []types.Datum{"datetime_precision", timePrecision(typmod)}
	}
	return nil
}

func timePrecision(typmod int32) int64 {
	if typmod < 0 {
		return 6
	}
	return int64(typmod)
}
