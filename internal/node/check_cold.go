package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/rowstore"
)

// CheckOptions say what Check looks at.
type CheckOptions struct {
	// Config names the cold store; its DataDir is checked.
	Config config.Config
	// Deep reads every object of cold collections and snapshots, too.
	Deep bool
}

// coldTables are the cold collections in the catalog of a stopped server.
func coldTables(ctx context.Context, dir string) (out []*catalog.Table, err error) {
	store, err := rowstore.Open(ctx, rowstore.Options{Dir: rowsDir(dir), Keyer: executor.NewKeyer()})
	if err != nil {
		return nil, err
	}
	for _, o := range store.Catalog().Objects(catalog.KindTable) {
		if t := o.(*catalog.Table); t.Cold != nil {
			out = append(out, t)
		}
	}
	return out, store.Close()
}

// coldForCheck opens the cold store with a cache of its own.
func coldForCheck(ctx context.Context, c config.Config) (*coldstore.Store, func() error, error) {
	n := &node{config: c, log: slog.New(slog.DiscardHandler), metrics: newMetrics()}
	d, err := n.coldDurations()
	if err != nil {
		return nil, nil, err
	}
	b, err := n.openBucket(d)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "akidb-check-")
	if err != nil {
		return nil, nil, err
	}
	cold, err := coldstore.Open(ctx, coldstore.Options{Store: b.store, Check: b.check, Dir: dir, CacheBytes: -1})
	below := func() error { return errors.Join(b.close(), os.RemoveAll(dir)) }
	if err != nil {
		return nil, nil, errors.Join(err, below())
	}
	return cold, func() error { return errors.Join(cold.Close(), below()) }, nil
}

// checkBucket looks at what the catalog and the snapshots name in the object store. A
// store that does not answer is a problem only when something lies there.
func checkBucket(ctx context.Context, cold *coldstore.Store, tables []*catalog.Table, deep bool, out *Report) {
	var found coldstore.Checked
	var err error
	for _, t := range tables {
		if err == nil {
			err = cold.Check(ctx, t.Cold, deep, &found)
		}
	}
	if err == nil && (deep || len(tables) > 0) {
		err = cold.CheckSnapshots(ctx, deep, &found)
	}
	if err != nil {
		out.Problems = append(out.Problems, fmt.Sprintf("cold store: %v", err))
	}
	how := "present"
	if deep {
		how = "read"
	}
	if found.Objects > 0 {
		out.Summary = append(out.Summary, fmt.Sprintf("cold store: %d objects %s, %d bytes", found.Objects, how, found.Bytes))
	}
	for _, p := range found.Problems {
		out.Problems = append(out.Problems, "cold store: "+p)
	}
}
