package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

// Snapshots over the wire, in a bucket of a real MinIO.

// inBucket starts a server whose cold store is a bucket.
func inBucket(t *testing.T, m *miniotest.Server, dir, name, prefix string) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "akidb.toml")
	text := fmt.Sprintf("[cold_store]\nurl = \"s3://%s/%s\"\nendpoint = %q\naccess_key = %q\nsecret_key = %q\n",
		name, prefix, m.Endpoint, miniotest.AccessKey, miniotest.SecretKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return launch(t, dir, "--config", file)
}

func newBucket(t *testing.T) *miniotest.Server {
	t.Helper()
	m := miniotest.Start(t, miniotest.Options{})
	if err := m.MakeBucket("akidb"); err != nil {
		t.Fatal(err)
	}
	return m
}

func objectsIn(t *testing.T, s objectstore.Store) (n int, bytes int64) {
	t.Helper()
	err := objectstore.Each(t.Context(), s, "collections/", func(i objectstore.Info) error {
		if strings.Contains(i.Key, "/segments/") {
			n, bytes = n+1, bytes+i.Size
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, bytes
}

func makeItems(t *testing.T, c *pgx.Conn, n int) {
	t.Helper()
	run(t, c, `CREATE TABLE items (id serial PRIMARY KEY, title text NOT NULL, price numeric(8,2) CHECK (price >= 0), tags text[], embedding vector(8))`)
	run(t, c, `CREATE INDEX items_embedding ON items USING hnsw (embedding vector_l2_ops)`)
	run(t, c, `CREATE UNIQUE INDEX items_title ON items (lower(title))`)
	run(t, c, fmt.Sprintf(`INSERT INTO items (title, price, tags, embedding)
		SELECT 'title ' || i, i / 7.0, CASE WHEN i %% 3 = 0 THEN ARRAY['a', 'b' || i] END,
		       CASE WHEN i %% 10 <> 0 THEN ARRAY(SELECT sin(i * k) FROM generate_series(1, 8) k)::real[]::vector END
		FROM generate_series(1, %d) i`, n))
}

const everything = "SELECT * FROM items ORDER BY id"

func mustFail(t *testing.T, c *pgx.Conn, sql, code string) {
	t.Helper()
	_, err := textRows(c, sql)
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want %s", sql, err, code)
	}
}

func TestMultipleSnapshotsPerCollection(t *testing.T) {
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "one")
	c := p.connect(t)
	makeItems(t, c, 500)
	first := show(query(t, c, everything))
	run(t, c, "CREATE SNAPSHOT first OF items")
	before, _ := objectsIn(t, bucket(t, m, "akidb", "one"))
	run(t, c, "CREATE SNAPSHOT again OF items") // nothing has changed: no rows are uploaded
	if after, _ := objectsIn(t, bucket(t, m, "akidb", "one")); after != before || before == 0 {
		t.Errorf("%d objects, then %d", before, after)
	}
	run(t, c, "UPDATE items SET title = 'changed' WHERE id = 7")
	run(t, c, "DELETE FROM items WHERE id > 490")
	second := show(query(t, c, everything))
	run(t, c, `CREATE SNAPSHOT "Second!" OF items`)
	if got := show(query(t, c, "SELECT name, schema, collection, rows, tier FROM akidb.snapshots ORDER BY created")); got !=
		"first|public|items|500|hot; again|public|items|500|hot; Second!|public|items|490|hot" {
		t.Errorf("snapshots:\n%s", got)
	}
	for name, want := range map[string]string{"first": first, `"Second!"`: second, "again": first} {
		run(t, c, "RESTORE SNAPSHOT "+name+" AS old")
		if got := show(query(t, c, "SELECT * FROM old ORDER BY id")); got != want {
			t.Errorf("%s came back otherwise", name)
		}
		nearest := "SELECT id FROM %s WHERE embedding IS NOT NULL ORDER BY embedding <-> (SELECT embedding FROM old WHERE id = 77) LIMIT 5"
		if got := show(query(t, c, fmt.Sprintf(nearest, "old"))); !strings.HasPrefix(got, "77") {
			t.Errorf("%s: nearest of the restored %s", name, got)
		}
		mustFail(t, c, "INSERT INTO old (title) VALUES ('TITLE 5')", "23505")
		mustFail(t, c, "INSERT INTO old (title, price) VALUES ('x', -1)", "23514")
		run(t, c, "INSERT INTO old (title) VALUES ('new')") // the sequence goes on
		if got := show(query(t, c, "SELECT max(id) FROM old WHERE title = 'new'")); got != show(query(t, c, "SELECT max(id) FROM old")) {
			t.Errorf("%s: the new row has id %s", name, got)
		}
		run(t, c, "DROP TABLE old")
	}
	run(t, c, "RESTORE SNAPSHOT first") // in place
	if got := show(query(t, c, everything)); got != first {
		t.Error("the table did not get its rows back")
	}
	if got := show(query(t, c, "SELECT id FROM items ORDER BY embedding <-> (SELECT embedding FROM items WHERE id = 77) LIMIT 1")); got != "77" {
		t.Errorf("nearest after a restore in place: %s", got)
	}
	run(t, c, "DROP TABLE items")
	run(t, c, "RESTORE SNAPSHOT first") // as it was called
	if got := show(query(t, c, everything)); got != first {
		t.Error("the dropped table did not come back")
	}
	if got := show(query(t, c, "SELECT count(*) FROM pg_indexes WHERE tablename = 'items' AND indexname IN ('items_pkey', 'items_embedding', 'items_title')")); got != "3" {
		t.Errorf("%s indexes have their old names", got)
	}
}

func TestListSnapshots(t *testing.T) {
	m := newBucket(t)
	dir := t.TempDir()
	p := inBucket(t, m, dir, "akidb", "")
	c := p.connect(t)
	if got := show(query(t, c, "SHOW SNAPSHOTS")); got != "" {
		t.Errorf("before there are any: %s", got)
	}
	makeItems(t, c, 20)
	run(t, c, "CREATE SNAPSHOT a OF items")
	run(t, c, "CREATE SNAPSHOT b OF items")
	p.kill()
	c = inBucket(t, m, dir, "akidb", "").connect(t)
	rows := strings.Split(show(query(t, c, "SHOW SNAPSHOTS")), "; ")
	if len(rows) != 2 || !strings.HasPrefix(rows[0], "b|public.items|") || !strings.Contains(rows[1], "|20|") {
		t.Errorf("after a kill: %q", rows)
	}
	// Another server that is given the bucket finds them, and restores what it likes.
	c = inBucket(t, m, t.TempDir(), "akidb", "").connect(t)
	run(t, c, "RESTORE SNAPSHOT a")
	if got := show(query(t, c, "SELECT count(*), max(title) FROM items")); got != "20|title 9" {
		t.Errorf("on another server: %s", got)
	}
}

func TestDeleteSnapshot(t *testing.T) {
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "")
	c := p.connect(t)
	makeItems(t, c, 50)
	run(t, c, "CREATE SNAPSHOT a OF items")
	run(t, c, "CREATE SNAPSHOT b OF items")
	run(t, c, "CREATE SNAPSHOT IF NOT EXISTS b OF items")
	mustFail(t, c, "CREATE SNAPSHOT b OF items", "42710")
	mustFail(t, c, "CREATE SNAPSHOT c OF missing", "42P01")
	mustFail(t, c, "DROP SNAPSHOT c", "42704")
	mustFail(t, c, "RESTORE SNAPSHOT c", "42704")
	mustFail(t, c, "RESTORE SNAPSHOT a AS items", "42P07")
	run(t, c, "DROP SNAPSHOT IF EXISTS c")
	run(t, c, "BEGIN")
	mustFail(t, c, "DROP SNAPSHOT a", "25001")
	run(t, c, "ROLLBACK")
	run(t, c, "DROP SNAPSHOT a")
	run(t, c, "RESTORE SNAPSHOT b AS copy") // it shared everything with a
	if got := show(query(t, c, "SELECT count(*) FROM copy")); got != "50" {
		t.Errorf("%s rows", got)
	}
	run(t, c, "DROP SNAPSHOT b")
	if n, _ := objectsIn(t, bucket(t, m, "akidb", "")); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

// A damaged object is named, and nothing of it is restored.
func TestADamagedSnapshotIsNotRestored(t *testing.T) {
	m := newBucket(t)
	c := inBucket(t, m, t.TempDir(), "akidb", "").connect(t)
	makeItems(t, c, 50)
	run(t, c, "CREATE SNAPSHOT a OF items")
	s := bucket(t, m, "akidb", "")
	var key string
	_ = objectstore.Each(t.Context(), s, "collections/", func(i objectstore.Info) error {
		if strings.HasSuffix(i.Key, ".parquet") {
			key = i.Key
		}
		return nil
	})
	data, _, err := objectstore.GetBytes(t.Context(), s, key, objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	data[100] ^= 1
	if _, err := objectstore.PutBytes(t.Context(), s, key, data); err != nil {
		t.Fatal(err)
	}
	_, err = textRows(c, "RESTORE SNAPSHOT a AS copy")
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "XX001" || !strings.Contains(e.Message+e.Detail, key) {
		t.Errorf("got %v", err)
	}
	mustFail(t, c, "SELECT * FROM copy", "42P01")
	if got := show(query(t, c, "SELECT count(*) FROM items")); got != "50" {
		t.Errorf("%s rows in the table", got)
	}
}

// A snapshot is of the collection, whatever tier it is in, with what was written since
// it went there; it comes back with its indexes, and is searched.
func TestSnapshotsInEveryTier(t *testing.T) {
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "")
	c := p.connect(t)
	makeItems(t, c, 400)
	for _, tier := range []string{"hot", "warm", "cold"} {
		run(t, c, "ALTER COLLECTION items SET TIER "+tier+" WAIT")
		run(t, c, "UPDATE items SET title = 'changed in "+tier+"' WHERE id = 7")
		run(t, c, "DELETE FROM items WHERE id = (SELECT max(id) FROM items WHERE id < 300)")
		run(t, c, "INSERT INTO items (title, embedding) VALUES ('written in "+tier+"', '[9,9,9,9,9,9,9,9]')")
		want := show(query(t, c, everything))
		run(t, c, "CREATE SNAPSHOT in_"+tier+" OF items")
		run(t, c, "RESTORE SNAPSHOT in_"+tier+" AS copy")
		if got := show(query(t, c, "SELECT * FROM copy ORDER BY id")); got != want {
			t.Errorf("%s: the copy has other rows", tier)
		}
		if got := show(query(t, c, "SELECT title FROM copy ORDER BY embedding <-> '[9,9,9,9,9,9,9,9]' LIMIT 1")); !strings.HasPrefix(got, "written in") {
			t.Errorf("%s: nearest in the copy: %s", tier, got)
		}
		run(t, c, "DROP TABLE copy")
		if got := show(query(t, c, everything)); got != want {
			t.Errorf("%s: the collection has changed", tier)
		}
	}
	run(t, c, "RESTORE SNAPSHOT in_hot") // over a cold collection
	if got := show(query(t, c, "SELECT title FROM items WHERE id = 7")); got != "changed in hot" {
		t.Errorf("after a restore in place: %s", got)
	}
	for _, tier := range []string{"warm", "cold"} {
		run(t, c, "DROP SNAPSHOT in_"+tier)
	}
	run(t, c, "RESTORE SNAPSHOT in_hot AS copy")
	p.stop(t)
	checkDir(t, p.dir)
}

// What a dropped collection has in the bucket goes; its snapshots, and what they
// name, stay until they are dropped.
func TestADroppedCollectionLeavesTheBucket(t *testing.T) {
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "")
	c := p.connect(t)
	s := bucket(t, m, "akidb", "")
	emptied := func(what string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; {
			if n, _ := objectsIn(t, s); n == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: objects are left", what)
			}
			query(t, c, "SELECT akidb.run_tiering_cycle()")
		}
	}
	makeItems(t, c, 100)
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	if n, _ := objectsIn(t, s); n == 0 {
		t.Fatal("nothing is in the bucket")
	}
	run(t, c, "DROP TABLE items")
	emptied("dropped")
	makeItems(t, c, 100)
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	want := show(query(t, c, everything))
	run(t, c, "CREATE SNAPSHOT kept OF items")
	run(t, c, "DROP TABLE items")
	query(t, c, "SELECT akidb.run_tiering_cycle()")
	run(t, c, "RESTORE SNAPSHOT kept")
	if got := show(query(t, c, everything)); got != want {
		t.Error("the snapshot did not survive its table")
	}
	run(t, c, "DROP SNAPSHOT kept")
}

func TestCheckLooksIntoTheBucket(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	makeItems(t, c, 200)
	run(t, c, "CREATE SNAPSHOT a OF items")
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	p.stop(t)
	bin, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	check := func(want string, flags ...string) {
		t.Helper()
		out, err := exec.Command(bin, append([]string{"check", dir}, flags...)...).CombinedOutput()
		if !strings.Contains(string(out), want) || (err == nil) != (want == "objects") {
			t.Errorf("check %v: %v, without %q:\n%s", flags, err, want, out)
		}
	}
	check("objects")
	check("objects", "--deep")
	files, err := filepath.Glob(filepath.Join(dir, "cold", "collections", "*", "segments", "*.parquet"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte{}, data...)
	damaged[200] ^= 1
	for _, tc := range []struct {
		data []byte
		want string
		flag []string
	}{{damaged, "is damaged", []string{"--deep"}}, {data[:100], "has 100 bytes instead of", nil}} {
		if err := os.WriteFile(files[0], tc.data, 0o600); err != nil {
			t.Fatal(err)
		}
		check(tc.want, tc.flag...)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	check("is missing")
}
