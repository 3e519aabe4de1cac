package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// filterOp passes rows for which the condition is true.
type filterOp struct {
	base
	node  *plan.Filter
	child operator
}

func (o *filterOp) open() error { return o.child.open() }

func (o *filterOp) next() (types.Row, error) {
	for {
		row, err := o.child.next()
		if err != nil || row == nil {
			return nil, err
		}
		ok, err := o.x.test(o.node.Cond, row)
		if err != nil {
			return nil, err
		}
		if ok {
			return row, nil
		}
		o.stats.Removed++
		if err := o.x.tick(); err != nil {
			return nil, err
		}
	}
}

func (o *filterOp) close() error { return o.child.close() }
