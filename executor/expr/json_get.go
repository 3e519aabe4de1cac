package expr

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// jsonText is the text of a json or a jsonb value.
func jsonText(d types.Datum) string {
	if j, ok := d.(types.JSONB); ok {
		return string(j)
	}
	return d.(string)
}

// jsonKind makes the datum of one of the two types from a part of a value's text.
type jsonKind struct {
	name string
	oid  types.OID
	wrap func(s string) types.Datum
}

var (
	plainJSON  = jsonKind{"json", types.JSONOID, func(s string) types.Datum { return s }}
	binaryJSON = jsonKind{"jsonb", types.JSONBOID, func(s string) types.Datum { return types.JSONB(s) }}
)

// jsonMember finds a member of an object; of equal keys, which json may have,
// the last one counts.
func jsonMember(s, key string) (value string, ok bool) {
	if types.JSONKind(s) != '{' {
		return "", false
	}
	for c := types.WalkJSON(s); c.Next(); {
		if c.KeyIs(key) {
			value, ok = c.Value(), true
		}
	}
	return value, ok
}

// jsonElement finds an element of an array; a negative place counts from the end.
func jsonElement(s string, i int64) (string, bool) {
	if types.JSONKind(s) != '[' {
		return "", false
	}
	if i < 0 {
		i += int64(jsonLength(s))
	}
	c := types.WalkJSON(s)
	for n := int64(0); c.Next(); n++ {
		if n == i {
			return c.Value(), true
		}
	}
	return "", false
}

// element is jsonElement, but a jsonb scalar is an array of itself here.
func (k jsonKind) element(s string, i int64) (string, bool) {
	if kind := types.JSONKind(s); k.oid == types.JSONBOID && kind != '[' && kind != '{' {
		return s, i == 0 || i == -1
	}
	return jsonElement(s, i)
}

func jsonLength(s string) int {
	n := 0
	for c := types.WalkJSON(s); c.Next(); {
		n++
	}
	return n
}

// jsonAsText is what ->> gives: NULL for null, a string without its quotes.
func jsonAsText(s string) (types.Datum, error) {
	switch types.JSONKind(s) {
	case 'n':
		return nil, nil
	case '"':
		return datum(types.JSONStringValue(strings.TrimSpace(s)))
	}
	return s, nil
}

// jsonAt follows a path of keys and places; a NULL in the path finds nothing.
func jsonAt(s string, path []types.Datum) (string, bool) {
	s = strings.TrimSpace(s)
	for _, step := range path {
		if step == nil {
			return "", false
		}
		key, ok := step.(string), false
		switch types.JSONKind(s) {
		case '{':
			s, ok = jsonMember(s, key)
		case '[':
			n, isInt := pathIndex(key)
			if !isInt {
				return "", false
			}
			s, ok = jsonElement(s, n)
		}
		if !ok {
			return "", false
		}
	}
	return s, true
}

// pathIndex reads a step of a path as a place in an array, as strtol does.
func pathIndex(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimLeft(s, " \t\n\v\f\r"), 10, 32)
	return n, err == nil
}

// pathOperator is an operator over a function that may be called VARIADIC too.
func (k jsonKind) pathOperator(name string, result types.OID, declaration string, give func(string, bool) (types.Datum, error)) *Operator {
	f := define2(declaration, func(a, b types.Datum) (types.Datum, error) {
		return give(jsonAt(jsonText(a), b.(*types.Array).Elems))
	})
	return &Operator{Name: name, Left: k.oid, Right: types.TextArrayOID, Result: result, Func: f}
}

// getters are -> and ->> by key and by place and #> and #>>, with the functions
// that stand behind them.
func (k jsonKind) getters() []*Operator {
	found := func(s string, ok bool) (types.Datum, error) {
		if !ok {
			return nil, nil
		}
		return k.wrap(s), nil
	}
	foundText := func(s string, ok bool) (types.Datum, error) {
		if !ok {
			return nil, nil
		}
		return jsonAsText(s)
	}
	text := func(d types.Datum) string { return d.(string) }
	n := k.name
	return []*Operator{
		fast2("->", k.oid, types.TextOID, k.oid, n+"_object_field", func(a, b types.Datum) (types.Datum, error) {
			return found(jsonMember(jsonText(a), text(b)))
		}),
		fast2("->>", k.oid, types.TextOID, types.TextOID, n+"_object_field_text", func(a, b types.Datum) (types.Datum, error) {
			return foundText(jsonMember(jsonText(a), text(b)))
		}),
		fast2("->", k.oid, types.Int4OID, k.oid, n+"_array_element", func(a, b types.Datum) (types.Datum, error) {
			return found(k.element(jsonText(a), b.(int64)))
		}),
		fast2("->>", k.oid, types.Int4OID, types.TextOID, n+"_array_element_text", func(a, b types.Datum) (types.Datum, error) {
			return foundText(k.element(jsonText(a), b.(int64)))
		}),
		k.pathOperator("#>", k.oid, n+"_extract_path(from_json "+n+", variadic path_elems text[]) "+n, found),
		k.pathOperator("#>>", types.TextOID, n+"_extract_path_text(from_json "+n+", variadic path_elems text[]) text", foundText),
	}
}

var jsonGetOperators = append(plainJSON.getters(), binaryJSON.getters()...)

// readers are the functions of both types that look at a value.
func (k jsonKind) readers() []*Function {
	n := k.name
	return []*Function{
		define1(n+"_typeof("+n+") text", func(a types.Datum) (types.Datum, error) { return jsonTypeName(jsonText(a)), nil }),
		define1(n+"_array_length("+n+") int4", jsonArrayLength),
	}
}

func jsonTypeName(s string) string {
	switch types.JSONKind(s) {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	}
	return "null"
}

func jsonArrayLength(d types.Datum) (types.Datum, error) {
	s := jsonText(d)
	switch types.JSONKind(s) {
	case '[':
		return int64(jsonLength(s)), nil
	case '{':
		return nil, pgerr.New(pgerr.InvalidParameterValue, "cannot get array length of a non-array")
	}
	return nil, pgerr.New(pgerr.InvalidParameterValue, "cannot get array length of a scalar")
}

var jsonReadFunctions = append(plainJSON.readers(), binaryJSON.readers()...)

var jsonCasts = []CastRow{
	castBy(types.JSONBOID, types.BoolOID, CastExplicit, "bool", func(d types.Datum) (types.Datum, error) {
		v, err := jsonScalarOf(d, "boolean")
		if b, ok := v.(bool); ok || err != nil {
			return b, err
		}
		return nil, cannotCastJSON(d, "boolean")
	}),
	jsonNumberCast(types.NumericOID, "numeric", "numeric"),
	jsonNumberCast(types.Int2OID, "int2", "smallint"),
	jsonNumberCast(types.Int4OID, "int4", "integer"),
	jsonNumberCast(types.Int8OID, "int8", "bigint"),
	jsonNumberCast(types.Float4OID, "float4", "real"),
	jsonNumberCast(types.Float8OID, "float8", "double precision"),
}

func jsonScalarOf(d types.Datum, target string) (any, error) {
	s := jsonText(d)
	if kind := types.JSONKind(s); kind == '{' || kind == '[' {
		return nil, cannotCastJSON(d, target)
	}
	return types.JSONScalar(s)
}

func cannotCastJSON(d types.Datum, target string) error {
	kind := jsonTypeName(jsonText(d))
	if kind == "number" {
		kind = "numeric"
	}
	return pgerr.Newf(pgerr.InvalidParameterValue, "cannot cast jsonb %s to type %s", kind, target)
}

// jsonNumberCast goes on with the cast from numeric.
func jsonNumberCast(target types.OID, code, sqlName string) CastRow {
	return castBy(types.JSONBOID, target, CastExplicit, code, func(d types.Datum) (types.Datum, error) {
		v, err := jsonScalarOf(d, sqlName)
		if err != nil {
			return nil, err
		}
		n, ok := v.(*types.Numeric)
		if !ok {
			return nil, cannotCastJSON(d, sqlName)
		}
		if target == types.NumericOID {
			return n, nil
		}
		row, ok := FindCast(types.NumericOID, target)
		if !ok {
			return nil, cannotCastJSON(d, sqlName)
		}
		return Apply(nil, row.Func, n)
	})
}

// trimJSON is a scalar without blanks, its string written in the plain way.
func trimJSON(s string) string {
	s = strings.TrimSpace(s)
	if types.JSONKind(s) == '"' {
		return string(appendCleanString(nil, s))
	}
	return s
}

// appendCleanString writes a JSON string with no more escapes than it needs.
func appendCleanString(dst []byte, raw string) []byte {
	v, err := types.JSONStringValue(raw)
	if err != nil {
		return append(dst, raw...)
	}
	return types.AppendJSONString(dst, v)
}
