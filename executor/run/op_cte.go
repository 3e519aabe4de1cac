package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// cteStore keeps the rows of a WITH query. They are computed as far as
// somebody reads, so that LIMIT ends an endless recursion.
type cteStore struct {
	op   operator
	rows spool
	done bool
}

// cte gives the store of a WITH query, opened.
func (x *Execution) cte(i int) (*cteStore, error) {
	if x.ctes[i] != nil {
		return x.ctes[i], nil
	}
	op, err := x.build(x.plan.CTEs[i].Root)
	if err != nil {
		return nil, err
	}
	c := &cteStore{op: op, rows: x.newSpool()}
	x.ctes[i] = c
	return c, op.open()
}

// row gives row i, nil when there are fewer.
func (c *cteStore) row(i int) (types.Row, error) {
	for i >= c.rows.len() {
		if c.done {
			return nil, nil
		}
		if err := c.pull(); err != nil {
			return nil, err
		}
	}
	return c.rows.row(i)
}

func (c *cteStore) pull() error {
	row, err := c.op.next()
	if err != nil {
		return err
	}
	if row == nil {
		c.done = true
		return c.op.close()
	}
	return c.rows.append(row)
}

// finish computes all rows.
func (c *cteStore) finish() error {
	for !c.done {
		if err := c.pull(); err != nil {
			return err
		}
	}
	return nil
}

// cteScanOp reads a WITH query's kept rows.
type cteScanOp struct {
	base
	node  *plan.CTEScan
	store *cteStore
	at    int
}

func (o *cteScanOp) open() error {
	o.at = 0
	if o.store != nil {
		return nil
	}
	s, err := o.x.cte(o.node.CTE)
	o.store = s
	return err
}

func (o *cteScanOp) next() (types.Row, error) {
	for {
		if err := o.x.tick(); err != nil {
			return nil, err
		}
		row, err := o.store.row(o.at)
		if err != nil || row == nil {
			return nil, err
		}
		o.at++
		ok, err := o.x.test(o.node.Filter, row)
		if err != nil {
			return nil, err
		}
		if ok {
			return row, nil
		}
		o.stats.Removed++
	}
}

func (o *cteScanOp) close() error { return nil }
