package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// jsonWriter turns SQL values into JSON text, as to_json does.
type jsonWriter struct {
	ctx *Context
	iso *types.Env // the session's time zone, but ISO dates; made when needed
}

// append writes a value of a type.
func (w *jsonWriter) append(dst []byte, oid types.OID, d types.Datum) []byte {
	switch v := d.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case types.JSONB:
		return append(dst, v...)
	case *types.Numeric:
		return types.AppendJSONNumber(dst, v)
	case *types.Record:
		return w.appendRecord(dst, v, ",")
	case *types.Array:
		if t := types.Lookup(oid); t == nil || t.IsArray() || oid == types.AnyArrayOID {
			return w.appendArray(dst, v, ",")
		}
	case string:
		if oid == types.JSONOID {
			return append(dst, v...)
		}
	}
	if isJSONNumber(oid) {
		return w.appendNumber(dst, oid, d)
	}
	return types.AppendJSONString(dst, w.text(oid, d))
}

func isJSONNumber(oid types.OID) bool {
	switch oid {
	case types.Int2OID, types.Int4OID, types.Int8OID, types.Float4OID, types.Float8OID, types.NumericOID:
		return true
	}
	return false
}

// appendNumber quotes NaN and Infinity, which JSON has not.
func (w *jsonWriter) appendNumber(dst []byte, oid types.OID, d types.Datum) []byte {
	start := len(dst)
	dst = types.Format(dst, oid, d, w.ctx.typesEnv())
	if c := dst[len(dst)-1]; c >= '0' && c <= '9' {
		return dst
	}
	return types.AppendJSONString(dst[:start], string(dst[start:]))
}

// text is the text that becomes a JSON string; dates are ISO 8601 whatever the
// session's DateStyle.
func (w *jsonWriter) text(oid types.OID, d types.Datum) string {
	switch d.(type) {
	case types.Date, types.Timestamp, types.TimestampTZ:
		if w.iso == nil {
			env := *w.ctx.typesEnv()
			env.DateStyle = "ISO, MDY"
			w.iso = &env
		}
		return isoText(types.FormatString(oid, d, w.iso))
	}
	return types.FormatString(oid, d, w.ctx.typesEnv())
}

// isoText puts a T between date and time and minutes into the zone.
func isoText(s string) string {
	date, clock, ok := strings.Cut(s, " ")
	if !ok || clock == "BC" {
		return s
	}
	clock, era, _ := strings.Cut(clock, " ")
	if i := strings.LastIndexAny(clock, "+-"); i >= 0 && len(clock)-i == 3 {
		clock += ":00"
	}
	if era != "" {
		clock += " " + era
	}
	return date + "T" + clock
}

// appendRecord writes an object of the columns; sep stands between them.
func (w *jsonWriter) appendRecord(dst []byte, r *types.Record, sep string) []byte {
	dst = append(dst, '{')
	for i, v := range r.Values {
		if i > 0 {
			dst = append(dst, sep...)
		}
		dst = append(types.AppendJSONString(dst, fieldName(r, i)), ':')
		dst = w.append(dst, fieldOID(r, i), v)
	}
	return append(dst, '}')
}

func fieldName(r *types.Record, i int) string {
	if i < len(r.Names) && r.Names[i] != "" {
		return r.Names[i]
	}
	return "f" + itoa(i+1)
}

func fieldOID(r *types.Record, i int) types.OID {
	if i < len(r.Types) {
		return r.Types[i]
	}
	return 0
}

// appendArray writes one level of brackets a dimension; sep stands between the
// elements of the first.
func (w *jsonWriter) appendArray(dst []byte, a *types.Array, sep string) []byte {
	if len(a.Elems) == 0 {
		return append(dst, "[]"...)
	}
	elem := 0
	return w.appendLevel(dst, a, 0, &elem, sep)
}

func (w *jsonWriter) appendLevel(dst []byte, a *types.Array, level int, elem *int, sep string) []byte {
	dst = append(dst, '[')
	for i := 0; i < a.Dims[level]; i++ {
		if i > 0 {
			dst = append(dst, sep...)
		}
		if level+1 < len(a.Dims) {
			dst = w.appendLevel(dst, a, level+1, elem, ",")
			continue
		}
		dst = w.append(dst, a.Elem, a.Elems[*elem])
		*elem++
	}
	return append(dst, ']')
}

// appendKey writes a scalar as the name of a member.
func (w *jsonWriter) appendKey(dst []byte, oid types.OID, d types.Datum) ([]byte, error) {
	switch v := d.(type) {
	case *types.Array, *types.Record, types.JSONB:
		if t := types.Lookup(oid); t == nil || t.IsArray() || t.Elem == 0 {
			return nil, badJSONKey()
		}
	case bool:
		if v {
			return append(dst, `"true"`...), nil
		}
		return append(dst, `"false"`...), nil
	}
	if oid == types.JSONOID {
		return nil, badJSONKey()
	}
	return types.AppendJSONString(dst, w.text(oid, d)), nil
}

func badJSONKey() error {
	return pgerr.New(pgerr.InvalidParameterValue, "key value must be scalar, not array, composite, or json")
}

// isJSONContainer says whether json_agg puts the value on a line of its own.
func isJSONContainer(d types.Datum) bool {
	switch d.(type) {
	case *types.Array, *types.Record:
		return true
	}
	return false
}

// AppendJSON writes a value as to_json does; env says how times are shown.
func AppendJSON(dst []byte, oid types.OID, d types.Datum, env *types.Env) []byte {
	w := jsonWriter{ctx: &Context{Env: env}}
	return w.append(dst, oid, d)
}
