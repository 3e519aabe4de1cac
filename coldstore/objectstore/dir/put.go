package dir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// copyBytes is the buffer of a put: above 256 KiB, copying is no faster.
const copyBytes = 256 << 10

// Put implements objectstore.Store. The body is written and synced before the lock
// of the key is taken, so that a slow writer keeps nobody waiting.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	if err := s.check(ctx, objectstore.OpPut, key); err != nil {
		return objectstore.Info{}, err
	}
	in, err := s.put(ctx, key, body, o)
	if err != nil {
		return objectstore.Info{}, s.fail(ctx, objectstore.OpPut, key, err)
	}
	return in, nil
}

func (s *Store) put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	if err := s.holds(key, o); err != nil { // spares the loser the copying
		return objectstore.Info{}, err
	}
	t, err := s.newTemp()
	if err != nil {
		return objectstore.Info{}, err
	}
	defer t.discard()
	if err := t.fill(ctx, objectstore.Sized(body, o.Size)); err != nil {
		return objectstore.Info{}, err
	}
	unlock, err := s.locks.lock(ctx, key)
	if err != nil {
		return objectstore.Info{}, err
	}
	defer unlock()
	if err := s.holds(key, o); err != nil {
		return objectstore.Info{}, err
	}
	return s.publish(t, key)
}

// holds tests the condition of a put. It is certain only under the lock.
func (s *Store) holds(key string, o objectstore.PutOptions) error {
	if !o.Conditional() {
		return nil
	}
	fi, err := statFile(s.path(key))
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	switch {
	case err != nil && !missing:
		return err
	case o.IfAbsent && missing, o.IfMatch != "" && !missing && info(key, fi).Tag == o.IfMatch:
		return nil
	}
	return &objectstore.Error{Class: objectstore.Condition, Op: objectstore.OpPut, Place: s.String(), Key: key}
}

// publish gives the temporary file its name. A folder that a delete takes away
// meanwhile is made again.
func (s *Store) publish(t *temp, key string) (objectstore.Info, error) {
	path := s.path(key)
	if err := t.stampAfter(path); err != nil {
		return objectstore.Info{}, err
	}
	fi, err := t.file.Stat()
	if err != nil {
		return objectstore.Info{}, err
	}
	for try := 0; ; try++ {
		err := s.makeFolders(filepath.Dir(path))
		if err == nil {
			err = os.Rename(t.path, path)
		}
		if errors.Is(err, fs.ErrNotExist) && try < 100 {
			if _, gone := os.Stat(s.root); gone == nil {
				continue
			}
		}
		if err != nil {
			return objectstore.Info{}, err
		}
		return info(key, fi), syncDir(filepath.Dir(path))
	}
}

// makeFolders is MkdirAll that syncs each folder in which it made one.
func (s *Store) makeFolders(path string) error {
	if fi, err := os.Stat(path); err == nil {
		if !fi.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if path == s.root {
		return &fs.PathError{Op: "stat", Path: path, Err: syscall.ENOENT}
	}
	if err := s.makeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// temp is a file being written. Its flock says that its writer lives.
type temp struct {
	file *os.File
	path string
}

func (s *Store) newTemp() (*temp, error) {
	f, err := os.CreateTemp(filepath.Join(s.root, tempDir), "put-*")
	if err != nil {
		return nil, err
	}
	t := &temp{file: f, path: f.Name()}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.discard()
		return nil, err
	}
	return t, nil
}

func (t *temp) fill(ctx context.Context, body io.Reader) error {
	w := struct{ io.Writer }{t.file} // hides ReadFrom, which would not look at the context
	if _, err := io.CopyBuffer(w, &cancelable{ctx, body}, make([]byte, copyBytes)); err != nil {
		return err
	}
	return t.file.Sync()
}

// stampAfter sets the time of the file: now, but later than that of the file it
// replaces. The last digits are random, so that a key that was deleted does not get
// an old tag again when the clock goes back.
func (t *temp) stampAfter(path string) error {
	at := time.Now().Truncate(time.Microsecond).Add(time.Duration(rand.Int64N(1000)))
	old, err := statFile(path)
	for step := time.Duration(1); ; step *= 1000 {
		if err == nil && !at.After(old.ModTime()) {
			at = old.ModTime().Add(step)
		}
		if err := os.Chtimes(t.path, at, at); err != nil {
			return err
		}
		set, serr := t.file.Stat()
		if serr != nil {
			return serr
		}
		if err != nil || set.ModTime().After(old.ModTime()) {
			return nil
		}
		at = old.ModTime() // the file system keeps coarser times: a wider step
	}
}

// discard closes the file and removes it if it has not got its name.
func (t *temp) discard() {
	_ = os.Remove(t.path) // gone after a rename; else the next Open sweeps it
	_ = t.file.Close()    // synced before, or not wanted
}

// cancelable ends a copy with the context.
type cancelable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
