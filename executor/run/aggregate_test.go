package run

import (
	"fmt"
	"slices"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// The aggregates of these tests: sum and count skip NULLs, list keeps all in order.
var (
	sumAgg   = aggregate("sum", func() expr.Accumulator { return &sumAcc{} })
	countAgg = aggregate("count", func() expr.Accumulator { return &countAcc{} })
	listAgg  = aggregate("list", func() expr.Accumulator { return &listAcc{} })
)

func aggregate(name string, start func() expr.Accumulator) *expr.Function {
	return &expr.Function{Name: name, Aggregate: &expr.Aggregate{New: func(*expr.Context, []expr.Type) expr.Accumulator { return start() }}}
}

type sumAcc struct {
	any bool
	sum int64
}

func (a *sumAcc) Add(args []types.Datum) error {
	if v, ok := args[0].(int64); ok {
		a.any = true
		a.sum += v
	}
	return nil
}

func (a *sumAcc) Result() (types.Datum, error) {
	if !a.any {
		return nil, nil
	}
	return a.sum, nil
}

type countAcc struct{ n int64 }

func (a *countAcc) Add(args []types.Datum) error {
	if len(args) == 0 || args[0] != nil {
		a.n++
	}
	return nil
}

func (a *countAcc) Result() (types.Datum, error) { return a.n, nil }

type listAcc struct{ s string }

func (a *listAcc) Add(args []types.Datum) error {
	a.s += fmt.Sprint(args...) + ";"
	return nil
}

func (a *listAcc) Result() (types.Datum, error) { return a.s, nil }

func TestGroupsAreTheSameInMemoryAndOnDisk(t *testing.T) {
	rng := seeded(t)
	rows := randomRows(rng, 4000, 500)
	type state struct{ sum, count, even, distinct types.Datum }
	groups := map[string]*state{}
	seen := map[string]map[types.Datum]bool{}
	for _, r := range rows {
		k := rowKey(r[:1])
		g := groups[k]
		if g == nil {
			g = &state{count: int64(0), even: int64(0), distinct: int64(0)}
			groups[k], seen[k] = g, map[types.Datum]bool{}
		}
		g.count = g.count.(int64) + 1
		v, ok := r[1].(int64)
		if !ok {
			continue
		}
		if g.sum == nil {
			g.sum = int64(0)
		}
		g.sum = g.sum.(int64) + v
		if v%2 == 0 {
			g.even = g.even.(int64) + 1
		}
		if !seen[k][v] {
			seen[k][v] = true
			g.distinct = g.distinct.(int64) + 1
		}
	}
	var want []types.Row
	for k, g := range groups {
		want = append(want, append(rowOf(k), g.sum, g.count, g.even, g.distinct))
	}
	i8 := types.Int8OID
	even := call(types.BoolOID, func(a []types.Datum) types.Datum { return a[0].(int64)%2 == 0 }, col(1, i8))
	n := &plan.Aggregate{Info: info(i8, i8, i8, i8, i8), Child: valuesNode(ints, rows...), Groups: []expr.Expr{col(0, i8)},
		Aggs: []plan.AggCall{
			{Func: sumAgg, Args: []expr.Expr{col(1, i8)}}, {Func: countAgg},
			{Func: countAgg, Args: []expr.Expr{col(1, i8)}, Filter: even},
			{Func: countAgg, Args: []expr.Expr{col(1, i8)}, Distinct: true}}}
	for _, mem := range []int64{1 << 26, 4000} {
		sameRows(t, fmt.Sprintf("groups in %d bytes", mem), collect(t, node(n), testEnv(t, nil, mem)), want)
	}
}

func TestAnAggregateWithoutGroupsHasOneRow(t *testing.T) {
	i8 := types.Int8OID
	n := &plan.Aggregate{Info: info(i8, i8), Child: valuesNode(ints), Aggs: []plan.AggCall{{Func: countAgg}, {Func: sumAgg, Args: []expr.Expr{col(0, i8)}}}}
	sameRows(t, "no rows", collect(t, node(n), testEnv(t, nil, 0)), []types.Row{{int64(0), nil}})
	n.Groups = []expr.Expr{col(0, i8)}
	n.Info = info(i8, i8, i8)
	sameRows(t, "no rows, grouped", collect(t, node(n), testEnv(t, nil, 0)), nil)
}

func TestGroupingSetsGroupEachWay(t *testing.T) {
	i8 := types.Int8OID
	rows := []types.Row{{int64(1), int64(1)}, {int64(1), int64(2)}, {int64(2), nil}}
	n := &plan.Aggregate{Info: info(i8, i8, i8, i8), Child: valuesNode(ints, rows...), Groups: []expr.Expr{col(0, i8), col(1, i8)},
		Aggs: []plan.AggCall{{Func: countAgg}}, Sets: [][]int{{0, 1}, {0}, {}}}
	want := []types.Row{
		{int64(1), int64(1), int64(1), int64(0)}, {int64(1), int64(2), int64(1), int64(0)}, {int64(2), nil, int64(1), int64(0)},
		{int64(1), nil, int64(2), int64(2)}, {int64(2), nil, int64(1), int64(2)},
		{nil, nil, int64(3), int64(3)}}
	sameRows(t, "rollup", collect(t, node(n), testEnv(t, nil, 0)), want)
	n.Child = valuesNode(ints)
	sameRows(t, "rollup of nothing", collect(t, node(n), testEnv(t, nil, 0)), []types.Row{{nil, nil, int64(0), int64(3)}})
}

func TestAggregatesOrderTheirInput(t *testing.T) {
	i8 := types.Int8OID
	var rows []types.Row
	for _, v := range []int64{3, 1, 2, 3, 1} {
		rows = append(rows, types.Row{v, -v})
	}
	rows = append(rows, types.Row{nil, int64(9)})
	args := []expr.Expr{col(0, i8)}
	n := &plan.Aggregate{Info: info(types.TextOID, types.TextOID, types.TextOID), Child: valuesNode(ints, rows...), Aggs: []plan.AggCall{
		{Func: listAgg, Args: args, OrderBy: []plan.SortKey{{Expr: col(0, i8), Desc: true, NullsFirst: true}}},
		{Func: listAgg, Args: args, Distinct: true},
		{Func: listAgg, Args: args, Distinct: true, OrderBy: []plan.SortKey{{Expr: col(0, i8), Desc: true}}}}}
	sameRows(t, "ordered", collect(t, node(n), testEnv(t, nil, 0)), []types.Row{{"<nil>;3;3;2;1;1;", "1;2;3;<nil>;", "3;2;1;<nil>;"}})
}

func TestOrderedSetAggregatesGetDirectArgumentsFirst(t *testing.T) {
	i8 := types.Int8OID
	f := *listAgg
	f.Aggregate = &expr.Aggregate{New: listAgg.Aggregate.New, OrderedSet: true}
	n := &plan.Aggregate{Info: info(types.TextOID), Child: valuesNode(ints, types.Row{int64(2), nil}, types.Row{int64(1), nil}), Aggs: []plan.AggCall{
		{Func: &f, Direct: []expr.Expr{num(50)}, OrderBy: []plan.SortKey{{Expr: col(0, i8)}}}}}
	sameRows(t, "ordered set", collect(t, node(n), testEnv(t, nil, 0)), []types.Row{{"50 1;50 2;"}})
}

func TestManyDistinctValuesSpill(t *testing.T) {
	i8 := types.Int8OID
	var rows []types.Row
	for i := range 20000 {
		rows = append(rows, types.Row{int64(i * 7919 % 9000), nil})
	}
	n := &plan.Aggregate{Info: info(i8), Child: valuesNode(ints, rows...), Aggs: []plan.AggCall{{Func: countAgg, Args: []expr.Expr{col(0, i8)}, Distinct: true}}}
	sameRows(t, "count distinct", collect(t, node(n), testEnv(t, nil, 1000)), []types.Row{{int64(9000)}})
}

func TestGroupsKeepTheOrderOfTheirFirstRow(t *testing.T) {
	i8 := types.Int8OID
	n := &plan.Aggregate{Info: info(i8), Child: valuesNode(ints, types.Row{int64(3), nil}, types.Row{int64(1), nil}, types.Row{int64(3), nil}), Groups: []expr.Expr{col(0, i8)}}
	got := collect(t, node(n), testEnv(t, nil, 0))
	if !slices.EqualFunc(got, []types.Row{{int64(3)}, {int64(1)}}, func(a, b types.Row) bool { return a[0] == b[0] }) {
		t.Errorf("%v", got)
	}
}
