package integration

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

const (
	largeRows = 100_000
	largeDims = 64
)

// fillLarge loads a collection whose segments are more than one part of an upload.
func fillLarge(t *testing.T, c *pgx.Conn) {
	t.Helper()
	run(t, c, fmt.Sprintf("CREATE TABLE large (id int PRIMARY KEY, word text, embedding vector(%d))", largeDims))
	r, w := io.Pipe()
	go func() {
		var b []byte
		for id := range largeRows {
			b = append(strconv.AppendInt(b[:0], int64(id), 10), "\tword "...)
			b = append(strconv.AppendInt(b, int64(id%977), 10), "\t["...)
			for k := range largeDims {
				if k > 0 {
					b = append(b, ',')
				}
				b = strconv.AppendFloat(b, math.Sin(float64(id)*0.37+float64(k*k)*1.3), 'f', 5, 32)
			}
			if _, err := w.Write(append(b, "]\n"...)); err != nil {
				return // the reader says why
			}
		}
		_ = w.Close() // never fails
	}()
	if _, err := c.PgConn().CopyFrom(t.Context(), r, "COPY large FROM STDIN"); err != nil {
		t.Fatal(err)
	}
}

const largeSum = "SELECT count(*), sum(id), md5(string_agg(md5(word || embedding::text), '' ORDER BY id)) FROM "

func TestUploadLargeSnapshot(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 rows")
	}
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "large")
	c := p.connect(t)
	fillLarge(t, c)
	run(t, c, "CREATE SNAPSHOT first OF large")
	store := bucket(t, m, "akidb", "large")
	n, bytes := objectsIn(t, store)
	if least := int64(largeRows * largeDims * 4); bytes < least || bytes > 2*least {
		t.Errorf("%d objects with %d bytes for %d of vectors", n, bytes, least)
	}
	if got := show(query(t, c, "SELECT name, rows FROM akidb.snapshots")); got != fmt.Sprintf("first|%d", largeRows) {
		t.Errorf("snapshots: %s", got)
	}
	run(t, c, "CREATE SNAPSHOT second OF large") // nothing has changed
	if n2, bytes2 := objectsIn(t, store); n2 != n || bytes2 != bytes {
		t.Errorf("a snapshot of the unchanged collection uploaded %d objects, %d bytes", n2-n, bytes2-bytes)
	}
}

func TestDownloadAndRestore(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 rows")
	}
	m := newBucket(t)
	p := inBucket(t, m, t.TempDir(), "akidb", "large")
	c := p.connect(t)
	fillLarge(t, c)
	want := show(query(t, c, largeSum+"large"))
	run(t, c, "CREATE SNAPSHOT kept OF large")
	p.stop(t)
	q := inBucket(t, m, t.TempDir(), "akidb", "large") // another server, with nothing but the bucket
	c = q.connect(t)
	run(t, c, "RESTORE SNAPSHOT kept AS back")
	if got := show(query(t, c, largeSum+"back")); got != want {
		t.Errorf("restored %s, want %s", got, want)
	}
	q.stop(t)
	checkDir(t, q.dir)
}

func TestCrashDuringSnapshotUpload(t *testing.T) {
	for _, place := range []string{"coldstore.segment-written", "coldstore.snapshot-sealed", "coldstore.snapshot-written"} {
		t.Run(place, func(t *testing.T) {
			m := newBucket(t)
			dir := t.TempDir()
			file := filepath.Join(t.TempDir(), "akidb.toml")
			text := fmt.Sprintf("[cold_store]\nurl = \"s3://akidb/crash\"\nendpoint = %q\naccess_key = %q\nsecret_key = %q\ngarbage_grace = \"1s\"\n",
				m.Endpoint, miniotest.AccessKey, miniotest.SecretKey)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := launch(t, dir, "--config", file)
			c := p.connect(t)
			fillItems(t, c, "items", 1000)
			want := fingerprint(t, c, "items")
			run(t, c, "CREATE SNAPSHOT old OF items")
			addItems(t, c, "items", 1001, 1001)
			run(t, c, "DELETE FROM items WHERE id = 1001")
			p.stop(t)
			store := bucket(t, m, "akidb", "crash")
			before, _ := objectsIn(t, store)
			crashIn(t, dir, place, "CREATE SNAPSHOT fresh OF items", "--config", file)
			q := launch(t, dir, "--config", file)
			c = q.connect(t)
			same(t, c, want, "after the crash")
			names := "old"
			if place == "coldstore.snapshot-written" {
				names = "fresh; old" // all of it was there
			}
			if got := show(query(t, c, "SELECT name FROM akidb.snapshots ORDER BY name")); got != names {
				t.Errorf("snapshots %q, want %q", got, names)
			}
			if names == "old" {
				until(t, "swept, what the crash left in the bucket", func() bool {
					query(t, c, "SELECT akidb.run_tiering_cycle()")
					n, _ := objectsIn(t, store)
					return n == before
				})
				run(t, c, "CREATE SNAPSHOT fresh OF items")
			}
			for _, name := range []string{"old", "fresh"} {
				run(t, c, "RESTORE SNAPSHOT "+name+" AS back_"+name)
				if got := fingerprint(t, c, "back_"+name); got != want {
					t.Errorf("snapshot %s:\n%s\nwant\n%s", name, got, want)
				}
			}
			q.stop(t)
			checkBucket(t, q)
		})
	}
}
