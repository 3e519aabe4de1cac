package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/types"
)

func trimBlanks(d types.Datum) (types.Datum, error) { return strings.TrimRight(d.(string), " "), nil }

func toName(d types.Datum) (types.Datum, error) { return types.TruncateName(d.(string)), nil }

func boolText(d types.Datum) (types.Datum, error) {
	if d.(bool) {
		return "true", nil
	}
	return "false", nil
}

// toChar is "char": the first byte.
func toChar(d types.Datum) (types.Datum, error) {
	return types.Parse(types.CharOID, types.NoTypmod, d.(string), nil)
}

func charText(d types.Datum) (types.Datum, error) {
	return types.FormatString(types.CharOID, d, nil), nil
}

var textCasts = []CastRow{
	relabel(types.TextOID, types.VarcharOID, CastImplicit),
	relabel(types.TextOID, types.BpcharOID, CastImplicit),
	relabel(types.VarcharOID, types.TextOID, CastImplicit),
	relabel(types.VarcharOID, types.BpcharOID, CastImplicit),
	castBy(types.BpcharOID, types.TextOID, CastImplicit, "text", trimBlanks),
	unnamed(castBy(types.BpcharOID, types.VarcharOID, CastImplicit, "text", trimBlanks)),
	castBy(types.NameOID, types.TextOID, CastImplicit, "text", identity),
	castBy(types.NameOID, types.VarcharOID, CastAssignment, "varchar", identity),
	castBy(types.NameOID, types.BpcharOID, CastAssignment, "bpchar", identity),
	castBy(types.TextOID, types.NameOID, CastImplicit, "name", toName),
	castBy(types.VarcharOID, types.NameOID, CastImplicit, "name", toName),
	castBy(types.BpcharOID, types.NameOID, CastImplicit, "name", func(d types.Datum) (types.Datum, error) {
		return toName(strings.TrimRight(d.(string), " "))
	}),
	castBy(types.CharOID, types.TextOID, CastImplicit, "text", charText),
	unnamed(castBy(types.CharOID, types.VarcharOID, CastAssignment, "text", charText)),
	castBy(types.CharOID, types.BpcharOID, CastAssignment, "bpchar", charText),
	castBy(types.TextOID, types.CharOID, CastAssignment, "char", toChar),
	unnamed(castBy(types.VarcharOID, types.CharOID, CastAssignment, "char", toChar)),
	unnamed(castBy(types.BpcharOID, types.CharOID, CastAssignment, "char", toChar)),
	castBy(types.CharOID, types.Int4OID, CastExplicit, "int4", charToInt),
	castBy(types.Int4OID, types.CharOID, CastExplicit, "char", intToChar),
	castBy(types.BoolOID, types.TextOID, CastAssignment, "text", boolText),
	unnamed(castBy(types.BoolOID, types.VarcharOID, CastAssignment, "text", boolText)),
	unnamed(castBy(types.BoolOID, types.BpcharOID, CastAssignment, "text", boolText)),
	castBy(types.InetOID, types.TextOID, CastAssignment, "text", identity),
	unnamed(castBy(types.InetOID, types.VarcharOID, CastAssignment, "text", identity)),
	unnamed(castBy(types.InetOID, types.BpcharOID, CastAssignment, "text", identity)),
	unnamed(castBy(types.CIDROID, types.TextOID, CastAssignment, "text", identity)),
	unnamed(castBy(types.CIDROID, types.VarcharOID, CastAssignment, "text", identity)),
	unnamed(castBy(types.CIDROID, types.BpcharOID, CastAssignment, "text", identity)),
	relabel(types.CIDROID, types.InetOID, CastImplicit),
	relabel(types.XMLOID, types.TextOID, CastAssignment),
	relabel(types.XMLOID, types.VarcharOID, CastAssignment),
	relabel(types.XMLOID, types.BpcharOID, CastAssignment),
	relabel(types.PgNodeTreeOID, types.TextOID, CastImplicit),
	{Source: types.JSONOID, Target: types.JSONBOID, Context: CastAssignment, IO: true},
	{Source: types.JSONBOID, Target: types.JSONOID, Context: CastAssignment, IO: true},
}

// unnamed keeps a cast's function out of the function table, where another
// row stands for it.
func unnamed(c CastRow) CastRow {
	c.Func.Name = ""
	return c
}

func charToInt(d types.Datum) (types.Datum, error) {
	s := d.(string)
	if s == "" {
		return int64(0), nil
	}
	return int64(int8(s[0])), nil
}

func intToChar(d types.Datum) (types.Datum, error) {
	v := d.(int64)
	if v < -128 || v > 127 {
		return nil, outOfRangeOf("\"char\"")
	}
	if v == 0 {
		return "", nil
	}
	return string([]byte{byte(v)}), nil
}
