package expr

import (
	"testing"

	"github.com/akidb/akidb/internal/types"
)

// A metadata filter is evaluated for every candidate of a search.
func BenchmarkJSONBFilter(b *testing.B) {
	doc := types.Datum(types.JSONB(`{"lang": "en", "tags": ["a", "b", "c"], "model": {"name": "x", "dims": 768}, "source": "https://example.com/a/b"}`))
	for _, c := range []struct {
		name, op string
		right    types.OID
		arg      types.Datum
	}{
		{"contains", "@>", types.JSONBOID, types.JSONB(`{"model": {"dims": 768}}`)},
		{"field", "->>", types.TextOID, "source"},
		{"path", "@@", types.JSONPathOID, `($."model"."dims" == 768)`},
	} {
		op, _ := FindOperator(c.op, types.JSONBOID, c.right)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := op.Func.eval2(doc, c.arg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
