package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// The set-returning functions of json and jsonb.
var jsonRowFunctions = append(plainJSON.unfolders(), binaryJSON.unfolders()...)

func (k jsonKind) unfolders() []*Function {
	n := k.name
	asJSON := func(s string) (types.Datum, error) { return k.wrap(s), nil }
	return []*Function{
		defineRows(n+"_each(from_json "+n+") setof record", "key text, value "+n, k.each(n+"_each", asJSON)),
		defineRows(n+"_each_text(from_json "+n+") setof record", "key text, value text", k.each(n+"_each_text", jsonAsText)),
		defineRows(n+"_array_elements(from_json "+n+") setof "+n, "value "+n, k.elements(n+"_array_elements", asJSON)),
		defineRows(n+"_array_elements_text(from_json "+n+") setof text", "value text", k.elements(n+"_array_elements_text", jsonAsText)),
		defineRows(n+"_object_keys("+n+") setof text", "", k.keys),
	}
}

func invalidJSONArgument(format string, args ...any) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, format, args...)
}

func (k jsonKind) each(name string, value func(string) (types.Datum, error)) rowsFunc {
	return func(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
		s := jsonText(args[0])
		if kind := types.JSONKind(s); kind != '{' {
			switch {
			case k.oid == types.JSONBOID:
				return nil, invalidJSONArgument("cannot call %s on a non-object", name)
			case kind == '[':
				return nil, invalidJSONArgument("cannot deconstruct an array as an object")
			}
			return nil, invalidJSONArgument("cannot deconstruct a scalar")
		}
		c := types.WalkJSON(s)
		return func() (types.Row, error) {
			if !c.Next() {
				return nil, nil
			}
			key, err := c.Key()
			if err != nil {
				return nil, err
			}
			v, err := value(c.Value())
			if err != nil {
				return nil, err
			}
			return types.Row{key, v}, nil
		}, nil
	}
}

func (k jsonKind) elements(name string, value func(string) (types.Datum, error)) rowsFunc {
	return func(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
		s := jsonText(args[0])
		if kind := types.JSONKind(s); kind != '[' {
			return nil, k.noElements(name, kind)
		}
		c := types.WalkJSON(s)
		return func() (types.Row, error) {
			if !c.Next() {
				return nil, nil
			}
			v, err := value(c.Value())
			if err != nil {
				return nil, err
			}
			return types.Row{v}, nil
		}, nil
	}
}

func (k jsonKind) noElements(name string, kind byte) error {
	if k.oid == types.JSONBOID {
		if kind == '{' {
			return invalidJSONArgument("cannot extract elements from an object")
		}
		return invalidJSONArgument("cannot extract elements from a scalar")
	}
	if kind == '{' {
		return invalidJSONArgument("cannot call %s on a non-array", name)
	}
	return invalidJSONArgument("cannot call %s on a scalar", name)
}

func (k jsonKind) keys(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	s := jsonText(args[0])
	switch types.JSONKind(s) {
	case '{':
	case '[':
		return nil, invalidJSONArgument("cannot call %s_object_keys on an array", k.name)
	default:
		return nil, invalidJSONArgument("cannot call %s_object_keys on a scalar", k.name)
	}
	var keys []types.Datum
	for c := types.WalkJSON(s); c.Next(); {
		key, err := c.Key()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return rowsOf(keys), nil
}

// jsonPretty is jsonb_pretty: four blanks a level.
func jsonPretty(s string) string {
	var out strings.Builder
	writePretty(&out, s, "\n")
	return out.String()
}

// writePretty writes a value; newline is the line break with the indentation of
// the value's own level.
func writePretty(out *strings.Builder, s, newline string) {
	kind := types.JSONKind(s)
	if kind != '{' && kind != '[' {
		out.WriteString(s)
		return
	}
	inner := newline + "    "
	out.WriteByte(kind)
	c := types.WalkJSON(s)
	for first := true; c.Next(); first = false {
		if !first {
			out.WriteByte(',')
		}
		out.WriteString(inner)
		if kind == '{' {
			out.WriteString(c.RawKey() + ": ")
		}
		writePretty(out, c.Value(), inner)
	}
	out.WriteString(newline)
	out.WriteByte(kind + 2) // the closing brace or bracket
}
