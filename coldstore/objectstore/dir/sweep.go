package dir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// newTempAge is how old a temporary file must be to be swept: its writer needs
// a moment between creating and locking it.
const newTempAge = time.Minute

// sweep removes temporary files whose writers are dead.
func (s *Store) sweep() error {
	dir := filepath.Join(s.root, tempDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s.fail(context.Background(), objectstore.OpList, tempDir, err)
	}
	for _, e := range entries {
		if err := sweepOne(filepath.Join(dir, e.Name())); err != nil {
			return s.fail(context.Background(), objectstore.OpDelete, tempDir+"/"+e.Name(), err)
		}
	}
	return nil
}

func sweepOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return missing(err)
	}
	defer func() { _ = f.Close() }() // only looked at
	fi, err := f.Stat()
	if err != nil || time.Since(fi.ModTime()) < newTempAge {
		return err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	return missing(os.Remove(path))
}
