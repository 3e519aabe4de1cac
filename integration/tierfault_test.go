package integration

import (
	"strings"
	"testing"
)

// TestABucketThatDoesNotAnswerLeavesCollectionsWhereTheyAre demotes to a bucket that
// nobody serves: by hand the error comes at once, in the view it stays.
func TestABucketThatDoesNotAnswerLeavesCollectionsWhereTheyAre(t *testing.T) {
	env := []string{
		"AKIDB_S3_ENDPOINT=http://127.0.0.1:1", "AKIDB_S3_BUCKET=akidb", "AKIDB_S3_ACCESS_KEY=a", "AKIDB_S3_SECRET_KEY=b",
		"AKIDB_COLD_STORE_RETRIES=0", "AKIDB_TIERING_ENABLED=false",
	}
	dir := t.TempDir()
	p := launchWith(t, env, dir)
	c := p.connect(t)
	fillItems(t, c, "items", 200)
	want := fingerprint(t, c, "items")
	if got := code(c, "ALTER COLLECTION items SET TIER cold WAIT"); got == "" {
		t.Error("a move to a bucket that does not answer has succeeded")
	}
	state := func() string {
		return show(query(t, c, "SELECT tier, transition, last_error FROM akidb.collection_tiers WHERE name = 'items'"))
	}
	if got := state(); !strings.HasPrefix(got, "warm|NULL|") || strings.HasSuffix(got, "NULL") {
		t.Errorf("after the failure: %s", got)
	}
	if got := fingerprint(t, c, "items"); got != want {
		t.Errorf("after the failure:\n%s\nwant\n%s", got, want)
	}
	run(t, c, "INSERT INTO items VALUES (1000, 'later', NULL)")
	run(t, c, "ALTER COLLECTION items SET TIER hot WAIT")
	if got := state(); got != "hot|NULL|NULL" {
		t.Errorf("after a move that succeeded: %s", got)
	}
	p.stop(t)
	checkDir(t, dir)
	onlyNamedFiles(t, dir, "hot")
}
