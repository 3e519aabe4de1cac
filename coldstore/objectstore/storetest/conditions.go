package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// writers is how many race for one key.
const writers = 16

func createOnce(t *testing.T, s objectstore.Store) {
	first, err := objectstore.Create(ctx(t), s, "m/1.json", []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = objectstore.Create(ctx(t), s, "m/1.json", []byte("second"))
	wantClass(t, err, objectstore.Condition)
	_, err = objectstore.Create(ctx(t), s, "m/1.json", []byte("first!"))
	wantClass(t, err, objectstore.Condition)
	if in := wantBytes(t, s, "m/1.json", []byte("first")); in.Tag != first.Tag {
		t.Error("a refused put changed the tag")
	}
	if err := s.Delete(ctx(t), "m/1.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := objectstore.Create(ctx(t), s, "m/1.json", []byte("third")); err != nil {
		t.Errorf("create after a delete: %v", err)
	}
}

func swapNeedsTag(t *testing.T, s objectstore.Store) {
	_, err := objectstore.Swap(ctx(t), s, "p", "never-a-tag", []byte("x"))
	wantClass(t, err, objectstore.Condition)
	one := put(t, s, "p", []byte("one"))
	two, err := objectstore.Swap(ctx(t), s, "p", one.Tag, []byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = objectstore.Swap(ctx(t), s, "p", one.Tag, []byte("too late"))
	wantClass(t, err, objectstore.Condition)
	wantBytes(t, s, "p", []byte("two"))
	if _, err := objectstore.Swap(ctx(t), s, "p", two.Tag, []byte("three")); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx(t), "p"); err != nil {
		t.Fatal(err)
	}
	_, err = objectstore.Swap(ctx(t), s, "p", two.Tag, []byte("four"))
	wantClass(t, err, objectstore.Condition)
	wantMissing(t, s, "p")
}

func creatorsRace(t *testing.T, s objectstore.Store) {
	for round := range 10 {
		key := fmt.Sprintf("race/%d", round)
		won := race(t, func(c context.Context, w int) error {
			_, err := objectstore.Create(c, s, key, fmt.Appendf(nil, "writer %d", w))
			return err
		})
		wantBytes(t, s, key, fmt.Appendf(nil, "writer %d", won))
	}
}

func swappersRace(t *testing.T, s objectstore.Store) {
	in := put(t, s, "pointer", []byte("start"))
	for round := range 10 {
		text := func(w int) []byte { return fmt.Appendf(nil, "round %d writer %d", round, w) }
		won := race(t, func(c context.Context, w int) error {
			_, err := objectstore.Swap(c, s, "pointer", in.Tag, text(w))
			return err
		})
		in = wantBytes(t, s, "pointer", text(won))
	}
}

// race runs writers at once and returns the one that succeeded; the others must
// have met the condition.
func race(t *testing.T, write func(c context.Context, w int) error) (won int) {
	t.Helper()
	var wg sync.WaitGroup
	var winners atomic.Int32
	var winner atomic.Int32
	c, start := ctx(t), make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			<-start
			switch err := write(c, w); {
			case err == nil:
				winners.Add(1)
				winner.Store(int32(w))
			case !objectstore.Is(err, objectstore.Condition):
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := winners.Load(); n != 1 {
		t.Fatalf("%d writers won", n)
	}
	return int(winner.Load())
}

// largeConditional tests conditions on bodies that S3 stores get in parts.
func largeConditional(t *testing.T, s objectstore.Store) {
	a, b := Bytes(17*MiB, 1), Bytes(17*MiB, 2)
	one, err := objectstore.Create(ctx(t), s, "large", a)
	if err != nil {
		t.Fatal(err)
	}
	_, err = objectstore.Create(ctx(t), s, "large", b)
	wantClass(t, err, objectstore.Condition)
	if _, err := objectstore.Swap(ctx(t), s, "large", one.Tag, b); err != nil {
		t.Fatal(err)
	}
	_, err = s.Put(ctx(t), "large", stream{bytes.NewReader(a)}, objectstore.PutOptions{IfMatch: one.Tag})
	wantClass(t, err, objectstore.Condition)
	wantBytes(t, s, "large", b)
}

func probe(t *testing.T, s objectstore.Store) {
	if err := objectstore.Probe(ctx(t), s); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(ctx(t), "", "", 0)
	if err != nil || len(page.Objects) != 0 {
		t.Errorf("the probe left %v; %v", page.Objects, err)
	}
}
