package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// valuesOp gives fixed rows.
type valuesOp struct {
	base
	node *plan.Values
	at   int
	out  types.Row
}

func (o *valuesOp) open() error {
	o.at = 0
	return nil
}

func (o *valuesOp) next() (types.Row, error) {
	if o.at == len(o.node.Lists) {
		return nil, nil
	}
	list := o.node.Lists[o.at]
	o.at++
	if o.out == nil || len(o.out) != len(list) {
		o.out = make(types.Row, len(list))
	}
	for i, e := range list {
		d, err := o.x.eval(e, nil)
		if err != nil {
			return nil, err
		}
		o.out[i] = d
	}
	return o.out, nil
}

func (o *valuesOp) close() error { return nil }
