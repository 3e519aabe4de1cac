package tiering

import (
	"context"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// warmFixture is a fixture whose table lies in the warm tier.
func warmFixture(t *testing.T) *fixture {
	f := newFixture(t)
	f.table = f.table.Clone()
	f.table.Tier = types.TierWarm
	f.commit(func(tx *Txn) error { return tx.Change(context.Background(), catalog.Put(f.table)) })
	f.commit(f.createIndex)
	return f
}

func (f *fixture) cells() *cellsBody {
	f.Helper()
	b, err := f.m.open(context.Background(), f.m.index(indexID))
	f.ok(err)
	return b.(*cellsBody)
}

// recall is the share of the ten nearest rows of some words that searches find.
func (f *fixture) recall() float64 {
	f.Helper()
	hits, total := 0, 0
	f.commit(func(tx *Txn) error {
		for w := 0; w < 1000; w += 50 {
			got := f.nearest(tx, w, 10)
			it, err := tx.Nearest(context.Background(), storage.NearestSpec{Table: f.table, Index: f.index(), Query: word(w), Want: 10, Exact: true})
			if err != nil {
				return err
			}
			exact, err := it.NextBatch(nil)
			if err != nil {
				return err
			}
			row := make(types.Row, 2)
			for _, c := range exact[:10] {
				if _, err := tx.Get(context.Background(), f.table, c.ID, []int16{1}, row); err != nil {
					return err
				}
				if total++; slices.Contains(got, int(row[0].(int64))) {
					hits++
				}
			}
			f.ok(it.Close())
		}
		return nil
	})
	return float64(hits) / float64(total)
}

func TestAWarmIndexThatBeganEmptyFindsWhatWasLoaded(t *testing.T) {
	f := warmFixture(t)
	b := f.cells()
	f.commit(func(tx *Txn) error {
		if err := tx.LockTable(t.Context(), tableID, storage.LockRowExclusive, storage.WaitPolicy{}); err != nil {
			return err // as the executor does
		}
		return f.load(0, dataset.SampleRows)(tx)
	})
	f.until("trained anew", func() bool {
		f.m.queue(f.m.index(indexID))
		return f.cells() != b && !f.cells().outgrown()
	})
	f.checkWarm(dataset.SampleRows)
	if r := f.recall(); r < 0.95 {
		t.Errorf("recall@10 %.3f", r)
	}
	f.restart()
	f.checkWarm(dataset.SampleRows)
	f.noProblems()
}

// checkWarm compares the index with the rows.
func (f *fixture) checkWarm(want int) {
	f.Helper()
	if n := f.cells().Len(); n != want {
		f.Errorf("the index has %d rows, want %d", n, want)
	}
	f.commit(func(tx *Txn) error {
		if n := len(f.nearest(tx, 3, 1<<20)); n != want {
			f.Errorf("a search gives %d rows, want %d", n, want)
		}
		return nil
	})
}

func TestAWarmSearchSeesItsOwnRowsAndThoseThatItsSnapshotHas(t *testing.T) {
	f := warmFixture(t)
	f.commit(f.insert(0, 300))
	old := f.begin(storage.RepeatableRead)
	f.ok(f.statement(old, func(tx *Txn) error {
		if got := f.nearest(tx, 7, 1); !slices.Equal(got, []int{7}) {
			t.Errorf("before the delete: %v", got)
		}
		return nil
	}))
	f.commit(f.remove(7))
	f.ok(f.cells().merge(t.Context()))
	f.ok(f.statement(old, func(tx *Txn) error {
		if got := f.nearest(tx, 7, 1); !slices.Equal(got, []int{7}) {
			t.Errorf("an older snapshot after the delete: %v", got)
		}
		return nil
	}))
	old.Rollback()
	if f.sees(7) {
		t.Error("a deleted row is found")
	}
	f.until("the deleted row is taken out", func() bool { return f.cells().Len() == 299 })

	own := f.begin(storage.ReadCommitted)
	f.ok(f.statement(own, f.insert(900, 901)))
	f.ok(f.cells().merge(t.Context())) // the row is not committed
	f.ok(f.statement(own, func(tx *Txn) error {
		if got := f.nearest(tx, 900, 1); !slices.Equal(got, []int{900}) {
			t.Errorf("its own row: %v", got)
		}
		return nil
	}))
	if f.sees(900) {
		t.Error("a row that is not committed is found")
	}
	own.Rollback()
	f.checkWarm(299)
}

func TestWhatCrashesLeaveIsMadeUpFromTheRows(t *testing.T) {
	f := warmFixture(t)
	f.commit(f.insert(0, 300))
	f.ok(f.cells().merge(t.Context()))
	f.commit(f.insert(300, 350))
	f.commit(f.remove(1, 2, 3))
	f.stop() // what waits for a merge is few: the file lacks it
	f.open()
	f.checkWarm(347)
	f.stop()
	f.ok(removeIfThere(f.m.cellsPath(indexID)))
	f.open()
	f.checkWarm(347)
	f.noProblems()
}

func TestAMoveBringsOverWhatIsWrittenMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.commit(f.insert(0, 400))
	f.commit(f.createIndex)
	own := f.begin(storage.ReadCommitted)
	f.ok(f.statement(own, f.insert(400, 450)))
	f.ok(own.LockTable(t.Context(), tableID, storage.LockRowExclusive, storage.WaitPolicy{}))
	done := make(chan error, 1)
	go func() { done <- f.m.SetTier(context.Background(), tableID, types.TierWarm, true) }()
	f.until("the switch waits for the writer", func() bool { return f.m.TierState(tableID).Transition == "hot to warm: switch" })
	f.commit(f.insert(450, 500))
	f.commit(f.remove(5, 451))
	f.ok(own.Commit(t.Context(), false))
	f.ok(<-done)
	f.table = f.store.Catalog().Table(tableID)
	if f.table.Tier != types.TierWarm {
		t.Fatalf("tier %s", f.table.Tier)
	}
	f.checkWarm(498)
	f.ok(f.m.SetTier(t.Context(), tableID, types.TierHot, true))
	f.table = f.store.Catalog().Table(tableID)
	f.checkIndex()
	f.noProblems()
}
