package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var jsonPopulateFunctions = append(plainJSON.populateFunctions(), binaryJSON.populateFunctions()...)

// populateFunctions fill a value of a row type from JSON; what the JSON has not
// comes from the first argument. In FROM the planner names the row's columns.
func (k jsonKind) populateFunctions() []*Function {
	one, set := k.name+"_populate_record", k.name+"_populate_recordset"
	record := defineRecord(one+"(anyelement, "+k.name+") anyelement", func(names []string, columns []Type) rowsFunc {
		return func(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
			row, err := k.populate(ctx, "populate_composite", args, names, columns)
			return rowsOfRows([]types.Row{row}), err
		}
	})
	record.Rows = nil
	record.bind = func(args []Type, _ bool) evalFunc { return k.populateValue(one, typeAt(args, 0)) }
	records := defineRecord(set+"(anyelement, "+k.name+") setof anyelement", func(names []string, columns []Type) rowsFunc {
		return func(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
			return k.populateSet(ctx, set, args, names, columns)
		}
	})
	return []*Function{record.stable().withNulls(), records.stable().withNulls()}
}

// populateValue is the function outside FROM: it finds the columns at execution.
func (k jsonKind) populateValue(function string, oid types.OID) evalFunc {
	return func(ctx *Context, args []types.Datum) (types.Datum, error) {
		names, columns, ok := rowColumns(ctx, oid)
		if !ok {
			return nil, pgerr.Newf(pgerr.DatatypeMismatch, "first argument of %s must be a row type", function)
		}
		if args[1] == nil {
			return args[0], nil
		}
		row, err := k.populate(ctx, "populate_composite", args, names, columns)
		if err != nil {
			return nil, err
		}
		oids := make([]types.OID, len(columns))
		for i := range columns {
			oids[i] = columns[i].OID
		}
		return &types.Record{Names: names, Types: oids, Values: row}, nil
	}
}

// rowColumns are the columns of a row type.
func rowColumns(ctx *Context, oid types.OID) (names []string, columns []Type, ok bool) {
	if ctx.Session == nil || ctx.Session.Catalog() == nil {
		return nil, nil, false
	}
	t := ctx.Session.Catalog().RowType(oid)
	if t == nil {
		return nil, nil, false
	}
	for _, c := range t.Live() {
		names, columns = append(names, c.Name), append(columns, Type{OID: c.Type, Typmod: c.Typmod})
	}
	return names, columns, true
}

// populate makes the row of one JSON object over the base row.
func (k jsonKind) populate(ctx *Context, function string, args []types.Datum, names []string, columns []Type) (types.Row, error) {
	row := make(types.Row, len(names))
	if base, ok := args[0].(*types.Record); ok {
		copy(row, base.Values)
	}
	if args[1] == nil {
		return row, nil
	}
	return row, k.fill(ctx, function, jsonText(args[1]), row, names, columns)
}

// fill puts the members of an object into a row.
func (k jsonKind) fill(ctx *Context, function, s string, row types.Row, names []string, columns []Type) error {
	switch types.JSONKind(s) {
	case '{':
	case '[':
		return invalidJSONArgument("cannot call %s on an array", function)
	default:
		return invalidJSONArgument("cannot call %s on a scalar", function)
	}
	for i, n := range names {
		v, ok := jsonMember(s, n)
		if !ok {
			continue
		}
		d, err := valueOfJSON(ctx, columns[i], v)
		if err != nil {
			return err
		}
		row[i] = d
	}
	return nil
}

// populateSet makes a row of each object of an array.
func (k jsonKind) populateSet(ctx *Context, function string, args []types.Datum, names []string, columns []Type) (func() (types.Row, error), error) {
	if args[1] == nil {
		return rowsOfRows(nil), nil
	}
	s := jsonText(args[1])
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
		row := make(types.Row, len(names))
		if base, ok := args[0].(*types.Record); ok {
			copy(row, base.Values)
		}
		return row, k.fill(ctx, function, c.Value(), row, names, columns)
	}, nil
}
