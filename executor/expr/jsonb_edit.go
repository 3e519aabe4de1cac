package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var jsonbEditOperators = []*Operator{
	fast2("||", types.JSONBOID, types.JSONBOID, types.JSONBOID, "jsonb_concat", concatJSONB),
	fast2("-", types.JSONBOID, types.TextOID, types.JSONBOID, "jsonb_delete", func(a, b types.Datum) (types.Datum, error) {
		return deleteJSONKeys(a.(types.JSONB), []types.Datum{b})
	}),
	fast2("-", types.JSONBOID, types.Int4OID, types.JSONBOID, "jsonb_delete", deleteJSONElement),
	deleteKeysOperator(),
	fast2("#-", types.JSONBOID, types.TextArrayOID, types.JSONBOID, "jsonb_delete_path", deleteJSONPath),
}

// deleteKeysOperator is jsonb - text[], whose function is VARIADIC.
func deleteKeysOperator() *Operator {
	o := fast2("-", types.JSONBOID, types.TextArrayOID, types.JSONBOID, "jsonb_delete", func(a, b types.Datum) (types.Datum, error) {
		return deleteJSONKeys(a.(types.JSONB), b.(*types.Array).Elems)
	})
	o.Func.Variadic, o.Func.ArgNames = types.TextOID, []string{"from_json", "path_elems"}
	return o
}

var jsonbEditFunctions = []*Function{
	define("jsonb_set(jsonb_in jsonb, path text[], replacement jsonb, create_if_missing bool = true) jsonb", func(_ *Context, args []types.Datum) (types.Datum, error) {
		return setJSON(args[0], args[1], args[2], args[3].(bool))
	}),
	define("jsonb_set_lax(jsonb_in jsonb, path text[], replacement jsonb, create_if_missing bool = true, null_value_treatment text = 'use_json_null') jsonb", evalJSONSetLax).withNulls(),
	define("jsonb_insert(jsonb_in jsonb, path text[], replacement jsonb, insert_after bool = false) jsonb", evalJSONInsert),
	define1("jsonb_strip_nulls(jsonb) jsonb", func(a types.Datum) (types.Datum, error) {
		return types.JSONB(stripJSONNulls(nil, string(a.(types.JSONB)), ": ", ", ")), nil
	}),
	define1("json_strip_nulls(json) json", func(a types.Datum) (types.Datum, error) {
		return string(stripJSONNulls(nil, a.(string), ":", ",")), nil
	}),
	define1("jsonb_pretty(jsonb) text", func(a types.Datum) (types.Datum, error) { return jsonPretty(string(a.(types.JSONB))), nil }),
}

// concatJSONB merges objects, joins arrays, and takes anything else as an array
// of one.
func concatJSONB(a, b types.Datum) (types.Datum, error) {
	x, y := a.(types.JSONB), b.(types.JSONB)
	kx, ky := types.JSONKind(string(x)), types.JSONKind(string(y))
	if kx == '{' && ky == '{' {
		return mergeJSON(x, y)
	}
	left, right := jsonListBody(string(x), kx), jsonListBody(string(y), ky)
	sep := ", "
	if left == "" || right == "" {
		sep = ""
	}
	return types.JSONB("[" + left + sep + right + "]"), nil
}

// jsonListBody is what stands between the brackets of a value taken as an array.
func jsonListBody(s string, kind byte) string {
	if kind == '[' {
		return s[1 : len(s)-1]
	}
	return s
}

func mergeJSON(a, b types.JSONB) (types.Datum, error) {
	var all types.JSONObject
	for _, s := range []types.JSONB{a, b} {
		for c := types.WalkJSON(string(s)); c.Next(); {
			key, err := c.Key()
			if err != nil {
				return nil, err
			}
			all = append(all, types.JSONMember{Key: key, Value: types.JSONB(c.Value())})
		}
	}
	return types.JSONBFromValue(all), nil
}

func deleteFromScalar() error {
	return invalidJSONArgument("cannot delete from scalar")
}

func deleteJSONKeys(j types.JSONB, keys []types.Datum) (types.Datum, error) {
	switch types.JSONKind(string(j)) {
	case '{':
		return filterJSON(j, func(c *types.JSONCursor, _ int) bool {
			return !slices.ContainsFunc(keys, func(k types.Datum) bool { return k != nil && c.KeyIs(k.(string)) })
		}), nil
	case '[':
		return filterJSON(j, func(c *types.JSONCursor, _ int) bool {
			return !slices.ContainsFunc(keys, func(k types.Datum) bool { return k != nil && isJSONString(c.Value(), k.(string)) })
		}), nil
	}
	return nil, deleteFromScalar()
}

// filterJSON keeps the children of an object or array that keep says.
func filterJSON(j types.JSONB, keep func(c *types.JSONCursor, i int) bool) types.JSONB {
	s := string(j)
	object := s[0] == '{'
	out := append(make([]byte, 0, len(s)), s[0])
	c := types.WalkJSON(s)
	for i := 0; c.Next(); i++ {
		if !keep(&c, i) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ", "...)
		}
		if object {
			out = append(append(out, c.RawKey()...), ": "...)
		}
		out = append(out, c.Value()...)
	}
	return types.JSONB(append(out, s[len(s)-1]))
}

func deleteJSONElement(a, b types.Datum) (types.Datum, error) {
	j, n := a.(types.JSONB), b.(int64)
	switch types.JSONKind(string(j)) {
	case '{':
		return nil, invalidJSONArgument("cannot delete from object using integer index")
	case '[':
	default:
		return nil, deleteFromScalar()
	}
	if n < 0 {
		n += int64(jsonLength(string(j)))
	}
	return filterJSON(j, func(_ *types.JSONCursor, i int) bool { return int64(i) != n }), nil
}

// jsonEdit is what setPath does at the end of a path.
type jsonEdit struct {
	path   []types.Datum
	value  any
	create bool // what is missing is added
	insert bool // an element comes before (or after) the one there, a member must be new
	after  bool
	remove bool
}

func (e *jsonEdit) apply(target types.Datum) (types.Datum, error) {
	v, err := target.(types.JSONB).Value()
	if err != nil {
		return nil, err
	}
	if len(e.path) == 0 {
		return target, nil
	}
	if v, err = e.at(v, 0); err != nil {
		return nil, err
	}
	return types.JSONBFromValue(v), nil
}

func (e *jsonEdit) at(v any, level int) (any, error) {
	if e.path[level] == nil {
		return nil, pgerr.Newf(pgerr.NullValueNotAllowed, "path element at position %d is null", level+1)
	}
	switch c := v.(type) {
	case types.JSONObject:
		return e.member(c, level)
	case []any:
		return e.element(c, level)
	}
	return v, nil
}

func (e *jsonEdit) last(level int) bool { return level == len(e.path)-1 }

func (e *jsonEdit) member(o types.JSONObject, level int) (any, error) {
	key := e.path[level].(string)
	i := slices.IndexFunc(o, func(m types.JSONMember) bool { return m.Key == key })
	switch {
	case i < 0 && e.last(level) && e.create:
		return append(slices.Clone(o), types.JSONMember{Key: key, Value: e.value}), nil
	case i < 0:
		return o, nil
	case !e.last(level):
		v, err := e.at(o[i].Value, level+1)
		if err != nil {
			return nil, err
		}
		o[i].Value = v
	case e.remove:
		return slices.Delete(o, i, i+1), nil
	case e.insert:
		return nil, pgerr.New(pgerr.InvalidParameterValue, "cannot replace existing key").
			WithHint("Try using the function jsonb_set to replace key value.")
	default:
		o[i].Value = e.value
	}
	return o, nil
}

func (e *jsonEdit) element(list []any, level int) (any, error) {
	step := e.path[level].(string)
	n, ok := pathIndex(step)
	if !ok {
		return nil, pgerr.Newf(pgerr.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", level+1, step)
	}
	before := n < 0 && -n > int64(len(list))
	if n < 0 {
		n += int64(len(list))
	}
	inside := n >= 0 && n < int64(len(list))
	switch {
	case !e.last(level):
		if inside {
			v, err := e.at(list[n], level+1)
			if err != nil {
				return nil, err
			}
			list[n] = v
		}
	case !inside && e.create && before:
		return append([]any{e.value}, list...), nil
	case !inside && e.create:
		return append(list, e.value), nil
	case !inside:
	case e.remove:
		return slices.Delete(list, int(n), int(n)+1), nil
	case e.insert && e.after:
		return slices.Insert(list, int(n)+1, e.value), nil
	case e.insert:
		return slices.Insert(list, int(n), e.value), nil
	default:
		list[n] = e.value
	}
	return list, nil
}

func isJSONScalar(d types.Datum) bool {
	kind := types.JSONKind(jsonText(d))
	return kind != '{' && kind != '['
}

func setJSON(target, path, value types.Datum, create bool) (types.Datum, error) {
	if isJSONScalar(target) {
		return nil, invalidJSONArgument("cannot set path in scalar")
	}
	e := jsonEdit{path: path.(*types.Array).Elems, value: value, create: create}
	if err := checkPathDims(path); err != nil {
		return nil, err
	}
	return e.apply(target)
}

func checkPathDims(path types.Datum) error {
	if len(path.(*types.Array).Dims) > 1 {
		return pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	return nil
}

func evalJSONInsert(_ *Context, args []types.Datum) (types.Datum, error) {
	if isJSONScalar(args[0]) {
		return nil, invalidJSONArgument("cannot set path in scalar")
	}
	if err := checkPathDims(args[1]); err != nil {
		return nil, err
	}
	e := jsonEdit{path: args[1].(*types.Array).Elems, value: args[2], create: true, insert: true, after: args[3].(bool)}
	return e.apply(args[0])
}

func deleteJSONPath(a, b types.Datum) (types.Datum, error) {
	if isJSONScalar(a) {
		return nil, invalidJSONArgument("cannot delete path in scalar")
	}
	if err := checkPathDims(b); err != nil {
		return nil, err
	}
	e := jsonEdit{path: b.(*types.Array).Elems, remove: true}
	return e.apply(a)
}

// evalJSONSetLax is jsonb_set that may get a NULL value.
func evalJSONSetLax(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil || args[1] == nil || args[3] == nil {
		return nil, nil
	}
	if args[4] == nil {
		return nil, invalidJSONArgument("null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
	}
	if args[2] != nil {
		return setJSON(args[0], args[1], args[2], args[3].(bool))
	}
	switch args[4].(string) {
	case "raise_exception":
		return nil, pgerr.New(pgerr.NullValueNotAllowed, "JSON value must not be null").
			WithDetail("Exception was raised because null_value_treatment is \"raise_exception\".").
			WithHint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")
	case "use_json_null":
		return setJSON(args[0], args[1], types.JSONB("null"), args[3].(bool))
	case "delete_key":
		return deleteJSONPath(args[0], args[1])
	case "return_target":
		return args[0], nil
	}
	return nil, invalidJSONArgument("null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
}

// stripJSONNulls leaves out members that are null, at every level; elements of
// arrays stay.
func stripJSONNulls(dst []byte, s, colon, comma string) []byte {
	kind := types.JSONKind(s)
	if kind != '{' && kind != '[' {
		return append(dst, trimJSON(s)...)
	}
	dst = append(dst, kind)
	start := len(dst)
	for c := types.WalkJSON(s); c.Next(); {
		if kind == '{' && types.JSONKind(c.Value()) == 'n' {
			continue
		}
		if len(dst) > start {
			dst = append(dst, comma...)
		}
		if kind == '{' {
			dst = append(appendCleanString(dst, c.RawKey()), colon...)
		}
		dst = stripJSONNulls(dst, c.Value(), colon, comma)
	}
	return append(dst, kind+2)
}
