package hnsw

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func TestRecallHoldsThroughDeletesAndInserts(t *testing.T) {
	if testing.Short() {
		t.Skip("recall needs no race detector")
	}
	for _, k := range []*testKind{&testKinds[2], &testKinds[3], &testKinds[9], &testKinds[12]} {
		t.Run(k.name, func(t *testing.T) {
			x := k.sampleIndex(t, smallRows)
			defer closeIndex(t, x)
			build(t, x)
			random := rand.New(rand.NewPCG(11, 12))
			rows := upTo(smallRows)
			next := smallRows
			for round := range 3 { // each time a third goes and as many come
				random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				gone := len(rows) / 3
				for _, row := range rows[:gone] {
					x.Remove(types.RowID(row + 1))
				}
				rows = rows[gone:]
				if r := k.recall(t, x, rows, 80); r < 0.92 {
					t.Errorf("round %d: recall %.3f before the repair", round, r)
				}
				more := min(gone, dataset.SampleRows-next)
				k.appendSample(t, x, next, next+more)
				for i := range more {
					rows = append(rows, next+i)
				}
				next += more
				if _, err := x.Drain(context.Background(), 10_000); err != nil {
					t.Fatal(err)
				}
				if r := k.recall(t, x, rows, 80); r < 0.95 {
					t.Errorf("round %d: recall %.3f", round, r)
				}
				checkGraph(t, x)
			}
			if x.slots > smallRows+smallRows/2 {
				t.Errorf("%d slots for %d rows: those of removed rows are not used again", x.slots, len(rows))
			}
		})
	}
}

// checkGraph checks what searches rely on, as loading does.
func checkGraph(t *testing.T, x *Index) {
	t.Helper()
	x.maintain.Lock()
	defer x.maintain.Unlock()
	graphed, deleted := int64(0), int64(0)
	for s := range x.slots {
		if x.inGraph(s) {
			graphed++
			if err := x.checkLists(s); err != nil {
				t.Fatal(err)
			}
		}
		if x.state(s) == stateDeleted {
			deleted++
		}
	}
	if graphed != x.graphed.Load() || deleted != x.deleted.Load() {
		t.Errorf("%d nodes, %d removed; counted %d and %d", graphed, deleted, x.graphed.Load(), x.deleted.Load())
	}
}

func TestRemovingEverythingLeavesAnIndexThatFillsAgain(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 500)
	defer closeIndex(t, x)
	build(t, x)
	for id := types.RowID(1); id <= 500; id++ {
		x.Remove(id)
	}
	s, err := x.Search(k.make(dataset.Sample().Base(0)), 10)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.NextBatch(nil); err != nil || len(found) > 0 {
		t.Errorf("%d rows of an empty index, %v", len(found), err)
	}
	s.Close()
	build(t, x)
	if x.graphed.Load() != 0 || x.Len() != 0 {
		t.Errorf("%d nodes are left", x.graphed.Load())
	}
	k.appendSample(t, x, 500, 1500)
	build(t, x)
	rows := make([]int, 1000)
	for i := range rows {
		rows[i] = 500 + i
	}
	if r := k.recall(t, x, rows, 80); r < 0.95 {
		t.Errorf("recall %.3f", r)
	}
}

// Searches, appends, removals and maintenance run side by side; rows that are there
// all the time must come whenever a search runs to its end.
func TestSearchesSeeStableRowsWhileOthersComeAndGo(t *testing.T) {
	for _, k := range []*testKind{&testKinds[0], &testKinds[7], &testKinds[11], &testKinds[13]} {
		t.Run(k.name, func(t *testing.T) { churn(t, k) })
	}
}

func churn(t *testing.T, k *testKind) {
	const stable, rounds = 400, 6
	x := k.sampleIndex(t, stable)
	defer closeIndex(t, x)
	build(t, x)
	var stop atomic.Bool
	var others sync.WaitGroup
	set := dataset.Sample()
	others.Go(func() { // writer: each row is removed again soon
		for id := types.RowID(stable + 1); !stop.Load(); id++ {
			if err := x.Append(id, k.make(set.Base(int(id)%set.Rows()))); err != nil {
				t.Error(err)
				return
			}
			if id > stable+150 {
				x.Remove(id - 150)
			}
		}
	})
	others.Go(func() {
		for !stop.Load() {
			if _, err := x.Drain(context.Background(), 300); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var searchers sync.WaitGroup
	for n := range 2 {
		searchers.Go(func() {
			for i := range rounds {
				exhaust(t, x, k.make(set.Queries[(n*rounds+i)%len(set.Queries)]), stable)
			}
		})
	}
	searchers.Wait()
	stop.Store(true)
	others.Wait()
	checkGraph(t, x)
}

// exhaust runs a search to its end: rows up to stable come once each.
func exhaust(t *testing.T, x *Index, q types.Datum, stable types.RowID) {
	s, err := x.Search(q, 20)
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Close()
	seen := map[types.RowID]int{}
	batch := []storage.Candidate(nil)
	for {
		if batch, err = s.NextBatch(batch[:0]); err != nil {
			t.Error(err)
			return
		}
		if len(batch) == 0 {
			break
		}
		for _, c := range batch {
			seen[c.ID]++
		}
	}
	for id := types.RowID(1); id <= stable; id++ {
		if seen[id] != 1 {
			t.Errorf("row %d came %d times", id, seen[id])
			return
		}
	}
}

func TestABuildThatIsCancelledCanGoOn(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, smallRows)
	defer closeIndex(t, x)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- x.Build(ctx, nil) }()
	for x.graphed.Load() < 100 && ctx.Err() == nil {
		if x.graphed.Load() >= 100 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := x.Len(); n != smallRows {
		t.Errorf("%d rows after a cancelled build, want %d", n, smallRows)
	}
	build(t, x)
	checkGraph(t, x)
	if r := k.recall(t, x, upTo(smallRows), 80); r < 0.95 {
		t.Errorf("recall %.3f", r)
	}
}

func TestCloseEndsABuild(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, dataset.SampleRows)
	done := make(chan error)
	go func() { done <- x.Build(context.Background(), nil) }()
	for x.graphed.Load() == 0 {
	}
	closeIndex(t, x)
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("the build ended with %v", err)
	}
}

func TestAGraphBeginsOnlyWithEnoughVectors(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 10)
	defer closeIndex(t, x)
	x.fewForGraph = fewForGraph
	build(t, x)
	if x.TailLen() != 10 {
		t.Errorf("%d of 10 vectors left the tail", 10-x.TailLen())
	}
	k.appendSample(t, x, 10, fewForGraph)
	if n, err := x.Drain(context.Background(), 100); n != 100 || err != nil {
		t.Errorf("%d moved, %v", n, err)
	}
	if x.sq.Load().Centre() == nil {
		t.Error("the codes have no centre")
	}
	if r := k.recall(t, x, upTo(fewForGraph), 80); r < 0.99 {
		t.Errorf("recall %.3f", r)
	}
}

func TestMemoryIsCounted(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, smallRows)
	defer closeIndex(t, x)
	build(t, x)
	raw := int64(smallRows * 400)
	if b := x.Bytes(); b < raw*3/2 || b > raw*2 {
		t.Errorf("%d bytes for %d of vectors", b, raw)
	}
}

// TestTenRoundsOverTheSameRowsLeaveAGraphAsGood replaces a half of the rows each round
// by new row ids with the same vectors.
func TestTenRoundsOverTheSameRowsLeaveAGraphAsGood(t *testing.T) {
	if testing.Short() {
		t.Skip("recall needs no race detector")
	}
	const n = 2000
	k := &testKinds[2]
	x := k.sampleIndex(t, n)
	defer closeIndex(t, x)
	build(t, x)
	values, ids := make([]types.Datum, n), make([]types.RowID, n)
	for i := range values {
		values[i], ids[i] = k.make(dataset.Sample().Base(i)), types.RowID(i+1)
	}
	next := types.RowID(n + 1)
	for round := range 10 {
		for i := round % 2; i < n; i += 2 {
			x.Remove(ids[i])
			if err := x.Append(next, values[i]); err != nil {
				t.Fatal(err)
			}
			ids[i] = next
			next++
			if i%200 < 2 {
				if _, err := x.Drain(t.Context(), 500); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if _, err := x.Drain(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if unreached := x.Unreachable(); unreached > 0 || x.TailLen() != 0 || x.Len() != n {
		t.Errorf("%d unreachable, %d in the tail, %d rows", unreached, x.TailLen(), x.Len())
	}
	if got := k.tieAware(t, x, values, dataset.Sample().Queries[:50]); got < 0.93 {
		t.Errorf("recall %.3f after ten rounds", got)
	}
	if x.slots > 2*n {
		t.Errorf("%d slots for %d rows", x.slots, n)
	}
}
