package segment

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// rowIDColumn and exactPrefix name our own columns; an underscore is added while
// the user has a column of that name.
const (
	rowIDColumn = "_akidb_row_id"
	exactPrefix = "_akidb_exact_"
)

// noLeaf says that a column has no companion.
const noLeaf = -1

// A shape is how a SQL value spreads over a Parquet leaf.
type shape uint8

const (
	scalarShape shape = iota // optional leaf
	listShape                // optional list of optional leaves
	vectorShape              // optional list of required floats
)

// Column is one user column as a segment holds it.
type Column struct {
	Num    int16
	Name   string
	Type   types.OID // as the table declares it
	Stored types.OID // what it is stored as: differs for a domain
	Typmod int32

	shape shape
	leaf  leafKind
	// at is the Parquet leaf of the values, exact that of the texts that stand
	// for values which the plain type cannot hold, or noLeaf.
	at, exact int
	// labels are the names of enums while a segment is written; nil has none.
	labels types.UserTypes
}

// ofUser says whether the type was made by a user. The plain column of such a one
// has the labels, for other tools; they can be renamed later, so that AkiDB itself
// reads the companion, which has every value.
func (c *Column) ofUser() bool { return types.IsUserType(c.Stored) }

// setKind chooses shape and leaf from the stored type.
func (c *Column) setKind() {
	c.shape, c.exact = scalarShape, noLeaf
	t := types.Lookup(c.Stored)
	switch {
	case c.Stored == types.VectorOID || c.Stored == types.HalfVecOID:
		c.shape = vectorShape
	case t != nil && t.IsArray():
		c.shape = listShape
		c.leaf = c.leafOf(t.Elem)
	default:
		c.leaf = c.leafOf(c.Stored)
	}
}

// leafOf chooses the form of the column's type, or of its elements.
func (c *Column) leafOf(oid types.OID) leafKind {
	if c.ofUser() {
		return labelLeaf(oid, c.labels)
	}
	return leafOf(oid, c.Typmod)
}

// exactLeaf is the form of the companion: text, or the binary form of a user's type.
func (c *Column) exactLeaf() leafKind {
	if c.ofUser() {
		return binaryLeaf(c.Stored)
	}
	return stringLeaf
}

// needsExact says whether there are values that only the companion can hold.
func (c *Column) needsExact() bool {
	_, _, decimal := decimalOf(c.Stored, c.Typmod)
	return decimal || c.ofUser() || c.shape == listShape || c.Stored == types.TimestampOID || c.Stored == types.TimestampTZOID
}

// ordered says whether smallest and greatest values of the column are kept.
func (c *Column) ordered() bool {
	return c.shape == scalarShape && c.Stored != types.JSONBOID && c.Stored != types.SparseVecOID &&
		types.HasOrder(c.Stored) && types.Lookup(c.Stored).Codec.Encode != nil
}

// columnsOf lays out a table: leaf 0 is the row id, then come the user's columns,
// then the companions.
func columnsOf(table *catalog.Table, o Options) (cols []Column, leaves int, err error) {
	leaves = 1
	for _, c := range table.Live() {
		col := Column{Num: c.Num, Name: c.Name, Type: c.Type, Stored: c.Type, Typmod: c.Typmod, at: leaves, labels: o.Users}
		if o.Base != nil {
			col.Stored = o.Base(c.Type)
		}
		if t := types.Lookup(col.Stored); t != nil && (t.Category == 'P' || types.IsRow(col.Stored) || types.IsRow(t.Elem)) {
			return nil, 0, pgerr.Newf(pgerr.FeatureNotSupported, "column \"%s\" of type %s cannot be stored in a segment", c.Name, t.SQLName)
		}
		col.setKind()
		cols = append(cols, col)
		leaves++
	}
	for i := range cols {
		if cols[i].needsExact() {
			cols[i].exact = leaves
			leaves++
		}
	}
	return cols, leaves, nil
}

// schemaOf makes the Parquet schema and the name of the row id column.
func schemaOf(cols []Column) (*schema.GroupNode, string, error) {
	taken := map[string]bool{}
	for i := range cols {
		taken[cols[i].Name] = true
	}
	own := func(name string) string {
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		return name
	}
	rowID := own(rowIDColumn)
	node, err := int8Leaf.node(rowID, parquet.Repetitions.Required)
	if err != nil {
		return nil, "", err
	}
	fields := schema.FieldList{node}
	for i := range cols {
		if node, err = cols[i].node(); err != nil {
			return nil, "", err
		}
		fields = append(fields, node)
	}
	for i := range cols {
		if cols[i].exact == noLeaf {
			continue
		}
		if node, err = cols[i].exactLeaf().node(own(exactPrefix+cols[i].Name), parquet.Repetitions.Optional); err != nil {
			return nil, "", err
		}
		fields = append(fields, node)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	return root, rowID, err
}

func (c *Column) node() (schema.Node, error) {
	switch c.shape {
	case vectorShape:
		// The list is optional on purpose: the library reads a required one back as NULLs.
		e, err := float4Leaf.node("element", parquet.Repetitions.Required)
		if err != nil {
			return nil, err
		}
		return schema.ListOfWithName(c.Name, e, parquet.Repetitions.Optional, -1)
	case listShape:
		e, err := c.leaf.node("element", parquet.Repetitions.Optional)
		if err != nil {
			return nil, err
		}
		return schema.ListOfWithName(c.Name, e, parquet.Repetitions.Optional, -1)
	}
	return c.leaf.node(c.Name, parquet.Repetitions.Optional)
}

// A columnBuffer collects one user column for one row group.
type columnBuffer struct {
	col      *Column
	plain    valueBuffer
	exact    leafBuffer
	exactDef []int16
	nulls    uint32 // rows that are NULL in the plain column
	exacts   uint32 // rows that have a text in the companion
	stats    stats
}

// A valueBuffer collects the plain form; add is false when it cannot hold d, and
// has then stored NULL or, for an array, the elements in a row.
type valueBuffer interface {
	add(d types.Datum) bool
	write(w file.ColumnChunkWriter) error
	bytes() int
	reset()
}

func newColumnBuffer(c *Column) *columnBuffer {
	b := &columnBuffer{col: c, stats: stats{col: c}}
	switch c.shape {
	case vectorShape:
		b.plain = &vectorBuffer{}
	case listShape:
		b.plain = &listBuffer{values: c.leaf.newBuffer()}
	default:
		b.plain = &scalarBuffer{values: c.leaf.newBuffer()}
	}
	if c.exact != noLeaf {
		b.exact = c.exactLeaf().newBuffer()
	}
	return b
}

func (b *columnBuffer) add(d types.Datum) error {
	ok := b.plain.add(d)
	if d == nil || !ok && b.col.shape != listShape {
		b.nulls++
	}
	if d != nil && b.col.ordered() {
		b.stats.add(d)
	}
	switch {
	case d != nil && b.col.ofUser():
		if !b.exact.add(d) {
			return b.wrong(d)
		}
	case ok && b.exact == nil:
		return nil
	case ok:
		b.exactDef = append(b.exactDef, 0)
		return nil
	case b.exact == nil:
		return b.wrong(d)
	default:
		b.exact.add(types.FormatString(b.col.Stored, d, nil))
	}
	b.exactDef = append(b.exactDef, 1)
	b.exacts++
	return nil
}

func (b *columnBuffer) wrong(d types.Datum) error {
	return pgerr.Newf(pgerr.InternalError, "a value of column \"%s\" is a %T", b.col.Name, d)
}

func (b *columnBuffer) bytes() int {
	n := b.plain.bytes()
	if b.exact != nil {
		n += b.exact.bytes()
	}
	return n
}

func (b *columnBuffer) reset() {
	b.plain.reset()
	if b.exact != nil {
		b.exact.reset()
	}
	b.exactDef, b.nulls, b.exacts = b.exactDef[:0], 0, 0
	b.stats = stats{col: b.col}
}
