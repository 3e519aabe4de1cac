package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// WriteReport writes search.md, one picture a set (<set>.svg) and the numbers
// (<set>-<system>.json) into dir.
func WriteReport(dir string, results []*Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, r := range results {
		name := fmt.Sprintf("%s-%s.json", r.Set, strings.ToLower(r.System))
		if err := r.Write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, set := range sets(results) {
		if err := os.WriteFile(filepath.Join(dir, set+".svg"), []byte(picture(ofSet(results, set))), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "search.md"), []byte(markdown(results)), 0o644)
}

// sets lists the sets measured, in order.
func sets(results []*Result) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range results {
		if !seen[r.Set] {
			seen[r.Set] = true
			out = append(out, r.Set)
		}
	}
	return out
}

func ofSet(results []*Result, set string) []*Result {
	var out []*Result
	for _, r := range results {
		if r.Set == set {
			out = append(out, r)
		}
	}
	return out
}

// markdown is the whole report as a page.
func markdown(results []*Result) string {
	var b strings.Builder
	b.WriteString("# Search over the wire\n\nMade by `make bench-search`: pgx, prepared statements, binary vectors, `LIMIT 10`, 1,000 queries, m = 16,\n" +
		"ef_construction = 64. Recall is recall@10 against exact answers. Figures drift by 10 to 20 % from run to run.\n")
	if len(results) > 0 {
		fmt.Fprintf(&b, "\nMachine: %s.\n", results[0].Machine)
	}
	for _, set := range sets(results) {
		rs := ofSet(results, set)
		fmt.Fprintf(&b, "\n## %s (%d x %d, %s)\n\n![recall against queries per second](%s.svg)\n\n", set, rs[0].Rows, rs[0].Dim, rs[0].Metric, set)
		overview(&b, rs)
		searchTable(&b, rs)
		filterTable(&b, rs)
		commitTable(&b, rs)
	}
	return b.String()
}

func overview(b *strings.Builder, rs []*Result) {
	b.WriteString("| system | load rows/s, no index | with a primary key | build s | memory MiB | search after kill -9 |\n|---|---|---|---|---|---|\n")
	for _, r := range rs {
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %.1f | %s | %s |\n", r.System, r.LoadRowsPerSecond, r.LoadKeyRowsPerSecond, r.BuildSeconds,
			orDash(r.MemoryMiB, "%.0f"), orDash(r.RestartSeconds, "%.2f s"))
	}
}

func orDash(v float64, format string) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func searchTable(b *strings.Builder, rs []*Result) {
	b.WriteString("\n| system | clients | ef_search | recall@10 | QPS | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rs {
		for _, s := range r.Searches {
			fmt.Fprintf(b, "| %s | %d | %d | %.4f | %.0f | %.2f | %.2f | %.2f |\n", r.System, s.Clients, s.Ef, s.Recall, s.PerSecond, s.P50, s.P95, s.P99)
		}
	}
}

func filterTable(b *strings.Builder, rs []*Result) {
	b.WriteString("\n| system | rows that pass | mode | ef_search | recall@10 | QPS | p95 ms | answers short of 10 |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rs {
		for _, f := range r.Filters {
			mode := f.Mode
			if mode == "" {
				mode = "default"
			}
			fmt.Fprintf(b, "| %s | %d %% | %s | %d | %.4f | %.0f | %.2f | %d |\n", r.System, f.Percent, mode, f.Ef, f.Recall, f.PerSecond, f.P95, f.Short)
		}
	}
}

func commitTable(b *strings.Builder, rs []*Result) {
	b.WriteString("\n| system | clients | single-row commits into the indexed table /s | p50 ms | p95 ms |\n|---|---|---|---|---|\n")
	for _, r := range rs {
		for _, c := range r.Commits {
			fmt.Fprintf(b, "| %s | %d | %.0f | %.2f | %.2f |\n", r.System, c.Clients, c.PerSecond, c.P50, c.P95)
		}
	}
}
