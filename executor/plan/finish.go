package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// finish orders, removes duplicates, locks, computes the targets and limits.
func (sel *selecting) finish(n Node, ordered bool, locks []RowLockSpec) (Node, error) {
	q := sel.q
	want := wanted(sel.limit, sel.offset)
	if q.WithTies || len(locks) > 0 {
		want = nil
	}
	switch {
	case q.Distinct && len(sel.on) == 0:
		n = sel.distinct(sel.project(n, nil))
		order := sel.outputKeys()
		return limited(sorted(n, order, want), q, order, sel.limit, sel.offset), nil
	case len(sel.on) > 0:
		n = sel.distinctOn(n)
	case len(sel.order) > 0 && !ordered:
		if len(locks) == 0 && sel.projectFirst() {
			return sel.sortProjected(n, want), nil
		}
		n = sorted(n, sel.order, want)
		if s, ok := n.(*Sort); ok {
			s.Presorted = sel.presorted
		}
	}
	if len(locks) > 0 {
		l := &LockRows{Child: n, Locks: locks}
		l.Info = *n.Common()
		n = l
	}
	n = limited(n, q, sel.order, sel.limit, sel.offset)
	return sel.project(n, nil), nil
}

// project computes the targets and, behind them, further expressions.
func (sel *selecting) project(n Node, more []expr.Expr) Node {
	p := &Project{Child: n}
	in := n.Common()
	p.Columns = make([]Column, 0, len(sel.targets)+len(more))
	p.Exprs = make([]expr.Expr, 0, len(sel.targets)+len(more))
	same := len(sel.targets)+len(more) == len(in.Columns)
	for i := range sel.targets {
		t := &sel.targets[i]
		e := expr.Fold(sel.b.env.Types, t.value)
		c, ok := e.(*expr.Column)
		same = same && ok && c.Index == i
		p.Exprs = append(p.Exprs, e)
		p.Columns = append(p.Columns, Column{Name: t.name, Type: t.value.Type(), Table: t.column.Table, Attnum: t.column.Attnum, Fields: t.column.Fields})
	}
	for _, e := range more {
		p.Exprs = append(p.Exprs, e)
		p.Columns = append(p.Columns, Column{Name: "?column?", Type: e.Type()})
		same = false
	}
	if same && !isShared(n) {
		in.Columns = p.Columns
		return n
	}
	p.Rows, p.Startup, p.Cost = in.Rows, in.Startup, in.Cost+in.Rows*cpuTupleCost
	return p
}

// isShared says whether a node's columns are looked at by others.
func isShared(n Node) bool {
	_, ok := n.(*RecursiveUnion)
	return ok
}

// projectFirst says whether the targets are computed below the sort: those that
// are sort keys themselves then are computed once. With a LIMIT, few of the rows
// are left after the sort, so that the targets wait unless a key must not be
// computed twice.
func (sel *selecting) projectFirst() bool {
	for i, k := range sel.order {
		if sel.byOut[i] < 0 {
			continue
		}
		if expr.VolatilityOf(k.Expr) == expr.Volatile {
			return true
		}
		if sel.limit == nil && hasCall(k.Expr) {
			return true
		}
	}
	return false
}

// outputKeys are the sort keys over the output row.
func (sel *selecting) outputKeys() []SortKey {
	out := make([]SortKey, len(sel.order))
	for i, k := range sel.order {
		out[i] = k
		out[i].Expr = &expr.Column{Index: sel.byOut[i], Typ: k.Expr.Type(), Name: sel.targets[sel.byOut[i]].name}
	}
	return out
}

// sortProjected computes the targets, sorts by them and by what else is needed
// and drops that again.
func (sel *selecting) sortProjected(n Node, want expr.Expr) Node {
	var more []expr.Expr
	keys := make([]SortKey, len(sel.order))
	for i, k := range sel.order {
		keys[i] = k
		at := sel.byOut[i]
		if at < 0 {
			at = len(sel.targets) + len(more)
			more = append(more, k.Expr)
		}
		keys[i].Expr = &expr.Column{Index: at, Typ: k.Expr.Type(), Name: columnName(k.Expr)}
	}
	n = sorted(sel.project(n, more), keys, want)
	n = limited(n, sel.q, keys, sel.limit, sel.offset)
	if len(more) == 0 {
		return n
	}
	in := n.Common()
	p := &Project{Child: n}
	p.Info = Info{Rows: in.Rows, Startup: in.Startup, Cost: in.Cost, Columns: in.Columns[:len(sel.targets)]}
	for i, c := range p.Columns {
		p.Exprs = append(p.Exprs, &expr.Column{Index: i, Typ: c.Type, Name: c.Name})
	}
	return p
}

func columnName(e expr.Expr) string {
	if c, ok := e.(*expr.Column); ok {
		return c.Name
	}
	return expr.String(e)
}

func (sel *selecting) distinct(n Node) Node {
	in := n.Common()
	d := &Distinct{Child: n}
	d.Info = Info{Columns: in.Columns, Rows: max(in.Rows/5, 1), Startup: in.Cost, Cost: in.Cost + in.Rows*cpuOperatorCost}
	return d
}

// distinctOn sorts by the ON expressions, in the order of ORDER BY where it has
// them, and keeps the first row of each.
func (sel *selecting) distinctOn(n Node) Node {
	keys := append([]SortKey(nil), sel.order...)
	for _, e := range sel.on {
		found := false
		for _, k := range keys {
			found = found || expr.Equal(k.Expr, e)
		}
		if !found {
			keys = append(keys, SortKey{Expr: e})
		}
	}
	// ON expressions come first in ORDER BY; those it lacks stand before the rest.
	lead := 0
	for lead < len(sel.order) && sel.isOn(sel.order[lead].Expr) {
		lead++
	}
	if extra := keys[len(sel.order):]; len(extra) > 0 && lead < len(sel.order) {
		moved := append(append(append([]SortKey(nil), keys[:lead]...), extra...), keys[lead:len(sel.order)]...)
		keys = moved
	}
	n = sorted(n, keys, nil)
	in := n.Common()
	d := &Distinct{Child: n, On: sel.on}
	d.Info = Info{Columns: in.Columns, Rows: max(in.Rows/5, 1), Startup: in.Startup, Cost: in.Cost + in.Rows*cpuOperatorCost}
	return d
}

func (sel *selecting) isOn(e expr.Expr) bool {
	for _, o := range sel.on {
		if expr.Equal(o, e) {
			return true
		}
	}
	return false
}

// sorted puts a Sort above a node; with want it keeps only so many rows.
func sorted(n Node, order []SortKey, want expr.Expr) Node {
	if len(order) == 0 {
		return n
	}
	in := n.Common()
	s := &Sort{Child: n, Keys: order, Limit: want}
	s.Info = Info{Columns: in.Columns, Rows: in.Rows, Cost: in.Cost + in.Rows*cpuTupleCost*2}
	s.Startup = s.Cost
	return s
}

// limited puts a Limit above a node.
func limited(n Node, q *ast.Select, order []SortKey, limit, offset expr.Expr) Node {
	if limit == nil && offset == nil {
		return n
	}
	in := n.Common()
	l := &Limit{Child: n, Count: limit, Offset: offset, WithTies: q.WithTies}
	l.Info = Info{Columns: in.Columns, Rows: in.Rows, Startup: in.Startup, Cost: in.Cost}
	if likely := likelyLimit(limit); likely > 0 && likely < in.Rows {
		l.Rows = likely
		l.Cost = in.Startup + (in.Cost-in.Startup)*likely/in.Rows
	}
	if q.WithTies {
		l.Keys = order
	}
	return l
}

// wanted is LIMIT + OFFSET, nil without LIMIT.
func wanted(limit, offset expr.Expr) expr.Expr {
	if limit == nil || offset == nil {
		return limit
	}
	return &expr.Call{Func: saturatingSum, Args: []expr.Expr{limit, offset}, Typ: int8Type, Operator: "+"}
}

// saturatingSum adds LIMIT and OFFSET: NULL is no limit, no offset, and a sum
// that is too large is the largest number.
var saturatingSum = &expr.Function{
	Name: "int8pl", Args: []types.OID{types.Int8OID, types.Int8OID}, Result: types.Int8OID, Volatility: expr.Immutable, NotStrict: true,
	Eval: func(_ *expr.Context, args []types.Datum) (types.Datum, error) {
		limit, ok := args[0].(int64)
		if !ok {
			return nil, nil
		}
		offset, _ := args[1].(int64)
		if offset < 0 {
			offset = 0 // Limit refuses it
		}
		if sum := limit + offset; sum >= limit {
			return sum, nil
		}
		return int64(1<<63 - 1), nil
	},
}
