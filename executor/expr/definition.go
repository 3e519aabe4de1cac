package expr

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Definer prints the definitions of objects as PostgreSQL's pg_get_* functions
// do; pgcatalog's views show the same texts. Names are qualified unless the
// search path finds them.
type Definer struct {
	Catalog *catalog.Snapshot
	path    []string
}

// NewDefiner makes a Definer for a session; without one the path is public.
func NewDefiner(s Session, cat *catalog.Snapshot) *Definer {
	d := &Definer{Catalog: cat, path: []string{"pg_catalog", "public"}}
	if s != nil {
		d.path = s.SearchPath(true)
	}
	return d
}

func (ctx *Context) definer() *Definer {
	if ctx.Session == nil || ctx.Session.Catalog() == nil {
		return NewDefiner(nil, catalog.Empty())
	}
	return NewDefiner(ctx.Session, ctx.Session.Catalog())
}

// InPath says whether a schema is searched.
func (d *Definer) InPath(schema string) bool { return slices.Contains(d.path, schema) }

// visible says whether schema is the first of the path that has the name.
func (d *Definer) visible(schema string, has func(schema string) bool) bool {
	for _, s := range d.path {
		if s == schema {
			return true
		}
		if has(s) {
			return false
		}
	}
	return false
}

// RelationVisible says whether a relation's bare name means it.
func (d *Definer) RelationVisible(o catalog.Object) bool {
	schema, name := o.ObjectName()
	return d.visible(schema, func(s string) bool { return d.Catalog.Relation(s, name) != nil })
}

// RelationName is a relation's name as the session would write it.
func (d *Definer) RelationName(o catalog.Object) string {
	schema, name := o.ObjectName()
	if d.RelationVisible(o) {
		return quoteIdent(name)
	}
	return QualifiedName(schema, name)
}

// QualifiedName quotes and joins a schema and a name.
func QualifiedName(schema, name string) string { return quoteIdent(schema) + "." + quoteIdent(name) }

// QuoteIdent returns s so that it reads back as the identifier s.
func QuoteIdent(s string) string { return quoteIdent(s) }

// relationFor prints a relation's name for a definition: qualified, or, for
// reading, only where it must be.
func (d *Definer) relationFor(o catalog.Object, pretty bool) string {
	if pretty {
		return d.RelationName(o)
	}
	return QualifiedName(o.ObjectName())
}

// TypeVisible says whether a type's bare name means it.
func (d *Definer) TypeVisible(oid types.OID) bool {
	if elem := types.UserElem(oid); elem != 0 {
		return d.TypeVisible(elem)
	}
	schema, name := d.TypeSchema(oid)
	return d.visible(schema, func(s string) bool {
		if _, table := d.Catalog.Relation(s, name).(*catalog.Table); table {
			return true
		}
		return s != "pg_catalog" && d.Catalog.Named(catalog.KindType, s, name) != nil
	})
}

// TypeSchema is a type's schema and typname, "" when there is none.
func (d *Definer) TypeSchema(oid types.OID) (schema, name string) {
	if elem := types.UserElem(oid); elem != 0 {
		schema, name := d.TypeSchema(elem)
		return schema, "_" + name
	}
	if t := types.Lookup(oid); t != nil && !types.IsUserType(oid) {
		if oid >= types.VectorOID {
			return "public", t.Name
		}
		return "pg_catalog", t.Name
	}
	if u, ok := d.Catalog.Object(oid).(*catalog.UserType); ok {
		return u.Schema, u.Name
	}
	if t := d.rowTypeOf(oid); t != nil {
		return t.Schema, t.Name
	}
	return "", ""
}

func (d *Definer) rowTypeOf(oid types.OID) *catalog.Table {
	return d.Catalog.RowType(oid)
}

// TypeName is format_type: the type's SQL name with its modifier, qualified
// unless visible; "???" for an unknown type, "-" for 0.
func (d *Definer) TypeName(oid types.OID, typmod int32) string {
	if oid == 0 {
		return "-"
	}
	schema, name := d.TypeSchema(oid)
	switch {
	case schema == "":
		return "???"
	case schema == "pg_catalog":
		return types.FormatType(oid, typmod)
	case types.UserElem(oid) != 0:
		return d.TypeName(types.UserElem(oid), typmod) + "[]"
	case types.Lookup(oid) != nil && !types.IsUserType(oid):
		text := types.FormatType(oid, typmod)
		if d.TypeVisible(oid) {
			return text
		}
		return quoteIdent(schema) + "." + text
	case d.TypeVisible(oid):
		return quoteIdent(name)
	}
	return QualifiedName(schema, name)
}

// typeNameWithModifier is format_type for a column: a bpchar or bit without a
// length is told from one of length 1 by its typname.
func (d *Definer) typeNameWithModifier(oid types.OID, typmod int32) string {
	if typmod >= 0 {
		return d.TypeName(oid, typmod)
	}
	switch oid {
	case types.BpcharOID:
		return "bpchar"
	case types.BpcharArrayOID:
		return "bpchar[]"
	case types.BitOID:
		return `"bit"`
	case types.BitArrayOID:
		return `"bit"[]`
	}
	return d.TypeName(oid, types.NoTypmod)
}

// columnName is a live column's quoted name.
func columnName(t *catalog.Table, num int16) string {
	if num < 1 || int(num) > len(t.Columns) {
		return "?column?"
	}
	return quoteIdent(t.Columns[num-1].Name)
}

func columnNames(t *catalog.Table, nums []int16) string {
	names := make([]string, len(nums))
	for i, n := range nums {
		names[i] = columnName(t, n)
	}
	return strings.Join(names, ", ")
}

// optionList prints storage options as pg_get_indexdef does.
func optionList(m map[string]string) string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == "m") != (b == "m") { // m comes before ef_construction, as everybody writes them
			return map[bool]int{true: -1, false: 1}[a == "m"]
		}
		return strings.Compare(a, b)
	})
	for i, k := range names {
		v := m[k]
		if quoteIdent(v) != v {
			v = quoteLiteral(v)
		}
		names[i] = quoteIdent(k) + "=" + v
	}
	return strings.Join(names, ", ")
}

// ViewDefinition is pg_get_viewdef: the view's query as it was stored.
func (d *Definer) ViewDefinition(v *catalog.View) string { return " " + v.Query + ";" }
