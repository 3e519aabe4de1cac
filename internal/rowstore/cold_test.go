package rowstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// bucket holds segments in memory, by key: the row store knows them only as a Cold.
type bucket struct {
	mu       sync.Mutex
	segments map[string]map[types.RowID]types.Row
	asked    int // calls of Rows
	fail     error
}

func newBucket() *bucket { return &bucket{segments: map[string]map[types.RowID]types.Row{}} }

// seal puts rows into segments of a few rows each and returns what names them.
func (b *bucket) seal(ids []types.RowID, rows map[types.RowID]types.Row) *catalog.Cold {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := &catalog.Cold{Manifest: uint64(len(b.segments) + 1)}
	for chunk := range slices.Chunk(ids, 7) {
		key := fmt.Sprint("s", len(b.segments))
		seg := map[types.RowID]types.Row{}
		for _, id := range chunk {
			seg[id] = rows[id]
		}
		b.segments[key] = seg
		out.Segments = append(out.Segments, catalog.Segment{Key: key, Rows: uint64(len(chunk)), MinRowID: slices.Min(chunk), MaxRowID: slices.Max(chunk)})
	}
	return out
}

func (b *bucket) rows(table *catalog.Table) map[types.RowID]types.Row {
	out := map[types.RowID]types.Row{}
	for _, s := range table.Cold.Segments {
		maps.Copy(out, b.segments[s.Key])
	}
	return out
}

// project is a segment's row as a reader with the table's present columns wants it.
func project(table *catalog.Table, columns []int16, row, dst types.Row) error {
	clear(dst)
	for _, n := range columns {
		c := &table.Columns[n-1]
		switch {
		case c.Dropped:
		case int(n) <= len(row):
			dst[n-1] = row[n-1]
		case c.Missing != nil:
			d, err := types.Parse(c.Type, c.Typmod, *c.Missing, types.DefaultEnv())
			if err != nil {
				return err
			}
			dst[n-1] = d
		}
	}
	return nil
}

func (b *bucket) Rows(_ context.Context, table *catalog.Table, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	all, dst := b.rows(table), make(types.Row, len(table.Columns))
	for _, i := range rand.Perm(len(ids)) {
		row, ok := all[ids[i]]
		if !ok {
			continue
		}
		if err := errors.Join(project(table, columns, row, dst), fn(ids[i], dst)); err != nil {
			return err
		}
	}
	return b.fail
}

func (b *bucket) Holds(_ context.Context, table *catalog.Table, id types.RowID) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.rows(table)[id]
	return ok, b.fail
}

func (b *bucket) IDs(_ context.Context, table *catalog.Table, fn func(types.RowID) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.rows(table) {
		if err := fn(id); err != nil {
			return err
		}
	}
	return b.fail
}

func (b *bucket) Scan(_ context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.rows(spec.Table)
	return &bucketScan{spec: spec, all: all, ids: slices.Collect(maps.Keys(all))}, b.fail
}

type bucketScan struct {
	spec storage.ScanSpec
	all  map[types.RowID]types.Row
	ids  []types.RowID
}

func (s *bucketScan) Next(dst types.Row) (types.RowID, bool, error) {
	if len(s.ids) == 0 {
		return 0, false, nil
	}
	id := s.ids[0]
	s.ids = s.ids[1:]
	return id, true, project(s.spec.Table, s.spec.Columns, s.all[id], dst)
}

func (s *bucketScan) Close() error { return nil }

// coldFixture is a fixture with a bucket.
type coldFixture struct {
	*fixture
	bucket *bucket
}

func newColdFixture(t testing.TB) *coldFixture {
	f := &coldFixture{fixture: newFixture(t), bucket: newBucket()}
	f.ok(f.store.Close())
	f.open()
	return f
}

// open opens the store again, with the bucket.
func (f *coldFixture) open() {
	f.t.Helper()
	s, err := Open(context.Background(), Options{Dir: "rows", FS: f.fs, Observer: f.watch, Cold: f.bucket})
	f.ok(err)
	f.store = s
	s.restoreChunk = 400 // some rows
	f.refresh()
}

// refresh takes the present descriptor, as a statement does once it has its lock.
func (f *coldFixture) refresh() { f.table = f.store.Catalog().Table(20000) }

// place is a copy of the descriptor with other segments.
func (f *coldFixture) place(cold *catalog.Cold) *catalog.Table {
	to := f.store.Catalog().Table(20000).Clone()
	to.Cold, to.Tier = cold, types.TierWarm
	if cold != nil {
		to.Tier = types.TierCold
	}
	return to
}

func (f *coldFixture) columns() (out []int16) {
	for _, c := range f.table.Live() {
		out = append(out, c.Num)
	}
	return out
}

// all reads the table by a scan.
func (f *coldFixture) all(tx *Txn, columns []int16) map[types.RowID]types.Row {
	f.t.Helper()
	f.start(tx)
	it, err := tx.Scan(context.Background(), storage.ScanSpec{Table: f.table, Columns: columns})
	f.ok(err)
	out := map[types.RowID]types.Row{}
	for {
		row := make(types.Row, len(f.table.Columns))
		id, ok, err := it.Next(row)
		f.ok(err)
		if !ok {
			break
		}
		if out[id] != nil {
			f.t.Fatalf("row %d comes twice", id)
		}
		out[id] = row
	}
	f.ok(it.Close())
	f.ok(tx.EndStatement(true))
	return out
}

// unload moves the table to segments; during runs between the copy and the switch.
func (f *coldFixture) unload(during func()) {
	f.t.Helper()
	w := f.store.Watch(f.table.ID)
	defer w.Stop()
	tx := f.begin(storage.ReadCommitted)
	rows := f.all(tx, f.columns())
	tx.Rollback()
	ids := slices.Collect(maps.Keys(rows))
	slices.SortFunc(ids, func(a, b types.RowID) int { return int(a*7919%101) - int(b*7919%101) }) // as cells do, in no order
	cold := f.bucket.seal(ids, rows)
	if during != nil {
		during()
	}
	tx = f.begin(storage.ReadCommitted)
	f.ok(tx.LockTable(context.Background(), f.table.ID, storage.LockAccessExclusive, storage.WaitPolicy{}))
	if w.Broken() {
		f.t.Fatal("the watch is broken")
	}
	tx.PutTierState(f.table.ID, []byte("cold"))
	f.ok(tx.Unload(context.Background(), f.place(cold), w.Changed()))
	f.ok(tx.Commit(context.Background(), false))
	f.refresh()
}

// loadBack moves the table back; during runs between the copy and the switch.
func (f *coldFixture) loadBack(during func()) {
	f.t.Helper()
	tx := f.startLoad()
	if during != nil {
		during()
	}
	f.finishLoad(tx)
}

// startLoad gives all rows of the segments to LoadRows.
func (f *coldFixture) startLoad() *Txn {
	f.t.Helper()
	tx := f.begin(storage.ReadCommitted)
	var ids []types.RowID
	var rows []types.Row
	all := f.bucket.rows(f.table)
	for id, row := range all {
		dst := make(types.Row, len(f.table.Columns))
		f.ok(project(f.table, f.columns(), row, dst))
		ids, rows = append(ids, id), append(rows, dst)
	}
	for len(ids) > 0 {
		n := min(len(ids), 5)
		f.ok(tx.LoadRows(context.Background(), f.table, ids[:n], rows[:n]))
		ids, rows = ids[n:], rows[n:]
	}
	return tx
}

func (f *coldFixture) finishLoad(tx *Txn) {
	f.t.Helper()
	f.ok(tx.LockTable(context.Background(), f.table.ID, storage.LockAccessExclusive, storage.WaitPolicy{}))
	f.ok(tx.FinishLoad(context.Background(), f.place(nil)))
	f.ok(tx.Commit(context.Background(), false))
	f.refresh()
}

// fill inserts rows with the ids 1 to n.
func (f *coldFixture) fill(n int64) {
	f.t.Helper()
	tx := f.begin(storage.ReadCommitted)
	for id := int64(1); id <= n; id++ {
		f.ok(f.insert(tx, id, id))
	}
	f.commit(tx)
}

// state reads the table by every path there is and returns its rows by their first column.
func (f *coldFixture) state(tx *Txn) map[int64]types.Row {
	f.t.Helper()
	columns := f.columns()
	all := f.all(tx, columns)
	f.start(tx)
	defer func() { f.ok(tx.EndStatement(true)) }()
	out := map[int64]types.Row{}
	again := make(types.Row, len(f.table.Columns))
	for id, row := range all {
		key := row[0].(int64)
		if twin := out[key]; twin != nil { // see below
			if fmt.Sprint(twin) > fmt.Sprint(row) {
				out[key], row = row, twin
			}
			key = -key
		}
		out[key] = row
		row = all[id]
		if ok, err := tx.Get(context.Background(), f.table, id, columns, again); err != nil || !ok || !reflect.DeepEqual(again, row) {
			f.t.Fatalf("Get %d: %v %v %v, the scan has %v", id, again, ok, err, row)
		}
		if ok, err := tx.Get(context.Background(), f.table, id, nil, nil); err != nil || !ok {
			f.t.Fatalf("Get %d: %v %v", id, ok, err)
		}
	}
	for _, x := range f.store.Catalog().Indexes(f.table.ID) {
		// REPEATABLE READ sees a row that another transaction has deleted since and its
		// own with the same key, but the index leads to its own alone.
		twins := slices.ContainsFunc(slices.Collect(maps.Keys(out)), func(id int64) bool { return id < 0 })
		if !x.Ordered() || twins {
			continue
		}
		for _, reverse := range []bool{false, true} {
			f.viaIndex(tx, x, reverse, all)
		}
	}
	return out
}

// viaIndex checks that an index leads to all rows, in its order.
func (f *coldFixture) viaIndex(tx *Txn, x *catalog.Index, reverse bool, all map[types.RowID]types.Row) {
	f.t.Helper()
	it, err := tx.ScanIndex(context.Background(), storage.IndexScanSpec{Table: f.table, Index: x, Columns: f.columns(), Reverse: reverse, Ranges: []storage.KeyRange{{}}})
	f.ok(err)
	row, n := make(types.Row, len(f.table.Columns)), 0
	var last types.Datum
	for ; ; n++ {
		id, ok, err := it.Next(row)
		f.ok(err)
		if !ok {
			break
		}
		key := row[x.Keys[0].Column-1]
		if !reflect.DeepEqual(all[id], row) {
			f.t.Fatalf("index %s: row %d is %v, the scan has %v", x.Name, id, row, all[id])
		}
		if last != nil && key != nil && last != key && (last.(int64) < key.(int64)) == reverse {
			f.t.Fatalf("index %s: %v after %v", x.Name, key, last)
		}
		last = key
	}
	f.ok(it.Close())
	if n != len(all) {
		f.t.Fatalf("index %s has %d rows, the table %d", x.Name, n, len(all))
	}
}

func numbers(rows map[int64]types.Row) map[int64]int64 {
	out := map[int64]int64{}
	for id, row := range rows {
		out[id] = row[1].(int64)
	}
	return out
}

func (f *coldFixture) want(tx *Txn, want map[int64]int64) {
	f.t.Helper()
	if got := numbers(f.state(tx)); !reflect.DeepEqual(got, want) {
		f.t.Fatalf("got  %v\nwant %v", got, want)
	}
}

// wantNow checks the committed state, and the store by check.
func (f *coldFixture) wantNow(want map[int64]int64) {
	f.t.Helper()
	tx := f.begin(storage.ReadCommitted)
	defer tx.Rollback()
	f.want(tx, want)
	f.consistent()
}

func (f *coldFixture) consistent() {
	f.t.Helper()
	var report Report
	f.ok(f.store.checkTable(context.Background(), f.table, &report))
	if len(report.Problems) > 0 {
		f.t.Fatal(report.Problems)
	}
}

func TestAColdTableReadsAndWritesAsAnyOther(t *testing.T) {
	f := newColdFixture(t)
	f.fill(20)
	f.unload(nil)
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.add(tx, 3, 0, storage.WaitPolicy{}))
	f.ok(f.statement(tx, func() error { // in place, twice
		for range 2 {
			at, row, err := f.lockAndRead(tx, 5, storage.WaitPolicy{})
			if err != nil {
				return err
			}
			to := slices.Clone(row)
			to[1] = int64(50)
			if _, err = tx.Update(t.Context(), f.table, at, row, to, storage.WaitPolicy{}); err != nil {
				return err
			}
			tx.Advance()
		}
		return nil
	}))
	f.ok(f.remove(tx, 7))
	f.ok(f.insert(tx, 7, 70))
	f.ok(tx.Savepoint("a"))
	f.ok(f.remove(tx, 8))
	f.ok(tx.RollbackTo("a"))
	f.ok(f.insert(tx, 21, 21))
	if err := f.insert(tx, 9, 9); code(err) != pgerr.UniqueViolation {
		t.Fatal(err)
	}
	want := map[int64]int64{}
	for i := int64(1); i <= 21; i++ {
		want[i] = i
	}
	want[5], want[7] = 50, 70
	f.want(tx, want)
	f.commit(tx)
	f.wantNow(want)
	f.loadBack(nil)
	f.wantNow(want)
	f.ok(f.store.Close())
	f.open()
	f.wantNow(want)
}

func TestChangesBetweenTheCopyAndTheSwitchAreKept(t *testing.T) {
	f := newColdFixture(t)
	f.fill(20)
	change := func(id int64) func() {
		return func() {
			tx := f.begin(storage.ReadCommitted)
			f.ok(f.remove(tx, id))
			f.ok(f.add(tx, id+1, 100, storage.WaitPolicy{}))
			f.ok(f.setN(tx, id+2, 7))
			f.ok(f.insert(tx, id+100, 1))
			f.commit(tx)
		}
	}
	f.unload(change(1))
	f.unload(change(5)) // a further seal
	f.loadBack(change(10))
	f.unload(nil)
	want := map[int64]int64{}
	for i := int64(1); i <= 20; i++ {
		want[i] = i
	}
	for _, id := range []int64{1, 5, 10} {
		delete(want, id)
		want[id+1] += 100
		want[id+2], want[id+100] = 7, 1
	}
	f.wantNow(want)
	if n := f.store.Stats(f.table.ID).Rows; n != int64(len(want)) {
		t.Fatal(n, len(want))
	}
}

// setN is UPDATE items SET n = n WHERE id = id: no vector changes.
func (f *coldFixture) setN(tx *Txn, id, n int64) error {
	f.t.Helper()
	return f.statement(tx, func() error {
		_, err := update(f, tx, id, func(row types.Row) { row[1] = n })
		return err
	})
}
