package run

import (
	"bytes"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// windowOp computes the functions of one window. The child is sorted by
// partition and order; one partition at a time is kept.
type windowOp struct {
	base
	node    *plan.WindowAgg
	child   operator
	width   int
	out     types.Row
	calls   []windowCall
	partKey keyer
	ordKey  keyer

	rows    spool
	ahead   types.Row // the first row of the next partition
	aheadID []byte
	ended   bool
	at      int

	// peers: peerOf[i] is the number of row i's peer group, peerStart where each begins.
	peerOf    []int32
	peerStart []int32
	frame     frame
	key, last []byte
}

// windowCall is one function's state within a partition.
type windowCall struct {
	call  *plan.WindowCall
	types []expr.Type
	args  types.Row
	// An aggregate's accumulator holds rows [low, high); value is its result.
	acc       expr.Accumulator
	low, high int
	value     types.Datum
	fresh     bool
}

func newWindow(b base, n *plan.WindowAgg, child operator) *windowOp {
	o := &windowOp{base: b, node: n, child: child, width: rowWidth(n.Child), rows: b.x.newSpool()}
	o.out = make(types.Row, o.width+len(n.Calls))
	o.partKey = b.x.keysOf(n.Partition)
	o.ordKey = b.x.sortKeysOf(n.OrderBy)
	o.calls = make([]windowCall, len(n.Calls))
	for i := range n.Calls {
		c := &o.calls[i]
		c.call = &n.Calls[i]
		c.args = make(types.Row, len(c.call.Args))
		for _, a := range c.call.Args {
			c.types = append(c.types, a.Type())
		}
	}
	return o
}

func (o *windowOp) open() error {
	o.rows.reset()
	o.ahead, o.ended, o.at = nil, false, 0
	if err := o.frame.prepare(o.x, o.node); err != nil {
		return err
	}
	return o.child.open()
}

func (o *windowOp) next() (types.Row, error) {
	if err := o.x.tick(); err != nil {
		return nil, err
	}
	if o.at == o.rows.len() {
		if err := o.load(); err != nil {
			return nil, err
		}
		if o.rows.len() == 0 {
			return nil, nil
		}
	}
	i := o.at
	o.at++
	row, err := o.rows.row(i)
	if err != nil {
		return nil, err
	}
	copy(o.out, row)
	for c := range o.calls {
		d, err := o.value(&o.calls[c], i)
		if err != nil {
			return nil, err
		}
		o.out[o.width+c] = d
	}
	return o.out, nil
}

// load reads the next partition; none is left when it has no rows.
func (o *windowOp) load() error {
	o.rows.reset()
	o.at = 0
	o.peerOf, o.peerStart = o.peerOf[:0], o.peerStart[:0]
	o.frame.reset()
	for i := range o.calls {
		o.calls[i].acc = nil
	}
	if o.ahead != nil {
		if err := o.keep(o.ahead); err != nil {
			return err
		}
		o.ahead = nil
	}
	for !o.ended {
		row, err := o.child.next()
		if err != nil {
			return err
		}
		if row == nil {
			o.ended = true
			break
		}
		if o.key, _, err = o.partKey.append(o.key[:0], row); err != nil {
			return err
		}
		if o.rows.len() > 0 && !bytes.Equal(o.key, o.aheadID) {
			o.ahead = copyRow(row)
			o.aheadID = append(o.aheadID[:0], o.key...)
			break
		}
		o.aheadID = append(o.aheadID[:0], o.key...)
		if err := o.keep(row); err != nil {
			return err
		}
	}
	return o.frame.begin(o)
}

// keep adds a row to the partition and finds its peers.
func (o *windowOp) keep(row types.Row) error {
	var err error
	if o.key, _, err = o.ordKey.append(o.key[:0], row); err != nil {
		return err
	}
	n := len(o.peerOf)
	if n == 0 || !bytes.Equal(o.key, o.last) {
		o.peerStart = append(o.peerStart, int32(n))
		o.last = append(o.last[:0], o.key...)
	}
	o.peerOf = append(o.peerOf, int32(len(o.peerStart)-1))
	if err := o.frame.note(o, row); err != nil {
		return err
	}
	return o.rows.append(row)
}

// value computes a function for row i.
func (o *windowOp) value(c *windowCall, i int) (types.Datum, error) {
	f := c.call.Func
	if f.Window != nil {
		return f.Window.Eval(&o.x.ec, windowView{o, c}, i)
	}
	low, high := o.Frame(i)
	if cut, ok := o.frame.exclusion(o, i); ok {
		return o.aggregateWithout(c, low, high, cut)
	}
	if c.acc == nil || c.low != low || c.high > high {
		c.acc = f.Aggregate.New(&o.x.ec, c.types)
		c.low, c.high, c.fresh = low, low, false
	}
	if c.high < high {
		if err := o.addRows(c, c.acc, c.high, high); err != nil {
			return nil, err
		}
		c.high, c.fresh = high, false
	}
	if !c.fresh {
		d, err := c.acc.Result()
		if err != nil {
			return nil, err
		}
		c.value, c.fresh = d, true
	}
	return c.value, nil
}

// aggregateWithout computes an aggregate over a frame with rows left out.
func (o *windowOp) aggregateWithout(c *windowCall, low, high int, cut excluded) (types.Datum, error) {
	acc := c.call.Func.Aggregate.New(&o.x.ec, c.types)
	if err := o.addRows(c, acc, low, min(high, cut.from)); err != nil {
		return nil, err
	}
	if cut.keep >= low && cut.keep < high && cut.keep >= cut.from && cut.keep < cut.to {
		if err := o.addRows(c, acc, cut.keep, cut.keep+1); err != nil {
			return nil, err
		}
	}
	if err := o.addRows(c, acc, max(low, cut.to), high); err != nil {
		return nil, err
	}
	return acc.Result()
}

func (o *windowOp) addRows(c *windowCall, acc expr.Accumulator, from, to int) error {
	for i := from; i < to; i++ {
		if err := o.x.tick(); err != nil {
			return err
		}
		row, err := o.rows.row(i)
		if err != nil {
			return err
		}
		ok, err := o.x.test(c.call.Filter, row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		for a, e := range c.call.Args {
			if c.args[a], err = o.x.eval(e, row); err != nil {
				return err
			}
		}
		if err := acc.Add(c.args); err != nil {
			return err
		}
	}
	return nil
}

// Peers is the half-open range of rows equal to i in ORDER BY.
func (o *windowOp) Peers(i int) (int, int) { return o.peerRange(int(o.peerOf[i])) }

func (o *windowOp) peerRange(g int) (int, int) {
	end := len(o.peerOf)
	if g+1 < len(o.peerStart) {
		end = int(o.peerStart[g+1])
	}
	return int(o.peerStart[g]), end
}

func (o *windowOp) close() error {
	o.rows.free()
	return o.child.close()
}

// windowView is a partition as one window function sees it.
type windowView struct {
	*windowOp
	c *windowCall
}

// Len is the number of rows of the partition.
func (v windowView) Len() int { return v.rows.len() }

// Arg computes argument n for row i.
func (v windowView) Arg(i, n int) (types.Datum, error) {
	row, err := v.rows.row(i)
	if err != nil {
		return nil, err
	}
	return v.x.eval(v.c.call.Args[n], row)
}
