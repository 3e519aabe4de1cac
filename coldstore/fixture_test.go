package coldstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/coldstore/objectstore/fault"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// fixture is a cold store over a store that can break, and a table in memory.
type fixture struct {
	t     testing.TB
	fault *fault.Store
	s     *Store
	o     Options
	table *catalog.Table
	index *catalog.Index
	name  string
	rows  map[types.RowID]types.Row
}

const testDims = 32

func newFixture(t testing.TB, n int) *fixture {
	t.Helper()
	inner, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return newFixtureOn(t, inner, n)
}

func newFixtureOn(t testing.TB, inner objectstore.Store, n int) *fixture {
	t.Helper()
	f := &fixture{t: t, fault: fault.Wrap(inner, 1), name: NewCollection(), rows: map[types.RowID]types.Row{}}
	f.table = &catalog.Table{ID: 20000, Schema: "public", Name: "items", Version: 1, Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID}, {Num: 2, Name: "title", Type: types.TextOID, Typmod: -1},
		{Num: 3, Name: "embedding", Type: types.VectorOID, Typmod: testDims},
	}}
	f.index = &catalog.Index{ID: 20001, Table: 20000, Name: "items_embedding", Method: "hnsw", Valid: true, Version: 1,
		Keys: []catalog.IndexKey{{Column: 3, Type: types.VectorOID, Typmod: testDims, Metric: types.MetricL2}}}
	f.o = Options{Store: f.fault, Dir: t.TempDir(), SegmentBytes: 64 << 10, GroupBytes: 8 << 10}
	f.open()
	f.fill(1, n)
	return f
}

// open opens the cold store anew: all caches are empty.
func (f *fixture) open() {
	f.t.Helper()
	s, err := Open(context.Background(), f.o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.s = s
	f.t.Cleanup(func() { _ = s.Close() })
}

func (f *fixture) fill(from, n int) {
	r := rand.New(rand.NewPCG(uint64(from), 7))
	for i := range n {
		id := types.RowID(from + i)
		v := make(types.Vector, testDims)
		centre := float32(r.IntN(8))
		for k := range v {
			v[k] = centre + float32(r.NormFloat64())
		}
		f.rows[id] = types.Row{int64(id), fmt.Sprintf("title of %d", id), v}
		if i%50 == 49 {
			f.rows[id][2] = nil
		}
	}
}

// source gives the fixture's rows.
func (f *fixture) source(keep func(types.RowID) bool) RowSource {
	return func(_ context.Context, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
		if ids == nil {
			for id := range f.rows {
				if keep == nil || keep(id) {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
		}
		row := make(types.Row, len(f.table.Columns))
		for _, id := range ids {
			clear(row)
			for _, num := range columns {
				row[num-1] = f.rows[id][num-1]
			}
			if err := fn(id, row); err != nil {
				return err
			}
		}
		return nil
	}
}

func (f *fixture) sealing() Sealing {
	return Sealing{Collection: f.name, Table: f.table, Indexes: []*catalog.Index{f.index}, Rows: f.source(nil), NextRowID: 1 << 20}
}

func (f *fixture) seal() *Collection {
	f.t.Helper()
	cold, err := f.s.Seal(context.Background(), f.sealing(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.view(cold)
}

func (f *fixture) view(cold *catalog.Cold) *Collection {
	t := f.table.Clone()
	t.Collection, t.Cold, t.Tier = f.name, cold, types.TierCold
	return f.s.Collection(t)
}

// truth are the exact distances to a query, sorted.
func (f *fixture) truth(q types.Vector) []storage.Candidate {
	var out []storage.Candidate
	for id, row := range f.rows {
		if v, ok := row[2].(types.Vector); ok {
			out = append(out, storage.Candidate{ID: id, Distance: distance.Vector(types.MetricL2, q, v)})
		}
	}
	slices.SortFunc(out, nearer)
	return out
}

func (f *fixture) query(seed uint64) types.Vector {
	r := rand.New(rand.NewPCG(seed, 99))
	v := make(types.Vector, testDims)
	centre := float32(r.IntN(8))
	for k := range v {
		v[k] = centre + float32(r.NormFloat64())
	}
	return v
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
