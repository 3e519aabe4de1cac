package dir

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

func TestOnAFullDiskAPutChangesNothingAndLaterPutsWork(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(mount, 0); err != nil {
			t.Error(err)
		}
	}()
	s, err := Open(filepath.Join(mount, "store"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := objectstore.PutBytes(t.Context(), s, "k", []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = objectstore.Swap(t.Context(), s, "k", old.Tag, bytes.Repeat([]byte("x"), 2<<20))
	if pe := pgerr.As(err); !objectstore.Is(err, objectstore.Full) || pe.Code != pgerr.DiskFull {
		t.Fatalf("%v", err)
	}
	if left, err := os.ReadDir(filepath.Join(s.root, tempDir)); err != nil || len(left) != 0 {
		t.Errorf("left %v; %v", left, err)
	}
	if _, err := objectstore.Swap(t.Context(), s, "k", old.Tag, bytes.Repeat([]byte("y"), 1<<19)); err != nil {
		t.Errorf("after the space came back: %v", err)
	}
}
