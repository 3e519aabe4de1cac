package ivf

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// TestDataSets measures recall, speed, build and memory on the data sets of full
// size, with vectors read from their mapped files, and fails when recall without any
// setting falls below 0.95. It runs when AKIDB_DATASETS names the folder that
// `akidb-bench datasets` has filled; times are told, not judged.
func TestDataSets(t *testing.T) {
	dir := os.Getenv("AKIDB_DATASETS")
	if dir == "" {
		t.Skip("AKIDB_DATASETS is not set")
	}
	for _, name := range dataset.Names {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Skip(err)
			}
			set, err := dataset.Open(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			metric := types.MetricCosine
			if set.Metric == dataset.L2 {
				metric = types.MetricL2
			}
			vectors := mapVectors(t, filepath.Join(dir, name, "base.f32"), set.Dim)
			o := Options{Metric: metric, Type: types.VectorOID, Dims: set.Dim, Seed: 1}
			path := filepath.Join(t.TempDir(), "index")
			start := time.Now()
			if err := Build(context.Background(), path, o, vectors.rows, nil); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			x := open(t, path, o, vectors)
			t.Logf("%d x %d: built in %.1f s, %d cells, width %.3f, %.2f MiB in memory, file %d MiB, vectors %d MiB", set.Rows(), set.Dim,
				took.Seconds(), x.Cells(), x.file.header.width, float64(x.Bytes())/(1<<20), x.FileBytes()>>20, set.Rows()*set.Dim*4>>20)
			for _, probes := range []int{0, 10, 20, 40, 80} {
				if recall := measure(t, x, set, probes); probes == 0 && recall < 0.95 {
					t.Errorf("recall@10 %.4f", recall)
				}
			}
		})
	}
}

// measure runs all queries once to warm up and once to count.
func measure(t *testing.T, x *Index, set *dataset.Set, probes int) float64 {
	var hits, probed int
	var stats storage.NearestStats
	found := make([]storage.Candidate, 0, 64)
	took := make([]time.Duration, len(set.Queries))
	for range 2 {
		hits, probed, stats = 0, 0, storage.NearestStats{}
		for i, q := range set.Queries {
			start := time.Now()
			s, err := x.Search(context.Background(), Query{Vector: types.Vector(q), Want: 10, Probes: probes})
			if err != nil {
				t.Fatal(err)
			}
			if found, err = s.NextBatch(found[:0]); err != nil {
				t.Fatal(err)
			}
			s.Close()
			took[i] = time.Since(start)
			one := s.Stats()
			probed += s.Probed()
			stats.Candidates += one.Candidates
			stats.Reranked += one.Reranked
			stats.Bytes += one.Bytes
			for _, c := range found {
				if slices.Contains(set.Truth[i][:10], int32(c.ID-1)) {
					hits++
				}
			}
		}
	}
	total := time.Duration(0)
	for _, d := range took {
		total += d
	}
	slices.Sort(took)
	n := len(took)
	recall := float64(hits) / float64(10*n)
	t.Logf("probes %3d: recall@10 %.4f, %6.0f QPS, p50 %4d us, p95 %4d us; %3d cells, %5d codes, %3d reranked, %4d KiB of cells", probes, recall,
		float64(n)/total.Seconds(), took[n/2].Microseconds(), took[n*95/100].Microseconds(), probed/n, stats.Candidates/n,
		stats.Reranked/n, stats.Bytes/int64(n)>>10)
	return recall
}

// fileVectors is a Source over a mapped file of float32.
type fileVectors struct {
	flat []float32
	dims int
}

func mapVectors(t *testing.T, path string, dims int) *fileVectors {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Munmap(b), f.Close() })
	return &fileVectors{unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4), dims}
}

func (v *fileVectors) at(i int) Value {
	return Value{Vector: v.flat[i*v.dims : (i+1)*v.dims : (i+1)*v.dims]}
}

func (v *fileVectors) Vectors(ids []types.RowID, into []Value) error {
	for i, id := range ids {
		into[i] = v.at(int(id - 1))
	}
	return nil
}

func (v *fileVectors) rows(_ context.Context, yield func(types.RowID, Value) error) error {
	for i := range len(v.flat) / v.dims {
		if err := yield(types.RowID(i+1), v.at(i)); err != nil {
			return err
		}
	}
	return nil
}

func open(t testing.TB, path string, o Options, source Source) *Index {
	t.Helper()
	storage, err := Map(path)
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(context.Background(), storage, o, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}
