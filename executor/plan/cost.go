package plan

import (
	"math"

	"github.com/akidb/akidb/executor/expr"
)

// PostgreSQL's cost constants, in units of one page read in sequence, so that
// EXPLAIN's numbers look familiar. pointReadCost is ours: reading one more row
// by its id, about four rows of a sequential scan.
const (
	seqPageCost       = 1.0
	randomPageCost    = 4.0
	cpuTupleCost      = 0.01
	cpuIndexTupleCost = 0.005
	cpuOperatorCost   = 0.0025
	pointReadCost     = 0.1
	disabledCost      = 1e10
)

// filterCost is the cost of testing a row.
func filterCost(conds []expr.Expr) float64 {
	n := 0
	for _, c := range conds {
		expr.Walk(c, func(e expr.Expr) bool {
			switch e.(type) {
			case *expr.Call, *expr.InList, *expr.AnyAll, *expr.SubPlan:
				n++
			}
			return true
		})
	}
	return float64(n) * cpuOperatorCost
}

func conjunctsOf(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	return conjuncts(e)
}

// descentCost is finding the first entry of a range.
func descentCost(rows float64) float64 {
	const height, perLevel = 2, 50
	return math.Ceil(math.Log2(math.Max(rows, 2)))*cpuOperatorCost + height*perLevel*cpuOperatorCost
}

// sortCost is cost_tuplesort: a comparison costs two operators; a top-N heap
// compares with the n kept.
func sortCost(rows, want float64) float64 {
	n := math.Max(rows, 2)
	kept := n
	if 2*want < n {
		kept = math.Max(2*want, 2)
	}
	return 2*cpuOperatorCost*n*math.Log2(kept) + cpuOperatorCost*math.Min(n, want)
}

// cost fills in what the planner has left open of the estimates of a tree,
// bottom-up: scans have theirs already, and a number of rows that is set stays.
func cost(n Node) {
	for _, c := range childrenOf(n) {
		cost(c)
	}
	i := n.Common()
	switch n := n.(type) {
	case *Values:
		i.Rows = float64(len(n.Lists))
		i.Cost = i.Rows * (cpuTupleCost + cpuOperatorCost)
	case *SeqScan, *IndexScan, *KNN, *Append:
		if i.Cost == 0 {
			i.Cost = i.Rows * (cpuTupleCost + seqPageCost/10)
		}
	case *FunctionScan:
		setRows(i, seriesRows(n))
		i.Cost = i.Rows * cpuTupleCost
	case *VirtualScan:
		setRows(i, defaultRows/10)
		i.Cost = seqPageCost*10 + i.Rows*cpuTupleCost
	case *CTEScan, *WorkTableScan:
		setRows(i, defaultRows/10)
		i.Cost = i.Rows * 2 * cpuTupleCost
	case *NestLoop:
		costNestLoop(n)
	case *HashJoin:
		costHashJoin(n)
	case *SetOp:
		l, r := n.Left.Common(), n.Right.Common()
		setRows(i, l.Rows+r.Rows)
		i.Startup, i.Cost = l.Startup, l.Cost+r.Cost
		if n.Op != "UNION" || !n.All {
			i.Cost += (l.Rows + r.Rows) * (cpuTupleCost + cpuOperatorCost)
			i.Startup = i.Cost
		}
	case *RecursiveUnion:
		l, r := n.Left.Common(), n.Right.Common()
		setRows(i, l.Rows+10*r.Rows) // ten steps, as in PostgreSQL
		i.Startup, i.Cost = l.Startup, l.Cost+10*r.Cost+i.Rows*cpuTupleCost
	case *ModifyTable:
		c := n.Child.Common()
		i.Startup, i.Cost, i.Rows = c.Startup, c.Cost, 0
		if n.Returning != nil {
			i.Rows = c.Rows
		}
		return
	default:
		costAbove(n)
	}
	costWidth(n)
}

func setRows(i *Info, rows float64) {
	if i.Rows == 0 {
		i.Rows = atLeastOne(rows)
	}
}

// seriesRows knows generate_series of constants; others give a thousand rows, or one.
func seriesRows(n *FunctionScan) float64 {
	rows := 1.0
	for _, c := range n.Calls {
		if c.Func.Rows == nil {
			continue
		}
		guess := float64(defaultRows)
		if c.Func.Name == "generate_series" && len(c.Args) == 2 {
			from, ok := c.Args[0].(*expr.Const)
			to, also := c.Args[1].(*expr.Const)
			if ok && also {
				a, isInt := from.Value.(int64)
				b, areInts := to.Value.(int64)
				if isInt && areInts {
					guess = float64(b) - float64(a) + 1
				}
			}
		}
		rows = math.Max(rows, guess)
	}
	return rows
}

// costAbove costs the nodes of one input.
func costAbove(n Node) {
	below := onlyChild(n)
	if below == nil {
		return
	}
	c, i := (*below).Common(), n.Common()
	i.Startup, i.Cost = c.Startup, c.Cost
	rows := c.Rows
	switch n := n.(type) {
	case *Filter:
		e := estimator{rows: math.Max(c.Rows, 1)}
		rows = c.Rows * e.conjunction(conjuncts(n.Cond))
		i.Cost += c.Rows * filterCost(conjuncts(n.Cond))
	case *Project:
		if n.sets() {
			rows *= defaultRows
		}
		i.Cost += rows * filterCost(n.Exprs)
	case *Sort:
		want := wantedRows(n.Limit, math.Max(c.Rows, 1))
		read := c.Cost
		if n.Presorted > 0 {
			read = c.Startup + (c.Cost-c.Startup)*want/math.Max(c.Rows, 1)
		}
		i.Startup = read + sortCost(c.Rows, want)
		if n.Presorted > 0 {
			i.Startup = read + sortCost(want, want)
		}
		i.Cost = i.Startup + cpuOperatorCost*c.Rows
	case *Limit:
		costLimit(n, c)
		return
	case *Aggregate:
		rows = costAggregate(n, c)
	case *WindowAgg:
		i.Cost += c.Rows * (cpuTupleCost + cpuOperatorCost*float64(len(n.Calls)))
	case *Distinct:
		if len(n.On) == 0 {
			i.Cost += c.Rows * cpuOperatorCost * float64(len(c.Columns))
			i.Startup = i.Cost
			rows = math.Min(c.Rows, distinctGuess)
		}
	case *LockRows:
		i.Cost += c.Rows * cpuTupleCost
	}
	setRows(i, rows)
}

// distinctGuess is PostgreSQL's number of different values of a column without statistics.
const distinctGuess = 200

func costAggregate(n *Aggregate, c *Info) float64 {
	work := c.Rows * cpuOperatorCost * float64(len(n.Aggs)+len(n.Groups))
	rows := 1.0
	if len(n.Groups) > 0 {
		rows = math.Min(c.Rows, distinctGuess*math.Max(1, float64(len(n.Sets))))
	}
	n.Startup = c.Cost + work
	n.Cost = n.Startup + rows*cpuTupleCost
	return rows
}

// costLimit takes the part of the input's cost that its rows are of all.
func costLimit(n *Limit, c *Info) {
	all := math.Max(c.Rows, 1)
	skip := 0.0
	if n.Offset != nil {
		skip = math.Min(wantedRows(n.Offset, all), all)
		if k, ok := n.Offset.(*expr.Const); ok && k.Value == int64(0) {
			skip = 0
		}
	}
	rows := math.Max(all-skip, 1)
	if n.Count != nil {
		rows = math.Min(rows, wantedRows(n.Count, all))
	}
	n.Info.Rows = atLeastOne(rows)
	n.Startup = c.Startup + (c.Cost-c.Startup)*skip/all
	n.Cost = c.Startup + (c.Cost-c.Startup)*math.Min(1, (skip+rows)/all)
	costWidth(n)
}

func costNestLoop(n *NestLoop) {
	l, r := n.Left.Common(), n.Right.Common()
	again := r.Cost
	if n.Materialize {
		again = r.Rows * cpuOperatorCost
	}
	pairs := math.Max(l.Rows, 1) * math.Max(r.Rows, 1)
	n.Startup = l.Startup + r.Startup
	n.Cost = l.Cost + r.Cost + math.Max(l.Rows-1, 0)*again + pairs*(cpuTupleCost+filterCost(conjunctsOf(n.Cond)))
	e := estimator{rows: math.Max(math.Max(l.Rows, r.Rows), 1)}
	setRows(&n.Info, joinedRows(n.Kind, l.Rows, r.Rows, pairs*e.conjunction(conjunctsOf(n.Cond))))
}

func costHashJoin(n *HashJoin) {
	l, r := n.Left.Common(), n.Right.Common()
	keys := float64(len(n.LeftKeys)) * cpuOperatorCost
	n.Startup = l.Startup + r.Cost + r.Rows*(keys+cpuTupleCost)
	matches := math.Max(l.Rows, r.Rows)
	e := estimator{rows: math.Max(matches, 1)}
	matches *= e.conjunction(conjunctsOf(n.Cond))
	setRows(&n.Info, joinedRows(n.Kind, l.Rows, r.Rows, matches))
	n.Cost = n.Startup + (l.Cost - l.Startup) + l.Rows*keys + n.Info.Rows*(cpuTupleCost+filterCost(conjunctsOf(n.Cond)))
}

// joinedRows bounds an inner join's rows by what the kind guarantees.
func joinedRows(kind JoinKind, left, right, inner float64) float64 {
	switch kind {
	case LeftOuter:
		return math.Max(inner, left)
	case RightOuter:
		return math.Max(inner, right)
	case FullOuter:
		return math.Max(inner, math.Max(left, right))
	case Semi:
		return math.Min(left, inner)
	case Anti:
		return math.Max(left-inner, 1)
	}
	return inner
}

// costWidth estimates the bytes of a row.
func costWidth(n Node) {
	i := n.Common()
	switch n := n.(type) {
	case *SeqScan, *IndexScan, *KNN, *Append:
		return
	case *NestLoop:
		i.Width = n.Left.Common().Width
		if n.Kind != Semi && n.Kind != Anti {
			i.Width += n.Right.Common().Width
		}
		return
	case *HashJoin:
		i.Width = n.Left.Common().Width
		if n.Kind != Semi && n.Kind != Anti {
			i.Width += n.Right.Common().Width
		}
		return
	case *Filter, *Sort, *Limit, *Distinct, *LockRows:
		i.Width = (*onlyChild(n)).Common().Width
		return
	}
	i.Width = 0
	for _, c := range i.Columns {
		i.Width += typeWidth(c.Type)
	}
}

// estimate fills in the estimates of all trees of a plan.
func (p *Plan) estimate() {
	for _, c := range p.CTEs {
		cost(c.Root)
	}
	for _, s := range p.SubPlans {
		cost(s.Root)
	}
	cost(p.Root)
}
