package integration

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Where collections lie, over the wire.

func TestTierStatePersistenceAcrossRestart(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	run(t, c, "CREATE TABLE items (id int PRIMARY KEY, embedding vector(3))")
	run(t, c, "INSERT INTO items VALUES (1, '[1,2,3]')")
	query(t, c, "SELECT * FROM items")
	run(t, c, "ALTER COLLECTION items PIN")
	run(t, c, "ALTER COLLECTION items SET (hot_tier_ttl = '24 hours', tiering = off)")
	query(t, c, "SELECT akidb.run_tiering_cycle()")
	state := "SELECT name, tier, pinned, last_accessed_at, access_count > 0, rows FROM akidb.collection_tiers"
	before := show(query(t, c, state))
	if !strings.HasPrefix(before, "items|hot|t|2") || !strings.HasSuffix(before, "|t|1") {
		t.Fatalf("%s", before)
	}
	p.kill()
	p = launch(t, dir)
	c = p.connect(t)
	if after := show(query(t, c, state)); after != before {
		t.Errorf("after kill -9 %s, before %s", after, before)
	}
	if got := show(query(t, c, "SELECT reloptions FROM pg_class WHERE relname = 'items'")); !strings.Contains(got, "hot_tier_ttl") {
		t.Errorf("options: %s", got)
	}
	query(t, c, "SELECT akidb.unpin('items')")
	if got := show(query(t, c, "SELECT pinned FROM akidb.collection_tiers")); got != "f" {
		t.Errorf("unpinned: %s", got)
	}
}

func TestTieringDisabledCollectionsAlwaysHot(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	for _, table := range []string{"off", "pinned", "other"} {
		run(t, c, "CREATE TABLE t_"+table+" (id int)")
		run(t, c, "ALTER COLLECTION t_"+table+" SET (hot_tier_ttl = '1 microsecond')")
	}
	run(t, c, "ALTER COLLECTION t_off SET (tiering = off)")
	query(t, c, "SELECT akidb.pin('t_pinned')")
	plan := show(query(t, c, "SELECT collection, from_tier, to_tier FROM akidb.plan_tiering()"))
	if plan != "public.t_other|hot|warm" {
		t.Errorf("planned: %s", plan)
	}
	query(t, c, "SELECT akidb.run_tiering_cycle()")
	if got := show(query(t, c, "SELECT DISTINCT tier, last_error FROM akidb.collection_tiers WHERE name IN ('t_off', 't_pinned')")); !strings.HasPrefix(got, "hot|") {
		t.Errorf("tiers: %s", got)
	}
}

func TestTierOptionsAreChecked(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE items (id int)")
	for sql, code := range map[string]string{
		"ALTER COLLECTION items SET (hot_tier_ttl = 'soon')":       "22023",
		"ALTER COLLECTION items SET (hot_tier_ttl = '-1 s')":       "22023",
		"ALTER COLLECTION items SET (cold_access = 'never')":       "22023",
		"ALTER COLLECTION items SET (hot_promotion_threshold = 0)": "22023",
		"SELECT akidb.pin('missing')":                              "42P01",
		"SELECT akidb.pin('items PIN; DROP TABLE items --')":       "42602",
		"SELECT akidb.set_tier('items', 'lukewarm')":               "22023",
		"SELECT akidb.set_tier('items', 'hot; DROP TABLE items')":  "22023",
	} {
		_, err := textRows(c, sql)
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v, want %s", sql, err, code)
		}
	}
	query(t, c, "SELECT akidb.set_tier('items', 'hot')")
}
