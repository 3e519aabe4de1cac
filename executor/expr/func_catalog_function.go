package expr

import (
	"strings"
	"sync"

	"github.com/akidb/akidb/internal/types"
)

// procedureFunctions print the definitions of functions.
var procedureFunctions = []*Function{
	ofFunction("pg_get_function_arguments(oid) text", func(d *Definer, f *Function) string { return d.Arguments(f, true) }),
	ofFunction("pg_get_function_identity_arguments(oid) text", func(d *Definer, f *Function) string { return d.Arguments(f, false) }),
	ofFunction("pg_get_function_result(oid) text", (*Definer).FunctionResult),
	ofFunction("pg_get_functiondef(oid) text", (*Definer).FunctionDefinition),
	nothing("pg_get_function_arg_default(oid, int4) text"),
}

// ofFunction is the row of a function that prints something of a row of pg_proc.
func ofFunction(declaration string, text func(d *Definer, f *Function) string) *Function {
	return define(declaration, func(ctx *Context, args []types.Datum) (types.Datum, error) {
		if f := functionByOID(types.OID(args[0].(int64))); f != nil {
			return text(ctx.definer(), f), nil
		}
		return nil, nil
	}).stable()
}

var functionsByOID = sync.OnceValue(func() map[types.OID]*Function {
	all := map[types.OID]*Function{}
	for _, f := range tables().functions {
		all[f.OID] = f
	}
	return all
})

func functionByOID(id types.OID) *Function { return functionsByOID()[id] }

// Arguments prints a function's arguments; with defaults and out columns when
// they are not for identity.
func (d *Definer) Arguments(f *Function, full bool) string {
	var list []string
	for i, a := range f.Args {
		text := d.TypeName(a, types.NoTypmod)
		if i < len(f.ArgNames) && f.ArgNames[i] != "" {
			text = quoteIdent(f.ArgNames[i]) + " " + text
		}
		if f.Variadic != 0 && i == len(f.Args)-1 {
			text = "VARIADIC " + text
		}
		if k := i - (len(f.Args) - f.Defaults); full && k >= 0 {
			text += " DEFAULT " + d.defaultArgument(a, f.DefaultValues[k])
		}
		list = append(list, text)
	}
	if full && len(f.Columns) > 1 {
		for _, c := range f.Columns {
			list = append(list, "OUT "+quoteIdent(c.Name)+" "+d.TypeName(c.Type, types.NoTypmod))
		}
	}
	return strings.Join(list, ", ")
}

func (d *Definer) defaultArgument(typ types.OID, v types.Datum) string {
	if v == nil {
		return "NULL::" + d.TypeName(typ, types.NoTypmod)
	}
	text := types.FormatString(typ, v, nil)
	switch v := v.(type) {
	case int64, float64:
		return text
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return quoteLiteral(text) + "::" + d.TypeName(typ, types.NoTypmod)
}

// FunctionResult prints a function's result type.
func (d *Definer) FunctionResult(f *Function) string {
	text := d.TypeName(f.Result, types.NoTypmod)
	if f.Rows != nil {
		return "SETOF " + text
	}
	return text
}

// FunctionDefinition prints a CREATE FUNCTION statement for a built-in function.
func (d *Definer) FunctionDefinition(f *Function) string {
	var b strings.Builder
	b.WriteString("CREATE OR REPLACE FUNCTION " + QualifiedName(schemaOf(f), f.Name) + "(" + d.Arguments(f, true) + ")\n")
	b.WriteString(" RETURNS " + d.FunctionResult(f) + "\n LANGUAGE internal\n")
	words := map[Volatility]string{Immutable: " IMMUTABLE", Stable: " STABLE"}[f.Volatility]
	words += " PARALLEL SAFE"
	if !f.NotStrict {
		words += " STRICT"
	}
	b.WriteString(words + "\nAS $function$" + f.Name + "$function$\n")
	return b.String()
}
