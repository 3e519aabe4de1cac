package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Store is a directory that keeps objects. It holds nothing open between calls.
type Store struct {
	root  string
	locks lockTable
}

var _ objectstore.Store = (*Store)(nil)

const (
	tempDir  = ".tmp"
	lockDir  = ".locks"
	dirMode  = 0o700
	fileMode = 0o600
)

// Open makes root a store, creating it if its parent is there, and removes what
// writers that died left behind.
func Open(root string) (*Store, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	s := &Store{root: abs}
	s.locks.init(filepath.Join(abs, lockDir))
	for _, d := range []string{abs, filepath.Join(abs, tempDir), filepath.Join(abs, lockDir)} {
		if err := os.Mkdir(d, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, s.fail(context.Background(), objectstore.OpPut, "", err)
		}
	}
	if err := syncDir(filepath.Dir(abs)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, s.fail(context.Background(), objectstore.OpPut, "", err)
	}
	return s, s.sweep()
}

// String names the store in errors and logs.
func (s *Store) String() string { return "directory " + s.root }

// Stat implements objectstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (objectstore.Info, error) {
	if err := s.check(ctx, objectstore.OpStat, key); err != nil {
		return objectstore.Info{}, err
	}
	fi, err := statFile(s.path(key))
	if err != nil {
		return objectstore.Info{}, s.fail(ctx, objectstore.OpStat, key, err)
	}
	return info(key, fi), nil
}

// Get implements objectstore.Store. The open file is one version, whatever
// happens to its name.
func (s *Store) Get(ctx context.Context, key string, r objectstore.Range) (*objectstore.Object, error) {
	if err := s.check(ctx, objectstore.OpGet, key); err != nil {
		return nil, err
	}
	f, err := os.Open(s.path(key))
	if err != nil {
		return nil, s.fail(ctx, objectstore.OpGet, key, err)
	}
	o, err := s.open(ctx, key, f, r)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return o, nil
}

func (s *Store) open(ctx context.Context, key string, f *os.File, r objectstore.Range) (*objectstore.Object, error) {
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, s.fail(ctx, objectstore.OpGet, key, err)
	}
	off, n, ok := r.Within(fi.Size())
	if !ok {
		return nil, &objectstore.Error{Class: objectstore.OutOfRange, Op: objectstore.OpGet, Place: s.String(), Key: key,
			Err: fmt.Errorf("byte %d of %d", r.Offset, fi.Size())}
	}
	b := &body{ctx: ctx, store: s, key: key, file: f, r: io.NewSectionReader(f, off, n), left: n}
	return &objectstore.Object{Info: info(key, fi), Offset: off, Length: n, Body: b}, nil
}

// Delete implements objectstore.Store. Folders that become empty go too.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.check(ctx, objectstore.OpDelete, key); err != nil {
		return err
	}
	unlock, err := s.locks.lock(ctx, key)
	if err != nil {
		return s.fail(ctx, objectstore.OpDelete, key, err)
	}
	defer unlock()
	if err := s.remove(key); err != nil {
		return s.fail(ctx, objectstore.OpDelete, key, err)
	}
	return nil
}

func (s *Store) remove(key string) error {
	path := s.path(key)
	if _, err := statFile(path); err != nil {
		return s.missingIsFine(err)
	}
	if err := os.Remove(path); err != nil {
		return s.missingIsFine(err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return s.missingIsFine(err)
	}
	for d := filepath.Dir(path); d != s.root && os.Remove(d) == nil; d = filepath.Dir(d) {
	}
	return nil
}

// missingIsFine forgives that a file is not there, unless the store is not.
func (s *Store) missingIsFine(err error) error {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	if _, gone := os.Stat(s.root); gone != nil {
		return gone
	}
	return nil
}

func (s *Store) path(key string) string { return filepath.Join(s.root, filepath.FromSlash(key)) }

func (s *Store) check(ctx context.Context, op objectstore.Op, key string) error {
	if err := objectstore.CheckKey(key); err != nil {
		return &objectstore.Error{Class: objectstore.Invalid, Op: op, Place: s.String(), Key: key, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return s.fail(ctx, op, key, err)
	}
	return nil
}

// fail wraps an error of the system, unless it is wrapped already.
func (s *Store) fail(ctx context.Context, op objectstore.Op, key string, err error) error {
	var known *objectstore.Error
	if errors.As(err, &known) {
		return err
	}
	e := &objectstore.Error{Class: objectstore.ClassOfSystem(ctx, err), Op: op, Place: s.String(), Key: key, Err: err}
	switch {
	case e.Class == objectstore.NotFound:
		if _, gone := os.Stat(s.root); gone != nil {
			e.Class = objectstore.NoBucket
		}
	case e.Class == objectstore.Invalid && op != objectstore.OpPut:
		e.Class = objectstore.NotFound // a part of the key is a file
	case e.Class == objectstore.Denied:
		e.Hint = "The user that the server runs as must be able to read and write the directory."
	case e.Class == objectstore.Full:
		e.Hint = "Free space on the file system of the directory; nothing was changed."
	}
	return e
}

// statFile is Lstat for regular files: a folder is no object.
func statFile(path string) (fs.FileInfo, error) {
	fi, err := os.Lstat(path)
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "stat", Path: path, Err: syscall.ENOENT}
	}
	return fi, err
}

// info describes a file; see the package comment for the tag.
func info(key string, fi fs.FileInfo) objectstore.Info {
	var inode uint64
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		inode = st.Ino
	}
	tag := fmt.Sprintf("%x-%x-%x", fi.ModTime().UnixNano(), inode, fi.Size())
	return objectstore.Info{Key: key, Size: fi.Size(), Tag: objectstore.Tag(tag), Modified: fi.ModTime()}
}

// body reads a section of a file until the context ends.
type body struct {
	ctx   context.Context
	store *Store
	key   string
	file  *os.File
	r     io.Reader
	left  int64
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, b.store.fail(b.ctx, objectstore.OpGet, b.key, err)
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if errors.Is(err, io.EOF) && b.left > 0 { // somebody cut the file
		err = objectstore.Corrupt(b.store.String(), b.key, "%d bytes are missing at the end", b.left)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.store.fail(b.ctx, objectstore.OpGet, b.key, err)
	}
	return n, err
}

func (b *body) Close() error { return b.file.Close() }

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
