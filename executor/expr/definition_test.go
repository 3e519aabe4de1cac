package expr

import (
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

func TestStoredExpressionsArePrintedAsRuleutilsDoes(t *testing.T) {
	d := NewDefiner(nil, catalog.Empty().Apply(
		catalog.Put(&catalog.Sequence{ID: 1, Schema: "public", Name: "s"}),
		catalog.Put(&catalog.Sequence{ID: 2, Schema: "other", Name: "it's"}),
	))
	for _, c := range []struct {
		text, want string
		typ        types.OID
	}{
		{"'x'", "'x'::text", types.TextOID},
		{"'it''s (odd'", "'it''s (odd'::text", types.TextOID},
		{"'a' || 'b'", "('a' || 'b')", types.TextOID},
		{"5", "5", types.Int4OID},
		{"(-5)", "'-5'::integer", types.NumericOID},
		{"(-1.5)", "'-1.5'::numeric", types.Float8OID},
		{"now()", "now()", types.TimestampTZOID},
		{"now()::timestamp with time zone", "now()::timestamp with time zone", 0},
		{"a + 1", "(a + 1)", 0},
		{"NOT a", "(NOT a)", 0},
		{"(a + 1)::double precision", "(a + 1)::double precision", 0},
		{"CASE WHEN a > 1 THEN 2 ELSE 3 END", "CASE WHEN a > 1 THEN 2 ELSE 3 END", 0},
		{"ARRAY[1, 2]", "ARRAY[1, 2]", 0},
		{"nextval('public.s'::regclass)", "nextval('s'::regclass)", types.Int8OID},
		{"nextval('other.\"it''s\"'::regclass)", "nextval('other.\"it''s\"'::regclass)", types.Int8OID},
		{"nextval('public.gone'::regclass)", "nextval('public.gone'::regclass)", types.Int8OID},
	} {
		if got := d.ExpressionText(c.text, c.typ); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestACallAloneNeedsNoParenthesesInAnIndex(t *testing.T) {
	for text, want := range map[string]bool{
		"lower(a)": true, "lower(a) || b": false, "coalesce(a, ')')": true, "(a + b)": false, "f(a)::text": false, "f(a)(b)": false, "a": false,
	} {
		if isCall(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

func TestParenthesesAreTakenOffOnlyAroundTheWholeText(t *testing.T) {
	for text, want := range map[string]string{"(a + 1)": "a + 1", "(a) + (b)": "(a) + (b)", "('(')": "'('", "a": "a"} {
		if got := withoutParentheses(text); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

func TestComparisonsThatAndJoinsAreReadWithoutParentheses(t *testing.T) {
	for text, want := range map[string]string{
		"(a > 0) AND (c <> 'x (AND')": "a > 0 AND c <> 'x (AND'",
		"((a > 0) AND b) OR c":        "((a > 0) AND b) OR c",
		"(a + 1) > 2":                 "(a + 1) > 2",
		"f(a) AND (b = 2)":            "f(a) AND b = 2",
	} {
		if got := prettyLogic(text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
