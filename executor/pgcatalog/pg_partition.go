package pgcatalog

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// partitionedSource is pg_partitioned_table.
var partitionedSource = &source{
	kinds: []catalog.Kind{catalog.KindTable}, owner: "partrelid",
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		if t.Partitioned == nil {
			return
		}
		var rest types.OID
		for _, p := range b.env.Catalog.Partitions(t.ID) {
			if p.Bound.Default {
				rest = p.ID
			}
		}
		keys := t.Partitioned.Keys
		columns := make([]int16, len(keys))
		classes, collations := make([]types.OID, len(keys)), make([]types.OID, len(keys))
		var exprs []string
		for i, k := range keys {
			columns[i] = k.Column
			classes[i] = opclassOID("btree", expr.DefaultClass(k.Type))
			collations[i] = factsOf(b.env.Catalog, k.Type).collation
			if k.Expr != "" {
				exprs = append(exprs, k.Expr)
			}
		}
		strategy := t.Partitioned.Strategy[:1]
		b.add(oid(t.ID), strategy, int64(len(keys)), oid(rest), int2vector(columns), oidvector(classes), oidvector(collations),
			orNull(strings.Join(exprs, ", ")))
	},
}

// inheritsSource is pg_inherits: partitions, and the indexes of partitions.
var inheritsSource = &source{
	kinds: []catalog.Kind{catalog.KindTable, catalog.KindIndex}, owner: "inhrelid",
	objects: func(b *builder, o catalog.Object) {
		switch o := o.(type) {
		case *catalog.Table:
			if o.Parent != 0 {
				b.add(oid(o.ID), oid(o.Parent), int64(1), false)
			}
		case *catalog.Index:
			if o.Parent != 0 {
				b.add(oid(o.ID), oid(o.Parent), int64(1), false)
			}
		}
	},
}
