package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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

// fingerprint says all of a collection: a hash over its rows, and what searches find:
// the nearest row, the nearest of few rows, and all rows.
func fingerprint(t testing.TB, c *pgx.Conn, table string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(show(query(t, c, "SELECT count(*), md5(string_agg(id || '|' || word || '|' || embedding::text, ',' ORDER BY id)) FROM "+table)))
	for _, id := range []int{3, 27, 50} {
		q := fmt.Sprintf("(SELECT embedding FROM %s WHERE id = %d)", table, id)
		b.WriteString("\n" + show(query(t, c, fmt.Sprintf("SELECT id FROM %s ORDER BY embedding <=> %s LIMIT 1", table, q))))
		b.WriteString("\n" + show(query(t, c, fmt.Sprintf("SELECT count(*) FROM (SELECT id FROM %s ORDER BY embedding <=> %s LIMIT 100000) s", table, q))))
		b.WriteString("\n" + show(query(t, c, fmt.Sprintf("SELECT id FROM %s WHERE id BETWEEN 40 AND 45 ORDER BY embedding <=> %s LIMIT 3", table, q))))
	}
	return b.String()
}

func tierOf(t testing.TB, c *pgx.Conn, table string) string {
	t.Helper()
	return show(query(t, c, "SELECT tier FROM akidb.collection_tiers WHERE name = '"+table+"'"))
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
		if tier == "cold" && !(strings.Contains(plan, "Requests: ") && strings.Contains(plan, "Bytes: ")) {
			t.Errorf("the plan does not say what came from the object store:\n%s", plan)
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

// TestConcurrentTierTransitions moves a collection up and down while clients search
// and write it. Each client knows what it has committed; all of that, and nothing
// else, is there at any time.
func TestConcurrentTierTransitions(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	fillItems(t, c, "items", 500)
	done := make(chan struct{})
	var working sync.WaitGroup
	var searches, writes atomic.Int64
	for n := range 2 {
		conn := p.connect(t)
		working.Go(func() { searches.Add(searchWhile(t, conn, n, done)) })
	}
	kept := make([]map[int]bool, 2)
	for n := range kept {
		conn := p.connect(t)
		working.Go(func() {
			kept[n] = writeWhile(t, conn, 10_000*(n+1), done)
			writes.Add(int64(len(kept[n])))
		})
	}
	for _, tier := range []string{"warm", "hot", "warm", "cold", "warm", "hot", "cold", "hot"} {
		run(t, c, "ALTER COLLECTION items SET TIER "+tier+" WAIT")
		if got := tierOf(t, c, "items"); got != tier {
			t.Errorf("tier %s, want %s", got, tier)
		}
	}
	other := p.connect(t)
	results := make(chan string, 2)
	for _, conn := range []*pgx.Conn{c, other} { // of two moves at once one is refused, or finds the other done
		go func() { results <- code(conn, "ALTER COLLECTION items SET TIER warm") }()
	}
	for range 2 {
		if got := <-results; got != "" && got != "55006" {
			t.Errorf("moves at once: %s", got)
		}
	}
	until(t, "warm", func() bool { return tierOf(t, c, "items") == "warm" })
	close(done)
	working.Wait()
	t.Logf("%d searches, %d rows written", searches.Load(), writes.Load())
	want := 500
	for _, ids := range kept {
		want += len(ids)
	}
	for _, tier := range []string{"warm", "cold", "hot"} {
		run(t, c, "ALTER COLLECTION items SET TIER "+tier+" WAIT")
		if got := show(query(t, c, "SELECT count(*), count(DISTINCT id) FROM items")); got != fmt.Sprintf("%d|%d", want, want) {
			t.Errorf("%s: %s rows, want %d", tier, got, want)
		}
		if got := show(query(t, c, "SELECT count(*) FROM (SELECT id FROM items ORDER BY embedding <=> '[1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8]' LIMIT 100000) s")); got != fmt.Sprint(want) {
			t.Errorf("%s: the index gives %s rows, want %d", tier, got, want)
		}
	}
	p.stop(t)
	checkDir(t, dir)
}

// searchWhile searches for known rows until done.
func searchWhile(t *testing.T, c *pgx.Conn, seed int, done <-chan struct{}) (n int64) {
	for id := 1 + seed*37; ; id = id%500 + 1 {
		select {
		case <-done:
			return n
		default:
		}
		rows, err := textRows(c, fmt.Sprintf("SELECT id FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = %d), id LIMIT 3", id))
		if err != nil {
			t.Errorf("search: %v", err)
			return n
		}
		if len(rows) != 3 || !slices.ContainsFunc(rows, func(r []string) bool { return r[0] == fmt.Sprint(id) }) {
			t.Errorf("search for %d: %v", id, rows)
		}
		n++
	}
}

// writeWhile inserts rows, and changes and deletes some of them, until done; it
// returns those that are there at the end.
func writeWhile(t *testing.T, c *pgx.Conn, from int, done <-chan struct{}) map[int]bool {
	kept := map[int]bool{}
	for id := from; ; id++ {
		select {
		case <-done:
			return kept
		default:
		}
		statements := []string{fmt.Sprintf("INSERT INTO items SELECT %d, 'new', embedding FROM items WHERE id = %d", id, id%500+1)}
		kept[id] = true
		if id%3 == 0 {
			statements = append(statements, fmt.Sprintf("UPDATE items SET embedding = (SELECT embedding FROM items WHERE id = 77) WHERE id = %d", id-1))
		}
		if id%5 == 0 {
			statements = append(statements, fmt.Sprintf("DELETE FROM items WHERE id = %d", id-2))
			delete(kept, id-2)
		}
		for _, s := range statements {
			if _, err := textRows(c, s); err != nil {
				t.Errorf("%s: %v", s, err)
				return kept
			}
		}
	}
}

func TestPinnedCollectionNeverDemoted(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	fillItems(t, c, "pinned", 100)
	fillItems(t, c, "other", 100)
	run(t, c, "ALTER COLLECTION pinned PIN")
	run(t, c, "ALTER COLLECTION pinned SET (hot_tier_ttl = '1 microsecond')")
	run(t, c, "ALTER COLLECTION other SET (hot_tier_ttl = '1 microsecond')")
	query(t, c, "SELECT akidb.run_tiering_cycle()")
	until(t, "the other is warm", func() bool { return tierOf(t, c, "other") == "warm" })
	if got := tierOf(t, c, "pinned"); got != "hot" {
		t.Errorf("pinned: %s", got)
	}
	for _, sql := range []string{"ALTER COLLECTION pinned SET TIER warm", "ALTER TABLE pinned SET (tier = 'cold')", "SELECT akidb.set_tier('pinned', 'warm')"} {
		if got := code(c, sql); got != "55000" {
			t.Errorf("%s: %q, want 55000", sql, got)
		}
	}
	run(t, c, "ALTER COLLECTION other PIN")
	run(t, c, "ALTER COLLECTION other SET TIER hot WAIT") // upwards is allowed
	run(t, c, "ALTER COLLECTION pinned UNPIN")
	run(t, c, "ALTER COLLECTION pinned SET TIER warm WAIT")
	if got := tierOf(t, c, "pinned") + tierOf(t, c, "other"); got != "warmhot" {
		t.Errorf("tiers: %s", got)
	}
}

func TestBackgroundWorkerDemotesMultipleCollections(t *testing.T) {
	dir := t.TempDir()
	p := launchWith(t, []string{"AKIDB_TIERING_WORKER_INTERVAL=200ms"}, dir)
	c := p.connect(t)
	want := map[string]string{}
	for n := range 12 {
		table := fmt.Sprintf("c%d", n)
		fillItems(t, c, table, 60)
		want[table] = fingerprint(t, c, table)
	}
	for table := range want {
		run(t, c, "ALTER COLLECTION "+table+" SET (hot_tier_ttl = '500 ms', warm_tier_ttl = '500 ms')")
	}
	until(t, "all are cold", func() bool {
		return show(query(t, c, "SELECT count(*) FROM akidb.collection_tiers WHERE tier = 'cold' AND transition IS NULL")) == "12"
	})
	for table := range want {
		run(t, c, "ALTER COLLECTION "+table+" SET (cold_access = direct)")
	}
	p.stop(t)
	checkDir(t, dir)
	p = launch(t, dir)
	c = p.connect(t)
	for table := range want {
		if got := fingerprint(t, c, table); got != want[table] {
			t.Errorf("%s:\n%s\nwant\n%s", table, got, want[table])
		}
	}
}

func TestBackgroundWorkerPromotesHighAccessCollections(t *testing.T) {
	p := launchWith(t, []string{"AKIDB_TIERING_WORKER_INTERVAL=100ms"}, t.TempDir())
	c := p.connect(t)
	fillItems(t, c, "busy", 100)
	fillItems(t, c, "quiet", 100)
	run(t, c, "ALTER COLLECTION busy SET TIER cold WAIT")
	run(t, c, "ALTER COLLECTION quiet SET TIER cold WAIT")
	query(t, c, "SELECT count(*) FROM busy")
	until(t, "read once it is warm", func() bool { return tierOf(t, c, "busy") == "warm" })
	for range 10 {
		query(t, c, "SELECT count(*) FROM busy")
	}
	until(t, "read ten times it is hot", func() bool { return tierOf(t, c, "busy") == "hot" })
	if got := tierOf(t, c, "quiet"); got != "cold" {
		t.Errorf("quiet: %s", got)
	}
}

func TestAccessTrackingResetsAfterPromotion(t *testing.T) {
	p := launchWith(t, []string{"AKIDB_TIERING_ENABLED=false"}, t.TempDir())
	c := p.connect(t)
	fillItems(t, c, "items", 50)
	run(t, c, "ALTER COLLECTION items SET TIER warm WAIT")
	for range 7 {
		query(t, c, "SELECT count(*) FROM items")
	}
	count := func() string {
		return show(query(t, c, "SELECT access_count FROM akidb.collection_tiers WHERE name = 'items'"))
	}
	if before := count(); before < "7" {
		t.Errorf("%s accesses before the promotion", before)
	}
	run(t, c, "ALTER COLLECTION items SET TIER hot WAIT")
	if after := count(); after != "0" {
		t.Errorf("%s accesses after the promotion", after)
	}
	query(t, c, "SELECT count(*) FROM items")
	if after := count(); after != "1" {
		t.Errorf("%s accesses after one more", after)
	}
}

func TestColdAccessServesRestoresOrStaysCold(t *testing.T) {
	p := launchWith(t, []string{"AKIDB_TIERING_WORKER_INTERVAL=100ms"}, t.TempDir())
	c := p.connect(t)
	for _, way := range []string{"serve", "restore", "direct"} {
		fillItems(t, c, way, 100)
		want := fingerprint(t, c, way)
		run(t, c, "ALTER COLLECTION "+way+" SET (cold_access = "+way+")")
		run(t, c, "ALTER COLLECTION "+way+" SET TIER cold WAIT")
		if got := fingerprint(t, c, way); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", way, got, want)
		}
		switch way {
		case "serve":
			until(t, "served and restored", func() bool { return tierOf(t, c, way) == "warm" })
		case "restore":
			if got := tierOf(t, c, way); got != "warm" {
				t.Errorf("restore: %s right after the read", got)
			}
		case "direct":
			query(t, c, "SELECT akidb.run_tiering_cycle()")
			if got := show(query(t, c, "SELECT tier, transition FROM akidb.collection_tiers WHERE name = 'direct'")); got != "cold|NULL" {
				t.Errorf("direct: %s", got)
			}
		}
	}
}

// TestManyRowsWrittenToAColdCollectionAreSealed also restores what lies in two seals,
// and drops it: then the object store has nothing of it.
func TestManyRowsWrittenToAColdCollectionAreSealed(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	fillItems(t, c, "items", 400)
	run(t, c, "ALTER COLLECTION items SET (cold_access = direct)")
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	addItems(t, c, "items", 401, 5600)
	run(t, c, "DELETE FROM items WHERE id % 100 = 0")
	run(t, c, "UPDATE items SET word = 'changed' WHERE id % 100 = 1")
	want := fingerprint(t, c, "items")
	tail := func() string {
		plan := show(query(t, c, "EXPLAIN (ANALYZE, COSTS off) SELECT id FROM items ORDER BY embedding <=> '[1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8]' LIMIT 5"))
		_, after, _ := strings.Cut(plan, "Tail: ")
		n, _, _ := strings.Cut(after, ";")
		return strings.TrimSpace(strings.Split(n, "\n")[0])
	}
	if got := tail(); got == "0" || got == "" {
		t.Fatalf("tail %q before the seal", got)
	}
	query(t, c, "SELECT akidb.run_tiering_cycle()")
	until(t, "local rows are sealed", func() bool { return tail() == "0" })
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("sealed twice:\n%s\nwant\n%s", got, want)
	}
	p.stop(t)
	checkDir(t, dir)
	p = launch(t, dir)
	c = p.connect(t)
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("after a restart:\n%s\nwant\n%s", got, want)
	}
	run(t, c, "ALTER COLLECTION items SET TIER warm WAIT")
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("restored:\n%s\nwant\n%s", got, want)
	}
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	if n := coldFiles(t, dir); n < 4 {
		t.Errorf("%d objects of a cold collection", n)
	}
	run(t, c, "DROP TABLE items")
	query(t, c, "SELECT akidb.run_tiering_cycle()")
	if n := coldFiles(t, dir); n > 0 {
		t.Errorf("%d objects of a dropped collection are left", n)
	}
}

// coldFiles counts the objects of collections in the cold store of a data directory.
func coldFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "cold", "collections"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return n
}

func TestAMoveBelongsToItsTransaction(t *testing.T) {
	p := launchWith(t, []string{"AKIDB_TIERING_ENABLED=false"}, t.TempDir())
	c := p.connect(t)
	fillItems(t, c, "items", 50)
	run(t, c, "BEGIN")
	run(t, c, "ALTER COLLECTION items SET TIER warm")
	run(t, c, "ROLLBACK")
	run(t, c, "BEGIN")
	query(t, c, "SELECT akidb.set_tier('items', 'warm')")
	run(t, c, "SAVEPOINT s")
	run(t, c, "ALTER TABLE items SET (tier = 'cold', hot_tier_ttl = '1 day')")
	run(t, c, "ROLLBACK TO s")
	if got := show(query(t, c, "SELECT tier, transition FROM akidb.collection_tiers WHERE name = 'items'")); got != "hot|NULL" {
		t.Errorf("before the commit: %s", got)
	}
	if got := code(c, "ALTER COLLECTION items SET TIER warm WAIT"); got != "25001" {
		t.Errorf("WAIT in a transaction block: %q, want 25001", got)
	}
	run(t, c, "ROLLBACK")
	run(t, c, "BEGIN")
	run(t, c, "UPDATE items SET word = 'x' WHERE id = 1")
	query(t, c, "SELECT akidb.set_tier('items', 'warm')")
	run(t, c, "COMMIT")
	until(t, "warm after the commit", func() bool { return tierOf(t, c, "items") == "warm" })

	run(t, c, "CREATE TABLE w (id int, v vector(3)) WITH (tier = 'warm')")
	run(t, c, "CREATE TABLE k (id int, v vector(3)) WITH (tier = 'cold')")
	if got := tierOf(t, c, "w"); got != "warm" {
		t.Errorf("made warm: %s", got)
	}
	until(t, "cold", func() bool { return tierOf(t, c, "k") == "cold" })
	for _, table := range []string{"w", "k"} {
		run(t, c, "INSERT INTO "+table+" VALUES (1, '[1,2,3]'), (2, '[3,2,1]')")
		if got := show(query(t, c, "SELECT id FROM "+table+" ORDER BY v <-> '[3,2,2]' LIMIT 1")); got != "2" {
			t.Errorf("%s: %s", table, got)
		}
	}
	run(t, c, "CREATE INDEX ON w USING hnsw (v vector_l2_ops)")
	moveTo(t, c, "w", "hot")
	if got := show(query(t, c, "SELECT id FROM w ORDER BY v <-> '[3,2,2]' LIMIT 1")); got != "2" {
		t.Errorf("hot: %s", got)
	}
	if got := code(c, "CREATE TABLE bad (id int) WITH (tier = 'lukewarm')"); got != "22023" {
		t.Errorf("an unknown tier: %q", got)
	}
	if got := code(c, "CREATE TEMP TABLE tmp (id int) WITH (tier = 'warm')"); got != "55000" {
		t.Errorf("a temporary table: %q", got)
	}
}

// TestAnOlderSnapshotFindsWhatWasDeletedSinceThroughAMove has a transaction that took
// its snapshot before the rows went and before the collection moved.
func TestAnOlderSnapshotFindsWhatWasDeletedSinceThroughAMove(t *testing.T) {
	p := launchWith(t, []string{"AKIDB_TIERING_ENABLED=false"}, t.TempDir())
	c, old := p.connect(t), p.connect(t)
	fillItems(t, c, "items", 200)
	run(t, c, "CREATE TABLE other (id int)")
	for _, tier := range []string{"warm", "hot"} {
		run(t, old, "BEGIN ISOLATION LEVEL REPEATABLE READ")
		query(t, old, "SELECT count(*) FROM other") // takes the snapshot, and no lock of items
		query(t, c, "DELETE FROM items WHERE id = 9")
		moveTo(t, c, "items", tier)
		nearest := "SELECT id FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 9) LIMIT 1"
		if got := show(query(t, old, nearest)); got != "9" {
			t.Errorf("%s: the older snapshot finds %s", tier, got)
		}
		run(t, old, "COMMIT")
		addItems(t, c, "items", 9, 9)
		if got := show(query(t, c, nearest)); got != "9" {
			t.Errorf("%s: %s", tier, got)
		}
	}
	run(t, old, "BEGIN ISOLATION LEVEL REPEATABLE READ")
	query(t, old, "SELECT count(*) FROM other")
	moveTo(t, c, "items", "cold")
	if got := code(old, "SELECT count(*) FROM items"); got != "40001" {
		t.Errorf("a snapshot from before the rows went to the object store: %q, want 40001", got)
	}
	run(t, old, "ROLLBACK")
}
