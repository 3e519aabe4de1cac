package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/internal/dataset"
)

// demo is a demonstration under way.
type demo struct {
	out  io.Writer
	conn *pgx.Conn
	set  *dataset.Set
}

// Demo starts a server, loads 5,000 English words with their vectors, builds an
// index, searches with and without filters, and shows what a user would see.
func Demo(ctx context.Context, binary string, out io.Writer) (err error) {
	server, err := StartServer(ctx, binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	conn, err := connect(ctx, server.DSN())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.Background())) }()
	d := &demo{out: out, conn: conn, set: dataset.Sample()}
	d.say("server started: psql '%s'", server.DSN())
	for _, step := range []func(context.Context) error{d.load, d.build, d.show, d.measure, d.explain} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.say("\nstopping the server")
	return nil
}

func (d *demo) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, format+"\n", args...) // a demo whose output is gone needs no error
}

// run shows a statement and runs it.
func (d *demo) run(ctx context.Context, sql string) error {
	d.say("\n=> %s;", sql)
	start := time.Now()
	tag, err := d.conn.Exec(ctx, sql)
	if err == nil {
		d.say("%s  (%.0f ms)", tag, milliseconds(time.Since(start)))
	}
	return err
}

func (d *demo) load(ctx context.Context) error {
	if err := d.run(ctx, fmt.Sprintf("CREATE TABLE words (id bigint PRIMARY KEY, word text, length int, embedding vector(%d))", d.set.Dim)); err != nil {
		return err
	}
	stream := newCopyStream(4, d.set.Rows(), func(buf []byte, i int) []byte {
		buf = appendInt8Field(buf, int64(i))
		buf = appendTextField(buf, d.set.Words[i])
		buf = appendInt4Field(buf, int32(len(d.set.Words[i])))
		return appendVectorField(buf, d.set.Base(i))
	})
	sql := "COPY words FROM STDIN (FORMAT binary)"
	d.say("\n=> %s;", sql)
	start := time.Now()
	tag, err := d.conn.PgConn().CopyFrom(ctx, stream, sql)
	if err != nil {
		return err
	}
	took := time.Since(start)
	d.say("%s  (%.0f ms, %.0f rows/s)", tag, milliseconds(took), float64(tag.RowsAffected())/took.Seconds())
	return nil
}

func (d *demo) build(ctx context.Context) error {
	if err := d.run(ctx, "CREATE INDEX ON words USING hnsw (embedding vector_cosine_ops)"); err != nil {
		return err
	}
	return d.run(ctx, "CREATE INDEX ON words (length)")
}

// show prints the neighbours of some words, with and without a filter.
func (d *demo) show(ctx context.Context) error {
	for _, word := range []string{"music", "seven", "happy"} {
		for _, filter := range []string{"", " AND length <= 4"} {
			sql := "SELECT word FROM words WHERE word <> $1" + filter +
				" ORDER BY embedding <=> (SELECT embedding FROM words WHERE word = $1) LIMIT 6"
			rows, err := d.conn.Query(ctx, sql, word)
			if err != nil {
				return err
			}
			near, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			what := "near " + word
			if filter != "" {
				what += ", at most 4 letters"
			}
			d.say("%-34s %v", what+":", near)
		}
	}
	return nil
}

// measure prints recall and latency of the held-out queries.
func (d *demo) measure(ctx context.Context) error {
	d.say("\n%-28s %9s %8s %8s", "search (LIMIT 10)", "recall@10", "p50 ms", "p95 ms")
	for _, f := range []struct {
		name, where string
		keep        func(row int) bool
	}{
		{"all words", "", nil},
		{"words of at most 6 letters", " WHERE length <= 6", func(row int) bool { return len(d.set.Words[row]) <= 6 }},
		{"words of 2 letters", " WHERE length = 2", func(row int) bool { return len(d.set.Words[row]) == 2 }},
	} {
		truth := dataset.Exact(d.set, d.set.Queries, f.keep, Depth)
		sql := "SELECT id FROM words" + f.where + " ORDER BY embedding <=> $1 LIMIT 10"
		sum := 0.0
		var took []time.Duration
		var ids []int64
		for q, query := range d.set.Queries {
			start := time.Now()
			var err error
			if ids, err = queryIDs(ctx, d.conn, sql, ids[:0], Vector(query)); err != nil {
				return err
			}
			took = append(took, time.Since(start))
			sum += recall(ids, truth[q], Depth)
		}
		l := summarise(took, time.Second)
		d.say("%-28s %9.3f %8.2f %8.2f", f.name, sum/float64(len(d.set.Queries)), l.P50, l.P95)
	}
	return nil
}

func (d *demo) explain(ctx context.Context) error {
	sql := "EXPLAIN (ANALYZE) SELECT word FROM words WHERE length <= 6 ORDER BY embedding <=> (SELECT embedding FROM words WHERE word = 'music') LIMIT 10"
	d.say("\n=> %s;", sql)
	rows, err := d.conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, line := range lines {
		d.say("  %s", line)
	}
	return err
}
