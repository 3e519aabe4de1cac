package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/akidb/akidb/internal/dataset"
)

// coldAki is AkiDB with a cold collection.
type coldAki struct {
	server *Server
	bucket *Bucket
	set    *dataset.Set
}

func openColdAki(ctx context.Context, binary string, bucket *Bucket, set *dataset.Set) (*coldAki, error) {
	server, err := StartServer(ctx, binary, bucket.env(bucket.proxy.Endpoint)...)
	if err != nil {
		return nil, err
	}
	return &coldAki{server, bucket, set}, nil
}

func (a *coldAki) name() string     { return "AkiDB" }
func (a *coldAki) settings() string { return "cold tier, defaults" }
func (a *coldAki) close() error     { return a.server.Stop() }

// prepare loads and indexes the set, and moves it; the time is that of the move
// from hot to cold alone.
func (a *coldAki) prepare(ctx context.Context, _ float64) (took time.Duration, err error) {
	conn, err := connect(ctx, a.server.DSN())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.Background())) }()
	if err := loadCollection(ctx, conn, "items", a.set, a.set.Rows()); err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := conn.Exec(ctx, "ALTER COLLECTION items SET TIER cold WAIT"); err != nil {
		return 0, err
	}
	took = time.Since(start)
	_, err = conn.Exec(ctx, "ALTER COLLECTION items SET (cold_access = 'direct')")
	return took, err
}

// run searches after a restart without the cache.
func (a *coldAki) run(ctx context.Context, picks []int) (r coldRun, err error) {
	if err := a.server.Restart(ctx, dropCache); err != nil {
		return r, err
	}
	conn, err := connect(ctx, a.server.DSN())
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.Background())) }()
	sql := fmt.Sprintf("SELECT id FROM items ORDER BY embedding %s $1 LIMIT %d", operatorOf(a.set), Depth)
	if _, err := conn.Prepare(ctx, sql, sql); err != nil {
		return r, err
	}
	for _, q := range picks {
		before, start := a.bucket.proxy.Counts(), time.Now()
		ids, err := queryIDs(ctx, conn, sql, nil, Vector(a.set.Queries[q]))
		if err != nil {
			return r, err
		}
		r.ms = append(r.ms, milliseconds(time.Since(start)))
		r.traffic = append(r.traffic, a.bucket.proxy.Counts().Since(before))
		r.found = append(r.found, ids)
	}
	return r, nil
}

// dropCache removes what a server keeps of the bucket.
func dropCache(dataDir string) error { return os.RemoveAll(filepath.Join(dataDir, "cache")) }
