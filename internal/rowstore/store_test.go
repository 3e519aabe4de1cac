package rowstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// leaks are the goroutines that tests leave on purpose: those of stores whose
// disk failed, which cannot be closed.
var leaks []goleak.Option

func ignoreLeaks() { leaks = append(leaks, goleak.IgnoreCurrent()) }

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(leaks...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// watch records what an observer is told.
type watch struct {
	mu   sync.Mutex
	live map[types.RowID]bool
}

func (w *watch) Written(_ *catalog.Table, id types.RowID, _ types.Row) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live[id] = true
	return nil
}

func (w *watch) Undone(_ types.OID, ids []types.RowID) { w.Gone(0, ids) }

func (w *watch) Gone(_ types.OID, ids []types.RowID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		delete(w.live, id)
	}
}

func (w *watch) CatalogChanged(_, _ *catalog.Snapshot, _ []types.OID) {}

// fixture is a store with one table: id int8 primary key, n int8, v vector(2), a
// btree index on n and a vector index on v.
type fixture struct {
	t     testing.TB
	fs    *vfs.MemFS
	store *Store
	watch *watch
	table *catalog.Table
}

// spillBytes lets all tests run with transactions that spill early: with
// AKIDB_SPILL_BYTES=300 nearly every commit is made of files.
func spillBytes() int {
	n, _ := strconv.Atoi(os.Getenv("AKIDB_SPILL_BYTES")) // 0, the default, when there is none
	return n
}

func openAt(t testing.TB, fs vfs.FS, w *watch) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: "rows", FS: fs, Observer: w, SpillBytes: spillBytes()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, fs: vfs.NewCrashableMem(), watch: &watch{live: map[types.RowID]bool{}}}
	f.store = openAt(t, f.fs, f.watch)
	f.table = &catalog.Table{ID: 20000, Schema: "public", Name: "items", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1, NotNull: true},
		{Num: 2, Name: "n", Type: types.Int8OID, Typmod: -1},
		{Num: 3, Name: "v", Type: types.VectorOID, Typmod: 2},
	}}
	tx := f.begin(storage.ReadCommitted)
	f.start(tx)
	f.ok(tx.Change(context.Background(), catalog.Put(f.table),
		catalog.Put(&catalog.Index{ID: 20001, Table: 20000, Schema: "public", Name: "items_pkey", Method: "btree", Unique: true, Valid: true,
			Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID}}}),
		catalog.Put(&catalog.Index{ID: 20002, Table: 20000, Schema: "public", Name: "items_n", Method: "btree", Valid: true,
			Keys: []catalog.IndexKey{{Column: 2, Type: types.Int8OID}}}),
		catalog.Put(&catalog.Index{ID: 20003, Table: 20000, Schema: "public", Name: "items_v", Method: "hnsw", Valid: true,
			Keys: []catalog.IndexKey{{Column: 3, Type: types.VectorOID, Metric: types.MetricL2}}})))
	f.ok(tx.EndStatement(true))
	f.ok(tx.Commit(context.Background(), false))
	t.Cleanup(func() {
		if f.store != nil {
			f.ok(f.store.Close())
		}
	})
	return f
}

func (f *fixture) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) begin(iso storage.Isolation) *Txn {
	f.t.Helper()
	tx, err := f.store.Begin(context.Background(), storage.TxnOptions{Isolation: iso})
	f.ok(err)
	return tx
}

func (f *fixture) start(tx *Txn) {
	f.t.Helper()
	f.ok(tx.StartStatement(context.Background()))
}

// statement runs fn as one statement and returns its error.
func (f *fixture) statement(tx *Txn, fn func() error) error {
	f.t.Helper()
	f.start(tx)
	err := fn()
	f.ok(tx.EndStatement(err == nil))
	return err
}

func rowOf(id, n int64) types.Row { return types.Row{id, n, types.Vector{float32(id), float32(n)}} }

func (f *fixture) insert(tx *Txn, id, n int64) error {
	f.t.Helper()
	return f.statement(tx, func() error {
		_, _, err := tx.Insert(context.Background(), f.table, rowOf(id, n), storage.InsertOptions{})
		return err
	})
}

// lockAndRead locks a row as UPDATE does and returns it; nil when it is gone.
func (f *fixture) lockAndRead(tx *Txn, id int64, wait storage.WaitPolicy) (types.RowID, types.Row, error) {
	var found types.RowID
	row := make(types.Row, 3)
	it, err := tx.ScanIndex(context.Background(), storage.IndexScanSpec{Table: f.table, Index: f.index(20001), Columns: []int16{1, 2, 3},
		Ranges: []storage.KeyRange{{Eq: []types.Datum{id}}}})
	if err != nil {
		return 0, nil, err
	}
	found, ok, err := it.Next(row)
	if err = errors.Join(err, it.Close()); err != nil || !ok {
		return 0, nil, err
	}
	locked, err := tx.LockRow(context.Background(), f.table, found, storage.ForUpdate, wait)
	if err != nil {
		return 0, nil, err
	}
	switch locked.Outcome {
	case storage.LockChanged:
		return locked.ID, locked.Row, nil
	case storage.LockUnchanged:
		return found, row, nil
	default:
		return 0, nil, nil
	}
}

func (f *fixture) index(id types.OID) *catalog.Index {
	return f.store.Catalog().Object(id).(*catalog.Index)
}

// add is UPDATE items SET n = n + d, v = … WHERE id = id.
func (f *fixture) add(tx *Txn, id, d int64, wait storage.WaitPolicy) error {
	f.t.Helper()
	return f.statement(tx, func() error {
		at, row, err := f.lockAndRead(tx, id, wait)
		if err != nil || row == nil {
			return err
		}
		_, err = tx.Update(context.Background(), f.table, at, row, rowOf(id, row[1].(int64)+d), wait)
		return err
	})
}

func (f *fixture) remove(tx *Txn, id int64) error {
	f.t.Helper()
	return f.statement(tx, func() error {
		at, row, err := f.lockAndRead(tx, id, storage.WaitPolicy{})
		if err != nil || row == nil {
			return err
		}
		return tx.Delete(context.Background(), f.table, at, row)
	})
}

// contents reads id → n by the table, and checks both indexes and Get against it.
func (f *fixture) contents(tx *Txn) map[int64]int64 {
	f.t.Helper()
	out := map[int64]int64{}
	f.start(tx)
	defer func() { f.ok(tx.EndStatement(true)) }()
	it, err := tx.Scan(context.Background(), storage.ScanSpec{Table: f.table, Columns: []int16{1, 2, 3}})
	f.ok(err)
	row := make(types.Row, 3)
	for {
		id, ok, err := it.Next(row)
		f.ok(err)
		if !ok {
			break
		}
		if !reflect.DeepEqual(row, rowOf(row[0].(int64), row[1].(int64))) {
			f.t.Fatalf("row %v", row)
		}
		out[row[0].(int64)] = row[1].(int64)
		again := make(types.Row, 3)
		if ok, err := tx.Get(context.Background(), f.table, id, []int16{1, 2, 3}, again); err != nil || !ok || !reflect.DeepEqual(again, row) {
			f.t.Fatalf("Get %d: %v %v %v", id, again, ok, err)
		}
	}
	f.ok(it.Close())
	for _, x := range []types.OID{20001, 20002} {
		it, err := tx.ScanIndex(context.Background(), storage.IndexScanSpec{Table: f.table, Index: f.index(x), Columns: []int16{1, 2}, Ranges: []storage.KeyRange{{}}})
		f.ok(err)
		n, last := 0, int64(-1<<62)
		for {
			_, ok, err := it.Next(row)
			f.ok(err)
			if !ok {
				break
			}
			key := row[f.index(x).Keys[0].Column-1].(int64)
			if key < last || out[row[0].(int64)] != row[1] {
				f.t.Fatalf("index %d: %v after %d", x, row, last)
			}
			last = key
			n++
		}
		f.ok(it.Close())
		if n != len(out) {
			f.t.Fatalf("index %d has %d rows, the table %d", x, n, len(out))
		}
	}
	return out
}

func (f *fixture) want(tx *Txn, want map[int64]int64) {
	f.t.Helper()
	if got := f.contents(tx); !reflect.DeepEqual(got, want) {
		f.t.Fatalf("got %v, want %v", got, want)
	}
}

func (f *fixture) commit(tx *Txn) {
	f.t.Helper()
	f.ok(tx.Commit(context.Background(), false))
}

func TestReadCommittedSeesEachStatementsPresent(t *testing.T) {
	f := newFixture(t)
	a, b := f.begin(storage.ReadCommitted), f.begin(storage.RepeatableRead)
	f.want(b, map[int64]int64{})
	f.ok(f.insert(a, 1, 10))
	f.want(a, map[int64]int64{1: 10})
	c := f.begin(storage.ReadCommitted)
	f.want(c, map[int64]int64{})
	f.commit(a)
	f.want(c, map[int64]int64{1: 10})
	f.want(b, map[int64]int64{})
	c.Rollback()
	f.commit(b)
}

func TestAStatementDoesNotSeeItsOwnWrites(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.start(tx)
	id, _, err := tx.Insert(t.Context(), f.table, rowOf(1, 1), storage.InsertOptions{})
	f.ok(err)
	if ok, err := tx.Get(t.Context(), f.table, id, nil, nil); ok || err != nil {
		t.Errorf("the statement sees its own row: %v", err)
	}
	tx.Advance()
	if ok, err := tx.Get(t.Context(), f.table, id, nil, nil); !ok || err != nil {
		t.Errorf("after Advance it does not: %v", err)
	}
	f.ok(tx.EndStatement(false))
	f.want(tx, map[int64]int64{})
	tx.Rollback()
}

func TestSavepointsUndoWhatCameAfterThem(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 1, 1))
	f.ok(tx.Savepoint("a"))
	f.ok(f.insert(tx, 2, 2))
	f.ok(f.add(tx, 1, 5, storage.WaitPolicy{}))
	f.ok(tx.Savepoint("b"))
	f.ok(f.remove(tx, 1))
	f.want(tx, map[int64]int64{2: 2})
	f.ok(tx.RollbackTo("b"))
	f.want(tx, map[int64]int64{1: 6, 2: 2})
	f.ok(tx.Release("b"))
	f.ok(tx.RollbackTo("a"))
	f.want(tx, map[int64]int64{1: 1})
	f.ok(tx.Release("a"))
	f.commit(tx)
	f.want(f.begin(storage.ReadCommitted), map[int64]int64{1: 1})
	if n := f.store.Stats(f.table.ID).Rows; n != 1 {
		t.Errorf("%d rows are counted", n)
	}
}

func code(err error) string { return pgerr.Code(err) }

func TestAUniqueKeyBelongsToOneRow(t *testing.T) {
	f := newFixture(t)
	a, b := f.begin(storage.ReadCommitted), f.begin(storage.ReadCommitted)
	f.ok(f.insert(a, 1, 1))
	if err := f.insert(a, 1, 2); code(err) != pgerr.UniqueViolation {
		t.Errorf("own duplicate: %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- f.insert(b, 1, 3) }()
	f.commit(a)
	if err := <-waiting; code(err) != pgerr.UniqueViolation {
		t.Errorf("concurrent duplicate: %v", err)
	}
	f.start(b)
	_, conflict, err := b.Insert(t.Context(), f.table, rowOf(1, 4), storage.InsertOptions{OnConflict: true})
	if err != nil || conflict == nil || conflict.Index.Name != "items_pkey" {
		t.Errorf("ON CONFLICT: %v %v", conflict, err)
	}
	f.ok(b.EndStatement(true))
	b.Rollback()
	c, d := f.begin(storage.ReadCommitted), f.begin(storage.ReadCommitted)
	f.ok(f.remove(c, 1))
	go func() { waiting <- f.insert(d, 1, 5) }()
	c.Rollback()
	if err := <-waiting; code(err) != pgerr.UniqueViolation {
		t.Errorf("after a rolled back delete: %v", err)
	}
	d.Rollback()
}

func TestAnUpdateThatWaitedSeesTheNewVersion(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 1, 0))
	f.commit(tx)
	for _, iso := range []storage.Isolation{storage.ReadCommitted, storage.RepeatableRead} {
		a, b := f.begin(storage.ReadCommitted), f.begin(iso)
		before := f.contents(b)[1] // fixes the snapshot of REPEATABLE READ
		f.ok(f.add(a, 1, 10, storage.WaitPolicy{}))
		waiting := make(chan error, 1)
		go func() { waiting <- f.add(b, 1, 1, storage.WaitPolicy{}) }()
		f.commit(a)
		err := <-waiting
		if iso == storage.RepeatableRead {
			if code(err) != pgerr.SerializationFailure {
				t.Errorf("repeatable read: %v", err)
			}
			b.Rollback()
			continue
		}
		f.ok(err)
		f.commit(b)
		r := f.begin(storage.ReadCommitted)
		f.want(r, map[int64]int64{1: before + 11})
		r.Rollback()
	}
}

func TestLocksTimeOutAndDeadlocksAreFound(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 1, 0))
	f.ok(f.insert(tx, 2, 0))
	f.commit(tx)
	a, b := f.begin(storage.ReadCommitted), f.begin(storage.ReadCommitted)
	f.ok(f.add(a, 1, 1, storage.WaitPolicy{}))
	if err := f.add(b, 1, 1, storage.WaitPolicy{Timeout: time.Millisecond}); code(err) != pgerr.LockNotAvailable {
		t.Errorf("timeout: %v", err)
	}
	if err := f.add(b, 1, 1, storage.WaitPolicy{NoWait: true}); code(err) != pgerr.LockNotAvailable {
		t.Errorf("NOWAIT: %v", err)
	}
	f.ok(f.add(b, 1, 1, storage.WaitPolicy{SkipLocked: true}))
	f.ok(f.add(b, 2, 1, storage.WaitPolicy{}))
	waiting := make(chan error, 1)
	go func() {
		err := f.add(a, 2, 1, storage.WaitPolicy{})
		if err != nil {
			a.Rollback() // the other one waits for it
		}
		waiting <- err
	}()
	err := f.add(b, 1, 1, storage.WaitPolicy{})
	if code(err) == pgerr.DeadlockDetected {
		b.Rollback()
		f.ok(<-waiting)
	} else if other := <-waiting; code(other) != pgerr.DeadlockDetected {
		t.Errorf("no deadlock was found: %v, %v", err, other)
	}
	a.Rollback()
	b.Rollback()
}

func TestTheObserverKnowsExactlyTheRowsThatExist(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	f := newFixture(t)
	next := int64(1)
	for range 200 {
		tx := f.begin(storage.ReadCommitted)
		for range 1 + rng.IntN(6) {
			switch rng.IntN(5) {
			case 0, 1:
				f.ok(f.insert(tx, next, rng.Int64N(10)))
				next++
			case 2:
				f.ok(f.add(tx, rng.Int64N(next), 1, storage.WaitPolicy{}))
			case 3:
				f.ok(f.remove(tx, rng.Int64N(next)))
			case 4:
				f.ok(f.statement(tx, func() error {
					rows := []types.Row{rowOf(next, 1), rowOf(next+1, 2)}
					next += 2
					return tx.InsertRows(t.Context(), f.table, rows)
				}))
			}
		}
		if rng.IntN(3) == 0 {
			tx.Rollback()
		} else {
			f.commit(tx)
		}
	}
	ids := map[types.RowID]bool{}
	f.ok(f.store.ScanIDs(t.Context(), f.table, func(id types.RowID) error { ids[id] = true; return nil }))
	if !reflect.DeepEqual(ids, f.watch.live) {
		t.Errorf("%d rows, the observer knows %d", len(ids), len(f.watch.live))
	}
	r := f.begin(storage.ReadCommitted)
	defer r.Rollback()
	f.contents(r)
	var report Report
	f.ok(f.store.checkTable(t.Context(), f.table, &report))
	if len(report.Problems) > 0 {
		t.Errorf("%v", report.Problems)
	}
}

func TestTruncateAndRewriteReplaceEverything(t *testing.T) {
	f := newFixture(t)
	tx := f.begin(storage.ReadCommitted)
	for i := range int64(10) {
		f.ok(f.insert(tx, i, i))
	}
	f.commit(tx)
	tx = f.begin(storage.ReadCommitted)
	f.ok(f.insert(tx, 100, 1))
	f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) }))
	f.want(tx, map[int64]int64{})
	f.ok(f.insert(tx, 5, 50))
	f.want(tx, map[int64]int64{5: 50})
	other := f.begin(storage.ReadCommitted)
	if n := len(f.contents(other)); n != 10 {
		t.Errorf("another transaction sees %d rows", n)
	}
	other.Rollback()
	f.commit(tx)
	tx = f.begin(storage.ReadCommitted)
	f.want(tx, map[int64]int64{5: 50})
	f.ok(f.statement(tx, func() error {
		return tx.Rewrite(t.Context(), f.table, f.table, func(r types.Row) (types.Row, error) {
			return rowOf(r[0].(int64), r[1].(int64)+1), nil
		})
	}))
	f.want(tx, map[int64]int64{5: 51})
	f.commit(tx)
	if n := f.store.Stats(f.table.ID).Rows; n != 1 {
		t.Errorf("%d rows are counted", n)
	}
}

// TestACrashLosesNoCommitAndKeepsNoHalf crashes at random moments: what was
// committed with Sync is there, and what was not is not.
func TestACrashLosesNoCommitAndKeepsNoHalf(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	f := newFixture(t)
	want := map[int64]int64{}
	next := int64(1)
	for range 30 {
		open := f.begin(storage.ReadCommitted) // a load under way when the crash comes
		f.start(open)
		for range rng.IntN(4) {
			f.ok(open.InsertRows(t.Context(), f.table, []types.Row{rowOf(1_000_000+next, 0), rowOf(2_000_000+next, 0)}))
			next++
		}
		for range rng.IntN(5) {
			tx := f.begin(storage.ReadCommitted)
			changes := map[int64]int64{}
			f.ok(f.statement(tx, func() error {
				rows := []types.Row{}
				for range 1 + rng.IntN(20) {
					rows = append(rows, rowOf(next, next%7))
					changes[next] = next % 7
					next++
				}
				return tx.InsertRows(t.Context(), f.table, rows)
			}))
			f.ok(f.insert(tx, next, 3))
			changes[next] = 3
			next++
			f.commit(tx)
			for k, v := range changes {
				want[k] = v
			}
		}
		crashed := f.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		f.ok(open.EndStatement(false))
		open.Rollback()
		f.ok(f.store.Close())
		f.fs = crashed
		f.watch = &watch{live: map[types.RowID]bool{}}
		f.store = openAt(t, f.fs, f.watch)
		r := f.begin(storage.ReadCommitted)
		if got := f.contents(r); !reflect.DeepEqual(got, want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
		r.Rollback()
		var report Report
		f.ok(f.store.checkTable(t.Context(), f.table, &report))
		if len(report.Problems) > 0 {
			t.Fatalf("%v", report.Problems)
		}
	}
}

func TestSequencesRiseAcrossRestarts(t *testing.T) {
	f := newFixture(t)
	q := &catalog.Sequence{ID: 30000, Name: "s", Start: 5, Increment: 2, Min: 1, Max: 200}
	tx := f.begin(storage.ReadCommitted)
	f.ok(tx.Change(t.Context(), catalog.Put(q)))
	f.commit(tx)
	last := int64(0)
	for n := range 40 {
		v, err := f.store.NextValue(t.Context(), q)
		f.ok(err)
		if n == 0 && v != 5 || v <= last {
			t.Fatalf("%d after %d", v, last)
		}
		last = v
		if n%10 == 9 {
			f.ok(f.store.Close())
			f.store = openAt(t, f.fs, f.watch)
		}
	}
	f.ok(f.store.SetValue(t.Context(), q.ID, 199, false))
	if v, err := f.store.NextValue(t.Context(), q); v != 199 || err != nil {
		t.Errorf("%d %v", v, err)
	}
	if _, err := f.store.NextValue(t.Context(), q); code(err) != "2200H" {
		t.Errorf("after the end: %v", err)
	}
}
