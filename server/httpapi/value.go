package httpapi

import (
	"bytes"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// decode makes a column's value of JSON. A number or a boolean is read as the
// type's text form, so that whatever SQL takes in quotes comes in too.
func decode(col *catalog.Column, raw []byte, env *types.Env) (types.Datum, error) {
	d, err := decodeType(col.Type, col.Typmod, raw, env)
	if err != nil {
		if e := pgerr.As(err); e != nil && e.Column == "" {
			named := *e
			named.Column = col.Name
			return nil, &named
		}
	}
	return d, err
}

func decodeType(oid types.OID, typmod int32, raw []byte, env *types.Env) (types.Datum, error) {
	switch oid {
	case types.JSONBOID:
		return types.ParseJSONB(string(raw))
	case types.JSONOID:
		return string(raw), nil
	}
	if string(raw) == "null" {
		return nil, nil
	}
	t := types.Lookup(oid)
	if t == nil {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "type with OID %d does not exist", oid)
	}
	switch {
	case raw[0] == '"':
		s, err := unquote(raw)
		if err != nil {
			return nil, err
		}
		if strings.IndexByte(s, 0) >= 0 {
			return nil, pgerr.New(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence").WithDetail(`\u0000 cannot be converted to text.`)
		}
		return types.Parse(oid, typmod, s, env)
	case raw[0] == '[' && t.IsArray():
		return decodeArray(t.Elem, typmod, raw, env)
	case raw[0] == '[' && (oid == types.VectorOID || oid == types.HalfVecOID):
		return types.Parse(oid, typmod, string(raw), env)
	case raw[0] == '[' || raw[0] == '{':
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, "a value of type %s is expected, not %s", t.SQLName, kindOf(raw))
	}
	return types.Parse(oid, typmod, string(raw), env)
}

func decodeArray(elem types.OID, typmod int32, raw []byte, env *types.Env) (types.Datum, error) {
	var out []types.Datum
	for _, e := range elements(raw) {
		d, err := decodeType(elem, typmod, e, env)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return types.NewArray(elem, out), nil
}

// appendValue writes a value as JSON: as to_json does, but vectors as arrays of numbers.
func appendValue(dst []byte, oid types.OID, d types.Datum, env *types.Env) []byte {
	switch v := d.(type) {
	case types.Vector:
		return types.AppendVector(dst, v)
	case types.HalfVector:
		return types.Format(dst, oid, v, env)
	}
	return expr.AppendJSON(dst, oid, d, env)
}

// answer is the body of an answer under way.
type answer struct {
	bytes.Buffer
	scratch []byte
}

// member writes a member of an object; first says that none stands before it.
func (a *answer) member(name string, first bool, oid types.OID, d types.Datum, env *types.Env) {
	if !first {
		a.WriteByte(',')
	}
	a.scratch = append(types.AppendJSONString(a.scratch[:0], name), ':')
	a.scratch = appendValue(a.scratch, oid, d, env)
	a.Write(a.scratch)
}

// element writes an element of an array.
func (a *answer) element(first bool, oid types.OID, d types.Datum, env *types.Env) {
	if !first {
		a.WriteByte(',')
	}
	a.scratch = appendValue(a.scratch[:0], oid, d, env)
	a.Write(a.scratch)
}
