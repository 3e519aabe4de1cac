package tiering

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func TestRowsAreSeenByTheirTransactionAtOnceAndByOthersAfterTheCommit(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	f.commit(f.insert(0, 20))
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.insert(30, 31)))
	f.ok(tx.StartStatement(context.Background()))
	if got := f.nearest(tx, 30, 1); !slices.Equal(got, []int{30}) {
		t.Errorf("the writer's nearest is %v", got)
	}
	f.ok(tx.EndStatement(true))
	if f.sees(30) {
		t.Error("another transaction sees an uncommitted row")
	}
	f.ok(tx.Commit(context.Background(), false))
	if !f.sees(30) {
		t.Error("a committed row is not found")
	}
	f.checkIndex()
}

func TestUndoneWritesLeaveNothingInTheIndex(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	f.commit(f.insert(0, 10))

	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.insert(10, 15)))
	if f.graph().Len() != 15 {
		t.Error("rows are not in the index before their commit")
	}
	tx.Rollback()
	f.checkIndex()

	tx = f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.insert(20, 25)))
	f.ok(tx.Savepoint("s"))
	f.ok(f.statement(tx, f.insert(30, 35)))
	f.ok(tx.RollbackTo("s"))
	err := f.statement(tx, func(tx *Txn) error {
		f.ok(f.insert(40, 45)(tx))
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	f.ok(tx.Commit(context.Background(), false))
	if n := f.graph().Len(); n != 15 {
		t.Errorf("%d vectors, want 15", n)
	}
	f.checkIndex()

	tx = f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.load(50, 1700)))
	tx.Rollback()
	f.checkIndex()
	f.noProblems()
}

func TestDeletedRowsStayForThoseWhoStillSeeThem(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	f.commit(f.insert(0, 50))
	old := f.begin(storage.RepeatableRead)
	f.ok(old.StartStatement(context.Background()))
	f.commit(f.remove(7, 8))
	if got := f.nearest(old, 7, 1); !slices.Equal(got, []int{7}) {
		t.Errorf("an older snapshot finds %v", got)
	}
	f.ok(old.EndStatement(true))
	if f.sees(7) {
		t.Error("a deleted row is found")
	}
	f.ok(old.Commit(context.Background(), false))
	f.checkIndex()
}

func TestAnUpdatedVectorIsFoundInItsPlaceOnly(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	f.commit(f.insert(0, 50))
	f.commit(func(tx *Txn) error {
		for id, old := range f.rows(tx) {
			if old[0] == int64(3) {
				to, err := tx.Update(context.Background(), f.table, id, old, types.Row{int64(3), word(4000)}, storage.WaitPolicy{})
				if to == id {
					t.Error("the row id stays although the vector changes")
				}
				return err
			}
		}
		return nil
	})
	f.commit(func(tx *Txn) error {
		if got := f.nearest(tx, 4000, 1); !slices.Equal(got, []int{3}) {
			t.Errorf("nearest %v", got)
		}
		return nil
	})
	f.checkIndex()
}

func TestTruncateEmptiesTheIndexOnlyWhenItIsCommitted(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	f.commit(f.insert(0, 50))
	truncate := func(tx *Txn) error { return tx.Truncate(context.Background(), f.table) }

	tx := f.begin(storage.ReadCommitted)
	f.ok(tx.Savepoint("s"))
	f.ok(f.statement(tx, truncate))
	f.ok(tx.RollbackTo("s"))
	f.ok(tx.Commit(context.Background(), false))
	f.checkIndex()
	if f.graph().Len() != 50 {
		t.Fatalf("%d vectors after TRUNCATE was undone, want 50", f.graph().Len())
	}

	tx = f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.insert(60, 65)))
	f.ok(f.statement(tx, truncate))
	f.ok(f.statement(tx, f.insert(70, 73)))
	f.ok(tx.Commit(context.Background(), false))
	f.checkIndex()
	if f.graph().Len() != 3 {
		t.Errorf("%d vectors, want 3", f.graph().Len())
	}
	f.noProblems()
}

func TestAnIndexIsThereOnlyOnceItsTransactionHasCommitted(t *testing.T) {
	f := newFixture(t)
	f.commit(f.insert(0, 1500))
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.createIndex))
	f.ok(f.statement(tx, f.insert(1500, 1510)))
	tx.Rollback()
	f.m.freeing.Wait()
	if f.m.index(indexID) != nil || len(f.files()) != 0 {
		t.Errorf("a rolled-back index is left, files %v", f.files())
	}
	f.commit(f.createIndex)
	f.checkIndex()
	if got := f.m.IndexStats(); len(got) != 1 || got[0].Vectors != 1500 || got[0].Tail != 0 || got[0].Bytes < 1500*dims*4 {
		t.Errorf("stats %+v", got)
	}
	if p := f.m.BuildProgress(); len(p) != 0 {
		t.Errorf("builds under way: %v", p)
	}
	f.noProblems()
}

// The index is built from the rows of the moment at which its table is locked,
// not from those of the older snapshot of its statement.
func TestRowsCommittedBetweenSnapshotAndLockAreInANewIndex(t *testing.T) {
	f := newFixture(t)
	f.commit(f.insert(0, 10))
	for _, iso := range []storage.Isolation{storage.ReadCommitted, storage.RepeatableRead} {
		tx := f.begin(iso)
		f.ok(tx.StartStatement(context.Background()))
		f.commit(f.insert(10, 20))
		f.ok(tx.LockTable(context.Background(), tableID, storage.LockShare, storage.WaitPolicy{}))
		tx.SeeNewest()
		f.ok(f.createIndex(tx))
		f.ok(tx.EndStatement(true))
		f.ok(tx.Commit(context.Background(), false))
		f.checkIndex()
		f.commit(f.dropIndex)
		f.m.freeing.Wait()
	}
}

func TestACancelledBuildLeavesNothing(t *testing.T) {
	f := newFixture(t)
	f.commit(f.insert(0, 3000))
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errUndo)
	tx := f.begin(storage.ReadCommitted)
	err := f.statement(tx, func(tx *Txn) error { return tx.BuildIndex(ctx, f.table, f.index()) })
	if err == nil {
		t.Fatal("a cancelled build succeeds")
	}
	tx.Rollback()
	f.m.freeing.Wait()
	if f.m.index(indexID) != nil || len(f.files()) > 0 {
		t.Errorf("left behind: %v", f.files())
	}
}

func TestAnIndexIsDroppedWhileItIsSearched(t *testing.T) {
	f := newFixture(t)
	f.commit(f.insert(0, 1500))
	f.commit(f.createIndex)
	tx := f.begin(storage.ReadCommitted)
	f.ok(tx.StartStatement(context.Background()))
	it, err := tx.Nearest(context.Background(), storage.NearestSpec{Table: f.table, Index: f.index(), Query: word(1), Ef: 10})
	f.ok(err)
	f.commit(f.dropIndex) // does not wait for the search
	if batch, err := it.NextBatch(nil); err != nil || len(batch) == 0 {
		t.Errorf("the search ends with %d rows, %v", len(batch), err)
	}
	f.ok(it.Close())
	f.ok(tx.EndStatement(true))
	tx.Rollback()
	f.m.freeing.Wait()
	if len(f.files()) > 0 {
		t.Errorf("files %v are left", f.files())
	}
	f.commit(f.insert(1500, 1510)) // nothing keeps them
	f.restart()
	if f.m.index(indexID) != nil {
		t.Error("the index is back")
	}
}

func TestSearchesAndWritesGoOnWhileTheTailMoves(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	f.commit(f.load(0, 1500))
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range 15 {
				from := 1500 + (2*i+w)*50
				f.commit(f.insert(from, from+50))
			}
		})
	}
	for i := range 100 {
		if !f.sees(i * 15) {
			t.Fatalf("word %d is not found", i*15)
		}
	}
	writers.Wait()
	f.until("all in the graph", func() bool { return f.graph().TailLen() == 0 })
	f.checkIndex()
	f.noProblems()
}

func TestWritersWaitWhileTheTailIsTooLong(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	v := f.m.index(indexID)
	limit := v.present().(*graphBody).maxTail()
	if limit < minTailRows || limit > maxTailRows {
		t.Fatalf("limit %d", limit)
	}
	longest := 0
	for from := 0; from < limit+8000; from += 2000 {
		f.commit(f.load(from, from+2000))
		longest = max(longest, v.present().Pending())
	}
	if longest > limit+500 { // a batch may go beyond it
		t.Errorf("a tail of %d, the limit is %d", longest, limit)
	}
	f.until("all in the graph", func() bool { return f.graph().TailLen() == 0 })
}

func TestAWriterThatWaitsCanBeCancelled(t *testing.T) {
	f := newFixture(t)
	f.commit(f.createIndex)
	v := f.m.index(indexID)
	v.report("loading tuples", 0, 0) // as if a build held the worker back
	f.commit(f.load(0, v.present().(*graphBody).maxTail()+500))
	v.progress.Store(nil)
	v.present().Remove(1) // the worker is not awake
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errUndo)
	for v.present().Pending() > v.present().(*graphBody).maxTail() {
		if err := f.m.admit(ctx, tableID); errors.Is(err, errUndo) {
			return
		}
	}
	t.Skip("the worker was faster")
}

func TestAnExactSearchGivesAllOrTheChosenRowsInOrder(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, 1500))
	f.commit(f.createIndex)
	f.commit(f.insert(1500, 1520))
	f.commit(func(tx *Txn) error {
		var ids []types.RowID
		for id := range f.rows(tx) {
			if id%5 == 0 {
				ids = append(ids, id)
			}
		}
		for _, c := range []struct {
			spec storage.NearestSpec
			want int
		}{
			{storage.NearestSpec{Exact: true}, 1520},
			{storage.NearestSpec{Among: ids, Exact: true}, len(ids)},
			{storage.NearestSpec{Among: append(ids, 1<<40)}, len(ids)},
		} {
			c.spec.Table, c.spec.Index, c.spec.Query = f.table, f.index(), word(3)
			it, err := tx.Nearest(context.Background(), c.spec)
			f.ok(err)
			n, last := 0, -1.0
			for {
				batch, err := it.NextBatch(nil)
				f.ok(err)
				if len(batch) == 0 {
					break
				}
				n += len(batch)
				for _, x := range batch {
					if x.Distance < last {
						t.Fatalf("%v after %v", x.Distance, last)
					}
					last = x.Distance
				}
			}
			if s := it.Stats(); n != c.want || s.Method == "" || s.Candidates != c.want {
				t.Errorf("%d rows, want %d; %+v", n, c.want, s)
			}
			f.ok(it.Close())
		}
		return nil
	})
}

// The value of an expression index comes from the Keyer, which also leaves rows out.
func TestPartialAndExpressionIndexesHoldWhatTheirKeyerSays(t *testing.T) {
	f := newFixture(t)
	f.stop()
	f.opts.Keyer = evenRows{}
	f.open()
	partial := f.index()
	partial.Predicate = "id % 2 = 0"
	f.commit(f.insert(0, 30))
	f.commit(func(tx *Txn) error {
		if err := tx.Change(context.Background(), catalog.Put(partial)); err != nil {
			return err
		}
		return tx.BuildIndex(context.Background(), f.table, partial)
	})
	f.commit(f.insert(30, 40))
	for range 2 {
		if n := f.graph().Len(); n != 20 {
			t.Errorf("%d rows in the index, want 20", n)
		}
		f.restart()
	}
}

type evenRows struct{}

func (evenRows) Keys(_ *catalog.Table, _ *catalog.Index, row types.Row) ([]types.Datum, bool, error) {
	return []types.Datum{row[1]}, row[0].(int64)%2 == 0, nil
}
