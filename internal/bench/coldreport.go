package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// coldKey tells results apart.
type coldKey struct {
	set     string
	latency float64
	system  string
}

func (r ColdResult) key() coldKey {
	index, _, _ := strings.Cut(r.Settings, ",")
	return coldKey{r.Set, r.LatencyMs, r.System + " " + index}
}

func compareKeys(a, b coldKey) int {
	return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.latency, b.latency), cmp.Compare(a.system, b.system))
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// markdown is the page.
func (c *coldReport) markdown() string {
	var b strings.Builder
	b.WriteString("# Search from the object store\n\n" +
		"Made by `make bench-cold`: a fresh process with empty caches searches 100 times, one query after the other; several processes,\n" +
		"each with queries of its own. MinIO on the same machine, through a proxy that counts requests and bytes, and adds a time to each\n" +
		"request where it says so: a bucket in the same region takes 10 to 30 ms. Settings are the cheapest with recall@10 of at least 0.95.\n" +
		"The first query opens the table or segments, too. AkiDB is asked over the wire, LanceDB in its process (Node.js).\n")
	fmt.Fprintf(&b, "\nMachine: %s.\n", c.Machine)
	set, latency := "", -1.0
	for _, r := range c.Results {
		if r.Set != set || r.LatencyMs != latency {
			set, latency = r.Set, r.LatencyMs
			added := "as it is"
			if latency > 0 {
				added = fmt.Sprintf("%.0f ms added to each request", latency)
			}
			fmt.Fprintf(&b, "\n## %s, %s\n\n", set, added)
			b.WriteString("| system | recall@10 | write s | first query p50 / p95 ms | its requests, MB | hundredth p50 / p95 ms | all but the first p50 / p95 ms | requests | KB |\n" +
				"|---|---|---|---|---|---|---|---|---|\n")
		}
		fmt.Fprintf(&b, "| %s (%s) | %.3f | %.1f | %.0f / %.0f | %.0f, %.1f | %.1f / %.1f | %.1f / %.1f | %.1f | %.0f |\n", r.System, r.Settings, r.Recall, r.WriteSeconds,
			r.First.P50, r.First.P95, r.First.Requests, r.First.KB/1000, r.Hundredth.P50, r.Hundredth.P95, r.All.P50, r.All.P95, r.All.Requests, r.All.KB)
	}
	return b.String()
}
