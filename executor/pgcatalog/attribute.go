package pgcatalog

import (
	"strconv"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// attribute is what differs between the rows of pg_attribute.
type attribute struct {
	relation   types.OID
	name       string
	typ        types.OID
	typmod     int32
	num        int16
	notNull    bool
	hasDefault bool
	identity   byte
	generated  byte
	dropped    bool
	inherited  bool // from the table that this one is a partition of
	collation  string
}

var attributeSource = &source{
	fixed: systemAttributes, kinds: relationKinds, owner: "attrelid",
	objects: func(b *builder, o catalog.Object) {
		switch o := o.(type) {
		case *catalog.Table:
			b.addColumns(o.ID, o.Columns, o.Parent != 0)
		case *catalog.View:
			b.addColumns(o.ID, o.Columns, false)
		case *catalog.Sequence:
			b.addColumns(o.ID, sequenceColumns, false)
		case *catalog.Index:
			b.addKeys(o)
		}
	},
}

func (b *builder) addColumns(relation types.OID, columns []catalog.Column, inherited bool) {
	for i := range columns {
		c := &columns[i]
		a := attribute{
			relation: relation, name: c.Name, num: c.Num, notNull: c.NotNull,
			hasDefault: c.Default != "" || c.Generated != "", identity: c.Identity, dropped: c.Dropped, inherited: inherited, collation: c.Collation,
		}
		a.typ, a.typmod = c.Declared()
		if c.Generated != "" {
			a.generated = 's'
		}
		if c.Dropped {
			a.name = "........pg.dropped." + strconv.Itoa(int(c.Num)) + "........"
			a.typ, a.notNull, a.hasDefault, a.identity, a.generated = 0, false, false, 0, 0
		}
		b.addAttribute(a)
	}
}

// addKeys makes the columns of an index: keys first, then included columns.
func (b *builder) addKeys(x *catalog.Index) {
	t := b.env.Catalog.Table(x.Table)
	if t == nil {
		return
	}
	seen := map[string]bool{}
	num := int16(0)
	add := func(name string, typ types.OID, typmod int32) {
		num++
		unique := name
		for i := 1; seen[unique]; i++ {
			unique = name + strconv.Itoa(i)
		}
		seen[unique] = true
		b.addAttribute(attribute{relation: x.ID, name: unique, typ: typ, typmod: typmod, num: num})
	}
	for _, k := range x.Keys {
		add(keyName(t, &k), k.Type, k.Typmod)
	}
	for _, n := range x.Include {
		c := &t.Columns[n-1]
		add(c.Name, c.Type, c.Typmod)
	}
}

// keyName is the name of an index's column: the column's, the function's, or expr.
func keyName(t *catalog.Table, k *catalog.IndexKey) string {
	if k.Column != 0 {
		return t.Columns[k.Column-1].Name
	}
	if name := callName(k.Expr); name != "" {
		return name
	}
	return "expr"
}

// callName is the function that an expression's text calls, "" for anything else.
func callName(text string) string {
	for i, c := range text {
		if c == '(' && text[len(text)-1] == ')' {
			return text[:i]
		}
		if (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') {
			return ""
		}
	}
	return ""
}

func (b *builder) addAttribute(a attribute) {
	f := factsOf(b.env.Catalog, a.typ)
	collation := f.collation
	if a.collation != "" {
		collation = collationOID(a.collation)
	}
	dims := int64(0)
	if f.array {
		dims = 1
	}
	b.add(
		oid(a.relation), a.name, oid(a.typ), int64(f.length), int64(a.num), int64(-1), int64(a.typmod), dims, f.byValue, f.align,
		f.storage, "", a.notNull, a.hasDefault, false, letter(a.identity), letter(a.generated), a.dropped, !a.inherited, ancestors(a.inherited), int64(-1),
		oid(collation), nil, nil, nil, nil,
	)
}

// ancestors is attinhcount or coninhcount.
func ancestors(inherited bool) int64 {
	if inherited {
		return 1
	}
	return 0
}

// systemAttributes are the columns of the computed relations.
func systemAttributes() []types.Row {
	b := &builder{env: &Env{Catalog: catalog.Empty()}}
	for _, r := range relations().list {
		for i, c := range r.columns {
			b.addAttribute(attribute{
				relation: r.oid, name: c.Name, typ: c.Type.OID, typmod: types.NoTypmod, num: int16(i + 1), notNull: r.notNull[i],
			})
		}
	}
	return b.rows
}

var defaultSource = &source{
	kinds: []catalog.Kind{catalog.KindTable}, owner: "adrelid",
	objects: func(b *builder, o catalog.Object) {
		t := o.(*catalog.Table)
		for i := range t.Columns {
			c := &t.Columns[i]
			if text := b.DefaultText(c); text != "" && !c.Dropped {
				b.add(oid(defaultOID(t.ID, c.Num)), oid(t.ID), int64(c.Num), text)
			}
		}
	},
}

// madeOIDs is the upper half of the object ids: those of rows that PostgreSQL
// numbers and the catalog does not. They follow from what the row belongs to.
const madeOIDs types.OID = 1 << 31

func defaultOID(table types.OID, column int16) types.OID {
	return madeOIDs | table<<11&(madeOIDs-1) | types.OID(column)
}
