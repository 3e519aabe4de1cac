package integration

import (
	"fmt"
	"strings"
	"testing"
)

// TestIvfflatKeepsWhatWasCommittedThroughKills goes through the life of an ivfflat
// index: built, written to, opened again after a kill, brought up to the rows, dropped.
func TestIvfflatKeepsWhatWasCommittedThroughKills(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	run(t, c, "CREATE TABLE items (id int PRIMARY KEY, embedding vector(8))")
	fill := "INSERT INTO items SELECT i, (SELECT array_agg(sin(i * 7 + j * 3 + i * j))::real[]::vector FROM generate_series(1, 8) j) FROM generate_series(%d, %d) i"
	run(t, c, fmt.Sprintf(fill, 1, 2000))
	run(t, c, "CREATE INDEX items_v ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 20)")
	run(t, c, fmt.Sprintf(fill, 2001, 3000))
	run(t, c, "DELETE FROM items WHERE id % 5 = 0")
	run(t, c, "UPDATE items SET embedding = '[9,-9,9,-9,9,-9,9,-9]' WHERE id = 7")
	agree := func() {
		t.Helper()
		if got := show(query(t, c, "SELECT id FROM items ORDER BY embedding <=> '[9,-9,9,-9,9,-9,9,-9]' LIMIT 1")); got != "7" {
			t.Errorf("nearest: %s", got)
		}
		if got := show(query(t, c, "SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM items ORDER BY embedding <=> '[1,2,3,4,5,6,7,8]' LIMIT 5000) s")); got != "2400|2400" {
			t.Errorf("all rows: %s", got)
		}
		if got := show(query(t, c, "SELECT akidb.recall('items', 'embedding') > 0.9")); got != "t" {
			t.Errorf("recall: %s", show(query(t, c, "SELECT akidb.recall('items', 'embedding')")))
		}
		plan := show(query(t, c, "EXPLAIN (ANALYZE, COSTS off) SELECT id FROM items ORDER BY embedding <=> '[1,2,3,4,5,6,7,8]' LIMIT 5"))
		if !strings.Contains(plan, "items_v") || !strings.Contains(plan, "ivfflat") {
			t.Errorf("plan:\n%s", plan)
		}
	}
	agree()
	p.kill()
	checkDir(t, dir)
	p = launch(t, dir)
	c = p.connect(t)
	agree()
	run(t, c, "BEGIN")
	run(t, c, "INSERT INTO items VALUES (5000, '[-5,-4,-3,-2,-1,0,1,9]')")
	if got := show(query(t, c, "SELECT id FROM items ORDER BY embedding <=> '[-5,-4,-3,-2,-1,0,1,9]' LIMIT 1")); got != "5000" {
		t.Errorf("own row: %s", got)
	}
	run(t, c, "ROLLBACK")
	run(t, c, "REINDEX TABLE items")
	agree()
	run(t, c, "DROP INDEX items_v")
	run(t, c, "TRUNCATE items")
	p.stop(t)
	checkDir(t, dir)
}
