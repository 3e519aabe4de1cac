package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

// akidb runs a command of the binary and returns what it prints, both streams, and its exit code.
func akidb(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	bin, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

const (
	v1Dir       = "testdata/v1"
	v1UUID      = "5f0c7a2e-3c1b-4d55-9a53-0d2f6a1b7c11"
	v1UUIDTable = "c_5f0c7a2e_3c1b_4d55_9a53_0d2f6a1b7c11"
)

func TestSnapshotsOfVersionOneBecomeTables(t *testing.T) {
	before := contents(t, v1Dir)
	p := launch(t, t.TempDir())
	out, code := akidb(t, nil, "migrate", "v1-to-v2", "--from", v1Dir, "--dsn", p.url(), "--dry-run")
	if code != 0 || !strings.Contains(out, "ok: 2 collections can be migrated") || !strings.Contains(out, v1UUID+": 40 rows of 8 dimensions") {
		t.Errorf("dry run: exit code %d\n%s", code, out)
	}
	c := p.connect(t)
	if got := show(query(t, c, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")); got != "0" {
		t.Errorf("a dry run made %s tables", got)
	}
	for range 2 { // a second time it only compares
		out, code = akidb(t, nil, "migrate", "v1-to-v2", "--from", v1Dir, "--dsn", p.url(), "--table", "articles=news")
		if code != 0 || !strings.Contains(out, "ok: 2 collections migrated and verified") {
			t.Fatalf("exit code %d\n%s", code, out)
		}
	}
	for sql, want := range map[string]string{
		"SELECT count(*), count(external_id), count(metadata) FROM " + v1UUIDTable:                                            "40|26|30",
		"SELECT DISTINCT metadata->>'title' FROM " + v1UUIDTable + " WHERE metadata ? 'title'":                                "a\tb\n\\c \"d\" é 日本 😀",
		"SELECT external_id, metadata, inserted_at FROM news ORDER BY 1 LIMIT 1":                                              `a0|{"kind": "news", "year": 2020}|2025-03-01 12:00:00.123457+00`,
		"SELECT indexdef FROM pg_indexes WHERE indexname = 'news_embedding_idx'":                                              "CREATE INDEX news_embedding_idx ON public.news USING hnsw (embedding vector_cosine_ops)",
		"SELECT a.external_id FROM news a ORDER BY embedding <=> (SELECT embedding FROM news WHERE external_id='a3') LIMIT 1": "a3",
		"SELECT table_name, rows_copied, verified_at IS NOT NULL FROM akidb_migration_v1 ORDER BY 2":                          "news|5|t; " + v1UUIDTable + "|40|t",
	} {
		if got := show(query(t, c, sql)); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
	run(t, c, "DELETE FROM news WHERE external_id = 'a1'")
	out, code = akidb(t, nil, "migrate", "v1-to-v2", "--from", v1Dir, "--dsn", p.url())
	if code != 3 || !strings.Contains(out, `problem: table "news" holds 4 rows`) {
		t.Errorf("with a row missing: exit code %d\n%s", code, out)
	}
	if after := contents(t, v1Dir); after != before {
		t.Error("the files of version 1 have changed")
	}
}

func TestADryRunFindsWhatCannotBeMigrated(t *testing.T) {
	good := `{"doc_id":"00000000-0000-4000-8000-000000000001","external_id":null,"vector":[1,2],"metadata":null,"inserted_at":"2025-01-01T00:00:00Z"}`
	for _, tc := range []struct{ name, meta, data, want string }{
		{"count", `"vector_count":2,"dimension":2`, "[" + good + "]", "holds 1 records, its meta.json says 2"},
		{"dimension", `"vector_count":1,"dimension":3`, "[" + good + "]", "the vector has 2 dimensions, not 3"},
		{"cut", `"vector_count":1,"dimension":2`, "[" + good, "cut short"},
		{"number", `"vector_count":1,"dimension":2`, "[" + strings.Replace(good, "[1,2]", "[1,1e39]", 1) + "]", "is no number of 32 bits"},
		{"nul", `"vector_count":1,"dimension":2`, "[" + strings.Replace(good, `"metadata":null`, `"metadata":{"a":"\u0000"}`, 1) + "]", "the character NUL"},
		{"compression", `"vector_count":1,"dimension":2,"compression":"lzma"`, "[]", "is none of none, gzip, snappy, zstd"},
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "s.json"), tc.data)
		writeFile(t, filepath.Join(dir, "s.meta.json"), `{"snapshot_id":"s","collection_id":"c","created_at":"2025-01-01T00:00:00Z",`+tc.meta+`}`)
		out, code := akidb(t, nil, "migrate", "v1-to-v2", "--from", dir, "--dry-run")
		if code != 3 || !strings.Contains(out, tc.want) {
			t.Errorf("%s: exit code %d\n%s", tc.name, code, out)
		}
	}
	if out, code := akidb(t, nil, "migrate", "v1-to-v2", "--from", t.TempDir(), "--dry-run"); code != 1 || !strings.Contains(out, "holds no snapshots") {
		t.Errorf("an empty folder: exit code %d\n%s", code, out)
	}
}

// The migration is killed again and again while it copies 100,000 vectors; each time it goes on, and at the end nothing is missing or double.
func TestAMigrationThatIsKilledGoesOnWhereItStopped(t *testing.T) {
	rows := 100_000
	if testing.Short() {
		rows = 20_000
	}
	dir := t.TempDir()
	writeV1(t, dir, "big", rows, 32)
	p := launch(t, t.TempDir())
	bin, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	c := p.connect(t)
	args := []string{"migrate", "v1-to-v2", "--from", dir, "--dsn", p.url(), "--batch-rows", "2000"}
	for kill := range 3 {
		cmd := exec.Command(bin, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint((kill + 1) * rows / 5)
		waitFor(t, "the copy has come on", func() bool {
			got, err := textRows(c, "SELECT coalesce(max(rows_copied), 0) >= "+want+" FROM akidb_migration_v1")
			return err == nil && show(got) == "t"
		})
		_ = cmd.Process.Kill() // it runs: its end is waited for
		_ = cmd.Wait()
	}
	waitFor(t, "the killed migration's session has ended", func() bool {
		return show(query(t, c, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'akidb migrate'")) == "0"
	})
	if got := show(query(t, c, "SELECT (SELECT count(*) FROM big) = rows_copied FROM akidb_migration_v1")); got != "t" {
		t.Errorf("after kills the rows and the note of them differ")
	}
	out, code := akidb(t, nil, args...)
	if code != 0 || !strings.Contains(out, "big: goes on after ") || !strings.Contains(out, fmt.Sprintf("big: %d rows in table \"big\" agree", rows)) {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

func TestSnapshotsOfVersionOneComeFromABucketToo(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	if err := m.MakeBucket("old"); err != nil {
		t.Fatal(err)
	}
	putDir(t, m, v1Dir, "old", "snapshots")
	p := launch(t, t.TempDir())
	env := []string{"AWS_ACCESS_KEY_ID=" + miniotest.AccessKey, "AWS_SECRET_ACCESS_KEY=" + miniotest.SecretKey}
	out, code := akidb(t, env, "migrate", "v1-to-v2", "--from", "s3://old/snapshots", "--s3-endpoint", m.Endpoint, "--dsn", p.url())
	if code != 0 || !strings.Contains(out, "ok: 2 collections migrated and verified") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// writeV1 writes a snapshot of version 1.
func writeV1(t *testing.T, dir, collection string, rows, dimension int) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "snap.json"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	w := bufio.NewWriter(f)
	size := 0
	for i := range rows {
		v := make([]float32, dimension)
		for j := range v {
			v[j] = random.Float32()*2 - 1
		}
		text, err := json.Marshal(map[string]any{
			"doc_id": uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)), "external_id": fmt.Sprint("doc-", i), "vector": v,
			"metadata": map[string]any{"n": i, "half": float64(i) / 2}, "inserted_at": time.Unix(int64(1700000000+i), int64(i)*1001).UTC(),
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.WriteString(map[bool]string{true: "[", false: ","}[i == 0] + string(text))
		if err != nil {
			t.Fatal(err)
		}
		size += n
	}
	_, err = w.WriteString("]")
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "snap.meta.json"), fmt.Sprintf(`{"snapshot_id":"snap","collection_id":%q,"vector_count":%d,"dimension":%d,
		"created_at":"2025-01-01T00:00:00Z","size_bytes":%d,"compression":"none"}`, collection, rows, dimension, size+1))
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents is everything in a folder, with the names.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var out bytes.Buffer
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n%s\n", f, text)
	}
	return out.String()
}

// waitFor waits for a condition, for a minute at most.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !condition(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
