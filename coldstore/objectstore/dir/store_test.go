package dir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
	"github.com/akidb/akidb/internal/pgerr"
)

func fresh(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestADirectoryKeepsThePromisesOfAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) objectstore.Store { return fresh(t) })
}

func TestObjectsAreFilesUnderTheirKeys(t *testing.T) {
	s := fresh(t)
	if _, err := objectstore.PutBytes(t.Context(), s, "collections/7/a.parquet", []byte("rows")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(s.root, "collections/7/a.parquet"))
	if err != nil || string(data) != "rows" {
		t.Fatalf("%q, %v", data, err)
	}
	if left, _ := os.ReadDir(filepath.Join(s.root, tempDir)); len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
	if err := s.Delete(t.Context(), "collections/7/a.parquet"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.root, "collections")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the empty folder stayed: %v", err)
	}
}

func TestAKeyCannotBeAFolderOfAnother(t *testing.T) {
	s := fresh(t)
	if _, err := objectstore.PutBytes(t.Context(), s, "a", nil); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/b", "a/b/c"} {
		if _, err := objectstore.PutBytes(t.Context(), s, key, nil); !objectstore.Is(err, objectstore.Invalid) {
			t.Errorf("%s beside a: %v", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !objectstore.Is(err, objectstore.NotFound) {
			t.Errorf("stat %s: %v", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
}

func TestTagsDifferWhenTheClockStandsOrGoesBack(t *testing.T) {
	s := fresh(t)
	in, err := objectstore.PutBytes(t.Context(), s, "k", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(s.path("k"), future, future); err != nil {
		t.Fatal(err)
	}
	old, err := s.Stat(t.Context(), "k")
	if err != nil || old.Tag == in.Tag {
		t.Fatalf("%v %v", old, err)
	}
	next, err := objectstore.PutBytes(t.Context(), s, "k", []byte("y"))
	if err != nil || !next.Modified.After(old.Modified) {
		t.Errorf("%v is not after %v; %v", next.Modified, old.Modified, err)
	}
}

func TestOpenSweepsWhatDeadWritersLeft(t *testing.T) {
	s := fresh(t)
	old := time.Now().Add(-2 * newTempAge)
	dead := filepath.Join(s.root, tempDir, "put-dead")
	if err := os.WriteFile(dead, []byte("x"), fileMode); err != nil {
		t.Fatal(err)
	}
	alive, err := s.newTemp()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.discard()
	for _, p := range []string{dead, alive.path} {
		if err := os.Chtimes(p, old, old); err != nil {
			t.Fatal(err)
		}
	}
	young, err := s.newTemp()
	if err != nil {
		t.Fatal(err)
	}
	young.file.Close()
	if _, err := Open(s.root); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]bool{dead: false, alive.path: true, young.path: true} {
		if _, err := os.Stat(p); (err == nil) != want {
			t.Errorf("%s: there %v, want %v", filepath.Base(p), err == nil, want)
		}
	}
}

func TestAStoreThatWasRemovedIsNoBucket(t *testing.T) {
	s := fresh(t)
	if err := os.RemoveAll(s.root); err != nil {
		t.Fatal(err)
	}
	_, err := s.Stat(t.Context(), "a")
	_, perr := objectstore.PutBytes(t.Context(), s, "a", nil)
	_, lerr := s.List(t.Context(), "", "", 0)
	for _, err := range []error{err, perr, lerr, s.Delete(t.Context(), "a")} {
		if !objectstore.Is(err, objectstore.NoBucket) {
			t.Errorf("%v", err)
		}
	}
	if pe := pgerr.As(err); pe == nil || pe.Code != pgerr.UndefinedFile || pe.Hint == "" {
		t.Errorf("a client sees %+v", pe)
	}
}

func TestAFullDiskHasItsOwnCode(t *testing.T) {
	s := fresh(t)
	err := s.fail(t.Context(), objectstore.OpPut, "k", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if pe := pgerr.As(err); !objectstore.Is(err, objectstore.Full) || pe.Code != pgerr.DiskFull || !strings.Contains(pe.Hint, "Free space") {
		t.Errorf("%v", err)
	}
}

func TestAFileThatWasCutIsCorrupted(t *testing.T) {
	s := fresh(t)
	if _, err := objectstore.PutBytes(t.Context(), s, "k", make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	o, err := s.Get(t.Context(), "k", objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if err := os.Truncate(s.path("k"), 500); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := got.ReadFrom(o.Body); !objectstore.Is(err, objectstore.Corrupted) || pgerr.Code(err) != pgerr.DataCorrupted {
		t.Errorf("%v after %d bytes", err, got.Len())
	}
}

// Processes count one number up by compare-and-swap; while they do, one after
// another is killed and replaced. Every increment that a process has reported must count.
func TestProcessesSwapWithoutLosingOne(t *testing.T) {
	s := fresh(t)
	if _, err := objectstore.Create(t.Context(), s, "n", []byte("0")); err != nil {
		t.Fatal(err)
	}
	const processes, each = 4, 25
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for i := range processes + 1 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "DIR_CHILD="+s.root, "DIR_CHILD_COUNT="+strconv.Itoa(each))
		out := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
		if i == 0 { // this one dies in the middle
			time.AfterFunc(20*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
	}
	acknowledged := 0
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil && i > 0 {
			t.Errorf("process %d: %v", i, err)
		}
		acknowledged += strings.Count(outs[i].String(), "+")
	}
	data, _, err := objectstore.GetBytes(t.Context(), s, "n", objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := strconv.Atoi(string(data)); n < acknowledged || n > acknowledged+1 || acknowledged < processes*each {
		t.Errorf("counted %d, %d were acknowledged", n, acknowledged)
	}
}

// runChild is a process of the test above.
func runChild() bool {
	root := os.Getenv("DIR_CHILD")
	if root == "" {
		return false
	}
	if err := countUp(root, os.Getenv("DIR_CHILD_COUNT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}
