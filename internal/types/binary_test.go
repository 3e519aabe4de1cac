package types

import (
	"encoding/hex"
	"testing"
)

func TestBinaryFormsAreThoseOfPostgreSQL(t *testing.T) {
	for _, f := range goldenLines(t, "binary.txt") {
		oid := BySQLName(f[0]).OID
		d, err := Parse(oid, NoTypmod, f[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Encode(nil, oid, d)
		if got := hex.EncodeToString(b); err != nil || got != f[2] {
			t.Errorf("%s %s: got %s, %v, want %s", f[0], f[1], got, err, f[2])
		}
		if again, err := Decode(oid, b); err != nil || FormatString(oid, again, nil) != FormatString(oid, d, nil) {
			t.Errorf("%s %s: does not come back: %v", f[0], f[1], err)
		}
	}
}

// The bytes are record_send(row(1, 'a'::text, null::text, array[1,2])).
func TestRecordInBinaryNamesItsTypes(t *testing.T) {
	r := &Record{Types: []OID{Int4OID, TextOID, TextOID, Int4ArrayOID},
		Values: []Datum{int64(1), "a", nil, NewArray(Int4OID, []Datum{int64(1), int64(2)})}}
	const want = "0000000400000017000000040000000100000019000000016100000019ffffffff000003ef" +
		"00000024000000010000000000000017000000020000000100000004000000010000000400000002"
	if b, err := Encode(nil, RecordOID, r); err != nil || hex.EncodeToString(b) != want {
		t.Errorf("got %x, %v", b, err)
	}
	if text := FormatString(RecordOID, r, nil); text != `(1,a,,"{1,2}")` {
		t.Errorf("got %s", text)
	}
}
