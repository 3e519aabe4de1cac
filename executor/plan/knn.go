package plan

import (
	"math"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// distance is an expression <key> op <query> over one table's row: a distance
// between its vector and a value that is the same for all rows.
type distance struct {
	call  *expr.Call
	key   expr.Expr
	query expr.Expr
}

// distanceOf takes an expression apart, whichever side the vector is on; the
// operators and the functions behind them are the same.
func distanceOf(e expr.Expr) (distance, bool) {
	call, ok := e.(*expr.Call)
	if !ok || call.Func.Metric == types.MetricNone || len(call.Args) != 2 {
		return distance{}, false
	}
	left, right := fixedValue(call.Args[0]), fixedValue(call.Args[1])
	switch {
	case right && !left:
		return distance{call, call.Args[0], call.Args[1]}, true
	case left && !right:
		return distance{call, call.Args[1], call.Args[0]}, true
	}
	return distance{}, false
}

func (d distance) equal(e expr.Expr) bool {
	o, ok := distanceOf(e)
	return ok && o.call.Func.Metric == d.call.Func.Metric && expr.Equal(o.key, d.key) && expr.Equal(o.query, d.query)
}

// DistanceColumn is the place of the distance in the node's row: after the
// table's columns, before the row id.
func (n *KNN) DistanceColumn() int { return len(n.Table.Columns) }

// WithDistance replaces the distance that the node orders by, wherever it stands
// in e (an expression over the table's row), by the node's own column, so that
// it is computed once.
func (n *KNN) WithDistance(e expr.Expr) expr.Expr {
	var d distance
	d.call = &expr.Call{Func: n.Distance, Args: []expr.Expr{n.Key, n.Query}, Typ: float8Type, Operator: n.Distance.Metric.Operator()}
	d.key, d.query = n.Key, n.Query
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		if d.equal(x) {
			return &expr.Column{Index: n.DistanceColumn(), Typ: float8Type, Name: expr.String(x)}
		}
		return x
	})
}

// nearest is the nearest neighbour rule: ORDER BY a distance to a fixed query,
// where a vector index has the same key and metric. nil when it does not apply.
func (a *access) nearest(keys []SortKey, want expr.Expr) Node {
	if len(keys) != 1 || keys[0].Desc || keys[0].NullsFirst || !a.b.env.enabled("enable_indexscan") {
		return nil
	}
	d, ok := distanceOf(keys[0].Expr)
	if !ok || a.b.oneRow(a.table, a.conds) {
		return nil
	}
	for _, x := range a.b.env.Catalog.Indexes(a.table.ID) {
		if !x.Valid || !x.Vector() || len(x.Keys) != 1 || x.Keys[0].Metric != d.call.Func.Metric {
			continue
		}
		keys, predicate, err := a.b.indexExprs(a.table, x)
		if err != nil || !expr.Equal(keys[0], d.key) {
			continue
		}
		if implied, ok := impliedBy(predicate, a.conds); ok {
			return a.knn(x, d, predicate, implied, want)
		}
	}
	return nil
}

// knn makes the node. A partial index holds only the rows that pass its
// predicate, but other ways to the same rows do not know that: what the
// predicate guarantees stays in the filter.
func (a *access) knn(x *catalog.Index, d distance, predicate []expr.Expr, implied []bool, want expr.Expr) Node {
	n := &KNN{Table: a.table, Index: x, Alias: a.alias, Cols: a.cols, Query: d.query, Distance: d.call.Func, Key: d.key, Want: want, Selectivity: 1}
	n.Columns = append(a.columns(false), Column{Name: distanceName, Type: float8Type})
	if a.rowID {
		n.Columns = append(n.Columns, Column{Name: rowIDName, Type: int8Type})
	}
	rest := n.takeBound(a.b, d, a.conds)
	// The key may not be read at all: what is left of the distance in the filter
	// is the node's own.
	n.Filter = n.WithDistance(andOf(rest))
	plain := n.withoutDistance(rest)
	if undecided := leftOver(plain, a.conds, implied); len(undecided) > 0 {
		n.Selectivity = min(1, a.b.selectivity(a.table, plain)/max(a.b.selectivity(a.table, predicate), 1/a.rows))
		filtered := a.b.access(a.table, a.alias, columnsOf(plain), plain, false)
		n.Alternative = filtered.cheapest()
		if _, scan := n.Alternative.(*IndexScan); scan && want == nil {
			return nil // all rows: reading few of them and sorting is better
		}
		if x := filtered.idScan(); x != nil {
			n.Alternative = x
		}
	}
	n.Rows = atLeastOne(a.rows * a.share)
	n.Width = a.width() + 8
	a.knnCost(n, want)
	return n
}

// leftOver are those of rest that the index's predicate does not guarantee. When
// there are none, every candidate passes and no other way can be better.
func leftOver(rest, conds []expr.Expr, implied []bool) (out []expr.Expr) {
	for i, c := range conds {
		if !implied[i] && contained(c, rest) {
			out = append(out, c)
		}
	}
	return out
}

// distanceName is what EXPLAIN calls the place of the distance.
const distanceName = "distance"

// columnsOf are the attnums that conditions need.
func columnsOf(conds []expr.Expr) []int16 {
	seen := map[int16]bool{}
	out := []int16{}
	for _, c := range conds {
		expr.Walk(c, func(e expr.Expr) bool {
			if k, ok := e.(*expr.Column); ok && !seen[int16(k.Index+1)] {
				seen[int16(k.Index+1)] = true
				out = append(out, int16(k.Index+1))
			}
			return true
		})
	}
	return out
}

// knnCost estimates a search in the same units as scans: a candidate costs a
// step in the graph and a point read of its row.
func (a *access) knnCost(n *KNN, want expr.Expr) {
	const efGuess = 40
	rows := n.Rows
	take := wantedRows(want, rows)
	candidates := math.Min(a.rows, math.Max(efGuess, take/math.Max(n.Selectivity, 1/a.rows)))
	if want == nil {
		n.Startup = a.pages*seqPageCost + a.rows*(cpuTupleCost+cpuOperatorCost) + sortCost(rows, rows)
	} else {
		n.Startup = 2*randomPageCost + candidates*(pointReadCost+cpuOperatorCost)
	}
	n.Cost = n.Startup + rows*(cpuTupleCost+filterCost(conjunctsOf(n.Filter)))
}
