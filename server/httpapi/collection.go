package httpapi

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// collection is a table as REST shows it. It is made from one schema snapshot and never changed.
type collection struct {
	table *catalog.Table
	// quoted is the table's name in a statement.
	quoted string
	// id is the column of the primary key, nil when there is none or it has several columns.
	id *catalog.Column
	// vectors are the columns that can be searched, with the metric of their index.
	vectors []vectorColumn
	// keys are the columns by their names in REST; columns is their order.
	keys    map[string]*catalog.Column
	columns []column
	// sequence gives the ids, nil when none does.
	sequence *catalog.Sequence
}

// column is a column under its name in REST.
type column struct {
	key string
	*catalog.Column
}

// vectorColumn is a column with vectors.
type vectorColumn struct {
	column
	metric types.Metric
	index  *catalog.Index // nil when none is
}

// collections remembers what was made of tables, for one schema snapshot.
type collections struct {
	now atomic.Pointer[described]
}

type described struct {
	schema *catalog.Snapshot
	tables sync.Map // types.OID -> *collection
}

// find finds a collection by its name: a table in the search path, or schema.table.
func (cs *collections) find(cat *catalog.Snapshot, path []string, name string) (*collection, error) {
	table := lookUp(cat, path, name)
	if table == nil {
		return nil, pgerr.Newf(pgerr.UndefinedTable, "collection %q does not exist", name)
	}
	c := cs.describe(cat, table)
	if len(c.vectors) == 0 {
		return nil, pgerr.Newf(pgerr.WrongObjectType, "table %q has no vector column", name).
			WithHint("ALTER TABLE … ADD COLUMN embedding vector(n) makes it a collection that REST can search.")
	}
	return c, nil
}

func lookUp(cat *catalog.Snapshot, path []string, name string) *catalog.Table {
	for _, schema := range path {
		if t, ok := cat.Relation(schema, name).(*catalog.Table); ok {
			return t
		}
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if t, ok := cat.Relation(name[:i], name[i+1:]).(*catalog.Table); ok {
			return t
		}
	}
	return nil
}

func (cs *collections) describe(cat *catalog.Snapshot, table *catalog.Table) *collection {
	d := cs.now.Load()
	if d == nil || d.schema != cat {
		d = &described{schema: cat}
		cs.now.Store(d)
	}
	if c, ok := d.tables.Load(table.ID); ok {
		return c.(*collection)
	}
	c := makeCollection(cat, table)
	d.tables.Store(table.ID, c)
	return c
}

func makeCollection(cat *catalog.Snapshot, table *catalog.Table) *collection {
	c := &collection{
		table: table, quoted: sql.QuoteIdent(table.Schema) + "." + sql.QuoteIdent(table.Name), keys: map[string]*catalog.Column{},
	}
	indexes := cat.Indexes(table.ID)
	for _, x := range indexes {
		if x.Primary && len(x.Keys) == 1 && x.Keys[0].Column > 0 {
			c.id = &table.Columns[x.Keys[0].Column-1]
		}
	}
	var vectors []*catalog.Column
	for _, col := range table.Live() {
		if col.Type == types.VectorOID || col.Type == types.HalfVecOID || col.Type == types.SparseVecOID || indexed(col, indexes) != nil {
			vectors = append(vectors, col)
		}
	}
	for _, col := range table.Live() {
		key := col.Name
		switch {
		case col == c.id && table.Column("id") == nil:
			key = "id"
		case len(vectors) == 1 && col == vectors[0] && table.Column("vector") == nil:
			key = "vector"
		}
		c.columns = append(c.columns, column{key, col})
		c.keys[key] = col
		c.keys[col.Name] = col
	}
	for _, col := range vectors {
		c.vectors = append(c.vectors, describeVector(col, c.keyOf(col), indexes))
	}
	for _, q := range cat.Sequences(table.ID) {
		if c.id != nil && q.OwnerColumn == c.id.Num {
			c.sequence = q
		}
	}
	return c
}

func (c *collection) keyOf(col *catalog.Column) string {
	i := slices.IndexFunc(c.columns, func(x column) bool { return x.Column == col })
	return c.columns[i].key
}

// describeVector finds the index of a column; without one the metric is the type's usual one.
func describeVector(col *catalog.Column, key string, indexes []*catalog.Index) vectorColumn {
	v := vectorColumn{column: column{key, col}, metric: types.MetricCosine}
	if col.Type == types.BitOID {
		v.metric = types.MetricHamming
	}
	if x := indexed(col, indexes); x != nil {
		v.metric, v.index = x.Keys[0].Metric, x
	}
	return v
}

// indexed finds the vector index of a column. A bit string is a vector where it
// has one, and a bit string otherwise.
func indexed(col *catalog.Column, indexes []*catalog.Index) *catalog.Index {
	for _, x := range indexes {
		if x.Vector() && len(x.Keys) == 1 && x.Keys[0].Column == col.Num && x.Predicate == "" {
			return x
		}
	}
	return nil
}

// vector chooses the column to search: the one named, or the only one.
func (c *collection) vector(name string) (*vectorColumn, error) {
	if name == "" && len(c.vectors) == 1 {
		return &c.vectors[0], nil
	}
	var names []string
	for i := range c.vectors {
		if v := &c.vectors[i]; v.key == name || v.Name == name {
			return v, nil
		}
		names = append(names, c.vectors[i].key)
	}
	if name == "" {
		return nil, invalid("collection %q has several vector columns", c.table.Name).WithHint(`Say which in "column": %s.`, strings.Join(names, ", "))
	}
	return nil, pgerr.Newf(pgerr.UndefinedColumn, "collection %q has no vector column %q", c.table.Name, name).WithHint("%s", oneOf(names...))
}

// column finds a column by its name in REST.
func (c *collection) column(key string) (*catalog.Column, error) {
	if col, ok := c.keys[key]; ok {
		return col, nil
	}
	return nil, pgerr.Newf(pgerr.UndefinedColumn, "column %q of collection %q does not exist", key, c.table.Name).WithHint("%s", c.hint())
}

func (c *collection) hint() string {
	var names []string
	for _, col := range c.columns {
		names = append(names, col.key)
	}
	hint := "It has " + strings.Join(names, ", ") + "."
	if col, ok := c.keys["metadata"]; ok && col.Type == types.JSONBOID {
		hint += ` What is not a column goes into "metadata".`
	}
	return hint
}

// identified is an error for collections whose vectors have no id.
func (c *collection) identified() error {
	if c.id != nil {
		return nil
	}
	return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "collection %q has no primary key of one column", c.table.Name).
		WithHint("ALTER TABLE … ADD PRIMARY KEY gives its vectors an id.")
}

// typeName is a column's type as SQL prints it.
func typeName(col *catalog.Column) string {
	t := types.Lookup(col.Type)
	if t == nil {
		return "unknown"
	}
	return t.SQLName + types.TypmodOut(col.Type, col.Typmod)
}

func knownKeys(names []string) string {
	slices.Sort(names)
	return "Known keys: " + strings.Join(names, ", ") + "."
}
