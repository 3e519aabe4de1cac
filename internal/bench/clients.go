package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// connect opens a connection that sends vectors in binary.
func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS vector"); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	if err := registerVector(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// clients are connections that work at the same time.
type clients []*pgx.Conn

func connectClients(ctx context.Context, dsn string, count int, settings ...string) (clients, error) {
	var all clients
	for range count {
		conn, err := connect(ctx, dsn)
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		all = append(all, conn)
		for _, setting := range settings {
			if _, err := conn.Exec(ctx, setting); err != nil {
				return nil, errors.Join(err, all.close())
			}
		}
	}
	return all, nil
}

func (c clients) close() error {
	var all error
	for _, conn := range c {
		all = errors.Join(all, conn.Close(context.Background()))
	}
	return all
}

// each runs do once on every client, all at once.
func (c clients) each(do func(client int, conn *pgx.Conn) error) error {
	failures := make([]error, len(c))
	var running sync.WaitGroup
	for i, conn := range c {
		running.Go(func() { failures[i] = do(i, conn) })
	}
	running.Wait()
	return errors.Join(failures...)
}

// timed calls do over and over on every client for the given time, and sums up how long the calls took. n counts the calls of one
// client from 0.
func (c clients) timed(ctx context.Context, span time.Duration, do func(conn *pgx.Conn, client, n int) error) (Latency, error) {
	durations := make([][]time.Duration, len(c))
	start := time.Now()
	deadline := start.Add(span)
	err := c.each(func(client int, conn *pgx.Conn) error {
		for n, before := 0, time.Now(); before.Before(deadline); n++ {
			if err := do(conn, client, n); err != nil {
				return err
			}
			after := time.Now()
			durations[client] = append(durations[client], after.Sub(before))
			before = after
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	elapsed := time.Since(start)
	var all []time.Duration
	for _, d := range durations {
		all = append(all, d...)
	}
	return summarise(all, elapsed), err
}

// queryIDs runs a statement whose rows are one bigint and appends them to ids.
func queryIDs(ctx context.Context, conn *pgx.Conn, sql string, ids []int64, args ...any) ([]int64, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return ids, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return ids, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
