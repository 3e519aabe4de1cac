package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// CollectionsPlan says what Collections makes.
type CollectionsPlan struct {
	Binary      string
	Collections int
	Rows        int // of each
	Dim         int
	// Method of the vector index: hnsw, ivfflat or none.
	Method string
	// Clients make collections at the same time.
	Clients int
	// Tier is where all are moved at the end; "" leaves them hot.
	Tier string
	// Profile is a file for a CPU profile of the making; "" makes none.
	Profile string
	Out     io.Writer
}

// crowd is a server with many collections.
type crowd struct {
	CollectionsPlan
	server *Server
	bucket *Bucket
}

// Collections makes thousands of collections in one server, and prints what that
// takes: time, memory, goroutines, a cycle of the worker, a restart.
func Collections(ctx context.Context, plan CollectionsPlan) (err error) {
	c := &crowd{CollectionsPlan: plan}
	env := []string{"AKIDB_HTTP_PROFILE=true"}
	if plan.Tier == "cold" {
		if c.bucket, err = StartBucket(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.bucket.Close()) }()
		env = append(env, c.bucket.env(c.bucket.minio.Endpoint)...)
	}
	if c.server, err = StartServer(ctx, plan.Binary, env...); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.server.Stop()) }()
	if err := c.report(ctx, "empty"); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{c.make, c.cycle, c.searchAll, c.move, c.restart, c.searchAll} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Out, format+"\n", args...) // a measurement whose output is gone needs no error
}

// make makes them, and says how long each tenth took.
func (c *crowd) make(ctx context.Context) error {
	conns, err := connectClients(ctx, c.server.DSN(), c.Clients)
	if err != nil {
		return err
	}
	defer func() { _ = conns.close() }() // what was made is committed
	profiled := func() error { return nil }
	start := time.Now()
	tenth := max(1, c.Collections/10)
	for from := 0; from < c.Collections; from += tenth {
		if from == 8*tenth {
			profiled = c.startProfile(ctx)
		}
		began := time.Now()
		err := conns.each(func(client int, conn *pgx.Conn) error {
			random := rand.New(rand.NewPCG(uint64(from), uint64(client)))
			for i := from + client; i < min(from+tenth, c.Collections); i += c.Clients {
				if err := c.makeOne(ctx, conn, i, random); err != nil {
					return fmt.Errorf("collection %d: %w", i, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		memory, err := c.server.MemoryMiB()
		if err != nil {
			return err
		}
		c.say("%6d collections: %.2f ms each, memory %.0f MiB", min(from+tenth, c.Collections), milliseconds(time.Since(began))/float64(tenth), memory)
	}
	c.say("made %d collections of %d x %d (%s) in %.1f s", c.Collections, c.Rows, c.Dim, c.Method, time.Since(start).Seconds())
	if err := profiled(); err != nil {
		return err
	}
	return c.report(ctx, "made")
}

func collectionName(i int) string { return "c" + strconv.Itoa(i) }

func (c *crowd) makeOne(ctx context.Context, conn *pgx.Conn, i int, random *rand.Rand) error {
	name := collectionName(i)
	if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (id bigint PRIMARY KEY, embedding vector(%d))", name, c.Dim), pgx.QueryExecModeExec); err != nil {
		return err
	}
	if c.Method != "none" {
		if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE INDEX ON %s USING %s (embedding vector_l2_ops)", name, c.Method), pgx.QueryExecModeExec); err != nil {
			return err
		}
	}
	if c.Rows == 0 {
		return nil
	}
	v := make(Vector, c.Dim)
	stream := newCopyStream(2, c.Rows, func(buf []byte, row int) []byte {
		for j := range v {
			v[j] = random.Float32()
		}
		return appendVectorField(appendInt8Field(buf, int64(row)), v)
	})
	_, err := conn.PgConn().CopyFrom(ctx, stream, "COPY "+name+" (id, embedding) FROM STDIN (FORMAT binary)")
	return err
}

// startProfile records the server's CPU for some seconds of the making, when
// there are many already.
func (c *crowd) startProfile(ctx context.Context) func() error {
	if c.Profile == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { done <- c.download(ctx, "/debug/pprof/profile?seconds=20", c.Profile) }()
	return func() error { return <-done }
}

// cycle runs the worker's cycle by hand.
func (c *crowd) cycle(ctx context.Context) error {
	conn, err := connect(ctx, c.server.DSN())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }() // only read
	for _, sql := range []string{"SELECT akidb.run_tiering_cycle()", "SELECT akidb.run_tiering_cycle()", "SELECT count(*) FROM akidb.collection_tiers", "SELECT count(*) FROM pg_class"} {
		start := time.Now()
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeExec); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		c.say("%s: %.1f ms", sql, milliseconds(time.Since(start)))
	}
	return nil
}

// searchAll searches every collection once.
func (c *crowd) searchAll(ctx context.Context) error {
	conn, err := connect(ctx, c.server.DSN())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }() // only read
	query := "[0" + strings.Repeat(",0", c.Dim-1) + "]"     // as text: preparing each statement is not what is measured
	var times []time.Duration
	start := time.Now()
	for i := range c.Collections {
		before := time.Now()
		ids, err := queryIDs(ctx, conn, fmt.Sprintf("SELECT id FROM %s ORDER BY embedding <-> $1::vector LIMIT 1", collectionName(i)), nil, pgx.QueryExecModeExec, query)
		if err != nil {
			return err
		}
		if len(ids) != min(1, c.Rows) {
			return fmt.Errorf("collection %d has %d answers", i, len(ids))
		}
		times = append(times, time.Since(before))
	}
	l := summarise(times, time.Since(start))
	c.say("a search in each: p50 %.2f p95 %.2f p99 %.2f ms", l.P50, l.P95, l.P99)
	return c.report(ctx, "searched")
}

func (c *crowd) move(ctx context.Context) error {
	if c.Tier == "" {
		return nil
	}
	conns, err := connectClients(ctx, c.server.DSN(), c.Clients)
	if err != nil {
		return err
	}
	defer func() { _ = conns.close() }() // what was moved is committed
	start := time.Now()
	err = conns.each(func(client int, conn *pgx.Conn) error {
		for i := client; i < c.Collections; i += c.Clients {
			if _, err := conn.Exec(ctx, fmt.Sprintf("ALTER COLLECTION %s SET TIER %s WAIT", collectionName(i), c.Tier), pgx.QueryExecModeExec); err != nil {
				return fmt.Errorf("collection %d: %w", i, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	took := time.Since(start)
	c.say("moved to %s in %.1f s: %.2f ms each", c.Tier, took.Seconds(), milliseconds(took)/float64(c.Collections))
	if err := c.report(ctx, "moved"); err != nil {
		return err
	}
	return c.cycle(ctx)
}

// restart ends the server in good order, and then at once.
func (c *crowd) restart(ctx context.Context) error {
	start := time.Now()
	ended := start
	if err := c.server.Restart(ctx, func(string) error { ended = time.Now(); return nil }); err != nil {
		return err
	}
	c.say("ended in %.2f s, answers %.2f s after its start", ended.Sub(start).Seconds(), time.Since(ended).Seconds())
	if err := c.report(ctx, "restarted"); err != nil {
		return err
	}
	start = time.Now()
	if err := c.server.KillAndRestart(ctx); err != nil {
		return err
	}
	c.say("killed, answers %.2f s after that", time.Since(start).Seconds())
	return c.report(ctx, "killed and restarted")
}

// report prints memory, goroutines, open files and the worker's time.
func (c *crowd) report(ctx context.Context, when string) error {
	memory, err := c.server.MemoryMiB()
	if err != nil {
		return err
	}
	values, err := c.metrics(ctx, "go_goroutines", "process_open_fds", "go_memstats_heap_inuse_bytes", "akidb_tier_worker_duration_seconds_sum", "akidb_tier_worker_duration_seconds_count")
	if err != nil {
		return err
	}
	c.say("%-22s memory %.0f MiB, heap %.0f MiB, %.0f goroutines, %.0f open files, %.0f cycles of the worker in %.3f s", when+":", memory, values[2]/(1<<20), values[0],
		values[1], values[4], values[3])
	return nil
}

func (c *crowd) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server.URL()+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // the status says enough
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return response, err
}

// metrics reads values of /metrics, 0 for those that are missing.
func (c *crowd) metrics(ctx context.Context, names ...string) ([]float64, error) {
	response, err := c.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read
	out := make([]float64, len(names))
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for i, name := range names {
			if rest, found := strings.CutPrefix(lines.Text(), name+" "); found {
				if out[i], err = strconv.ParseFloat(rest, 64); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, lines.Err()
}

// download keeps what a path of the HTTP port gives.
func (c *crowd) download(ctx context.Context, path, file string) (err error) {
	response, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, response.Body)
	return err
}
