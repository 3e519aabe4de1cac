package coldstore

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Options of a Store. Only Store and Dir are needed.
type Options struct {
	// Store is the bucket or directory, with its wrappers on: retry, metered.
	Store objectstore.Store
	// Check, if set, asks whether the bucket may be used; it runs before the first
	// write, and again until it has succeeded once.
	Check func(ctx context.Context) error
	// Dir is a folder of this package alone, on the local disk: the cache, and files
	// of index parts while they are built. What is in it is removed at Open.
	Dir string
	// Server names this server in the bucket: what it owns there and no table names any
	// more is removed by SweepAll. "" owns nothing.
	Server string
	// CacheBytes is how much of the objects the local disk may hold; 0 is 1 GiB,
	// negative none.
	CacheBytes int64
	// MemoryBytes is how much may be kept in memory of open segments, index parts
	// and decoded row groups; 0 is 128 MiB.
	MemoryBytes int64
	// SegmentBytes is about how large a segment becomes, uncompressed; 0 is 256 MiB.
	SegmentBytes int64
	// GroupBytes and Compression are those of segments; see package segment.
	GroupBytes  int
	Compression segment.Compression
	// Parallel is how many requests of one search or one read are under way at once;
	// 0 is 16.
	Parallel int
	// Key computes the key that a vector index holds for a row, false when it holds
	// none. It gets rows with all columns. nil reads the key's column.
	Key func(table *catalog.Table, index *catalog.Index, row types.Row) (types.Datum, bool, error)
	// Users knows the labels of enums, which segments hold for other tools; it may be nil.
	Users types.UserTypes
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Grace is how old garbage must be before it is removed: longer than any upload
	// takes. 0 is a day.
	Grace time.Duration
	// Retention says which snapshots of a collection stay when a new one is made; the
	// zero value keeps all.
	Retention manifest.Retention
}

const (
	defaultCacheBytes   = 1 << 30
	defaultMemoryBytes  = 128 << 20
	defaultSegmentBytes = 256 << 20
	defaultParallel     = 16
	defaultGrace        = 24 * time.Hour
)

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		to *int64
		by int64
	}{{&o.CacheBytes, defaultCacheBytes}, {&o.MemoryBytes, defaultMemoryBytes}, {&o.SegmentBytes, defaultSegmentBytes}} {
		if *d.to == 0 {
			*d.to = d.by
		}
	}
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Key == nil {
		o.Key = columnKey
	}
	return o
}

// columnKey is the key of an index of a plain column; of others no row has one.
func columnKey(_ *catalog.Table, x *catalog.Index, row types.Row) (types.Datum, bool, error) {
	if x.Keys[0].Column <= 0 || x.Predicate != "" {
		return nil, false, nil
	}
	d := row[x.Keys[0].Column-1]
	return d, d != nil, nil
}

// buildDir is where index parts are built.
func (o *Options) buildDir() string { return filepath.Join(o.Dir, "build") }

func (o *Options) prepareDir() error {
	if err := os.RemoveAll(o.buildDir()); err != nil {
		return err
	}
	return os.MkdirAll(o.buildDir(), 0o700)
}
