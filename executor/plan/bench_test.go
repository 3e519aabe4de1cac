package plan

import (
	"testing"

	"github.com/akidb/akidb/sql"
)

// BenchmarkPrepare is the planning of two statements that applications send all
// the time, on a table with a dozen indexes.
func BenchmarkPrepare(b *testing.B) {
	p := newPlanTest(nil)
	p.rows[propertyTable(p).ID] = 100000
	for _, text := range []string{"SELECT a, s FROM t WHERE a = $1 AND b = $2", "SELECT a FROM t WHERE b > 3 ORDER BY a, b LIMIT 10"} {
		stmts, err := sql.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Prepare(p.env, stmts[0].Tree, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
