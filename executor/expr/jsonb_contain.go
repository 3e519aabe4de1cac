package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/types"
)

var jsonbContainOperators = []*Operator{
	fast2("@>", types.JSONBOID, types.JSONBOID, types.BoolOID, "jsonb_contains", func(a, b types.Datum) (types.Datum, error) {
		return jsonbContains(string(a.(types.JSONB)), string(b.(types.JSONB))), nil
	}).with("<@", ""),
	fast2("<@", types.JSONBOID, types.JSONBOID, types.BoolOID, "jsonb_contained", func(a, b types.Datum) (types.Datum, error) {
		return jsonbContains(string(b.(types.JSONB)), string(a.(types.JSONB))), nil
	}).with("@>", ""),
	fast2("?", types.JSONBOID, types.TextOID, types.BoolOID, "jsonb_exists", func(a, b types.Datum) (types.Datum, error) {
		return jsonbExists(string(a.(types.JSONB)), b.(string)), nil
	}),
	fast2("?|", types.JSONBOID, types.TextArrayOID, types.BoolOID, "jsonb_exists_any", func(a, b types.Datum) (types.Datum, error) {
		s := string(a.(types.JSONB))
		return slices.ContainsFunc(b.(*types.Array).Elems, func(k types.Datum) bool { return k != nil && jsonbExists(s, k.(string)) }), nil
	}),
	fast2("?&", types.JSONBOID, types.TextArrayOID, types.BoolOID, "jsonb_exists_all", func(a, b types.Datum) (types.Datum, error) {
		s := string(a.(types.JSONB))
		return !slices.ContainsFunc(b.(*types.Array).Elems, func(k types.Datum) bool { return k != nil && !jsonbExists(s, k.(string)) }), nil
	}),
}

// jsonbExists says whether key is a key of the object, a string of the array or
// the string itself.
func jsonbExists(s, key string) bool {
	switch types.JSONKind(s) {
	case '{':
		for c := types.WalkJSON(s); c.Next(); {
			if c.KeyIs(key) {
				return true
			}
		}
	case '[':
		for c := types.WalkJSON(s); c.Next(); {
			if isJSONString(c.Value(), key) {
				return true
			}
		}
	}
	return isJSONString(s, key)
}

func isJSONString(s, text string) bool {
	if types.JSONKind(s) != '"' {
		return false
	}
	v, err := types.JSONStringValue(s)
	return err == nil && v == text
}

// jsonbContains is @>: every member and element of b is somewhere in a, on the
// same level. An array at the top contains a scalar that is one of its elements.
func jsonbContains(a, b string) bool {
	ka, kb := types.JSONKind(a), types.JSONKind(b)
	if ka == '[' && kb != '[' && kb != '{' {
		return arrayHasJSON(a, b)
	}
	return containsJSON(a, b)
}

func containsJSON(a, b string) bool {
	ka, kb := types.JSONKind(a), types.JSONKind(b)
	switch {
	case kb == '{' && ka == '{':
		for c := types.WalkJSON(b); c.Next(); {
			v, ok := memberLike(a, &c)
			if !ok || !containsJSON(v, c.Value()) {
				return false
			}
		}
		return true
	case kb == '[' && ka == '[':
		for c := types.WalkJSON(b); c.Next(); {
			if !arrayHasJSON(a, c.Value()) {
				return false
			}
		}
		return true
	case kb == '{' || kb == '[' || ka == '{' || ka == '[':
		return false
	}
	return sameJSONScalar(a, b)
}

// memberLike finds the member of a with the key at which c stands; in normalised
// text equal keys are written alike.
func memberLike(a string, c *types.JSONCursor) (string, bool) {
	for m := types.WalkJSON(a); m.Next(); {
		if m.RawKey() == c.RawKey() {
			return m.Value(), true
		}
	}
	return "", false
}

func arrayHasJSON(array, v string) bool {
	for c := types.WalkJSON(array); c.Next(); {
		if containsJSON(c.Value(), v) {
			return true
		}
	}
	return false
}

// sameJSONScalar compares scalars: only numbers can be equal and look different.
func sameJSONScalar(a, b string) bool {
	if a == b {
		return true
	}
	return types.JSONKind(a) == '0' && types.JSONKind(b) == '0' && types.CompareJSONB(types.JSONB(a), types.JSONB(b)) == 0
}
