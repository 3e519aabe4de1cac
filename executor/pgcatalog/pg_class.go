package pgcatalog

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// class is what differs between the rows of pg_class.
type class struct {
	oid                 types.OID
	name, schema, owner string
	kind                string
	method              types.OID
	rowType             types.OID
	columns, checks     int
	hasIndex, triggers  bool
	rows                float32
	pages               int64
	options             types.Datum
	partition, parent   bool // is one, has some
	bound               types.Datum
}

// pageBytes is the page size that relpages and block counts are told in.
const pageBytes = 8192

var relationKinds = []catalog.Kind{catalog.KindTable, catalog.KindIndex, catalog.KindSequence, catalog.KindView}

var classSource = &source{
	fixed: systemClasses, kinds: relationKinds, owner: "oid", name: "relname",
	objects: func(b *builder, o catalog.Object) { b.addClass(b.classOf(o)) },
}

func (b *builder) classOf(o catalog.Object) class {
	c := class{oid: o.ObjectID()}
	c.schema, c.name = o.ObjectName()
	c.owner = ownerOf(b.env.Catalog, o)
	switch o := o.(type) {
	case *catalog.Table:
		stats := b.stats(o.ID)
		c.kind, c.method, c.rowType = "r", heapMethod, o.RowType
		c.columns, c.checks = len(o.Columns), len(o.Checks)
		c.hasIndex, c.triggers = len(b.env.Catalog.Indexes(o.ID)) > 0, b.hasTriggers(o)
		c.rows, c.pages = float32(stats.Rows), (stats.DiskBytes+pageBytes-1)/pageBytes
		c.options = options(o.Options)
		if o.Partitioned != nil {
			c.kind, c.method, c.parent = "p", 0, len(b.env.Catalog.Partitions(o.ID)) > 0
			c.rows = -1
		}
		if parent := b.env.Catalog.Table(o.Parent); parent != nil {
			c.partition, c.bound = true, expr.PartitionBound(parent, o)
		}
	case *catalog.Index:
		c.partition = o.Parent != 0
		c.kind, c.method = "i", methodOID(o.Method)
		c.columns = len(o.Keys) + len(o.Include)
		c.rows = float32(b.stats(o.Table).Rows)
		if t := b.env.Catalog.Table(o.Table); t != nil && t.Partitioned != nil {
			c.kind, c.parent = "I", len(b.env.Catalog.IndexParts(o)) > 0
		}
		c.options = options(o.Options)
	case *catalog.Sequence:
		c.kind, c.columns, c.rows, c.pages = "S", len(sequenceColumns), 1, 1
	case *catalog.View:
		c.kind, c.columns, c.rows = "v", len(o.Columns), -1
	}
	return c
}

// hasTriggers is relhastriggers: PostgreSQL's foreign keys are triggers, and its
// tools ask for a table's foreign keys only when it has some.
func (b *builder) hasTriggers(t *catalog.Table) bool {
	return len(t.Foreign) > 0 || len(b.env.Catalog.Referencing(t.ID)) > 0
}

func (b *builder) addClass(c class) {
	persistence := "p"
	if strings.HasPrefix(c.schema, "pg_temp") {
		persistence = "t"
	}
	identity := "n"
	if (c.kind == "r" || c.kind == "p") && c.oid >= types.FirstUserOID {
		identity = "d"
	}
	file := c.oid
	if c.kind == "v" || c.kind == "p" || c.kind == "I" {
		file = 0
	}
	var frozen types.Datum = int64(0)
	b.add(
		oid(c.oid), c.name, oid(schemaOID(b.env.Catalog, c.schema)), oid(c.rowType), oid(0), oid(roleOID(b.env.Catalog, c.owner)),
		oid(c.method), oid(file), oid(0), c.pages, c.rows, int64(0), oid(0), c.hasIndex, false, persistence, c.kind,
		int64(c.columns), int64(c.checks), c.kind == "v", c.triggers, c.parent, false, false, true, identity, c.partition, oid(0),
		frozen, int64(0), nil, c.options, c.bound,
	)
}

// systemClasses are the rows of the computed relations themselves.
func systemClasses() []types.Row {
	b := &builder{env: &Env{Catalog: catalog.Empty()}}
	for _, r := range relations().list {
		c := class{oid: r.oid, name: r.name, schema: r.schema, owner: superuser, kind: r.kind, columns: len(r.columns)}
		if r.kind == "r" {
			c.method = heapMethod
		}
		b.addClass(c)
	}
	return b.rows
}
