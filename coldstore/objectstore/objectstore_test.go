package objectstore_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/internal/pgerr"
)

// careless is a store that ignores conditions, as some that speak S3 do.
type careless struct {
	objectstore.Store
	ifAbsent, ifMatch, refuses bool // conditions that it does honour, or refuses
}

func (c careless) Put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	if c.refuses && o.Conditional() {
		return objectstore.Info{}, &objectstore.Error{Class: objectstore.Unsupported, Op: objectstore.OpPut, Key: key, Code: "NotImplemented"}
	}
	o.IfAbsent = o.IfAbsent && c.ifAbsent
	if !c.ifMatch {
		o.IfMatch = ""
	}
	return c.Store.Put(ctx, key, body, o)
}

func TestTheProbeRefusesStoresWithoutConditions(t *testing.T) {
	for _, c := range []careless{{}, {ifAbsent: true}, {ifMatch: true}, {refuses: true}} {
		d, err := dir.Open(filepath.Join(t.TempDir(), "store"))
		if err != nil {
			t.Fatal(err)
		}
		c.Store = d
		err = objectstore.Probe(t.Context(), c)
		pe := pgerr.As(err)
		if !objectstore.Is(err, objectstore.Unsupported) || pe.Code != pgerr.FeatureNotSupported || !strings.Contains(pe.Hint, "conditional writes") {
			t.Errorf("%+v: %v", c, err)
		}
		if page, err := d.List(t.Context(), "", "", 0); err != nil || len(page.Objects) != 0 {
			t.Errorf("%+v left %v; %v", c, page, err)
		}
	}
}

func TestErrorsOfTheSystemHaveTheirClass(t *testing.T) {
	for _, c := range []struct {
		err   error
		class objectstore.Class
		state string
	}{
		{syscall.ENOSPC, objectstore.Full, pgerr.DiskFull},
		{&os.PathError{Err: syscall.EDQUOT}, objectstore.Full, pgerr.DiskFull},
		{syscall.EACCES, objectstore.Denied, pgerr.InsufficientPrivilege},
		{syscall.EIO, objectstore.Failed, pgerr.IOError},
		{syscall.ENOENT, objectstore.NotFound, pgerr.UndefinedFile},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, objectstore.Unavailable, pgerr.IOError},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, objectstore.Timeout, pgerr.IOError},
		{&net.DNSError{IsNotFound: true}, objectstore.Unavailable, pgerr.IOError},
		{io.ErrUnexpectedEOF, objectstore.Unavailable, pgerr.IOError},
		{context.Canceled, objectstore.Canceled, pgerr.QueryCanceled},
		{errors.New("what is this"), objectstore.Failed, pgerr.IOError},
	} {
		if got := objectstore.ClassOfSystem(t.Context(), c.err); got != c.class || got.SQLSTATE() != c.state {
			t.Errorf("%v: %s %s, want %s %s", c.err, got, got.SQLSTATE(), c.class, c.state)
		}
	}
}

func TestEveryClassHasANameACodeAndAHint(t *testing.T) {
	names := map[string]bool{}
	for c := range objectstore.Class(objectstore.Classes) {
		err := &objectstore.Error{Class: c, Op: objectstore.OpGet, Place: "bucket b", Key: "k", Code: "Code", Attempts: 4, Err: syscall.EIO}
		pe := pgerr.As(err)
		if names[c.String()] || c.String() == "" || len(pe.Code) != 5 || pe.Hint == "" && c != objectstore.Canceled {
			t.Errorf("class %d: %q %+v", c, c, pe)
		}
		names[c.String()] = true
		for _, part := range []string{"get", `"k"`, "bucket b", "(Code)", "after 4 attempts"} {
			if !strings.Contains(pe.Message, part) {
				t.Errorf("%s: %q lacks %q", c, pe.Message, part)
			}
		}
		if !errors.Is(err, syscall.EIO) || strings.HasPrefix(pe.Code, "08") || strings.HasPrefix(pe.Code, "28") {
			t.Errorf("%s: %+v", c, pe)
		}
	}
}

func TestRangesResolve(t *testing.T) {
	for _, c := range []struct {
		r         objectstore.Range
		size      int64
		off, want int64
		ok        bool
	}{
		{objectstore.Range{}, 0, 0, 0, true}, {objectstore.Range{}, 5, 0, 5, true}, {objectstore.Range{Offset: 5}, 5, 0, 0, false},
		{objectstore.Range{Offset: 4, Length: 9}, 5, 4, 1, true}, {objectstore.Range{Length: 1}, 0, 0, 0, false},
		{objectstore.Tail(3), 5, 2, 3, true}, {objectstore.Tail(9), 5, 0, 5, true}, {objectstore.Tail(9), 0, 0, 0, true},
	} {
		if off, n, ok := c.r.Within(c.size); off != c.off || n != c.want || ok != c.ok {
			t.Errorf("%+v of %d: %d, %d, %v", c.r, c.size, off, n, ok)
		}
	}
}
