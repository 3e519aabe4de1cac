package dir

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const lockCount = 256

// lockTable holds the locks of keys. A key's lock is the one its hash picks;
// nobody holds two at once, so there is no order to keep.
type lockTable struct {
	dir  string
	held [lockCount]chan struct{} // full while somebody in this process holds it
}

func (t *lockTable) init(dir string) {
	t.dir = dir
	for i := range t.held {
		t.held[i] = make(chan struct{}, 1)
	}
}

// lock waits for the lock of key; the result gives it back.
func (t *lockTable) lock(ctx context.Context, key string) (unlock func(), err error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // a hash never fails
	i := h.Sum32() % lockCount
	select {
	case t.held[i] <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := lockFile(ctx, filepath.Join(t.dir, fmt.Sprintf("%02x", i)))
	if err != nil {
		<-t.held[i]
		return nil, err
	}
	return func() {
		_ = f.Close() // the lock goes with it
		<-t.held[i]
	}, nil
}

// lockFile asks again and again, because a blocking flock cannot be canceled.
// Only another process keeps it waiting, for as long as two system calls take.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	for wait := 100 * time.Microsecond; ; wait = min(2*wait, 10*time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, f.Close())
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
