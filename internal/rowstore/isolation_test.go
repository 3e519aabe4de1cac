package rowstore

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func (f *fixture) load(tx *Txn, ids ...int64) {
	f.t.Helper()
	f.ok(f.statement(tx, func() error {
		var rows []types.Row
		for _, id := range ids {
			rows = append(rows, rowOf(id, id))
		}
		return tx.InsertRows(context.Background(), f.table, rows)
	}))
}

func (f *fixture) check() {
	f.t.Helper()
	var report Report
	f.ok(f.store.checkTable(context.Background(), f.table, &report))
	if len(report.Problems) > 0 {
		f.t.Fatal(report.Problems)
	}
}

func TestALoadAfterATruncateOfTheSameTransactionStays(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.load(tx, 1, 2)
	f.commit(tx)
	tx = f.begin(storage.ReadCommitted)
	f.load(tx, 3)
	f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) }))
	f.load(tx, 1, 4)
	f.want(tx, map[int64]int64{1: 1, 4: 4})
	f.ok(tx.Savepoint("a"))
	f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) }))
	f.load(tx, 5)
	f.want(tx, map[int64]int64{5: 5})
	f.ok(tx.RollbackTo("a"))
	f.want(tx, map[int64]int64{1: 1, 4: 4})
	f.commit(tx)
	r := f.begin(storage.RepeatableRead)
	f.want(r, map[int64]int64{1: 1, 4: 4})
	r.Rollback()
	f.check()
}

func TestRepeatableReadReadsWhatItLoadedItself(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.RepeatableRead)
	f.want(tx, map[int64]int64{})
	f.load(tx, 1, 2)
	f.want(tx, map[int64]int64{1: 1, 2: 2})
	f.ok(f.add(tx, 1, 4, storage.WaitPolicy{}))
	f.want(tx, map[int64]int64{1: 5, 2: 2})
	f.commit(tx)
	f.check()
}

func TestAnOldSnapshotDoesNotReadANewIndex(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.load(tx, 1, 2)
	f.commit(tx)
	old, del := f.begin(storage.RepeatableRead), f.begin(storage.ReadCommitted)
	f.want(old, map[int64]int64{1: 1, 2: 2})
	f.ok(f.remove(del, 1))
	f.commit(del)
	ddl := f.begin(storage.ReadCommitted)
	f.ok(f.statement(ddl, func() error {
		x := &catalog.Index{ID: 20009, Table: 20000, Schema: "public", Name: "again", Method: "btree", Keys: []catalog.IndexKey{{Column: 2, Type: types.Int8OID}}}
		return errors.Join(ddl.Change(t.Context(), catalog.Put(x)), ddl.BuildIndex(t.Context(), f.table, x))
	}))
	f.commit(ddl)
	if old.Catalog().Object(20009).(*catalog.Index).Valid {
		t.Error("an index without a row that the snapshot sees is valid for it")
	}
	now := f.begin(storage.RepeatableRead)
	f.want(now, map[int64]int64{2: 2})
	if !now.Catalog().Object(20009).(*catalog.Index).Valid {
		t.Error("the index is not valid for a new snapshot")
	}
	f.want(old, map[int64]int64{1: 1, 2: 2})
	old.Rollback()
	now.Rollback()
}

func TestAnOldSnapshotDoesNotReadARewrittenTable(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.load(tx, 1)
	f.commit(tx)
	old := f.begin(storage.RepeatableRead)
	f.start(old)
	f.ok(old.EndStatement(true))
	ddl := f.begin(storage.ReadCommitted)
	f.ok(f.statement(ddl, func() error {
		to := f.table.Clone()
		to.Version++
		return errors.Join(ddl.Change(t.Context(), catalog.Put(to)),
			ddl.Rewrite(t.Context(), f.table, to, func(r types.Row) (types.Row, error) { return r, nil }))
	}))
	f.commit(ddl)
	f.start(old)
	if _, err := old.Scan(t.Context(), storage.ScanSpec{Table: f.table, Columns: []int16{1}}); code(err) != pgerr.SerializationFailure {
		t.Errorf("got %v", err)
	}
	f.ok(old.EndStatement(false))
	old.Rollback()
}

func TestOnConflictDoesNotRestOnAnUnseenRow(t *testing.T) {
	f := newFixture(t)
	old := f.begin(storage.RepeatableRead)
	f.want(old, map[int64]int64{})
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 1, 1))
	f.commit(tx)
	err := f.statement(old, func() error {
		_, _, err := old.Insert(t.Context(), f.table, rowOf(1, 2), storage.InsertOptions{OnConflict: true})
		return err
	})
	if code(err) != pgerr.SerializationFailure {
		t.Errorf("got %v", err)
	}
	old.Rollback()
}

func TestGetKnowsColumnsByWhatTheyAre(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.load(tx, 7)
	f.start(tx)
	columns, row := []int16{1}, make(types.Row, 3)
	for n := int16(1); n <= 3; n++ {
		columns[0] = n // the same slice
		if ok, err := tx.Get(t.Context(), f.table, 1, columns, row); !ok || err != nil {
			t.Fatal(ok, err)
		}
		want := make(types.Row, 3)
		want[n-1] = rowOf(7, 7)[n-1]
		if !reflect.DeepEqual(row, want) {
			t.Errorf("column %d: %v", n, row)
		}
	}
	f.ok(tx.EndStatement(true))
	tx.Rollback()
}

func TestAsynchronousCommitsReachTheDiskSoon(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 1, 1))
	f.ok(tx.Commit(t.Context(), true))
	f.store.syncer.close() // what is due is written
	crashed := f.fs.CrashClone(crashNow)
	f.ok(f.store.Close())
	f.fs, f.watch = crashed, &watch{live: map[types.RowID]bool{}}
	f.store = openAt(t, f.fs, f.watch)
	r := f.begin(storage.ReadCommitted)
	f.want(r, map[int64]int64{1: 1})
	r.Rollback()
}

func TestRollingBackToASavepointGivesItsLocksBack(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.load(tx, 1, 2)
	f.commit(tx)
	a, b := f.begin(storage.ReadCommitted), f.begin(storage.ReadCommitted)
	f.ok(f.add(a, 1, 1, storage.WaitPolicy{}))
	f.ok(a.Savepoint("s"))
	f.ok(f.add(a, 2, 1, storage.WaitPolicy{}))
	f.ok(f.add(a, 1, 1, storage.WaitPolicy{}))
	f.ok(f.insert(a, 3, 3))
	f.ok(a.LockTable(t.Context(), 20000, storage.LockAccessExclusive, storage.WaitPolicy{}))
	waiting := make(chan error, 1)
	go func() { waiting <- b.LockTable(t.Context(), 20000, storage.LockRowExclusive, storage.WaitPolicy{}) }()
	f.ok(a.RollbackTo("s"))
	f.ok(<-waiting)
	f.ok(f.add(b, 2, 5, storage.WaitPolicy{NoWait: true}))
	f.ok(f.statement(b, func() error {
		_, _, err := b.Insert(t.Context(), f.table, rowOf(3, 3), storage.InsertOptions{Wait: storage.WaitPolicy{Timeout: 1}})
		return err
	}))
	if err := f.add(b, 1, 5, storage.WaitPolicy{NoWait: true}); code(err) != pgerr.LockNotAvailable {
		t.Errorf("a row locked before the savepoint: %v", err)
	}
	f.commit(a)
	f.commit(b)
	r := f.begin(storage.ReadCommitted)
	f.want(r, map[int64]int64{1: 2, 2: 7, 3: 3})
	r.Rollback()
	if n := len(f.store.locks.locks); n > 0 {
		t.Errorf("%d locks are left", n)
	}
}

func TestADeleteRemovesVectorsThatItHasNotRead(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.load(tx, 1, 2)
	f.commit(tx)
	tx = f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, func() error {
		at, row, err := f.lockAndRead(tx, 1, storage.WaitPolicy{})
		row[2] = nil // not read
		return errors.Join(err, tx.Delete(t.Context(), f.table, at, row))
	}))
	f.commit(tx)
	var report Report
	f.ok(f.store.checkTable(t.Context(), f.table, &report))
	if len(report.Problems) > 0 || report.Vectors != 1 {
		t.Errorf("%d vectors, %v", report.Vectors, report.Problems)
	}
}
