package s3

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Get implements objectstore.Store.
func (s *Store) Get(ctx context.Context, key string, r objectstore.Range) (*objectstore.Object, error) {
	if err := s.check(ctx, objectstore.OpGet, key); err != nil {
		return nil, err
	}
	o := minio.GetObjectOptions{ServerSideEncryption: s.readKey(), Checksum: r == objectstore.Range{}}
	if err := setRange(&o, r); err != nil {
		return nil, s.fail(ctx, objectstore.OpGet, key, err)
	}
	body, st, header, err := s.core.GetObject(ctx, s.bucket, s.prefix+key, o)
	if err != nil {
		err = s.fail(ctx, objectstore.OpGet, key, err)
		if r.Offset < 0 && objectstore.Is(err, objectstore.OutOfRange) {
			return s.emptyTail(ctx, key, err)
		}
		return nil, err
	}
	in := s.info(key, st)
	length := st.Size // of the answer
	if n, ok := total(header); ok {
		in.Size = n
	}
	off, _, _ := r.Within(in.Size)
	return &objectstore.Object{Info: in, Offset: off, Length: length, Body: &reader{ctx, s, key, body}}, nil
}

func setRange(o *minio.GetObjectOptions, r objectstore.Range) error {
	switch {
	case r.Offset < 0:
		return o.SetRange(0, r.Offset)
	case r.Length > 0:
		return o.SetRange(r.Offset, r.Offset+r.Length-1)
	case r.Offset > 0:
		return o.SetRange(r.Offset, 0)
	}
	return nil
}

// emptyTail answers for the last bytes of an object without any, which S3 calls an
// impossible range.
func (s *Store) emptyTail(ctx context.Context, key string, cause error) (*objectstore.Object, error) {
	in, err := s.Stat(ctx, key)
	if err != nil || in.Size > 0 {
		return nil, cause
	}
	in.Nonce = ""
	return &objectstore.Object{Info: in, Body: io.NopCloser(bytes.NewReader(nil))}, nil
}

// reader gives errors of a body their class.
type reader struct {
	ctx   context.Context
	store *Store
	key   string
	body  io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.store.fail(r.ctx, objectstore.OpGet, r.key, err)
	}
	return n, err
}

func (r *reader) Close() error {
	_ = r.body.Close() // what matters was read; an aborted answer says so here
	return nil
}
