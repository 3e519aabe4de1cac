package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
)

// Stubs of the choice of how one table is read. conds are the conjuncts that
// hold for the table's row alone (Column.Index = attnum-1) and may hold
// parameters and ExecParams (values of the outer side of a parameterised join).
// cols are the attnums that anybody above needs, or conds do. rowID asks for the
// row id (int64) in one more place (Info.Columns has it).

// tableScan is the cheapest way to read the rows that pass conds, in any order.
func (b *binder) tableScan(t *catalog.Table, alias string, cols []int16, conds []expr.Expr, rowID bool) Node {
	return nil
}

// orderedScan reads them in the order of keys, through a btree index (the node's row
// is the table's row, with the row id after it if asked for) or a vector index (KNN: the
// table's row, then the distance, then the row id). want is LIMIT + OFFSET, nil for all. nil when
// there is no such way, or a sort is cheaper.
func (b *binder) orderedScan(t *catalog.Table, alias string, cols []int16, conds []expr.Expr, keys []SortKey, want expr.Expr, rowID bool) Node {
	return nil
}

// selectivity estimates the share of rows of t (nil: unknown) for which all conds hold.
func (b *binder) selectivity(t *catalog.Table, conds []expr.Expr) float64 { return 1 }
