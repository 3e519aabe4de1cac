package pgcatalog

import (
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

var tablesView = &source{
	fixed: func() []types.Row {
		var rows []types.Row
		for _, r := range relations().list {
			if r.kind == "r" {
				rows = append(rows, types.Row{r.schema, r.name, superuser, nil, true, false, false, false})
			}
		}
		return rows
	},
	kinds: []catalog.Kind{catalog.KindTable}, name: "tablename",
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		b.add(t.Schema, t.Name, ownerOf(b.env.Catalog, t), nil, len(b.env.Catalog.Indexes(t.ID)) > 0, false, b.hasTriggers(t), false)
	},
}

var indexesView = &source{
	kinds: []catalog.Kind{catalog.KindIndex}, name: "indexname",
	objects: func(b *builder, o catalog.Object) {
		x := o.(*catalog.Index)
		if t := b.env.Catalog.Table(x.Table); t != nil {
			b.add(x.Schema, t.Name, x.Name, nil, b.IndexDefinition(x, false))
		}
	},
}

var viewsView = &source{
	fixed: func() []types.Row {
		var rows []types.Row
		for _, r := range relations().list {
			if r.kind == "v" {
				rows = append(rows, types.Row{r.schema, r.name, superuser, nil})
			}
		}
		return rows
	},
	kinds: []catalog.Kind{catalog.KindView}, name: "viewname",
	objects: func(b *builder, o catalog.Object) {
		v := o.(*catalog.View)
		b.add(v.Schema, v.Name, ownerOf(b.env.Catalog, v), b.ViewDefinition(v))
	},
}

var sequencesView = &source{
	kinds: []catalog.Kind{catalog.KindSequence}, name: "sequencename",
	objects: func(b *builder, o catalog.Object) {
		q := o.(*catalog.Sequence)
		var last types.Datum
		if b.env.Sequence != nil {
			if value, called, err := b.env.Sequence(q); err == nil && called {
				last = value
			}
		}
		b.add(q.Schema, q.Name, ownerOf(b.env.Catalog, q), oid(q.Type), q.Start, q.Min, q.Max, q.Increment, q.Cycle, q.Cache, last)
	},
}

func timeOrNull(t time.Time) types.Datum {
	if t.IsZero() {
		return nil
	}
	return types.TimestampFromTime(t)
}

func textOrNull(s string) types.Datum {
	if s == "" {
		return nil
	}
	return s
}

// progressOrNull is how far a move is.
func progressOrNull(t storage.TierState) types.Datum {
	if t.Transition == "" {
		return nil
	}
	return t.Progress
}

// tiersSource shows where each collection lies; what is not known is NULL.
var tiersSource = &source{
	kinds: []catalog.Kind{catalog.KindTable},
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		if t.Partitioned != nil {
			return // its partitions are collections
		}
		stats := b.stats(t.ID)
		var tier storage.TierState
		if b.env.Tier != nil {
			tier = b.env.Tier(t.ID)
		}
		b.add(b.RelationName(t), t.Tier.String(), t.Pinned, timeOrNull(tier.LastAccess), tier.Accesses, stats.Rows, tier.RAMBytes,
			stats.DiskBytes, tier.ObjectBytes, textOrNull(tier.Transition), progressOrNull(tier), textOrNull(tier.LastError))
	},
}
