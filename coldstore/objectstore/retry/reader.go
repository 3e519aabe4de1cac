package retry

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// progress is how many bytes a reopened body must give before its next break
// counts as a new failure: a connection that breaks every few bytes is no better
// than none.
const progress = 1 << 20

// reader is a body that is opened again when it breaks off.
type reader struct {
	ctx        context.Context
	store      *Store
	key        string
	tag        objectstore.Tag
	next, left int64 // the range still to come
	body       io.ReadCloser
	failures   int   // in a row
	since      int64 // bytes read since the last failure
	err        error // the end
}

func (r *reader) Read(p []byte) (int, error) {
	for r.err == nil {
		n, err := r.body.Read(p)
		r.advance(n)
		r.err = r.settle(err)
		if n > 0 || r.err == nil && err == nil {
			return n, r.err
		}
	}
	return 0, r.err
}

func (r *reader) advance(n int) {
	r.next += int64(n)
	r.left -= int64(n)
	if r.since += int64(n); r.since >= progress {
		r.failures = 0
	}
}

// settle decides what an error of the body means: nil when reading goes on.
func (r *reader) settle(err error) error {
	if err == nil {
		return nil
	}
	if r.left == 0 { // all is there, however the connection ended
		return io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = &objectstore.Error{Class: objectstore.Unavailable, Op: objectstore.OpGet, Place: r.store.String(), Key: r.key,
			Err: fmt.Errorf("%d bytes are missing at the end: %w", r.left, io.ErrUnexpectedEOF)}
	}
	for {
		r.failures++
		if !r.store.policy.again(err, r.failures) {
			return counted(err, r.failures)
		}
		if r.store.policy.pause(r.ctx, objectstore.OpGet, r.failures, err) != nil {
			return canceled(r.ctx, objectstore.OpGet, err, r.failures)
		}
		if err = r.reopen(); err == nil {
			return nil
		}
	}
}

// reopen opens the rest of the range, if the object is still the same.
func (r *reader) reopen() error {
	r.since = 0
	o, err := r.store.inner.Get(r.ctx, r.key, objectstore.Range{Offset: r.next, Length: r.left})
	if err != nil {
		return err
	}
	if o.Tag != r.tag || o.Length != r.left {
		_ = o.Body.Close() // not the object that was asked for
		return &objectstore.Error{Class: objectstore.Condition, Op: objectstore.OpGet, Place: r.store.String(), Key: r.key,
			Hint: "Read it again.", Err: fmt.Errorf("the object was replaced while it was read")}
	}
	_ = r.body.Close() // it has failed already
	r.body = o.Body
	return nil
}

func (r *reader) Close() error { return r.body.Close() }
