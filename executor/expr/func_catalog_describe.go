package expr

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// describeFunctions tell of objects: comments, visibility, index properties.
var describeFunctions = append(visibleFunctions(),
	define("obj_description(oid) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return orNull(comment(ctx.object(args[0]))), nil
	}).stable(),
	define("obj_description(oid, name) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return orNull(commentIn(ctx, args[0], args[1].(string))), nil
	}).stable(),
	define("col_description(oid, int4) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		columns := columnsOf(ctx.object(args[0]))
		if n := args[1].(int64); n >= 1 && int(n) <= len(columns) {
			return orNull(columns[n-1].Comment), nil
		}
		return nil, nil
	}).stable(),
	define("shobj_description(oid, name) text", func(_ *Context, args []types.Datum) (types.Datum, error) {
		if args[1] == "pg_database" && args[0] == int64(5) {
			return "default administrative connection database", nil
		}
		return nil, nil
	}).stable(),

	define("pg_describe_object(oid, oid, int4) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return orNull(describeObject(ctx, types.OID(args[0].(int64)), args[1], int(args[2].(int64)))), nil
	}).stable(),
	define("pg_index_column_has_property(regclass, int4, text) bool", evalIndexColumnProperty).stable(),
	define("pg_index_has_property(regclass, text) bool", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		x, ok := ctx.object(args[0]).(*catalog.Index)
		if !ok {
			return nil, nil
		}
		return property(indexProperties, args[1].(string), x.Vector()), nil
	}).stable(),
	define("pg_indexam_has_property(oid, text) bool", func(_ *Context, args []types.Datum) (types.Datum, error) {
		return property(methodProperties, args[1].(string), args[0] != int64(403)), nil
	}).stable(),

	// Privileges are not stored, so there are no access lists to print.
	nothing("acldefault(char, oid) text[]"),
	defineRows("aclexplode(text[]) setof record", "grantor oid, grantee oid, privilege_type text, is_grantable bool", noRows).stable(),
	defineRows("pg_options_to_table(text[]) setof record", "option_name text, option_value text", optionRows).stable(),
	defineRows("pg_get_keywords() setof record", "word text, catcode char, barelabel bool, catdesc text, baredesc text", keywordRows).stable(),
	defineRows("pg_sequence_parameters(sequence_oid oid) record", `start_value int8, minimum_value int8, maximum_value int8, increment int8,
		cycle_option bool, cache_size int8, data_type oid`, sequenceParameters).stable(),
	defineRows("pg_partition_tree(regclass) setof record", "relid regclass, parentrelid regclass, isleaf bool, level int4", partitionTree).volatile(),
	defineRows("pg_partition_ancestors(regclass) setof regclass", "relid regclass", partitionAncestors).volatile(),
	define("pg_partition_root(regclass) regclass", partitionRoot).stable(),
	defineRows("pg_tablespace_databases(oid) setof oid", "", func(*Context, []types.Datum) (func() (types.Row, error), error) {
		return rowsOf([]types.Datum{int64(5)}), nil
	}).stable(),
	defineRows("information_schema._pg_expandarray(anyarray) setof record", "x int4, n int4", expandArray),
)

func noRows(*Context, []types.Datum) (func() (types.Row, error), error) { return rowsOf(nil), nil }

func sequenceParameters(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
	q, ok := ctx.object(args[0]).(*catalog.Sequence)
	if !ok {
		return rowsOf(nil), nil
	}
	return rowsOfRows([]types.Row{{q.Start, q.Min, q.Max, q.Increment, q.Cycle, q.Cache, int64(q.Type)}}), nil
}

func comment(o catalog.Object) string {
	switch o := o.(type) {
	case *catalog.Schema:
		return o.Comment
	case *catalog.Table:
		return o.Comment
	case *catalog.Index:
		return o.Comment
	case *catalog.Sequence:
		return o.Comment
	case *catalog.View:
		return o.Comment
	}
	return ""
}

func commentIn(ctx *Context, id types.Datum, catalogName string) string {
	o := ctx.object(id)
	switch catalogName {
	case "pg_class":
		if _, ok := o.(*catalog.Schema); ok {
			return ""
		}
		return comment(o)
	case "pg_namespace":
		if s, ok := o.(*catalog.Schema); ok {
			return s.Comment
		}
	case "pg_constraint":
		return constraintComment(ctx, id)
	}
	return ""
}

func constraintComment(ctx *Context, id types.Datum) string {
	for _, o := range ctx.definer().Catalog.Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		for _, c := range t.Checks {
			if int64(c.ID) == id {
				return c.Comment
			}
		}
		for _, f := range t.Foreign {
			if int64(f.ID) == id {
				return f.Comment
			}
		}
	}
	return ""
}

func columnsOf(o catalog.Object) []catalog.Column {
	switch o := o.(type) {
	case *catalog.Table:
		return o.Columns
	case *catalog.View:
		return o.Columns
	}
	return nil
}

// visibleFunctions are pg_…_is_visible: whether an object's bare name means it,
// NULL when there is no such object.
func visibleFunctions() []*Function {
	byName := func(kind types.OID) evalFunc {
		return func(ctx *Context, args []types.Datum) (types.Datum, error) {
			name, ok := ctx.objectName(kind, args[0])
			if !ok {
				return nil, nil
			}
			return unqualified(name), nil
		}
	}
	kinds := []struct {
		name string
		eval evalFunc
	}{
		{"table", byName(types.RegclassOID)}, {"collation", byName(types.RegcollationOID)}, {"function", functionVisible},
		{"type", func(ctx *Context, args []types.Datum) (types.Datum, error) {
			d, id := ctx.definer(), types.OID(args[0].(int64))
			if schema, _ := d.TypeSchema(id); schema == "" {
				return nil, nil
			}
			return d.TypeVisible(id), nil
		}},
		{"operator", ownVisible}, {"opclass", ownVisible}, {"opfamily", ownVisible},
		{"conversion", constant(nil)}, {"statistics_obj", constant(nil)}, {"ts_config", constant(nil)}, {"ts_dict", constant(nil)},
		{"ts_parser", constant(nil)}, {"ts_template", constant(nil)},
	}
	var out []*Function
	for _, k := range kinds {
		out = append(out, define("pg_"+k.name+"_is_visible(oid) bool", k.eval).stable())
	}
	return out
}

// unqualified says whether a printed name has no schema.
func unqualified(name string) bool { return len(splitQualified(name)) == 1 }

func functionVisible(ctx *Context, args []types.Datum) (types.Datum, error) {
	if f := functionByOID(types.OID(args[0].(int64))); f != nil {
		return ctx.definer().InPath(schemaOf(f)), nil
	}
	if name, ok := ctx.objectName(types.RegprocOID, args[0]); ok {
		return unqualified(name), nil
	}
	return nil, nil
}

// ownVisible tells pgvector's objects, in public, from PostgreSQL's by their ids.
func ownVisible(ctx *Context, args []types.Datum) (types.Datum, error) {
	if types.OID(args[0].(int64)) >= types.VectorOID {
		return ctx.definer().InPath("public"), nil
	}
	return true, nil
}

func schemaOf(f *Function) string {
	if f.Schema == "" {
		return "pg_catalog"
	}
	return f.Schema
}

// describeObject is pg_describe_object.
func describeObject(ctx *Context, class types.OID, id types.Datum, column int) string {
	d := ctx.definer()
	switch class {
	case 1259:
		return describeRelation(d, ctx.object(id), column)
	case 1247:
		return "type " + d.TypeName(types.OID(id.(int64)), types.NoTypmod)
	case 1255:
		if name, ok := ctx.objectName(types.RegprocedureOID, id); ok {
			return "function " + name
		}
	case 2615:
		if name, ok := ctx.objectName(types.RegnamespaceOID, id); ok {
			return "schema " + name
		}
	case 2606:
		return describeConstraint(d, types.OID(id.(int64)))
	case 1260:
		if name, ok := ctx.objectName(types.RegroleOID, id); ok {
			return "role " + name
		}
	case 3079:
		return "extension vector"
	}
	return ""
}

func describeRelation(d *Definer, o catalog.Object, column int) string {
	words := map[catalog.Kind]string{catalog.KindTable: "table ", catalog.KindIndex: "index ", catalog.KindSequence: "sequence ", catalog.KindView: "view "}
	if o == nil || words[o.ObjectKind()] == "" {
		return ""
	}
	text := words[o.ObjectKind()] + d.RelationName(o)
	if columns := columnsOf(o); column >= 1 && column <= len(columns) {
		return "column " + columns[column-1].Name + " of " + text
	}
	return text
}

func describeConstraint(d *Definer, id types.OID) string {
	for _, o := range d.Catalog.Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		name := ""
		for i := range t.Checks {
			if t.Checks[i].ID == id {
				name = t.Checks[i].Name
			}
		}
		for i := range t.Foreign {
			if t.Foreign[i].ID == id {
				name = t.Foreign[i].Name
			}
		}
		for _, x := range d.Catalog.Indexes(t.ID) {
			if x.Constraint == id {
				name = x.Name
			}
		}
		if name != "" {
			return "constraint " + name + " on table " + d.RelationName(t)
		}
	}
	return ""
}

// Index and method properties: what a btree and what a vector index can do.
var (
	indexProperties = map[string][2]bool{
		"clusterable": {true, false}, "index_scan": {true, true}, "bitmap_scan": {true, false}, "backward_scan": {true, false},
	}
	methodProperties = map[string][2]bool{
		"can_order": {true, false}, "can_unique": {true, false}, "can_multi_col": {true, false}, "can_exclude": {true, false},
		"can_include": {true, false},
	}
	columnProperties = map[string][2]bool{
		"orderable": {true, false}, "distance_orderable": {false, true}, "returnable": {true, false}, "search_array": {true, false},
		"search_nulls": {true, false},
	}
)

// property is a property by name, NULL for an unknown one.
func property(table map[string][2]bool, name string, vector bool) types.Datum {
	p, ok := table[strings.ToLower(name)]
	switch {
	case !ok:
		return nil
	case vector:
		return p[1]
	}
	return p[0]
}

func evalIndexColumnProperty(ctx *Context, args []types.Datum) (types.Datum, error) {
	x, ok := ctx.object(args[0]).(*catalog.Index)
	n, name := int(args[1].(int64)), strings.ToLower(args[2].(string))
	if !ok || n < 1 || n > len(x.Keys)+len(x.Include) {
		return nil, nil
	}
	if n > len(x.Keys) || x.Vector() {
		switch name {
		case "asc", "desc", "nulls_first", "nulls_last":
			return false, nil
		}
		return property(columnProperties, name, x.Vector()), nil
	}
	k := &x.Keys[n-1]
	switch name {
	case "asc":
		return !k.Desc, nil
	case "desc":
		return k.Desc, nil
	case "nulls_first":
		return k.NullsFirst, nil
	case "nulls_last":
		return !k.NullsFirst, nil
	}
	return property(columnProperties, name, false), nil
}

func optionRows(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	var rows []types.Row
	for _, e := range args[0].(*types.Array).Elems {
		text, _ := e.(string)
		name, value, ok := strings.Cut(text, "=")
		row := types.Row{name, nil}
		if ok {
			row[1] = value
		}
		rows = append(rows, row)
	}
	return rowsOfRows(rows), nil
}

// The words of pg_get_keywords for its letters.
var keywordClasses = map[string]string{
	"U": "unreserved", "C": "unreserved (cannot be function or type name)", "T": "reserved (can be function or type name)", "R": "reserved",
}

// keywordRows lists the grammar's keywords, which the server gives as
// "word category barelabel".
func keywordRows(ctx *Context, _ []types.Datum) (func() (types.Row, error), error) {
	d, err := ctx.do("pg_get_keywords")
	if err != nil {
		return nil, err
	}
	var rows []types.Row
	for _, e := range d.(*types.Array).Elems {
		w := strings.Fields(e.(string))
		bare, _ := strconv.ParseBool(w[2])
		label := "requires AS"
		if bare {
			label = "can be bare label"
		}
		rows = append(rows, types.Row{w[0], w[1], bare, keywordClasses[w[1]], label})
	}
	return rowsOfRows(rows), nil
}

// expandArray gives an array's elements with their positions.
func expandArray(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	var rows []types.Row
	for i, e := range args[0].(*types.Array).Elems {
		rows = append(rows, types.Row{e, int64(i + 1)})
	}
	return rowsOfRows(rows), nil
}
