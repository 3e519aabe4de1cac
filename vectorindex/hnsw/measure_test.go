package hnsw

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// TestDataSets measures recall, speed, build, memory and checkpoints on the data
// sets of full size and fails when recall is below what it was when the constants
// were chosen. It runs when AKIDB_DATASETS names the folder that
// `akidb-bench datasets` has filled; times are told, not judged.
func TestDataSets(t *testing.T) {
	dir := os.Getenv("AKIDB_DATASETS")
	if dir == "" {
		t.Skip("AKIDB_DATASETS is not set")
	}
	for _, c := range []struct {
		set   string
		ef    int
		floor float64 // of recall@10 at ef
	}{
		{"emb512", 60, 0.945},
		{"glove100", 200, 0.93},
		{"mnist784", 20, 0.97},
	} {
		t.Run(c.set, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(dir, c.set)); err != nil {
				t.Skip(err)
			}
			set, err := dataset.Open(dir, c.set)
			if err != nil {
				t.Fatal(err)
			}
			x := fill(t, set)
			defer closeIndex(t, x)
			for _, ef := range []int{10, 20, 40, 60, 80, 120, 200, 400} {
				if recall := measure(t, x, set, ef); ef == c.ef && recall < c.floor {
					t.Errorf("recall@10 %.4f at ef %d, want %.2f", recall, ef, c.floor)
				}
			}
			measureCheckpoint(t, x)
			measureTail(t, x, set)
		})
	}
}

func fill(t testing.TB, set *dataset.Set) *Index {
	metric := types.MetricCosine
	if set.Metric == dataset.L2 {
		metric = types.MetricL2
	}
	x, err := New(Options{Metric: metric, Type: types.VectorOID, Dims: set.Dim})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range set.Rows() {
		if err := x.Append(types.RowID(i+1), types.Vector(set.Base(i))); err != nil {
			t.Fatal(err)
		}
	}
	appended := time.Since(start)
	start = time.Now()
	if err := x.Build(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d x %d: append %.2f us a row, build %.2f s with %d workers, %d MiB, %d of them vectors", set.Rows(), set.Dim,
		appended.Seconds()*1e6/float64(set.Rows()), time.Since(start).Seconds(), x.options.Workers, x.Bytes()>>20, set.Rows()*set.Dim*4>>20)
	return x
}

// measure runs all queries once to warm up and once to count.
func measure(t testing.TB, x *Index, set *dataset.Set, ef int) float64 {
	var hits, measured int
	found := make([]storage.Candidate, 0, 4096)
	took := make([]time.Duration, len(set.Queries))
	for range 2 {
		hits, measured = 0, 0
		for i, q := range set.Queries {
			start := time.Now()
			s, err := x.Search(types.Vector(q), ef)
			if err != nil {
				t.Fatal(err)
			}
			if found, err = s.NextBatch(found[:0]); err != nil {
				t.Fatal(err)
			}
			s.Close()
			took[i] = time.Since(start)
			measured += s.Stats().Candidates
			hits += hitsOf(found, set.Truth[i])
		}
	}
	total := time.Duration(0)
	for _, d := range took {
		total += d
	}
	slices.Sort(took)
	n := len(took)
	recall := float64(hits) / float64(10*n)
	t.Logf("ef %3d: recall@10 %.4f, %6.0f QPS, p50 %4d us, p95 %4d us, %5d keys", ef, recall,
		float64(n)/total.Seconds(), took[n/2].Microseconds(), took[n*95/100].Microseconds(), measured/n)
	return recall
}

func hitsOf(found []storage.Candidate, truth []int32) int {
	hits := 0
	for _, c := range found[:min(10, len(found))] {
		if slices.Contains(truth[:10], int32(c.ID-1)) {
			hits++
		}
	}
	return hits
}

func measureCheckpoint(t *testing.T, x *Index) {
	path := filepath.Join(t.TempDir(), "graph")
	start := time.Now()
	writeCheckpoint(t, x, path)
	wrote := time.Since(start)
	start = time.Now()
	y, err := Load(path, x.options)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIndex(t, y)
	t.Logf("checkpoint: written in %.2f s, loaded in %.2f s", wrote.Seconds(), time.Since(start).Seconds())
}

// measureTail tells what a tail costs a search and how fast one worker moves it.
// Its vectors are copies of rows, which take places of the true answers: recall
// falls, and that says nothing.
func measureTail(t *testing.T, x *Index, set *dataset.Set) {
	next := types.RowID(set.Rows() + 1)
	for _, n := range []int{1000, 4000, 15_000} {
		for i := 0; x.TailLen() < n; i++ {
			if err := x.Append(next, types.Vector(set.Base(i%set.Rows()))); err != nil {
				t.Fatal(err)
			}
			next++
		}
		t.Logf("with %d rows in the tail", n)
		measure(t, x, set, 60)
	}
	runtime.GC()
	start := time.Now()
	n, err := x.Drain(context.Background(), 5000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("tail: %.0f rows/s into the graph", float64(n)/time.Since(start).Seconds())
}
