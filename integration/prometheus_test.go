package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// prometheus is a Prometheus that scrapes a server.
type prometheus struct{ url string }

func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	config := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 400ms}\nscrape_configs:\n- job_name: akidb\n  static_configs: [{targets: [%q]}]\n", strings.TrimPrefix(target, "http://"))
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has killed it
	return &prometheus{"http://" + address}
}

// ask sends a query to Prometheus; ok is false as long as it has no answer.
func (p *prometheus) ask(path string, to any) bool {
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get(p.url + path)
	if err != nil {
		return false
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it was read
	return err == nil && res.StatusCode == http.StatusOK && json.Unmarshal(text, to) == nil
}

func (p *prometheus) values(query string) map[string]string {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	out := map[string]string{}
	if p.ask("/api/v1/query?query="+url.QueryEscape(query), &answer) {
		for _, r := range answer.Data.Result {
			out[fmt.Sprint(r.Metric)] = fmt.Sprint(r.Value[1])
		}
	}
	return out
}

func TestARealPrometheusScrapesTheServer(t *testing.T) {
	program(t, "prometheus") // skips where there is none
	r := launchREST(t)
	c := r.connect(t)
	must(t, c, "CREATE TABLE items (id serial PRIMARY KEY, v vector(2))")
	must(t, c, "INSERT INTO items (v) VALUES ('[1,2]'), ('[2,1]')")
	must(t, c, "CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
	must(t, c, "SELECT * FROM items ORDER BY v <-> '[1,1]' LIMIT 1")
	refused(t, c, "SELECT * FROM nothing", "42P01", `relation "nothing" does not exist`)
	r.want(t, "POST", "/collections/items/search", `{"vector":[1,1]}`, 200, "results")
	p := startPrometheus(t, r.url)
	until(t, "a scrape", func() bool { return len(p.values("up == 1")) == 1 })
	for query, n := range map[string]int{
		`akidb_connections == 1`: 1, `akidb_statements_total{kind="insert",sqlstate="00000"} == 1`: 1, `akidb_statements_total{sqlstate="42P01"} == 1`: 1,
		`akidb_statement_duration_seconds_count{kind="select"} >= 2`: 1, `akidb_ram_bytes{component="vector_indexes"} > 0`: 1, `akidb_disk_bytes{component="rows"}`: 1,
		`akidb_wal_fsync_duration_seconds_count > 0`: 1, `akidb_search_duration_seconds_count{tier="hot",index="hnsw"} >= 1`: 1, `akidb_tier_collections{tier="hot"} == 1`: 1,
		`akidb_tier_worker_cycles_total`: 1, `akidb_tier_worker_errors_total == 0`: 1, `akidb_objectstore_upload_bytes_total`: 1,
		`akidb_http_requests_total{route="/collections/{name}/search",status="200"} == 1`: 1, `go_goroutines > 0`: 1, `process_resident_memory_bytes > 0`: 1,
		`histogram_quantile(0.95, akidb_search_duration_seconds_bucket) < 1`: 1,
	} {
		until(t, query, func() bool { return len(p.values(query)) == n })
	}
	var metadata struct {
		Data map[string][]struct{ Type, Help string }
	}
	if !p.ask("/api/v1/metadata", &metadata) {
		t.Fatal("no metadata")
	}
	for name, m := range metadata.Data {
		if strings.HasPrefix(name, "akidb_") && (m[0].Help == "" || m[0].Type == "unknown") {
			t.Errorf("%s has no help", name)
		}
	}
}

func TestTheMetricsAreNamedAsPrometheusWantsThem(t *testing.T) {
	cmd := program(t, "promtool", "check", "metrics")
	r := launchREST(t)
	must(t, r.connect(t), "CREATE TABLE items (id serial PRIMARY KEY, v vector(2))")
	cmd.Stdin = strings.NewReader(curl(t, r.url+"/metrics"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestNoLabelGrowsWithWhatClientsSend(t *testing.T) {
	r := launchREST(t)
	c := r.connect(t)
	count := func() int { return strings.Count(curl(t, r.url+"/metrics"), "\nakidb_") }
	spoil := func(from, to int) {
		for i := from; i < to; i++ {
			_, _ = c.Exec(t.Context(), fmt.Sprintf("SELEKT%d", i)) // they are wrong
			_, _ = c.Exec(t.Context(), fmt.Sprintf("SELECT * FROM nothing%d", i))
			_, _ = c.Exec(t.Context(), fmt.Sprintf("SET my.setting%d = 1", i))
			_, _ = r.do(t, "GET", fmt.Sprintf("/collections/nothing%d/vectors/%d", i, i), "")
			_, _ = r.do(t, "GET", fmt.Sprintf("/nothing%d", i), "")
		}
	}
	spoil(0, 2)
	count()
	before := count()
	spoil(2, 50)
	if after := count(); after != before {
		t.Errorf("%d series, then %d", before, after)
	}
}
