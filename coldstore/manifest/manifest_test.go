package manifest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
)

var ctx = context.Background()

func newStore(t testing.TB) objectstore.Store {
	t.Helper()
	s, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func claim(t testing.TB, s objectstore.Store) *Writer {
	t.Helper()
	w, err := Claim(ctx, s, "7", "me", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func of(segments ...int) *Manifest {
	m := &Manifest{Collection: "7", Number: 1, Table: &catalog.Table{Name: "items"}}
	for _, n := range segments {
		m.Segments = append(m.Segments, Segment{Segment: catalog.Segment{Key: SegmentKey("7", fmt.Sprint(n)), Rows: 10, Bytes: 100}})
	}
	return m
}

func publish(t testing.TB, w *Writer, m *Manifest) {
	t.Helper()
	if err := w.Publish(ctx, m); err != nil {
		t.Fatal(err)
	}
}

func TestManifestsAreReadBackNewestAndByNumber(t *testing.T) {
	s := newStore(t)
	w := claim(t, s)
	m := of(1)
	m.Segments[0].Tombstones = NewTombstones(3, 1<<40)
	publish(t, w, m)
	publish(t, w, of(1, 2))
	got, err := Newest(ctx, s, "7")
	if err != nil || got.Number != 2 || got.Previous != 1 || len(got.Segments) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	first, err := At(ctx, s, "7", 1)
	if err != nil || first.Rows() != 8 || !first.Segments[0].Tombstones.Contains(1<<40) {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := At(ctx, s, "7", 3); pgerr.Code(err) != pgerr.UndefinedFile {
		t.Errorf("number 3: %v", err)
	}
}

func TestAWriterThatWasTakenOverNeverPublishesAgain(t *testing.T) {
	s := newStore(t)
	old := claim(t, s)
	publish(t, old, of(1))
	young := claim(t, s)
	for range 2 {
		if err := old.Publish(ctx, of(1, 2)); pgerr.Code(err) != pgerr.ObjectNotInPrerequisiteState {
			t.Fatalf("the older epoch: %v", err)
		}
	}
	publish(t, young, of(1, 3)) // skips the number that the older one has left behind
	got, err := Newest(ctx, s, "7")
	if err != nil || got.Number != 3 || got.Previous != 1 || got.Epoch != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := At(ctx, s, "7", 2); pgerr.Code(err) != pgerr.UndefinedFile {
		t.Errorf("a manifest that was never published was served: %v", err)
	}
}

// lossy does each put and then loses the answer.
type lossy struct{ objectstore.Store }

func (l lossy) Put(c context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	if _, err := l.Store.Put(c, key, body, o); err != nil {
		return objectstore.Info{}, err
	}
	return objectstore.Info{}, &objectstore.Error{Class: objectstore.Unavailable, Op: objectstore.OpPut, Key: key}
}

func TestALostAnswerIsRecognisedByItsNonce(t *testing.T) {
	s := lossy{newStore(t)}
	w := claim(t, s)
	publish(t, w, of(1))
	publish(t, w, of(1, 2))
	if _, err := CreateSnapshot(ctx, s, "s", "nightly", w.Head(), time.Now()); err != nil {
		t.Error(err)
	}
}

func TestDroppingASnapshotRemovesWhatOnlyItNames(t *testing.T) {
	s := newStore(t)
	for n := 1; n <= 3; n++ {
		if _, err := objectstore.PutBytes(ctx, s, SegmentKey("7", fmt.Sprint(n)), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	a, err := CreateSnapshot(ctx, s, "a", "a", of(1, 2, 3), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateSnapshot(ctx, s, "b", "b", of(2), time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateSnapshot(ctx, s, "b", "b", of(2), time.Now()); pgerr.Code(err) != pgerr.DuplicateObject {
		t.Errorf("twice: %v", err)
	}
	if err := DropSnapshot(ctx, s, a, []*Manifest{of(3)}); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{1: false, 2: true, 3: true} {
		if _, err := s.Stat(ctx, SegmentKey("7", fmt.Sprint(n))); (err == nil) != want {
			t.Errorf("segment %d: %v", n, err)
		}
	}
}

func TestRetentionKeepsTheLastAndTheYoung(t *testing.T) {
	now := time.Now()
	var all []*Snapshot
	for i := range 5 {
		all = append(all, &Snapshot{ID: fmt.Sprint(i), CreatedAt: now.Add(-time.Duration(i) * time.Hour)})
	}
	for _, x := range []struct {
		r    Retention
		want string
	}{
		{Retention{}, "[]"}, {Retention{Last: 2}, "[4 3 2]"}, {Retention{MaxAge: 90 * time.Minute}, "[4 3 2]"},
		{Retention{Last: 4, MaxAge: time.Minute}, "[4]"},
	} {
		ids := []string{}
		for _, s := range x.r.Expired(all, now) {
			ids = append(ids, s.ID)
		}
		if fmt.Sprint(ids) != x.want {
			t.Errorf("%+v: %v", x.r, ids)
		}
	}
}

func TestGarbageIsOldAndNamedByNothing(t *testing.T) {
	old, now := time.Now().Add(-time.Hour), time.Now()
	objects := []objectstore.Info{
		{Key: SegmentKey("7", "1"), Modified: old}, {Key: SegmentKey("7", "2"), Modified: old}, {Key: SegmentKey("7", "3"), Modified: now},
		{Key: Key("7", 1), Modified: old}, {Key: Key("7", 2), Modified: old}, {Key: PointerKey("7"), Modified: old}, {Key: "collections/7/other", Modified: old},
	}
	got := Garbage("7", objects, []*Manifest{of(1)}, now, time.Minute)
	if want := []string{SegmentKey("7", "2"), Key("7", 2)}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestAFlippedByteOfADocumentIsFound(t *testing.T) {
	m := of(1, 2)
	m.Segments[1].Tombstones = NewTombstones(1, 2, 3)
	data, err := encode(manifestKind, m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode("k", "7", data); err != nil {
		t.Fatal(err)
	}
	for i := range len(data) - 1 { // the newline at the end says nothing
		bad := slices.Clone(data)
		bad[i] ^= 1
		if _, err := Decode("k", "7", bad); pgerr.Code(err) != pgerr.DataCorrupted {
			t.Fatalf("byte %d (%q): %v", i, data[i], err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	m := of(1)
	m.Segments[0].Tombstones = NewTombstones(5)
	data, err := encode(manifestKind, m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(_ *testing.T, data []byte) {
		if m, err := Decode("k", "7", data); err == nil {
			m.Rows()
		}
		_, _ = readBitmap(data)
	})
}
