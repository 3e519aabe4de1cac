package coldstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/metered"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/s3"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// measured is a data set as a table: id, word, embedding.
type measured struct {
	set   *dataset.Set
	n     int
	table *catalog.Table
	index *catalog.Index
}

func newMeasured(set *dataset.Set, n int) *measured {
	m := &measured{set: set, n: n}
	metric := types.MetricCosine
	if set.Metric == dataset.L2 {
		metric = types.MetricL2
	}
	m.table = &catalog.Table{ID: 20000, Schema: "public", Name: "items", Version: 1, Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID}, {Num: 2, Name: "word", Type: types.TextOID, Typmod: -1},
		{Num: 3, Name: "embedding", Type: types.VectorOID, Typmod: int32(set.Dim)},
	}}
	m.index = &catalog.Index{ID: 20001, Table: 20000, Name: "items_embedding", Method: "hnsw", Valid: true, Version: 1,
		Keys: []catalog.IndexKey{{Column: 3, Type: types.VectorOID, Typmod: int32(set.Dim), Metric: metric}}}
	return m
}

func (m *measured) rows(_ context.Context, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
	row := make(types.Row, 3)
	one := func(id types.RowID) error {
		clear(row)
		for _, c := range columns {
			switch c {
			case 1:
				row[0] = int64(id)
			case 2:
				row[1] = m.set.Words[id-1]
			case 3:
				row[2] = types.Vector(m.set.Base(int(id - 1)))
			}
		}
		return fn(id, row)
	}
	if ids != nil {
		for _, id := range ids {
			if err := one(id); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range m.n {
		if err := one(types.RowID(i + 1)); err != nil {
			return err
		}
	}
	return nil
}

// TestDataSetsInABucket measures sealing, searching and reading back on a real MinIO.
// It takes the sample of real words, or emb512 when AKIDB_DATASETS names the folder
// that `akidb-bench datasets` has filled; times are told, not judged, recall is.
func TestDataSetsInABucket(t *testing.T) {
	set, sizes := dataset.Sample(), []int{}
	if dir := os.Getenv("AKIDB_DATASETS"); dir != "" {
		var err error
		if set, err = dataset.Open(dir, "emb512"); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, 10_000)
	}
	server := miniotest.Start(t, miniotest.Options{})
	if err := server.MakeBucket("akidb"); err != nil {
		t.Fatal(err)
	}
	bucket, err := s3.Open(s3.Options{Endpoint: server.Endpoint, Bucket: "akidb", AccessKey: miniotest.AccessKey, SecretKey: miniotest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range append(sizes, set.Rows()) {
		t.Run(fmt.Sprint(n), func(t *testing.T) { measureBucket(t, newMeasured(set, n), bucket) })
	}
}

func measureBucket(t *testing.T, m *measured, bucket objectstore.Store) {
	ctx := context.Background()
	counters := &metered.Counters{}
	store := retry.Wrap(metered.Wrap(bucket, counters), retry.Policy{})
	fresh := func() *Store {
		s, err := Open(ctx, Options{Store: store, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	file := filepath.Join(t.TempDir(), "ivf")
	o, _ := IVFOptions(m.index)
	start := time.Now()
	err := ivf.Build(ctx, file, o, func(ctx context.Context, yield func(types.RowID, ivf.Value) error) error {
		return m.rows(ctx, []int16{3}, nil, func(id types.RowID, row types.Row) error { return yield(id, ivf.ValueOf(row[2])) })
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ivf file built in %v", time.Since(start))
	s := fresh()
	start = time.Now()
	name := NewCollection()
	cold, err := s.Seal(ctx, Sealing{Collection: name, Table: m.table, Indexes: []*catalog.Index{m.index}, Rows: m.rows,
		Files: map[types.OID]string{m.index.ID: file}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.table.Cold = cold
	t.Logf("sealed in %v: %d segments, %d bytes", time.Since(start), len(cold.Segments), s.Collection(m.table).Bytes())

	s = fresh()
	c := s.Collection(m.table)
	hits, asked := 0, 0
	var times []time.Duration
	query := func(i int) (storage.NearestStats, time.Duration) {
		q := types.Vector(m.set.Queries[i%len(m.set.Queries)])
		start := time.Now()
		got, stats := nearest(t, c, m.index, Query{Vector: q, Want: 10, Columns: []int16{1, 2}}, 10)
		ids := make([]types.RowID, 0, 10)
		for _, g := range got[:10] {
			ids = append(ids, g.ID)
		}
		if err := c.Rows(ctx, []int16{1, 2}, ids, func(types.RowID, types.Row) error { return nil }); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if m.n == m.set.Rows() {
			for _, id := range ids {
				if slices.Contains(m.set.Truth[i%len(m.set.Queries)][:10], int32(id-1)) {
					hits++
				}
			}
			asked += 10
		}
		return stats, took
	}
	stats, took := query(0)
	t.Logf("first query %v: %d requests, %d KiB, %d candidates, %d reranked", took, stats.Requests, stats.Bytes>>10, stats.Candidates, stats.Reranked)
	requests, bytes := 0, int64(0)
	for i := range 400 {
		stats, took := query(i + 1)
		times = append(times, took)
		requests, bytes = requests+stats.Requests, bytes+stats.Bytes
		if i == 98 || i == 399 {
			last := slices.Clone(times[len(times)-99:])
			slices.Sort(last)
			t.Logf("queries up to %d: p50 %v, p95 %v; a query %.1f requests, %.0f KiB", i+2, last[len(last)/2], last[len(last)*95/100],
				float64(requests)/99, float64(bytes)/99/1024)
		}
		if i == 98 || i == 300 {
			requests, bytes = 0, 0
		}
	}
	if asked > 0 {
		if recall := float64(hits) / float64(asked); recall < 0.95 {
			t.Errorf("recall@10 %.4f", recall)
		} else {
			t.Logf("recall@10 %.4f", recall)
		}
	}
	s = fresh()
	c = s.Collection(m.table)
	start = time.Now()
	if err := s.FetchPart(ctx, c.Parts(m.index.ID, KindIVF)[0], filepath.Join(t.TempDir(), "part")); err != nil {
		t.Fatal(err)
	}
	t.Logf("part fetched in %v", time.Since(start))
	start = time.Now()
	it, err := c.Scan(ctx, storage.ScanSpec{Table: m.table, Columns: []int16{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	row, n := make(types.Row, 3), 0
	for {
		_, ok, err := it.Next(row)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		n++
	}
	_ = it.Close()
	t.Logf("%d rows scanned in %v", n, time.Since(start))
}
