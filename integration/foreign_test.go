package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestCopyKeepsForeignKeys(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE parents (id int PRIMARY KEY)")
	run(t, c, "CREATE TABLE children (id int, parent int REFERENCES parents, v vector(3))")
	run(t, c, "INSERT INTO parents SELECT generate_series(1, 100)")
	rows := func(last int) *strings.Reader {
		var b strings.Builder
		for i := 1; i <= 5000; i++ {
			fmt.Fprintf(&b, "%d\t%d\t[1,2,3]\n", i, 1+i%100)
		}
		fmt.Fprintf(&b, "0\t%d\t\\N\n", last)
		return strings.NewReader(b.String())
	}
	_, err := c.PgConn().CopyFrom(t.Context(), rows(101), "COPY children FROM STDIN")
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "23503" || e.Detail != `Key (parent)=(101) is not present in table "parents".` {
		t.Fatalf("COPY of an orphan: %v", err)
	}
	if got := query(t, c, "SELECT count(*) FROM children")[0][0]; got != "0" {
		t.Fatalf("%s rows after a COPY that failed", got)
	}
	if _, err := c.PgConn().CopyFrom(t.Context(), rows(100), "COPY children FROM STDIN"); err != nil {
		t.Fatal(err)
	}
	p.stop(t)
	checkDir(t, p.dir)
}

// Parents are deleted while children are written: whatever the order, at the end
// every child has a parent, and nothing but what may happen has happened.
func TestForeignKeysHoldBetweenTransactions(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE parents (id int PRIMARY KEY, n int)")
	run(t, c, "CREATE TABLE kept (parent int NOT NULL REFERENCES parents)")
	run(t, c, "CREATE TABLE gone (parent int NOT NULL REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE, v vector(3))")
	run(t, c, "CREATE TABLE late (parent int NOT NULL REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
	run(t, c, "CREATE INDEX ON gone (parent)")
	run(t, c, "CREATE INDEX ON gone USING hnsw (v vector_l2_ops)")
	statements := []string{
		"INSERT INTO parents VALUES (%d) ON CONFLICT DO NOTHING", "DELETE FROM parents WHERE id = %d", "INSERT INTO kept VALUES (%d)", "DELETE FROM kept WHERE parent = %d",
		"INSERT INTO gone VALUES (%d, '[1,2,3]')", "INSERT INTO late VALUES (%d)", "DELETE FROM late WHERE parent = %d", "UPDATE parents SET id = id + 1 WHERE id = %d",
		"UPDATE parents SET n = 1 WHERE id = %d", "BEGIN; INSERT INTO late VALUES (%d); INSERT INTO parents VALUES (%[1]d); COMMIT",
		"BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO gone VALUES (%d, '[3,2,1]'); DELETE FROM parents WHERE id = %[1]d; COMMIT",
	}
	seed := uint64(randomSetting("RANDOM_SEED", int(time.Now().UnixNano())))
	t.Logf("seed %d", seed)
	until := time.Now().Add(3 * time.Second)
	var working sync.WaitGroup
	for i := range 8 {
		working.Go(func() { hammer(t, p, statements, rand.New(rand.NewPCG(seed, uint64(i))), until) })
	}
	working.Wait()
	for _, child := range []string{"kept", "gone", "late"} {
		got := query(t, c, "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM parents WHERE id = parent)) FROM "+child)[0]
		if got[1] != "0" {
			t.Errorf("%s of %s rows of %s have no parent", got[1], got[0], child)
		}
	}
	p.stop(t)
	checkDir(t, p.dir)
}

func hammer(t *testing.T, p *process, statements []string, rng *rand.Rand, until time.Time) {
	c, err := pgx.Connect(context.Background(), p.url())
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close(context.Background()) }() // the server's side is what is looked at
	for time.Now().Before(until) {
		sql := fmt.Sprintf(statements[rng.IntN(len(statements))], rng.IntN(12))
		_, err := c.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
		var e *pgconn.PgError
		if errors.As(err, &e) && strings.Contains(" 23503 23505 40001 40P01 ", " "+e.Code+" ") {
			if c.PgConn().TxStatus() != 'I' {
				_, err = c.Exec(context.Background(), "ROLLBACK")
			} else {
				err = nil
			}
		}
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			return
		}
	}
}
