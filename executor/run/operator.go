package run

import (
	"fmt"
	"time"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// operator runs one plan node. open starts it, or starts it anew (a rescan);
// next gives a row that is valid until the next call of next or open, nil at
// the end; close lets go of everything and may be followed by open.
type operator interface {
	open() error
	next() (types.Row, error)
	close() error
}

// reporter is an operator that has more to say in EXPLAIN ANALYZE.
type reporter interface {
	report() [][2]string
}

// idSource is a scan that can give the ids of the rows that pass its filter.
// It is opened by openIDs instead of open.
type idSource interface {
	openIDs() error
	nextID() (types.RowID, bool, error)
	close() error
}

// base is what every operator has.
type base struct {
	x     *Execution
	stats *plan.NodeStats
}

// build makes the operator of a node and of all nodes below.
func (x *Execution) build(n plan.Node) (operator, error) {
	b := base{x: x, stats: &plan.NodeStats{}}
	op, err := x.operatorFor(n, b)
	if err != nil {
		return nil, err
	}
	x.built = append(x.built, op)
	if x.stats == nil {
		return op, nil
	}
	x.stats[n] = b.stats
	x.byNode[n] = op
	return &measured{operator: op, stats: b.stats}, nil
}

func (x *Execution) operatorFor(n plan.Node, b base) (operator, error) {
	switch n := n.(type) {
	case *plan.Values:
		return &valuesOp{base: b, node: n}, nil
	case *plan.SeqScan:
		return newSeqScan(b, n), nil
	case *plan.IndexScan:
		return newIndexScan(b, n), nil
	case *plan.KNN:
		return newKNN(b, n)
	case *plan.FunctionScan:
		return &functionOp{base: b, node: n}, nil
	case *plan.VirtualScan:
		return &virtualOp{base: b, node: n}, nil
	case *plan.CTEScan:
		return &cteScanOp{base: b, node: n}, nil
	case *plan.WorkTableScan:
		return &workTableOp{base: b, node: n}, nil
	case *plan.RecursiveUnion:
		return newRecursive(b, n)
	case *plan.ModifyTable:
		return newModify(b, n)
	case *plan.Append:
		return newAppend(b, n)
	}
	return x.operatorAbove(n, b)
}

// operatorAbove makes the operators that have children.
func (x *Execution) operatorAbove(n plan.Node, b base) (operator, error) {
	switch n := n.(type) {
	case *plan.NestLoop:
		return newNestLoop(b, n)
	case *plan.HashJoin:
		return newHashJoin(b, n)
	case *plan.SetOp:
		return newSetOp(b, n)
	}
	child, err := x.build(onlyChild(n))
	if err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *plan.Filter:
		return &filterOp{base: b, node: n, child: child}, nil
	case *plan.Project:
		return newProject(b, n, child), nil
	case *plan.Sort:
		return &sortOp{base: b, node: n, child: child}, nil
	case *plan.Limit:
		return &limitOp{base: b, node: n, child: child}, nil
	case *plan.Aggregate:
		return newAggregate(b, n, child), nil
	case *plan.WindowAgg:
		return newWindow(b, n, child), nil
	case *plan.Distinct:
		return newDistinct(b, n, child), nil
	case *plan.LockRows:
		return &lockRowsOp{base: b, node: n, child: child}, nil
	}
	panic(fmt.Sprintf("run: no operator for %T", n))
}

func onlyChild(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Filter:
		return n.Child
	case *plan.Project:
		return n.Child
	case *plan.Sort:
		return n.Child
	case *plan.Limit:
		return n.Child
	case *plan.Aggregate:
		return n.Child
	case *plan.WindowAgg:
		return n.Child
	case *plan.Distinct:
		return n.Child
	case *plan.LockRows:
		return n.Child
	}
	panic(fmt.Sprintf("run: %T has no single child", n))
}

// unwrap gives the operator itself.
func unwrap(op operator) operator {
	if m, ok := op.(*measured); ok {
		return m.operator
	}
	return op
}

// measured counts what an operator does, for EXPLAIN ANALYZE.
type measured struct {
	operator
	stats *plan.NodeStats
	first bool
	begun time.Duration
}

func (m *measured) open() error {
	start := time.Now()
	err := m.operator.open()
	m.stats.Loops++
	m.first = true
	m.begun = time.Since(start)
	m.stats.Total += m.begun
	return err
}

func (m *measured) next() (types.Row, error) {
	start := time.Now()
	row, err := m.operator.next()
	spent := time.Since(start)
	m.stats.Total += spent
	if m.first {
		m.first = false
		m.stats.Startup += m.begun + spent
	}
	if row != nil {
		m.stats.Rows++
	}
	return row, err
}

// rowWidth is the number of places of a node's row.
func rowWidth(n plan.Node) int { return len(n.Common().Columns) }
