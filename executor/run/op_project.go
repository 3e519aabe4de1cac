package run

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// projectOp computes a new row. Set-returning calls run in step: each row has
// the next value of each, NULL for those that have ended, until all have.
type projectOp struct {
	base
	node   *plan.Project
	child  operator
	out    types.Row
	srf    bool
	input  types.Row // the child's row under way, nil for none
	series []series
}

func newProject(b base, n *plan.Project, child operator) *projectOp {
	o := &projectOp{base: b, node: n, child: child, out: make(types.Row, len(n.Exprs))}
	for _, s := range n.SRF {
		o.srf = o.srf || s
	}
	if o.srf {
		o.series = make([]series, len(n.Exprs))
	}
	return o
}

func (o *projectOp) open() error {
	o.input = nil
	return o.child.open()
}

func (o *projectOp) next() (types.Row, error) {
	if o.srf {
		return o.step()
	}
	row, err := o.child.next()
	if err != nil || row == nil {
		return nil, err
	}
	return o.out, o.compute(row)
}

// compute fills the places that are not set-returning.
func (o *projectOp) compute(row types.Row) error {
	for i, e := range o.node.Exprs {
		if o.srf && o.node.SRF[i] {
			continue
		}
		if c, ok := e.(*expr.Column); ok {
			o.out[i] = row[c.Index]
			continue
		}
		d, err := o.x.eval(e, row)
		if err != nil {
			return err
		}
		o.out[i] = d
	}
	return nil
}

func (o *projectOp) step() (types.Row, error) {
	for {
		if o.input == nil {
			row, err := o.child.next()
			if err != nil || row == nil {
				return nil, err
			}
			if err := o.startSeries(row); err != nil {
				return nil, err
			}
			o.input = row
		}
		any, err := o.stepSeries()
		if err != nil {
			return nil, err
		}
		if any {
			if err := o.x.tick(); err != nil {
				return nil, err
			}
			return o.out, o.compute(o.input)
		}
		o.input = nil
	}
}

func (o *projectOp) startSeries(row types.Row) error {
	for i, e := range o.node.Exprs {
		if !o.node.SRF[i] {
			continue
		}
		if err := o.series[i].start(o.x, e.(*expr.Call), row); err != nil {
			return err
		}
	}
	return nil
}

// stepSeries takes one row of every call; any is false when all have ended.
func (o *projectOp) stepSeries() (any bool, err error) {
	for i := range o.series {
		if !o.node.SRF[i] {
			continue
		}
		row, err := o.series[i].next()
		if err != nil {
			return false, err
		}
		o.out[i] = nil
		if row != nil {
			any = true
			o.out[i] = o.series[i].value(row)
		}
	}
	return any, nil
}

func (o *projectOp) close() error { return o.child.close() }
