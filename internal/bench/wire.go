package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// wireDim and wireRows shape the second statement of Wire.
const (
	wireDim  = 768
	wireRows = 10
)

// Wire measures what a round trip costs without any search: SELECT 1 prepared,
// and ten rows with a binary 768-d parameter, with each number of clients.
func Wire(ctx context.Context, target Target, counts []int, span time.Duration, out io.Writer) (err error) {
	admin, err := connect(ctx, target.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close(context.Background())) }()
	query := make(Vector, wireDim)
	for i := range query {
		query[i] = rand.Float32()
	}
	statements := []struct {
		name string
		run  func(conn *pgx.Conn) error
	}{
		{"SELECT 1", func(conn *pgx.Conn) error {
			var one int32
			return conn.QueryRow(ctx, "SELECT 1").Scan(&one)
		}},
		{"10 rows, 768-d parameter", func(conn *pgx.Conn) error {
			ids, err := queryIDs(ctx, conn, fmt.Sprintf("SELECT g::bigint FROM generate_series(1, %d) g WHERE vector_dims($1::vector) = %d", wireRows, wireDim), nil, query)
			if err == nil && len(ids) != wireRows {
				err = fmt.Errorf("%d rows", len(ids))
			}
			return err
		}},
	}
	for _, s := range statements {
		for _, count := range counts {
			conns, err := connectClients(ctx, target.DSN, count)
			if err != nil {
				return err
			}
			latency, err := conns.timed(ctx, span, func(conn *pgx.Conn, _, _ int) error { return s.run(conn) })
			if err = errors.Join(err, conns.close()); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if _, err := fmt.Fprintf(out, "%-10s %-26s %2d clients: %7.0f/s, p50 %.0f us, p95 %.0f us, p99 %.0f us\n", target.Name, s.name, count,
				latency.PerSecond, latency.P50*1000, latency.P95*1000, latency.P99*1000); err != nil {
				return err
			}
		}
	}
	return nil
}
