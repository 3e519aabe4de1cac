package coldstore

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/fault"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func (f *fixture) snapshot(name string, in Sealing) storage.Snapshot {
	f.t.Helper()
	info, err := f.s.CreateSnapshot(f.t.Context(), name, in, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return info
}

func (f *fixture) loaded(info storage.Snapshot) map[types.RowID]types.Row {
	f.t.Helper()
	m, err := f.s.Snapshot(f.t.Context(), info)
	if err != nil {
		f.t.Fatal(err)
	}
	out := map[types.RowID]types.Row{}
	err = f.s.Load(m).Rows(f.t.Context(), func(id types.RowID, row types.Row) error {
		out[id] = slices.Clone(row)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func (f *fixture) objects(prefix string) []string {
	f.t.Helper()
	var out []string
	err := objectstore.Each(f.t.Context(), f.fault, prefix, func(i objectstore.Info) error {
		out = append(out, i.Key)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func TestASnapshotCanBeReadByAnotherServer(t *testing.T) {
	f := newFixture(t, 500)
	made := f.snapshot("nightly", f.sealing())
	f.open()
	all, err := f.s.Snapshots(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "nightly" || all[0].Rows != 500 || all[0].Table != "items" {
		t.Fatalf("%+v, %v", all, err)
	}
	if !reflect.DeepEqual(all[0].ID, made.ID) || !reflect.DeepEqual(f.loaded(all[0]), f.rows) {
		t.Error("the snapshot came back otherwise")
	}
	if _, err := f.s.CreateSnapshot(t.Context(), "nightly", f.sealing(), nil); pgerr.Code(err) != pgerr.DuplicateObject {
		t.Errorf("the same name again: %v", err)
	}
	if _, err := f.s.FindSnapshot(t.Context(), "weekly"); pgerr.Code(err) != pgerr.UndefinedObject {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestASnapshotOfAnUnchangedCollectionUploadsNoRows(t *testing.T) {
	f := newFixture(t, 500)
	in := f.sealing()
	in.Changes = 5
	f.snapshot("one", in)
	before := f.objects("collections/")
	two := f.snapshot("two", in)
	if after := f.objects("collections/"); !slices.Equal(before, after) {
		t.Errorf("objects before %v, after %v", before, after)
	}
	if !reflect.DeepEqual(f.loaded(two), f.rows) {
		t.Error("the second snapshot came back otherwise")
	}
	in.Changes = 6
	f.rows[3][1] = "new"
	three := f.snapshot("three", in)
	if !reflect.DeepEqual(f.loaded(three), f.rows) || len(f.objects("collections/")) == len(before) {
		t.Error("the changed collection was not written")
	}
}

func TestDroppingASnapshotKeepsWhatOthersName(t *testing.T) {
	f := newFixture(t, 500)
	in := f.sealing()
	in.Changes = 5
	cold, err := f.s.Seal(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, two := f.snapshot("one", in), f.snapshot("two", in)
	in.Changes = 6
	alone := f.snapshot("alone", in)
	for _, s := range []storage.Snapshot{one, alone} {
		if err := f.s.DropSnapshot(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(f.loaded(two), f.rows) || !reflect.DeepEqual(all(t, f.view(cold), 1, 2, 3), f.rows) {
		t.Error("rows are missing")
	}
	want := len(cold.Segments) + len(cold.Segments[0].Parts)
	if got := f.objects("collections/" + f.name + "/segments/"); len(got) != want {
		t.Errorf("%d objects are left, want %d", len(got), want)
	}
	if err := f.s.DropSnapshot(t.Context(), one); pgerr.Code(err) != pgerr.UndefinedObject {
		t.Errorf("dropped twice: %v", err)
	}
}

// A snapshot of a cold collection names its segments, the rows deleted since, and a
// segment with those written since.
func TestASnapshotOfAColdCollectionSharesItsSegments(t *testing.T) {
	f := newFixture(t, 1000)
	cold := f.seal().cold
	want := map[types.RowID]types.Row{}
	f.rows[7][1] = "changed"
	f.fill(1001, 100)
	delete(f.rows, 9)
	for id, row := range f.rows {
		want[id] = row
	}
	in := f.sealing()
	in.Base, in.Deleted = cold, []types.RowID{9}
	in.Rows = f.source(func(id types.RowID) bool { return id == 7 || id > 1000 })
	info := f.snapshot("cold", in)
	if got := f.loaded(info); !reflect.DeepEqual(got, want) || info.Rows != int64(len(want)) {
		t.Errorf("%d rows, the snapshot says %d, want %d", len(got), info.Rows, len(want))
	}
	m, err := f.s.Snapshot(t.Context(), info)
	if err != nil || m.Segments[0].Key != cold.Segments[0].Key {
		t.Errorf("the first segment is not shared: %v", err)
	}
}

func TestRetentionDropsOldSnapshots(t *testing.T) {
	f := newFixture(t, 50)
	f.o.Retention = manifest.Retention{Last: 2}
	f.open()
	for _, name := range []string{"a", "b", "c", "d"} {
		f.snapshot(name, f.sealing())
	}
	left, err := f.s.Snapshots(t.Context())
	if err != nil || len(left) != 2 || left[0].Name != "c" || left[1].Name != "d" {
		t.Errorf("%+v %v", left, err)
	}
}

func TestTheSweeperRemovesWhatNothingNames(t *testing.T) {
	f := newFixture(t, 300)
	now := time.Now()
	f.o.Now = func() time.Time { return now }
	f.open()
	first := f.seal().cold
	snap := f.snapshot("kept", f.sealing())
	second := f.seal().cold
	// A seal that dies before it publishes, and cannot clean up.
	f.fault.Add(fault.Rule{Op: objectstore.OpPut, Key: "*manifest-*", Effect: fault.Fail(objectstore.Denied)})
	if _, err := f.s.Seal(t.Context(), f.sealing(), nil); err == nil {
		t.Fatal("published")
	}
	f.fault.Clear()
	if n, err := f.s.Sweep(t.Context(), f.name, second); n != 0 || err != nil {
		t.Errorf("young garbage: %d, %v", n, err)
	}
	now = now.Add(48 * time.Hour)
	if _, err := f.s.Sweep(t.Context(), f.name, second); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.loaded(snap), f.rows) || !reflect.DeepEqual(all(t, f.view(second), 1, 2, 3), f.rows) {
		t.Error("rows that are named are gone")
	}
	for _, key := range f.objects("collections/") {
		if strings.HasPrefix(key, first.Segments[0].Key) {
			t.Errorf("%s is left", key)
		}
	}
	if n, err := f.s.Sweep(t.Context(), f.name, second); n != 0 || err != nil {
		t.Errorf("swept again: %d, %v", n, err)
	}
	if err := f.s.Forget(t.Context(), f.name); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.loaded(snap), f.rows) {
		t.Error("the snapshot did not survive its table")
	}
	if err := f.s.DropSnapshot(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	if err := f.s.Forget(t.Context(), f.name); err != nil {
		t.Fatal(err)
	}
	if left := f.objects(""); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTheSweeperKnowsWhoseACollectionIs(t *testing.T) {
	f := newFixture(t, 100)
	f.o.Server, f.o.Grace = "one", time.Nanosecond
	f.open()
	cold := f.seal().cold
	other := f.name
	f.name = NewCollection()
	f.seal()
	gone := f.name
	f.o.Server = "two"
	f.open()
	if n, err := f.s.SweepAll(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("another server removed %d objects, %v", n, err)
	}
	f.o.Server = "one"
	f.open()
	if n, err := f.s.SweepAll(t.Context(), map[string][]*catalog.Cold{other: {cold}}); n == 0 || err != nil {
		t.Errorf("%d objects, %v", n, err)
	}
	if left := f.objects("collections/" + gone); len(left) != 0 {
		t.Errorf("left of the collection whose table is gone: %v", left)
	}
	if !reflect.DeepEqual(all(t, f.view(cold), 1, 2, 3), f.rows) {
		t.Error("the other one has lost rows")
	}
}
