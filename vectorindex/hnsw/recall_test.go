package hnsw

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// TestRecallAndSpeedOnADataSet measures; it runs only when AKIDB_DATASET names a
// folder and set as "folder/set".
func TestRecallAndSpeedOnADataSet(t *testing.T) {
	name := os.Getenv("AKIDB_DATASET")
	if name == "" {
		t.Skip("AKIDB_DATASET is not set")
	}
	set, err := dataset.Open(os.Getenv("AKIDB_DATASETS"), name)
	if err != nil {
		t.Fatal(err)
	}
	x := fill(t, set, 16, 64)
	defer func() { _ = x.Close() }()
	start := time.Now()
	if err := x.Build(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: build %.2f s, %d MiB", name, time.Since(start).Seconds(), x.Bytes()>>20)
	for _, ef := range []int{10, 20, 40, 60, 80, 95, 120, 200, 400} {
		measure(t, x, set, ef)
	}
}

func fill(t testing.TB, set *dataset.Set, m, efc int) *Index {
	metric := types.MetricCosine
	if set.Metric == dataset.L2 {
		metric = types.MetricL2
	}
	x, err := New(Options{M: m, EfConstruction: efc, Metric: metric, Type: types.VectorOID, Dims: set.Dim})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range set.Rows() {
		if err := x.Append(types.RowID(i+1), types.Vector(set.Base(i))); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("append %.2f us a row", time.Since(start).Seconds()*1e6/float64(set.Rows()))
	return x
}

func measure(t testing.TB, x *Index, set *dataset.Set, ef int) float64 {
	hits, measured := 0, 0
	found := make([]storage.Candidate, 0, 4096)
	start := time.Now()
	for round := range 2 {
		if round == 1 {
			start = time.Now()
			hits, measured = 0, 0
		}
		for i, q := range set.Queries {
			s, err := x.Search(types.Vector(q), ef)
			if err != nil {
				t.Fatal(err)
			}
			found, err = s.NextBatch(found[:0])
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			measured += s.Stats().Candidates
			hits += recallAt10(found, set.Truth[i])
		}
	}
	n := float64(len(set.Queries))
	recall := float64(hits) / (10 * n)
	t.Logf("ef %3d: recall@10 %.4f, %6.0f QPS, %5.0f keys", ef, recall, n/time.Since(start).Seconds(), float64(measured)/n)
	return recall
}

func recallAt10(found []storage.Candidate, truth []int32) int {
	hits := 0
	for _, c := range found[:min(10, len(found))] {
		for _, row := range truth[:10] {
			if types.RowID(row+1) == c.ID {
				hits++
			}
		}
	}
	return hits
}

func TestCheckpointOfADataSet(t *testing.T) {
	name := os.Getenv("AKIDB_CHECKPOINT_OF")
	if name == "" {
		t.Skip("AKIDB_CHECKPOINT_OF is not set")
	}
	set, err := dataset.Open(os.Getenv("AKIDB_DATASETS"), name)
	if err != nil {
		t.Fatal(err)
	}
	x := fill(t, set, 16, 16)
	defer func() { _ = x.Close() }()
	if err := x.Build(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/graph"
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := x.WriteCheckpoint(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("write %.2f s", time.Since(start).Seconds())
	start = time.Now()
	y, err := Load(path, x.options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = y.Close() }()
	t.Logf("load %.2f s", time.Since(start).Seconds())
	if a, b := measure(t, x, set, 40), measure(t, y, set, 40); a != b {
		t.Errorf("recall %v before, %v after", a, b)
	}
}
