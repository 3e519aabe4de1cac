package retry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/coldstore/objectstore/fault"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
	"github.com/akidb/akidb/internal/pgerr"
)

// waits is a clock that only notes for how long it was to wait.
type waits []time.Duration

func (w *waits) policy() Policy {
	return Policy{
		Jitter: func(longest time.Duration) time.Duration { return longest },
		Sleep: func(ctx context.Context, d time.Duration) error {
			*w = append(*w, d)
			return ctx.Err()
		},
	}
}

func broken(t *testing.T) (*fault.Store, *Store, *waits) {
	t.Helper()
	d, err := dir.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	f, w := fault.Wrap(d, 1), &waits{}
	return f, Wrap(f, w.policy()), w
}

func TestADirectoryWithFaultsKeepsThePromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) objectstore.Store {
		f, _, _ := broken(t)
		f.Add(fault.Rule{Op: objectstore.OpPut, Chance: 0.1, Effect: fault.LoseAnswer(objectstore.Timeout)})
		f.Add(fault.Rule{Op: objectstore.OpGet, Chance: 0.1, Effect: fault.Break(100_000)})
		f.Add(fault.Rule{Op: objectstore.OpGet, Chance: 0.1, Effect: fault.Truncate(10)})
		f.Add(fault.Rule{Chance: 0.1, Effect: fault.Fail(objectstore.Throttled)})
		for _, stream := range []string{"big", "large"} { // cannot be read twice
			f.Add(fault.Rule{Op: objectstore.OpPut, Key: stream})
		}
		f.Add(fault.Rule{Op: objectstore.OpPut, Chance: 0.05, Effect: fault.Break(500)})
		return Wrap(f, Policy{Retries: 20, First: 1, Max: 1})
	})
}

func TestPassingFailuresAreRetriedAfterOneTwoAndFourSeconds(t *testing.T) {
	for _, class := range []objectstore.Class{objectstore.Unavailable, objectstore.Throttled, objectstore.Timeout} {
		f, s, w := broken(t)
		f.Add(fault.Rule{Count: 3, Effect: fault.Fail(class)})
		if _, err := objectstore.PutBytes(t.Context(), s, "k", []byte("x")); err != nil {
			t.Errorf("%s: %v", class, err)
		}
		if want := (waits{time.Second, 2 * time.Second, 4 * time.Second}); !slices.Equal(*w, want) {
			t.Errorf("%s: waited %v, want %v", class, *w, want)
		}
	}
}

func TestTheFourthFailureIsReturnedWithItsCount(t *testing.T) {
	f, s, w := broken(t)
	f.Add(fault.Rule{Op: objectstore.OpStat, Effect: fault.Fail(objectstore.Throttled)})
	_, err := s.Stat(t.Context(), "k")
	var e *objectstore.Error
	if !errors.As(err, &e) || e.Attempts != 4 || len(*w) != 3 || f.Seen(objectstore.OpStat) != 4 {
		t.Errorf("%v after %v", err, *w)
	}
	if pe := pgerr.As(err); pe.Code != pgerr.InsufficientResources || pe.Hint == "" {
		t.Errorf("a client sees %+v", pe)
	}
}

func TestLastingFailuresAreReturnedAtOnce(t *testing.T) {
	for class := range objectstore.Class(objectstore.Classes) {
		if class.Transient() {
			continue
		}
		f, s, w := broken(t)
		f.Add(fault.Rule{Effect: fault.Fail(class)})
		_, err := objectstore.PutBytes(t.Context(), s, "k", []byte("x"))
		if !objectstore.Is(err, class) || len(*w) != 0 || f.Seen(objectstore.OpPut) != 1 || f.Seen(objectstore.OpStat) != 0 {
			t.Errorf("%s: %v after %v", class, err, *w)
		}
	}
}

func TestJitterIsBetweenZeroAndTheLongestWait(t *testing.T) {
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		d := (Policy{}).wait(3)
		least, most = min(least, d), max(most, d)
	}
	if least < 0 || least > time.Second || most > 4*time.Second || most < 3*time.Second {
		t.Errorf("between %v and %v", least, most)
	}
	if d := (Policy{Jitter: func(d time.Duration) time.Duration { return d }}).wait(60); d != 30*time.Second {
		t.Errorf("wait 60 is %v", d)
	}
}

func TestAConditionalPutWhoseAnswerIsLostKnowsItsOwnWork(t *testing.T) {
	f, s, _ := broken(t)
	f.Add(fault.Rule{Op: objectstore.OpPut, Key: "m", Count: 1, Effect: fault.LoseAnswer(objectstore.Unavailable)})
	in, err := objectstore.Create(t.Context(), s, "m", []byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	f.Add(fault.Rule{Op: objectstore.OpPut, Key: "m", Count: 1, Effect: fault.LoseAnswer(objectstore.Timeout)})
	next, err := objectstore.Swap(t.Context(), s, "m", in.Tag, []byte("ours too"))
	if err != nil {
		t.Fatal(err)
	}
	if st, err := s.Stat(t.Context(), "m"); err != nil || st.Tag != next.Tag {
		t.Errorf("tag %s, stat says %s; %v", next.Tag, st.Tag, err)
	}
}

func TestALostAnswerDoesNotHideThatAnotherWriterWasFirst(t *testing.T) {
	f, s, _ := broken(t)
	first, err := objectstore.PutBytes(t.Context(), s, "m", []byte("start"))
	if err != nil {
		t.Fatal(err)
	}
	f.Add(fault.Rule{Op: objectstore.OpPut, Count: 1, Effect: fault.Effect{
		Call: func(ctx context.Context, _ objectstore.Op, key string) error { // the other writer gets in between
			if _, err := objectstore.Swap(ctx, f, key, first.Tag, []byte("theirs")); err != nil {
				t.Error(err)
			}
			return &objectstore.Error{Class: objectstore.Unavailable, Op: objectstore.OpPut, Key: key}
		}}})
	if _, err := objectstore.Swap(t.Context(), s, "m", first.Tag, []byte("ours")); !objectstore.Is(err, objectstore.Condition) {
		t.Errorf("%v, want a refusal", err)
	}
	if data, _, _ := objectstore.GetBytes(t.Context(), s, "m", objectstore.Range{}); string(data) != "theirs" {
		t.Errorf("stored %q", data)
	}
}

func TestAStoreThatLosesEveryAnswerIsReadBackInTheEnd(t *testing.T) {
	f, s, _ := broken(t)
	f.Add(fault.Rule{Op: objectstore.OpPut, Effect: fault.LoseAnswer(objectstore.Timeout)})
	in, err := objectstore.Create(t.Context(), s, "m", []byte("ours"))
	if err != nil || in.Size != 4 {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestABodyThatCannotSeekIsPutAgainAsLongAsItIsSmall(t *testing.T) {
	f, s, w := broken(t)
	once := func(key string, n int) error {
		_, err := s.Put(t.Context(), key, io.LimitReader(bytes.NewReader(storetest.Bytes(2*n, 3)), int64(n)), objectstore.PutOptions{})
		return err
	}
	f.Add(fault.Rule{Key: "a", Count: 2, Effect: fault.Fail(objectstore.Throttled)})
	if err := once("a", 1000); err != nil || len(*w) != 2 {
		t.Errorf("not read yet: %v after %v", err, *w)
	}
	f.Add(fault.Rule{Key: "b", Op: objectstore.OpPut, Count: 1, Effect: fault.Break(500)})
	if err := once("b", 1000); err != nil || len(*w) != 3 {
		t.Errorf("half read: %v after %v", err, *w)
	}
	if data, _, err := objectstore.GetBytes(t.Context(), s, "b", objectstore.Range{}); err != nil || !bytes.Equal(data, storetest.Bytes(2000, 3)[:1000]) {
		t.Errorf("%d bytes are not those that were put: %v", len(data), err)
	}
	f.Add(fault.Rule{Key: "c", Op: objectstore.OpPut, Count: 1, Effect: fault.Break(17 << 20)})
	if err := once("c", 18<<20); !objectstore.Is(err, objectstore.Unavailable) || len(*w) != 3 {
		t.Errorf("too large to be kept: %v after %v", err, *w)
	}
	if _, err := s.Stat(t.Context(), "c"); !objectstore.Is(err, objectstore.NotFound) {
		t.Errorf("half of it is there: %v", err)
	}
}

func TestAReadGoesOnWhereItBrokeOff(t *testing.T) {
	f, s, w := broken(t)
	data := storetest.Bytes(1_000_000, 5)
	if _, err := objectstore.PutBytes(t.Context(), s, "k", data); err != nil {
		t.Fatal(err)
	}
	f.Add(fault.Rule{Op: objectstore.OpGet, Count: 1, Effect: fault.Break(300_000)})
	f.Add(fault.Rule{Op: objectstore.OpGet, Count: 1, Effect: fault.Fail(objectstore.Timeout)})
	f.Add(fault.Rule{Op: objectstore.OpGet, Count: 1, Effect: fault.Truncate(300_000)})
	got, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{Offset: 10, Length: 900_000})
	if err != nil || !bytes.Equal(got, data[10:900_010]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if len(*w) != 3 {
		t.Errorf("waited %v", *w)
	}
}

func TestAReadThatMakesNoProgressEnds(t *testing.T) {
	f, s, w := broken(t)
	if _, err := objectstore.PutBytes(t.Context(), s, "k", make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	f.Add(fault.Rule{Op: objectstore.OpGet, Effect: fault.Break(1)})
	_, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{})
	if !objectstore.Is(err, objectstore.Unavailable) || len(*w) != 3 {
		t.Errorf("%v after %v", err, *w)
	}
}

func TestAnObjectReplacedWhileItsReadBrokeOffIsNotMixed(t *testing.T) {
	f, s, _ := broken(t)
	if _, err := objectstore.PutBytes(t.Context(), s, "k", make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	f.Add(fault.Rule{Op: objectstore.OpGet, Count: 1, Effect: fault.Break(500)})
	o, err := s.Get(t.Context(), "k", objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if _, err := objectstore.PutBytes(t.Context(), s, "k", bytes.Repeat([]byte{1}, 1000)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, o.Body); !objectstore.Is(err, objectstore.Condition) || n != 500 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestCancelingDuringAWaitEndsIt(t *testing.T) {
	f, _, _ := broken(t)
	f.Add(fault.Rule{Effect: fault.Fail(objectstore.Unavailable)})
	ctx, cancel := context.WithCancel(t.Context())
	s := Wrap(f, Policy{First: time.Hour, Max: time.Hour, Jitter: func(d time.Duration) time.Duration { return d },
		OnRetry: func(objectstore.Op, int, time.Duration, error) { cancel() }})
	if _, err := s.Stat(ctx, "k"); !objectstore.Is(err, objectstore.Canceled) || pgerr.Code(err) != pgerr.QueryCanceled {
		t.Errorf("%v", err)
	}
}
