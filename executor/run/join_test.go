package run

import (
	"fmt"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

var joinKinds = map[string]plan.JoinKind{
	"inner": plan.Inner, "left": plan.LeftOuter, "right": plan.RightOuter,
	"full": plan.FullOuter, "semi": plan.Semi, "anti": plan.Anti,
}

// naiveJoin joins on a = a and left.b < right.b + 5.
func naiveJoin(kind plan.JoinKind, left, right []types.Row) []types.Row {
	var out []types.Row
	hit := make([]bool, len(right))
	for _, l := range left {
		matched := false
		for i, r := range right {
			if l[0] == nil || r[0] == nil || l[0] != r[0] || l[1] == nil || r[1] == nil || l[1].(int64) >= r[1].(int64)+5 {
				continue
			}
			matched, hit[i] = true, true
			if kind != plan.Semi && kind != plan.Anti {
				out = append(out, types.Row{l[0], l[1], r[0], r[1]})
			}
		}
		switch {
		case kind == plan.Semi && matched, kind == plan.Anti && !matched:
			out = append(out, l)
		case (kind == plan.LeftOuter || kind == plan.FullOuter) && !matched:
			out = append(out, types.Row{l[0], l[1], nil, nil})
		}
	}
	for i, r := range right {
		if (kind == plan.RightOuter || kind == plan.FullOuter) && !hit[i] {
			out = append(out, types.Row{nil, nil, r[0], r[1]})
		}
	}
	return out
}

func joinInfo(kind plan.JoinKind) plan.Info {
	if kind == plan.Semi || kind == plan.Anti {
		return info(ints...)
	}
	return info(append(append([]types.OID{}, ints...), ints...)...)
}

func TestJoinsAgreeWithANaiveJoin(t *testing.T) {
	rng := seeded(t)
	i8 := types.Int8OID
	cond := less(col(1, i8), add(col(3, i8), num(5)))
	for name, kind := range joinKinds {
		for _, size := range [][2]int{{0, 5}, {5, 0}, {20, 30}, {400, 300}} {
			left, right := randomRows(rng, size[0], 40), randomRows(rng, size[1], 40)
			want := naiveJoin(kind, left, right)
			l, r := valuesNode(ints, left...), valuesNode(ints, right...)
			plans := map[string]plan.Node{
				"nested loop": &plan.NestLoop{Info: joinInfo(kind), Kind: kind, Left: l, Right: r,
					Cond: &expr.And{Args: []expr.Expr{equal(col(0, i8), col(2, i8)), cond}}},
				"nested loop, kept": &plan.NestLoop{Info: joinInfo(kind), Kind: kind, Left: l, Right: r, Materialize: true,
					Cond: &expr.And{Args: []expr.Expr{equal(col(0, i8), col(2, i8)), cond}}},
				"hash": &plan.HashJoin{Info: joinInfo(kind), Kind: kind, Left: l, Right: r,
					LeftKeys: []expr.Expr{col(0, i8)}, RightKeys: []expr.Expr{col(0, i8)}, Cond: cond},
			}
			for how, n := range plans {
				for _, mem := range []int64{1 << 20, 500} {
					what := fmt.Sprintf("%s %s join of %v with %d bytes", how, name, size, mem)
					sameRows(t, what, collect(t, node(n), testEnv(t, nil, mem)), want)
				}
			}
		}
	}
}

func TestAHashJoinOfOneKeyWithLittleMemoryEnds(t *testing.T) {
	var rows []types.Row
	for i := range 300 {
		rows = append(rows, types.Row{int64(1), int64(i)})
	}
	n := &plan.HashJoin{Info: joinInfo(plan.Inner), Kind: plan.Inner, Left: valuesNode(ints, rows[:7]...),
		Right: valuesNode(ints, rows...), LeftKeys: []expr.Expr{col(0, types.Int8OID)}, RightKeys: []expr.Expr{col(0, types.Int8OID)}}
	if got := len(collect(t, node(n), testEnv(t, nil, 1000))); got != 7*300 {
		t.Errorf("%d rows", got)
	}
}

func TestAHashJoinComparesIntegersOfDifferentWidth(t *testing.T) {
	n := &plan.HashJoin{Info: info(types.Int4OID, types.Int8OID), Kind: plan.Inner,
		Left:     valuesNode([]types.OID{types.Int4OID}, types.Row{int64(7)}, types.Row{int64(-7)}),
		Right:    valuesNode([]types.OID{types.Int8OID}, types.Row{int64(-7)}),
		LeftKeys: []expr.Expr{col(0, types.Int4OID)}, RightKeys: []expr.Expr{col(0, types.Int8OID)}}
	sameRows(t, "int4 = int8", collect(t, node(n), testEnv(t, nil, 0)), []types.Row{{int64(-7), int64(-7)}})
}

func TestANestedLoopSetsParametersForItsRightSide(t *testing.T) {
	i8 := types.Int8OID
	right := &plan.Values{Info: info(i8), Lists: [][]expr.Expr{
		{&expr.ExecParam{Slot: 0, Typ: typ(i8)}}, {add(&expr.ExecParam{Slot: 0, Typ: typ(i8)}, num(100))}}}
	n := &plan.NestLoop{Info: info(i8, i8, i8), Left: valuesNode(ints, types.Row{int64(1), nil}, types.Row{int64(2), nil}),
		Right: right, Slots: []int{0}, Args: []expr.Expr{col(0, i8)}}
	p := &plan.Plan{Root: n, ExecSlots: 1}
	sameOrder(t, "lateral", collect(t, p, testEnv(t, nil, 0)), []types.Row{
		{int64(1), nil, int64(1)}, {int64(1), nil, int64(101)}, {int64(2), nil, int64(2)}, {int64(2), nil, int64(102)}})
}
