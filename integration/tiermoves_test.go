package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const tierDims = 16

// fillItems makes a collection of n rows with two vector indexes and a btree.
func fillItems(t testing.TB, c *pgx.Conn, table string, n int) {
	t.Helper()
	run(t, c, fmt.Sprintf("CREATE TABLE %s (id int PRIMARY KEY, word text, embedding vector(%d))", table, tierDims))
	addItems(t, c, table, 1, n)
	run(t, c, fmt.Sprintf("CREATE INDEX %s_v ON %s USING hnsw (embedding vector_cosine_ops)", table, table))
}

func addItems(t testing.TB, c *pgx.Conn, table string, from, to int) {
	t.Helper()
	run(t, c, fmt.Sprintf(`INSERT INTO %s SELECT i, 'word ' || i, (SELECT array_agg(sin(i * 7.1 + j * 3.3 + i * j))::real[]::vector FROM generate_series(1, %d) j)
		FROM generate_series(%d, %d) i`, table, tierDims, from, to))
}

// fingerprint says all of a collection: a hash over its rows, and the nearest rows of
// some queries, plain and filtered.
func fingerprint(t testing.TB, c *pgx.Conn, table string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(show(query(t, c, "SELECT count(*), md5(string_agg(id || '|' || word || '|' || embedding::text, ',' ORDER BY id)) FROM "+table)))
	for _, id := range []int{3, 50, 77} {
		q := fmt.Sprintf("(SELECT embedding FROM %s WHERE id = %d)", table, id)
		b.WriteString("\n" + show(query(t, c, fmt.Sprintf("SELECT id FROM %s ORDER BY embedding <=> %s LIMIT 5", table, q))))
		b.WriteString("\n" + show(query(t, c, fmt.Sprintf("SELECT id FROM %s WHERE id %% 3 = 0 ORDER BY embedding <=> %s LIMIT 5", table, q))))
		b.WriteString("\n" + show(query(t, c, fmt.Sprintf("SELECT id FROM %s WHERE id BETWEEN 40 AND 45 ORDER BY embedding <=> %s LIMIT 3", table, q))))
	}
	return b.String()
}

func tierOf(t testing.TB, c *pgx.Conn, table string) string {
	t.Helper()
	return show(query(t, c, "SELECT tier FROM akidb.collection_tiers WHERE name = '"+table+"'"))
}

// until waits for a condition that the server brings about.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func TestManualTierControlWorkflow(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	fillItems(t, c, "items", 1000)
	want := fingerprint(t, c, "items")
	for _, tier := range []string{"warm", "cold", "warm", "hot", "cold", "hot"} {
		run(t, c, "ALTER COLLECTION items SET TIER "+tier+" WAIT")
		if got := tierOf(t, c, "items"); got != tier {
			t.Fatalf("tier %s, want %s", got, tier)
		}
		if got := fingerprint(t, c, "items"); got != want {
			t.Fatalf("in %s:\n%s\nwant\n%s", tier, got, want)
		}
		plan := show(query(t, c, "EXPLAIN (ANALYZE, COSTS off) SELECT id FROM items ORDER BY embedding <=> '[1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8]' LIMIT 5"))
		if !strings.Contains(plan, "Tier: "+tier) {
			t.Errorf("in %s the plan is\n%s", tier, plan)
		}
	}
	p.stop(t)
	checkDir(t, dir)
	p = launch(t, dir)
	c = p.connect(t)
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("after a restart:\n%s\nwant\n%s", got, want)
	}
	run(t, c, "ALTER TABLE items SET (tier = 'warm')")
	until(t, "warm by ALTER TABLE", func() bool { return tierOf(t, c, "items") == "warm" })
	query(t, c, "SELECT akidb.set_tier('items', 'hot')")
	until(t, "hot by the function", func() bool { return tierOf(t, c, "items") == "hot" })
}
