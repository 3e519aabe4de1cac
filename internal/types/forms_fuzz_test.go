package types

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// fuzzOIDs are the types whose forms nest or carry lengths.
var fuzzOIDs = []OID{JSONOID, JSONBOID, VarbitOID, Int4ArrayOID, TextArrayOID, JSONBArrayOID, VarbitArrayOID, Int2VectorOID, OidVectorOID, JSONPathOID}

var fuzzTexts = []string{
	`{"a": [1, 2.50, "x\u00e9\n"], "b": {}}`, `[1e3, -0, null, true]`, `"\ud83d\ude00"`, `x1F`, `0101`, `{1,NULL,3}`,
	`[2:3]={1,2}`, `{{a,"b c"},{"\"",NULL}}`, `{"{\"k\": 1}"}`, `1 2 3`, `{{1},{2}}`, `(1,"a b",)`, `$.a[0 to last] ? (@.b like_regex "x" && -@ > 1).size()`, `strict $"x y".**{2} + .5`, `[`, `{"`, `\`,
}

func FuzzTextFormsComeBack(f *testing.F) {
	for i := range fuzzOIDs {
		for _, s := range fuzzTexts {
			f.Add(uint8(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, s string) {
		if !utf8.ValidString(s) {
			return
		}
		oid := fuzzOIDs[int(which)%len(fuzzOIDs)]
		if d, err := Parse(oid, NoTypmod, s, nil); err == nil && bytes.IndexByte([]byte(s), 0) < 0 {
			checkRoundTrips(t, oid, d)
		}
		if r, err := ParseRecord(nil, []OID{TextOID, TextOID, TextOID}, s, nil); err == nil {
			again, err := ParseRecord(nil, r.Types, string(formatRecord(nil, r, defaultEnv)), nil)
			if err != nil || compareRecords(r, again) != 0 {
				t.Errorf("record %q does not come back: %v", s, err)
			}
		}
	})
}

func FuzzBinaryFormsAndKeysNeverPanic(f *testing.F) {
	for i, oid := range fuzzOIDs {
		for _, s := range fuzzTexts {
			if d, err := Parse(oid, NoTypmod, s, nil); err == nil {
				b, err := Encode(nil, oid, d)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(uint8(i), b)
				f.Add(uint8(i), AppendKey(nil, oid, d, false, false))
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		oid := fuzzOIDs[int(which)%len(fuzzOIDs)]
		if d, err := Decode(oid, b); err == nil {
			checkRoundTrips(t, oid, d)
		}
		if d, _, err := DecodeKey(oid, b, false, false); err == nil && d != nil && HasOrder(oid) {
			key := AppendKey(nil, oid, d, false, false)
			if again, _, err := DecodeKey(oid, key, false, false); err != nil || Compare(oid, d, again) != 0 {
				t.Errorf("%s: key %x reads as a value whose key does not: %v", Lookup(oid).Name, b, err)
			}
		}
	})
}

func FuzzJSONCursorNeverPanics(f *testing.F) {
	for _, s := range fuzzTexts {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		for c := WalkJSON(s); c.Next(); {
			_, _ = c.Key()
			_, _ = JSONScalar(c.Value())
		}
		_, _ = JSONB(s).Value()
	})
}
