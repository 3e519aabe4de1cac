package retry

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Store is a store whose passing failures are retried. It has no state.
type Store struct {
	inner  objectstore.Store
	policy Policy
}

var _ objectstore.Store = (*Store)(nil)

// Wrap returns inner with retries.
func Wrap(inner objectstore.Store, p Policy) *Store { return &Store{inner, p} }

// String names the store below.
func (s *Store) String() string { return fmt.Sprint(s.inner) }

// Stat implements objectstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (in objectstore.Info, err error) {
	err = s.policy.Do(ctx, objectstore.OpStat, func(int) (err error) {
		in, err = s.inner.Stat(ctx, key)
		return err
	})
	return in, err
}

// List implements objectstore.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (p objectstore.Page, err error) {
	err = s.policy.Do(ctx, objectstore.OpList, func(int) (err error) {
		p, err = s.inner.List(ctx, prefix, after, limit)
		return err
	})
	return p, err
}

// Delete implements objectstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.policy.Do(ctx, objectstore.OpDelete, func(int) error { return s.inner.Delete(ctx, key) })
}

// Get implements objectstore.Store. The body survives lost connections.
func (s *Store) Get(ctx context.Context, key string, r objectstore.Range) (*objectstore.Object, error) {
	o, err := s.get(ctx, key, r)
	if err != nil {
		return nil, err
	}
	o.Body = &reader{ctx: ctx, store: s, tag: o.Tag, key: key, next: o.Offset, left: o.Length, body: o.Body}
	return o, nil
}

func (s *Store) get(ctx context.Context, key string, r objectstore.Range) (o *objectstore.Object, err error) {
	err = s.policy.Do(ctx, objectstore.OpGet, func(int) (err error) {
		o, err = s.inner.Get(ctx, key, r)
		return err
	})
	return o, err
}

// Put implements objectstore.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	if o.Nonce == "" {
		o.Nonce = rand.Text()
	}
	p := put{ctx: ctx, store: s, key: key, body: body, o: o}
	if seeker, ok := body.(io.Seeker); ok {
		if at, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			p.seeker, p.start = seeker, at
		}
	}
	if p.seeker == nil {
		p.replay = &replay{body: body}
		p.body = p.replay
	}
	err := p.run()
	return p.info, err
}
