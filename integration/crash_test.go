package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// crashRuns is how often the server is killed; make test-crash sets more.
func crashRuns(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("AKIDB_CRASH_RUNS")); err == nil {
		return n
	}
	if testing.Short() {
		return 2
	}
	return 12
}

// ledger is what a client knows of its own rows: acknowledged ones must be
// there after a crash; those of a commit without an answer may be, all or none.
type ledger struct {
	client   int
	version  map[int64]int64 // by id: the acknowledged version; 0 is deleted
	doubtful map[int64]int64 // of the commit under way
	next     int64
}

// vectorOf is the vector that row id at a version has.
func vectorOf(id, version int64) string {
	rng := rand.New(rand.NewPCG(uint64(id), uint64(version)))
	parts := make([]string, crashDims)
	for i := range parts {
		parts[i] = strconv.FormatFloat(float64(rng.Float32())-0.5, 'g', 6, 32)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

const (
	crashDims    = 16
	crashClients = 4
)

func TestKillLosesNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	run(t, c, fmt.Sprintf("CREATE TABLE items (id bigint PRIMARY KEY, client int, version bigint NOT NULL, embedding vector(%d))", crashDims))
	run(t, c, "CREATE INDEX ON items (client)")
	run(t, c, "CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)")
	ledgers := make([]*ledger, crashClients)
	for i := range ledgers {
		ledgers[i] = &ledger{client: i, version: map[int64]int64{}, next: int64(i+1) * 1_000_000}
	}
	for n := range crashRuns(t) {
		var working sync.WaitGroup
		for i, l := range ledgers {
			working.Go(func() { l.work(p.url(), rand.New(rand.NewPCG(seed, uint64(n*crashClients+i+1)))) })
		}
		time.Sleep(time.Duration(50+rng.IntN(400)) * time.Millisecond) // the moment of the crash is random
		p.kill()
		working.Wait()
		if n%4 == 0 {
			checkDir(t, dir)
		}
		p = launch(t, dir)
		c := p.connect(t)
		for _, l := range ledgers {
			l.compare(t, c)
		}
		if t.Failed() {
			return
		}
		_ = c.Close(context.Background())
	}
	p.stop(t)
	checkDir(t, dir)
}

// work makes transactions until the server goes.
func (l *ledger) work(url string, rng *rand.Rand) {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer func() { _ = c.Close(ctx) }()
	for {
		l.doubtful = map[int64]int64{}
		var err error
		switch rng.IntN(8) {
		case 0:
			err = l.copy(ctx, c, rng)
		default:
			err = l.transaction(ctx, c, rng)
		}
		if err != nil {
			return
		}
		for id, v := range l.doubtful {
			l.version[id] = v
		}
		l.doubtful = nil
	}
}

// transaction inserts, updates and deletes a few rows, and sometimes rolls back.
func (l *ledger) transaction(ctx context.Context, c *pgx.Conn, rng *rand.Rand) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	changes := map[int64]int64{}
	for range 1 + rng.IntN(5) {
		id, old := l.pick(rng)
		var err error
		switch {
		case old == 0 || rng.IntN(3) == 0:
			id = l.next
			l.next++
			changes[id] = 1
			_, err = tx.Exec(ctx, "INSERT INTO items VALUES ($1, $2, 1, $3)", id, l.client, vectorOf(id, 1))
		case changes[id] != 0:
			continue
		case rng.IntN(2) == 0:
			changes[id] = old + 1
			_, err = tx.Exec(ctx, "UPDATE items SET version = $2, embedding = $3 WHERE id = $1", id, old+1, vectorOf(id, old+1))
		default:
			changes[id] = -1
			_, err = tx.Exec(ctx, "DELETE FROM items WHERE id = $1", id)
		}
		if err != nil {
			return err
		}
	}
	if rng.IntN(5) == 0 {
		return tx.Rollback(ctx)
	}
	l.doubt(changes)
	return tx.Commit(ctx)
}

// copy loads rows with COPY.
func (l *ledger) copy(ctx context.Context, c *pgx.Conn, rng *rand.Rand) error {
	changes := map[int64]int64{}
	var b strings.Builder
	for range 200 + rng.IntN(800) {
		id := l.next
		l.next++
		changes[id] = 1
		fmt.Fprintf(&b, "%d\t%d\t1\t%s\n", id, l.client, vectorOf(id, 1))
	}
	l.doubt(changes)
	_, err := c.PgConn().CopyFrom(ctx, strings.NewReader(b.String()), "COPY items FROM STDIN")
	return err
}

func (l *ledger) doubt(changes map[int64]int64) {
	for id, v := range changes {
		l.doubtful[id] = max(v, 0)
	}
}

// pick returns one of the rows that exist, 0 when there is none.
func (l *ledger) pick(rng *rand.Rand) (id, version int64) {
	skip := rng.IntN(10)
	for id, v := range l.version {
		if v > 0 {
			if skip == 0 {
				return id, v
			}
			skip--
		}
	}
	return 0, 0
}

// compare reads the client's rows by the table, the btree index and the vector
// index, and settles the commit that had no answer.
func (l *ledger) compare(t *testing.T, c *pgx.Conn) {
	t.Helper()
	found := map[int64]int64{}
	rows, err := c.Query(context.Background(), "SELECT id, version, embedding::text FROM items WHERE client = $1", l.client)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var id, version int64
		var vector string
		if err := rows.Scan(&id, &version, &vector); err != nil {
			t.Fatal(err)
		}
		found[id] = version
		if !sameVector(vector, vectorOf(id, version)) {
			t.Errorf("row %d at version %d has another vector", id, version)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	applied, missing := 0, 0
	for id, v := range l.doubtful {
		if found[id] == v {
			applied++
		} else {
			missing++
		}
	}
	if applied > 0 && missing > 0 {
		t.Errorf("client %d: a commit without an answer is there by half: %d changes of %d", l.client, applied, applied+missing)
	}
	if applied > 0 {
		for id, v := range l.doubtful {
			l.version[id] = v
		}
	}
	l.doubtful = nil
	for id, v := range l.version {
		if found[id] != v {
			t.Errorf("client %d: row %d has version %d, %d was acknowledged", l.client, id, found[id], v)
		}
	}
	for id, v := range found {
		if l.version[id] != v {
			t.Errorf("client %d: row %d at version %d was never acknowledged", l.client, id, v)
		}
	}
	l.searchOne(t, c)
}

// searchOne looks one row up by its vector.
func (l *ledger) searchOne(t *testing.T, c *pgx.Conn) {
	t.Helper()
	for id, v := range l.version {
		if v == 0 {
			continue
		}
		var got int64
		if err := c.QueryRow(context.Background(), "SELECT id FROM items ORDER BY embedding <-> $1 LIMIT 1", vectorOf(id, v)).Scan(&got); err != nil || got != id {
			t.Errorf("the nearest row to row %d's vector is %d, %v", id, got, err)
		}
		return
	}
}

func sameVector(a, b string) bool {
	as, bs := strings.Split(strings.Trim(a, "[]"), ","), strings.Split(strings.Trim(b, "[]"), ",")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		x, err1 := strconv.ParseFloat(as[i], 32)
		y, err2 := strconv.ParseFloat(bs[i], 32)
		if err1 != nil || err2 != nil || float32(x) != float32(y) {
			return false
		}
	}
	return true
}
