package integration

import (
	"fmt"
	"strings"
	"testing"
)

func TestOnePartitionSleepsInTheBucketWhileAnotherIsHot(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	run(t, c, fmt.Sprintf("CREATE TABLE notes (id int, tenant text, embedding vector(%d), PRIMARY KEY (tenant, id)) PARTITION BY LIST (tenant)", tierDims))
	for _, tenant := range []string{"ann", "bob", "eve"} {
		run(t, c, fmt.Sprintf("CREATE TABLE notes_%s PARTITION OF notes FOR VALUES IN ('%s')", tenant, tenant))
	}
	run(t, c, "CREATE INDEX ON notes USING hnsw (embedding vector_cosine_ops)")
	run(t, c, fmt.Sprintf(`INSERT INTO notes SELECT i, (ARRAY['ann','bob','eve'])[1 + i %% 3], (SELECT array_agg(sin(i * 7.1 + j * 3.3 + i * j))::real[]::vector FROM generate_series(1, %d) j)
		FROM generate_series(1, 900) i`, tierDims))
	questions := []string{
		"SELECT count(*), sum(id), md5(string_agg(id || tenant || embedding::text, ',' ORDER BY id)) FROM notes",
		"SELECT id, tenant FROM notes ORDER BY embedding <=> (SELECT embedding FROM notes WHERE tenant = 'bob' AND id = 100) LIMIT 7",
		"SELECT id FROM notes WHERE tenant = 'eve' ORDER BY embedding <=> (SELECT embedding FROM notes WHERE tenant = 'bob' AND id = 100) LIMIT 5",
		"SELECT tenant, max(id) FROM notes GROUP BY tenant ORDER BY tenant",
		"SELECT id FROM notes WHERE tenant = 'bob' AND id BETWEEN 1 AND 20 ORDER BY id",
	}
	answers := func() string {
		var b strings.Builder
		for _, q := range questions {
			b.WriteString(show(query(t, c, q)) + "\n")
		}
		return b.String()
	}
	want := answers()
	run(t, c, "ALTER COLLECTION notes_bob SET TIER cold WAIT")
	run(t, c, "ALTER COLLECTION notes_eve SET TIER warm WAIT")
	for name, tier := range map[string]string{"notes_ann": "hot", "notes_bob": "cold", "notes_eve": "warm"} {
		if got := tierOf(t, c, name); got != tier {
			t.Errorf("%s is %s, want %s", name, got, tier)
		}
	}
	if got := answers(); got != want {
		t.Fatalf("across three tiers:\n%s\nwant\n%s", got, want)
	}
	plan := show(query(t, c, "EXPLAIN (ANALYZE, COSTS off) SELECT id FROM notes WHERE tenant = 'ann' ORDER BY embedding <=> '["+strings.Repeat("1,", tierDims-1)+"2]' LIMIT 5"))
	if strings.Contains(plan, "notes_bob") || !strings.Contains(plan, "Tier: hot") {
		t.Errorf("one tenant's search is\n%s", plan)
	}
	// A row that changes its tenant leaves the bucket, and comes back.
	run(t, c, "UPDATE notes SET tenant = 'ann' WHERE tenant = 'bob' AND id = 100")
	run(t, c, "UPDATE notes SET tenant = 'bob' WHERE tenant = 'ann' AND id = 100")
	if got := answers(); got != want {
		t.Fatalf("after a row went to and fro:\n%s\nwant\n%s", got, want)
	}
	run(t, c, "ALTER COLLECTION notes SET TIER cold WAIT")
	for _, name := range []string{"notes_ann", "notes_bob", "notes_eve"} {
		if got := tierOf(t, c, name); got != "cold" {
			t.Errorf("%s is %s after its table was moved", name, got)
		}
	}
	if got := answers(); got != want {
		t.Fatalf("all cold:\n%s\nwant\n%s", got, want)
	}
	p.stop(t)
	checkDir(t, dir)
	p = launch(t, dir)
	c = p.connect(t)
	if got := answers(); got != want {
		t.Fatalf("after a restart:\n%s\nwant\n%s", got, want)
	}
}
