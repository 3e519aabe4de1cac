package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// readersAndWriters reads a key while it is replaced: each read must be one
// version whole, and the tag must be that version's.
func readersAndWriters(t *testing.T, s objectstore.Store) {
	const size, versions = 300_000, 16
	uniform := func(v int) []byte { return bytes.Repeat([]byte{byte(v)}, size) }
	put(t, s, "busy", uniform(0))
	c, done := ctx(t), make(chan struct{})
	var readers, putters sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				data, in, err := objectstore.GetBytes(c, s, "busy", objectstore.Range{})
				if objectstore.Is(err, objectstore.Condition) { // broken off, and replaced meanwhile
					continue
				}
				if err != nil || in.Size != size || !bytes.Equal(data, uniform(int(data[0]))) {
					t.Errorf("a mixture of versions, or %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for w := range 4 {
		putters.Go(func() {
			for v := range versions {
				if _, err := objectstore.PutBytes(c, s, "busy", uniform(w*versions+v)); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	putters.Wait()
	close(done)
	readers.Wait()
}

func failingBody(t *testing.T, s objectstore.Store) {
	for _, size := range []int{0, 1000, 20 * MiB} {
		_, err := s.Put(ctx(t), "broken", failing{bytes.NewReader(make([]byte, size))}, objectstore.PutOptions{})
		if !errors.Is(err, errBody) {
			t.Fatalf("%d bytes: %v, want the body's own error", size, err)
		}
		wantMissing(t, s, "broken")
	}
}

func wrongLength(t *testing.T, s objectstore.Store) {
	for _, size := range []int64{999, 1001, 30 * MiB} {
		if _, err := s.Put(ctx(t), "wrong", bytes.NewReader(make([]byte, 1000)), objectstore.PutOptions{Size: size}); err == nil {
			t.Fatalf("1,000 bytes announced as %d: no error", size)
		}
		wantMissing(t, s, "wrong")
	}
}

// cancelPut cancels after 20 MiB of a body that never ends.
func cancelPut(t *testing.T, s objectstore.Store) {
	c, cancel := context.WithCancel(ctx(t))
	left := 20 * MiB
	_, err := s.Put(c, "endless", readFunc(func(p []byte) (int, error) {
		if left -= len(p); left < 0 {
			cancel()
		}
		return len(p), nil
	}), objectstore.PutOptions{})
	cancel()
	wantClass(t, err, objectstore.Canceled)
	wantMissing(t, s, "endless")
}

func cancelGet(t *testing.T, s objectstore.Store) {
	put(t, s, "long", Bytes(30*MiB, 3))
	c, cancel := context.WithCancel(ctx(t))
	defer cancel()
	o, err := s.Get(c, "long", objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(o.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	cancel()
	start := time.Now()
	n, err := io.Copy(io.Discard, o.Body)
	wantClass(t, err, objectstore.Canceled)
	if n >= 30*MiB-1000 || time.Since(start) > 10*time.Second {
		t.Errorf("read %d bytes more in %v", n, time.Since(start))
	}
	if err := o.Body.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func canceledBefore(t *testing.T, s objectstore.Store) {
	put(t, s, "x", []byte("x"))
	c, cancel := context.WithCancel(ctx(t))
	cancel()
	_, err := s.Get(c, "x", objectstore.Range{})
	wantClass(t, err, objectstore.Canceled)
	_, err = s.Stat(c, "x")
	wantClass(t, err, objectstore.Canceled)
	_, err = s.List(c, "", "", 0)
	wantClass(t, err, objectstore.Canceled)
	_, err = objectstore.PutBytes(c, s, "y", []byte("y"))
	wantClass(t, err, objectstore.Canceled)
	wantClass(t, s.Delete(c, "x"), objectstore.Canceled)
	wantMissing(t, s, "y")
	wantBytes(t, s, "x", []byte("x"))
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
