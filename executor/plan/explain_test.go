package plan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/akidb/akidb/sql"
)

// analyzed is a plan of a filtered search with what its nodes did.
func analyzed(t *testing.T, format string, timing bool) string {
	p := newPlanTest(t)
	p.rows[propertyTable(p).ID] = 1000
	stmts, err := sql.Parse("SELECT a + 1 FROM t WHERE s <> 'x' ORDER BY b + 1 LIMIT 3")
	if err != nil {
		t.Fatal(err)
	}
	made, err := Prepare(p.env, stmts[0].Tree, nil)
	if err != nil {
		t.Fatal(err)
	}
	stats := map[Node]*NodeStats{}
	var visit func(n Node)
	visit = func(n Node) {
		s := &NodeStats{Loops: 2, Rows: 6, Startup: 3 * time.Millisecond, Total: 4 * time.Millisecond}
		switch n.(type) {
		case *Sort:
			s.Extra = [][2]string{{"Sort Method", "top-N heapsort  Memory: 25kB"}}
		case *SeqScan, *IndexScan:
			s.Rows, s.Removed = 20, 4
		}
		stats[n] = s
		for _, c := range childrenOf(n) {
			visit(c)
		}
	}
	visit(made.Root)
	lines, err := Explain(made, ExplainOptions{Analyze: true, Timing: timing, Summary: timing, Format: format}, Explanation{
		Planning: 250 * time.Microsecond, Execution: 5 * time.Millisecond,
		Stats: func(n Node) *NodeStats { return stats[n] },
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestAnalyzeShowsTimesAndRowsOfOneLoop(t *testing.T) {
	want := `Limit (actual time=1.500..2.000 rows=3 loops=2)
  ->  Sort (actual time=1.500..2.000 rows=3 loops=2)
        Sort Key: (b + 1)
        Sort Method: top-N heapsort  Memory: 25kB
        ->  Seq Scan on t (actual time=1.500..2.000 rows=10 loops=2)
              Filter: (s <> 'x'::text)
              Rows Removed by Filter: 2
Planning Time: 0.250 ms
Execution Time: 5.000 ms`
	if got := analyzed(t, "text", true); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAnalyzeWithoutTimingShowsNoTimes(t *testing.T) {
	if got := analyzed(t, "text", false); strings.Contains(got, "time") || !strings.Contains(got, "(actual rows=10 loops=2)") {
		t.Error(got)
	}
}

func TestJSONIsReadByItsKeys(t *testing.T) {
	var doc []map[string]any
	if err := json.Unmarshal([]byte(analyzed(t, "json", true)), &doc); err != nil {
		t.Fatal(err)
	}
	if doc[0]["Execution Time"] != 5.0 || doc[0]["Planning Time"] != 0.25 {
		t.Errorf("times: %v", doc[0])
	}
	sort := doc[0]["Plan"].(map[string]any)["Plans"].([]any)[0].(map[string]any)
	if sort["Node Type"] != "Sort" || sort["Sort Method"] != "top-N heapsort" || sort["Sort Space Used"] != 25.0 || sort["Actual Rows"] != 3.0 {
		t.Errorf("sort: %v", sort)
	}
	scan := sort["Plans"].([]any)[0].(map[string]any)
	if scan["Rows Removed by Filter"] != 2.0 {
		t.Errorf("scan: %v", scan)
	}
}

func TestANodeThatDidNotRunSaysSo(t *testing.T) {
	p := newPlanTest(t)
	propertyTable(p)
	stmts, err := sql.Parse("SELECT * FROM t")
	if err != nil {
		t.Fatal(err)
	}
	made, err := Prepare(p.env, stmts[0].Tree, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := Explain(made, ExplainOptions{Analyze: true}, Explanation{Stats: func(Node) *NodeStats { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if lines[0] != "Seq Scan on t (never executed)" {
		t.Error(lines[0])
	}
}
