package coldstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/akidb/akidb/coldstore/cache"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

// Meter counts what one statement fetched from the store; what came from the caches
// is not counted.
type Meter struct{ requests, bytes atomic.Int64 }

// Fetched is the number of requests and of bytes so far.
func (m *Meter) Fetched() (requests, bytes int64) { return m.requests.Load(), m.bytes.Load() }

type (
	meterKey struct{}
	scanKey  struct{}
)

// WithMeter lets m count what is read under the context, besides a meter that it
// already has.
func WithMeter(ctx context.Context, m *Meter) context.Context {
	if up, ok := ctx.Value(meterKey{}).(*meters); ok {
		return context.WithValue(ctx, meterKey{}, &meters{m, up})
	}
	return context.WithValue(ctx, meterKey{}, &meters{m, nil})
}

type meters struct {
	m  *Meter
	up *meters
}

func count(ctx context.Context, n int64) {
	m, _ := ctx.Value(meterKey{}).(*meters)
	for ; m != nil; m = m.up {
		m.m.requests.Add(1)
		m.m.bytes.Add(n)
	}
}

// passing marks a read that goes through a whole collection: it uses the disk cache,
// and does not fill it with what nobody will ask for again.
func passing(ctx context.Context) context.Context { return context.WithValue(ctx, scanKey{}, true) }

func isPassing(ctx context.Context) bool { return ctx.Value(scanKey{}) != nil }

func canceled() error {
	return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
}

// object is one object whose length is known.
type object struct {
	s    *Store
	key  string
	size int64
}

// read returns a range of the object, which nobody may change.
func (o object) read(ctx context.Context, offset, length int64) ([]byte, error) {
	r := cache.Range{Key: o.key, Offset: offset, Length: length}
	if data, ok := o.s.cache.Get(r); ok {
		return data, nil
	}
	data, err := o.s.fetch.do(ctx, r, func() (any, error) {
		if data, ok := o.s.cache.Get(r); ok {
			return data, nil
		}
		data, err := o.get(ctx, offset, length)
		if err == nil && !isPassing(ctx) {
			o.s.cache.Put(r, data)
		}
		return data, err
	})
	if err != nil {
		return nil, err
	}
	return data.([]byte), nil
}

// get asks the store.
func (o object) get(ctx context.Context, offset, length int64) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, canceled()
	}
	data, info, err := objectstore.GetBytes(ctx, o.s.o.Store, o.key, objectstore.Range{Offset: offset, Length: length})
	count(ctx, int64(len(data)))
	switch objectstore.ClassOf(err) {
	case objectstore.NotFound:
		return nil, damaged(o.key, "The object is missing.")
	case objectstore.OutOfRange:
		return nil, damaged(o.key, "The object is shorter than it was.")
	case objectstore.Canceled:
		return nil, canceled()
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", o.key, err)
	case info.Size != o.size:
		return nil, damaged(o.key, "The object has %d bytes instead of %d.", info.Size, o.size)
	case int64(len(data)) != length:
		return nil, damaged(o.key, "The store gave %d bytes where %d were asked for.", len(data), length)
	}
	return data, nil
}

// Get makes object what package segment reads through.
func (o object) Get(ctx context.Context, _ string, r objectstore.Range) (*objectstore.Object, error) {
	offset, length, ok := r.Within(o.size)
	if !ok {
		return nil, damaged(o.key, "The object is shorter than it was.")
	}
	data, err := o.read(ctx, offset, length)
	if err != nil {
		return nil, err
	}
	info := objectstore.Info{Key: o.key, Size: o.size}
	return &objectstore.Object{Info: info, Offset: offset, Length: length, Body: io.NopCloser(bytes.NewReader(data))}, nil
}

// damaged is the error for an object that is not what was written.
func damaged(key, format string, args ...any) error {
	return pgerr.Newf(pgerr.DataCorrupted, "object \"%s\" of the cold store is damaged", key).
		WithDetail(format, args...).
		WithHint("Restore the object from a copy, or the collection from a snapshot.")
}

// suspect forgets what the caches have of an object when err says that it is damaged:
// the damage may have been on the way.
func (s *Store) suspect(key string, err error) {
	if err == nil || pgerr.Code(err) != pgerr.DataCorrupted {
		return
	}
	s.cache.Drop(key)
	s.memo.forget(func(k any) bool {
		switch k := k.(type) {
		case segmentKey:
			return string(k) == key
		case groupKey:
			return k.segment == key
		case partKey:
			return k.key == key
		}
		return false
	})
}

// cached says whether a range lies in the disk cache.
func (o object) cached(offset, length int64) bool {
	return o.s.cache.Has(cache.Range{Key: o.key, Offset: offset, Length: length})
}
