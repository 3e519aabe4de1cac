package pgcatalog

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// The statistics views count rows; what AkiDB does not count is 0, times that it
// does not keep are NULL.

// counters are n counts of nothing.
func counters(n int) []types.Datum {
	out := make([]types.Datum, n)
	for i := range out {
		out[i] = int64(0)
	}
	return out
}

var tableStats = &source{
	kinds: []catalog.Kind{catalog.KindTable}, owner: "relid", name: "relname",
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		b.add(
			oid(t.ID), t.Schema, t.Name, int64(0), nil, int64(0), int64(0), nil, int64(0), int64(0), int64(0), int64(0), int64(0), int64(0),
			b.stats(t.ID).Rows, int64(0), int64(0), int64(0), nil, nil, nil, nil, int64(0), int64(0), int64(0), int64(0),
		)
	},
}

var tableIOStats = &source{
	kinds: []catalog.Kind{catalog.KindTable}, owner: "relid", name: "relname",
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		b.add(append([]types.Datum{oid(t.ID), t.Schema, t.Name}, counters(8)...)...)
	},
}

var indexStats = &source{
	kinds: []catalog.Kind{catalog.KindIndex}, owner: "indexrelid", name: "indexrelname",
	objects: func(b *builder, o catalog.Object) {
		x := o.(*catalog.Index)
		if t := b.env.Catalog.Table(x.Table); t != nil {
			b.add(oid(t.ID), oid(x.ID), t.Schema, t.Name, x.Name, int64(0), nil, int64(0), int64(0))
		}
	},
}

var indexIOStats = &source{
	kinds: []catalog.Kind{catalog.KindIndex}, owner: "indexrelid", name: "indexrelname",
	objects: func(b *builder, o catalog.Object) {
		x := o.(*catalog.Index)
		if t := b.env.Catalog.Table(x.Table); t != nil {
			b.add(oid(t.ID), oid(x.ID), t.Schema, t.Name, x.Name, int64(0), int64(0))
		}
	},
}

var databaseStats = &source{
	kinds: []catalog.Kind{catalog.KindDatabase}, owner: "datid", name: "datname",
	objects: func(b *builder, o catalog.Object) {
		sessions, _ := b.env.dynamicRows("pg_stat_activity") // a count that fails is a count of none
		row := []types.Datum{oid(o.ObjectID()), o.(*catalog.Database).Name, int64(len(sessions))}
		for _, c := range relations().byName[[2]string{"pg_catalog", "pg_stat_database"}].columns[3:] {
			switch c.Type.OID {
			case types.Float8OID:
				row = append(row, float64(0))
			case types.TimestampTZOID:
				row = append(row, nil)
			default:
				row = append(row, int64(0))
			}
		}
		b.add(row...)
	},
}
