package plan

import (
	"math"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// access is the choice of how one table is read. conds are the conjuncts that
// hold for the table's row alone (Column.Index = attnum-1); they may hold
// parameters and ExecParams (values of the outer side of a parameterised join).
// cols are the attnums that anybody above needs, or conds do.
type access struct {
	b     *binder
	table *catalog.Table
	alias string
	cols  []int16
	conds []expr.Expr
	rowID bool

	rows  float64 // of the table
	pages float64
	share float64 // of the rows that pass all conds
	found []*indexPath
	tried bool // found is made
}

// tableScan is the cheapest way to read the rows that pass conds, in any order.
// rowID asks for the row id (int64) in one more place (Info.Columns has it).
func (b *binder) tableScan(t *catalog.Table, alias string, cols []int16, conds []expr.Expr, rowID bool) Node {
	if p := b.parts[t.ID]; p != nil {
		return b.appendScan(p, alias, cols, conds, rowID)
	}
	return b.access(t, alias, cols, conds, rowID).cheapest()
}

// cheapest is the choice of tableScan.
func (a *access) cheapest() Node {
	if a.never() {
		return a.nothing()
	}
	var best Node = a.seqScan()
	for _, p := range a.paths() {
		if len(p.ranges) == 0 && p.index.Predicate == "" {
			continue
		}
		if n := a.indexScan(p, false); n.Cost < best.Common().Cost {
			best = n
		}
	}
	return best
}

// idScan reads an index whose ranges alone decide which rows pass, so that their
// ids are read and no row: a fraction of a scan's cost however many they are. nil
// when there is no such index.
func (a *access) idScan() *IndexScan {
	var best *IndexScan
	for _, p := range a.paths() {
		if len(p.filter) > 0 || len(p.ranges) == 0 || !a.b.env.enabled("enable_indexscan") || a.never() {
			continue
		}
		if n := a.indexScan(p, false); best == nil || n.Cost < best.Cost {
			best = n
		}
	}
	return best
}

// orderedScan reads them in the order of keys, through a btree index (the node's
// row is the table's row, with the row id after it if asked for) or a vector
// index (KNN: the table's row, then the distance, then the row id). want is LIMIT
// + OFFSET, nil for all. nil when there is no such way, or a sort is cheaper.
func (b *binder) orderedScan(t *catalog.Table, alias string, cols []int16, conds []expr.Expr, keys []SortKey, want expr.Expr, rowID bool) Node {
	if p := b.parts[t.ID]; p != nil {
		if len(keys) == 0 {
			return nil
		}
		return b.appendOrdered(p, alias, cols, conds, keys, want, rowID)
	}
	a := b.access(t, alias, cols, conds, rowID)
	if len(keys) == 0 || a.never() {
		return nil
	}
	if n := a.nearest(keys, want); n != nil {
		return n
	}
	return a.inOrder(keys, want)
}

func (b *binder) access(t *catalog.Table, alias string, cols []int16, conds []expr.Expr, rowID bool) *access {
	a := &access{b: b, table: t, alias: alias, cols: cols, conds: simplify(t, spread(conds)), rowID: rowID}
	a.rows = b.env.rows(t.ID)
	a.pages = b.env.pages(t.ID)
	a.share = b.selectivity(t, a.conds)
	return a
}

// spread splits ANDs into single conditions.
func spread(conds []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, 0, len(conds))
	for _, c := range conds {
		out = append(out, conjuncts(c)...)
	}
	return out
}

// simplify decides IS [NOT] NULL of columns that are NOT NULL.
func simplify(t *catalog.Table, conds []expr.Expr) []expr.Expr {
	return slices.DeleteFunc(conds, func(e expr.Expr) bool {
		n, ok := e.(*expr.NullTest)
		return ok && n.Not && notNullColumn(t, n.Arg)
	})
}

func notNullColumn(t *catalog.Table, e expr.Expr) bool {
	c, ok := e.(*expr.Column)
	return ok && c.Index < len(t.Columns) && t.Columns[c.Index].NotNull
}

// never says whether a condition is FALSE or NULL for every row.
func (a *access) never() bool {
	return some(a.conds, func(c expr.Expr) bool {
		switch x := c.(type) {
		case *expr.Const:
			return x.Value != true
		case *expr.Call:
			return !x.Func.NotStrict && some(x.Args, isNullConst)
		case *expr.NullTest:
			return !x.Not && notNullColumn(a.table, x.Arg)
		}
		return false
	})
}

func isNullConst(e expr.Expr) bool {
	c, ok := e.(*expr.Const)
	return ok && c.Value == nil
}

// nothing is a scan that gives no row.
func (a *access) nothing() Node {
	return &Values{Info: Info{Columns: a.columns(a.rowID)}}
}

// columns describes the table's row, with the row id after it when asked for.
func (a *access) columns(rowID bool) []Column {
	out := tableColumns(a.table)
	if rowID {
		out = append(out, Column{Name: rowIDName, Type: int8Type})
	}
	return out
}

// rowIDName is what EXPLAIN calls the place of the row id; a column cannot have
// the name.
const rowIDName = "ctid"

func (a *access) seqScan() *SeqScan {
	n := &SeqScan{Table: a.table, Alias: a.alias, Cols: a.cols, Filter: andOf(a.conds)}
	n.Columns = a.columns(a.rowID)
	n.Rows = atLeastOne(a.rows * a.share)
	n.Width = a.width()
	n.Cost = a.pages*seqPageCost + a.rows*(cpuTupleCost+filterCost(a.conds))
	if !a.b.env.enabled("enable_seqscan") {
		n.Startup += disabledCost
		n.Cost += disabledCost
	}
	return n
}

// indexScan reads a path's ranges; reverse reads them backwards.
func (a *access) indexScan(p *indexPath, reverse bool) *IndexScan {
	n := &IndexScan{Table: a.table, Index: p.index, Alias: a.alias, Cols: a.cols, Ranges: p.ranges, Reverse: reverse, Filter: andOf(p.filter)}
	n.Columns = a.columns(a.rowID)
	n.Rows = atLeastOne(a.rows * a.share)
	n.Width = a.width()
	read := atLeastOne(a.rows * p.share)
	n.Startup = descentCost(a.rows)
	// The first row costs two random pages, as in PostgreSQL; the next ones are
	// point reads that mostly hit a cache (executor/run/knncost.go has the ratio).
	n.Cost = n.Startup + 2*randomPageCost + (read-1)*pointReadCost +
		read*(cpuIndexTupleCost+cpuTupleCost+filterCost(p.filter))
	n.Cost += float64(max(len(p.ranges)-1, 0)) * randomPageCost / 4
	if !a.b.env.enabled("enable_indexscan") {
		n.Startup += disabledCost
		n.Cost += disabledCost
	}
	return n
}

// width estimates the bytes of the columns that are read.
func (a *access) width() int {
	w := 0
	for _, num := range a.cols {
		if int(num) <= len(a.table.Columns) && num > 0 {
			c := &a.table.Columns[num-1]
			w += typeWidth(expr.Type{OID: c.Type, Typmod: c.Typmod})
		}
	}
	return w
}

// typeWidth is a value's assumed size, as get_typavgwidth of PostgreSQL has it.
func typeWidth(t expr.Type) int {
	const unknownWidth = 32
	switch t.OID {
	case types.VectorOID:
		if t.Typmod > 0 {
			return 4*int(t.Typmod) + 8
		}
		return unknownWidth
	case types.HalfVecOID:
		if t.Typmod > 0 {
			return 2*int(t.Typmod) + 8
		}
		return unknownWidth
	}
	if row := types.Lookup(t.OID); row != nil && row.Len > 0 {
		return int(row.Len)
	}
	return unknownWidth
}

func atLeastOne(rows float64) float64 { return math.Max(1, math.Round(rows)) }

// enabled reads a planner setting; absent is on.
func (e *Env) enabled(name string) bool {
	if e.Session == nil {
		return true
	}
	v, ok := e.Session.Setting(name)
	return !ok || v != "off"
}

// switches are the settings that planning looks at.
var switches = [...]string{"enable_seqscan", "enable_indexscan", "enable_sort"}

// Switches tells the planner's settings apart: a plan that was made under others
// must be made anew, since SET enable_indexscan = off is how clients ask for exact
// results.
func (e *Env) Switches() (bits uint8) {
	for i, name := range switches {
		if e.enabled(name) {
			bits |= 1 << i
		}
	}
	return bits
}

// pages is a table's size in PostgreSQL's pages. A small table counts as ten, as
// one that was never analysed does there: plans are kept while tables grow, and
// a plan made over an empty table should not read all of a full one.
func (e *Env) pages(table types.OID) float64 {
	const pageBytes, fewest, defaultRowBytes = 8192, 10, 64
	bytes := int64(defaultRowBytes)
	if e.Stats != nil {
		if s := e.Stats(table); s.RowBytes > 0 {
			bytes = s.RowBytes
		}
	}
	return math.Max(fewest, math.Ceil(e.rows(table)*float64(bytes)/pageBytes))
}
