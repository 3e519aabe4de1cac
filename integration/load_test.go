package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// loadSpan is how long the load lasts: AKIDB_LONG_TESTS takes three minutes, LOAD_SECONDS what it says.
func loadSpan(t *testing.T) time.Duration {
	span := 10
	switch {
	case testing.Short():
		span = 3
	case os.Getenv("AKIDB_LONG_TESTS") != "":
		span = 180
	}
	return time.Duration(randomSetting("LOAD_SECONDS", span)) * time.Second
}

const (
	loadWriters = 60 // with the four that change the schema: 64 connections
	loadChanges = 4
	loadRows    = 150 // that each writer keeps
)

// TestManyConnectionsOfAllKindsAgreeWithTheirAcknowledgements gives 64 connections
// all kinds of work while the schema changes under them. Each writer knows what it
// was told of its own rows; at any time it reads just these, whichever way, and
// at the end the table, its indexes and the offline check agree.
func TestManyConnectionsOfAllKindsAgreeWithTheirAcknowledgements(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	t.Setenv("AKIDB_HTTP_PROFILE", "true")
	p := launch(t, dir, "--http-listen", address)
	l := newLoad(t, p)
	goroutines := metric(t, address, "go_goroutines")
	l.run(t, loadSpan(t)/2)
	heap := l.heap(t, address)
	l.run(t, loadSpan(t)/2)
	l.compare(t)
	until(t, "the goroutines of the sessions end", func() bool {
		return metric(t, address, "go_goroutines") <= goroutines+8 // workers of the index
	})
	if after := l.heap(t, address); after > heap*1.3+48<<20 {
		t.Errorf("the heap grew from %.0f to %.0f MB in the second half of the load", heap/(1<<20), after/(1<<20))
	}
	t.Logf("%d steps, codes %v", l.steps.Load(), l.codes)
	p.stop(t)
	checkDir(t, dir)
}

// load is the work of all connections.
type load struct {
	p        *process
	seed     uint64
	writers  []*loadWriter
	changers []*schemaChanger
	counted  atomic.Int64 // acknowledged additions to the shared counters
	steps    atomic.Int64
	mu       sync.Mutex // guards codes and over
	codes    map[string]int
	over     bool       // the time of a run is over
	stepped  *sync.Cond // on mu: a step, or over
}

func newLoad(t *testing.T, p *process) *load {
	l := &load{p: p, seed: uint64(randomSetting("RANDOM_SEED", int(time.Now().UnixNano()))), codes: map[string]int{}}
	l.stepped = sync.NewCond(&l.mu)
	t.Logf("seed %d", l.seed)
	c := p.connect(t)
	run(t, c, fmt.Sprintf("CREATE TABLE items (id bigint PRIMARY KEY, client int, version bigint NOT NULL, embedding vector(%d))", crashDims))
	run(t, c, "CREATE INDEX ON items (client)")
	run(t, c, "CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)")
	run(t, c, "CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL)")
	run(t, c, "INSERT INTO counters SELECT i, 0 FROM generate_series(0, 7) i")
	for i := range loadWriters {
		w := &loadWriter{load: l, ledger: ledger{client: i, version: map[int64]int64{}, next: int64(i+1) * 1_000_000}}
		w.rng = rand.New(rand.NewPCG(l.seed, uint64(i)))
		l.writers = append(l.writers, w)
	}
	for i := range loadChanges {
		l.changers = append(l.changers, &schemaChanger{load: l, number: i, rng: rand.New(rand.NewPCG(l.seed, uint64(1000+i)))})
	}
	return l
}

// run works for a time with all connections.
func (l *load) run(t *testing.T, span time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	l.end(false)
	context.AfterFunc(ctx, func() { l.end(true) })
	var working sync.WaitGroup
	for _, w := range l.writers {
		working.Go(func() { l.loop(ctx, t, w.step) })
	}
	for _, s := range l.changers {
		working.Go(func() { l.loop(ctx, t, s.step) })
	}
	working.Wait()
}

// loop makes steps until the time is over; a step that has begun ends.
func (l *load) loop(ctx context.Context, t *testing.T, step func(*pgx.Conn) error) {
	c, err := pgx.Connect(context.Background(), l.p.url())
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close(context.Background()) }() // the server's side is what is looked at
	for ctx.Err() == nil && !t.Failed() {
		if err := l.settle(c, step(c)); err != nil {
			t.Error(err)
			return
		}
		l.mu.Lock()
		l.steps.Add(1)
		l.mu.Unlock()
		l.stepped.Broadcast()
	}
}

// end says whether the time of a run is over.
func (l *load) end(over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = over
	l.stepped.Broadcast()
}

// await returns when the connections have made so many steps, or the time is over.
func (l *load) await(steps int64) {
	until := l.steps.Load() + steps
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.over && l.steps.Load() < until {
		l.stepped.Wait()
	}
}

// mayHappen are errors that a client must expect beside schema changes; the
// transaction is then rolled back as a whole.
var mayHappen = []string{"40P01", "40001", "55P03"}

// settle ends the transaction of a step that failed as it may.
func (l *load) settle(c *pgx.Conn, err error) error {
	var e *pgconn.PgError
	if err == nil || !errors.As(err, &e) {
		return err
	}
	l.mu.Lock()
	l.codes[e.Code]++
	l.mu.Unlock()
	changed := e.Code == "0A000" && e.Message == "cached plan must not change result type"
	if !changed && !slices.Contains(mayHappen, e.Code) {
		return err
	}
	if c.PgConn().TxStatus() != 'I' {
		_, err := c.Exec(context.Background(), "ROLLBACK")
		return err
	}
	return nil
}

// heap is what lives on the server's heap after a collection.
func (l *load) heap(t *testing.T, address string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + address + "/debug/pprof/heap?gc=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close() // only the collection counts
	return metric(t, address, "go_memstats_heap_alloc_bytes")
}

// compare checks everything that was acknowledged, by every way to the rows.
func (l *load) compare(t *testing.T) {
	t.Helper()
	c := l.p.connect(t)
	total := 0
	for _, w := range l.writers {
		w.compare(t, c)
		for _, v := range w.version {
			if v > 0 {
				total++
			}
		}
	}
	for _, sql := range []string{"SELECT count(*) FROM items", "SELECT count(*) FROM items WHERE id > 0", "SELECT count(*) FROM (SELECT id FROM items ORDER BY embedding <-> '" + vectorOf(1, 1) + "') x"} {
		if got := query(t, c, sql)[0][0]; got != fmt.Sprint(total) {
			t.Errorf("%s: %s rows, %d were acknowledged", sql, got, total)
		}
	}
	if got := query(t, c, "SELECT sum(n) FROM counters")[0][0]; got != fmt.Sprint(l.counted.Load()) {
		t.Errorf("the counters are at %s, %d additions were acknowledged", got, l.counted.Load())
	}
}

// loadWriter is one connection that writes and reads rows of its own.
type loadWriter struct {
	ledger
	load *load
	rng  *rand.Rand
}

func (w *loadWriter) step(c *pgx.Conn) error {
	w.doubtful = map[int64]int64{}
	kinds := []func(context.Context, *pgx.Conn) error{
		w.change, w.change, w.change, w.savepoints, w.upsert, w.copyIn, w.count, w.cursor, w.nearest, w.nearest, w.both, w.prepared,
	}
	if err := kinds[w.rng.IntN(len(kinds))](context.Background(), c); err != nil {
		return fmt.Errorf("client %d: %w", w.client, err)
	}
	for id, v := range w.doubtful {
		w.version[id] = v
		if v == 0 {
			delete(w.version, id)
		}
	}
	return nil
}

// alter makes one change of a row in a transaction.
func (w *loadWriter) alter(ctx context.Context, tx pgx.Tx) error {
	id, old := w.pick(w.rng)
	if _, changed := w.doubtful[id]; changed {
		return nil
	}
	var err error
	switch {
	case old == 0 || len(w.version) < loadRows && w.rng.IntN(2) == 0:
		id = w.next
		w.next++
		w.doubtful[id] = 1
		_, err = tx.Exec(ctx, "INSERT INTO items (id, client, version, embedding) VALUES ($1, $2, 1, $3)", id, w.client, vectorOf(id, 1))
	case w.rng.IntN(2) == 0:
		w.doubtful[id] = old + 1
		_, err = tx.Exec(ctx, "UPDATE items SET version = $2, embedding = $3 WHERE id = $1", id, old+1, vectorOf(id, old+1))
	default:
		w.doubtful[id] = 0
		_, err = tx.Exec(ctx, "DELETE FROM items WHERE id = $1", id)
	}
	return err
}

func (w *loadWriter) change(ctx context.Context, c *pgx.Conn) error {
	tx, err := c.Begin(ctx)
	for range 1 + w.rng.IntN(5) {
		if err == nil {
			err = w.alter(ctx, tx)
		}
	}
	if err != nil {
		return err
	}
	if w.rng.IntN(5) == 0 {
		w.doubtful = nil
		return tx.Rollback(ctx)
	}
	return tx.Commit(ctx)
}

// savepoints undoes a part of a transaction.
func (w *loadWriter) savepoints(ctx context.Context, c *pgx.Conn) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	if err := w.alter(ctx, tx); err != nil {
		return err
	}
	for range 1 + w.rng.IntN(3) {
		kept := map[int64]int64{}
		for id, v := range w.doubtful {
			kept[id] = v
		}
		inner, err := tx.Begin(ctx)
		if err == nil {
			err = w.alter(ctx, inner)
		}
		if err != nil {
			return err
		}
		if w.rng.IntN(2) == 0 {
			w.doubtful = kept
			err = inner.Rollback(ctx)
		} else {
			err = inner.Commit(ctx)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

func (w *loadWriter) upsert(ctx context.Context, c *pgx.Conn) error {
	id, old := w.pick(w.rng)
	if old == 0 {
		return nil
	}
	w.doubtful[id] = old + 1
	var version int64
	err := c.QueryRow(ctx, `INSERT INTO items (id, client, version, embedding) VALUES ($1, $2, 1, $3)
		ON CONFLICT (id) DO UPDATE SET version = items.version + 1, embedding = excluded.embedding RETURNING version`,
		id, w.client, vectorOf(id, old+1)).Scan(&version)
	if err == nil && version != old+1 {
		return fmt.Errorf("row %d: version %d after %d", id, version, old)
	}
	return err
}

func (w *loadWriter) copyIn(ctx context.Context, c *pgx.Conn) error {
	if len(w.version) > loadRows {
		return w.clear(ctx, c)
	}
	var b strings.Builder
	for range 1 + w.rng.IntN(60) {
		id := w.next
		w.next++
		w.doubtful[id] = 1
		fmt.Fprintf(&b, "%d,%d,1,\"%s\"\n", id, w.client, vectorOf(id, 1))
	}
	_, err := c.PgConn().CopyFrom(ctx, strings.NewReader(b.String()), "COPY items (id, client, version, embedding) FROM STDIN (FORMAT csv)")
	return err
}

// clear deletes the older half.
func (w *loadWriter) clear(ctx context.Context, c *pgx.Conn) error {
	var ids []int64
	for id := range w.version {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = ids[:len(ids)/2]
	for _, id := range ids {
		w.doubtful[id] = 0
	}
	tag, err := c.Exec(ctx, "DELETE FROM items WHERE id = ANY ($1)", ids)
	if err == nil && tag.RowsAffected() != int64(len(ids)) {
		return fmt.Errorf("%d of %d rows were deleted", tag.RowsAffected(), len(ids))
	}
	return err
}

// count adds to counters that all share.
func (w *loadWriter) count(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "UPDATE counters SET n = n + 1 WHERE id = $1", w.rng.IntN(8))
	if err == nil {
		w.load.counted.Add(1)
	}
	return err
}

// cursor reads its rows piece by piece while others write.
func (w *loadWriter) cursor(ctx context.Context, c *pgx.Conn) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf("DECLARE c CURSOR FOR SELECT id, version FROM items WHERE client = %d ORDER BY id", w.client)); err != nil {
		return err
	}
	found := map[int64]int64{}
	for more := true; more; {
		n := len(found)
		if err := w.read(ctx, tx, found, "FETCH 17 FROM c"); err != nil {
			return err
		}
		more = len(found) > n
	}
	return errors.Join(w.same(found), tx.Commit(ctx))
}

// both reads its rows by two ways under one snapshot.
func (w *loadWriter) both(ctx context.Context, c *pgx.Conn) error {
	tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	var whole, indexed, counted int64
	for sql, to := range map[string]*int64{"SELECT count(*) FROM items": &whole, "SELECT count(*) FROM items WHERE id > 0": &indexed,
		"SELECT count(embedding) FROM items": &counted} {
		if err := tx.QueryRow(ctx, sql).Scan(to); err != nil {
			return err
		}
	}
	if whole != indexed || whole != counted {
		return fmt.Errorf("one snapshot has %d, %d and %d rows", whole, indexed, counted)
	}
	found := map[int64]int64{}
	if err := w.read(ctx, tx, found, fmt.Sprintf("SELECT id, version FROM items WHERE client = %d", w.client)); err != nil {
		return err
	}
	return errors.Join(w.same(found), tx.Commit(ctx))
}

func (w *loadWriter) prepared(ctx context.Context, c *pgx.Conn) error {
	const name = "own"
	if _, err := c.Exec(ctx, "PREPARE "+name+" (int) AS SELECT id, version FROM items WHERE client = $1"); err != nil {
		return err
	}
	found := map[int64]int64{}
	err := w.read(ctx, c, found, fmt.Sprintf("EXECUTE %s(%d)", name, w.client))
	_, gone := c.Exec(ctx, "DEALLOCATE "+name)
	if err != nil || gone != nil {
		return errors.Join(err, gone)
	}
	return w.same(found)
}

// reader is a connection or a transaction.
type reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (w *loadWriter) read(ctx context.Context, c reader, into map[int64]int64, sql string) error {
	rows, err := c.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return err
	}
	var id, version int64
	_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		if _, twice := into[id]; twice {
			return fmt.Errorf("%s: row %d came twice", sql, id)
		}
		into[id] = version
		return nil
	})
	return err
}

// same says whether rows are those that were acknowledged.
func (w *loadWriter) same(found map[int64]int64) error {
	for id, v := range w.version {
		if found[id] != v {
			return fmt.Errorf("row %d has version %d, %d was acknowledged", id, found[id], v)
		}
	}
	if len(found) != len(w.version) {
		return fmt.Errorf("%d rows, %d were acknowledged", len(found), len(w.version))
	}
	return nil
}

// nearest searches with and without a filter from the place of one of its rows.
func (w *loadWriter) nearest(ctx context.Context, c *pgx.Conn) error {
	id, version := w.pick(w.rng)
	if version == 0 {
		return nil
	}
	filter := fmt.Sprintf("WHERE client = %d", w.client)
	want := min(len(w.version), 10)
	if w.rng.IntN(2) == 0 {
		filter = "WHERE version > 0"
	}
	rows, err := c.Query(ctx, "SELECT id, client, embedding <-> $1 FROM items "+filter+" ORDER BY embedding <-> $1 LIMIT 10", vectorOf(id, version))
	if err != nil {
		return err
	}
	var got, client int64
	var d, last float64
	n, first, seen := 0, int64(0), map[int64]bool{}
	_, err = pgx.ForEachRow(rows, []any{&got, &client, &d}, func() error {
		if n++; n == 1 {
			first = got
		}
		if seen[got] || d < last || strings.Contains(filter, "client") && client != int64(w.client) {
			return fmt.Errorf("%s: row %d at %g after %g, of client %d", filter, got, d, last, client)
		}
		seen[got], last = true, d
		return nil
	})
	if err != nil {
		return err
	}
	if first != id || n < want {
		return fmt.Errorf("%s: the nearest of %d rows to row %d is %d", filter, n, id, first)
	}
	return nil
}

// schemaChanger changes the schema under the others: indexes and columns of their
// table, and tables of its own.
type schemaChanger struct {
	load   *load
	number int
	at     int
	rng    *rand.Rand
}

// changes are made in turn; # is the changer's number.
var changes = []string{
	"CREATE INDEX items_version_# ON items (version)",
	"DROP INDEX items_version_#",
	"CREATE TABLE side_# (id int PRIMARY KEY, v vector(4), note text)",
	"INSERT INTO side_# SELECT i, ARRAY[i, i % 7, i % 11, 1]::vector, 'n' || i FROM generate_series(1, 300) i",
	"CREATE INDEX side_v_# ON side_# USING hnsw (v vector_l2_ops)",
	"ALTER TABLE items ADD COLUMN extra_# int DEFAULT 7",
	"ALTER TABLE side_# RENAME TO aside_#",
	"ALTER TABLE aside_# RENAME COLUMN note TO remark",
	"UPDATE aside_# SET remark = upper(remark), v = v + '[1,1,1,1]' WHERE id % 3 = 0",
	"ALTER TABLE items DROP COLUMN extra_#",
	"BEGIN; TRUNCATE aside_#; INSERT INTO aside_# VALUES (1, '[1,2,3,4]', 'x'); ROLLBACK",
	"ALTER TABLE aside_# ADD COLUMN more int, ALTER COLUMN remark TYPE varchar(20)",
	"CREATE UNIQUE INDEX CONCURRENTLY items_id_# ON items (id, version)",
	"DROP INDEX items_id_#",
	"TRUNCATE aside_#",
	"CREATE INDEX items_part_# ON items (client) WHERE version > 1",
	"DROP INDEX items_part_#",
	"DROP TABLE aside_#",
}

// stepsBetweenChanges is how many steps of all connections at most come between two
// changes of one.
const stepsBetweenChanges = 20

// step makes the next change; one that failed as it may is made again. Others get
// their turn in between.
func (s *schemaChanger) step(c *pgx.Conn) error {
	sql := strings.ReplaceAll(changes[s.at%len(changes)], "#", fmt.Sprint(s.number))
	if _, err := c.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	s.at++
	s.load.await(int64(s.rng.IntN(stepsBetweenChanges)))
	return nil
}
