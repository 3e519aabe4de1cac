package run

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeRows is a transaction over maps. Writes go to a layer that reads do not
// see until advance is called, as in a statement.
type fakeRows struct {
	tables map[types.OID]*fakeTable
	nextID types.RowID
	// onLock, when set, answers LockRow before the default does.
	onLock func(id types.RowID) (storage.LockedRow, bool, error)
	// uniques are unique indexes: Insert and Update respect them.
	uniques   []*catalog.Index
	rng       *rand.Rand
	batchSize int
	nearest   []storage.NearestSpec // the searches asked for
	scans     int
	gets      int
	updates   int
	open      int // iterators not closed
}

type fakeTable struct {
	rows    map[types.RowID]types.Row
	ids     []types.RowID
	pending map[types.RowID]types.Row // nil row: deleted
	hidden  map[types.RowID]bool      // in the index, invisible
}

func newFake() *fakeRows {
	return &fakeRows{tables: map[types.OID]*fakeTable{}, nextID: 1, rng: rand.New(rand.NewPCG(1, 2)), batchSize: 40}
}

func (f *fakeRows) table(t *catalog.Table) *fakeTable {
	ft := f.tables[t.ID]
	if ft == nil {
		ft = &fakeTable{rows: map[types.RowID]types.Row{}, pending: map[types.RowID]types.Row{}, hidden: map[types.RowID]bool{}}
		f.tables[t.ID] = ft
	}
	return ft
}

func (f *fakeRows) add(t *catalog.Table, rows ...types.Row) {
	ft := f.table(t)
	for _, r := range rows {
		ft.rows[f.nextID] = r
		ft.ids = append(ft.ids, f.nextID)
		f.nextID++
	}
}

// advance makes the statement's writes visible.
func (f *fakeRows) advance() {
	for _, ft := range f.tables {
		for id, r := range ft.pending {
			if r == nil {
				delete(ft.rows, id)
				ft.ids = slices.DeleteFunc(ft.ids, func(x types.RowID) bool { return x == id })
				continue
			}
			if _, ok := ft.rows[id]; !ok {
				ft.ids = append(ft.ids, id)
			}
			ft.rows[id] = r
		}
		clear(ft.pending)
		slices.Sort(ft.ids)
	}
}

// current is what a row is, the statement's own writes included.
func (ft *fakeTable) current(id types.RowID) types.Row {
	if r, ok := ft.pending[id]; ok {
		return r
	}
	return ft.rows[id]
}

func (f *fakeRows) Get(_ context.Context, t *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error) {
	f.gets++
	ft := f.table(t)
	r, ok := ft.rows[id]
	if !ok || ft.hidden[id] {
		return false, nil
	}
	for _, c := range columns {
		dst[c-1] = r[c-1]
	}
	return true, nil
}

type fakeIter struct {
	f       *fakeRows
	t       *fakeTable
	ids     []types.RowID
	columns []int16
}

func (it *fakeIter) Next(dst types.Row) (types.RowID, bool, error) {
	if len(it.ids) == 0 {
		return 0, false, nil
	}
	id := it.ids[0]
	it.ids = it.ids[1:]
	r := it.t.rows[id]
	for _, c := range it.columns {
		dst[c-1] = r[c-1]
	}
	return id, true, nil
}

func (it *fakeIter) Close() error {
	it.f.open--
	return nil
}

func (f *fakeRows) Scan(_ context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	f.scans++
	f.open++
	ft := f.table(spec.Table)
	ids := slices.DeleteFunc(slices.Clone(ft.ids), func(id types.RowID) bool { return ft.hidden[id] })
	return &fakeIter{f: f, t: ft, ids: ids, columns: spec.Columns}, nil
}

func (f *fakeRows) ScanIndex(_ context.Context, spec storage.IndexScanSpec) (storage.RowIter, error) {
	f.open++
	ft := f.table(spec.Table)
	type entry struct {
		key []byte
		id  types.RowID
	}
	var out []types.RowID
	for _, r := range spec.Ranges {
		var list []entry
		for _, id := range ft.ids {
			row := ft.rows[id]
			if ft.hidden[id] || !inRange(spec.Index, r, row) {
				continue
			}
			var key []byte
			for _, k := range spec.Index.Keys {
				key = types.AppendKey(key, k.Type, row[k.Column-1], k.Desc, k.NullsFirst)
			}
			list = append(list, entry{key, id})
		}
		slices.SortFunc(list, func(a, b entry) int {
			return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.id, b.id))
		})
		if spec.Reverse {
			slices.Reverse(list)
		}
		for _, e := range list {
			out = append(out, e.id)
		}
	}
	columns := spec.Columns
	if spec.IDsOnly {
		columns = nil
	}
	return &fakeIter{f: f, t: ft, ids: out, columns: columns}, nil
}

func inRange(x *catalog.Index, r storage.KeyRange, row types.Row) bool {
	for i, want := range r.Eq {
		got := row[x.Keys[i].Column-1]
		if (got == nil) != (want == nil) || got != nil && types.Compare(x.Keys[i].Type, got, want) != 0 {
			return false
		}
	}
	if r.Low == nil && r.High == nil && !r.NotNull {
		return true
	}
	k := x.Keys[len(r.Eq)]
	got := row[k.Column-1]
	if got == nil {
		return false
	}
	if r.Low != nil {
		if c := types.Compare(k.Type, got, r.Low.Value); c < 0 || c == 0 && r.Low.Open {
			return false
		}
	}
	if r.High != nil {
		if c := types.Compare(k.Type, got, r.High.Value); c > 0 || c == 0 && r.High.Open {
			return false
		}
	}
	return true
}

// Nearest is exact when it is asked to be; else its batches leak into each
// other, as those of a graph search do.
func (f *fakeRows) Nearest(_ context.Context, spec storage.NearestSpec) (storage.NearestIter, error) {
	f.nearest = append(f.nearest, spec)
	f.open++
	ft := f.table(spec.Table)
	key := spec.Index.Keys[0]
	var all []storage.Candidate
	for _, id := range ft.ids {
		if spec.Among != nil && !slices.Contains(spec.Among, id) {
			continue
		}
		v, ok := ft.rows[id][key.Column-1].(types.Vector)
		if !ok {
			continue
		}
		if d := distance(key.Metric, v, spec.Query.(types.Vector)); !math.IsNaN(d) {
			all = append(all, storage.Candidate{ID: id, Distance: d})
		}
	}
	byDistance := func(a, b storage.Candidate) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID))
	}
	slices.SortFunc(all, byDistance)
	size := max(f.batchSize, spec.Ef)
	if spec.Among == nil && !spec.Exact {
		for i := size; i < len(all); i += size {
			for range 3 {
				a, b := i-1-f.rng.IntN(size), i+f.rng.IntN(min(size, len(all)-i))
				all[a], all[b] = all[b], all[a]
			}
		}
	}
	var batches [][]storage.Candidate
	for b := range slices.Chunk(all, size) {
		slices.SortFunc(b, byDistance)
		batches = append(batches, b)
	}
	return &fakeNearest{f: f, batches: batches, n: len(all)}, nil
}

type fakeNearest struct {
	f       *fakeRows
	batches [][]storage.Candidate
	n       int
}

func (n *fakeNearest) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	if len(n.batches) == 0 {
		return dst, nil
	}
	dst = append(dst, n.batches[0]...)
	n.batches = n.batches[1:]
	return dst, nil
}

func (n *fakeNearest) Stats() storage.NearestStats {
	return storage.NearestStats{Method: "fake", Candidates: n.n}
}

func (n *fakeNearest) Close() error {
	n.f.open--
	return nil
}

func distance(m types.Metric, a, b types.Vector) float64 {
	var sum, dot, na, nb float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
		dot += float64(a[i]) * float64(b[i])
		na += float64(a[i]) * float64(a[i])
		nb += float64(b[i]) * float64(b[i])
	}
	if m == types.MetricCosine {
		return 1 - dot/math.Sqrt(na*nb)
	}
	return math.Sqrt(sum)
}

func (f *fakeRows) conflict(t *catalog.Table, row types.Row, except types.RowID) *storage.Conflict {
	ft := f.table(t)
	for _, x := range f.uniques {
		if x.Table != t.ID {
			continue
		}
		c := x.Keys[0].Column - 1
		ids := slices.Clone(ft.ids)
		for id := range ft.pending {
			ids = append(ids, id)
		}
		for _, id := range ids {
			if r := ft.current(id); id != except && r != nil && row[c] != nil && r[c] == row[c] {
				return &storage.Conflict{Index: x, ID: id}
			}
		}
	}
	return nil
}

func (f *fakeRows) Insert(_ context.Context, t *catalog.Table, row types.Row, opts storage.InsertOptions) (types.RowID, *storage.Conflict, error) {
	if c := f.conflict(t, row, 0); c != nil {
		if opts.OnConflict {
			return 0, c, nil
		}
		return 0, nil, pgerr.Newf(pgerr.UniqueViolation, "duplicate key value violates unique constraint \"%s\"", c.Index.Name)
	}
	id := f.nextID
	f.nextID++
	f.table(t).pending[id] = slices.Clone(row)
	return id, nil, nil
}

func (f *fakeRows) Update(_ context.Context, t *catalog.Table, id types.RowID, old, row types.Row, _ storage.WaitPolicy) (types.RowID, error) {
	f.updates++
	if c := f.conflict(t, row, id); c != nil {
		return 0, pgerr.Newf(pgerr.UniqueViolation, "duplicate key value violates unique constraint \"%s\"", c.Index.Name)
	}
	f.table(t).pending[id] = slices.Clone(row)
	return id, nil
}

func (f *fakeRows) Delete(_ context.Context, t *catalog.Table, id types.RowID, _ types.Row) error {
	f.table(t).pending[id] = nil
	return nil
}

func (f *fakeRows) LockRow(_ context.Context, t *catalog.Table, id types.RowID, _ storage.RowLock, _ storage.WaitPolicy) (storage.LockedRow, error) {
	if f.onLock != nil {
		if got, ok, err := f.onLock(id); ok || err != nil {
			return got, err
		}
	}
	return storage.LockedRow{Outcome: storage.LockUnchanged, ID: id}, nil
}

// --- small plans ---

func typ(oid types.OID) expr.Type { return expr.Type{OID: oid, Typmod: types.NoTypmod} }

func columns(oids ...types.OID) []plan.Column {
	out := make([]plan.Column, len(oids))
	for i, o := range oids {
		out[i] = plan.Column{Name: string(rune('a' + i)), Type: typ(o)}
	}
	return out
}

func info(oids ...types.OID) plan.Info { return plan.Info{Columns: columns(oids...)} }

func col(i int, oid types.OID) *expr.Column { return &expr.Column{Index: i, Typ: typ(oid)} }

func lit(oid types.OID, d types.Datum) *expr.Const { return &expr.Const{Value: d, Typ: typ(oid)} }

func num(n int64) *expr.Const { return lit(types.Int8OID, n) }

// call wraps a Go function; it is strict.
func call(result types.OID, f func(a []types.Datum) types.Datum, args ...expr.Expr) *expr.Call {
	fn := &expr.Function{Name: "test", Result: result, Eval: func(_ *expr.Context, a []types.Datum) (types.Datum, error) {
		return f(a), nil
	}}
	return &expr.Call{Func: fn, Args: args, Typ: typ(result)}
}

func less(a, b expr.Expr) *expr.Call {
	return call(types.BoolOID, func(v []types.Datum) types.Datum { return types.Compare(a.Type().OID, v[0], v[1]) < 0 }, a, b)
}

func equal(a, b expr.Expr) *expr.Call {
	return call(types.BoolOID, func(v []types.Datum) types.Datum { return types.Compare(a.Type().OID, v[0], v[1]) == 0 }, a, b)
}

func add(a, b expr.Expr) *expr.Call {
	return call(types.Int8OID, func(v []types.Datum) types.Datum { return v[0].(int64) + v[1].(int64) }, a, b)
}

func valuesNode(oids []types.OID, rows ...types.Row) *plan.Values {
	v := &plan.Values{Info: info(oids...)}
	for _, r := range rows {
		list := make([]expr.Expr, len(r))
		for i, d := range r {
			list[i] = lit(oids[i], d)
		}
		v.Lists = append(v.Lists, list)
	}
	return v
}

var ints = []types.OID{types.Int8OID, types.Int8OID}

// testTable makes a descriptor with columns a, b, c …
func testTable(id types.OID, oids ...types.OID) *catalog.Table {
	t := &catalog.Table{ID: id, Schema: "public", Name: "t"}
	for i, o := range oids {
		t.Columns = append(t.Columns, catalog.Column{Num: int16(i + 1), Name: string(rune('a' + i)), Type: o, Typmod: types.NoTypmod})
	}
	return t
}

func allColumns(t *catalog.Table) []int16 {
	var out []int16
	for _, c := range t.Columns {
		out = append(out, c.Num)
	}
	return out
}

// scanNode reads a table with the row id in a last place when withID is set.
func scanNode(t *catalog.Table, withID bool, filter expr.Expr) *plan.SeqScan {
	n := &plan.SeqScan{Table: t, Cols: allColumns(t), Filter: filter}
	for _, c := range t.Columns {
		n.Columns = append(n.Columns, plan.Column{Name: c.Name, Type: typ(c.Type)})
	}
	if withID {
		n.Columns = append(n.Columns, plan.Column{Name: "rowid", Type: typ(types.Int8OID)})
	}
	return n
}

func testEnv(t testing.TB, rows Rows, workMem int64) Env {
	return Env{Rows: rows, WorkMem: workMem, TempDir: t.TempDir(), EfSearch: 40}
}

// collect runs a plan to its end.
func collect(t testing.TB, p *plan.Plan, env Env, params ...types.Datum) []types.Row {
	t.Helper()
	rows, _, err := tryCollect(t, p, env, params...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func tryCollect(t testing.TB, p *plan.Plan, env Env, params ...types.Datum) ([]types.Row, *Execution, error) {
	t.Helper()
	ctx := context.Background()
	x, err := Start(ctx, p, env, params)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if f, ok := env.Rows.(*fakeRows); ok && f.open != 0 {
			t.Errorf("%d iterators were left open", f.open)
		}
	}()
	var out []types.Row
	for {
		row, err := x.Next(ctx)
		if err != nil {
			return out, x, err
		}
		if row == nil {
			return out, x, nil
		}
		out = append(out, copyRow(row))
	}
}

func node(n plan.Node) *plan.Plan { return &plan.Plan{Root: n} }

// rowKey is a row as bytes, for comparing sets of rows.
func rowKey(r types.Row) string {
	b, err := appendRow(nil, r)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// sameRows compares as multisets.
func sameRows(t testing.TB, what string, got, want []types.Row) {
	t.Helper()
	count := map[string]int{}
	for _, r := range got {
		count[rowKey(r)]++
	}
	for _, r := range want {
		count[rowKey(r)]--
	}
	for k, n := range count {
		if n != 0 {
			r, _ := decodeRow([]byte(k))
			t.Errorf("%s: row %v comes %+d times too often (%d rows, want %d)", what, r, n, len(got), len(want))
			return
		}
	}
}

func sameOrder(t testing.TB, what string, got, want []types.Row) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range got {
		if rowKey(got[i]) != rowKey(want[i]) {
			t.Fatalf("%s: row %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// maybe gives a small number or, one time in six, NULL.
func maybe(rng *rand.Rand, n int64) types.Datum {
	if rng.IntN(6) == 0 {
		return nil
	}
	return rng.Int64N(n)
}

func randomRows(rng *rand.Rand, n int, spread int64) []types.Row {
	out := make([]types.Row, n)
	for i := range out {
		out[i] = types.Row{maybe(rng, spread), maybe(rng, 10)}
	}
	return out
}

func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
