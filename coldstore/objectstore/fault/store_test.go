package fault

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func whole(t *testing.T) *Store {
	t.Helper()
	d, err := dir.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return Wrap(d, 1)
}

func TestWithoutRulesNothingBreaks(t *testing.T) {
	storetest.Run(t, func(t *testing.T) objectstore.Store { return whole(t) })
}

func TestARuleSkipsThenBreaksThenIsSpent(t *testing.T) {
	s := whole(t)
	broken := s.Add(Rule{Op: objectstore.OpPut, Key: "a/*/x", Skip: 1, Count: 2, Effect: Fail(objectstore.Full)})
	for i, want := range []bool{false, true, true, false} {
		_, err := objectstore.PutBytes(t.Context(), s, "a/b/x", nil)
		if objectstore.Is(err, objectstore.Full) != want {
			t.Errorf("put %d: %v", i, err)
		}
	}
	if _, err := objectstore.PutBytes(t.Context(), s, "a/b/y", nil); err != nil || broken() != 2 {
		t.Errorf("%v, broken %d", err, broken())
	}
}

func TestChancesRepeatWithTheirSeed(t *testing.T) {
	run := func() (hits []bool) {
		s := whole(t)
		s.Add(Rule{Op: objectstore.OpStat, Chance: 0.5, Effect: Fail(objectstore.Timeout)})
		for range 50 {
			_, err := s.Stat(t.Context(), "k")
			hits = append(hits, objectstore.Is(err, objectstore.Timeout))
		}
		return hits
	}
	a, b, n := run(), run(), 0
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("request %d differs", i)
		}
		if a[i] {
			n++
		}
	}
	if n < 10 || n > 40 {
		t.Errorf("%d of 50 broke", n)
	}
}

func TestALostAnswerHappensAllTheSame(t *testing.T) {
	s := whole(t)
	s.Add(Rule{Op: objectstore.OpPut, Count: 1, Effect: LoseAnswer(objectstore.Timeout)})
	if _, err := objectstore.PutBytes(t.Context(), s, "k", []byte("x")); !objectstore.Is(err, objectstore.Timeout) {
		t.Error(err)
	}
	if data, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{}); err != nil || string(data) != "x" {
		t.Errorf("%q %v", data, err)
	}
}

func TestBodiesAreCutAndFlipped(t *testing.T) {
	s := whole(t)
	if _, err := objectstore.PutBytes(t.Context(), s, "k", make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	s.Add(Rule{Op: objectstore.OpGet, Count: 1, Effect: Flip(7)})
	data, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{})
	if err != nil || data[7] == 0 || data[6] != 0 || data[8] != 0 {
		t.Errorf("% x %v", data[:10], err)
	}
	for _, e := range []Effect{Truncate(50), Break(50)} {
		s.Add(Rule{Op: objectstore.OpGet, Count: 1, Effect: e})
		if _, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{}); !objectstore.Is(err, objectstore.Unavailable) {
			t.Error(err)
		}
	}
	s.Add(Rule{Op: objectstore.OpPut, Count: 1, Effect: Break(50)})
	if _, err := objectstore.PutBytes(t.Context(), s, "new", make([]byte, 100)); !objectstore.Is(err, objectstore.Unavailable) {
		t.Error(err)
	}
	if _, err := s.Stat(t.Context(), "new"); !objectstore.Is(err, objectstore.NotFound) {
		t.Errorf("half an object: %v", err)
	}
}

func TestAStaleListHidesWhatIsNew(t *testing.T) {
	s := whole(t)
	put := func(key string) {
		if _, err := objectstore.PutBytes(t.Context(), s, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	put("old")
	s.Add(Rule{Op: objectstore.OpList, Count: 1, Effect: StaleList()})
	put("new")
	for _, want := range []int{1, 2} {
		if p, err := s.List(t.Context(), "", "", 0); err != nil || len(p.Objects) != want {
			t.Errorf("%+v %v, want %d", p, err, want)
		}
	}
}

func TestADelayEndsWithTheContext(t *testing.T) {
	s := whole(t)
	s.Add(Rule{Effect: Delay(time.Hour)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Stat(ctx, "k"); !objectstore.Is(err, objectstore.Canceled) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.Clear()
	s.Add(Rule{Effect: Delay(time.Nanosecond)})
	if _, err := s.Stat(t.Context(), "k"); !objectstore.Is(err, objectstore.NotFound) {
		t.Error(err)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, key string
		want         bool
	}{
		{"", "a", true}, {"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*", "", true}, {"*.json", "m/1.json", true},
		{"*.json", "m/1.jsonl", false}, {"a/*/c", "a/b/b/c", true}, {"a/*/c", "a/c", false}, {"*a*b*", "xaxbx", true}, {"*a*b*", "xbxax", false},
	} {
		if got := matches(c.pattern, c.key); got != c.want {
			t.Errorf("%q against %q: %v", c.pattern, c.key, got)
		}
	}
}
