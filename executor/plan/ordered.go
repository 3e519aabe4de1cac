package plan

import (
	"math"
	"slices"

	"github.com/akidb/akidb/executor/expr"
)

// inOrder is the cheapest btree scan that gives the rows in the order of keys,
// unless sorting the cheapest scan of all costs less.
func (a *access) inOrder(keys []SortKey, want expr.Expr) Node {
	if a.anyOrder(keys) {
		return a.cheapest()
	}
	rows := atLeastOne(a.rows * a.share)
	part := math.Min(1, wantedRows(want, rows)/rows)
	var best *IndexScan
	var bestCost float64
	for _, p := range a.paths() {
		reverse, ok := p.gives(keys, a.conds)
		if !ok {
			continue
		}
		n := a.indexScan(p, reverse)
		cost := n.Startup + (n.Cost-n.Startup)*part
		if best == nil || cost < bestCost {
			best, bestCost = n, cost
		}
	}
	if best == nil {
		return nil
	}
	other := a.cheapest().Common()
	if a.b.env.enabled("enable_sort") && other.Cost+sortCost(rows, wantedRows(want, rows)) < bestCost {
		return nil
	}
	return best
}

// anyOrder says whether every order of the rows is that of keys: they have one
// value each, or there is at most one row.
func (a *access) anyOrder(keys []SortKey) bool {
	varies := func(k SortKey) bool { return !constantUnder(k.Expr, a.conds) }
	return !slices.ContainsFunc(keys, varies) || a.b.oneRow(a.table, a.conds)
}

// wantedRows reads LIMIT; a parameter counts as a tenth of the rows, as in
// PostgreSQL.
func wantedRows(want expr.Expr, rows float64) float64 {
	if want == nil {
		return rows
	}
	if c, ok := want.(*expr.Const); ok {
		if n, ok := c.Value.(int64); ok {
			return math.Max(1, math.Min(rows, float64(n)))
		}
		return rows
	}
	return math.Max(1, rows/10)
}

// gives says whether the path's rows come in the order of keys, backwards if
// reverse.
func (p *indexPath) gives(keys []SortKey, conds []expr.Expr) (reverse, ok bool) {
	if p.index.Method != "btree" {
		return false, false
	}
	at, decided := 0, false
	for _, k := range keys {
		if constantUnder(k.Expr, conds) {
			continue
		}
		for at < p.fixed && at < len(p.keys) && !sameKey(k.Expr, p.keys[at]) {
			at++ // one value in all rows
		}
		if at == len(p.keys) || !sameKey(k.Expr, p.keys[at]) {
			return false, false
		}
		back, fits := p.direction(at, k)
		if !fits || decided && back != reverse {
			return false, false
		}
		reverse, decided = back, true
		at++
	}
	return reverse, decided && !(reverse && p.several)
}

// direction is how the index must be read to give key number at as k wants it.
func (p *indexPath) direction(at int, k SortKey) (reverse, ok bool) {
	key := &p.index.Keys[at]
	reverse = key.Desc != k.Desc
	return reverse, p.notNull[at] || (key.NullsFirst != reverse) == k.NullsFirst
}

// constantUnder says whether e has one value in all rows that pass conds, or
// no columns at all.
func constantUnder(e expr.Expr, conds []expr.Expr) bool {
	if fixedValue(e) {
		return true
	}
	for _, c := range conds {
		if call, ok := c.(*expr.Call); ok && call.Operator == "=" && len(call.Args) == 2 {
			for i, a := range call.Args {
				if sameKey(a, e) && fixedValue(call.Args[1-i]) && sameKeyClass(a.Type().OID, e.Type().OID) {
					return true
				}
			}
		}
	}
	return false
}
