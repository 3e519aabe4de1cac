package segment

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/types"
)

// fullStore takes some bytes and then has no space left.
type fullStore struct{}

func (fullStore) Put(_ context.Context, key string, body io.Reader, _ objectstore.PutOptions) (objectstore.Info, error) {
	if _, err := io.CopyN(io.Discard, body, 300<<10); err != nil {
		return objectstore.Info{}, err
	}
	return objectstore.Info{}, &objectstore.Error{Class: objectstore.Full, Op: objectstore.OpPut, Key: key}
}

// BenchmarkSegment: 100,000 rows of 512 dimensions, in the local directory store.
func BenchmarkSegment(b *testing.B) {
	const n, dims = 100000, 512
	table, rows := vectorRows(n, dims, 300, rand.New(rand.NewPCG(1, 7)))
	s := newStore(b)
	ctx := context.Background()
	var sum Summary
	b.Run("write", func(b *testing.B) {
		b.SetBytes(n * dims * 4)
		for b.Loop() {
			if err := s.Delete(ctx, "a.parquet"); err != nil {
				b.Fatal(err)
			}
			sum = write(b, s, "a.parquet", table, rows, Options{})
		}
		b.ReportMetric(float64(sum.Bytes)/1e6, "MB")
	})
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(n * dims * 4)
		for b.Loop() {
			if err := Verify(ctx, s, sum); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			open(b, s, sum)
		}
	})
	r := open(b, s, sum)
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(n * dims * 4)
		for b.Loop() {
			scan, err := r.Scan(ctx, ScanOptions{Columns: []int16{1, 2, 3}})
			if err != nil {
				b.Fatal(err)
			}
			for {
				g, err := scan.NextGroup()
				if err != nil {
					b.Fatal(err)
				}
				if g == nil {
					break
				}
			}
			scan.Close()
		}
	})
	b.Run("point", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := r.Get(ctx, []types.RowID{rows[i*7919%n].id}, []int16{1, 2, 3}, table); err != nil {
				b.Fatal(err)
			}
		}
	})
}
