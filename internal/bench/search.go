package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/internal/dataset"
)

// Depth is the k of recall@k and the LIMIT of every search.
const Depth = 10

// Plan says what SearchSet measures.
type Plan struct {
	Efs     []int
	Clients []int
	// Span is how long each point is measured, after one pass over all queries that gives the recall and warms up.
	Span time.Duration
	// FilterEf is hnsw.ef_search of the filtered searches.
	FilterEf int
	// Log gets one line a step.
	Log func(line string)
}

// Target is a system to measure. Server is nil when we did not start it.
type Target struct {
	Name   string
	DSN    string
	Server *Server
}

// categories is how many different values the filter column has: row number modulo categories.
const categories = 100

// filterQueries is how many queries the filtered searches use.
const filterQueries = 200

// measurement is one target being measured with one set.
type measurement struct {
	Plan
	target Target
	set    *dataset.Set
	table  string
	admin  *pgx.Conn
	result *Result
}

// SearchSet loads the set into a table of its own, indexes it, measures, and drops the table.
func SearchSet(ctx context.Context, target Target, set *dataset.Set, plan Plan) (_ *Result, err error) {
	m := &measurement{Plan: plan, target: target, set: set, table: "bench_" + set.Name}
	if m.admin, err = connect(ctx, target.DSN); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.admin.Close(context.Background())) }()
	m.result = &Result{
		System: target.Name, Version: m.ask(ctx, "SELECT version()"), Machine: ThisMachine(),
		Set: set.Name, Metric: string(set.Metric), Dim: set.Dim, Rows: set.Rows(), Queries: len(set.Queries),
	}
	steps := []func(context.Context) error{m.load, m.build, m.searches, m.filters, m.memory, m.commits, m.restart, m.drop}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", target.Name, set.Name, err)
		}
	}
	return m.result, nil
}

func (m *measurement) log(format string, args ...any) {
	m.Log(fmt.Sprintf("%s %s: ", m.target.Name, m.set.Name) + fmt.Sprintf(format, args...))
}

// ask returns the text of a one-value query, or "" where the server does not know it: for what is only shown.
func (m *measurement) ask(ctx context.Context, sql string) string {
	var answer string
	if err := m.admin.QueryRow(ctx, sql, pgx.QueryExecModeSimpleProtocol).Scan(&answer); err != nil {
		return ""
	}
	return answer
}

// suggest runs a statement that only some systems know and none needs.
func (m *measurement) suggest(ctx context.Context, sql string) { _, _ = m.admin.Exec(ctx, sql) }

// load fills a table without an index, and then the one with a primary key that
// the rest of the measurement works on.
func (m *measurement) load(ctx context.Context) error {
	for _, table := range []struct {
		key  string
		rate *float64
	}{{"", &m.result.LoadRowsPerSecond}, {" PRIMARY KEY", &m.result.LoadKeyRowsPerSecond}} {
		for _, sql := range []string{
			"DROP TABLE IF EXISTS " + m.table,
			fmt.Sprintf("CREATE TABLE %s (id bigint%s, category int, embedding vector(%d))", m.table, table.key, m.set.Dim),
		} {
			if _, err := m.admin.Exec(ctx, sql); err != nil {
				return err
			}
		}
		elapsed, err := m.copyRows(ctx)
		if err != nil {
			return err
		}
		*table.rate = float64(m.set.Rows()) / elapsed.Seconds()
		m.log("loaded, %.0f rows/s%s", *table.rate, map[bool]string{true: " with a primary key"}[table.key != ""])
	}
	return nil
}

// copyRows loads the set by one COPY.
func (m *measurement) copyRows(ctx context.Context) (time.Duration, error) {
	stream := newCopyStream(3, m.set.Rows(), func(buf []byte, i int) []byte {
		buf = appendInt8Field(buf, int64(i))
		buf = appendInt4Field(buf, int32(i%categories))
		return appendVectorField(buf, m.set.Base(i))
	})
	start := time.Now()
	tag, err := m.admin.PgConn().CopyFrom(ctx, stream, "COPY "+m.table+" (id, category, embedding) FROM STDIN (FORMAT binary)")
	if err != nil {
		return 0, fmt.Errorf("COPY: %w", err)
	}
	if tag.RowsAffected() != int64(m.set.Rows()) {
		return 0, fmt.Errorf("COPY stored %d rows, sent %d", tag.RowsAffected(), m.set.Rows())
	}
	return time.Since(start), nil
}

func (m *measurement) build(ctx context.Context) error {
	m.suggest(ctx, "SET maintenance_work_mem = '4GB'") // PostgreSQL: the whole graph in memory
	m.suggest(ctx, "ANALYZE "+m.table)
	operators := "vector_cosine_ops"
	if m.set.Metric == dataset.L2 {
		operators = "vector_l2_ops"
	}
	start := time.Now()
	sql := fmt.Sprintf("CREATE INDEX %s_embedding ON %s USING hnsw (embedding %s) WITH (m = 16, ef_construction = 64)", m.table, m.table, operators)
	if _, err := m.admin.Exec(ctx, sql); err != nil {
		return err
	}
	m.result.BuildSeconds = time.Since(start).Seconds()
	if _, err := fmt.Sscan(m.ask(ctx, fmt.Sprintf("SELECT (pg_relation_size('%s_embedding') / 1048576.0)::text", m.table)), &m.result.IndexMiB); err != nil {
		m.result.IndexMiB = 0 // the server does not say
	}
	m.log("index built in %.1f s", m.result.BuildSeconds)
	return nil
}

// operator is the distance operator of the set's metric.
func (m *measurement) operator() string {
	if m.set.Metric == dataset.L2 {
		return "<->"
	}
	return "<=>"
}

func (m *measurement) searchSQL(condition string) string {
	return fmt.Sprintf("SELECT id FROM %s%s ORDER BY embedding %s $1 LIMIT %d", m.table, condition, m.operator(), Depth)
}

func (m *measurement) searches(ctx context.Context) error {
	for _, count := range m.Clients {
		for _, ef := range m.Efs {
			found, _, latency, err := m.search(ctx, count, m.searchSQL(""), m.set.Queries, m.set.Truth, fmt.Sprintf("SET hnsw.ef_search = %d", ef))
			if err != nil {
				return err
			}
			m.result.Searches = append(m.result.Searches, Search{Ef: ef, Clients: count, Recall: found, Latency: latency})
			m.log("ef %d, %d clients: recall %.4f, %.0f QPS, p50 %.2f p95 %.2f p99 %.2f ms", ef, count, found,
				latency.PerSecond, latency.P50, latency.P95, latency.P99)
		}
	}
	return nil
}

// search first asks every query once, for the recall (and how many answers were short), and then measures for a while.
func (m *measurement) search(ctx context.Context, count int, sql string, queries [][]float32, truth [][]int32, settings ...string,
) (found float64, short int, latency Latency, err error) {
	conns, err := connectClients(ctx, m.target.DSN, count, settings...)
	if err != nil {
		return 0, 0, latency, err
	}
	defer func() { err = errors.Join(err, conns.close()) }()
	sums, shorts := make([]float64, count), make([]int, count)
	err = conns.each(func(client int, conn *pgx.Conn) error {
		var ids []int64
		for q := client; q < len(queries); q += count {
			var err error
			if ids, err = queryIDs(ctx, conn, sql, ids[:0], Vector(queries[q])); err != nil {
				return err
			}
			sums[client] += recall(ids, truth[q], Depth)
			if len(ids) < Depth {
				shorts[client]++
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, latency, err
	}
	scratch := make([][]int64, count)
	latency, err = conns.timed(ctx, m.Span, func(conn *pgx.Conn, client, n int) (err error) {
		query := queries[(n*count+client)%len(queries)]
		scratch[client], err = queryIDs(ctx, conn, sql, scratch[client][:0], Vector(query))
		return err
	})
	for client := range sums {
		found += sums[client] / float64(len(queries))
		short += shorts[client]
	}
	return found, short, latency, err
}

// filters measures searches that 1, 10 and 50 % of the rows may answer, first without and then with a btree index
// on the filter's column.
func (m *measurement) filters(ctx context.Context) error {
	if err := m.filtered(ctx, ""); err != nil {
		return err
	}
	if _, err := m.admin.Exec(ctx, fmt.Sprintf("CREATE INDEX bench_category ON %s (category)", m.table)); err != nil {
		return err
	}
	if err := m.filtered(ctx, "btree"); err != nil {
		return err
	}
	_, err := m.admin.Exec(ctx, "DROP INDEX bench_category")
	return err
}

// filtered measures one table. PostgreSQL with pgvector is measured in each of its modes, since its default gives
// short answers; another system is measured as it comes.
func (m *measurement) filtered(ctx context.Context, index string) error {
	modes := []string{""}
	if strings.HasPrefix(m.result.Version, "PostgreSQL") && m.target.Server == nil {
		modes = []string{"off", "strict_order", "relaxed_order"}
	}
	queries := m.set.Queries[:min(filterQueries, len(m.set.Queries))]
	for _, percent := range []int{1, 10, 50} {
		truth := dataset.Exact(m.set, queries, func(row int) bool { return row%categories < percent*categories/100 }, Depth)
		sql := m.searchSQL(fmt.Sprintf(" WHERE category < %d", percent*categories/100))
		for _, mode := range modes {
			settings := []string{fmt.Sprintf("SET hnsw.ef_search = %d", m.FilterEf)}
			if mode != "" {
				settings = append(settings, "SET hnsw.iterative_scan = "+mode)
			}
			found, short, latency, err := m.search(ctx, 1, sql, queries, truth, settings...)
			if err != nil {
				return err
			}
			m.result.Filters = append(m.result.Filters, Filter{Percent: percent, Mode: strings.TrimSpace(index + " " + mode), Ef: m.FilterEf, Recall: found, Short: short, Latency: latency})
			m.log("filter %d %% %s %s: recall %.4f, %.0f QPS, %d of %d answers short", percent, index, mode, found, latency.PerSecond, short, len(queries))
		}
	}
	return nil
}

func (m *measurement) memory(context.Context) error {
	if m.target.Server == nil {
		return nil
	}
	var err error
	m.result.MemoryMiB, err = m.target.Server.MemoryMiB()
	m.log("memory %.0f MiB", m.result.MemoryMiB)
	return err
}

// commits inserts base vectors with a little noise, one row a transaction. Ids go on after those of the base.
func (m *measurement) commits(ctx context.Context) error {
	sql := fmt.Sprintf("INSERT INTO %s (id, category, embedding) VALUES ($1, $2, $3)", m.table)
	next := int64(m.set.Rows())
	for _, count := range m.Clients {
		conns, err := connectClients(ctx, m.target.DSN, count)
		if err != nil {
			return err
		}
		made, randoms, rows := make([]int64, count), make([]*rand.Rand, count), make([]Vector, count)
		for client := range count {
			randoms[client], rows[client] = rand.New(rand.NewPCG(uint64(next), uint64(client))), make(Vector, m.set.Dim)
		}
		latency, err := conns.timed(ctx, m.Span, func(conn *pgx.Conn, client, n int) error {
			noisy(rows[client], m.set.Base(randoms[client].IntN(m.set.Rows())), randoms[client])
			id := next + int64(n*count+client)
			_, err := conn.Exec(ctx, sql, id, int32(id%categories), rows[client])
			made[client] = int64(n + 1)
			return err
		})
		if err = errors.Join(err, conns.close()); err != nil {
			return err
		}
		for _, n := range made {
			next = max(next, next+n*int64(count)) // a gap where one client was faster does no harm
		}
		m.result.Commits = append(m.result.Commits, Commit{Clients: count, Latency: latency})
		m.log("single-row commits, %d clients: %.0f/s, p50 %.2f ms", count, latency.PerSecond, latency.P50)
	}
	return nil
}

func noisy(out Vector, row []float32, random *rand.Rand) {
	for i, x := range row {
		out[i] = x * (1 + 0.02*(random.Float32()-0.5))
	}
}

// restart kills our server and measures how long the next one takes until a search answers; every row must still be there.
func (m *measurement) restart(ctx context.Context) error {
	if m.target.Server == nil {
		return nil
	}
	count := "SELECT count(*) FROM " + m.table
	var before, after int64
	if err := m.admin.QueryRow(ctx, count).Scan(&before); err != nil {
		return err
	}
	_ = m.admin.Close(ctx) // the server is about to go
	start := time.Now()
	if err := m.target.Server.KillAndRestart(ctx); err != nil {
		return err
	}
	var err error
	if m.admin, err = connect(ctx, m.target.DSN); err != nil {
		return err
	}
	if _, err := queryIDs(ctx, m.admin, m.searchSQL(""), nil, Vector(m.set.Queries[0])); err != nil {
		return err
	}
	m.result.RestartSeconds = time.Since(start).Seconds()
	if err := m.admin.QueryRow(ctx, count).Scan(&after); err != nil {
		return err
	}
	if after != before {
		return fmt.Errorf("%d rows before kill -9, %d after", before, after)
	}
	m.log("a search answers %.2f s after kill -9; all %d rows are there", m.result.RestartSeconds, after)
	return nil
}

func (m *measurement) drop(ctx context.Context) error {
	_, err := m.admin.Exec(ctx, "DROP TABLE "+m.table)
	return err
}
