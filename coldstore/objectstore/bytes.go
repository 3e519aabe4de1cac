package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Create puts data under key if nothing is there.
func Create(ctx context.Context, s Store, key string, data []byte) (Info, error) {
	return s.Put(ctx, key, bytes.NewReader(data), PutOptions{IfAbsent: true, Size: int64(len(data))})
}

// Swap puts data under key if the version there is still tag.
func Swap(ctx context.Context, s Store, key string, tag Tag, data []byte) (Info, error) {
	return s.Put(ctx, key, bytes.NewReader(data), PutOptions{IfMatch: tag, Size: int64(len(data))})
}

// PutBytes puts data under key, whatever is there.
func PutBytes(ctx context.Context, s Store, key string, data []byte) (Info, error) {
	return s.Put(ctx, key, bytes.NewReader(data), PutOptions{Size: int64(len(data))})
}

// GetBytes reads a range whole, for what is known to be small.
func GetBytes(ctx context.Context, s Store, key string, r Range) ([]byte, Info, error) {
	o, err := s.Get(ctx, key, r)
	if err != nil {
		return nil, Info{}, err
	}
	defer func() { _ = o.Body.Close() }() // only read
	data := make([]byte, o.Length)
	if n, err := io.ReadFull(o.Body, data); err != nil {
		return nil, Info{}, short(key, int64(n), o.Length, err)
	}
	return data, o.Info, nil
}

// Each calls fn for every object under prefix, in order, until fn fails.
func Each(ctx context.Context, s Store, prefix string, fn func(Info) error) error {
	after := ""
	for {
		page, err := s.List(ctx, prefix, after, MaxPage)
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			if err := fn(o); err != nil {
				return err
			}
			after = o.Key
		}
		if !page.More {
			return nil
		}
	}
}

// short gives the error of a body that ended too early its class.
func short(key string, n, want int64, err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &Error{Class: Unavailable, Op: OpGet, Place: "the object store", Key: key,
		Err: fmt.Errorf("the answer ended after %d of %d bytes: %w", n, want, io.ErrUnexpectedEOF)}
}
