package integration

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// legSteps are the named places of a leg, in the order in which a move passes them.
var legSteps = []string{"write", "write-done", "verify", "switch", "commit", "switched", "free", "free-done"}

// tierLegs are the legs of moves and where they start and end.
var tierLegs = []struct{ name, from, to string }{
	{"hot-warm", "hot", "warm"}, {"warm-hot", "warm", "hot"}, {"warm-cold", "warm", "cold"}, {"cold-warm", "cold", "warm"},
}

// TestCrashDuringTierDemotion kills the server at every named place of every leg, up
// and down. The directory must pass the check as it was left; the next start ends the
// move or undoes it, and no row is lost or doubled.
func TestCrashDuringTierDemotion(t *testing.T) {
	base := t.TempDir()
	want := map[string]string{}
	for _, tier := range []string{"hot", "warm", "cold"} {
		dir := filepath.Join(base, tier)
		p := launch(t, dir)
		c := p.connect(t)
		fillItems(t, c, "items", 300)
		run(t, c, "ALTER COLLECTION items SET TIER "+tier+" WAIT")
		// Local rows and deleted ones, so that a cold collection has some of each kind.
		addItems(t, c, "items", 301, 310)
		run(t, c, "DELETE FROM items WHERE id IN (5, 305)")
		run(t, c, "UPDATE items SET word = 'changed' WHERE id IN (6, 306)")
		run(t, c, "UPDATE items SET embedding = (SELECT embedding FROM items WHERE id = 9) WHERE id = 8")
		want[tier] = fingerprint(t, c, "items")
		p.stop(t)
	}
	for _, leg := range tierLegs {
		for _, step := range legSteps {
			t.Run(leg.name+"-"+step, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "data")
				if out, err := exec.Command("cp", "-r", filepath.Join(base, leg.from), dir).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				crashIn(t, dir, "tiering."+leg.name+"-"+step, "ALTER COLLECTION items SET TIER "+leg.to+" WAIT")
				checkDir(t, dir)
				p := launch(t, dir)
				c := p.connect(t)
				if got := fingerprint(t, c, "items"); got != want[leg.from] {
					t.Errorf("after the crash:\n%s\nbefore:\n%s", got, want[leg.from])
				}
				state := func() string {
					return show(query(t, c, "SELECT tier, coalesce(transition, 'rests') FROM akidb.collection_tiers WHERE name = 'items'"))
				}
				until(t, "at rest in "+leg.to, func() bool { return state() == leg.to+"|rests" })
				if got := fingerprint(t, c, "items"); got != want[leg.from] {
					t.Errorf("at the end:\n%s\nbefore:\n%s", got, want[leg.from])
				}
				addItems(t, c, "items", 400, 401)
				p.stop(t)
				checkDir(t, dir)
				onlyNamedFiles(t, dir, leg.to)
			})
		}
	}
}

// crashIn runs a statement on a server that dies at a named place.
func crashIn(t *testing.T, dir, place, statement string, flags ...string) {
	t.Helper()
	p := launchWith(t, []string{"AKIDB_CRASH_POINT=" + place}, dir, flags...)
	c := p.connect(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := c.Exec(ctx, statement)
	select {
	case exit := <-p.exited:
		p.exited <- exit
		if exit == nil || !strings.Contains(exit.Error(), "killed") {
			t.Fatalf("the server ended with %v", exit)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the server has not passed %s: %v", place, err)
	}
}

// onlyNamedFiles finds files that a move has left behind.
func onlyNamedFiles(t *testing.T, dir, tier string) {
	t.Helper()
	for folder, allowed := range map[string]int{"warm": 1, "index": 1} {
		if folder == "warm" && tier != "warm" || folder == "index" && tier == "cold" {
			allowed = 0
		}
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) > allowed {
			t.Errorf("folder %s of a %s collection: %v", folder, tier, entries)
		}
	}
}

// TestAMoveThatIsCancelledOrFailsLeavesEverythingInItsPlace also goes through the
// places of Undo.
func TestAMoveThatIsCancelledOrFailsLeavesEverythingInItsPlace(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c, other := p.connect(t), p.connect(t)
	fillItems(t, c, "items", 300)
	want := fingerprint(t, c, "items")
	run(t, other, "BEGIN")
	query(t, other, "SELECT count(*) FROM items") // its lock keeps the switch waiting
	run(t, c, "ALTER COLLECTION items SET TIER warm")
	until(t, "waiting for its switch", func() bool {
		return strings.Contains(show(query(t, c, "SELECT transition FROM akidb.collection_tiers")), "switch")
	})
	run(t, c, "INSERT INTO items VALUES (1000, 'meanwhile', (SELECT embedding FROM items WHERE id = 7))")
	if got := code(c, "ALTER COLLECTION items SET TIER cold"); got != "55006" {
		t.Errorf("a second move: %s", got)
	}
	run(t, c, "ALTER COLLECTION items CANCEL")
	until(t, "at rest", func() bool { return show(query(t, c, "SELECT transition FROM akidb.collection_tiers")) == "NULL" })
	if got := tierOf(t, c, "items"); got != "hot" {
		t.Errorf("tier %s", got)
	}
	run(t, other, "COMMIT")
	run(t, c, "DELETE FROM items WHERE id = 1000")
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("after the cancelled move:\n%s\nwant\n%s", got, want)
	}
	p.stop(t)
	checkDir(t, dir)
	onlyNamedFiles(t, dir, "hot")
}

// code is the SQLSTATE of a statement, "" when it succeeds.
func code(c *pgx.Conn, sql string) string {
	_, err := textRows(c, sql)
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
