package types

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/akidb/akidb/internal/pgerr"
)

var unescapeGolden = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\o`, "||")

// outcomeWithContext is outcome with the line that JSON errors add.
func outcomeWithContext(text func() string, err error) string {
	s := outcome(text, err)
	if e := pgerr.As(err); e != nil && e.Where != "" {
		s += " CONTEXT " + e.Where
	}
	return s
}

func TestTextFormsAgreeWithPostgreSQL(t *testing.T) {
	for _, f := range goldenLines(t, "text_forms.txt") {
		typ, in, want := f[0], unescapeGolden.Replace(f[1]), unescapeGolden.Replace(f[2])
		if strings.HasPrefix(typ, "bit(") {
			continue // ApplyTypmod's own test
		}
		oid := BySQLName(typ).OID
		d, err := Parse(oid, NoTypmod, in, nil)
		got := outcomeWithContext(func() string { return FormatString(oid, d, nil) }, err)
		if got != want {
			t.Errorf("%s %q\n got %q\nwant %q", typ, in, got, want)
		}
		if err != nil {
			continue
		}
		checkRoundTrips(t, oid, d)
	}
}

// checkRoundTrips reads a value back from its text, its binary form and its key.
func checkRoundTrips(t *testing.T, oid OID, d Datum) {
	t.Helper()
	text := FormatString(oid, d, nil)
	again, err := Parse(oid, NoTypmod, text, nil)
	if err != nil || FormatString(oid, again, nil) != text {
		t.Errorf("%s: text %q does not come back: %v", Lookup(oid).Name, text, err)
	}
	b, err := Encode(nil, oid, d)
	if err != nil {
		t.Fatal(err)
	}
	again, err = Decode(oid, b)
	if err != nil || FormatString(oid, again, nil) != text {
		t.Errorf("%s: binary form of %q does not come back: %v", Lookup(oid).Name, text, err)
	}
	if !HasOrder(oid) {
		return
	}
	key := AppendKey(nil, oid, d, true, false)
	again, rest, err := DecodeKey(oid, append(key, 7), true, false)
	if err != nil || Compare(oid, d, again) != 0 || !bytes.Equal(rest, []byte{7}) {
		t.Errorf("%s: key of %q does not come back: %v", Lookup(oid).Name, text, err)
	}
}

func TestOrderAndKeysAgreeWithPostgreSQL(t *testing.T) {
	for _, f := range goldenLines(t, "order.txt") {
		oid := BySQLName(f[0]).OID
		a, err1 := Parse(oid, NoTypmod, f[1], nil)
		b, err2 := Parse(oid, NoTypmod, f[2], nil)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := strconv.Itoa(Compare(oid, a, b)); got != f[3] {
			t.Errorf("%s: %s ? %s: got %s, want %s", f[0], f[1], f[2], got, f[3])
		}
		x, y := AppendKey(nil, oid, a, false, false), AppendKey(nil, oid, b, false, false)
		if got := strconv.Itoa(bytes.Compare(x, y)); got != f[3] {
			t.Errorf("%s: keys of %s ? %s: got %s, want %s", f[0], f[1], f[2], got, f[3])
		}
	}
}
