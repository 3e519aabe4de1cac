package tiering

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// TestTenThousandIdleCollectionsCostNextToNothing makes them, in the warm tier with an
// index each, in one transaction, and looks at what they take: at the start, in a
// cycle, in memory, in goroutines.
func TestTenThousandIdleCollectionsCostNextToNothing(t *testing.T) {
	const many = 10_000
	f := newFixture(t)
	f.commit(func(tx *Txn) error {
		var changes []catalog.Change
		for i := range types.OID(many) {
			table := &catalog.Table{ID: 30_000 + 2*i, Schema: "public", Name: fmt.Sprintf("c%d", i), Columns: f.table.Columns, Tier: types.TierWarm}
			x := &catalog.Index{ID: table.ID + 1, Table: table.ID, Schema: "public", Name: fmt.Sprintf("c%d_v", i), Method: "hnsw", Valid: true, Keys: f.index().Keys}
			changes = append(changes, catalog.Put(table), catalog.Put(x))
		}
		return tx.Change(context.Background(), changes...)
	})
	f.ok(f.m.RunTieringCycle(t.Context()))
	f.stop()
	clock := state.NewManual(time.Now())
	f.opts.Tiering.Clock = clock
	start := time.Now()
	f.open()
	opened := time.Since(start)
	goroutines := runtime.NumGoroutine()
	start = time.Now()
	f.ok(f.m.RunTieringCycle(t.Context()))
	cycled := time.Since(start)
	size := unsafe.Sizeof(collection{})
	t.Logf("start %.2f s, cycle %.3f s, %d bytes a collection, %d goroutines", opened.Seconds(), cycled.Seconds(), size, goroutines)
	if opened > 5*time.Second {
		t.Errorf("the start took %s", opened)
	}
	if cycled > time.Second {
		t.Errorf("a cycle took %s", cycled)
	}
	if size*many > 2<<20 {
		t.Errorf("the state of a collection takes %d bytes", size)
	}
	if goroutines > 200 {
		t.Errorf("%d goroutines", goroutines)
	}
	if n := f.m.ramBytes(30_000); n != 0 {
		t.Errorf("an idle index takes %d bytes", n)
	}
}
