package rowstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

const benchDims = 512

// benchSyncs counts syncs of the log.
var benchSyncs atomic.Int64

// benchStore is a store on the real disk with a table (id int8 primary key, title
// text, v vector(512)).
func benchStore(b *testing.B, rows int) (*Store, *catalog.Table) {
	b.Helper()
	benchSyncs.Store(0)
	s, err := Open(b.Context(), Options{Dir: b.TempDir(), CacheBytes: 256 << 20, Synced: func(time.Duration) { benchSyncs.Add(1) }})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	table := &catalog.Table{ID: 20000, Name: "t", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1}, {Num: 2, Name: "title", Type: types.TextOID, Typmod: -1},
		{Num: 3, Name: "v", Type: types.VectorOID, Typmod: benchDims}}}
	tx := benchBegin(b, s)
	must(b, tx.Change(b.Context(), catalog.Put(table), catalog.Put(&catalog.Index{ID: 20001, Table: 20000, Name: "p", Method: "btree",
		Unique: true, Valid: true, Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID}}})))
	must(b, tx.EndStatement(true))
	must(b, tx.Commit(b.Context(), false))
	if rows > 0 {
		loadRows(b, s, table, 0, rows)
	}
	return s, table
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchBegin(b *testing.B, s *Store) *Txn {
	b.Helper()
	tx, err := s.Begin(b.Context(), storage.TxnOptions{})
	must(b, err)
	must(b, tx.StartStatement(b.Context()))
	return tx
}

func randomVector() types.Vector {
	v := make(types.Vector, benchDims)
	for i := range v {
		v[i] = rand.Float32()
	}
	return v
}

// loadRows is one COPY in batches of 1000 rows.
func loadRows(b *testing.B, s *Store, table *catalog.Table, from, to int) {
	b.Helper()
	tx := benchBegin(b, s)
	vectors := make([]types.Vector, 64)
	for i := range vectors {
		vectors[i] = randomVector()
	}
	rows := make([]types.Row, 0, 1000)
	for id := from; id < to; {
		rows = rows[:0]
		for ; len(rows) < 1000 && id < to; id++ {
			rows = append(rows, types.Row{int64(id), "a title of some length", vectors[id%len(vectors)]})
		}
		must(b, tx.InsertRows(b.Context(), table, rows))
	}
	must(b, tx.EndStatement(true))
	must(b, tx.Commit(b.Context(), false))
}

func BenchmarkLoad(b *testing.B) {
	s, table := benchStore(b, 0)
	b.ReportAllocs()
	b.ResetTimer()
	loadRows(b, s, table, 0, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkGet(b *testing.B) {
	const rows = 50_000
	s, table := benchStore(b, rows)
	for _, c := range []struct {
		name    string
		columns []int16
	}{{"Visible", nil}, {"WithoutVector", []int16{1, 2}}, {"WithVector", []int16{1, 2, 3}}} {
		b.Run(c.name, func(b *testing.B) {
			tx := benchBegin(b, s)
			defer tx.Rollback()
			row := make(types.Row, 3)
			b.ReportAllocs()
			for b.Loop() {
				ok, err := tx.Get(context.Background(), table, types.RowID(1+rand.IntN(rows)), c.columns, row)
				if err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkPrimaryKey(b *testing.B) {
	const rows = 50_000
	s, table := benchStore(b, rows)
	x := s.Catalog().Object(20001).(*catalog.Index)
	row := make(types.Row, 3)
	tx := benchBegin(b, s)
	defer tx.Rollback()
	b.ReportAllocs()
	for b.Loop() {
		it, err := tx.ScanIndex(b.Context(), storage.IndexScanSpec{Table: table, Index: x, Columns: []int16{1, 2},
			Ranges: []storage.KeyRange{{Eq: []types.Datum{int64(rand.IntN(rows))}}}})
		must(b, err)
		if _, ok, err := it.Next(row); err != nil || !ok {
			b.Fatal(ok, err)
		}
		must(b, it.Close())
	}
}

func BenchmarkScan(b *testing.B) {
	const rows = 50_000
	s, table := benchStore(b, rows)
	for _, c := range []struct {
		name    string
		columns []int16
	}{{"WithoutVector", []int16{1, 2}}, {"WithVector", []int16{1, 2, 3}}} {
		b.Run(c.name, func(b *testing.B) {
			row := make(types.Row, 3)
			b.ReportAllocs()
			for b.Loop() {
				tx := benchBegin(b, s)
				it, err := tx.Scan(b.Context(), storage.ScanSpec{Table: table, Columns: c.columns})
				must(b, err)
				for {
					_, ok, err := it.Next(row)
					must(b, err)
					if !ok {
						break
					}
				}
				must(b, it.Close())
				tx.Rollback()
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkCommit commits one row at a time from several clients.
func BenchmarkCommit(b *testing.B) {
	for _, clients := range []int{1, 2, 8, 32} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			s, table := benchStore(b, 0)
			var next atomic.Int64
			var wg sync.WaitGroup
			v := randomVector()
			b.ReportAllocs()
			b.ResetTimer()
			for range clients {
				wg.Go(func() {
					for id := next.Add(1); id <= int64(b.N); id = next.Add(1) {
						tx := benchBegin(b, s)
						_, _, err := tx.Insert(b.Context(), table, types.Row{id, "title", v}, storage.InsertOptions{})
						must(b, err)
						must(b, tx.EndStatement(true))
						must(b, tx.Commit(b.Context(), false))
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			b.ReportMetric(float64(b.N)/float64(benchSyncs.Load()), "commits/sync")
		})
	}
}

// BenchmarkUpdate changes the title of one row a commit, then one of many.
func BenchmarkUpdate(b *testing.B) {
	const rows = 20_000
	for _, perCommit := range []int{1, 1000} {
		b.Run(fmt.Sprint(perCommit), func(b *testing.B) {
			s, table := benchStore(b, rows)
			row := make(types.Row, 3)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				tx := benchBegin(b, s)
				for range min(perCommit, b.N-n) {
					id := types.RowID(1 + n%rows)
					n++
					_, err := tx.LockRow(b.Context(), table, id, storage.ForUpdate, storage.WaitPolicy{})
					must(b, err)
					ok, err := tx.Get(b.Context(), table, id, []int16{1, 2, 3}, row)
					if err != nil || !ok {
						b.Fatal(ok, err)
					}
					to := types.Row{row[0], "another title", row[2]}
					_, err = tx.Update(b.Context(), table, id, row, to, storage.WaitPolicy{})
					must(b, err)
				}
				must(b, tx.EndStatement(true))
				must(b, tx.Commit(b.Context(), false))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkFsync is what the disk itself takes to append and sync as many bytes
// as a commit of BenchmarkCommit writes.
func BenchmarkFsync(b *testing.B) {
	f, err := vfs.Default.Create(filepath.Join(b.TempDir(), "log"), vfs.WriteCategoryUnspecified)
	must(b, err)
	defer func() { must(b, f.Close()) }()
	must(b, f.Preallocate(0, 64<<20))
	record := make([]byte, 4*benchDims+200)
	for b.Loop() {
		_, err := f.Write(record)
		must(b, err)
		must(b, f.SyncData())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}

// BenchmarkUpdateAll changes every row of a table without vectors in one transaction, which spills.
func BenchmarkUpdateAll(b *testing.B) {
	s, err := Open(b.Context(), Options{Dir: b.TempDir()})
	must(b, err)
	defer func() { must(b, s.Close()) }()
	table := &catalog.Table{ID: 20000, Name: "t", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1}, {Num: 2, Name: "title", Type: types.TextOID, Typmod: -1}}}
	tx := benchBegin(b, s)
	must(b, tx.Change(b.Context(), catalog.Put(table)))
	text := strings.Repeat("text ", 40)
	for from := 0; from < b.N; from += 1000 {
		rows := make([]types.Row, 0, 1000)
		for id := from; id < min(from+1000, b.N); id++ {
			rows = append(rows, types.Row{int64(id), text})
		}
		must(b, tx.InsertRows(b.Context(), table, rows))
	}
	must(b, tx.EndStatement(true))
	must(b, tx.Commit(b.Context(), false))
	b.ReportAllocs()
	b.ResetTimer()
	tx = benchBegin(b, s)
	it, err := tx.Scan(b.Context(), storage.ScanSpec{Table: table, Columns: []int16{1, 2}})
	must(b, err)
	row := make(types.Row, 2)
	for {
		id, ok, err := it.Next(row)
		must(b, err)
		if !ok {
			break
		}
		_, err = tx.LockRow(b.Context(), table, id, storage.ForUpdate, storage.WaitPolicy{})
		must(b, err)
		_, err = tx.Update(b.Context(), table, id, row, types.Row{row[0], text}, storage.WaitPolicy{})
		must(b, err)
	}
	must(b, it.Close())
	must(b, tx.EndStatement(true))
	must(b, tx.Commit(b.Context(), false))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
