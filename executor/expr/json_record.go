package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// WithColumns gives a function that returns record the columns that a column
// definition list, AS (a int, b text), asks for. ok is false for a function that
// takes no such list.
func (f *Function) WithColumns(names []string, columns []Type) (bound *Function, ok bool) {
	if f.recordRows == nil {
		return f, false
	}
	out := *f
	out.Columns = make([]OutColumn, len(names))
	for i, n := range names {
		out.Columns[i] = OutColumn{Name: n, Type: columns[i].OID}
	}
	out.Rows = f.recordRows(names, columns)
	return &out, true
}

// recordFunc makes the rows of a function that returns record, for the columns
// that its call names.
type recordFunc = func(names []string, columns []Type) rowsFunc

func defineRecord(declaration string, rows recordFunc) *Function {
	f := declare(declaration)
	f.recordRows = rows
	f.Rows = func(*Context, []types.Datum) (func() (types.Row, error), error) {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "function returning record called in context that cannot accept type record").
			WithHint("Try calling the function in the FROM clause using a column definition list.")
	}
	return f
}

var jsonRecordFunctions = append(plainJSON.recordFunctions(), binaryJSON.recordFunctions()...)

func (k jsonKind) recordFunctions() []*Function {
	n := k.name
	return []*Function{
		defineRecord(n+"_to_record("+n+") record", func(names []string, columns []Type) rowsFunc {
			return func(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
				row, err := k.recordOf(ctx, n+"_to_record", jsonText(args[0]), names, columns)
				if err != nil {
					return nil, err
				}
				return rowsOfRows([]types.Row{row}), nil
			}
		}),
		defineRecord(n+"_to_recordset("+n+") setof record", func(names []string, columns []Type) rowsFunc {
			return func(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
				return k.recordSet(ctx, jsonText(args[0]), names, columns)
			}
		}),
	}
}

func (k jsonKind) recordSet(ctx *Context, s string, names []string, columns []Type) (func() (types.Row, error), error) {
	function := k.name + "_to_recordset"
	switch types.JSONKind(s) {
	case '[':
	case '{':
		return nil, invalidJSONArgument("cannot call %s on an object", function)
	default:
		return nil, invalidJSONArgument("cannot call %s on a scalar", function)
	}
	c := types.WalkJSON(s)
	return func() (types.Row, error) {
		if !c.Next() {
			return nil, nil
		}
		if types.JSONKind(c.Value()) != '{' {
			return nil, invalidJSONArgument("argument of %s must be an array of objects", function)
		}
		return k.recordOf(ctx, function, c.Value(), names, columns)
	}, nil
}

func (k jsonKind) recordOf(ctx *Context, function, s string, names []string, columns []Type) (types.Row, error) {
	row := make(types.Row, len(names))
	return row, k.fill(ctx, function, s, row, names, columns)
}

// valueOfJSON reads a JSON value as an SQL value: an array element by element,
// everything else by the text that ->> gives.
func valueOfJSON(ctx *Context, to Type, s string) (types.Datum, error) {
	kind := types.JSONKind(s)
	switch {
	case kind == 'n' && to.OID != types.JSONOID && to.OID != types.JSONBOID:
		return nil, nil
	case to.OID == types.JSONOID:
		return s, nil
	case to.OID == types.JSONBOID:
		return datum(types.ParseJSONB(s))
	}
	if elem := elementOf(to.OID); elem != 0 && kind != '"' {
		if kind != '[' {
			return nil, pgerr.New(pgerr.InvalidTextRepresentation, "expected JSON array")
		}
		return arrayOfJSON(ctx, Type{OID: elem, Typmod: to.Typmod}, s)
	}
	text, err := jsonAsText(s)
	if err != nil {
		return nil, err
	}
	return types.Parse(to.OID, to.Typmod, text.(string), ctx.typesEnv())
}

// arrayOfJSON reads an array of scalars, or of arrays for more dimensions.
func arrayOfJSON(ctx *Context, elem Type, s string) (types.Datum, error) {
	var elems []types.Datum
	nested := false
	for c := types.WalkJSON(s); c.Next(); {
		var d types.Datum
		var err error
		if types.JSONKind(c.Value()) == '[' && elem.OID != types.JSONOID && elem.OID != types.JSONBOID {
			nested = true
			d, err = arrayOfJSON(ctx, elem, c.Value())
		} else {
			d, err = valueOfJSON(ctx, elem, c.Value())
		}
		if err != nil {
			return nil, err
		}
		elems = append(elems, d)
	}
	if nested {
		for _, e := range elems {
			if _, ok := e.(*types.Array); !ok {
				return nil, pgerr.New(pgerr.InvalidTextRepresentation, "expected JSON array")
			}
		}
		return nestArrays(elem.OID, elems)
	}
	return types.NewArray(elem.OID, elems), nil
}
