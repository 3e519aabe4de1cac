package integration

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/lib/pq" // the driver under test
)

func TestPSQLShowsWhatThereIs(t *testing.T) {
	p := launch(t, t.TempDir())
	out := p.psql(t, `
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE items (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT 'x', embedding vector(3));
CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops);
CREATE VIEW names AS SELECT id, name FROM items;
COPY items (name, embedding) FROM STDIN;
a	[1,2,3]
b	[4,5,6]
\.
\dt
\d items
\di
\dv
\l
\dn
\du
\dx
\df l2_distance
\timing on
SELECT name FROM items ORDER BY embedding <=> '[1,2,2]' LIMIT 1;
\copy items to stdout csv
SELECT * FROM nothing;
\echo done
`)
	for _, want := range []string{
		"CREATE EXTENSION", "CREATE TABLE", "CREATE INDEX", "COPY 2",
		"public | items | table | postgres", `Table "public.items"`, "vector(3)", "nextval('items_id_seq'::regclass)", `"items_pkey" PRIMARY KEY, btree (id)`,
		`"items_embedding_idx" hnsw (embedding vector_cosine_ops)`, "public | names | view", "postgres", "vector", "double precision",
		"Time:", `1,a,"[1,2,3]"`, `ERROR:  relation "nothing" does not exist`, "LINE 1: SELECT * FROM nothing;", "done",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("psql does not show %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestLibPQWorks(t *testing.T) {
	p := launch(t, t.TempDir())
	db, err := sql.Open("postgres", p.url())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range []string{"CREATE TABLE t (id int PRIMARY KEY, name text, embedding vector(2))", "CREATE INDEX ON t USING hnsw (embedding vector_l2_ops)"} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []string{"[1,1]", "[2,2]", "[3,3]"} {
		if _, err := tx.Exec("INSERT INTO t VALUES ($1, $2, $3)", i, "n", v); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	stmt, err := db.Prepare("SELECT id, name, embedding FROM t ORDER BY embedding <-> $1 LIMIT $2")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stmt.Close() }()
	for range 3 {
		var id int
		var name, v string
		if err := stmt.QueryRow("[2.9,2.9]", 1).Scan(&id, &name, &v); err != nil || id != 2 || v != "[3,3]" {
			t.Errorf("%d %s %v", id, v, err)
		}
	}
}

func TestPGXPipelinesBatchesAndCopies(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	ctx := context.Background()
	run(t, c, "CREATE TABLE t (id int PRIMARY KEY, name text, ratio float8, at timestamptz, tags text[], data jsonb)")
	batch := &pgx.Batch{}
	for i := range 100 {
		batch.Queue("INSERT INTO t (id, name) VALUES ($1, $2)", i, "n")
	}
	batch.Queue("SELECT count(*) FROM t")
	results := c.SendBatch(ctx, batch)
	for range 100 {
		if _, err := results.Exec(); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := results.QueryRow().Scan(&n); err != nil || n != 100 {
		t.Errorf("%d rows, %v", n, err)
	}
	if err := results.Close(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)
	rows := [][]any{{1000, "x", 1.5, at, []string{"a", "b"}, map[string]any{"k": 1}}, {1001, nil, nil, nil, nil, nil}}
	if got, err := c.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id", "name", "ratio", "at", "tags", "data"}, pgx.CopyFromRows(rows)); err != nil || got != 2 {
		t.Fatalf("CopyFrom: %d, %v", got, err)
	}
	var name string
	var ratio float64
	var when time.Time
	var tags []string
	var data map[string]int
	if err := c.QueryRow(ctx, "SELECT name, ratio, at, tags, data FROM t WHERE id = $1", 1000).Scan(&name, &ratio, &when, &tags, &data); err != nil {
		t.Fatal(err)
	}
	if name != "x" || ratio != 1.5 || !when.Equal(at) || len(tags) != 2 || data["k"] != 1 {
		t.Errorf("%s %v %v %v %v", name, ratio, when, tags, data)
	}
}

func TestCancelTimeoutsAndNotifications(t *testing.T) {
	p := launch(t, t.TempDir())
	a, b := p.connect(t), p.connect(t)
	wantCode := func(err error, code string) {
		t.Helper()
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%v, want SQLSTATE %s", err, code)
		}
	}
	run(t, a, "SET statement_timeout = '50ms'")
	_, err := a.Exec(t.Context(), "SELECT pg_sleep(10)")
	wantCode(err, "57014")
	_, err = a.Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 100000000000) g")
	wantCode(err, "57014")
	run(t, a, "RESET statement_timeout")

	run(t, a, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	run(t, a, "INSERT INTO t VALUES (1, 1), (2, 2)")
	run(t, a, "BEGIN")
	run(t, a, "UPDATE t SET n = 5 WHERE id = 1")
	run(t, b, "SET lock_timeout = '50ms'")
	_, err = b.Exec(t.Context(), "UPDATE t SET n = 6 WHERE id = 1")
	wantCode(err, "55P03")
	_, err = b.Exec(t.Context(), "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT")
	wantCode(err, "55P03")
	if got := show(query(t, b, "SELECT id FROM t ORDER BY id FOR UPDATE SKIP LOCKED")); got != "2" {
		t.Errorf("SKIP LOCKED: %s", got)
	}
	run(t, a, "COMMIT")

	run(t, b, "LISTEN news")
	run(t, a, "NOTIFY news, 'hello'")
	n, err := b.WaitForNotification(t.Context())
	if err != nil || n.Channel != "news" || n.Payload != "hello" {
		t.Errorf("%v %v", n, err)
	}
}

func TestADeadlockEndsOneOfTheTwo(t *testing.T) {
	p := launch(t, t.TempDir())
	a, b := p.connect(t), p.connect(t)
	run(t, a, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	run(t, a, "INSERT INTO t VALUES (1, 1), (2, 2)")
	run(t, a, "BEGIN")
	run(t, b, "BEGIN")
	run(t, a, "UPDATE t SET n = 10 WHERE id = 1")
	run(t, b, "UPDATE t SET n = 20 WHERE id = 2")
	second := make(chan error, 1)
	go func() {
		_, err := a.Exec(context.Background(), "UPDATE t SET n = 10 WHERE id = 2")
		second <- err
	}()
	_, err1 := b.Exec(t.Context(), "UPDATE t SET n = 20 WHERE id = 1")
	if err1 != nil {
		run(t, b, "ROLLBACK")
	}
	err2 := <-second
	failed := 0
	for _, err := range []error{err1, err2} {
		var e *pgconn.PgError
		if errors.As(err, &e) && e.Code == "40P01" {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%v, %v", err1, err2)
	}
}

func TestCursorsAndSuspendedPortalsKeepTheirRows(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE t (id int)")
	run(t, c, "INSERT INTO t SELECT generate_series(1, 1000)")
	run(t, c, "BEGIN")
	run(t, c, "DECLARE x CURSOR FOR SELECT id FROM t ORDER BY id")
	if got := show(query(t, c, "FETCH 3 FROM x")); got != "1; 2; 3" {
		t.Errorf("%s", got)
	}
	run(t, c, "DELETE FROM t WHERE id > 5")
	if got := show(query(t, c, "FETCH 3 FROM x")); got != "4; 5; 6" {
		t.Errorf("after a delete: %s", got)
	}
	if got := len(query(t, c, "FETCH ALL FROM x")); got != 994 {
		t.Errorf("%d rows are left", got)
	}
	run(t, c, "CLOSE x")
	run(t, c, "ROLLBACK")
	run(t, c, "BEGIN")
	run(t, c, "DECLARE z CURSOR FOR SELECT id FROM t ORDER BY id")
	if tag, err := c.PgConn().Exec(t.Context(), "MOVE 3 IN z").ReadAll(); err != nil || tag[0].CommandTag.String() != "MOVE 3" {
		t.Errorf("MOVE answers %v, %v", tag, err)
	}
	if got := show(query(t, c, "FETCH 1 FROM z")); got != "4" {
		t.Errorf("after MOVE 3: %s", got)
	}
	run(t, c, "ROLLBACK")
	run(t, c, "BEGIN")
	run(t, c, "DECLARE y SCROLL CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY id LIMIT 5")
	run(t, c, "COMMIT")
	for _, tc := range []struct{ sql, want string }{
		{"FETCH LAST FROM y", "5"}, {"FETCH PRIOR FROM y", "4"}, {"FETCH FIRST FROM y", "1"}, {"FETCH ABSOLUTE 3 FROM y", "3"}, {"FETCH RELATIVE -1 FROM y", "2"}, {"FETCH 2 FROM y", "3; 4"},
	} {
		if got := show(query(t, c, tc.sql)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.sql, got, tc.want)
		}
	}
}
