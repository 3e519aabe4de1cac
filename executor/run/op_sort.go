package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// sortOp sorts all rows; with a limit it keeps only that many.
type sortOp struct {
	base
	node   *plan.Sort
	child  operator
	keys   keyer
	key    []byte
	sorter *sorter
	sorted bool
	method string
}

func (o *sortOp) open() error {
	o.release()
	if o.keys.x == nil {
		o.keys = o.x.sortKeysOf(o.node.Keys)
	}
	n, limited, err := o.x.evalInt(o.node.Limit)
	if err != nil {
		return err
	}
	o.sorter, o.sorted = o.x.newSorter(), false
	if limited {
		if n <= 0 {
			o.sorted = true
			return nil
		}
		o.sorter.want = int(n)
	}
	return o.child.open()
}

func (x *Execution) newSorter() *sorter {
	return &sorter{dir: x.env.TempDir, limit: x.env.WorkMem}
}

func (o *sortOp) next() (types.Row, error) {
	if o.sorter == nil {
		return nil, nil
	}
	if !o.sorted {
		if err := o.fill(); err != nil {
			return nil, err
		}
		o.sorted = true
	}
	return o.sorter.next()
}

func (o *sortOp) fill() error {
	for {
		row, err := o.child.next()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if o.key, _, err = o.keys.append(o.key[:0], row); err != nil {
			return err
		}
		if err := o.sorter.add(o.key, row); err != nil {
			return err
		}
	}
	o.method = o.sorter.method()
	if err := o.sorter.finish(); err != nil {
		return err
	}
	o.method = o.sorter.method()
	return o.child.close()
}

func (o *sortOp) release() {
	if o.sorter != nil {
		o.sorter.free()
		o.sorter = nil
	}
}

func (o *sortOp) close() error {
	o.release()
	return o.child.close()
}

func (o *sortOp) report() [][2]string {
	if o.method == "" {
		return nil
	}
	return [][2]string{{"Sort Method", o.method}}
}
