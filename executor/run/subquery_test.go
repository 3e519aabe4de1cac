package run

import (
	"context"
	"testing"
	"time"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

var i8only = []types.OID{types.Int8OID}

func eqFunc() *expr.Function { return equal(num(0), num(0)).Func }

// subPlanOver evaluates a subquery expression over each of the inputs.
func subPlanOver(t *testing.T, sub *expr.SubPlan, query *plan.SubQuery, inputs ...types.Datum) ([]types.Datum, error) {
	t.Helper()
	var rows []types.Row
	for _, d := range inputs {
		rows = append(rows, types.Row{d})
	}
	p := &plan.Plan{ExecSlots: 1, SubPlans: []*plan.SubQuery{query},
		Root: &plan.Project{Info: info(types.Int8OID), Child: valuesNode(i8only, rows...), Exprs: []expr.Expr{sub}}}
	got, _, err := tryCollect(t, p, testEnv(t, nil, 0))
	var out []types.Datum
	for _, r := range got {
		out = append(out, r[0])
	}
	return out, err
}

func TestQuantifiedSubqueriesFollowThreeValuedLogic(t *testing.T) {
	one, two, null := types.Row{int64(1)}, types.Row{int64(2)}, types.Row{nil}
	notEq := call(types.BoolOID, func(a []types.Datum) types.Datum { return a[0] != a[1] }).Func
	for _, c := range []struct {
		name string
		kind expr.SubPlanKind
		op   string
		f    *expr.Function
		rows []types.Row
		want []types.Datum // for 1, 3, NULL
	}{
		{"= ANY", expr.SubPlanAny, "=", eqFunc(), []types.Row{one, two}, []types.Datum{true, false, nil}},
		{"= ANY with NULL", expr.SubPlanAny, "=", eqFunc(), []types.Row{null, one}, []types.Datum{true, nil, nil}},
		{"= ANY of nothing", expr.SubPlanAny, "=", eqFunc(), nil, []types.Datum{false, false, false}},
		{"<> ALL", expr.SubPlanAll, "<>", notEq, []types.Row{one, two}, []types.Datum{false, true, nil}},
		{"<> ALL with NULL", expr.SubPlanAll, "<>", notEq, []types.Row{one, null}, []types.Datum{false, nil, nil}},
		{"<> ALL of nothing", expr.SubPlanAll, "<>", notEq, nil, []types.Datum{true, true, true}},
		{"< ALL", expr.SubPlanAll, "<", less(num(0), num(0)).Func, []types.Row{two, null}, []types.Datum{nil, false, nil}},
		{"< ANY", expr.SubPlanAny, "<", less(num(0), num(0)).Func, []types.Row{two, null}, []types.Datum{true, nil, nil}},
	} {
		for _, correlated := range []bool{false, true} {
			q := &plan.SubQuery{Root: valuesNode(i8only, c.rows...)}
			if correlated {
				q.Params = []int{0}
			}
			sub := &expr.SubPlan{Kind: c.kind, Operator: c.op, Funcs: []*expr.Function{c.f}, Test: []expr.Expr{col(0, types.Int8OID)}, Typ: typ(types.BoolOID)}
			got, err := subPlanOver(t, sub, q, int64(1), int64(3), nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				if got[i] != c.want[i] {
					t.Errorf("%s (correlated %v): input %d gives %v, want %v", c.name, correlated, i, got[i], c.want[i])
				}
			}
		}
	}
}

func TestRowComparisonsWithNullsAreDecidedByWhatIsKnown(t *testing.T) {
	q := &plan.SubQuery{Root: valuesNode(ints, types.Row{int64(1), nil}, types.Row{int64(2), int64(2)})}
	sub := &expr.SubPlan{Kind: expr.SubPlanAny, Operator: "=", Funcs: []*expr.Function{eqFunc(), eqFunc()},
		Test: []expr.Expr{col(0, types.Int8OID), num(2)}, Typ: typ(types.BoolOID)}
	got, err := subPlanOver(t, sub, q, int64(1), int64(2), int64(3), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []types.Datum{nil, true, false, nil} {
		if got[i] != want {
			t.Errorf("input %d gives %v, want %v", i, got[i], want)
		}
	}
}

func TestScalarSubqueries(t *testing.T) {
	i8 := types.Int8OID
	outer := &expr.ExecParam{Slot: 0, Typ: typ(i8)}
	correlated := &plan.SubQuery{Params: []int{0}, Root: &plan.Values{Info: info(i8), Lists: [][]expr.Expr{{add(outer, num(10))}}}}
	sub := &expr.SubPlan{Slots: []int{0}, Args: []expr.Expr{col(0, i8)}, Typ: typ(i8)}
	got, err := subPlanOver(t, sub, correlated, int64(1), int64(2))
	if err != nil || got[0] != int64(11) || got[1] != int64(12) {
		t.Errorf("%v %v", got, err)
	}
	if got, err = subPlanOver(t, &expr.SubPlan{Typ: typ(i8)}, &plan.SubQuery{Root: valuesNode(i8only)}, int64(1)); err != nil || got[0] != nil {
		t.Errorf("no rows: %v %v", got, err)
	}
	two := &plan.SubQuery{Root: valuesNode(i8only, types.Row{int64(1)}, types.Row{int64(1)})}
	if _, err = subPlanOver(t, &expr.SubPlan{Typ: typ(i8)}, two, int64(1)); pgerr.Code(err) != pgerr.CardinalityViolation {
		t.Errorf("two rows: %v", err)
	}
	if got, err = subPlanOver(t, &expr.SubPlan{Kind: expr.SubPlanExists, Typ: typ(types.BoolOID)}, two, int64(1)); err != nil || got[0] != true {
		t.Errorf("EXISTS: %v %v", got, err)
	}
	got, err = subPlanOver(t, &expr.SubPlan{Kind: expr.SubPlanArray, Typ: typ(types.Int8ArrayOID)}, two, int64(1))
	if a, ok := got[0].(*types.Array); err != nil || !ok || len(a.Elems) != 2 || a.Elem != i8 {
		t.Errorf("ARRAY: %v %v", got, err)
	}
}

func TestAnUncorrelatedSubqueryRunsOnce(t *testing.T) {
	i8 := types.Int8OID
	runs := int64(0)
	count := call(i8, func([]types.Datum) types.Datum { runs++; return runs }, num(0))
	q := &plan.SubQuery{Root: &plan.Values{Info: info(i8), Lists: [][]expr.Expr{{count}}}}
	got, err := subPlanOver(t, &expr.SubPlan{Typ: typ(i8)}, q, int64(1), int64(2), int64(3))
	if err != nil || runs != 1 || got[2] != int64(1) {
		t.Errorf("%d runs, %v %v", runs, got, err)
	}
}

// countTo is WITH RECURSIVE c AS (VALUES (1) UNION [ALL] SELECT (c+1) % modulo … WHERE c < limit).
func countTo(distinct bool, limit, modulo int64) *plan.Plan {
	i8 := types.Int8OID
	u := &plan.RecursiveUnion{Info: info(i8), Left: valuesNode(i8only, types.Row{int64(1)}), Distinct: distinct}
	step := call(i8, func(a []types.Datum) types.Datum { return (a[0].(int64) + 1) % modulo }, col(0, i8))
	u.Right = &plan.Project{Info: info(i8), Exprs: []expr.Expr{step},
		Child: &plan.Filter{Info: info(i8), Cond: less(col(0, i8), num(limit)), Child: &plan.WorkTableScan{Info: info(i8), Table: u}}}
	return &plan.Plan{CTEs: []*plan.CTE{{Name: "c", Root: u}}, Root: &plan.CTEScan{Info: info(i8)}}
}

func TestRecursionEndsWhenNothingNewComes(t *testing.T) {
	if got := collect(t, countTo(false, 5, 1000), testEnv(t, nil, 0)); len(got) != 5 || got[4][0] != int64(5) {
		t.Errorf("%v", got)
	}
	if got := collect(t, countTo(true, 1000, 7), testEnv(t, nil, 0)); len(got) != 7 {
		t.Errorf("UNION: %v", got)
	}
}

func TestLimitEndsAnEndlessRecursion(t *testing.T) {
	p := countTo(false, 1<<60, 1<<60)
	p.Root = &plan.Limit{Info: info(types.Int8OID), Child: p.Root, Count: num(1000)}
	if got := collect(t, p, testEnv(t, nil, 2000)); len(got) != 1000 || got[999][0] != int64(1000) {
		t.Errorf("%d rows", len(got))
	}
}

func TestACTEIsComputedOnce(t *testing.T) {
	i8 := types.Int8OID
	runs := int64(0)
	count := call(i8, func([]types.Datum) types.Datum { runs++; return runs }, num(0))
	p := &plan.Plan{CTEs: []*plan.CTE{{Root: &plan.Values{Info: info(i8), Lists: [][]expr.Expr{{count}}}}},
		Root: &plan.SetOp{Info: info(i8), Op: "UNION", All: true, Left: &plan.CTEScan{Info: info(i8)}, Right: &plan.CTEScan{Info: info(i8)}}}
	sameRows(t, "both scans", collect(t, p, testEnv(t, nil, 0)), []types.Row{{int64(1)}, {int64(1)}})
}

// series is generate_series(1, n).
func seriesCall(n expr.Expr) *expr.Call {
	f := &expr.Function{Name: "generate_series", Result: types.Int8OID, Rows: func(_ *expr.Context, a []types.Datum) (func() (types.Row, error), error) {
		i, end := int64(0), a[0].(int64)
		return func() (types.Row, error) {
			if i == end {
				return nil, nil
			}
			i++
			return types.Row{i}, nil
		}, nil
	}}
	return &expr.Call{Func: f, Args: []expr.Expr{n}, Typ: typ(types.Int8OID)}
}

func TestSetReturningFunctionsRunInStep(t *testing.T) {
	i8 := types.Int8OID
	p := &plan.Project{Info: info(i8, i8, i8), Child: valuesNode(ints, types.Row{int64(2), int64(1)}, types.Row{nil, int64(0)}, types.Row{int64(1), nil}),
		Exprs: []expr.Expr{seriesCall(col(0, i8)), seriesCall(col(1, i8)), col(0, i8)}, SRF: []bool{true, true, false}}
	sameOrder(t, "SELECT list", collect(t, node(p), testEnv(t, nil, 0)),
		[]types.Row{{int64(1), int64(1), int64(2)}, {int64(2), nil, int64(2)}, {int64(1), nil, int64(1)}})
	pair := &expr.Call{Typ: typ(types.RecordOID), Func: &expr.Function{Eval: func(*expr.Context, []types.Datum) (types.Datum, error) {
		return &types.Record{Values: []types.Datum{"x", "y"}}, nil
	}}}
	fs := &plan.FunctionScan{Info: info(i8, types.TextOID, types.TextOID, i8), Calls: []*expr.Call{seriesCall(num(2)), pair}, Widths: []int{1, 2}, Ordinality: true}
	sameOrder(t, "ROWS FROM", collect(t, node(fs), testEnv(t, nil, 0)), []types.Row{{int64(1), "x", "y", int64(1)}, {int64(2), nil, nil, int64(2)}})
}

func TestVirtualRelationsGetTheirLookups(t *testing.T) {
	i8 := types.Int8OID
	env := testEnv(t, nil, 0)
	var asked []Lookup
	env.Virtual = func(schema, name string, lookups []Lookup) (func() (types.Row, error), error) {
		asked = lookups
		return func() func() (types.Row, error) {
			i := int64(0)
			return func() (types.Row, error) {
				if i++; i > 3 {
					return nil, nil
				}
				return types.Row{i}, nil
			}
		}(), nil
	}
	v := &plan.VirtualScan{Info: info(i8), Schema: "pg_catalog", Name: "pg_class", Filter: less(col(0, i8), num(3)),
		Lookup: []plan.VirtualLookup{{Column: 0, Value: num(5)}}}
	sameOrder(t, "rows", collect(t, node(v), env), []types.Row{{int64(1)}, {int64(2)}})
	if len(asked) != 1 || asked[0] != (Lookup{Column: 0, Value: int64(5)}) {
		t.Errorf("%v", asked)
	}
}

func TestACancelledContextEndsTheStatement(t *testing.T) {
	endless := &plan.FunctionScan{Info: info(types.Int8OID), Calls: []*expr.Call{seriesCall(num(-1))}, Widths: []int{1}}
	sum := &plan.Aggregate{Info: info(types.Int8OID), Child: endless, Aggs: []plan.AggCall{{Func: countAgg}}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	x, err := Start(ctx, node(sum), testEnv(t, nil, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	_, err = x.Next(ctx)
	if e := pgerr.As(err); e == nil || e.Code != pgerr.QueryCanceled || e.Message != "canceling statement due to statement timeout" {
		t.Errorf("%v", err)
	}
}

func TestClosingEarlyFreesIteratorsAndFiles(t *testing.T) {
	f := newFake()
	table := testTable(1, ints...)
	rng := seeded(t)
	f.add(table, randomRows(rng, 2000, 50)...)
	i8 := types.Int8OID
	scan := func() plan.Node { return scanNode(table, false, nil) }
	join := &plan.HashJoin{Info: joinInfo(plan.Inner), Left: scan(), Right: scan(), LeftKeys: []expr.Expr{col(0, i8)}, RightKeys: []expr.Expr{col(0, i8)}}
	sort := &plan.Sort{Info: join.Info, Child: join, Keys: []plan.SortKey{{Expr: col(1, i8)}}}
	for _, n := range []plan.Node{scan(), join, sort, &plan.Distinct{Info: join.Info, Child: join}} {
		x, err := Start(context.Background(), node(n), testEnv(t, f, 2000), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if f.open != 0 {
			t.Errorf("%T leaves %d iterators", n, f.open)
		}
		if row, err := x.Next(context.Background()); row != nil || err != nil {
			t.Errorf("a row after Close: %v %v", row, err)
		}
	}
}

func indexNode(table *catalog.Table, x *catalog.Index, ranges ...plan.IndexRange) *plan.IndexScan {
	n := &plan.IndexScan{Table: table, Index: x, Cols: allColumns(table), Ranges: ranges}
	n.Info = info(types.Int4OID, types.Int8OID, types.Int8OID)
	return n
}

func TestIndexRangesAreComputedWhenTheScanOpens(t *testing.T) {
	f := newFake()
	table := testTable(1, types.Int4OID, types.Int8OID)
	for i := range int64(10) {
		f.add(table, types.Row{i, i * 10})
	}
	f.add(table, types.Row{nil, nil})
	x := &catalog.Index{ID: 2, Table: 1, Method: "btree", Keys: []catalog.IndexKey{{Column: 1, Type: types.Int4OID}, {Column: 2, Type: types.Int8OID}}}
	p1 := &expr.Param{Number: 1, Typ: typ(types.Int8OID)}
	array := lit(types.Int8ArrayOID, types.NewArray(types.Int8OID, []types.Datum{int64(5), nil, int64(2), int64(5), int64(1) << 40}))
	big, small := num(1<<40), num(-1<<40)
	for _, c := range []struct {
		name    string
		ranges  []plan.IndexRange
		reverse bool
		want    []int64 // -1 is NULL
	}{
		{"= $1", []plan.IndexRange{{Eq: []expr.Expr{p1}}}, false, []int64{3}},
		{"= NULL", []plan.IndexRange{{Eq: []expr.Expr{lit(types.Int4OID, nil)}}}, false, nil},
		{"= beyond int4", []plan.IndexRange{{Eq: []expr.Expr{big}}}, false, nil},
		{"IS NULL", []plan.IndexRange{{IsNull: true}}, false, []int64{-1}},
		{"IS NOT NULL", []plan.IndexRange{{NotNull: true}}, true, []int64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		{"> 7", []plan.IndexRange{{Low: num(7), LowOpen: true}}, false, []int64{8, 9}},
		{">= 7", []plan.IndexRange{{Low: num(7)}}, false, []int64{7, 8, 9}},
		{"< beyond int4", []plan.IndexRange{{Low: num(8), High: big}}, false, []int64{8, 9}},
		{"< below int4", []plan.IndexRange{{High: small}}, false, nil},
		{"> below int4", []plan.IndexRange{{Low: small}}, false, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"< NULL", []plan.IndexRange{{High: lit(types.Int4OID, nil)}}, false, nil},
		{"= ANY", []plan.IndexRange{{EqAny: array}}, false, []int64{2, 5}},
		{"= ANY reversed", []plan.IndexRange{{EqAny: array}}, true, []int64{5, 2}},
		{"= ANY (NULL)", []plan.IndexRange{{EqAny: lit(types.Int8ArrayOID, nil)}}, false, nil},
		{"two that overlap", []plan.IndexRange{{Low: num(4), High: num(6)}, {High: num(5)}}, false, []int64{0, 1, 2, 3, 4, 5, 6}},
		{"all", nil, false, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1}},
	} {
		n := indexNode(table, x, c.ranges...)
		n.Reverse = c.reverse
		var got []int64
		for _, r := range collect(t, node(n), testEnv(t, f, 0), int64(3)) {
			v, ok := r[0].(int64)
			if !ok {
				v = -1
			}
			got = append(got, v)
			if ok && r[2] != v+1 {
				t.Errorf("%s: row id %v", c.name, r[2])
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

func TestASampleIsRepeatable(t *testing.T) {
	f := newFake()
	table := testTable(1, ints...)
	for i := range int64(4000) {
		f.add(table, types.Row{i, i})
	}
	for _, method := range []string{"bernoulli", "system"} {
		n := scanNode(table, false, nil)
		n.Sample = &plan.Sample{Method: method, Percent: lit(types.Float8OID, 25.0), Seed: lit(types.Float8OID, 4.0)}
		first := collect(t, node(n), testEnv(t, f, 0))
		if len(first) < 400 || len(first) > 1600 {
			t.Errorf("%s: %d of 4000 rows", method, len(first))
		}
		sameOrder(t, method, collect(t, node(n), testEnv(t, f, 0)), first)
		n.Sample.Percent = lit(types.Float8OID, 101.0)
		if _, _, err := tryCollect(t, node(n), testEnv(t, f, 0)); pgerr.Code(err) != invalidTablesampleArgument {
			t.Errorf("%v", err)
		}
	}
}

// loopRows gives one row n times without allocating.
type loopRows struct {
	fakeRows
	row types.Row
	n   int
}

type loopIter struct {
	r *loopRows
	i int
}

func (l *loopRows) Scan(context.Context, storage.ScanSpec) (storage.RowIter, error) {
	return &loopIter{r: l}, nil
}

func (it *loopIter) Next(dst types.Row) (types.RowID, bool, error) {
	if it.i == it.r.n {
		return 0, false, nil
	}
	it.i++
	copy(dst, it.r.row)
	return types.RowID(it.i), true, nil
}

func (it *loopIter) Close() error { return nil }

func scanPlan() *plan.Plan {
	table := testTable(1, ints...)
	i8 := types.Int8OID
	less, _ := expr.FindOperator("<", i8, i8)
	filter := &expr.Call{Func: less.Func, Args: []expr.Expr{col(0, i8), num(1000)}, Typ: typ(types.BoolOID)}
	return node(&plan.Project{Info: info(i8), Exprs: []expr.Expr{col(1, i8)},
		Child: &plan.Filter{Info: info(ints...), Cond: filter, Child: scanNode(table, false, filter)}})
}

func runScan(tb testing.TB, rows int) {
	ctx := context.Background()
	x, err := Start(ctx, scanPlan(), Env{Rows: &loopRows{row: types.Row{int64(500), int64(600)}, n: rows}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	n := 0
	for {
		row, err := x.Next(ctx)
		if err != nil {
			tb.Fatal(err)
		}
		if row == nil {
			break
		}
		n++
	}
	if n != rows {
		tb.Fatalf("%d rows, want %d", n, rows)
	}
	if err := x.Close(); err != nil {
		tb.Fatal(err)
	}
}

func TestAScanAllocatesNothingPerRow(t *testing.T) {
	few := testing.AllocsPerRun(5, func() { runScan(t, 10) })
	many := testing.AllocsPerRun(5, func() { runScan(t, 10000) })
	if many > few+2 {
		t.Errorf("%v allocations for 10 rows, %v for 10000", few, many)
	}
}

func BenchmarkScanFilterProject(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		runScan(b, 10000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/row")
}
