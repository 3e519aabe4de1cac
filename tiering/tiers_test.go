package tiering

import (
	"context"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// tieredFixture is a fixture whose tiering runs on a clock moved by hand.
func tieredFixture(t *testing.T) (*fixture, *state.Manual) {
	f := newFixture(t)
	f.stop()
	clock := state.NewManual(time.Now())
	f.opts.Tiering.Clock = clock
	f.open()
	f.ok(f.m.RunTieringCycle(t.Context()))
	return f, clock
}

// read scans the table in a statement of its own, twice.
func (f *fixture) read() {
	f.Helper()
	f.commit(func(tx *Txn) error {
		for range 2 {
			it, err := tx.Scan(context.Background(), storage.ScanSpec{Table: f.table})
			if err == nil {
				err = it.Close()
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAStatementIsOneAccess(t *testing.T) {
	f, clock := tieredFixture(t)
	before := f.m.TierState(tableID)
	clock.Advance(time.Minute)
	f.read()
	after := f.m.TierState(tableID)
	if after.Accesses != before.Accesses+1 || !after.LastAccess.Equal(clock.Now()) {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestTierStatePersistenceAcrossRestart(t *testing.T) {
	f, clock := tieredFixture(t)
	clock.Advance(time.Minute)
	f.read()
	f.read()
	want := f.m.TierState(tableID)
	f.restart()
	if got := f.m.TierState(tableID); got != want {
		t.Errorf("after a restart %+v, before %+v", got, want)
	}
}

func TestADroppedTablesTierStateGoesWithIt(t *testing.T) {
	f, _ := tieredFixture(t)
	f.read()
	f.ok(f.m.RunTieringCycle(t.Context()))
	kept := func() (n int) {
		f.ok(f.store.TierStates(func(types.OID, []byte) error { n++; return nil }))
		return n
	}
	if kept() != 1 {
		t.Fatalf("%d states are kept", kept())
	}
	f.commit(func(tx *Txn) error { return tx.Change(context.Background(), catalog.Delete(f.table)) })
	if f.ok(f.m.RunTieringCycle(t.Context())); kept() != 0 || f.m.tiers.table.Find(tableID) != nil {
		t.Errorf("%d states are left", kept())
	}
}

func TestThePlanSaysWhatMovesAndWhy(t *testing.T) {
	f, clock := tieredFixture(t)
	if got := f.m.PlanTiering(); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	clock.Advance(6 * time.Hour)
	got := f.m.PlanTiering()
	if len(got) != 1 || got[0].To != types.TierWarm || got[0].Reason != "no access for 6h0m0s (limit 6h0m0s)" {
		t.Errorf("%+v", got)
	}
	for name, change := range map[string]func(*catalog.Table){
		"pinned":       func(c *catalog.Table) { c.Pinned = true },
		"tiering off":  func(c *catalog.Table) { c.Options = map[string]string{"tiering": "off"} },
		"a longer ttl": func(c *catalog.Table) { c.Options = map[string]string{"hot_tier_ttl": "24 hours"} },
	} {
		changed := f.table.Clone()
		change(changed)
		f.commit(func(tx *Txn) error { return tx.Change(context.Background(), catalog.Put(changed)) })
		if got := f.m.PlanTiering(); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTheWorkerRunsACycleAtEveryInterval(t *testing.T) {
	f := newFixture(t)
	f.stop()
	clock := state.NewManual(time.Now())
	cycles := make(chan int, 1)
	f.opts.Tiering = TieringOptions{Clock: clock, Cycled: func(_ time.Duration, errors int) { cycles <- errors }}
	f.open()
	for range 3 {
		clock.AwaitWaiter()
		clock.Advance(state.DefaultInterval)
		if n := <-cycles; n != 0 {
			t.Errorf("%d errors", n)
		}
	}
}

func BenchmarkTouch(b *testing.B) {
	m := New(Options{})
	tx := &Txn{m: m}
	m.tiers.find(7)
	b.ReportAllocs()
	for b.Loop() {
		tx.last, tx.seen = 0, tx.seen[:0]
		tx.touch(7)
	}
}
