package expr

import (
	"errors"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var jsonPathOperators = []*Operator{
	fast2("@?", types.JSONBOID, types.JSONPathOID, types.BoolOID, "jsonb_path_exists_opr", func(a, b types.Datum) (types.Datum, error) {
		return pathExists(a, b, nil, true)
	}),
	fast2("@@", types.JSONBOID, types.JSONPathOID, types.BoolOID, "jsonb_path_match_opr", func(a, b types.Datum) (types.Datum, error) {
		return pathMatch(a, b, nil, true)
	}),
}

var jsonPathFunctions = append(pathFunctions(""), pathFunctions("_tz")...)

// pathFunctions are the functions of jsonpath; those with _tz may look at the
// session's time zone.
func pathFunctions(suffix string) []*Function {
	args := "(target jsonb, path jsonpath, vars jsonb = '{}', silent bool = false) "
	out := []*Function{
		define("jsonb_path_exists"+suffix+args+"bool", func(_ *Context, a []types.Datum) (types.Datum, error) {
			return pathExists(a[0], a[1], a[2], a[3].(bool))
		}),
		define("jsonb_path_match"+suffix+args+"bool", func(_ *Context, a []types.Datum) (types.Datum, error) {
			return pathMatch(a[0], a[1], a[2], a[3].(bool))
		}),
		define("jsonb_path_query_array"+suffix+args+"jsonb", func(_ *Context, a []types.Datum) (types.Datum, error) {
			items, err := pathItems(a[0], a[1], a[2], a[3].(bool))
			if err != nil {
				return nil, err
			}
			return types.JSONBFromValue(append([]any{}, items...)), nil
		}),
		define("jsonb_path_query_first"+suffix+args+"jsonb", func(_ *Context, a []types.Datum) (types.Datum, error) {
			items, err := pathItems(a[0], a[1], a[2], a[3].(bool))
			if err != nil || len(items) == 0 {
				return nil, err
			}
			return types.JSONBFromValue(items[0]), nil
		}),
		defineRows("jsonb_path_query"+suffix+args+"setof jsonb", "", func(_ *Context, a []types.Datum) (func() (types.Row, error), error) {
			items, err := pathItems(a[0], a[1], a[2], a[3].(bool))
			if err != nil {
				return nil, err
			}
			values := make([]types.Datum, len(items))
			for i, v := range items {
				values[i] = types.JSONBFromValue(v)
			}
			return rowsOf(values), nil
		}),
	}
	if suffix != "" {
		for _, f := range out {
			f.stable()
		}
	}
	return out
}

// silenced tells whether an error is one that a silent call answers with NULL:
// those of the data, not our own.
func silenced(err error, silent bool) bool {
	e := pgerr.As(err)
	return silent && e != nil && len(e.Code) == 5 && e.Code[:2] == "22"
}

func pathItems(target, path, vars types.Datum, silent bool) ([]any, error) {
	var items []any
	_, err := runPath(target, path, vars, func(v any) error {
		items = append(items, v)
		return nil
	})
	if err != nil && !silenced(err, silent) {
		return nil, err
	}
	return items, nil
}

func pathExists(target, path, vars types.Datum, silent bool) (types.Datum, error) {
	p, err := pathOf(path.(string))
	if err != nil {
		return nil, err
	}
	found := false
	_, err = runPath(target, path, vars, func(any) error {
		found = true
		if p.Strict {
			return nil
		}
		return errEnough
	})
	switch {
	case err == nil || errors.Is(err, errEnough):
		return found, nil
	case silenced(err, silent):
		return nil, nil
	}
	return nil, err
}

func pathMatch(target, path, vars types.Datum, silent bool) (types.Datum, error) {
	items, err := pathItems(target, path, vars, silent)
	if err != nil {
		return nil, err
	}
	if len(items) == 1 {
		switch v := items[0].(type) {
		case bool:
			return v, nil
		case nil:
			return nil, nil
		}
	}
	if silent {
		return nil, nil
	}
	return nil, pgerr.New(singletonItemRequired, "single boolean result is expected")
}
