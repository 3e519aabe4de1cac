package plan

import (
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// keyMatch is what one condition says of one index key. The values have no
// columns. lossy says that the condition must be tested as well.
type keyMatch struct {
	eq        expr.Expr
	any       expr.Expr // an array, one of whose elements it equals
	isNull    expr.Expr // the condition itself
	notNull   expr.Expr
	low, high expr.Expr
	lowOpen   bool
	highOpen  bool
	lossy     bool
}

// matchKey reads a condition as one on an index key of type keyType.
func (b *binder) matchKey(cond, key expr.Expr, keyType types.OID) (keyMatch, bool) {
	switch x := cond.(type) {
	case *expr.Call:
		if m, ok := b.matchCall(x, key, keyType); ok {
			return m, true
		}
	case *expr.InList:
		return b.matchIn(x, key, keyType)
	case *expr.AnyAll:
		return b.matchAny(x, key, keyType)
	case *expr.NullTest:
		if !sameKey(x.Arg, key) || keyType == types.RecordOID || types.IsRow(keyType) {
			return keyMatch{}, false
		}
		if x.Not {
			return keyMatch{notNull: cond}, true
		}
		return keyMatch{isNull: cond}, true
	case *expr.RowCompare:
		return b.matchRow(x, key, keyType)
	}
	if keyType == types.BoolOID {
		return matchBool(cond, key)
	}
	return keyMatch{}, false
}

// matchBool takes a boolean key as a condition itself, negated or tested.
func matchBool(cond, key expr.Expr) (keyMatch, bool) {
	truth := func(v bool) (keyMatch, bool) {
		return keyMatch{eq: &expr.Const{Value: v, Typ: boolType}}, true
	}
	switch x := cond.(type) {
	case *expr.Not:
		if sameKey(x.Arg, key) {
			return truth(false)
		}
	case *expr.BoolTest:
		if !sameKey(x.Arg, key) {
			return keyMatch{}, false
		}
		switch {
		case x.Want == nil && x.Not:
			return keyMatch{notNull: cond}, true
		case x.Want == nil:
			return keyMatch{isNull: cond}, true
		case !x.Not:
			return truth(x.Want == true)
		}
	default:
		if sameKey(cond, key) {
			return truth(true)
		}
	}
	return keyMatch{}, false
}

// commuted are the btree operators, with their commutators.
var commuted = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (b *binder) matchCall(x *expr.Call, key expr.Expr, keyType types.OID) (keyMatch, bool) {
	if len(x.Args) != 2 {
		return keyMatch{}, false
	}
	op := x.Operator
	if op == "~~" || op == "^@" || op == "" && x.Func.Name == "starts_with" {
		if sameKey(x.Args[0], key) && isStringType(keyType) {
			return matchPrefix(x.Args[1], op == "~~")
		}
		return keyMatch{}, false
	}
	arg, value := x.Args[0], x.Args[1]
	if commuted[op] == "" {
		return keyMatch{}, false
	}
	if !sameKey(arg, key) {
		arg, value, op = value, arg, commuted[op]
		if !sameKey(arg, key) {
			return keyMatch{}, false
		}
	}
	value, ok := b.keyValue(value, keyType)
	if !ok {
		return keyMatch{}, false
	}
	return comparison(op, value), true
}

func comparison(op string, value expr.Expr) keyMatch {
	switch op {
	case "<", "<=":
		return keyMatch{high: value, highOpen: op == "<"}
	case ">", ">=":
		return keyMatch{low: value, lowOpen: op == ">"}
	}
	return keyMatch{eq: value}
}

// matchRow takes the first fields of a comparison of rows, as in keyset
// pagination: (a, b) > (1, 2) implies a >= 1.
func (b *binder) matchRow(x *expr.RowCompare, key expr.Expr, keyType types.OID) (keyMatch, bool) {
	if x.Op == "=" {
		for i := range x.Left {
			if m, ok := b.rowField(x.Op, x.Left[i], x.Right[i], key, keyType); ok {
				m.lossy = len(x.Left) > 1
				return m, true
			}
		}
		return keyMatch{}, false
	}
	if commuted[x.Op] == "" || len(x.Left) == 0 {
		return keyMatch{}, false
	}
	m, ok := b.rowField(x.Op, x.Left[0], x.Right[0], key, keyType)
	m.lossy, m.lowOpen, m.highOpen = true, false, false
	return m, ok
}

func (b *binder) rowField(op string, left, right, key expr.Expr, keyType types.OID) (keyMatch, bool) {
	if !sameKey(left, key) {
		left, right, op = right, left, commuted[op]
		if !sameKey(left, key) {
			return keyMatch{}, false
		}
	}
	value, ok := b.keyValue(right, keyType)
	if !ok {
		return keyMatch{}, false
	}
	return comparison(op, value), true
}

func (b *binder) matchIn(x *expr.InList, key expr.Expr, keyType types.OID) (keyMatch, bool) {
	if x.Not || len(x.List) == 0 || !sameKey(x.Left, key) {
		return keyMatch{}, false
	}
	list := make([]expr.Expr, len(x.List))
	for i, e := range x.List {
		v, ok := b.keyValue(e, keyType)
		if !ok {
			return keyMatch{}, false
		}
		list[i] = v
	}
	if len(list) == 1 {
		return keyMatch{eq: list[0]}, true
	}
	elem := list[0].Type().OID
	row := types.Lookup(elem)
	if row == nil || row.Array == 0 {
		return keyMatch{}, false
	}
	typ := expr.Type{OID: row.Array, Typmod: types.NoTypmod}
	values := make([]types.Datum, len(list))
	for i, e := range list {
		c, ok := e.(*expr.Const)
		if !ok {
			return keyMatch{any: &expr.ArrayCtor{Elems: list, Typ: typ}}, true
		}
		values[i] = c.Value
	}
	return keyMatch{any: &expr.Const{Value: types.NewArray(elem, values), Typ: typ}}, true
}

func (b *binder) matchAny(x *expr.AnyAll, key expr.Expr, keyType types.OID) (keyMatch, bool) {
	if x.All || x.Operator != "=" || !sameKey(x.Left, key) || !fixedValue(x.Array) {
		return keyMatch{}, false
	}
	row := types.Lookup(x.Array.Type().OID)
	if row == nil || row.Elem == 0 || !sameKeyClass(row.Elem, keyType) {
		return keyMatch{}, false
	}
	return keyMatch{any: x.Array}, true
}

// keyValue makes a value that compares with keys of keyType as the condition
// compares them; false when it does not, or is no fixed value.
func (b *binder) keyValue(v expr.Expr, keyType types.OID) (expr.Expr, bool) {
	if !fixedValue(v) {
		return nil, false
	}
	oid := v.Type().OID
	if sameKeyClass(oid, keyType) {
		return v, true
	}
	widened := false
	switch keyType {
	case types.Float8OID:
		widened = oid == types.Float4OID
	case types.TimestampOID:
		widened = oid == types.DateOID
	case types.TimestampTZOID:
		widened = oid == types.DateOID || oid == types.TimestampOID
	case types.Float4OID:
		return narrowFloat(v)
	}
	if !widened {
		return nil, false
	}
	out, err := expr.Coerce(b.env.Types, v, expr.Type{OID: keyType, Typmod: types.NoTypmod}, expr.CastImplicit)
	return out, err == nil
}

// narrowFloat is a double constant that a float4 holds exactly; others lie
// between two keys.
func narrowFloat(v expr.Expr) (expr.Expr, bool) {
	c, ok := v.(*expr.Const)
	if !ok {
		return nil, false
	}
	f, ok := c.Value.(float64)
	if !ok || float64(float32(f)) != f {
		return nil, false
	}
	return &expr.Const{Value: float32(f), Typ: expr.Type{OID: types.Float4OID, Typmod: types.NoTypmod}}, true
}

// fixedValue says whether e has the same value during a whole scan: no columns,
// nothing volatile.
func fixedValue(e expr.Expr) bool {
	fixed := true
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Column, *expr.AggRef, *expr.WindowRef:
			fixed = false
		case *expr.ExecParam:
			fixed = fixed && x.Slot >= 0
		}
		return fixed
	})
	return fixed && expr.VolatilityOf(e) != expr.Volatile
}

func isIntegerType(oid types.OID) bool {
	return oid == types.Int2OID || oid == types.Int4OID || oid == types.Int8OID
}

func isStringType(oid types.OID) bool {
	return oid == types.TextOID || oid == types.VarcharOID || oid == types.NameOID
}

func isObjectType(oid types.OID) bool {
	switch oid {
	case types.OidOID, types.RegclassOID, types.RegtypeOID, types.RegprocOID, types.RegnamespaceOID, types.RegroleOID, types.RegprocedureOID:
		return true
	}
	return false
}

// sameKeyClass says whether values of both types are the same Go values with
// the same key bytes, but for integers out of a smaller type's range, which the
// scan handles.
func sameKeyClass(a, b types.OID) bool {
	return a == b || isIntegerType(a) && isIntegerType(b) ||
		isStringType(a) && isStringType(b) || isObjectType(a) && isObjectType(b)
}

// sameKey compares an operand with an index key, casts left out that keep both
// the value and its order.
func sameKey(e, key expr.Expr) bool { return expr.Equal(withoutRelabel(e), withoutRelabel(key)) }

func withoutRelabel(e expr.Expr) expr.Expr {
	for {
		c, ok := e.(*expr.Cast)
		if !ok || c.IO || c.ApplyTypmod || c.Elem != nil {
			return e
		}
		from, to := c.Arg.Type().OID, c.Typ.OID
		switch {
		case isStringType(from) && isStringType(to) && c.Func == nil:
		case isIntegerType(from) && isIntegerType(to) && typeWidth(c.Typ) >= typeWidth(c.Arg.Type()):
		case from == types.Float4OID && to == types.Float8OID:
		case isObjectType(from) && isObjectType(to) && c.Func == nil:
		default:
			return e
		}
		e = c.Arg
	}
}

// matchPrefix is LIKE 'abc%' (pattern true) or starts_with: all strings order by
// their bytes, so those with a prefix lie between it and the next string of its
// length.
func matchPrefix(e expr.Expr, pattern bool) (keyMatch, bool) {
	c, ok := e.(*expr.Const)
	if !ok {
		return keyMatch{}, false
	}
	s, ok := c.Value.(string)
	if !ok {
		return keyMatch{}, false
	}
	rest := "%"
	if pattern {
		if s, rest, ok = likePrefix(s); !ok {
			return keyMatch{}, false
		}
	}
	value := func(s string) expr.Expr { return &expr.Const{Value: s, Typ: textType} }
	if rest == "" {
		return keyMatch{eq: value(s)}, true
	}
	if s == "" {
		return keyMatch{}, false
	}
	m := keyMatch{low: value(s), lossy: rest != "%"}
	if next := nextString(s); next != "" {
		m.high, m.highOpen = value(next), true
	}
	return m, true
}

// likePrefix splits a pattern into the text that it begins with and the rest; a
// pattern that ends in an escape is left to fail.
func likePrefix(pattern string) (prefix, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '%', '_':
			return b.String(), pattern[i:], true
		case '\\':
			if i++; i == len(pattern) {
				return "", "", false
			}
		}
		b.WriteByte(pattern[i])
	}
	return b.String(), "", true
}

// nextString is the smallest string above all that begin with s; "" when there
// is none.
func nextString(s string) string {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		if r >= utf8.MaxRune {
			continue
		}
		if r++; r == 0xd800 {
			r = 0xe000 // surrogates are no characters
		}
		return s + string(r)
	}
	return ""
}
