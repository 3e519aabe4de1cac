package pgcatalog

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// functionText lists support functions of types and access methods: they have
// names and object ids, but cannot be called.
//
//go:embed functions.txt
var functionText string

// supportFunction is one row of functionText.
type supportFunction struct {
	oid        types.OID
	name       string
	args       []types.OID
	result     types.OID
	volatility string
}

var supportFunctions = sync.OnceValue(func() []supportFunction {
	var all []supportFunction
	for _, line := range lines(functionText) {
		w := strings.Fields(line)
		f := supportFunction{oid: readOID(w[0]), name: w[1], result: columnType(w[3]), volatility: w[4]}
		if w[2] != "-" {
			for _, a := range strings.Split(w[2], ",") {
				f.args = append(f.args, columnType(a))
			}
		}
		all = append(all, f)
	}
	return all
})

// functionOID is the object id of a support function by name.
func functionOID(name string) types.OID {
	for _, f := range supportFunctions() {
		if f.name == name {
			return f.oid
		}
	}
	return 0
}

var functionSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, f := range supportFunctions() {
		rows = append(rows, functionRow(&expr.Function{
			OID: f.oid, Name: f.name, Args: f.args, Result: f.result, Volatility: expr.Volatility(f.volatility[0]), Schema: supportSchema(f.oid),
		}, f.name))
	}
	for _, f := range expr.Functions() {
		rows = append(rows, functionRow(f, f.Name))
	}
	return rows
}}

func supportSchema(id types.OID) string {
	if id >= types.VectorOID {
		return "public"
	}
	return ""
}

// functionSchema is the schema that a function lies in.
func functionSchema(f *expr.Function) string {
	if f.Schema == "" {
		return "pg_catalog"
	}
	return f.Schema
}

func systemSchemaOID(name string) types.Datum {
	if name == "public" {
		return oid(publicSchemaOID)
	}
	return oid(schemaOIDs[name])
}

func functionRow(f *expr.Function, source string) types.Row {
	kind, rows, language := "f", float32(0), int64(12)
	switch {
	case f.Aggregate != nil:
		kind, source = "a", "aggregate_dummy"
	case f.Window != nil:
		kind = "w"
	}
	if f.Rows != nil {
		rows = 1000
	}
	if functionSchema(f) == "public" {
		language = 13
	}
	allTypes, modes, names := outArguments(f)
	return types.Row{
		oid(f.OID), f.Name, systemSchemaOID(functionSchema(f)), oid(superuserOID), language, float32(1), rows, oid(f.Variadic), oid(0), kind,
		false, false, !f.NotStrict, f.Rows != nil, string(rune(f.Volatility)), "s", int64(len(f.Args)), int64(f.Defaults), oid(f.Result),
		oidvector(f.Args), allTypes, modes, names, nil, nil, source, nil, nil, nil, nil,
	}
}

// outArguments are proallargtypes, proargmodes and proargnames: NULL for a
// function with plain arguments without names.
func outArguments(f *expr.Function) (allTypes, modes, names types.Datum) {
	out := len(f.Columns) > 1
	if !out && f.Variadic == 0 && len(f.ArgNames) == 0 {
		return nil, nil, nil
	}
	var ids []types.OID
	var letters, texts []types.Datum
	named := out
	for i, a := range f.Args {
		mode, name := "i", ""
		if f.Variadic != 0 && i == len(f.Args)-1 {
			mode = "v"
		}
		if i < len(f.ArgNames) {
			name = f.ArgNames[i]
		}
		named = named || name != ""
		ids, letters, texts = append(ids, a), append(letters, mode), append(texts, name)
	}
	if out {
		for _, c := range f.Columns {
			ids, letters, texts = append(ids, c.Type), append(letters, "o"), append(texts, c.Name)
		}
	}
	if named {
		names = types.NewArray(types.TextOID, texts)
	}
	if !out && f.Variadic == 0 {
		return nil, nil, names
	}
	return oidarray(ids), types.NewArray(types.CharOID, letters), names
}

var aggregateSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, f := range expr.Functions() {
		if f.Aggregate == nil {
			continue
		}
		kind := "n"
		if f.Aggregate.OrderedSet {
			kind = "o"
		}
		rows = append(rows, types.Row{
			oid(f.OID), kind, int64(0), oid(0), oid(0), oid(0), oid(0), oid(0), oid(0), oid(0), oid(0), false, false, "r", "r",
			oid(0), oid(types.InternalOID), int64(0), oid(0), int64(0), nil, nil,
		})
	}
	return rows
}}

var operatorSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, o := range expr.Operators() {
		kind, schema := "b", oid(catalogSchemaOID)
		if o.Left == 0 {
			kind = "l"
		}
		if o.Schema == "public" || isVectorType(o.Left) || isVectorType(o.Right) {
			schema = oid(publicSchemaOID)
		}
		code := types.OID(0)
		if o.Func != nil {
			code = o.Func.OID
		}
		rows = append(rows, types.Row{
			oid(o.OID), o.Name, schema, oid(superuserOID), kind, o.Name == "=", o.Name == "=", oid(o.Left), oid(o.Right), oid(o.Result),
			relatedOperator(o.Commutator, o.Right, o.Left), relatedOperator(o.Negator, o.Left, o.Right), oid(code), oid(0), oid(0),
		})
	}
	return rows
}}

func isVectorType(id types.OID) bool {
	return id == types.VectorOID || id == types.HalfVecOID || id == types.SparseVecOID
}

func relatedOperator(name string, left, right types.OID) types.Datum {
	if o, ok := expr.FindOperator(name, left, right); ok && name != "" {
		return oid(o.OID)
	}
	return oid(0)
}

var castSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for i, c := range expr.Casts() {
		function, method := types.OID(0), "b"
		switch {
		case c.IO:
			method = "i"
		case c.Func != nil:
			function, method = c.Func.OID, "f"
		}
		rows = append(rows, types.Row{oid(firstCastOID + types.OID(i)), oid(c.Source), oid(c.Target), oid(function), string(rune(c.Context)), method})
	}
	return rows
}}

// firstCastOID numbers the rows of pg_cast; nothing refers to them.
const firstCastOID types.OID = 10200
