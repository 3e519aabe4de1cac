package expr

import (
	"fmt"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// PartitionKey is pg_get_partkeydef: strategy and keys.
func (d *Definer) PartitionKey(t *catalog.Table) string {
	keys := make([]string, len(t.Partitioned.Keys))
	for i := range t.Partitioned.Keys {
		k := &t.Partitioned.Keys[i]
		keys[i] = d.indexKey(t, &catalog.IndexKey{Column: k.Column, Expr: k.Expr}, false)
	}
	return strings.ToUpper(t.Partitioned.Strategy) + " (" + strings.Join(keys, ", ") + ")"
}

// PartitionBound is a partition's FOR VALUES clause, or DEFAULT.
func PartitionBound(parent, t *catalog.Table) string {
	b := t.Bound
	switch {
	case b.Default:
		return "DEFAULT"
	case b.Modulus > 0:
		return fmt.Sprintf("FOR VALUES WITH (modulus %d, remainder %d)", b.Modulus, b.Remainder)
	case b.From != nil:
		return "FOR VALUES FROM " + PartitionLimits(parent, b.From) + " TO " + PartitionLimits(parent, b.To)
	}
	values := make([]string, len(b.In))
	for i, v := range b.In {
		values[i] = "NULL"
		if v != nil {
			values[i] = boundConstant(parent.Partitioned.Keys[0].Type, *v)
		}
	}
	return "FOR VALUES IN (" + strings.Join(values, ", ") + ")"
}

// PartitionLimits is one end of a range.
func PartitionLimits(parent *catalog.Table, limits []catalog.PartitionLimit) string {
	out := make([]string, len(limits))
	for i, l := range limits {
		switch l.Infinite {
		case -1:
			out[i] = "MINVALUE"
		case 1:
			out[i] = "MAXVALUE"
		default:
			out[i] = boundConstant(parent.Partitioned.Keys[i].Type, l.Value)
		}
	}
	return "(" + strings.Join(out, ", ") + ")"
}

// boundConstant writes a value as PostgreSQL writes constants without their type.
func boundConstant(oid types.OID, text string) string {
	switch oid {
	case types.BoolOID:
		return map[string]string{"t": "true", "f": "false"}[text]
	case types.Int2OID, types.Int4OID, types.Int8OID, types.Float4OID, types.Float8OID, types.NumericOID:
		if strings.Trim(text, "0123456789.") == "" {
			return text
		}
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// partitionTree lists a table and the partitions below it with their levels.
func partitionTree(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
	cat := ctx.definer().Catalog
	root, ok := ctx.object(args[0]).(*catalog.Table)
	if !ok || root.Partitioned == nil && root.Parent == 0 {
		return rowsOf(nil), nil
	}
	var rows []types.Row
	level := []*catalog.Table{root}
	for depth := 0; len(level) > 0; depth++ {
		var next []*catalog.Table
		for _, t := range level {
			var parent types.Datum
			if t.Parent != 0 {
				parent = int64(t.Parent)
			}
			rows = append(rows, types.Row{int64(t.ID), parent, t.Partitioned == nil, int64(depth)})
			next = append(next, cat.Partitions(t.ID)...)
		}
		level = next
	}
	return rowsOfRows(rows), nil
}

// partitionAncestors lists a partition and the tables above it.
func partitionAncestors(ctx *Context, args []types.Datum) (func() (types.Row, error), error) {
	cat := ctx.definer().Catalog
	t, ok := ctx.object(args[0]).(*catalog.Table)
	if !ok || t.Partitioned == nil && t.Parent == 0 {
		return rowsOf(nil), nil
	}
	var out []types.Datum
	for ; t != nil; t = cat.Table(t.Parent) {
		out = append(out, int64(t.ID))
	}
	return rowsOf(out), nil
}

// partitionRoot is the table at the top of a partition's tree.
func partitionRoot(ctx *Context, args []types.Datum) (types.Datum, error) {
	cat := ctx.definer().Catalog
	t, ok := ctx.object(args[0]).(*catalog.Table)
	if !ok || t.Partitioned == nil && t.Parent == 0 {
		return nil, nil
	}
	for t.Parent != 0 {
		t = cat.Table(t.Parent)
	}
	return int64(t.ID), nil
}

func partitionKey(ctx *Context, args []types.Datum) (types.Datum, error) {
	t, ok := ctx.object(args[0]).(*catalog.Table)
	if !ok || t.Partitioned == nil {
		return nil, nil
	}
	return ctx.definer().PartitionKey(t), nil
}
