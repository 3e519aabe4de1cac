package run

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// keyPart is one value of a key that groups, joins or sorts rows. Keys are
// bytes made by types.AppendKey: equal values have equal bytes, and bytes order
// as the values do.
type keyPart struct {
	expr             expr.Expr // nil: the row's place index
	index            int
	oid              types.OID
	desc, nullsFirst bool
}

// keyer makes keys of rows.
type keyer struct {
	x     *Execution
	parts []keyPart
}

// keysOf makes a keyer of expressions whose equality matters, not their order.
func (x *Execution) keysOf(exprs []expr.Expr) keyer {
	k := keyer{x: x, parts: make([]keyPart, len(exprs))}
	for i, e := range exprs {
		k.parts[i] = keyPartOf(e, e.Type().OID)
	}
	return k
}

// sortKeysOf makes a keyer whose keys order as ORDER BY does.
func (x *Execution) sortKeysOf(keys []plan.SortKey) keyer {
	k := keyer{x: x, parts: make([]keyPart, len(keys))}
	for i, s := range keys {
		p := keyPartOf(s.Expr, s.Expr.Type().OID)
		p.desc, p.nullsFirst = s.Desc, s.NullsFirst
		k.parts[i] = p
	}
	return k
}

// rowKeys makes a keyer of all the places of a row.
func (x *Execution) rowKeys(columns []plan.Column) keyer {
	k := keyer{x: x, parts: make([]keyPart, len(columns))}
	for i, c := range columns {
		k.parts[i] = keyPartOf(nil, c.Type.OID)
		k.parts[i].index = i
	}
	return k
}

// keyPartOf makes a part; a column reference is read without a call.
func keyPartOf(e expr.Expr, oid types.OID) keyPart {
	p := keyPart{expr: e, oid: oid}
	if c, ok := e.(*expr.Column); ok {
		p.expr, p.index = nil, c.Index
	}
	return p
}

// append adds the row's key to dst; null says whether a part is NULL.
func (k *keyer) append(dst []byte, row types.Row) (key []byte, null bool, err error) {
	for i := range k.parts {
		p := &k.parts[i]
		var d types.Datum
		if p.expr == nil {
			d = row[p.index]
		} else if d, err = k.x.eval(p.expr, row); err != nil {
			return dst, false, err
		}
		null = null || d == nil
		dst = p.append(dst, d)
	}
	return dst, null, nil
}

func (p *keyPart) append(dst []byte, d types.Datum) []byte {
	// A join of unequal integer or float types compares as the wider one.
	switch p.oid {
	case types.Float8OID:
		if f, ok := d.(float32); ok {
			d = float64(f)
		}
	case types.Float4OID:
		if f, ok := d.(float64); ok {
			return types.AppendKey(dst, types.Float8OID, f, p.desc, p.nullsFirst)
		}
	}
	return types.AppendKey(dst, p.oid, d, p.desc, p.nullsFirst)
}

// joinKeys makes the keyers of both sides of an equality; types that differ but
// compare by an operator across them (int4 = int8) get the wider type's key.
func (x *Execution) joinKeys(left, right []expr.Expr) (l, r keyer) {
	l, r = x.keysOf(left), x.keysOf(right)
	for i := range l.parts {
		oid, ok := commonKeyType(l.parts[i].oid, r.parts[i].oid)
		if ok {
			l.parts[i].oid, r.parts[i].oid = oid, oid
		}
	}
	return l, r
}

// commonKeyType finds the type in which values of both types have comparable
// keys; false when there is none.
func commonKeyType(a, b types.OID) (types.OID, bool) {
	switch {
	case a == b:
		return a, true
	case isInteger(a) && isInteger(b):
		return types.Int8OID, true
	case isFloat(a) && isFloat(b):
		return types.Float8OID, true
	case isString(a) && isString(b):
		return types.TextOID, true
	}
	return a, false
}

func isInteger(oid types.OID) bool {
	switch oid {
	case types.Int2OID, types.Int4OID, types.Int8OID, types.OidOID, types.RegclassOID, types.RegtypeOID,
		types.RegprocOID, types.RegnamespaceOID, types.RegroleOID, types.RegprocedureOID:
		return true
	}
	return false
}

func isFloat(oid types.OID) bool { return oid == types.Float4OID || oid == types.Float8OID }

func isString(oid types.OID) bool {
	return oid == types.TextOID || oid == types.VarcharOID || oid == types.NameOID
}
