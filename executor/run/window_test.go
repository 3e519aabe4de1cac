package run

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// naiveFrame lists the rows of row i's frame, by the standard's definition: it
// looks at every row of the partition.
func naiveFrame(part []types.Row, i int, f *ast.Frame, start, end int64, desc bool) []int {
	value := func(j int) types.Datum { return part[j][1] }
	same := func(a, b int) bool { return value(a) == value(b) }
	group := func(j int) int {
		g := 0
		for k := 1; k <= j; k++ {
			if !same(k, k-1) {
				g++
			}
		}
		return g
	}
	// after says whether row j is at or behind a bound of the frame's start.
	inside := func(j int, kind string, off int64, isStart bool) bool {
		sign := int64(1)
		if kind == framePreceding {
			sign = -1
		}
		switch kind {
		case frameAllBefore:
			return isStart
		case frameAllAfter:
			return !isStart
		case frameCurrent:
			off = 0
		}
		var d int64 // how far j is behind the bound
		switch f.Mode {
		case frameModeRows:
			d = int64(j) - (int64(i) + sign*off)
		case frameModeGroups:
			d = int64(group(j)) - (int64(group(i)) + sign*off)
		default:
			if kind == frameCurrent || value(i) == nil {
				switch {
				case same(i, j):
					d = 0
				case j < i:
					d = -1
				default:
					d = 1
				}
				break
			}
			if value(j) == nil {
				d = int64(j - i)
				break
			}
			delta := value(j).(int64) - value(i).(int64)
			if desc {
				delta = -delta
			}
			d = delta - sign*off
		}
		if isStart {
			return d >= 0
		}
		return d <= 0
	}
	var out []int
	for j := range part {
		if !inside(j, f.Start.Kind, start, true) || !inside(j, f.End.Kind, end, false) {
			continue
		}
		switch f.Exclude {
		case "CURRENT ROW":
			if j == i {
				continue
			}
		case "GROUP":
			if same(i, j) {
				continue
			}
		case "TIES":
			if j != i && same(i, j) {
				continue
			}
		}
		out = append(out, j)
	}
	return out
}

func TestWindowFramesAgreeWithTheirDefinition(t *testing.T) {
	rng := seeded(t)
	bounds := []string{frameAllBefore, framePreceding, frameCurrent, frameFollowing, frameAllAfter}
	i8 := types.Int8OID
	for range 300 {
		s, e := rng.IntN(4), 1+rng.IntN(4)
		if s > e {
			continue
		}
		f := &ast.Frame{
			Mode:    []string{frameModeRows, frameModeRange, frameModeGroups}[rng.IntN(3)],
			Start:   ast.FrameBound{Kind: bounds[s]},
			End:     ast.FrameBound{Kind: bounds[e]},
			Exclude: []string{"", "CURRENT ROW", "GROUP", "TIES"}[rng.IntN(4)]}
		start, end := rng.Int64N(4), rng.Int64N(4)
		desc, nullsFirst := rng.IntN(2) == 0, rng.IntN(2) == 0
		order := []plan.SortKey{{Expr: col(1, i8), Desc: desc, NullsFirst: nullsFirst}}
		keys := append([]plan.SortKey{{Expr: col(0, i8)}}, order...)
		rows := naiveSort(windowRows(rng), keys)
		want := naiveWindow(rows, f, start, end, desc)
		w := &plan.WindowAgg{Info: info(i8, i8, i8, i8, i8), Child: valuesNode([]types.OID{i8, i8, i8}, rows...),
			Partition: []expr.Expr{col(0, i8)}, OrderBy: order, Frame: f, Start: num(start), End: num(end),
			Calls: []plan.WindowCall{{Func: sumAgg, Args: []expr.Expr{col(2, i8)}}, {Func: countAgg}}}
		for _, mem := range []int64{1 << 20, 300} {
			what := fmt.Sprintf("%s %s(%d) to %s(%d) exclude %q desc=%v nulls first=%v mem=%d",
				f.Mode, f.Start.Kind, start, f.End.Kind, end, f.Exclude, desc, nullsFirst, mem)
			sameOrder(t, what, collect(t, node(w), testEnv(t, nil, mem)), want)
		}
	}
}

func windowRows(rng *rand.Rand) []types.Row {
	rows := make([]types.Row, 30)
	for i := range rows {
		rows[i] = types.Row{maybe(rng, 3), maybe(rng, 8), rng.Int64N(100)}
	}
	return rows
}

func naiveWindow(rows []types.Row, f *ast.Frame, start, end int64, desc bool) []types.Row {
	var out []types.Row
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && rows[to][0] == rows[from][0] {
			to++
		}
		part := rows[from:to]
		for i, r := range part {
			members := naiveFrame(part, i, f, start, end, desc)
			var sum types.Datum
			if len(members) > 0 {
				n := int64(0)
				for _, j := range members {
					n += part[j][2].(int64)
				}
				sum = n
			}
			out = append(out, append(append(types.Row{}, r...), sum, int64(len(members))))
		}
		from = to
	}
	return out
}

func TestTheDefaultFrameEndsWithThePeers(t *testing.T) {
	i8 := types.Int8OID
	rows := []types.Row{{int64(1), int64(5)}, {int64(2), int64(6)}, {int64(2), int64(7)}, {int64(3), int64(8)}}
	w := &plan.WindowAgg{Info: info(i8, i8, i8), Child: valuesNode(ints, rows...),
		OrderBy: []plan.SortKey{{Expr: col(0, i8)}}, Calls: []plan.WindowCall{{Func: sumAgg, Args: []expr.Expr{col(1, i8)}}}}
	want := []types.Row{{int64(1), int64(5), int64(5)}, {int64(2), int64(6), int64(18)}, {int64(2), int64(7), int64(18)}, {int64(3), int64(8), int64(26)}}
	sameOrder(t, "running sum", collect(t, node(w), testEnv(t, nil, 0)), want)
	w.OrderBy = nil
	for i := range want {
		want[i][2] = int64(26)
	}
	sameOrder(t, "sum of all", collect(t, node(w), testEnv(t, nil, 0)), want)
}

func TestWindowFunctionsSeeTheirPartition(t *testing.T) {
	i8 := types.Int8OID
	previous := &expr.Function{Name: "lag", Window: &expr.WindowFunction{Eval: func(_ *expr.Context, w expr.WindowPartition, i int) (types.Datum, error) {
		if i == 0 {
			return int64(-w.Len()), nil
		}
		return w.Arg(i-1, 0)
	}}}
	rows := []types.Row{{int64(1), int64(5)}, {int64(1), int64(6)}, {nil, int64(7)}}
	w := &plan.WindowAgg{Info: info(i8, i8, i8), Child: valuesNode(ints, rows...), Partition: []expr.Expr{col(0, i8)},
		Calls: []plan.WindowCall{{Func: previous, Args: []expr.Expr{col(1, i8)}}}}
	sameOrder(t, "lag", collect(t, node(w), testEnv(t, nil, 0)),
		[]types.Row{{int64(1), int64(5), int64(-2)}, {int64(1), int64(6), int64(5)}, {nil, int64(7), int64(-1)}})
}

func TestBadFrameOffsetsAreRefused(t *testing.T) {
	i8 := types.Int8OID
	for _, c := range []struct {
		mode   string
		offset types.Datum
		code   string
	}{
		{frameModeRows, nil, pgerr.NullValueNotAllowed},
		{frameModeRows, int64(-1), invalidPrecedingOrFollowing},
		{frameModeRange, int64(-1), invalidPrecedingOrFollowing},
		{frameModeGroups, int64(-1), invalidPrecedingOrFollowing},
	} {
		w := &plan.WindowAgg{Info: info(i8, i8, i8), Child: valuesNode(ints, types.Row{int64(1), int64(1)}),
			OrderBy: []plan.SortKey{{Expr: col(0, i8)}}, Start: lit(i8, c.offset),
			Frame: &ast.Frame{Mode: c.mode, Start: ast.FrameBound{Kind: framePreceding}, End: ast.FrameBound{Kind: frameCurrent}},
			Calls: []plan.WindowCall{{Func: countAgg}}}
		if _, _, err := tryCollect(t, node(w), testEnv(t, nil, 0)); pgerr.Code(err) != c.code {
			t.Errorf("%s %v: got %v, want %s", c.mode, c.offset, err, c.code)
		}
	}
}
