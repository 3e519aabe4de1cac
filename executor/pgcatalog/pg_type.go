package pgcatalog

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// typeText has the columns of pg_type that only clients ask for.
//
//go:embed types.txt
var typeText string

// facts are the physical properties of a type and its support functions.
type facts struct {
	align, storage string
	byValue        bool
	length         int16
	array          bool
	collation      types.OID
	// support are subscript, input, output, receive, send, modin, modout, analyze.
	support [8]types.OID
}

var typeFacts = sync.OnceValue(func() map[types.OID]facts {
	all := map[types.OID]facts{}
	for _, line := range lines(typeText) {
		w := strings.Fields(line)
		f := facts{align: w[2], storage: w[3], byValue: w[4] == "t", collation: readOID(w[5])}
		for i := range f.support {
			f.support[i] = readOID(w[6+i])
		}
		id := readOID(w[0])
		if t := types.Lookup(id); t != nil {
			f.length, f.array = t.Len, t.IsArray()
		}
		all[id] = f
	}
	return all
})

// Support functions of types that users make.
const (
	enumIn, enumOut, enumReceive, enumSend         = 3506, 3507, 3532, 3533
	domainIn, domainReceive                        = 2597, 2598
	recordIn, recordOut, recordReceive, recordSend = 2290, 2291, 2402, 2403
)

var (
	enumFacts = facts{align: "i", storage: "p", byValue: true, length: 4,
		support: [8]types.OID{0, enumIn, enumOut, enumReceive, enumSend}}
	rowFacts = facts{align: "d", storage: "x", length: -1,
		support: [8]types.OID{0, recordIn, recordOut, recordReceive, recordSend}}
)

// factsOf are a type's facts; an unknown type, as that of a dropped column, has none.
func factsOf(cat *catalog.Snapshot, id types.OID) facts {
	if f, ok := typeFacts()[id]; ok {
		return f
	}
	u, ok := cat.Object(id).(*catalog.UserType)
	switch {
	case types.UserElem(id) != 0:
		return facts{align: "d", storage: "x", length: -1, support: [8]types.OID{6179, 750, 751, 2400, 2401, 0, 0, 3816}}
	case ok && u.Base != 0:
		f := factsOf(cat, u.Base)
		f.array = false
		f.support[0], f.support[1], f.support[3] = 0, domainIn, domainReceive
		f.support[5], f.support[6], f.support[7] = 0, 0, 0
		return f
	case ok:
		return enumFacts
	case id == 0:
		return facts{align: "i", storage: "p", length: 4, byValue: true}
	}
	return rowFacts
}

var typeSource = &source{
	fixed: systemTypes,
	all: func(b *builder) error {
		cat := b.env.Catalog
		if id, ok := b.wanted(0).(int64); ok && types.OID(id) < types.FirstUserOID {
			return nil
		}
		for _, o := range cat.Objects(catalog.KindType) {
			b.addUserType(o.(*catalog.UserType))
		}
		for _, o := range cat.Objects(catalog.KindTable) {
			if t := o.(*catalog.Table); t.RowType != 0 {
				r := typeRow{oid: t.RowType, name: t.Name, schema: t.Schema, kind: "c", category: 'C', relation: t.ID, typmod: -1}
				r.array = types.UserArrayOID(r.oid)
				b.addType(r)
				b.addArrayOf(r)
			}
		}
		return nil
	},
}

// typeRow is what differs between the rows of pg_type.
type typeRow struct {
	oid          types.OID
	name, schema string
	kind         string
	category     byte
	preferred    bool
	relation     types.OID
	elem, array  types.OID
	notNull      bool
	base         types.OID
	typmod       int32
	defaultText  string
}

func (b *builder) addUserType(u *catalog.UserType) {
	r := typeRow{oid: u.ID, name: u.Name, schema: u.Schema, kind: "e", category: 'E', typmod: -1}
	if u.Base != 0 {
		r.kind, r.base, r.typmod, r.notNull, r.defaultText = "d", u.Base, u.Typmod, u.NotNull, u.Default
		base := plan.BaseOf(b.env.Catalog, u.ID)
		if row := types.Lookup(base.OID); row != nil {
			r.category = row.Category
		}
		if u.Default != "" {
			r.defaultText = b.ExpressionText(u.Default, base.OID)
		}
	}
	r.array = types.UserArrayOID(r.oid)
	b.addType(r)
	b.addArrayOf(r)
}

// addArrayOf adds the array type of a user's type.
func (b *builder) addArrayOf(r typeRow) {
	b.addType(typeRow{oid: r.array, name: arrayName(r.name), schema: r.schema, kind: "b", category: 'A', elem: r.oid, typmod: -1})
}

func arrayName(elem string) string {
	if len(elem) >= 63 {
		elem = elem[:62]
	}
	return "_" + elem
}

func (b *builder) addType(r typeRow) {
	f := factsOf(b.env.Catalog, r.oid)
	support := make([]types.Datum, len(f.support))
	for i, id := range f.support {
		support[i] = oid(id)
	}
	b.add(
		oid(r.oid), r.name, oid(schemaOID(b.env.Catalog, r.schema)), oid(superuserOID), int64(f.length), f.byValue, r.kind,
		letter(r.category), r.preferred, true, ",", oid(r.relation), support[0], oid(r.elem), oid(r.array),
		support[1], support[2], support[3], support[4], support[5], support[6], support[7], f.align, f.storage,
		r.notNull, oid(r.base), int64(r.typmod), int64(0), oid(f.collation), orNull(r.defaultText), orNull(r.defaultText), nil,
	)
}

func systemTypes() []types.Row {
	b := &builder{env: &Env{Catalog: catalog.Empty()}}
	for _, t := range types.All() {
		r := typeRow{
			oid: t.OID, name: t.Name, schema: "pg_catalog", kind: "b", category: t.Category, preferred: t.Preferred,
			elem: t.Elem, array: t.Array, typmod: -1,
		}
		if t.Category == 'P' {
			r.kind = "p"
		}
		if t.OID >= types.VectorOID {
			r.schema = "public"
		}
		b.addType(r)
	}
	return b.rows
}

var enumSource = &source{
	kinds: []catalog.Kind{catalog.KindType}, owner: "enumtypid",
	objects: func(b *builder, o catalog.Object) {
		for i, label := range o.(*catalog.UserType).Labels {
			u := o.(*catalog.UserType)
			b.add(oid(defaultOID(o.ObjectID(), int16(i+1))), oid(o.ObjectID()), float32(u.OrderAt(i)), label)
		}
	},
}
