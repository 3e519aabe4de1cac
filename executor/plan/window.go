package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/sql/ast"
)

// windows puts a WindowAgg for each distinct window above a node.
func (sel *selecting) windows(n Node) (Node, error) {
	uses := sel.s.level.windows
	if len(uses) == 0 {
		return n, nil
	}
	place := make([]int, len(uses))
	done := make([]bool, len(uses))
	for i := range uses {
		if done[i] {
			continue
		}
		w := &uses[i]
		a := &WindowAgg{Partition: w.partition, OrderBy: w.order, Frame: w.frame, Start: w.start, End: w.end}
		a.Child = sel.sortForWindow(n, w)
		in := a.Child.Common()
		a.Columns = append([]Column(nil), in.Columns...)
		for j := i; j < len(uses); j++ {
			if done[j] || !sameWindow(w, &uses[j]) {
				continue
			}
			done[j], place[j] = true, len(a.Columns)
			a.Calls = append(a.Calls, uses[j].call)
			a.Columns = append(a.Columns, Column{Name: uses[j].call.Func.Name, Type: uses[j].call.Typ})
		}
		a.Rows, a.Startup = in.Rows, in.Startup
		a.Cost = in.Cost + in.Rows*cpuTupleCost*float64(len(a.Calls))
		n = a
	}
	columns := n.Common().Columns
	step := func(e expr.Expr) expr.Expr {
		return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
			if r, ok := x.(*expr.WindowRef); ok {
				return &expr.Column{Index: place[r.Index], Typ: r.Typ, Name: columns[place[r.Index]].Name}
			}
			return x
		})
	}
	for i := range sel.targets {
		sel.targets[i].value = step(sel.targets[i].value)
	}
	rewriteKeys(sel.order, step)
	rewriteList(sel.on, step)
	return n, nil
}

// sortForWindow sorts by the partition and the order, unless the rows come so.
func (sel *selecting) sortForWindow(n Node, w *windowUse) Node {
	var keys []SortKey
	for _, e := range w.partition {
		keys = append(keys, SortKey{Expr: e})
	}
	keys = append(keys, w.order...)
	if len(keys) == 0 || sel.ranks || sortedAlready(n, keys) {
		return n
	}
	return sorted(n, keys, nil)
}

// sortedAlready says whether windows below have sorted by the same keys.
func sortedAlready(n Node, keys []SortKey) bool {
	for {
		a, ok := n.(*WindowAgg)
		if !ok {
			break
		}
		n = a.Child
	}
	s, ok := n.(*Sort)
	if !ok || len(s.Keys) < len(keys) {
		return false
	}
	return sameKeys(s.Keys[:len(keys)], keys)
}

func sameKeys(a, c []SortKey) bool {
	if len(a) != len(c) {
		return false
	}
	for i := range a {
		if a[i].Desc != c[i].Desc || a[i].NullsFirst != c[i].NullsFirst || !expr.Equal(a[i].Expr, c[i].Expr) {
			return false
		}
	}
	return true
}

func sameWindow(a, c *windowUse) bool {
	if !sameKeys(a.order, c.order) || len(a.partition) != len(c.partition) || !sameFrame(a.frame, c.frame) {
		return false
	}
	for i := range a.partition {
		if !expr.Equal(a.partition[i], c.partition[i]) {
			return false
		}
	}
	return expr.Equal(a.start, c.start) && expr.Equal(a.end, c.end)
}

func sameFrame(a, c *ast.Frame) bool {
	if a == nil || c == nil {
		return a == c
	}
	return a.Mode == c.Mode && a.Start.Kind == c.Start.Kind && a.End.Kind == c.End.Kind && a.Exclude == c.Exclude
}
