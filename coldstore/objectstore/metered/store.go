package metered

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Meter is told what happens. Its methods are called from many goroutines.
type Meter interface {
	// Request is one request: outcome is "ok" or the name of the error's class.
	Request(op objectstore.Op, outcome string, took time.Duration)
	// Uploaded and Downloaded are told of bytes of bodies as they pass, those of
	// requests that fail later too.
	Uploaded(bytes int64)
	Downloaded(bytes int64)
}

// Store is a store whose requests are counted. It has no state.
type Store struct {
	inner objectstore.Store
	meter Meter
}

var _ objectstore.Store = (*Store)(nil)

// Wrap returns inner, counted by m.
func Wrap(inner objectstore.Store, m Meter) *Store { return &Store{inner, m} }

// String names the store below.
func (s *Store) String() string { return fmt.Sprint(s.inner) }

func (s *Store) done(op objectstore.Op, start time.Time, err error) {
	outcome := OK
	if err != nil {
		outcome = objectstore.ClassOf(err).String()
	}
	s.meter.Request(op, outcome, time.Since(start))
}

// Get implements objectstore.Store.
func (s *Store) Get(ctx context.Context, key string, r objectstore.Range) (*objectstore.Object, error) {
	start := time.Now()
	o, err := s.inner.Get(ctx, key, r)
	s.done(objectstore.OpGet, start, err)
	if err != nil {
		return nil, err
	}
	o.Body = body{o.Body, s.meter}
	return o, nil
}

// Put implements objectstore.Store.
func (s *Store) Put(ctx context.Context, key string, b io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	start := time.Now()
	in, err := s.inner.Put(ctx, key, upload{b, s.meter}, o)
	s.done(objectstore.OpPut, start, err)
	return in, err
}

// Stat implements objectstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (objectstore.Info, error) {
	start := time.Now()
	in, err := s.inner.Stat(ctx, key)
	s.done(objectstore.OpStat, start, err)
	return in, err
}

// List implements objectstore.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (objectstore.Page, error) {
	start := time.Now()
	p, err := s.inner.List(ctx, prefix, after, limit)
	s.done(objectstore.OpList, start, err)
	return p, err
}

// Delete implements objectstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	start := time.Now()
	err := s.inner.Delete(ctx, key)
	s.done(objectstore.OpDelete, start, err)
	return err
}

type upload struct {
	r io.Reader
	m Meter
}

func (u upload) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.m.Uploaded(int64(n))
	return n, err
}

type body struct {
	io.ReadCloser
	m Meter
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.m.Downloaded(int64(n))
	return n, err
}
