package metered

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/coldstore/objectstore/fault"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func counted(t *testing.T, c *Counters) (*fault.Store, objectstore.Store) {
	t.Helper()
	d, err := dir.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	f := fault.Wrap(d, 1)
	return f, retry.Wrap(Wrap(f, c), retry.Policy{First: 1, OnRetry: c.Retried})
}

func TestACountedStoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) objectstore.Store {
		_, s := counted(t, &Counters{})
		return s
	})
}

func TestEveryAttemptIsCountedWithItsOutcome(t *testing.T) {
	c := &Counters{}
	f, s := counted(t, c)
	f.Add(fault.Rule{Op: objectstore.OpPut, Count: 2, Effect: fault.Fail(objectstore.Throttled)})
	if _, err := objectstore.PutBytes(t.Context(), s, "k", make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{Length: 100}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stat(t.Context(), "none"); err == nil {
		t.Fatal("there")
	}
	if _, err := s.List(t.Context(), "", "", 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	c.Requests(func(op objectstore.Op, outcome string, n int64) { got[fmt.Sprint(op, " ", outcome)] = n })
	want := map[string]int64{"put throttled": 2, "put ok": 1, "get ok": 1, "stat not_found": 1, "list ok": 1, "delete ok": 1}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	if c.UploadBytes() != 1000 || c.DownloadBytes() != 100 || c.Retries(objectstore.OpPut) != 2 || c.Retries(objectstore.OpGet) != 0 || c.Time(objectstore.OpPut) <= 0 {
		t.Errorf("%d up, %d down, %d retries", c.UploadBytes(), c.DownloadBytes(), c.Retries(objectstore.OpPut))
	}
}
