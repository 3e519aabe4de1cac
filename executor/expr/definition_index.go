package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// IndexDefinition is pg_get_indexdef: the whole CREATE INDEX statement.
func (d *Definer) IndexDefinition(x *catalog.Index, pretty bool) string {
	t := d.Catalog.Table(x.Table)
	if t == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("CREATE ")
	if x.Unique {
		b.WriteString("UNIQUE ")
	}
	only := ""
	if t.Partitioned != nil { // a dump makes the parts itself, and attaches them
		only = "ONLY "
	}
	b.WriteString("INDEX " + quoteIdent(x.Name) + " ON " + only + d.relationFor(t, pretty) + " USING " + quoteIdent(x.Method) + " (")
	for i := range x.Keys {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(d.indexKey(t, &x.Keys[i], pretty) + d.keyOptions(x, &x.Keys[i]))
	}
	b.WriteString(")")
	b.WriteString(d.indexTail(t, x, pretty))
	return b.String()
}

func (d *Definer) indexTail(t *catalog.Table, x *catalog.Index, pretty bool) string {
	var b strings.Builder
	if len(x.Include) > 0 {
		b.WriteString(" INCLUDE (" + columnNames(t, x.Include) + ")")
	}
	if x.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	if len(x.Options) > 0 {
		b.WriteString(" WITH (" + optionList(x.Options) + ")")
	}
	if x.Predicate != "" {
		b.WriteString(" WHERE " + d.expressionFor(x.Predicate, pretty))
	}
	return b.String()
}

// indexKey prints a key's column or expression.
func (d *Definer) indexKey(t *catalog.Table, k *catalog.IndexKey, pretty bool) string {
	if k.Column != 0 {
		return columnName(t, k.Column)
	}
	text := d.shortenRegclass(k.Expr)
	if isCall(text) {
		return text
	}
	return "(" + d.expressionFor(text, pretty) + ")"
}

// keyOptions prints operator class and order where they are not the default's.
func (d *Definer) keyOptions(x *catalog.Index, k *catalog.IndexKey) string {
	text := ""
	if class := KeyClass(x, k); !isDefaultClass(x.Method, class, k.Type) {
		text = " " + quoteIdent(class)
		if x.Vector() && !d.InPath("public") {
			text = " " + QualifiedName("public", class)
		}
	}
	switch {
	case k.Desc && k.NullsFirst:
		text += " DESC"
	case k.Desc:
		text += " DESC NULLS LAST"
	case k.NullsFirst:
		text += " NULLS FIRST"
	}
	return text
}

// IndexColumn is pg_get_indexdef with a column: the key at a position, from 1,
// without its options; "" past the last.
func (d *Definer) IndexColumn(x *catalog.Index, n int, pretty bool) string {
	t := d.Catalog.Table(x.Table)
	switch {
	case t == nil || n < 1 || n > len(x.Keys)+len(x.Include):
		return ""
	case n > len(x.Keys):
		return columnName(t, x.Include[n-1-len(x.Keys)])
	}
	return d.indexKey(t, &x.Keys[n-1], pretty)
}

// btreeClassNames are the types whose default operator class is not typname_ops.
var btreeClassNames = map[types.OID]string{
	types.VarcharOID: "text_ops", types.CIDROID: "inet_ops", types.RegclassOID: "oid_ops", types.RegtypeOID: "oid_ops",
	types.RegprocOID: "oid_ops", types.RegprocedureOID: "oid_ops", types.RegnamespaceOID: "oid_ops", types.RegroleOID: "oid_ops",
	types.RecordOID: "record_ops", types.TextOID: "text_ops",
}

// DefaultClass is the name of a type's default btree operator class.
func DefaultClass(oid types.OID) string {
	if name, ok := btreeClassNames[oid]; ok {
		return name
	}
	t := types.Lookup(oid)
	switch {
	case types.IsEnum(oid):
		return "enum_ops"
	case t == nil || types.IsRow(oid):
		return "record_ops"
	case t.IsArray():
		return "array_ops"
	}
	return t.Name + "_ops"
}

// KeyClass is the operator class of an index key by name.
func KeyClass(x *catalog.Index, k *catalog.IndexKey) string {
	if k.Opclass != "" {
		return k.Opclass
	}
	if x.Vector() {
		return metricClass(k)
	}
	return DefaultClass(k.Type)
}

// metricClass names the operator class of a vector key that was chosen by its metric.
func metricClass(k *catalog.IndexKey) string {
	t := types.Lookup(k.Type)
	if t == nil {
		return ""
	}
	suffix := map[types.Metric]string{
		types.MetricL2: "_l2_ops", types.MetricInnerProduct: "_ip_ops", types.MetricCosine: "_cosine_ops", types.MetricL1: "_l1_ops",
		types.MetricHamming: "_hamming_ops", types.MetricJaccard: "_jaccard_ops",
	}[k.Metric]
	return t.Name + suffix
}

// isDefaultClass says whether a definition may leave the class out: never for
// hnsw, so that the text means the same to pgvector, which has no default there.
func isDefaultClass(method, class string, oid types.OID) bool {
	switch method {
	case "hnsw":
		return false
	case "ivfflat":
		return class == "vector_l2_ops"
	}
	return class == DefaultClass(oid)
}
