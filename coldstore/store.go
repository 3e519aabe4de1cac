package coldstore

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/akidb/akidb/coldstore/cache"
	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

// Store is the cold store of a server. It is safe for concurrent use. Close must
// come after all reads and writes have ended.
type Store struct {
	o     Options
	cache *cache.Cache
	memo  *memo
	fetch flights

	// readyMu is held while the bucket is asked; it guards ready, and what was found
	// out last and when.
	readyMu sync.Mutex
	ready   bool
	readyAt time.Time
	refused error

	// writersMu guards the map and is held while a collection is claimed.
	writersMu sync.Mutex
	writers   map[string]*manifest.Writer

	snapshotMu sync.Mutex // held while a snapshot is made or dropped
	known      snapshotTable
}

// Open opens the cold store. It does not talk to the bucket: see Ready.
func Open(_ context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.Store == nil || o.Dir == "" {
		return nil, pgerr.New(pgerr.InternalError, "the cold store needs an object store and a folder")
	}
	if err := o.prepareDir(); err != nil {
		return nil, err
	}
	c, err := cache.Open(filepath.Join(o.Dir, "cache"), o.CacheBytes)
	if err != nil {
		return nil, err
	}
	return &Store{o: o, cache: c, memo: newMemo(o.MemoryBytes), writers: map[string]*manifest.Writer{}}, nil
}

// Close frees the cache.
func (s *Store) Close() error { return s.cache.Close() }

// askAgain is how long a bucket that refused is not asked again.
const askAgain = 5 * time.Second

// Ready says whether the bucket may be used and honours conditional writes. It asks
// once, and after a failure again when some seconds have passed.
func (s *Store) Ready(ctx context.Context) error {
	s.readyMu.Lock()
	defer s.readyMu.Unlock()
	now := s.o.Now()
	if s.ready {
		return nil
	}
	if s.refused != nil && now.Sub(s.readyAt) < askAgain && now.After(s.readyAt) {
		return s.refused
	}
	var err error
	if s.o.Check != nil {
		err = s.o.Check(ctx)
	}
	if err == nil {
		err = objectstore.Probe(ctx, s.o.Store)
	}
	if ctx.Err() != nil {
		return err // says nothing of the bucket
	}
	s.ready, s.refused, s.readyAt = err == nil, err, now
	return err
}

// Misconfigured tells whether an error of Ready is one that waiting does not mend:
// the bucket is missing, the keys are wrong, it has no conditional writes.
func Misconfigured(err error) bool {
	switch objectstore.ClassOf(err) {
	case objectstore.NoBucket, objectstore.Denied, objectstore.Invalid, objectstore.Unsupported:
		var e *objectstore.Error
		return errors.As(err, &e)
	}
	return false
}

// writer is the right to publish for a collection, claimed at first use.
func (s *Store) writer(ctx context.Context, collection string) (*manifest.Writer, error) {
	s.writersMu.Lock()
	defer s.writersMu.Unlock()
	if w := s.writers[collection]; w != nil {
		return w, nil
	}
	w, err := manifest.Claim(ctx, s.o.Store, collection, s.o.Server, s.o.Now)
	if err == nil {
		s.writers[collection] = w
	}
	return w, err
}

// CacheStats are the ranges found in the disk cache and not found there, and the
// bytes that it holds; memory is what lies in memory.
func (s *Store) CacheStats() (hits, misses, disk, memory int64) {
	hits, misses, disk = s.cache.Stats()
	return hits, misses, disk, s.memo.size()
}
