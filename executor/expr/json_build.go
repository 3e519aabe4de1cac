package expr

import (
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

// finish makes the datum of written JSON text.
func (k jsonKind) finish(text []byte) (types.Datum, error) {
	if k.oid == types.JSONOID {
		return string(text), nil
	}
	return datum(types.ParseJSONB(string(text)))
}

var jsonBuildFunctions = append(append(plainJSON.builders(), binaryJSON.builders()...), rowJSONFunctions...)

func (k jsonKind) builders() []*Function {
	n := k.name
	to := "to_" + n
	return []*Function{
		defineBound(to+"(anyelement) "+n, func(args []Type, _ bool) evalFunc {
			return func(ctx *Context, values []types.Datum) (types.Datum, error) {
				w := jsonWriter{ctx: ctx}
				return k.finish(w.append(nil, typeAt(args, 0), values[0]))
			}
		}).stable(),
		defineBound(n+"_build_array(variadic any) "+n, k.bindBuildArray).stable().withNulls(),
		defineBound(n+"_build_object(variadic any) "+n, k.bindBuildObject).stable().withNulls(),
		define(n+"_build_array() "+n, func(*Context, []types.Datum) (types.Datum, error) { return k.wrap("[]"), nil }).stable(),
		define(n+"_build_object() "+n, func(*Context, []types.Datum) (types.Datum, error) { return k.wrap("{}"), nil }).stable(),
		define1(n+"_object(text[]) "+n, k.objectOfPairs),
		define2(n+"_object(text[], text[]) "+n, k.objectOfLists),
		aggregate(n+"_agg(anyelement) "+n, func(ctx *Context, args []Type) Accumulator {
			return &jsonList{kind: k, elem: typeAt(args, 0), w: jsonWriter{ctx: ctx}}
		}).stable(),
		aggregate(n+"_object_agg(any, any) "+n, func(ctx *Context, args []Type) Accumulator {
			return &jsonMembers{kind: k, key: typeAt(args, 0), value: typeAt(args, 1), w: jsonWriter{ctx: ctx}}
		}).stable(),
	}
}

// rowJSONFunctions exist for json alone.
var rowJSONFunctions = []*Function{
	define("row_to_json(record) json", evalRowToJSON).stable(),
	define("row_to_json(record, bool) json", evalRowToJSON).stable(),
	define("array_to_json(anyarray) json", evalArrayToJSON).stable(),
	define("array_to_json(anyarray, bool) json", evalArrayToJSON).stable(),
}

func lineSeparator(args []types.Datum) string {
	if len(args) == 2 && args[1].(bool) {
		return ",\n "
	}
	return ","
}

func evalRowToJSON(ctx *Context, args []types.Datum) (types.Datum, error) {
	w := jsonWriter{ctx: ctx}
	return string(w.appendRecord(nil, args[0].(*types.Record), lineSeparator(args))), nil
}

func evalArrayToJSON(ctx *Context, args []types.Datum) (types.Datum, error) {
	w := jsonWriter{ctx: ctx}
	return string(w.appendArray(nil, args[0].(*types.Array), lineSeparator(args))), nil
}

// spreadValues gives the values of VARIADIC "any" with their types, be they
// written one by one or as an array; null says that the array is NULL.
func spreadValues(args []Type, values []types.Datum, variadic bool) (oids []types.OID, out []types.Datum, null bool) {
	if variadic {
		a, ok := values[len(values)-1].(*types.Array)
		if !ok {
			return nil, nil, true
		}
		values, args = a.Elems, make([]Type, len(a.Elems))
		for i := range args {
			args[i].OID = a.Elem
		}
	}
	oids = make([]types.OID, len(values))
	for i := range oids {
		oids[i] = typeAt(args, i)
	}
	return oids, values, false
}

func (k jsonKind) bindBuildArray(args []Type, variadic bool) evalFunc {
	return func(ctx *Context, values []types.Datum) (types.Datum, error) {
		oids, values, null := spreadValues(args, values, variadic)
		if null {
			return nil, nil
		}
		w := jsonWriter{ctx: ctx}
		out := []byte{'['}
		for i, v := range values {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = w.append(out, oids[i], v)
		}
		return k.finish(append(out, ']'))
	}
}

func (k jsonKind) bindBuildObject(args []Type, variadic bool) evalFunc {
	return func(ctx *Context, values []types.Datum) (types.Datum, error) {
		oids, values, null := spreadValues(args, values, variadic)
		if null {
			return nil, nil
		}
		if len(values)%2 != 0 {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "argument list must have even number of elements").
				WithHint("The arguments of %s_build_object() must consist of alternating keys and values.", k.name)
		}
		w := jsonWriter{ctx: ctx}
		out := []byte{'{'}
		var err error
		for i := 0; i < len(values); i += 2 {
			if values[i] == nil {
				return nil, k.nullKey(i + 1)
			}
			if i > 0 {
				out = append(out, ", "...)
			}
			if out, err = w.appendKey(out, oids[i], values[i]); err != nil {
				return nil, err
			}
			out = w.append(append(out, " : "...), oids[i+1], values[i+1])
		}
		return k.finish(append(out, '}'))
	}
}

func (k jsonKind) nullKey(place int) error {
	if k.oid == types.JSONBOID {
		return invalidJSONArgument("argument %d: key must not be null", place)
	}
	return pgerr.Newf(pgerr.InvalidParameterValue, "argument %d cannot be null", place).WithHint("Object keys should be text.")
}

// objectOfPairs is json_object over {key, value, …} or {{key, value}, …}.
func (k jsonKind) objectOfPairs(d types.Datum) (types.Datum, error) {
	a := d.(*types.Array)
	switch {
	case len(a.Dims) > 2:
		return nil, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	case len(a.Dims) == 2 && a.Dims[1] != 2:
		return nil, pgerr.New(pgerr.ArraySubscriptError, "array must have two columns")
	case len(a.Elems)%2 != 0:
		return nil, pgerr.New(pgerr.ArraySubscriptError, "array must have even number of elements")
	}
	return k.object(len(a.Elems)/2, func(i int) (key, value types.Datum) { return a.Elems[2*i], a.Elems[2*i+1] })
}

func (k jsonKind) objectOfLists(d, e types.Datum) (types.Datum, error) {
	keys, values := d.(*types.Array), e.(*types.Array)
	switch {
	case len(keys.Dims) > 1 || len(keys.Dims) != len(values.Dims):
		return nil, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	case len(keys.Elems) != len(values.Elems):
		return nil, pgerr.New(pgerr.ArraySubscriptError, "mismatched array dimensions")
	}
	return k.object(len(keys.Elems), func(i int) (key, value types.Datum) { return keys.Elems[i], values.Elems[i] })
}

func (k jsonKind) object(n int, pair func(i int) (key, value types.Datum)) (types.Datum, error) {
	out := []byte{'{'}
	for i := range n {
		key, value := pair(i)
		if key == nil {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "null value not allowed for object key")
		}
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(types.AppendJSONString(out, key.(string)), " : "...)
		if value == nil {
			out = append(out, "null"...)
			continue
		}
		out = types.AppendJSONString(out, value.(string))
	}
	return k.finish(append(out, '}'))
}

// jsonList is json_agg and jsonb_agg.
type jsonList struct {
	kind jsonKind
	elem types.OID
	w    jsonWriter
	out  []byte
}

func (l *jsonList) Add(args []types.Datum) error {
	switch {
	case l.out == nil:
		l.out = []byte{'['}
	case isJSONContainer(args[0]):
		l.out = append(l.out, ", \n "...)
	default:
		l.out = append(l.out, ", "...)
	}
	l.out = l.w.append(l.out, l.elem, args[0])
	return nil
}

func (l *jsonList) Result() (types.Datum, error) {
	if l.out == nil {
		return nil, nil
	}
	return l.kind.finish(append(l.out[:len(l.out):len(l.out)], ']'))
}

// jsonMembers is json_object_agg and jsonb_object_agg.
type jsonMembers struct {
	kind       jsonKind
	key, value types.OID
	w          jsonWriter
	out        []byte
}

func (m *jsonMembers) Add(args []types.Datum) error {
	if args[0] == nil {
		return pgerr.New(pgerr.InvalidParameterValue, "field name must not be null")
	}
	if m.out == nil {
		m.out = []byte("{ ")
	} else {
		m.out = append(m.out, ", "...)
	}
	out, err := m.w.appendKey(m.out, m.key, args[0])
	if err != nil {
		return err
	}
	m.out = m.w.append(append(out, " : "...), m.value, args[1])
	return nil
}

func (m *jsonMembers) Result() (types.Datum, error) {
	if m.out == nil {
		return nil, nil
	}
	return m.kind.finish(append(m.out[:len(m.out):len(m.out)], " }"...))
}
