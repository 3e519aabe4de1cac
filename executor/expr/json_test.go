package expr

import (
	"testing"

	"github.com/akidb/akidb/internal/types"
)

// The results are PostgreSQL 15's.
func TestJSONUnfoldsIntoRows(t *testing.T) {
	checkCalls(t, `
jsonb_each(jsonb'{"b": 1, "a": [1, null], "c": null}') => (a,[1, null]) (b,1) (c,null)
json_each(json'{"b":  1, "a": [1,null], "c": null, "b": 2}') => (b,1) (a,[1,null]) (c,null) (b,2)
jsonb_each_text(jsonb'{"b": "x y", "c": null}') => (b,x y) (c,NULL)
json_each_text(json'{"b": "xy", "a": [1,null], "c": null}') => (b,xy) (a,[1,null]) (c,NULL)
jsonb_each(jsonb'[1]') => ERROR 22023 cannot call jsonb_each on a non-object
json_each(json'[1]') => ERROR 22023 cannot deconstruct an array as an object
json_each(json'1') => ERROR 22023 cannot deconstruct a scalar
jsonb_each_text(jsonb'1') => ERROR 22023 cannot call jsonb_each_text on a non-object
jsonb_array_elements(jsonb'[1, "a", null, {"a": 1}]') => (1) ("a") (null) ({"a": 1})
json_array_elements(json'[1, "a",null , {"a":1}]') => (1) ("a") (null) ({"a":1})
jsonb_array_elements_text(jsonb'[1, "a", null, {"a": 1}]') => (1) (a) (NULL) ({"a": 1})
json_array_elements_text(json'[1, "a", null]') => (1) (a) (NULL)
jsonb_array_elements(jsonb'[]') => ''
jsonb_array_elements(jsonb'{}') => ERROR 22023 cannot extract elements from an object
jsonb_array_elements(jsonb'1') => ERROR 22023 cannot extract elements from a scalar
json_array_elements(json'{}') => ERROR 22023 cannot call json_array_elements on a non-array
json_array_elements_text(json'"a"') => ERROR 22023 cannot call json_array_elements_text on a scalar
jsonb_object_keys(jsonb'{"bb": 1, "a": 2}') => (a) (bb)
json_object_keys(json'{"bb": 1, "a": 2, "bb": 3}') => (bb) (a) (bb)
jsonb_object_keys(jsonb'[1]') => ERROR 22023 cannot call jsonb_object_keys on an array
json_object_keys(json'1') => ERROR 22023 cannot call json_object_keys on a scalar
`)
}

// feed gives an aggregate rows of arguments and returns its result as text.
func feed(t *testing.T, name string, oids []types.OID, rows ...[]types.Datum) string {
	t.Helper()
	args := make([]Type, len(oids))
	for i, o := range oids {
		args[i] = Type{OID: o, Typmod: types.NoTypmod}
	}
	f := FunctionsNamed(name)[0]
	acc := f.Aggregate.New(testContext(), args)
	for _, r := range rows {
		if err := acc.Add(r); err != nil {
			return runError(err)
		}
	}
	v, err := acc.Result()
	if err != nil {
		return runError(err)
	}
	return textOf(f.Result, v, nil)
}

func TestJSONAggregatesWriteAsPostgreSQLDoes(t *testing.T) {
	ints := []types.OID{types.Int4OID}
	array := types.NewArray(types.Int4OID, []types.Datum{int64(1), int64(2)})
	pair := []types.OID{types.TextOID, types.Int4OID}
	for _, c := range []struct{ got, want string }{
		{feed(t, "json_agg", ints), "NULL"},
		{feed(t, "json_agg", ints, types.Row{int64(1)}, types.Row{nil}), "[1, null]"},
		{feed(t, "jsonb_agg", ints, types.Row{int64(1)}, types.Row{nil}), "[1, null]"},
		{feed(t, "json_agg", []types.OID{types.Int4ArrayOID}, types.Row{array}, types.Row{array}), "[[1,2], \n [1,2]]"},
		{feed(t, "jsonb_agg", []types.OID{types.Int4ArrayOID}, types.Row{array}, types.Row{array}), "[[1, 2], [1, 2]]"},
		{feed(t, "json_object_agg", pair, types.Row{"b", int64(1)}, types.Row{"a", nil}), `{ "b" : 1, "a" : null }`},
		{feed(t, "jsonb_object_agg", pair, types.Row{"b", int64(1)}, types.Row{"a", nil}, types.Row{"b", int64(2)}), `{"a": null, "b": 2}`},
		{feed(t, "jsonb_object_agg", pair, types.Row{nil, int64(1)}), "ERROR 22023 field name must not be null"},
		{feed(t, "jsonb_object_agg", pair), "NULL"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// A running window asks for results between rows.
func TestJSONAggregateGoesOnAfterAResult(t *testing.T) {
	acc := FunctionsNamed("jsonb_agg")[0].Aggregate.New(testContext(), []Type{{OID: types.Int4OID, Typmod: -1}})
	for i, want := range []string{"[0]", "[0, 1]", "[0, 1, 2]"} {
		if err := acc.Add([]types.Datum{int64(i)}); err != nil {
			t.Fatal(err)
		}
		if v, err := acc.Result(); err != nil || v != types.JSONB(want) {
			t.Errorf("got %v, %v, want %s", v, err, want)
		}
	}
}
