package rowstore

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func upTo(n int64) map[int64]int64 {
	out := map[int64]int64{}
	for i := int64(1); i <= n; i++ {
		out[i] = i
	}
	return out
}

func TestASnapshotOlderThanAMoveIsToldToBeginAnew(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	for _, move := range []func(){func() { f.unload(nil) }, func() { f.loadBack(nil) }} {
		old := f.begin(storage.RepeatableRead)
		f.ok(f.statement(old, func() error { return nil }))
		move()
		err := f.statement(old, func() error {
			_, err := old.Scan(t.Context(), storage.ScanSpec{Table: f.table})
			return err
		})
		if code(err) != pgerr.SerializationFailure {
			t.Fatal(err)
		}
		old.Rollback()
		f.wantNow(upTo(10))
	}
}

func TestReadersOfTheCommittedStateFollowAMove(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	stale := []*catalog.Table{f.table}
	f.unload(nil)
	stale = append(stale, f.table)
	f.loadBack(nil)
	f.unload(nil)
	stop, done := make(chan struct{}), sync.WaitGroup{}
	done.Go(func() {
		for {
			for _, table := range stale {
				n, ids := 0, []types.RowID(nil)
				err := f.store.ScanIDs(context.Background(), table, func(id types.RowID) error {
					ids = append(ids, id)
					return nil
				})
				err = errors.Join(err, f.store.Rows(context.Background(), table, []int16{1, 2, 3}, ids, func(_ types.RowID, row types.Row) error {
					if !reflect.DeepEqual(row, rowOf(row[0].(int64), row[1].(int64))) {
						t.Errorf("row %v", row)
					}
					n++
					return nil
				}))
				if err != nil || n != 10 {
					t.Errorf("%d rows, %v", n, err)
					return
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 20 {
		f.loadBack(nil)
		f.unload(nil)
	}
	close(stop)
	done.Wait()
}

// ddl runs a schema change as a statement and takes the new descriptor.
func (f *coldFixture) ddl(change func(*catalog.Table)) {
	f.t.Helper()
	tx := f.begin(storage.ReadCommitted)
	to := f.table.Clone()
	change(to)
	f.ok(f.statement(tx, func() error { return tx.Change(context.Background(), catalog.Put(to)) }))
	f.commit(tx)
	f.refresh()
}

func TestTheSchemaOfAColdTableChanges(t *testing.T) {
	f := newColdFixture(t)
	f.fill(20)
	f.unload(nil)
	nine := "9"
	f.ddl(func(x *catalog.Table) {
		x.Columns = append(x.Columns, catalog.Column{Num: 4, Name: "x", Type: types.Int8OID, Typmod: -1, Missing: &nine})
	})
	f.ddl(func(x *catalog.Table) { x.Columns[1].Name = "m"; x.Columns[2].Dropped = true })
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.setN(tx, 3, 30))
	f.ok(f.statement(tx, func() error { return tx.BuildIndex(t.Context(), f.table, plainIndex(20010, 4, false)) }))
	f.ok(f.statement(tx, func() error { return tx.BuildIndex(t.Context(), f.table, plainIndex(20011, 2, true)) }))
	f.commit(tx)
	check := func() {
		t.Helper()
		tx := f.begin(storage.ReadCommitted)
		defer tx.Rollback()
		rows := f.state(tx)
		if len(rows) != 20 || !reflect.DeepEqual(rows[3], types.Row{int64(3), int64(30), nil, int64(9)}) || !reflect.DeepEqual(rows[4], types.Row{int64(4), int64(4), nil, int64(9)}) {
			t.Fatal(rows)
		}
		f.consistent()
	}
	check()
	tx = f.begin(storage.ReadCommitted)
	err := f.statement(tx, func() error { return tx.BuildIndex(t.Context(), f.table, plainIndex(20012, 4, true)) })
	if e := pgerr.As(err); e == nil || e.Code != pgerr.UniqueViolation || e.Detail != "Key (x)=(9) is duplicated." {
		t.Fatal(err)
	}
	err = f.statement(tx, func() error {
		return tx.Rewrite(t.Context(), f.table, f.table, func(r types.Row) (types.Row, error) { return r, nil })
	})
	if e := pgerr.As(err); e == nil || e.Code != pgerr.ObjectNotInPrerequisiteState || e.Message != `collection "items" is cold` || !strings.Contains(e.Hint, "SET TIER warm WAIT") {
		t.Fatal(err)
	}
	tx.Rollback()
	f.loadBack(nil)
	check()
}

func plainIndex(id types.OID, column int16, unique bool) *catalog.Index {
	return &catalog.Index{ID: id, Table: 20000, Schema: "public", Name: "x", Method: "btree", Unique: unique,
		Keys: []catalog.IndexKey{{Column: column, Type: types.Int8OID}}}
}

func TestAnIndexScanAsksTheSegmentsForManyRowsAtOnce(t *testing.T) {
	f := newColdFixture(t)
	f.fill(300)
	f.unload(nil)
	tx := f.begin(storage.ReadCommitted)
	defer tx.Rollback()
	f.bucket.asked = 0
	rows := f.all(tx, []int16{1})
	f.start(tx)
	f.viaIndexIn(tx, f.index(20001), rows)
	f.ok(tx.EndStatement(true))
	if f.bucket.asked > 6 {
		t.Errorf("the segments are asked %d times for 300 rows", f.bucket.asked)
	}
}

func (f *coldFixture) viaIndexIn(tx *Txn, x *catalog.Index, all map[types.RowID]types.Row) {
	f.t.Helper()
	it, err := tx.ScanIndex(context.Background(), storage.IndexScanSpec{Table: f.table, Index: x, Columns: []int16{1}, Ranges: []storage.KeyRange{{}}})
	f.ok(err)
	row := make(types.Row, len(f.table.Columns))
	for n := int64(1); ; n++ {
		id, ok, err := it.Next(row)
		f.ok(err)
		if !ok {
			break
		}
		if row[0] != n || !reflect.DeepEqual(all[id], row) {
			f.t.Fatalf("row %d is %v", id, row)
		}
	}
	f.ok(it.Close())
}

func TestATruncatedColdTableHasNoSegments(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	f.unload(nil)
	manifest := f.table.Cold.Manifest
	old := f.begin(storage.RepeatableRead)
	f.ok(f.statement(old, func() error { return nil }))
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) }))
	f.table = tx.Catalog().Table(f.table.ID)
	f.ok(f.insert(tx, 3, 33))
	f.want(tx, map[int64]int64{3: 33})
	f.commit(tx)
	f.refresh()
	if f.table.Cold == nil || len(f.table.Cold.Segments) != 0 || f.table.Cold.Manifest != manifest {
		t.Fatalf("%+v", f.table.Cold)
	}
	f.wantNow(map[int64]int64{3: 33})
	if err := f.statement(old, func() error {
		_, err := old.Get(t.Context(), f.table, 1, nil, nil)
		return err
	}); code(err) != pgerr.SerializationFailure {
		t.Fatal(err)
	}
	old.Rollback()
	f.unload(nil)
	f.wantNow(map[int64]int64{3: 33})
}

func TestADroppedColdTableLeavesNothing(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	f.unload(nil)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.remove(tx, 4))
	f.commit(tx)
	w := f.store.Watch(f.table.ID)
	defer w.Stop()
	tx = f.begin(storage.ReadCommitted)
	changes := []catalog.Change{catalog.Delete(f.table)}
	for _, x := range f.store.Catalog().Indexes(f.table.ID) {
		changes = append(changes, catalog.Delete(x))
	}
	f.ok(tx.Change(t.Context(), changes...))
	f.commit(tx)
	if !w.Broken() {
		t.Error("the watch does not know of the drop")
	}
	f.ok(eachPrefix(t.Context(), f.store.db, func(prefix []byte) error {
		t.Errorf("left: %x", prefix)
		return nil
	}))
}

func TestWithoutAColdStoreAColdTableSaysSo(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	f.unload(nil)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.remove(tx, 4))
	f.ok(f.insert(tx, 11, 11))
	f.commit(tx)
	f.ok(f.store.Close())
	f.store = openAt(t, f.fs, f.watch)
	f.refresh()
	tx = f.begin(storage.ReadCommitted)
	defer tx.Rollback()
	for name, fn := range map[string]func() error{
		"get":   func() error { _, err := tx.Get(t.Context(), f.table, 1, []int16{1}, make(types.Row, 3)); return err },
		"scan":  func() error { _, err := f.drain(tx.Scan(t.Context(), storage.ScanSpec{Table: f.table})); return err },
		"index": func() error { _, _, err := f.lockAndRead(tx, 1, storage.WaitPolicy{}); return err },
		"rows": func() error {
			return f.store.Rows(t.Context(), f.table, nil, []types.RowID{1}, func(types.RowID, types.Row) error { return nil })
		},
		"ids": func() error {
			return f.store.ScanIDs(t.Context(), f.table, func(types.RowID) error { return nil })
		},
	} {
		if err := f.statement(tx, fn); code(err) != pgerr.ObjectNotInPrerequisiteState {
			t.Errorf("%s: %v", name, err)
		}
	}
	if at, row, err := f.lockAndRead(tx, 11, storage.WaitPolicy{}); err != nil || row == nil {
		t.Errorf("the local row: %d %v", at, err)
	}
	var report Report
	f.ok(f.store.checkTable(t.Context(), f.table, &report))
	if len(report.Problems) > 0 || report.Unseen != 9 || report.Tombstones != 1 || report.Rows != 1 {
		t.Errorf("%+v", report)
	}
}

func (f *coldFixture) drain(it storage.RowIter, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	row := make(types.Row, len(f.table.Columns))
	for n := 0; ; n++ {
		if _, ok, err := it.Next(row); err != nil || !ok {
			return n, errors.Join(err, it.Close())
		}
	}
}

func TestErrorsOfTheColdStoreReachTheStatement(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	f.unload(nil)
	f.bucket.fail = errors.New("the bucket is away")
	defer func() { f.bucket.fail = nil }()
	tx := f.begin(storage.ReadCommitted)
	defer tx.Rollback()
	for name, fn := range map[string]func() error{
		"get":    func() error { _, err := tx.Get(t.Context(), f.table, 1, []int16{1}, make(types.Row, 3)); return err },
		"exists": func() error { _, err := tx.Get(t.Context(), f.table, 1, nil, nil); return err },
		"scan":   func() error { _, err := f.drain(tx.Scan(t.Context(), storage.ScanSpec{Table: f.table})); return err },
		"index":  func() error { _, _, err := f.lockAndRead(tx, 1, storage.WaitPolicy{}); return err },
		"lock": func() error {
			_, err := tx.LockRow(t.Context(), f.table, 1, storage.ForUpdate, storage.WaitPolicy{})
			return err
		},
		"build": func() error { return tx.BuildIndex(t.Context(), f.table, plainIndex(20010, 2, false)) },
	} {
		if err := f.statement(tx, fn); !errors.Is(err, f.bucket.fail) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckFindsWhatIsWrongWithAColdTable(t *testing.T) {
	f := newColdFixture(t)
	f.fill(10)
	f.unload(nil)
	problems := func() []string {
		var report Report
		f.ok(f.store.checkTable(t.Context(), f.table, &report))
		return report.Problems
	}
	if p := problems(); len(p) > 0 {
		t.Fatal(p)
	}
	delete(f.bucket.segments[f.table.Cold.Segments[0].Key], f.table.Cold.Segments[0].MinRowID)
	if p := strings.Join(problems(), "\n"); !strings.Contains(p, "10 rows are counted, 9 are there") || !strings.Contains(p, "index items_pkey: 10 entries, the rows make 9") {
		t.Error(p)
	}
	f.ok(f.store.set(rowKey(nil, f.table.ID, 500), tombstone, nil))
	f.ok(f.store.set(vectorKey(nil, f.table.ID, 3, 2), appendVector(nil, types.Vector{1, 2}), nil))
	p := strings.Join(problems(), "\n")
	for _, want := range []string{"a tombstone for row 500, which no segment can have", "column 3 has a vector for row 2, which does not exist"} {
		if !strings.Contains(p, want) {
			t.Errorf("%s\nlacks %s", p, want)
		}
	}
}

func TestAttachedRowsAreCountedAndTheirIDsNotGivenAgain(t *testing.T) {
	f := newColdFixture(t)
	rows := map[types.RowID]types.Row{}
	for id := types.RowID(1000); id < 1010; id++ {
		rows[id] = rowOf(int64(id), 5)
	}
	cold := f.bucket.seal(slices.Collect(maps.Keys(rows)), rows)
	tx := f.begin(storage.ReadCommitted)
	table := &catalog.Table{ID: 30000, Schema: "public", Name: "found", Columns: slices.Clone(f.table.Columns), Tier: types.TierCold, Cold: cold}
	f.ok(f.statement(tx, func() error {
		if err := tx.Attach(t.Context(), table); err != nil {
			return err
		}
		tx.Advance()
		tx.SeeNewest()
		x := plainIndex(30001, 1, true)
		x.Table = 30000
		return tx.BuildIndex(t.Context(), table, x)
	}))
	f.commit(tx)
	f.ok(f.store.Close())
	f.open()
	f.table = f.store.Catalog().Table(30000)
	f.consistent()
	tx = f.begin(storage.ReadCommitted)
	if err := f.insert(tx, 1005, 1); code(err) != pgerr.UniqueViolation {
		t.Error(err)
	}
	f.ok(f.insert(tx, 1, 1))
	f.commit(tx)
	if n := f.store.Stats(30000).Rows; n != 11 {
		t.Error(n)
	}
	f.consistent()
	f.refresh()
}

func TestChangesCountsCommitsThatWriteRowsAndNoMoves(t *testing.T) {
	f := newColdFixture(t)
	changes := func() uint64 {
		n, err := f.store.Changes(f.table.ID)
		f.ok(err)
		return n
	}
	at := changes()
	step := func(what string, by uint64, fn func(*Txn)) {
		t.Helper()
		tx := f.begin(storage.ReadCommitted)
		fn(tx)
		f.commit(tx)
		f.refresh()
		if n := changes(); n != at+by {
			t.Errorf("%s: %d after %d", what, n, at)
		}
		at = changes()
	}
	write := func() {
		step("insert", 1, func(tx *Txn) { f.ok(f.insert(tx, 1, 1)); f.ok(f.insert(tx, 2, 2)) })
		step("load", 1, func(tx *Txn) { f.load(tx, 3, 4) })
		step("update in place", 1, func(tx *Txn) { f.ok(f.setN(tx, 3, 5)) })
		step("update", 1, func(tx *Txn) { f.ok(f.add(tx, 4, 5, storage.WaitPolicy{})) })
		step("delete", 1, func(tx *Txn) { f.ok(f.remove(tx, 2)) })
		step("nothing", 0, func(tx *Txn) { f.ok(f.remove(tx, 2)) })
		step("undone", 0, func(tx *Txn) {
			f.ok(tx.Savepoint("a"))
			f.ok(f.remove(tx, 1))
			f.ok(tx.RollbackTo("a"))
		})
	}
	write()
	f.unload(nil)
	f.ok(f.store.Close())
	f.open()
	if n := changes(); n != at {
		t.Errorf("a move and a restart count: %d after %d", n, at)
	}
	step("truncate", 1, func(tx *Txn) { f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) })) })
	f.unload(nil)
	write()
	f.loadBack(nil)
	if n := changes(); n != at {
		t.Errorf("a move counts: %d after %d", n, at)
	}
}

func TestAWatchTellsOfCommitsAlone(t *testing.T) {
	f := newColdFixture(t)
	f.fill(5)
	late := f.begin(storage.ReadCommitted) // writes before the watch begins
	f.ok(f.setN(late, 1, 9))
	w := f.store.Watch(f.table.ID)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 6, 6))
	f.ok(f.remove(tx, 2))
	f.ok(tx.Savepoint("a"))
	f.ok(f.remove(tx, 3))
	f.ok(tx.RollbackTo("a"))
	if ids := w.Changed(); len(ids) > 0 {
		t.Error(ids)
	}
	f.commit(tx)
	f.commit(late)
	if ids := w.Changed(); !reflect.DeepEqual(ids, []types.RowID{1, 2, 6}) || w.Broken() {
		t.Error(ids)
	}
	tx = f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) }))
	f.commit(tx)
	if !w.Broken() {
		t.Error("the watch does not know of the truncation")
	}
	w.Stop()
	w.Stop()
	if f.store.watches.n.Load() != 0 || len(f.store.watches.by) != 0 {
		t.Error("the watch is not forgotten")
	}
}

// TestRowsComeBackWhileTheyAreWritten has sessions update, delete and insert rows of
// a table that goes and comes all the time: none of it gets lost.
func TestRowsComeBackWhileTheyAreWritten(t *testing.T) {
	const writers, each = 3, 8
	f := newColdFixture(t)
	f.fill(writers * each)
	f.unload(nil)
	stop := make(chan struct{})
	want := make([]map[int64]int64, writers)
	var done sync.WaitGroup
	for w := range writers {
		want[w] = map[int64]int64{}
		for i := range int64(each) {
			want[w][int64(w*each)+i+1] = int64(w*each) + i + 1
		}
		done.Go(func() {
			mine := &coldFixture{fixture: &fixture{t: t, store: f.store}}
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := int64(w*each+n%each) + 1
				if err := writeOnce(mine, id, n, want[w]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 60 {
		tx := f.startLoad()
		if i%3 == 0 {
			tx.Rollback()
			f.ok(f.store.DropCopies(t.Context(), f.table))
			continue
		}
		f.finishLoad(tx)
		f.unload(nil)
	}
	close(stop)
	done.Wait()
	all := map[int64]int64{}
	for _, m := range want {
		maps.Copy(all, m)
	}
	f.wantNow(all)
}

// writeOnce commits one change of a row and notes it in want.
func writeOnce(f *coldFixture, id int64, n int, want map[int64]int64) error {
	ctx := context.Background()
	tx, err := f.store.Begin(ctx, storage.TxnOptions{})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := tx.LockTable(ctx, 20000, storage.LockRowExclusive, storage.WaitPolicy{}); err != nil {
		return err
	}
	f.refresh()
	_, there := want[id]
	if err := tx.StartStatement(ctx); err != nil {
		return err
	}
	switch {
	case !there:
		_, _, err = tx.Insert(ctx, f.table, rowOf(id, int64(n)), storage.InsertOptions{})
	case n%5 == 0:
		var at types.RowID
		var row types.Row
		if at, row, err = findAndLock(f, tx, id); err == nil && row == nil {
			err = errors.New("a row is gone")
		}
		if err == nil {
			err = tx.Delete(ctx, f.table, at, row)
		}
	default:
		var out any
		out, err = update(f, tx, id, func(row types.Row) {
			if row[1] != want[id] {
				f.t.Errorf("row %d has %v, want %d", id, row[1], want[id])
			}
			row[1] = int64(n)
			if n%3 == 0 {
				row[2] = types.Vector{float32(n), 1}
			}
		})
		if out == nil && err == nil {
			err = errors.New("a row is gone")
		}
	}
	if err = errors.Join(err, tx.EndStatement(err == nil)); err != nil {
		return err
	}
	if err := tx.Commit(ctx, n%2 == 0); err != nil {
		return err
	}
	if there && n%5 == 0 {
		delete(want, id)
	} else {
		want[id] = int64(n)
	}
	return nil
}

func TestAMoveBackThatEndedHalfwayIsGoneOnWith(t *testing.T) {
	f := newColdFixture(t)
	f.fill(20)
	f.unload(nil)
	local := func() (n int) {
		f.ok(f.store.LocalIDs(t.Context(), f.table, func(types.RowID, bool) error {
			n++
			return nil
		}))
		return n
	}
	tx := f.startLoad()
	if err := f.store.DropCopies(t.Context(), f.table); err == nil {
		t.Error("copies can be dropped while they are made")
	}
	if n := local(); n != 0 {
		t.Errorf("%d copies are given as local rows", n)
	}
	tx.Rollback()
	f.ok(f.store.Close())
	f.open()
	f.wantNow(upTo(20))
	tx = f.begin(storage.ReadCommitted)
	f.ok(f.remove(tx, 4))
	f.ok(f.setN(tx, 5, 50))
	f.commit(tx)
	want := upTo(20)
	delete(want, 4)
	want[5] = 50
	f.wantNow(want)
	if n := local(); n != 2 {
		t.Errorf("%d local rows and tombstones, want 2", n)
	}
	tx = f.begin(storage.ReadCommitted)
	f.ok(tx.LoadRows(t.Context(), f.table, nil, nil)) // what came back is there still, but for the last
	n := tx.restore.live.GetCardinality()
	tx.Rollback()
	if n < 10 {
		t.Errorf("%d rows are here, want most of 19", n)
	}
	tx = f.begin(storage.ReadCommitted)
	f.ok(tx.LoadRows(t.Context(), f.table, nil, nil))
	f.ok(tx.LockTable(t.Context(), f.table.ID, storage.LockAccessExclusive, storage.WaitPolicy{}))
	if err := tx.FinishLoad(t.Context(), f.place(nil)); err == nil && n < 19 {
		t.Error("a move ends without all rows")
	}
	tx.Rollback()
	f.loadBack(nil)
	f.wantNow(want)
	if n := local(); n != 19 {
		t.Errorf("%d local rows, want 19", n)
	}
}
