package rowstore

import (
	"os"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// diskFS is the file system that Pebble gets: what fails for want of room waits
// until there is some (space.go), everything else passes.
type diskFS struct {
	vfs.FS
	space   *space
	failure *failure
	synced  func(time.Duration) // or nil
}

// Unwrap returns the file system below.
func (d *diskFS) Unwrap() vfs.FS { return d.FS }

// isLog says whether a file is one of the write-ahead log.
func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

// file runs an operation that makes a file.
func (d *diskFS) file(name string, op func() (vfs.File, error)) (vfs.File, error) {
	var f vfs.File
	err := d.space.retry(func() (err error) {
		f, err = op()
		return err
	})
	if err != nil {
		if isLog(name) {
			d.failure.stop(err)
		}
		return nil, err
	}
	return &diskFile{File: f, disk: d, log: isLog(name)}, nil
}

// OpenDir opens a folder to sync it. A new log is there only when that succeeds.
func (d *diskFS) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, disk: d, log: true}, nil
}

// Create makes a file.
func (d *diskFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.file(name, func() (vfs.File, error) { return d.FS.Create(name, c) })
}

// OpenReadWrite opens a file, or makes it.
func (d *diskFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.file(name, func() (vfs.File, error) { return d.FS.OpenReadWrite(name, c, opts...) })
}

// ReuseForWrite renames a file and opens it.
func (d *diskFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.file(to, func() (vfs.File, error) { return d.FS.ReuseForWrite(from, to, c) })
}

// Link makes a link.
func (d *diskFS) Link(from, to string) error {
	return d.space.retry(func() error { return d.FS.Link(from, to) })
}

// Rename renames a file.
func (d *diskFS) Rename(from, to string) error {
	return d.space.retry(func() error { return d.FS.Rename(from, to) })
}

// MkdirAll makes a folder.
func (d *diskFS) MkdirAll(dir string, perm os.FileMode) error {
	return d.space.retry(func() error { return d.FS.MkdirAll(dir, perm) })
}

// diskFile is a file that is written. A failed sync is not tried again: the
// kernel may have dropped what it could not write, and say yes the second time.
type diskFile struct {
	vfs.File
	disk *diskFS
	log  bool // a failure stops the writer
}

func (f *diskFile) must(err error) error {
	if err != nil && f.log {
		f.disk.failure.stop(err)
	}
	return err
}

// Write writes all of p, waiting for room when there is none.
func (f *diskFile) Write(p []byte) (int, error) {
	done := 0
	err := f.disk.space.retry(func() error {
		n, err := f.File.Write(p[done:])
		done += n
		return err
	})
	return done, f.must(err)
}

// Sync brings everything to disk.
func (f *diskFile) Sync() error { return f.must(f.File.Sync()) }

// SyncData brings the data to disk.
func (f *diskFile) SyncData() error {
	if !f.log || f.disk.synced == nil {
		return f.must(f.File.SyncData())
	}
	start := time.Now()
	err := f.must(f.File.SyncData())
	f.disk.synced(time.Since(start))
	return err
}

// Close closes the file.
func (f *diskFile) Close() error { return f.must(f.File.Close()) }

// Preallocate reserves room; without it the file grows as it is written.
func (f *diskFile) Preallocate(offset, length int64) error {
	if err := f.File.Preallocate(offset, length); !outOfRoom(err) {
		return err
	}
	return nil
}
