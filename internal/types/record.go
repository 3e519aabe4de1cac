package types

import (
	"cmp"
	"encoding/binary"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// recordCodec is the anonymous record: it has no columns to read by.
var recordCodec = &Codec{}

// An init breaks the cycle: a record may hold records.
func init() {
	*recordCodec = Codec{
		Parse: func(string, *Env) (Datum, error) {
			return nil, anonymousInput()
		},
		Format:    func(dst []byte, d Datum, env *Env) []byte { return formatRecord(dst, d.(*Record), env) },
		Decode:    func([]byte) (Datum, error) { return nil, anonymousInput() },
		Encode:    func(dst []byte, d Datum) ([]byte, error) { return encodeRecord(dst, d.(*Record)) },
		Compare:   func(a, b Datum) int { return compareRecords(a.(*Record), b.(*Record)) },
		AppendKey: func(dst []byte, d Datum) []byte { return recordAppendKey(dst, d.(*Record)) },
	}
}

func anonymousInput() error {
	return pgerr.New(pgerr.FeatureNotSupported, "input of anonymous composite types is not implemented")
}

// fieldType is the type of a record's column; a record made without types has
// those that its values tell.
func (r *Record) fieldType(i int) OID {
	if i < len(r.Types) && r.Types[i] != 0 {
		return r.Types[i]
	}
	switch d := r.Values[i].(type) {
	case string:
		return TextOID
	case int64:
		return Int8OID
	case *Record:
		return RecordOID
	case *Array:
		if t := Lookup(d.Elem); t != nil {
			return t.Array
		}
	}
	return oidOfGoType(r.Values[i])
}

func formatRecord(dst []byte, r *Record, env *Env) []byte {
	dst = append(dst, '(')
	for i, d := range r.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if d != nil {
			dst = appendRecordField(dst, r.fieldType(i), d, env)
		}
	}
	return append(dst, ')')
}

// appendRecordField doubles quotes and backslashes, unlike an array, which
// puts a backslash before them.
func appendRecordField(dst []byte, oid OID, d Datum, env *Env) []byte {
	start := len(dst)
	dst = Format(dst, oid, d, env)
	if !recordFieldNeedsQuotes(dst[start:]) {
		return dst
	}
	text := string(dst[start:])
	dst = append(dst[:start], '"')
	for i := 0; i < len(text); i++ {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, text[i])
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

func recordFieldNeedsQuotes(b []byte) bool {
	for _, c := range b {
		if c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || isSpace(c) {
			return true
		}
	}
	return len(b) == 0
}

func encodeRecord(dst []byte, r *Record) ([]byte, error) {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Values)))
	var err error
	for i, d := range r.Values {
		oid := r.fieldType(i)
		if oid == 0 {
			oid = UnknownOID
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(oid))
		if dst, err = appendBinaryField(dst, oid, d); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// compareRecords goes column by column; a NULL is above all.
func compareRecords(a, b *Record) int {
	for i := 0; i < len(a.Values) && i < len(b.Values); i++ {
		if c := compareNullable(a.fieldType(i), a.Values[i], b.Values[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.Values), len(b.Values))
}

func recordAppendKey(dst []byte, r *Record) []byte {
	for i, d := range r.Values {
		dst = AppendKey(dst, r.fieldType(i), d, false, false)
	}
	return append(dst, 0)
}

// ParseRecord reads the text form of a composite value with known columns.
func ParseRecord(names []string, oids []OID, s string, env *Env) (*Record, error) {
	fields, err := splitRecord(s, len(oids))
	if err != nil {
		return nil, err
	}
	r := &Record{Names: names, Types: oids, Values: make([]Datum, len(oids))}
	for i, f := range fields {
		if f == nil {
			continue
		}
		if r.Values[i], err = Parse(oids[i], NoTypmod, *f, env); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func malformedRecord(s, detail string) error {
	return pgerr.Newf(pgerr.InvalidTextRepresentation, "malformed record literal: \"%s\"", s).WithDetail("%s", detail)
}

// splitRecord cuts '(1,"a b",)' into its fields; nil is NULL.
func splitRecord(s string, columns int) ([]*string, error) {
	body := trimSpace(s)
	if !strings.HasPrefix(body, "(") {
		return nil, malformedRecord(s, "Missing left parenthesis.")
	}
	var fields []*string
	i := 1
	for {
		if len(fields) == columns {
			return nil, malformedRecord(s, "Too many columns.")
		}
		f, end, ok := recordField(body, i)
		if !ok {
			return nil, malformedRecord(s, "Unexpected end of input.")
		}
		fields = append(fields, f)
		i = end + 1
		if body[end] == ')' {
			break
		}
	}
	switch {
	case len(fields) < columns:
		return nil, malformedRecord(s, "Too few columns.")
	case i != len(body):
		return nil, malformedRecord(s, "Junk after right parenthesis.")
	}
	return fields, nil
}

// recordField reads from i to the comma or parenthesis that ends the field.
func recordField(s string, i int) (field *string, end int, ok bool) {
	var out []byte
	quoted, seen := false, false
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case !quoted && (c == ',' || c == ')'):
			if len(out) == 0 && !seen {
				return nil, i, true
			}
			text := string(out)
			return &text, i, true
		case c == '\\':
			if i++; i >= len(s) {
				return nil, i, false
			}
			out = append(out, s[i])
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			out = append(out, '"')
			i++
		case c == '"':
			quoted, seen = !quoted, true
		default:
			out = append(out, c)
		}
	}
	return nil, i, false
}
