package pgcatalog

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// opclassText and opfamilyText list the operator classes and their families.
var (
	//go:embed opclasses.txt
	opclassText string
	//go:embed opfamilies.txt
	opfamilyText string
)

var indexSource = &source{all: func(b *builder) error {
	cat := b.env.Catalog
	if id, ok := b.wanted(0).(int64); ok {
		if x, ok := cat.Object(types.OID(id)).(*catalog.Index); ok {
			b.addIndex(x)
		}
		return nil
	}
	if id, ok := b.wanted(1).(int64); ok {
		for _, x := range cat.Indexes(types.OID(id)) {
			b.addIndex(x)
		}
		return nil
	}
	for _, o := range cat.Objects(catalog.KindIndex) {
		b.addIndex(o.(*catalog.Index))
	}
	return nil
}}

func (b *builder) addIndex(x *catalog.Index) {
	columns := append(expr.KeyColumns(x), x.Include...)
	collations := make([]types.OID, len(x.Keys))
	classes := make([]types.OID, len(x.Keys))
	order := make([]int16, len(x.Keys))
	for i := range x.Keys {
		k := &x.Keys[i]
		collations[i] = factsOf(b.env.Catalog, k.Type).collation
		classes[i] = opclassOID(x.Method, expr.KeyClass(x, k))
		if k.Desc {
			order[i] |= 1
		}
		if k.NullsFirst {
			order[i] |= 2
		}
	}
	b.add(
		oid(x.ID), oid(x.Table), int64(len(columns)), int64(len(x.Keys)), x.Unique, x.NullsNotDistinct, x.Primary, false, true, false,
		x.Valid, false, true, true, false, int2vector(columns), oidvector(collations), oidvector(classes), int2vector(order),
		orNull(b.KeyExpressions(x)), orNull(b.PredicateText(x)),
	)
}

// opclassOIDs are the operator classes by access method and name.
var opclassOIDs = sync.OnceValue(func() map[[2]string]types.OID {
	all := map[[2]string]types.OID{}
	for _, line := range lines(opclassText) {
		w := strings.Fields(line)
		if key := [2]string{w[1], w[2]}; all[key] == 0 {
			all[key] = readOID(w[0])
		}
	}
	return all
})

func opclassOID(method, name string) types.OID { return opclassOIDs()[[2]string{method, name}] }

// ownSchema is public for what pgvector brings and pg_catalog for the rest.
func ownSchema(id types.OID) types.Datum {
	if id >= types.VectorOID {
		return oid(publicSchemaOID)
	}
	return oid(catalogSchemaOID)
}

var opclassSource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, line := range lines(opclassText) {
		w := strings.Fields(line)
		id := readOID(w[0])
		key := types.OID(0)
		if t := types.ByName(w[6]); t != nil {
			key = t.OID
		}
		rows = append(rows, types.Row{
			oid(id), oid(methodOID(w[1])), w[2], ownSchema(id), oid(superuserOID), oid(readOID(w[3])), oid(types.ByName(w[4]).OID), w[5] == "t", oid(key),
		})
	}
	return rows
}}

var opfamilySource = &source{fixed: func() []types.Row {
	var rows []types.Row
	for _, line := range lines(opfamilyText) {
		w := strings.Fields(line)
		id := readOID(w[0])
		rows = append(rows, types.Row{oid(id), oid(methodOID(w[1])), w[2], ownSchema(id), oid(superuserOID)})
	}
	return rows
}}
