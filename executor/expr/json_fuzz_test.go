package expr

import (
	"testing"

	"github.com/akidb/akidb/internal/types"
)

// Any document, path and key: no function of jsonb panics, and what it gives is
// normalised jsonb.
func FuzzJSONBFunctionsGiveJSONB(f *testing.F) {
	for _, doc := range []string{`{"a": [1, {"b": null}], "c": "x"}`, `[1, [2], {}]`, `"s"`, `-1.5e3`, `{"": {"": []}}`, `{"a": null}`} {
		for _, path := range []string{`$.a[*] ? (@ > 1).b`, `strict $.**{1 to 2}`, `$[last - 1] + 2`, `-$.a`, `$.keyvalue().value.size()`, `$.c like_regex "x"`, `exists($ ? (@.a == "x"))`} {
			f.Add(doc, path, "a")
			f.Add(doc, path, "-1")
		}
	}
	names := []string{"jsonb_set", "jsonb_insert", "jsonb_strip_nulls", "jsonb_path_query_array"}
	f.Fuzz(func(t *testing.T, doc, path, key string) {
		j, err := types.ParseJSONB(doc)
		if err != nil || types.CheckText(key) != nil || types.CheckText(path) != nil || types.CheckText(doc) != nil {
			return
		}
		check := func(name string, v types.Datum, err error) {
			if b, ok := v.(types.JSONB); ok && err == nil {
				if again, err := types.ParseJSONB(string(b)); err != nil || again != b {
					t.Errorf("%s of %s with %q gives %s", name, doc, key, b)
				}
			}
		}
		steps := types.NewArray(types.TextOID, []types.Datum{key, "a"})
		one := types.NewArray(types.TextOID, []types.Datum{key})
		for _, list := range []types.Datum{steps, one} {
			v, err := Apply(nil, FunctionsNamed(names[0])[0], j, list, j, true)
			check(names[0], v, err)
			v, err = Apply(nil, FunctionsNamed(names[1])[0], j, list, j, true)
			check(names[1], v, err)
		}
		v, err := Apply(nil, FunctionsNamed(names[2])[0], j)
		check(names[2], v, err)
		for _, op := range []struct {
			name  string
			right types.OID
			value types.Datum
		}{{"-", types.TextOID, key}, {"#-", types.TextArrayOID, steps}, {"||", types.JSONBOID, j}, {"->", types.TextOID, key}, {"#>", types.TextArrayOID, one},
			{"@>", types.JSONBOID, j}, {"-", types.Int4OID, int64(-1)}} {
			o, _ := FindOperator(op.name, types.JSONBOID, op.right)
			v, err := Apply(nil, o.Func, j, op.value)
			check(op.name, v, err)
			if op.name == "@>" && v != true {
				t.Errorf("%s does not contain itself", j)
			}
		}
		if p, err := types.ParseJSONPath(path); err == nil {
			v, err := Apply(nil, FunctionsNamed(names[3])[0], j, p.String(), types.JSONB("{}"), false)
			check(path, v, err)
		}
		_ = jsonPretty(string(j))
	})
}
