package run

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var sortOIDs = []types.OID{types.Int8OID, types.TextOID, types.Float8OID}

func sortableRows(rng *rand.Rand, n int) []types.Row {
	rows := make([]types.Row, n)
	for i := range rows {
		r := types.Row{maybe(rng, 20), nil, nil}
		if rng.IntN(5) > 0 {
			r[1] = fmt.Sprintf("%c%d", 'a'+rng.IntN(3), rng.IntN(30))
		}
		if rng.IntN(5) > 0 {
			r[2] = float64(rng.IntN(100)) / 7
		}
		rows[i] = r
	}
	return rows
}

func naiveSort(rows []types.Row, keys []plan.SortKey) []types.Row {
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b types.Row) int {
		for _, k := range keys {
			c := k.Expr.(*expr.Column)
			x, y := a[c.Index], b[c.Index]
			if x == nil || y == nil {
				if x == nil && y == nil {
					continue
				}
				if (x == nil) == k.NullsFirst {
					return -1
				}
				return 1
			}
			r := types.Compare(c.Typ.OID, x, y)
			if k.Desc {
				r = -r
			}
			if r != 0 {
				return r
			}
		}
		return 0
	})
	return out
}

func TestASortIsTheSameInMemoryAndOnDisk(t *testing.T) {
	rng := seeded(t)
	for _, n := range []int{0, 1, 50, 2000} {
		rows := sortableRows(rng, n)
		keys := []plan.SortKey{
			{Expr: col(0, types.Int8OID), Desc: true, NullsFirst: rng.IntN(2) == 0},
			{Expr: col(1, types.TextOID), NullsFirst: rng.IntN(2) == 0},
			{Expr: col(2, types.Float8OID), Desc: rng.IntN(2) == 0}}
		want := naiveSort(rows, keys)
		s := &plan.Sort{Info: info(sortOIDs...), Child: valuesNode(sortOIDs, rows...), Keys: keys}
		for _, mem := range []int64{1 << 30, 5000} {
			sameOrder(t, fmt.Sprintf("%d rows in %d bytes", n, mem), collect(t, node(s), testEnv(t, nil, mem)), want)
		}
		for _, limit := range []int{1, 7, 1500} {
			top := *s
			top.Limit = num(int64(limit))
			for _, mem := range []int64{1 << 30, 5000} {
				what := fmt.Sprintf("top %d of %d rows in %d bytes", limit, n, mem)
				sameOrder(t, what, collect(t, node(&top), testEnv(t, nil, mem)), want[:min(limit, n)])
			}
		}
	}
}

func TestASortOfManyRunsMergesThemInSteps(t *testing.T) {
	rng := seeded(t)
	rows := sortableRows(rng, 3000)
	keys := []plan.SortKey{{Expr: col(1, types.TextOID)}}
	s := &plan.Sort{Info: info(sortOIDs...), Child: valuesNode(sortOIDs, rows...), Keys: keys}
	sameOrder(t, "60 runs", collect(t, node(s), testEnv(t, nil, 3000)), naiveSort(rows, keys))
}

func TestLimitCountsSkipsAndKeepsTies(t *testing.T) {
	child := valuesNode([]types.OID{types.Int8OID}, types.Row{int64(1)}, types.Row{int64(2)}, types.Row{int64(2)}, types.Row{int64(2)}, types.Row{int64(3)})
	keys := []plan.SortKey{{Expr: col(0, types.Int8OID)}}
	null := lit(types.Int8OID, nil)
	for _, c := range []struct {
		name          string
		count, offset expr.Expr
		ties          bool
		want          []int64
	}{
		{"LIMIT 2", num(2), nil, false, []int64{1, 2}},
		{"LIMIT 0", num(0), nil, false, nil},
		{"LIMIT NULL OFFSET 3", null, num(3), false, []int64{2, 3}},
		{"OFFSET 9", nil, num(9), false, nil},
		{"FETCH 2 WITH TIES", num(2), nil, true, []int64{1, 2, 2, 2}},
		{"FETCH 1 WITH TIES", num(1), nil, true, []int64{1}},
		{"FETCH 9 WITH TIES", num(9), num(4), true, []int64{3}},
	} {
		l := &plan.Limit{Info: info(types.Int8OID), Child: child, Count: c.count, Offset: c.offset, WithTies: c.ties, Keys: keys}
		var want []types.Row
		for _, v := range c.want {
			want = append(want, types.Row{v})
		}
		sameOrder(t, c.name, collect(t, node(l), testEnv(t, nil, 0)), want)
	}
	for _, c := range []struct {
		l    *plan.Limit
		code string
	}{
		{&plan.Limit{Child: child, Count: num(-1)}, pgerr.InvalidRowCountInLimit},
		{&plan.Limit{Child: child, Offset: num(-1)}, pgerr.InvalidRowCountInOffset},
	} {
		if _, _, err := tryCollect(t, node(c.l), testEnv(t, nil, 0)); pgerr.Code(err) != c.code {
			t.Errorf("got %v, want %s", err, c.code)
		}
	}
}

// naiveCounts counts equal rows.
func naiveCounts(rows []types.Row) (order []string, count map[string]int) {
	count = map[string]int{}
	for _, r := range rows {
		k := rowKey(r)
		if count[k] == 0 {
			order = append(order, k)
		}
		count[k]++
	}
	return order, count
}

func rowOf(key string) types.Row {
	r, err := decodeRow([]byte(key))
	if err != nil {
		panic(err)
	}
	return r
}

func TestDistinctKeepsOneOfEach(t *testing.T) {
	rng := seeded(t)
	rows := randomRows(rng, 3000, 100)
	order, _ := naiveCounts(rows)
	var want []types.Row
	for _, k := range order {
		want = append(want, rowOf(k))
	}
	d := &plan.Distinct{Info: info(ints...), Child: valuesNode(ints, rows...)}
	for _, mem := range []int64{1 << 20, 2000} {
		sameRows(t, fmt.Sprintf("DISTINCT in %d bytes", mem), collect(t, node(d), testEnv(t, nil, mem)), want)
	}
	keys := []plan.SortKey{{Expr: col(0, types.Int8OID)}, {Expr: col(1, types.Int8OID)}}
	d.Child = &plan.Sort{Info: info(ints...), Child: d.Child, Keys: keys}
	sameOrder(t, "DISTINCT of sorted rows", collect(t, node(d), testEnv(t, nil, 2000)), naiveSort(want, keys))
}

func TestDistinctOnKeepsTheFirstOfEach(t *testing.T) {
	child := valuesNode(ints, types.Row{int64(1), int64(10)}, types.Row{int64(1), int64(11)}, types.Row{nil, int64(12)},
		types.Row{nil, int64(13)}, types.Row{int64(2), int64(14)})
	d := &plan.Distinct{Info: info(ints...), Child: child, On: []expr.Expr{col(0, types.Int8OID)}}
	sameOrder(t, "DISTINCT ON", collect(t, node(d), testEnv(t, nil, 0)),
		[]types.Row{{int64(1), int64(10)}, {nil, int64(12)}, {int64(2), int64(14)}})
}

func TestSetOperationsCountDuplicates(t *testing.T) {
	rng := seeded(t)
	for _, n := range []int{5, 1500} {
		left, right := randomRows(rng, n, int64(n)/10+2), randomRows(rng, n, int64(n)/10+2)
		_, l := naiveCounts(left)
		_, r := naiveCounts(right)
		keys, _ := naiveCounts(append(slices.Clone(left), right...))
		for _, op := range []string{"UNION", "INTERSECT", "EXCEPT"} {
			for _, all := range []bool{false, true} {
				var want []types.Row
				for _, k := range keys {
					times := map[string]int{"UNION": l[k] + r[k], "INTERSECT": min(l[k], r[k]), "EXCEPT": max(l[k]-r[k], 0)}[op]
					if !all {
						times = min(times, 1)
						if op == "EXCEPT" && r[k] > 0 {
							times = 0
						}
					}
					for range times {
						want = append(want, rowOf(k))
					}
				}
				s := &plan.SetOp{Info: info(ints...), Op: op, All: all, Left: valuesNode(ints, left...), Right: valuesNode(ints, right...)}
				for _, mem := range []int64{1 << 20, 2000} {
					what := fmt.Sprintf("%s all=%v of %d rows in %d bytes", op, all, n, mem)
					sameRows(t, what, collect(t, node(s), testEnv(t, nil, mem)), want)
				}
			}
		}
	}
}

func TestASpoolGivesRowsBackInAnyOrder(t *testing.T) {
	rng := seeded(t)
	s := spool{dir: t.TempDir(), limit: 1000}
	defer s.free()
	rows := sortableRows(rng, 3000)
	for i, r := range rows {
		if err := s.append(r); err != nil {
			t.Fatal(err)
		}
		at := rng.IntN(i + 1)
		got, err := s.row(at)
		if err != nil || cmp.Compare(rowKey(got), rowKey(rows[at])) != 0 {
			t.Fatalf("row %d is %v, want %v (%v)", at, got, rows[at], err)
		}
	}
	if s.file == nil {
		t.Error("nothing was spilled")
	}
}
