package coldstore

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func all(t testing.TB, c *Collection, columns ...int16) map[types.RowID]types.Row {
	t.Helper()
	it, err := c.Scan(context.Background(), storage.ScanSpec{Table: c.table, Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = it.Close() }()
	out := map[types.RowID]types.Row{}
	row := make(types.Row, len(c.table.Columns))
	for {
		id, ok, err := it.Next(row)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		if _, twice := out[id]; twice {
			t.Fatalf("row %d came twice", id)
		}
		out[id] = slices.Clone(row)
	}
}

func TestASealedCollectionHasTheSameRows(t *testing.T) {
	f := newFixture(t, 2000)
	c := f.seal()
	if c.Segments() < 3 {
		t.Fatalf("%d segments: the test wants several", c.Segments())
	}
	if got := all(t, c, 1, 2, 3); !reflect.DeepEqual(got, f.rows) {
		t.Errorf("%d rows came back otherwise than %d were sealed", len(got), len(f.rows))
	}
	if n := len(all(t, c)); n != 2000 {
		t.Errorf("%d ids without columns", n)
	}
	ids := map[types.RowID]bool{}
	if err := c.IDs(t.Context(), func(id types.RowID) error { ids[id] = true; return nil }); err != nil || len(ids) != 2000 {
		t.Errorf("%d ids, %v", len(ids), err)
	}
	got := map[types.RowID]types.Row{}
	err := c.Rows(t.Context(), []int16{2, 3}, []types.RowID{5, 1999, 77, 4711}, func(id types.RowID, row types.Row) error {
		got[id] = slices.Clone(row)
		return nil
	})
	want := map[types.RowID]types.Row{}
	for _, id := range []types.RowID{5, 1999, 77} {
		want[id] = types.Row{nil, f.rows[id][1], f.rows[id][2]}
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for id, want := range map[types.RowID]bool{5: true, 2000: true, 2001: false, 0: false} {
		if is, err := c.Holds(t.Context(), id); is != want || err != nil {
			t.Errorf("Holds(%d) = %v, %v", id, is, err)
		}
	}
}

func nearest(t testing.TB, c *Collection, x *catalog.Index, q Query, n int) ([]storage.Candidate, storage.NearestStats) {
	t.Helper()
	it, err := c.Nearest(context.Background(), x, q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = it.Close() }()
	var out []storage.Candidate
	for n == 0 || len(out) < n {
		before := len(out)
		if out, err = it.NextBatch(out); err != nil {
			t.Fatal(err)
		}
		if len(out) == before {
			break
		}
	}
	return out, it.Stats()
}

func TestTheNearestAreFoundInSegments(t *testing.T) {
	f := newFixture(t, 3000)
	c := f.seal()
	found := 0
	for seed := range uint64(20) {
		q := f.query(seed)
		truth := f.truth(q)[:10]
		got, stats := nearest(t, c, f.index, Query{Vector: q, Want: 10}, 10)
		for _, g := range got[:10] {
			if slices.Contains(truth, g) {
				found++
			}
		}
		if stats.Method != "ivfflat" || stats.Tier != types.TierCold {
			t.Fatalf("%+v", stats)
		}
	}
	if found < 190 {
		t.Errorf("%d of 200 found", found)
	}
}

func TestASearchGoesOnUntilAllRowsHaveCome(t *testing.T) {
	f := newFixture(t, 1500)
	c := f.seal()
	q := f.query(3)
	got, _ := nearest(t, c, f.index, Query{Vector: q, Want: 10}, 0)
	truth := f.truth(q)
	slices.SortFunc(got, nearer)
	if !slices.Equal(got, truth) {
		t.Errorf("%d candidates, %d rows have a vector", len(got), len(truth))
	}
	exact, stats := nearest(t, c, f.index, Query{Vector: q, Exact: true}, 0)
	if !slices.Equal(exact, truth) || stats.Method != "exact" {
		t.Errorf("exact: %d candidates by %s", len(exact), stats.Method)
	}
	other := *f.index
	other.ID = 30000 // made since the seal
	if exact, _ = nearest(t, c, &other, Query{Vector: q}, 0); !slices.Equal(exact, truth) {
		t.Errorf("without a part: %d candidates", len(exact))
	}
	some := []types.RowID{5, 9, 50, 700, 9999}
	among, _ := nearest(t, c, f.index, Query{Vector: q, Among: some}, 0)
	want := slices.DeleteFunc(slices.Clone(truth), func(x storage.Candidate) bool { return !slices.Contains(some, x.ID) })
	if !slices.Equal(among, want) {
		t.Errorf("among: %v, want %v", among, want)
	}
}

func TestTheSecondSearchAsksTheStoreForNothing(t *testing.T) {
	f := newFixture(t, 1500)
	c := f.seal()
	f.open()
	c = f.view(c.cold)
	q := Query{Vector: f.query(3), Want: 10, Columns: []int16{1, 2}}
	got, first := nearest(t, c, f.index, q, 10)
	_, second := nearest(t, c, f.index, q, 10)
	if first.Requests == 0 || first.Bytes == 0 || second.Requests != 0 {
		t.Errorf("first %+v, second %+v", first, second)
	}
	var m Meter
	err := c.Rows(WithMeter(t.Context(), &m), []int16{1, 2}, []types.RowID{got[0].ID, got[9].ID}, func(types.RowID, types.Row) error { return nil })
	if n, _ := m.Fetched(); n != 0 || err != nil {
		t.Errorf("reading the rows of the answer: %d requests, %v", n, err)
	}
}

func TestAFurtherSealHidesOlderRows(t *testing.T) {
	f := newFixture(t, 1000)
	first := f.seal()
	f.rows[7][1] = "changed"
	f.fill(1001, 300)
	in := f.sealing()
	in.Base, in.Deleted = first.cold, []types.RowID{8}
	in.Rows = f.source(func(id types.RowID) bool { return id == 7 || id > 1000 })
	cold, err := f.s.Seal(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := f.view(cold)
	if got := all(t, c, 1, 2, 3); !reflect.DeepEqual(got, f.rows) { // 8 is for the local tombstone to hide
		t.Errorf("%d rows, want %d; row 7 is %v", len(got), len(f.rows), got[7])
	}
	q := f.query(5)
	got, _ := nearest(t, c, f.index, Query{Vector: q, Want: 10}, 0)
	slices.SortFunc(got, nearer)
	if !slices.Equal(got, f.truth(q)) {
		t.Errorf("%d candidates, want %d", len(got), len(f.truth(q)))
	}
	if cold.Manifest != 2 {
		t.Errorf("manifest %d", cold.Manifest)
	}
}

func TestColumnsAddedSinceTheSealHaveTheirValue(t *testing.T) {
	f := newFixture(t, 100)
	c := f.seal()
	five := "5"
	table := c.table.Clone()
	table.Version++
	table.Columns = append(table.Columns, catalog.Column{Num: 4, Name: "n", Type: types.Int4OID, Missing: &five})
	c = f.s.Collection(table)
	for id, row := range all(t, c, 1, 4) {
		if row[3] != int64(5) {
			t.Fatalf("scan: row %d has %v", id, row)
		}
	}
	for id, row := range all(t, c, 4) {
		if row[3] != int64(5) {
			t.Fatalf("scan of the column alone: row %d has %v", id, row)
		}
	}
	err := c.Rows(t.Context(), []int16{4}, []types.RowID{3}, func(_ types.RowID, row types.Row) error {
		if row[3] != int64(5) {
			t.Errorf("got %v", row)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnUnchangedCollectionIsNotWrittenAgain(t *testing.T) {
	f := newFixture(t, 300)
	in := f.sealing()
	in.Changes = 17
	first, err := f.s.Seal(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	puts := f.fault.Seen("put")
	second, err := f.s.Seal(t.Context(), in, nil)
	if err != nil || !reflect.DeepEqual(first, second) || f.fault.Seen("put") != puts {
		t.Errorf("%v: %d puts", err, f.fault.Seen("put")-puts)
	}
	in.Changes = 18
	if third, err := f.s.Seal(t.Context(), in, nil); err != nil || third.Manifest != 2 {
		t.Errorf("%v %v", third, err)
	}
}
