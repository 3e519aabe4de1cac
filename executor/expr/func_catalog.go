package expr

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// catalogFunctions print definitions of objects and find objects by name.
var catalogFunctions = []*Function{
	define("format_type(oid, int4) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		id, ok := args[0].(int64)
		if !ok {
			return nil, nil
		}
		if mod, ok := args[1].(int64); ok {
			return ctx.definer().typeNameWithModifier(types.OID(id), int32(mod)), nil
		}
		return ctx.definer().TypeName(types.OID(id), types.NoTypmod), nil
	}).stable().withNulls(),

	// The texts of stored expressions are printed when their rows are made.
	define("pg_get_expr(pg_node_tree, oid) text", func(_ *Context, args []types.Datum) (types.Datum, error) { return args[0], nil }).stable(),
	define("pg_get_expr(pg_node_tree, oid, bool) text", func(_ *Context, args []types.Datum) (types.Datum, error) {
		if args[2].(bool) {
			return prettyLogic(withoutParentheses(args[0].(string))), nil
		}
		return args[0], nil
	}).stable(),

	define("pg_get_indexdef(oid) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return indexDefinition(ctx, args[0], 0, false), nil
	}).stable(),
	define("pg_get_indexdef(oid, int4, bool) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return indexDefinition(ctx, args[0], int(args[1].(int64)), args[2].(bool)), nil
	}).stable(),
	define("pg_get_constraintdef(oid) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return constraintDefinition(ctx, args[0], false), nil
	}).stable(),
	define("pg_get_constraintdef(oid, bool) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return constraintDefinition(ctx, args[0], args[1].(bool)), nil
	}).stable(),
	define("pg_get_viewdef(oid) text", viewByOID).stable(),
	define("pg_get_viewdef(oid, bool) text", viewByOID).stable(),
	define("pg_get_viewdef(oid, int4) text", viewByOID).stable(),
	define("pg_get_viewdef(text) text", viewByName).stable(),
	define("pg_get_viewdef(text, bool) text", viewByName).stable(),
	define("pg_get_serial_sequence(text, text) text", evalSerialSequence).stable(),
	define("pg_get_userbyid(oid) name", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		if name, ok := ctx.objectName(types.RegroleOID, args[0]); ok {
			return unquote(name), nil
		}
		return "unknown (OID=" + types.FormatString(types.OidOID, args[0], nil) + ")", nil
	}).stable(),

	nothing("pg_get_ruledef(oid) text"), nothing("pg_get_ruledef(oid, bool) text"),
	nothing("pg_get_triggerdef(oid) text"), nothing("pg_get_triggerdef(oid, bool) text"),
	define("pg_get_partkeydef(oid) text", partitionKey).stable(), nothing("pg_get_partition_constraintdef(oid) text"),
	nothing("pg_get_statisticsobjdef(oid) text"), nothing("pg_get_statisticsobjdef_columns(oid) text"),
	nothing("pg_get_statisticsobjdef_expressions(oid) text[]"), nothing("pg_get_function_sqlbody(oid) text"),
	nothing("pg_get_replica_identity_index(regclass) regclass"), nothing("pg_partition_root(regclass) regclass"),
	nothing("pg_tablespace_location(oid) text"),

	define("pg_relation_is_publishable(regclass) bool", func(_ *Context, args []types.Datum) (types.Datum, error) {
		return types.OID(args[0].(int64)) >= types.FirstUserOID, nil
	}).stable(),
	define("pg_relation_is_updatable(regclass, bool) int4", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		if _, ok := ctx.object(args[0]).(*catalog.Table); ok {
			return int64(28), nil // INSERT, UPDATE and DELETE
		}
		return int64(0), nil
	}).stable(),
	define("pg_column_is_updatable(regclass, int2, bool) bool", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		_, ok := ctx.object(args[0]).(*catalog.Table)
		return ok, nil
	}).stable(),
	define("pg_relation_filenode(regclass) oid", func(_ *Context, args []types.Datum) (types.Datum, error) { return args[0], nil }).stable(),
	nothing("pg_relation_filepath(regclass) text"),
	define("row_security_active(oid) bool", constant(false)).stable(),
	define("row_security_active(text) bool", constant(false)).stable(),

	toReg("to_regclass", types.RegclassOID), toReg("to_regtype", types.RegtypeOID), toReg("to_regproc", types.RegprocOID),
	toReg("to_regprocedure", types.RegprocedureOID), toReg("to_regoper", types.RegoperOID), toReg("to_regoperator", types.RegoperatorOID),
	toReg("to_regnamespace", types.RegnamespaceOID), toReg("to_regrole", types.RegroleOID), toReg("to_regcollation", types.RegcollationOID),
}

// nothing is the row of a function about objects that AkiDB has none of.
func nothing(declaration string) *Function { return define(declaration, constant(nil)).stable() }

// object finds an object of the catalog by a value of type oid, or nil.
func (ctx *Context) object(id types.Datum) catalog.Object {
	if ctx.Session == nil || ctx.Session.Catalog() == nil {
		return nil
	}
	n, _ := id.(int64)
	return ctx.Session.Catalog().Object(types.OID(n))
}

// objectName is the name that a reg* type prints for an object.
func (ctx *Context) objectName(kind types.OID, id types.Datum) (string, bool) {
	if ctx.Env == nil || ctx.Env.Names == nil {
		return "", false
	}
	return ctx.Env.Names.ObjectName(kind, types.OID(id.(int64)))
}

// resolve finds an object by name as a reg* type does.
func (ctx *Context) resolve(kind types.OID, name string) (types.OID, error) {
	d, err := types.Parse(kind, types.NoTypmod, name, ctx.Env)
	if err != nil {
		return 0, err
	}
	return types.OID(d.(int64)), nil
}

func unquote(name string) string {
	if parts := splitQualified(name); len(parts) > 0 {
		return parts[len(parts)-1]
	}
	return name
}

func indexDefinition(ctx *Context, id types.Datum, column int, pretty bool) types.Datum {
	x, ok := ctx.object(id).(*catalog.Index)
	switch {
	case !ok:
		return nil
	case column != 0:
		return ctx.definer().IndexColumn(x, column, pretty)
	}
	return ctx.definer().IndexDefinition(x, pretty)
}

func constraintDefinition(ctx *Context, id types.Datum, pretty bool) types.Datum {
	if text, ok := ctx.definer().ConstraintDefinition(types.OID(id.(int64)), pretty); ok {
		return text
	}
	return nil
}

func viewByOID(ctx *Context, args []types.Datum) (types.Datum, error) {
	if v, ok := ctx.object(args[0]).(*catalog.View); ok {
		return ctx.definer().ViewDefinition(v), nil
	}
	return nil, nil
}

func viewByName(ctx *Context, args []types.Datum) (types.Datum, error) {
	id, err := ctx.resolve(types.RegclassOID, args[0].(string))
	if err != nil {
		return nil, err
	}
	if v, ok := ctx.object(int64(id)).(*catalog.View); ok {
		return ctx.definer().ViewDefinition(v), nil
	}
	return "Not a view", nil
}

func evalSerialSequence(ctx *Context, args []types.Datum) (types.Datum, error) {
	id, err := ctx.resolve(types.RegclassOID, args[0].(string))
	if err != nil {
		return nil, err
	}
	t, ok := ctx.object(int64(id)).(*catalog.Table)
	if !ok {
		return nil, nil
	}
	c := t.Column(args[1].(string))
	if c == nil {
		return nil, pgerr.Newf(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", args[1], t.Name)
	}
	for _, q := range ctx.Session.Catalog().Sequences(t.ID) {
		if q.OwnerColumn == c.Num {
			return QualifiedName(q.Schema, q.Name), nil
		}
	}
	return nil, nil
}

// toReg is a look-up that gives NULL where the cast fails.
func toReg(name string, kind types.OID) *Function {
	return define(name+"(text) "+types.Lookup(kind).Name, func(ctx *Context, args []types.Datum) (types.Datum, error) {
		if ctx.Env == nil || ctx.Env.Names == nil {
			return nil, nil
		}
		id, err := ctx.Env.Names.ResolveName(kind, args[0].(string))
		if err != nil {
			if e := pgerr.As(err); e != nil && e.Code == pgerr.SyntaxError {
				return nil, err
			}
			return nil, nil
		}
		return int64(id), nil
	}).stable()
}
