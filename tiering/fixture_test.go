package tiering

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tableID types.OID = 20000
	indexID types.OID = 20001
	dims              = 100
)

// fixture is a server's storage in a folder: table items (id int8, v vector(100)).
type fixture struct {
	testing.TB
	dir   string
	opts  Options
	m     *Manager
	store *rowstore.Store
	table *catalog.Table
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{TB: t, dir: t.TempDir(), table: &catalog.Table{ID: tableID, Schema: "public", Name: "items", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1, NotNull: true},
		{Num: 2, Name: "v", Type: types.VectorOID, Typmod: dims},
	}}}
	f.opts = Options{Dir: filepath.Join(f.dir, "index"), CheckpointEvery: time.Hour}
	f.open()
	t.Cleanup(f.stop)
	f.commit(func(tx *Txn) error { return tx.Change(context.Background(), catalog.Put(f.table)) })
	return f
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) open() {
	f.Helper()
	f.m = New(f.opts)
	store, err := rowstore.Open(context.Background(), rowstore.Options{Dir: filepath.Join(f.dir, "rows"), Observer: f.m, Keyer: f.opts.Keyer})
	f.ok(err)
	f.store = store
	f.ok(f.m.Start(context.Background(), store))
}

func (f *fixture) stop() {
	f.Helper()
	if f.store == nil {
		return
	}
	f.ok(f.m.Close())
	f.ok(f.store.Close())
	f.store = nil
}

// restart closes everything and opens it again.
func (f *fixture) restart() {
	f.Helper()
	f.stop()
	f.open()
}

// crash opens the files as they are when the process ends with the checkpoints
// not written: those on disk come back after the close.
func (f *fixture) crash() {
	f.Helper()
	saved := map[string][]byte{}
	for _, name := range f.files() {
		b, err := os.ReadFile(filepath.Join(f.opts.Dir, name))
		f.ok(err)
		saved[name] = b
	}
	f.stop()
	f.ok(os.RemoveAll(f.opts.Dir))
	f.ok(os.MkdirAll(f.opts.Dir, 0o700))
	for name, b := range saved {
		f.ok(os.WriteFile(filepath.Join(f.opts.Dir, name), b, 0o600))
	}
	f.open()
}

func (f *fixture) files() []string {
	f.Helper()
	entries, err := os.ReadDir(f.opts.Dir)
	f.ok(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (f *fixture) begin(iso storage.Isolation) *Txn {
	f.Helper()
	tx, err := f.m.Begin(context.Background(), storage.TxnOptions{Isolation: iso})
	f.ok(err)
	return tx
}

// statement runs fn as one statement; an error undoes it and comes back.
func (f *fixture) statement(tx *Txn, fn func(tx *Txn) error) error {
	f.Helper()
	f.ok(tx.StartStatement(context.Background()))
	err := fn(tx)
	f.ok(tx.EndStatement(err == nil))
	return err
}

// commit runs fn as a transaction of one statement.
func (f *fixture) commit(fn func(tx *Txn) error) {
	f.Helper()
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, fn))
	f.ok(tx.Commit(context.Background(), false))
}

func word(i int) types.Vector { return types.Vector(dataset.Sample().Base(i % dataset.SampleRows)) }

// insert writes rows whose vectors are the words from..to-1 of the sample.
func (f *fixture) insert(from, to int) func(*Txn) error {
	return func(tx *Txn) error {
		for i := from; i < to; i++ {
			if _, _, err := tx.Insert(context.Background(), f.table, types.Row{int64(i), word(i)}, storage.InsertOptions{}); err != nil {
				return err
			}
		}
		return nil
	}
}

// load writes them as COPY does.
func (f *fixture) load(from, to int) func(*Txn) error {
	return func(tx *Txn) error {
		for ; from < to; from += 500 {
			var rows []types.Row
			for i := from; i < min(from+500, to); i++ {
				rows = append(rows, types.Row{int64(i), word(i)})
			}
			if err := tx.InsertRows(context.Background(), f.table, rows); err != nil {
				return err
			}
		}
		return nil
	}
}

// remove deletes the rows of some words.
func (f *fixture) remove(words ...int) func(*Txn) error {
	return func(tx *Txn) error {
		for id, row := range f.rows(tx) {
			if slices.Contains(words, int(row[0].(int64))) {
				if err := tx.Delete(context.Background(), f.table, id, row); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func (f *fixture) rows(tx *Txn) map[types.RowID]types.Row {
	f.Helper()
	it, err := tx.Scan(context.Background(), storage.ScanSpec{Table: f.table, Columns: []int16{1, 2}})
	f.ok(err)
	defer func() { f.ok(it.Close()) }()
	out := map[types.RowID]types.Row{}
	for {
		row := make(types.Row, 2)
		id, ok, err := it.Next(row)
		f.ok(err)
		if !ok {
			return out
		}
		out[id] = row
	}
}

func (f *fixture) index() *catalog.Index {
	return &catalog.Index{ID: indexID, Table: tableID, Schema: "public", Name: "items_v", Method: "hnsw",
		Keys: []catalog.IndexKey{{Column: 2, Type: types.VectorOID, Typmod: dims, Metric: types.MetricCosine}}}
}

// createIndex makes the index as CREATE INDEX does.
func (f *fixture) createIndex(tx *Txn) error {
	if err := tx.Change(context.Background(), catalog.Put(f.index())); err != nil {
		return err
	}
	return tx.BuildIndex(context.Background(), f.table, f.index())
}

func (f *fixture) dropIndex(tx *Txn) error {
	return tx.Change(context.Background(), catalog.Delete(f.index()))
}

// nearest are the words of the visible rows, nearest to a word first, as the
// executor finds them: candidates until there are n, each asked for by Get.
func (f *fixture) nearest(tx *Txn, to, n int) []int {
	f.Helper()
	it, err := tx.Nearest(context.Background(), storage.NearestSpec{Table: f.table, Index: f.index(), Query: word(to), Want: n, Ef: max(40, n)})
	f.ok(err)
	defer func() { f.ok(it.Close()) }()
	var words []int
	row := make(types.Row, 2)
	for len(words) < n {
		batch, err := it.NextBatch(nil)
		f.ok(err)
		if len(batch) == 0 {
			break
		}
		for _, c := range batch {
			ok, err := tx.Get(context.Background(), f.table, c.ID, []int16{1}, row)
			f.ok(err)
			if ok && len(words) < n {
				words = append(words, int(row[0].(int64)))
			}
		}
	}
	return words
}

// sees says whether a new transaction finds the word itself as its nearest.
func (f *fixture) sees(w int) bool {
	f.Helper()
	var found []int
	f.commit(func(tx *Txn) error {
		found = f.nearest(tx, w, 1)
		return nil
	})
	return len(found) == 1 && found[0] == w
}

// checkIndex compares the index with the rows: exactly these, once each.
func (f *fixture) checkIndex() {
	f.Helper()
	var want, got []int
	f.commit(func(tx *Txn) error {
		for _, row := range f.rows(tx) {
			want = append(want, int(row[0].(int64)))
		}
		got = f.nearest(tx, 0, 1<<30)
		return nil
	})
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		f.Fatalf("the index gives %d rows, the table has %d", len(got), len(want))
	}
	if n := f.graph().Len(); n != len(want) {
		f.Fatalf("the index holds %d vectors for %d rows", n, len(want))
	}
}

func (f *fixture) graph() interface {
	Len() int
	TailLen() int
} {
	f.Helper()
	v := f.m.index(indexID)
	if v == nil {
		f.Fatal("the index is not there")
		return nil
	}
	return v.present().(*graphBody)
}

// until waits for a condition that the worker brings about.
func (f *fixture) until(what string, cond func() bool) {
	f.Helper()
	for end := time.Now().Add(30 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			f.Fatal("still not: " + what)
		}
	}
}

// noProblems runs the check of a stopped server.
func (f *fixture) noProblems() {
	f.Helper()
	f.stop()
	report, err := Check(context.Background(), filepath.Join(f.dir, "rows"), Options{Dir: f.opts.Dir})
	f.ok(err)
	if len(report.Problems) > 0 {
		f.Errorf("check: %s", strings.Join(report.Problems, "; "))
	}
	summary := strings.Join(report.Summary, "\n")
	if f.table.Tier != types.TierHot {
		return // it has no graphs
	}
	said := strings.Count(summary, "can be reached from its entry point") + strings.Count(summary, "no checkpoint yet")
	if said != strings.Count(summary, "in the checkpoint") {
		f.Errorf("check does not say whether the graphs hang together: %s", summary)
	}
}

var errUndo = errors.New("undo")
