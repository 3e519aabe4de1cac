package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/coldstore/objectstore/metered"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/s3"
	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering"
)

// coldMemoryShare is the share of the memory limit that the cold store takes for
// what it has open, where the configuration leaves that open.
const coldMemoryShare = 16

// startPatience is how long a start waits for the bucket to answer.
const startPatience = 3 * time.Second

// bucket is an object store as the configuration names it.
type bucket struct {
	store objectstore.Store
	// check asks whether it is there; nil when that is certain.
	check func(context.Context) error
	close func() error
}

// coldDurations are the times of the configuration.
type coldDurations struct{ backoff, timeout, keep, grace time.Duration }

func (n *node) coldDurations() (d coldDurations, err error) {
	c := &n.config.ColdStore
	for _, x := range []struct {
		key, value string
		to         *time.Duration
	}{
		{"backoff", c.Backoff, &d.backoff}, {"timeout", c.Timeout, &d.timeout},
		{"keep_snapshots_for", c.KeepSnapshotsFor, &d.keep}, {"garbage_grace", c.Grace, &d.grace},
	} {
		if x.value == "" {
			continue
		}
		if *x.to, err = tiering.ParseDuration(x.value); err != nil {
			return d, fmt.Errorf("invalid value for \"cold_store.%s\": %w", x.key, err)
		}
	}
	return d, nil
}

// openBucket opens the bucket or directory with its wrappers on.
func (n *node) openBucket(d coldDurations) (bucket, error) {
	c := &n.config.ColdStore
	name, prefix, path, err := c.Location()
	if err != nil {
		return bucket{}, fmt.Errorf("invalid value for \"cold_store.url\": %w", err)
	}
	policy := retry.Policy{Retries: c.Retries, First: d.backoff, OnRetry: n.metrics.objects.Retried}
	if c.Retries == 0 {
		policy.Retries = -1
	}
	b := bucket{close: func() error { return nil }}
	var inner objectstore.Store
	if name == "" {
		if path == "" {
			path = filepath.Join(n.config.DataDir, "cold")
		}
		inner, err = dir.Open(path)
	} else {
		var s *s3.Store
		if s, err = s3.Open(n.s3Options(name, prefix, policy, d)); err == nil {
			inner, b.check, b.close = s, s.Check, s.Close
		}
	}
	if err != nil {
		return b, fmt.Errorf("cold store: %w", err)
	}
	b.store = retry.Wrap(metered.Wrap(inner, &n.metrics.objects), policy)
	return b, nil
}

var addressing = map[string]string{"auto": "", "true": "path", "false": "virtual"}

func (n *node) s3Options(name, prefix string, policy retry.Policy, d coldDurations) s3.Options {
	c := &n.config.ColdStore
	return s3.Options{
		Endpoint: c.Endpoint, Bucket: name, CreateBucket: c.CreateBucket, Prefix: prefix, Region: c.Region, Addressing: addressing[c.PathStyle],
		Credentials: c.Credentials, AccessKey: c.AccessKey, SecretKey: c.SecretKey, SessionToken: c.SessionToken,
		Encryption: c.Encryption, KMSKey: c.KMSKey, CustomerKey: c.CustomerKey, CAFile: c.CAFile,
		InsecureSkipVerify: c.InsecureSkipVerify, Warn: func(m string) { n.log.Warn(m) },
		Checksum: c.Checksum, Timeout: d.timeout, Retry: policy,
	}
}

// openCold opens the cold store. A bucket that does not answer is asked again when it
// is needed; one that says that the configuration is wrong ends the start.
func (n *node) openCold(ctx context.Context) (*coldstore.Store, error) {
	d, err := n.coldDurations()
	if err != nil {
		return nil, err
	}
	b, err := n.openBucket(d)
	if err != nil {
		return nil, err
	}
	n.onClose(b.close)
	c := &n.config.ColdStore
	memory := c.MemoryBytes
	if memory == 0 {
		memory = n.config.MemoryLimit / coldMemoryShare
	}
	server, err := serverID(n.config.DataDir)
	if err != nil {
		return nil, err
	}
	n.sweepEvery = min(time.Hour, d.grace)
	cold, err := coldstore.Open(ctx, coldstore.Options{
		Server: server, Store: b.store, Check: b.check, Dir: cacheDir(n.config.DataDir), CacheBytes: c.CacheBytes, MemoryBytes: memory,
		SegmentBytes: c.SegmentBytes, GroupBytes: int(c.RowGroupBytes), Compression: segment.Compression(c.Compression),
		Grace: d.grace, Retention: manifest.Retention{Last: c.KeepSnapshots, MaxAge: d.keep}, Key: keyer(executor.NewKeyer()),
		Users: catalog.Users{Now: func() *catalog.Snapshot { return n.store.Catalog() }}, // asked when rows are written, long after the start
	})
	if err != nil {
		return nil, fmt.Errorf("cold store: %w", err)
	}
	n.onClose(cold.Close)
	n.metrics.cold = cold
	if b.check == nil {
		return cold, nil
	}
	first, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	switch err := cold.Ready(first); {
	case coldstore.Misconfigured(err):
		return nil, fmt.Errorf("cold store: %w", err)
	case err != nil:
		n.log.Warn("the cold store does not answer; it is asked again when it is needed", "error", err)
	}
	return cold, nil
}

func cacheDir(dir string) string { return filepath.Join(dir, "cache") }

// keys is what computes the keys of expression and partial indexes.
type keys interface {
	Keys(table *catalog.Table, x *catalog.Index, row types.Row) ([]types.Datum, bool, error)
}

func keyer(k keys) func(*catalog.Table, *catalog.Index, types.Row) (types.Datum, bool, error) {
	return func(table *catalog.Table, x *catalog.Index, row types.Row) (types.Datum, bool, error) {
		values, include, err := k.Keys(table, x, row)
		if err != nil || !include || values[0] == nil {
			return nil, false, err
		}
		return values[0], true, nil
	}
}

// serverID is the name under which a data directory owns collections in a bucket. It
// is made once, and is on disk before anything in a bucket bears it.
func serverID(dir string) (string, error) {
	path := filepath.Join(dir, "server_id")
	b, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id := coldstore.NewCollection() // a UUID
	return id, config.WriteDurably(path, []byte(id+"\n"))
}
