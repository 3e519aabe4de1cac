package rowstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// coldModel does the same to a table that moves between the row store and segments at
// random moments and to one that never does: every answer must be the same.
type coldModel struct {
	t      *testing.T
	rng    *rand.Rand
	moving *coldFixture
	still  *coldFixture
	open   []*pair
	move   *halfMove // prepared, not switched
	done   struct{ steps, moves, crashes, serialization int }
}

// pair is a transaction on both tables.
type pair struct {
	moving, still *Txn
	savepoints    int
}

// halfMove is a move before its switch.
type halfMove struct {
	watch *Watch        // of a move to segments
	cold  *catalog.Cold // which these are
	load  *Txn          // of a move from segments
}

// impatient is the context of calls that take no wait policy: one that would wait fails.
var impatient = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// coldModelRow has an indexed vector and one that is not.
func coldModelRow(id, n int64, v, w float32) types.Row {
	return types.Row{id, n, types.Vector{v, float32(id)}, types.Vector{w, 1}}
}

func newColdModel(t *testing.T, seed uint64) *coldModel {
	m := &coldModel{t: t, rng: rand.New(rand.NewPCG(seed, 1)), moving: newColdFixture(t), still: newColdFixture(t)}
	for _, f := range m.both() {
		tx := f.begin(storage.ReadCommitted)
		wide := f.table.Clone()
		wide.Columns = append(wide.Columns, catalog.Column{Num: 4, Name: "w", Type: types.VectorOID, Typmod: 2})
		f.ok(tx.Change(t.Context(), catalog.Put(wide)))
		f.commit(tx)
		f.refresh()
	}
	return m
}

func (m *coldModel) both() []*coldFixture { return []*coldFixture{m.moving, m.still} }

// step does one random thing.
func (m *coldModel) step() {
	m.done.steps++
	switch n := m.rng.IntN(100); {
	case n < 12 && len(m.open) < 3:
		m.begin()
	case n < 18:
		m.prepareMove()
	case n < 30:
		m.switchMove()
	case n < 32:
		m.abandonMove()
	case n < 33:
		m.crash()
	case n < 40:
		m.compare(nil)
	case len(m.open) == 0:
		m.begin()
	default:
		m.inTransaction(m.open[m.rng.IntN(len(m.open))])
	}
}

func (m *coldModel) begin() {
	iso := storage.Isolation(m.rng.IntN(2))
	m.open = append(m.open, &pair{moving: m.moving.begin(iso), still: m.still.begin(iso)})
}

func (m *coldModel) end(p *pair, commit bool) {
	for i, tx := range []*Txn{p.moving, p.still} {
		if commit {
			m.both()[i].commit(tx)
		} else {
			tx.Rollback()
		}
	}
	m.open = slices.DeleteFunc(m.open, func(o *pair) bool { return o == p })
	m.refresh()
}

func (m *coldModel) refresh() {
	m.moving.refresh()
	m.still.refresh()
}

// inTransaction runs one statement, or what stands between statements.
func (m *coldModel) inTransaction(p *pair) {
	id := 1 + m.rng.Int64N(40)
	n, x, seed := m.rng.Int64N(100), m.rng.Float32(), m.rng.Int64N(1000)
	switch k := m.rng.IntN(100); {
	case k < 6:
		m.end(p, m.rng.IntN(3) > 0)
	case k < 10:
		p.savepoints++
		name := fmt.Sprint(p.savepoints)
		m.moving.ok(p.moving.Savepoint(name))
		m.still.ok(p.still.Savepoint(name))
	case k < 14 && p.savepoints > 0:
		name := fmt.Sprint(1 + m.rng.IntN(p.savepoints))
		if m.rng.IntN(2) == 0 {
			m.same(p, "rollback to", func(_ *coldFixture, tx *Txn) (any, error) { return nil, tx.RollbackTo(name) })
		} else {
			m.same(p, "release", func(_ *coldFixture, tx *Txn) (any, error) { return nil, tx.Release(name) })
		}
	case k < 16:
		m.same(p, "snapshot", func(f *coldFixture, tx *Txn) (any, error) { return nil, f.statement(tx, func() error { return nil }) })
	case k < 17:
		m.run(p, "truncate", storage.LockAccessExclusive, func(f *coldFixture, tx *Txn) (any, error) { return nil, tx.Truncate(f.t.Context(), f.table) })
	case k < 20:
		m.compare(p)
	case k < 40:
		m.run(p, "insert", storage.LockRowExclusive, func(f *coldFixture, tx *Txn) (any, error) {
			_, _, err := tx.Insert(impatient, f.table, coldModelRow(id, n, x, x), storage.InsertOptions{Wait: storage.WaitPolicy{NoWait: true}})
			return nil, err
		})
	case k < 46:
		m.run(p, "load", storage.LockRowExclusive, func(f *coldFixture, tx *Txn) (any, error) {
			return nil, tx.InsertRows(impatient, f.table, []types.Row{coldModelRow(1000+10*seed, n, x, x), coldModelRow(1001+10*seed, n, x, x)})
		})
	case k < 55:
		m.run(p, "upsert", storage.LockRowExclusive, func(f *coldFixture, tx *Txn) (any, error) { return upsert(f, tx, coldModelRow(id, n, x, x)) })
	case k < 85:
		how := m.rng.IntN(3)
		m.run(p, fmt.Sprint("update ", how), storage.LockRowExclusive, func(f *coldFixture, tx *Txn) (any, error) {
			return update(f, tx, id, func(row types.Row) {
				row[1] = row[1].(int64) + n
				if how > 0 {
					row[how+1] = types.Vector{x, 5}
				}
			})
		})
	default:
		m.run(p, "delete", storage.LockRowExclusive, func(f *coldFixture, tx *Txn) (any, error) {
			at, row, err := findAndLock(f, tx, id)
			if err != nil || row == nil {
				return nil, err
			}
			return row, tx.Delete(impatient, f.table, at, row)
		})
	}
}

// findAndLock finds, locks and reads a row as UPDATE does; nil when it is gone.
func findAndLock(f *coldFixture, tx *Txn, id int64) (types.RowID, types.Row, error) {
	it, err := tx.ScanIndex(context.Background(), storage.IndexScanSpec{Table: f.table, Index: f.index(20001), Columns: f.columns(),
		Ranges: []storage.KeyRange{{Eq: []types.Datum{id}}}})
	if err != nil {
		return 0, nil, err
	}
	row := make(types.Row, len(f.table.Columns))
	at, ok, err := it.Next(row)
	if err = errors.Join(err, it.Close()); err != nil || !ok {
		return 0, nil, err
	}
	locked, err := tx.LockRow(f.t.Context(), f.table, at, storage.ForUpdate, storage.WaitPolicy{NoWait: true})
	switch {
	case err != nil:
		return 0, nil, err
	case locked.Outcome == storage.LockChanged:
		return locked.ID, locked.Row, nil
	case locked.Outcome == storage.LockDeleted:
		return 0, nil, nil
	}
	return at, row, nil
}

func update(f *coldFixture, tx *Txn, id int64, change func(types.Row)) (any, error) {
	at, row, err := findAndLock(f, tx, id)
	if err != nil || row == nil {
		return nil, err
	}
	to := slices.Clone(row)
	change(to)
	_, err = tx.Update(impatient, f.table, at, row, to, storage.WaitPolicy{NoWait: true})
	return []types.Row{row, to}, err
}

// upsert is INSERT … ON CONFLICT DO UPDATE SET n = excluded.n.
func upsert(f *coldFixture, tx *Txn, row types.Row) (any, error) {
	_, conflict, err := tx.Insert(impatient, f.table, row, storage.InsertOptions{OnConflict: true, Wait: storage.WaitPolicy{NoWait: true}})
	if err != nil || conflict == nil {
		return nil, err
	}
	locked, err := tx.LockRow(f.t.Context(), f.table, conflict.ID, storage.ForUpdate, storage.WaitPolicy{NoWait: true})
	if err != nil || locked.Outcome == storage.LockDeleted {
		return locked.Outcome, err
	}
	old := locked.Row
	if locked.Outcome == storage.LockUnchanged {
		old = make(types.Row, len(f.table.Columns))
		if ok, err := tx.Get(f.t.Context(), f.table, locked.ID, f.columns(), old); err != nil || !ok {
			return "not visible", err
		}
	}
	to := slices.Clone(old)
	to[1] = row[1]
	_, err = tx.Update(impatient, f.table, locked.ID, old, to, storage.WaitPolicy{NoWait: true})
	return old, err
}

// run runs a statement under a table lock on both; an error undoes the statement.
func (m *coldModel) run(p *pair, what string, lock storage.LockMode, fn func(*coldFixture, *Txn) (any, error)) {
	m.same(p, what, func(f *coldFixture, tx *Txn) (any, error) {
		if err := tx.LockTable(f.t.Context(), f.table.ID, lock, storage.WaitPolicy{NoWait: true}); err != nil {
			return nil, err
		}
		f.table = tx.Catalog().Table(f.table.ID)
		var out any
		err := f.statement(tx, func() (err error) {
			out, err = fn(f, tx)
			return err
		})
		f.table = tx.Catalog().Table(f.table.ID)
		return out, err
	})
}

// same does a thing to both tables and compares what comes back. A transaction
// whose snapshot is older than a move is told to begin anew: it is rolled back on both.
func (m *coldModel) same(p *pair, what string, fn func(*coldFixture, *Txn) (any, error)) {
	m.t.Helper()
	b, errB := fn(m.still, p.still)
	a, errA := fn(m.moving, p.moving)
	if code(errA) == pgerr.SerializationFailure && code(errB) != pgerr.SerializationFailure {
		m.done.serialization++
		m.end(p, false)
		return
	}
	if code(errA) != code(errB) || errA == nil && !reflect.DeepEqual(a, b) {
		m.t.Fatalf("step %d, %s: the moving table says %v %v, the other %v %v", m.done.steps, what, a, errA, b, errB)
	}
	if code(errA) == pgerr.SerializationFailure {
		m.end(p, false)
	}
}

// compare compares what both tables have, in a transaction or the committed state.
func (m *coldModel) compare(p *pair) {
	m.t.Helper()
	own := p == nil
	if own {
		p = &pair{moving: m.moving.begin(storage.ReadCommitted), still: m.still.begin(storage.ReadCommitted)}
	}
	m.run(p, "select", storage.LockAccessShare, func(*coldFixture, *Txn) (any, error) { return nil, nil })
	if !p.moving.done {
		m.same(p, "read", func(f *coldFixture, tx *Txn) (any, error) {
			if err := tx.readableNow(f.table.ID); err != nil {
				return nil, err
			}
			if tx.tableModes[f.table.ID] == 0 {
				return nil, nil // somebody else has it for himself
			}
			return f.state(tx), nil
		})
	}
	if own {
		p.moving.Rollback()
		p.still.Rollback()
		m.refresh()
	}
}

// readableNow is what the next statement's first read will say.
func (t *Txn) readableNow(table types.OID) error {
	if t.opts.Isolation == storage.ReadCommitted {
		return nil
	}
	return t.readable(table)
}

// prepareMove copies the rows to where they are to be.
func (m *coldModel) prepareMove() {
	f := m.moving
	f.refresh()
	if m.move != nil {
		return
	}
	m.move = &halfMove{}
	if hasSegments(f.table) && m.rng.IntN(3) > 0 {
		m.move.load = f.startLoad()
		return
	}
	m.move.watch = f.store.Watch(f.table.ID)
	tx := f.begin(storage.ReadCommitted)
	rows := f.all(tx, f.columns())
	tx.Rollback()
	further := f.table.Cold != nil && m.rng.IntN(2) == 0 // the old segments stay
	var ids []types.RowID
	f.ok(f.store.LocalIDs(m.t.Context(), f.table, func(id types.RowID, tombstone bool) error {
		if !tombstone {
			ids = append(ids, id)
		}
		return nil
	}))
	if !further {
		ids = slices.Collect(maps.Keys(rows))
	}
	m.move.cold = f.bucket.seal(ids, rows)
	if further {
		m.move.cold.Segments = append(slices.Clone(f.table.Cold.Segments), m.move.cold.Segments...)
	}
}

// switchMove ends a move, if nobody has the table.
func (m *coldModel) switchMove() {
	f, mv := m.moving, m.move
	if mv == nil {
		return
	}
	for _, p := range slices.Clone(m.open) {
		if m.rng.IntN(8) > 0 && p.moving.tableModes[f.table.ID] != 0 {
			m.end(p, m.rng.IntN(4) > 0)
		}
	}
	tx := mv.load
	if tx == nil {
		tx = f.begin(storage.ReadCommitted)
	}
	if err := tx.LockTable(m.t.Context(), f.table.ID, storage.LockAccessExclusive, storage.WaitPolicy{NoWait: true}); err != nil {
		if mv.load == nil {
			tx.Rollback()
		}
		return
	}
	m.move = nil
	f.refresh()
	switch {
	case mv.load != nil && !hasSegments(f.table): // truncated meanwhile
		tx.Rollback()
		return
	case mv.load != nil:
		f.ok(tx.FinishLoad(m.t.Context(), f.place(nil)))
	case mv.watch.Broken():
		mv.watch.Stop()
		tx.Rollback()
		return
	default:
		f.ok(tx.Unload(m.t.Context(), f.place(mv.cold), mv.watch.Changed()))
		mv.watch.Stop()
	}
	f.commit(tx)
	f.refresh()
	m.done.moves++
}

func (m *coldModel) abandonMove() {
	if m.move == nil {
		return
	}
	if m.move.watch != nil {
		m.move.watch.Stop()
	}
	if m.move.load != nil {
		m.move.load.Rollback()
	}
	m.move = nil
	if m.rng.IntN(3) > 0 {
		m.moving.ok(m.moving.store.DropCopies(m.t.Context(), m.moving.table))
	}
}

// crash cuts the power of both.
func (m *coldModel) crash() {
	m.done.crashes++
	keep := m.rng.IntN(101)
	for _, f := range m.both() {
		fs := f.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: m.rng})
		m.leave(f)
		f.fs, f.watch = fs, &watch{live: map[types.RowID]bool{}}
		f.open()
	}
	m.open, m.move = nil, nil
	m.check()
}

// leave closes the store that the power cut leaves behind.
func (m *coldModel) leave(f *coldFixture) {
	for _, p := range m.open {
		if f == m.moving {
			p.moving.Rollback()
		} else {
			p.still.Rollback()
		}
	}
	if f == m.moving {
		m.abandonMove()
	}
	f.ok(f.store.Close())
}

// check compares the committed states and has check look at the moving one.
func (m *coldModel) check() {
	m.t.Helper()
	m.refresh()
	var states []map[int64]types.Row
	for _, f := range m.both() {
		tx := f.begin(storage.ReadCommitted)
		states = append(states, f.state(tx))
		tx.Rollback()
	}
	if !reflect.DeepEqual(states[0], states[1]) {
		m.t.Fatalf("step %d: the moving table has %v, the other %v", m.done.steps, states[0], states[1])
	}
	if len(m.open) == 0 {
		m.moving.consistent() // else vectors written ahead would be seen as without rows
	}
	m.moving.committed(states[0])
}

// committed checks the ways to read that need no transaction.
func (f *coldFixture) committed(want map[int64]types.Row) {
	f.t.Helper()
	var ids []types.RowID
	f.ok(f.store.ScanIDs(context.Background(), f.table, func(id types.RowID) error {
		ids = append(ids, id)
		return nil
	}))
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	n := 0
	f.ok(f.store.Rows(context.Background(), f.table, f.columns(), append(ids, 1<<40), func(id types.RowID, row types.Row) error {
		if id != ids[n] || !reflect.DeepEqual(row, want[row[0].(int64)]) {
			f.t.Fatalf("row %d is %v", id, row)
		}
		n++
		return nil
	}))
	if n != len(want) || len(ids) != n || f.store.Stats(f.table.ID).Rows != int64(n) {
		f.t.Fatalf("%d rows, %d ids, %d counted, want %d", n, len(ids), f.store.Stats(f.table.ID).Rows, len(want))
	}
}

func TestATableThatMovesGivesTheSameAnswersAsOneThatNeverDoes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("AKIDB_COLD_SEED"), 10, 64); err == nil {
		seed = s
	}
	steps := 2500
	if testing.Short() {
		steps = 800
	}
	t.Logf("AKIDB_COLD_SEED=%d", seed)
	m := newColdModel(t, seed)
	for m.done.steps < steps {
		m.step()
		if m.done.steps%50 == 0 {
			m.check()
		}
	}
	m.abandonMove()
	for _, p := range slices.Clone(m.open) {
		m.end(p, true)
	}
	m.check()
	t.Logf("%+v", m.done)
}
