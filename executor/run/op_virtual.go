package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// virtualOp reads a relation that is computed.
type virtualOp struct {
	base
	node *plan.VirtualScan
	pull func() (types.Row, error)
}

func (o *virtualOp) open() error {
	o.pull = nil
	if o.x.env.Virtual == nil {
		return pgerr.Newf(pgerr.UndefinedTable, "relation \"%s.%s\" does not exist", o.node.Schema, o.node.Name)
	}
	lookups := make([]Lookup, 0, len(o.node.Lookup))
	for _, l := range o.node.Lookup {
		d, err := o.x.eval(l.Value, nil)
		if err != nil {
			return err
		}
		if d == nil {
			return nil // nothing equals NULL
		}
		lookups = append(lookups, Lookup{Column: l.Column, Value: d})
	}
	pull, err := o.x.env.Virtual(o.node.Schema, o.node.Name, lookups)
	o.pull = pull
	return err
}

func (o *virtualOp) next() (types.Row, error) {
	for o.pull != nil {
		if err := o.x.tick(); err != nil {
			return nil, err
		}
		row, err := o.pull()
		if err != nil || row == nil {
			o.pull = nil
			return nil, err
		}
		ok, err := o.x.test(o.node.Filter, row)
		if err != nil {
			return nil, err
		}
		if ok {
			return row, nil
		}
		o.stats.Removed++
	}
	return nil, nil
}

func (o *virtualOp) close() error {
	o.pull = nil
	return nil
}
