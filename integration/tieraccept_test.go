package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The acceptance list's workflows through the tiers, in a bucket of a real MinIO.

func moveTo(t testing.TB, c *pgx.Conn, table, tier string) {
	t.Helper()
	run(t, c, "ALTER COLLECTION "+table+" SET TIER "+tier+" WAIT")
	if got := tierOf(t, c, table); got != tier {
		t.Fatalf("%s is %s, want %s", table, got, tier)
	}
}

func TestInsertTierSnapshotRestore(t *testing.T) {
	m := newBucket(t)
	dir := t.TempDir()
	p := inBucket(t, m, dir, "akidb", "workflow")
	c := p.connect(t)
	fillItems(t, c, "items", 500)
	want := fingerprint(t, c, "items")
	moveTo(t, c, "items", "warm")
	run(t, c, "CREATE SNAPSHOT nightly OF items")
	moveTo(t, c, "items", "cold")
	run(t, c, "DELETE FROM items WHERE id > 100")
	run(t, c, "RESTORE SNAPSHOT nightly AS items_old")
	if got := fingerprint(t, c, "items_old"); got != want {
		t.Errorf("restored:\n%s\nwant\n%s", got, want)
	}
	if got := show(query(t, c, "SELECT count(*) FROM items")); got != "100" {
		t.Errorf("the original has %s rows", got)
	}
	p.stop(t)
	p = inBucket(t, m, t.TempDir(), "akidb", "workflow") // another server, over the same bucket
	c = p.connect(t)
	run(t, c, "RESTORE SNAPSHOT nightly AS items_old")
	if got := fingerprint(t, c, "items_old"); got != want {
		t.Errorf("restored elsewhere:\n%s\nwant\n%s", got, want)
	}
}

func TestHotToColdFullCycle(t *testing.T) {
	m := newBucket(t)
	dir := t.TempDir()
	p := inBucket(t, m, dir, "akidb", "cycle")
	c := p.connect(t)
	fillItems(t, c, "items", 1000)
	want := fingerprint(t, c, "items")
	for range 2 {
		moveTo(t, c, "items", "cold")
		if got := fingerprint(t, c, "items"); got != want {
			t.Fatalf("cold:\n%s\nwant\n%s", got, want)
		}
		addItems(t, c, "items", 2000, 2009)
		run(t, c, "DELETE FROM items WHERE id >= 2000")
		p.stop(t)
		p = inBucket(t, m, dir, "akidb", "cycle")
		c = p.connect(t)
		moveTo(t, c, "items", "hot")
		if got := fingerprint(t, c, "items"); got != want {
			t.Fatalf("hot again:\n%s\nwant\n%s", got, want)
		}
	}
	p.stop(t)
	checkDir(t, dir)
}

func TestWarmToColdCreatesSnapshot(t *testing.T) {
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "demote")
	c := p.connect(t)
	fillItems(t, c, "items", 300)
	moveTo(t, c, "items", "warm")
	if n, _ := objectsIn(t, bucket(t, m, "akidb", "demote")); n != 0 {
		t.Errorf("%d objects of a warm collection", n)
	}
	moveTo(t, c, "items", "cold")
	n, bytes := objectsIn(t, bucket(t, m, "akidb", "demote"))
	if n == 0 || bytes == 0 {
		t.Errorf("%d objects with %d bytes of a cold collection", n, bytes)
	}
	said := show(query(t, c, "SELECT rows, object_bytes > 0, ram_bytes FROM akidb.collection_tiers WHERE name = 'items'"))
	if said != "300|t|0" {
		t.Errorf("the view says %s", said)
	}
}

func TestColdToWarmRestoresSnapshot(t *testing.T) {
	m := newBucket(t)
	dir := t.TempDir()
	p := inBucket(t, m, dir, "akidb", "promote")
	c := p.connect(t)
	fillItems(t, c, "items", 300)
	want := fingerprint(t, c, "items")
	moveTo(t, c, "items", "cold")
	moveTo(t, c, "items", "warm")
	p.stop(t)
	p = launch(t, dir) // without the bucket
	c = p.connect(t)
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("restored:\n%s\nwant\n%s", got, want)
	}
	p.stop(t)
	checkDir(t, dir)
}

func TestCrashDuringBackgroundWorkerCycle(t *testing.T) {
	for _, place := range []string{"tiering.hot-warm-commit:3", "tiering.warm-cold-write-done:2", "tiering.warm-cold-switched:2", "tiering.after-save:9"} {
		t.Run(strings.NewReplacer(".", "-", ":", "-").Replace(place), func(t *testing.T) {
			dir := t.TempDir()
			env := []string{"AKIDB_TIERING_WORKER_INTERVAL=100ms"}
			p := launchWith(t, append(env, "AKIDB_CRASH_POINT="+place), dir)
			c := p.connect(t)
			want := map[string]string{}
			for n := range 5 {
				table := fmt.Sprintf("c%d", n)
				fillItems(t, c, table, 60)
				want[table] = fingerprint(t, c, table)
			}
			for table := range want { // the server may be gone before the last
				_, err := textRows(c, "ALTER COLLECTION "+table+" SET (hot_tier_ttl = '1 ms', warm_tier_ttl = '1 ms', cold_access = direct)")
				if err != nil {
					break
				}
			}
			select {
			case exit := <-p.exited:
				p.exited <- exit
			case <-time.After(time.Minute):
				t.Fatal("the server has not passed " + place)
			}
			checkDir(t, dir)
			p = launchWith(t, env, dir)
			c = p.connect(t)
			for table := range want {
				run(t, c, "ALTER COLLECTION "+table+" SET (hot_tier_ttl = '1 ms', warm_tier_ttl = '1 ms', cold_access = direct)")
			}
			until(t, "all are cold", func() bool {
				return show(query(t, c, "SELECT count(*) FROM akidb.collection_tiers WHERE tier = 'cold' AND transition IS NULL")) == "5"
			})
			for table := range want {
				if got := fingerprint(t, c, table); got != want[table] {
					t.Errorf("%s:\n%s\nwant\n%s", table, got, want[table])
				}
			}
			p.stop(t)
			checkDir(t, dir)
		})
	}
}

// TestLargeDatasetTiering moves 100,000 vectors through all tiers.
func TestLargeDatasetTiering(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const rows = 100_000
	m := newBucket(t)
	dir := t.TempDir()
	p := inBucket(t, m, dir, "akidb", "large")
	c := p.connect(t)
	run(t, c, "CREATE TABLE items (id int PRIMARY KEY, word text, embedding vector(16))")
	run(t, c, fmt.Sprintf(`INSERT INTO items SELECT i, 'word ' || i, ARRAY[sin(i), cos(i * 1.7), sin(i * 0.3), cos(i * 0.11), sin(i * 2.9), cos(i * 5.3), sin(i * 0.77), cos(i * 3.1),
		sin(i * 7.7), cos(i * 0.9), sin(i * 1.3), cos(i * 4.1), sin(i * 0.51), cos(i * 6.7), sin(i * 3.7), cos(i * 2.3)]::real[]::vector FROM generate_series(1, %d) i`, rows))
	run(t, c, "CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops)")
	sum := "SELECT count(*), sum(id), md5(string_agg(word || embedding::text, ',' ORDER BY id)) FROM items WHERE id % 10 = 3"
	want := show(query(t, c, sum))
	for _, tier := range []string{"warm", "cold", "warm", "hot"} {
		moveTo(t, c, "items", tier)
		if got := show(query(t, c, sum)); got != want {
			t.Errorf("%s: %s, want %s", tier, got, want)
		}
		if got := show(query(t, c, "SELECT akidb.recall('items', 'embedding', 20) >= 0.9")); got != "t" {
			t.Errorf("%s: recall %s", tier, show(query(t, c, "SELECT akidb.recall('items', 'embedding', 20)")))
		}
	}
	p.stop(t)
	checkDir(t, dir)
}
