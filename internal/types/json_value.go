package types

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/cockroachdb/apd/v3"
)

// JSONMember is one key of a JSON object.
type JSONMember struct {
	Key   string
	Value any
}

// JSONObject is a JSON object in key order.
type JSONObject []JSONMember

// Find returns the value of a key of an object that came from a jsonb.
func (o JSONObject) Find(key string) (any, bool) {
	i, ok := slices.BinarySearchFunc(o, key, func(m JSONMember, k string) int { return compareJSONKeys(m.Key, k) })
	if !ok {
		return nil, false
	}
	return o[i].Value, true
}

// Value returns the tree: nil, bool, *Numeric, string, []any, JSONObject.
func (j JSONB) Value() (any, error) { return jsonTree(string(j), 0) }

// ParseJSONValue checks JSON text and returns its tree; an object keeps the order
// and the duplicates of the text.
func ParseJSONValue(s string) (any, error) {
	if _, err := checkJSON(s); err != nil {
		return nil, err
	}
	return jsonTree(s, 0)
}

func jsonTree(s string, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, stackTooDeep()
	}
	switch JSONKind(s) {
	case '{':
		return jsonObjectTree(s, depth)
	case '[':
		list := []any{}
		for c := WalkJSON(s); c.Next(); {
			v, err := jsonTree(c.Value(), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return JSONScalar(s)
}

func jsonObjectTree(s string, depth int) (any, error) {
	object := JSONObject{}
	for c := WalkJSON(s); c.Next(); {
		k, err := c.Key()
		if err != nil {
			return nil, err
		}
		v, err := jsonTree(c.Value(), depth+1)
		if err != nil {
			return nil, err
		}
		object = append(object, JSONMember{Key: k, Value: v})
	}
	return object, nil
}

// JSONScalar returns the value of a text that is neither an object nor an array.
func JSONScalar(s string) (any, error) {
	l := newJSONLexer(s, true)
	if err := l.next(); err != nil {
		return nil, err
	}
	switch l.tok {
	case jsonString:
		return l.str, nil
	case jsonNumber:
		return ParseNumeric(l.token())
	case jsonTrue:
		return true, nil
	case jsonFalse:
		return false, nil
	case jsonNull:
		return nil, nil
	}
	return nil, pgerr.New(pgerr.DataCorrupted, "jsonb value is damaged")
}

// JSONBFromValue writes a tree as Value returns it; objects may have their
// members in any order, the last one of a key counts.
func JSONBFromValue(v any) JSONB { return JSONB(AppendJSONValue(nil, v)) }

// AppendJSONValue appends the normalised text of a tree.
func AppendJSONValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case string:
		return AppendJSONString(dst, v)
	case JSONB:
		return append(dst, v...)
	case *Numeric:
		return AppendJSONNumber(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendJSONValue(dst, e)
		}
		return append(dst, ']')
	case JSONObject:
		return appendJSONObject(dst, v)
	}
	panic("types: no JSON value") // a bug of the caller
}

// AppendJSONNumber writes a number; NaN and the infinities, which JSON has not,
// become strings.
func AppendJSONNumber(dst []byte, d *Numeric) []byte {
	if d.Form != apd.Finite {
		return append(appendNumeric(append(dst, '"'), d), '"')
	}
	return appendNumeric(dst, d)
}

func appendJSONObject(dst []byte, o JSONObject) []byte {
	dst = append(dst, '{')
	open := len(dst)
	members := make([]jsonSpan, 0, len(o))
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		span := jsonSpan{key: m.Key, start: len(dst)}
		dst = append(AppendJSONString(dst, m.Key), ": "...)
		dst = AppendJSONValue(dst, m.Value)
		span.end = len(dst)
		members = append(members, span)
	}
	return append(orderMembers(dst, open, members), '}')
}
