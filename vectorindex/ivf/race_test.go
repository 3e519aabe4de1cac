package ivf

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// repair makes the checksums of header and directory right.
func repair(file []byte, o *Options) {
	if len(file) < headerBytes {
		return
	}
	le := binary.LittleEndian
	cells := int64(le.Uint32(file[24:]))
	if body := cells * int64(4*paddedDims(o)+directoryBytes); headerBytes+body <= int64(len(file)) {
		le.PutUint32(file[72:], crc32.Checksum(file[headerBytes:headerBytes+body], castagnoli))
	}
	le.PutUint32(file[124:], crc32.Checksum(file[:124], castagnoli))
}

func TestSearchesGoOnWhileRowsComeAndCellsAreMerged(t *testing.T) {
	k := &testKinds[2]
	rows := k.sample(900)
	x := k.build(t, rows, 600, dataset.Sample().Dim)
	var wait sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				seen := every(t, x, Query{Vector: rows[i%len(rows)], Want: 50})
				for id := types.RowID(1); id <= 600; id++ {
					if seen[id] != 1 {
						t.Errorf("row %d came %d times", id, seen[id])
						return
					}
				}
			}
		})
	}
	for i := 600; i < len(rows); i++ {
		if err := x.Append(types.RowID(i+1), rows[i]); err != nil {
			t.Error(err)
		}
		if i%100 == 0 {
			if err := x.Merge(context.Background(), filepath.Join(t.TempDir(), "merged")); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	wait.Wait()
}

func TestAFirstBatchAllocatesNothingButItself(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates")
	}
	k := &testKinds[0]
	rows := k.sample(2000)
	x := k.build(t, rows, len(rows), dataset.Sample().Dim)
	source := &plain{rows: rows}
	x.source = source
	found := first(t, x, Query{Vector: rows[1], Want: 10})
	q := Query{Vector: rows[1], Want: 10}
	n := testing.AllocsPerRun(50, func() {
		s, err := x.Search(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if found, err = s.NextBatch(found[:0]); err != nil {
			t.Fatal(err)
		}
		s.Close()
	})
	if n > 6 { // the search itself, and what the pool lost to the collector
		t.Errorf("%.0f allocations", n)
	}
}

type plain struct{ rows table }

func (p *plain) Vectors(ids []types.RowID, into []Value) error { return p.rows.Vectors(ids, into) }
