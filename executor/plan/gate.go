package plan

import (
	"github.com/akidb/akidb/executor/expr"
)

// source reads and joins what FROM and WHERE say. ordered says that the rows
// come as ORDER BY wants them. Conditions without columns are tested once,
// before anything is read.
func (sel *selecting) source() (part *joined, ordered bool, err error) {
	gate, rest := sel.gates()
	if len(gate) == 0 {
		return sel.read()
	}
	where := sel.where
	sel.where = rest
	part, ordered, err = sel.read()
	sel.where = where
	if err != nil {
		return nil, false, err
	}
	part.node = gated(part.node, andOf(gate))
	return part, ordered, nil
}

// gates splits WHERE into what has one value for the whole query and the rest.
// Constants that are known stay: with them nothing is read at all.
func (sel *selecting) gates() (gate, rest []expr.Expr) {
	if sel.from.root == nil {
		return nil, sel.where
	}
	for _, w := range sel.where {
		_, known := w.(*expr.Const)
		if known || hasColumn(w) || expr.VolatilityOf(w) == expr.Volatile {
			rest = append(rest, w)
		} else {
			gate = append(gate, w)
		}
	}
	return gate, rest
}

// gated runs a node only when the condition holds: it is joined with an empty
// row that passes it.
func gated(n Node, cond expr.Expr) Node {
	in := n.Common()
	g := &NestLoop{Kind: Inner, Left: filter(oneRow(), cond), Right: n}
	g.Info = *in
	g.Cost += cpuTupleCost
	return g
}

// gateOf is the condition of a node that gated made, nil for others.
func gateOf(n *NestLoop) expr.Expr {
	f, ok := n.Left.(*Filter)
	if !ok || len(n.Slots) > 0 || n.Cond != nil || len(f.Columns) > 0 {
		return nil
	}
	return f.Cond
}
