package run

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// knnFixture is a table (id, filter value 0..999, vector) with a vector index.
type knnFixture struct {
	rows  *fakeRows
	table *catalog.Table
	index *catalog.Index
	fn    *expr.Function
	query types.Vector
}

func newKNNFixture(rng *rand.Rand, n int, metric types.Metric) *knnFixture {
	f := &knnFixture{rows: newFake(), table: testTable(1, types.Int8OID, types.Int8OID, types.VectorOID), query: types.Vector{0.5, 0.5, 0.5}}
	f.index = &catalog.Index{ID: 2, Table: 1, Name: "t_c_idx", Method: "hnsw", Keys: []catalog.IndexKey{{Column: 3, Type: types.VectorOID, Metric: metric}}}
	f.fn = &expr.Function{Name: "distance", Metric: metric, Eval: func(_ *expr.Context, a []types.Datum) (types.Datum, error) {
		return distance(metric, a[0].(types.Vector), a[1].(types.Vector)), nil
	}}
	ft := f.rows.table(f.table)
	for i := range n {
		var v types.Datum = types.Vector{rng.Float32(), rng.Float32(), rng.Float32()}
		switch rng.IntN(40) {
		case 0:
			v = nil
		case 1:
			v = types.Vector{0, 0, 0}
		}
		f.rows.add(f.table, types.Row{int64(i), rng.Int64N(1000), v})
		if rng.IntN(20) == 0 {
			ft.hidden[f.rows.nextID-1] = true
		}
	}
	return f
}

// node is ORDER BY c <-> query LIMIT want WHERE b < below; want below 0 is no limit.
func (f *knnFixture) node(want int, below int64) *plan.KNN {
	n := &plan.KNN{Table: f.table, Index: f.index, Cols: allColumns(f.table), Query: lit(types.VectorOID, f.query),
		Distance: f.fn, Key: col(2, types.VectorOID)}
	n.Info = info(types.Int8OID, types.Int8OID, types.VectorOID, types.Float8OID, types.Int8OID)
	if want >= 0 {
		n.Want = num(int64(want))
	}
	if below < 1000 {
		n.Filter = less(col(1, types.Int8OID), num(below))
		n.Selectivity = float64(below) / 1000
		alt := scanNode(f.table, false, n.Filter)
		alt.Cols = []int16{2}
		alt.Rows = float64(below) / 1000 * float64(len(f.rows.tables[1].ids))
		n.Alternative = alt
	}
	return n
}

// want is the exact answer: distances in order, NaN after numbers, NULL last.
func (f *knnFixture) want(limit int, below int64, max float64) []types.Datum {
	ft := f.rows.tables[1]
	var out []types.Datum
	for _, id := range ft.ids {
		r := ft.rows[id]
		if ft.hidden[id] || r[1].(int64) >= below {
			continue
		}
		var d types.Datum
		if v, ok := r[2].(types.Vector); ok {
			d = distance(f.index.Keys[0].Metric, v, f.query)
		}
		if !math.IsInf(max, 1) && (d == nil || !(d.(float64) < max)) {
			continue
		}
		out = append(out, d)
	}
	slices.SortFunc(out, compareDistances)
	if limit >= 0 {
		out = out[:min(limit, len(out))]
	}
	return out
}

func compareDistances(a, b types.Datum) int {
	if a == nil || b == nil {
		return map[bool]int{true: 0, false: map[bool]int{true: 1, false: -1}[a == nil]}[a == nil && b == nil]
	}
	return types.CompareFloat(a.(float64), b.(float64))
}

// check runs the plan and demands order, the filter, and completeness. exact
// demands the very distances; a search may miss some that lie in a later batch.
func (f *knnFixture) check(t *testing.T, what string, n *plan.KNN, want []types.Datum, below int64, exact bool) *Execution {
	t.Helper()
	rows, x, err := tryCollect(t, node(n), testEnv(t, f.rows, 1<<20))
	if err != nil {
		t.Fatal(what, err)
	}
	if len(rows) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(rows), len(want))
	}
	seen := map[types.Datum]bool{}
	for i, r := range rows {
		if r[1].(int64) >= below || seen[r[0]] || r[4] != r[0].(int64)+1 {
			t.Fatalf("%s: row %v should not be here", what, r)
		}
		seen[r[0]] = true
		if i > 0 && compareDistances(rows[i-1][3], r[3]) > 0 {
			t.Fatalf("%s: rows %d and %d are out of order", what, i-1, i)
		}
		if exact && compareDistances(r[3], want[i]) != 0 {
			t.Fatalf("%s: distance %d is %v, want %v", what, i, r[3], want[i])
		}
		if v, ok := r[2].(types.Vector); ok && compareDistances(r[3], distance(n.Distance.Metric, v, f.query)) != 0 {
			t.Fatalf("%s: row %v has a wrong distance", what, r)
		}
	}
	return x
}

func TestNearestRowsAreCompleteUnderEveryFilter(t *testing.T) {
	rng := seeded(t)
	inf := math.Inf(1)
	for _, metric := range []types.Metric{types.MetricL2, types.MetricCosine} {
		f := newKNNFixture(rng, 3000, metric)
		for _, below := range []int64{1, 5, 10, 100, 500, 1000} {
			for _, limit := range []int{0, 1, 10, 100, 2990, 5000} {
				what := fmt.Sprintf("%s %.1f%% LIMIT %d", metric, float64(below)/10, limit)
				n := f.node(limit, below)
				want := f.want(limit, below, inf)
				f.check(t, what, n, want, below, false)
				n.Selectivity = 0.9 // a wrong estimate
				f.check(t, what+" misjudged", n, want, below, false)
				if n.Filter != nil {
					n.Alternative = nil
					f.check(t, what+" without an alternative", n, want, below, false)
				}
			}
			f.check(t, fmt.Sprintf("%s %.1f%% without LIMIT", metric, float64(below)/10), f.node(-1, below), f.want(-1, below, inf), below, true)
		}
	}
}

func TestARareFilterIsAnsweredExactly(t *testing.T) {
	f := newKNNFixture(seeded(t), 3000, types.MetricL2)
	f.check(t, "0.5%", f.node(10, 5), f.want(10, 5, math.Inf(1)), 5, true)
	if last := f.rows.nearest[len(f.rows.nearest)-1]; last.Among == nil && len(f.rows.nearest) > 0 {
		t.Errorf("the search was not among the matching rows: %+v", last)
	}
}

func TestAWrongEstimateSwitchesToTheExactWay(t *testing.T) {
	f := newKNNFixture(seeded(t), 5000, types.MetricL2)
	n := f.node(10, 2)
	n.Selectivity = 0.99
	n.Alternative.Common().Rows = 2500
	f.rows.nearest = nil
	f.check(t, "misjudged", n, f.want(10, 2, math.Inf(1)), 2, true)
	if len(f.rows.nearest) != 2 || f.rows.nearest[1].Among == nil {
		t.Errorf("searches: %d", len(f.rows.nearest))
	}
}

// indexed gives the filter a btree index: b < below.
func (f *knnFixture) indexed(n *plan.KNN, below int64, rows float64) *plan.KNN {
	x := &catalog.Index{ID: 3, Table: 1, Name: "t_b_idx", Method: "btree", Keys: []catalog.IndexKey{{Column: 2, Type: types.Int8OID}}}
	scan := &plan.IndexScan{Table: f.table, Index: x, Cols: []int16{2}, Ranges: []plan.IndexRange{{High: num(below), HighOpen: true}}}
	scan.Info = info(types.Int8OID, types.Int8OID, types.VectorOID, types.Int8OID)
	scan.Rows = rows
	n.Alternative = scan
	return n
}

// Nothing is known of a column's values but what its btree index says when it is
// read: as far as that is cheap it decides, whatever the planner believed.
func TestABtreeIndexTellsWhichWayIsCheaper(t *testing.T) {
	const rows = 20000
	f := newKNNFixture(seeded(t), rows, types.MetricL2)
	for _, c := range []struct {
		below     int64
		believed  float64
		among     bool
		searches  int
		estimated string
	}{
		{5, 0.005, true, 1, "few, rightly"},
		{5, 0.33, true, 2, "many, wrongly"},
		{900, 0.005, false, 1, "few, wrongly"},
		{900, 0.33, false, 1, "a part, nearly all"},
	} {
		n := f.indexed(f.node(10, c.below), c.below, c.believed*rows)
		n.Selectivity = c.believed
		f.rows.nearest = nil
		f.check(t, c.estimated, n, f.want(10, c.below, math.Inf(1)), c.below, c.among)
		last := f.rows.nearest[len(f.rows.nearest)-1]
		if len(f.rows.nearest) != c.searches || (last.Among != nil) != c.among {
			t.Errorf("estimated %s: %d searches, the last among %d rows", c.estimated, len(f.rows.nearest), len(last.Among))
		}
	}
}

func TestADistanceBoundIsComplete(t *testing.T) {
	rng := seeded(t)
	f := newKNNFixture(rng, 2000, types.MetricL2)
	for _, limit := range []int{5, 50, 3000} {
		for _, bound := range []float64{0.05, 0.2, 0.5, 3} {
			for _, below := range []int64{50, 1000} {
				n := f.node(limit, below)
				n.MaxDistance, n.MaxDistanceOpen = lit(types.Float8OID, bound), true
				f.check(t, fmt.Sprintf("below %v, LIMIT %d, b < %d", bound, limit, below), n, f.want(limit, below, bound), below, false)
				n.Want = nil
				f.check(t, "all", n, f.want(-1, below, bound), below, true)
			}
		}
	}
}

func TestAFilterOverTheDistanceIsApplied(t *testing.T) {
	f := newKNNFixture(seeded(t), 500, types.MetricL2)
	for _, limit := range []int{3, 400} {
		n := f.node(limit, 1000)
		n.Filter = less(col(3, types.Float8OID), lit(types.Float8OID, 0.3))
		f.check(t, fmt.Sprint("LIMIT ", limit), n, f.want(limit, 1000, 0.3), 1000, false)
	}
}

func TestANullQueryGivesRowsInAnyOrder(t *testing.T) {
	f := newKNNFixture(seeded(t), 300, types.MetricL2)
	n := f.node(5000, 500)
	n.Query = lit(types.VectorOID, nil)
	rows := collect(t, node(n), testEnv(t, f.rows, 0))
	if want := len(f.want(-1, 500, math.Inf(1))); len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	for _, r := range rows {
		if r[3] != nil {
			t.Fatalf("distance %v", r[3])
		}
	}
}

func TestExplainAnalyzeTellsHowNearestRowsWereFound(t *testing.T) {
	// Of random rows all of the nearest five pass the filter one time in thirty;
	// these are rows of which some do not.
	f := newKNNFixture(rand.New(rand.NewPCG(1, 2)), 3000, types.MetricL2)
	n := f.node(5, 500)
	n.Selectivity = 1
	env := testEnv(t, f.rows, 0)
	env.Analyze = true
	_, x, err := tryCollect(t, node(n), env)
	if err != nil {
		t.Fatal(err)
	}
	s := x.Stats(n)
	if s.Loops != 1 || s.Rows != 5 || s.Removed == 0 || len(s.Extra) < 3 || s.Extra[1] != [2]string{"Method", "fake"} {
		t.Errorf("%+v", s)
	}
	if alt := x.Stats(n.Alternative); alt == nil || alt.Loops != 0 {
		t.Errorf("the alternative ran: %+v", alt)
	}
}

func BenchmarkKNNLimit10(b *testing.B) {
	f := newKNNFixture(rand.New(rand.NewPCG(1, 1)), 200, types.MetricL2)
	f.rows.table(f.table).hidden = map[types.RowID]bool{}
	n := f.node(10, 1000)
	env := testEnv(b, f.rows, 0)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		x, err := Start(ctx, node(n), env, nil)
		if err != nil {
			b.Fatal(err)
		}
		for {
			row, err := x.Next(ctx)
			if err != nil {
				b.Fatal(err)
			}
			if row == nil {
				break
			}
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
