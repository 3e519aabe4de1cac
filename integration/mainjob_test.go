package integration

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/internal/dataset"
)

// vectorText prints a vector as SQL takes it.
func vectorText(v []float32) string {
	b := []byte{'['}
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return string(append(b, ']'))
}

// loadWords makes the table words with the 5,000 words of the sample.
func loadWords(t testing.TB, c *pgx.Conn) *dataset.Set {
	t.Helper()
	set := dataset.Sample()
	run(t, c, fmt.Sprintf("CREATE TABLE words (id bigint PRIMARY KEY, word text NOT NULL, length int, embedding vector(%d))", set.Dim))
	data := []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for i := range set.Rows() {
		data = binary.BigEndian.AppendUint16(data, 4)
		data = binary.BigEndian.AppendUint32(data, 8)
		data = binary.BigEndian.AppendUint64(data, uint64(i))
		data = binary.BigEndian.AppendUint32(data, uint32(len(set.Words[i])))
		data = append(data, set.Words[i]...)
		data = binary.BigEndian.AppendUint32(data, 4)
		data = binary.BigEndian.AppendUint32(data, uint32(len(set.Words[i])))
		data = binary.BigEndian.AppendUint32(data, uint32(4+4*set.Dim))
		data = binary.BigEndian.AppendUint16(data, uint16(set.Dim))
		data = binary.BigEndian.AppendUint16(data, 0)
		for _, x := range set.Base(i) {
			data = binary.BigEndian.AppendUint32(data, math.Float32bits(x))
		}
	}
	data = append(data, 0xff, 0xff)
	tag, err := c.PgConn().CopyFrom(context.Background(), strings.NewReader(string(data)), "COPY words FROM STDIN (FORMAT binary)")
	if err != nil || tag.RowsAffected() != int64(set.Rows()) {
		t.Fatalf("COPY: %v %v", tag, err)
	}
	return set
}

// ids runs a search and returns the ids found.
func ids(t testing.TB, c *pgx.Conn, sql string, args ...any) []int64 {
	t.Helper()
	rows, err := c.Query(context.Background(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func recallOf(found []int64, exact []int32, k int) float64 {
	exact = exact[:min(k, len(exact))]
	hits := 0
	for _, id := range exact {
		if slices.Contains(found, int64(id)) {
			hits++
		}
	}
	if len(exact) == 0 {
		return 1
	}
	return float64(hits) / float64(len(exact))
}

func TestTheMainJobOnRealWords(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	set := loadWords(t, c)
	run(t, c, "CREATE INDEX words_embedding ON words USING hnsw (embedding vector_cosine_ops)")
	plan := query(t, c, "EXPLAIN SELECT id FROM words ORDER BY embedding <=> '"+vectorText(set.Queries[0])+"' LIMIT 10")
	if text := fmt.Sprint(plan); !strings.Contains(text, "words_embedding") {
		t.Fatalf("the plan does not use the index:\n%s", text)
	}
	check := func(t *testing.T, c *pgx.Conn) {
		for _, f := range []struct {
			where string
			keep  func(int) bool
		}{
			{"", nil},
			{"WHERE length <= 6", func(i int) bool { return len(set.Words[i]) <= 6 }},
			{"WHERE length = 2", func(i int) bool { return len(set.Words[i]) == 2 }},
			{"WHERE id = 17", func(i int) bool { return i == 17 }},
			{"WHERE length > 1000", func(int) bool { return false }},
		} {
			truth := dataset.Exact(set, set.Queries, f.keep, 10)
			sum := 0.0
			for q, v := range set.Queries {
				found := ids(t, c, "SELECT id FROM words "+f.where+" ORDER BY embedding <=> $1 LIMIT 10", vectorText(v))
				if len(found) != len(truth[q]) {
					t.Fatalf("%s: %d rows, %d match", f.where, len(found), len(truth[q]))
				}
				sum += recallOf(found, truth[q], 10)
			}
			if r := sum / float64(len(set.Queries)); r < 0.95 {
				t.Errorf("%q: recall %.3f", f.where, r)
			}
		}
	}
	check(t, c)
	// Without LIMIT the answer is complete and in exact order.
	all := ids(t, c, "SELECT id FROM words ORDER BY embedding <=> $1", vectorText(set.Queries[0]))
	if len(all) != set.Rows() || int32(all[0]) != set.Truth[0][0] {
		t.Errorf("without LIMIT: %d rows, first %d, want %d", len(all), all[0], set.Truth[0][0])
	}
	p.kill()
	p = launch(t, dir)
	check(t, p.connect(t))
	p.stop(t)
	checkDir(t, dir)
}

func TestASearchSeesItsOwnTransactionOnly(t *testing.T) {
	p := launch(t, t.TempDir())
	a, b := p.connect(t), p.connect(t)
	run(t, a, "CREATE TABLE t (id int PRIMARY KEY, v vector(2))")
	run(t, a, "CREATE INDEX ON t USING hnsw (v vector_l2_ops)")
	run(t, a, "INSERT INTO t SELECT g, ARRAY[g, g]::real[]::vector FROM generate_series(1, 100) g")
	nearest := func(c *pgx.Conn) []int64 { return ids(t, c, "SELECT id FROM t ORDER BY v <-> '[0,0]' LIMIT 3") }
	want := func(c *pgx.Conn, when string, ids ...int64) {
		t.Helper()
		if got := nearest(c); !slices.Equal(got, ids) {
			t.Errorf("%s: %v, want %v", when, got, ids)
		}
	}
	want(a, "at first", 1, 2, 3)
	run(t, a, "BEGIN")
	run(t, a, "INSERT INTO t VALUES (0, '[0,0]')")
	run(t, a, "DELETE FROM t WHERE id = 1")
	run(t, a, "UPDATE t SET v = '[0.5,0.5]' WHERE id = 50")
	want(a, "inside", 0, 50, 2)
	want(b, "outside", 1, 2, 3)
	run(t, a, "SAVEPOINT s")
	run(t, a, "DELETE FROM t WHERE id = 0")
	want(a, "after a savepoint", 50, 2, 3)
	run(t, a, "ROLLBACK TO s")
	want(a, "rolled back to the savepoint", 0, 50, 2)
	run(t, b, "BEGIN ISOLATION LEVEL REPEATABLE READ")
	want(b, "repeatable read, before", 1, 2, 3)
	run(t, a, "COMMIT")
	want(b, "repeatable read, after", 1, 2, 3)
	run(t, b, "COMMIT")
	want(b, "after the commit", 0, 50, 2)
	run(t, a, "BEGIN")
	run(t, a, "TRUNCATE t")
	if got := nearest(a); len(got) != 0 {
		t.Errorf("after TRUNCATE: %v", got)
	}
	run(t, a, "ROLLBACK")
	want(a, "TRUNCATE rolled back", 0, 50, 2)
}

func TestSearchesStayRightWhileRowsChange(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE t (id int PRIMARY KEY, kind int, v vector(8))")
	run(t, c, "CREATE INDEX ON t USING hnsw (v vector_cosine_ops)")
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	var writers sync.WaitGroup
	for w := range 3 {
		c := p.connect(t)
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := w*1_000_000 + i
				vector := vectorOf8(id)
				if _, err := c.Exec(context.Background(), "INSERT INTO t VALUES ($1, $2, $3)", id, i%10, vector); err != nil {
					t.Errorf("insert: %v", err)
					return
				}
				if i%3 == 0 {
					if _, err := c.Exec(context.Background(), "DELETE FROM t WHERE id = $1", id); err != nil {
						t.Errorf("delete: %v", err)
						return
					}
				}
			}
		})
	}
	for ctx.Err() == nil {
		var n, distinct int
		sql := "SELECT count(*), count(DISTINCT id) FROM (SELECT id, v FROM t WHERE kind = 3 ORDER BY v <=> $1 LIMIT 10) s"
		if err := c.QueryRow(context.Background(), sql, vectorOf8(7)).Scan(&n, &distinct); err != nil || n != distinct {
			t.Fatalf("%d rows, %d of them distinct, %v", n, distinct, err)
		}
	}
	writers.Wait()
	exact := query(t, c, "SELECT count(*) FROM t WHERE kind = 3")[0][0]
	indexed := query(t, c, "SELECT count(*) FROM (SELECT id FROM t WHERE kind = 3 ORDER BY v <=> '[1,2,3,4,5,6,7,8]') s")[0][0]
	if exact != indexed {
		t.Errorf("%s rows by the table, %s by the index", exact, indexed)
	}
}

func vectorOf8(id int) string {
	v := make([]float32, 8)
	for i := range v {
		v[i] = float32((id*(i+3)*2654435761)%1000)/1000 + 0.001
	}
	return vectorText(v)
}
