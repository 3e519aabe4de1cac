package types

import "testing"

// orderless are the types that have no btree order in PostgreSQL.
var orderless = map[OID]bool{
	JSONOID: true, XMLOID: true, JSONPathOID: true, XidOID: true, CidOID: true, PgNodeTreeOID: true, UnknownOID: true, CstringOID: true,
}

func TestEveryStoredTypeIsReadWrittenComparedAndEncoded(t *testing.T) {
	for _, typ := range All() {
		if typ.Category == 'P' && typ.OID != RecordOID {
			continue
		}
		c := typ.Codec
		for what, missing := range map[string]bool{
			"text input": c.Parse == nil && typ.OID != RecordOID, "text output": c.Format == nil,
			"binary input": c.Decode == nil, "binary output": c.Encode == nil,
			"key": c.AppendKey == nil, "key decoding": c.DecodeKey == nil && typ.OID != RecordOID,
			"order": c.Compare == nil && !orderless[typ.OID] && !orderless[typ.Elem],
		} {
			if missing {
				t.Errorf("%s has no %s", typ.Name, what)
			}
		}
	}
}

// samples are texts in rising order of their values.
var samples = map[OID][]string{
	BoolOID:        {"f", "t"},
	BpcharOID:      {"a", "a ", "b"},
	CharOID:        {"", "a", "b"},
	NameOID:        {"a", "b"},
	OidOID:         {"0", "1", "4294967295"},
	Float4OID:      {"-Infinity", "-1.5", "-0", "1e-45", "1", "3.4028235e+38", "Infinity", "NaN"},
	Float8OID:      {"-Infinity", "-1e308", "0", "5e-324", "1", "Infinity", "NaN"},
	NumericOID:     {"-Infinity", "-10", "-1.50", "0", "0.001", "1", "1e100", "Infinity", "NaN"},
	DateOID:        {"-infinity", "4714-11-24 BC", "0001-12-31 BC", "0001-01-01", "2020-02-29", "5874897-12-31", "infinity"},
	TimeOID:        {"00:00:00", "10:20:30.5", "24:00:00"},
	TimeTZOID:      {"10:00:00+05", "10:00:00+00", "10:00:00-05"},
	TimestampOID:   {"-infinity", "4714-11-24 00:00:00 BC", "2020-01-01 10:20:30.000001", "294276-12-31 23:59:59.999999", "infinity"},
	TimestampTZOID: {"-infinity", "4714-11-24 00:00:00+00 BC", "2020-01-01 10:20:30+00", "infinity"},
	IntervalOID:    {"-178000000 years", "-1 days", "-00:00:01", "00:00:00", "1 day", "1 mon", "30 days 00:00:01", "178000000 years"},
	UUIDOID:        {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
	ByteaOID:       {`\x`, `\x00`, `\x0000`, `\x01`, `\xff`},
	VectorOID:      {"[-1]", "[-1,0]", "[0]", "[1,2]"},
	HalfVecOID:     {"[-1]", "[-1,0]", "[0]", "[1,2]"},
	TidOID:         {"(0,1)", "(0,2)", "(1,0)"},
	VarbitOID:      {"", "0", "01", "1"},
	InetOID:        {"10.0.0.1", "10.0.0.2"},
	Int4ArrayOID:   {"{}", "{1}", "{1,2}", "{2}"},
	TextArrayOID:   {"{}", "{a}", `{"a,b"}`, "{b}"},
	JSONBOID:       {"[]", "null", `"a"`, "1", "false", "true", "[1]", `{"a": 1}`},
}

func TestValuesCompareAndTheirKeysOrderAsTheirTextsStand(t *testing.T) {
	for oid, texts := range samples {
		var last Datum
		for i, s := range texts {
			d, err := Parse(oid, NoTypmod, s, nil)
			if err != nil {
				t.Errorf("%s %q: %v", Lookup(oid).Name, s, err)
				continue
			}
			checkKey(t, oid, d)
			if i > 0 && last != nil {
				want := -1
				if oid == BpcharOID && i == 1 {
					want = 0
				}
				if got := Compare(oid, last, d); got != want {
					t.Errorf("%s: %s against %s gives %d", Lookup(oid).Name, texts[i-1], s, got)
				}
				for _, desc := range []bool{false, true} {
					a, b := AppendKey(nil, oid, last, desc, false), AppendKey(nil, oid, d, desc, false)
					expected := want
					if desc {
						expected = -want
					}
					if got := compareStrings(string(a), string(b)); got != expected {
						t.Errorf("%s: the keys of %s and %s order %d, descending %v", Lookup(oid).Name, texts[i-1], s, got, desc)
					}
				}
			}
			last = d
		}
	}
}

// checkKey tells whether a value's key comes back as an equal value and leaves
// the rest alone.
func checkKey(t *testing.T, oid OID, d Datum) {
	t.Helper()
	for _, desc := range []bool{false, true} {
		key := AppendKey(nil, oid, d, desc, false)
		back, rest, err := DecodeKey(oid, append(key, "rest"...), desc, false)
		if err != nil || string(rest) != "rest" {
			t.Errorf("%s: key of %s: %v, rest %q", Lookup(oid).Name, FormatString(oid, d, nil), err, rest)
			continue
		}
		again := AppendKey(nil, oid, back, desc, false)
		if string(again) != string(key) {
			t.Errorf("%s: key of %s came back as %s", Lookup(oid).Name, FormatString(oid, d, nil), FormatString(oid, back, nil))
		}
	}
}
