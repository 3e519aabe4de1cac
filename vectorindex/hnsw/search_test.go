package hnsw

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

const smallRows = 2000

func TestRecallOfEveryTypeAndMetric(t *testing.T) {
	if testing.Short() {
		t.Skip("recall needs no race detector")
	}
	eachKind(t, func(t *testing.T, k *testKind) {
		x := k.sampleIndex(t, smallRows)
		defer closeIndex(t, x)
		if r := k.recall(t, x, upTo(smallRows), 40); r != 1 {
			t.Errorf("recall %.3f while all is in the tail, want 1", r)
		}
		build(t, x)
		if n := x.TailLen(); n != 0 {
			t.Errorf("%d rows in the tail after a build", n)
		}
		if r := k.recall(t, x, upTo(smallRows), 80); r < 0.95 {
			t.Errorf("recall %.3f", r)
		}
		k.appendSample(t, x, smallRows, smallRows+1000) // half graph, half coded tail
		if r := k.recall(t, x, upTo(smallRows+1000), 80); r < 0.95 {
			t.Errorf("recall %.3f with a tail", r)
		}
	})
}

func TestRecallOnTheWholeSample(t *testing.T) {
	k := &testKinds[2]
	x := k.sampleIndex(t, dataset.SampleRows)
	defer closeIndex(t, x)
	build(t, x)
	for ef, floor := range map[int]float64{40: 0.93, 100: 0.98, 400: 0.998} {
		if r := k.recall(t, x, upTo(dataset.SampleRows), ef); r < floor {
			t.Errorf("ef %d: recall %.3f, want %.3f", ef, r, floor)
		}
	}
}

func TestASearchGivesEveryRowOnceUntilItIsExhausted(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		x := k.sampleIndex(t, 1200)
		defer closeIndex(t, x)
		build(t, x)
		k.appendSample(t, x, 1200, 1500)
		for id := types.RowID(7); id < 1500; id += 13 {
			x.Remove(id)
		}
		want := x.Len()
		s, err := x.Search(k.make(dataset.Sample().Queries[0]), 10)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		seen := map[types.RowID]bool{}
		for {
			batch, err := s.NextBatch(nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(batch) == 0 {
				break
			}
			if !slices.IsSortedFunc(batch, nearer) {
				t.Fatal("a batch is not sorted")
			}
			for _, c := range batch {
				if seen[c.ID] || !x.Contains(c.ID) {
					t.Fatalf("row %d came twice, or was removed", c.ID)
				}
				seen[c.ID] = true
			}
		}
		if len(seen) != want {
			t.Errorf("%d rows came, the index has %d", len(seen), want)
		}
		if again, err := s.NextBatch(nil); err != nil || len(again) > 0 {
			t.Errorf("after the end: %d rows, %v", len(again), err)
		}
	})
}

func TestDistancesAreExact(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		x := k.sampleIndex(t, 600)
		defer closeIndex(t, x)
		build(t, x)
		k.appendSample(t, x, 600, 700)
		set := dataset.Sample()
		q := k.make(set.Queries[3])
		ids := []types.RowID{650, 1, 77, 9999, 300}
		list, err := x.Distances(q, ids, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 4 || !slices.IsSortedFunc(list, nearer) {
			t.Fatalf("distances %v", list)
		}
		s, err := x.Search(q, 700)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		found, err := s.NextBatch(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range slices.Concat(list, found) {
			if want := k.distance(q, k.make(set.Base(int(c.ID-1)))); c.Distance != want {
				t.Fatalf("row %d at %v, want %v", c.ID, c.Distance, want)
			}
		}
	})
}

func TestASearchDoesNotAllocate(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates")
	}
	k := &testKinds[2]
	x := k.sampleIndex(t, smallRows)
	defer closeIndex(t, x)
	build(t, x)
	k.appendSample(t, x, smallRows, smallRows+500)
	q := k.make(dataset.Sample().Queries[0])
	found := make([]storage.Candidate, 0, 4096)
	run := func() {
		s, err := x.Search(q, 40)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if found, err = s.NextBatch(found[:0]); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
	}
	run()
	if n := testing.AllocsPerRun(200, run); n > 1 { // the Search itself
		t.Errorf("%v allocations a search", n)
	}
}

func TestValuesOfAnotherKindAreRefused(t *testing.T) {
	x, err := New(Options{Metric: types.MetricL2, Type: types.VectorOID, Dims: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer closeIndex(t, x)
	for _, c := range []struct {
		value types.Datum
		want  string
	}{
		{types.Vector{1, 2}, "expected 3 dimensions, not 2"},
		{types.HalfVector{1, 2, 3}, "a value of type types.HalfVector is not one of the index"},
	} {
		if err := x.Append(1, c.value); err == nil || pgerr.As(err) == nil || pgerr.As(err).Message != c.want {
			t.Errorf("Append(%v): %v", c.value, err)
		}
	}
	_, err = x.Search(types.Vector{1}, 10)
	if e := pgerr.As(err); e == nil || e.Message != "different vector dimensions 3 and 1" || e.Code != pgerr.DataException {
		t.Errorf("Search: %v", err)
	}
	if x.Len() != 0 {
		t.Error("a refused value is in the index")
	}
}

func TestOptionsOutOfBoundsAreRefused(t *testing.T) {
	good := Options{Metric: types.MetricL2, Type: types.VectorOID, Dims: 3}
	for name, change := range map[string]func(*Options){
		"m":               func(o *Options) { o.M = 101 },
		"ef_construction": func(o *Options) { o.EfConstruction = 3 },
		"no dims":         func(o *Options) { o.Dims = 0 },
		"many dims":       func(o *Options) { o.Dims = types.MaxVectorDims + 1 },
		"type":            func(o *Options) { o.Type = types.TextOID },
		"metric":          func(o *Options) { o.Metric = types.MetricHamming },
	} {
		o := good
		change(&o)
		if x, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
			closeIndex(t, x)
		}
	}
}

func TestAClosedIndexRefusesAndDoesNotPanic(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 100)
	build(t, x)
	s, err := x.Search(k.make(dataset.Sample().Base(0)), 5)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- x.Close() }()
	if _, err := s.NextBatch(nil); err != nil { // Close waits for it
		t.Error(err)
	}
	s.Close()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if _, err := s.NextBatch(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("NextBatch: %v", err)
	}
	if _, err := x.Search(k.make(dataset.Sample().Base(0)), 5); !errors.Is(err, ErrClosed) {
		t.Errorf("Search: %v", err)
	}
	if err := x.Append(500, k.make(dataset.Sample().Base(0))); !errors.Is(err, ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if _, err := x.Drain(t.Context(), 10); !errors.Is(err, ErrClosed) {
		t.Errorf("Drain: %v", err)
	}
	x.Remove(1)
	if x.Contains(1) || x.Len() != 0 {
		t.Error("a closed index holds rows")
	}
	closeIndex(t, x)
}

func TestZeroVectorsAreInNoCosineIndex(t *testing.T) {
	for _, k := range []*testKind{&testKinds[2], &testKinds[6], &testKinds[10]} {
		x := k.newIndex(t, 4)
		if err := x.Append(1, k.make(make([]float32, 4))); err != nil || x.Len() != 0 {
			t.Errorf("%s: %v, %d rows", k.name, err, x.Len())
		}
		closeIndex(t, x)
	}
}

func TestManyEqualVectorsAreAllFound(t *testing.T) {
	x := testKinds[0].newIndex(t, 8)
	defer closeIndex(t, x)
	random := rand.New(rand.NewPCG(1, 1))
	v := make(types.Vector, 8)
	for i := range v {
		v[i] = random.Float32()
	}
	const n = 3000
	for id := types.RowID(1); id <= n; id++ {
		if err := x.Append(id, v); err != nil {
			t.Fatal(err)
		}
	}
	build(t, x)
	s, err := x.Search(v, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	total := 0
	for {
		batch, err := s.NextBatch(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		total += len(batch)
	}
	if total != n {
		t.Errorf("%d of %d came", total, n)
	}
}

func TestAHugeLimitTakesNoHugeMemory(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 200)
	defer closeIndex(t, x)
	build(t, x)
	s, err := x.Search(k.make(dataset.Sample().Base(0)), 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found, err := s.NextBatch(nil); err != nil || len(found) != 200 || cap(s.w.pool) > 2*maxBatch {
		t.Errorf("%d found with a pool of %d, %v", len(found), cap(s.w.pool), err)
	}
}
