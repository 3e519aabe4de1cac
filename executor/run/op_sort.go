package run

import (
	"bytes"

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

	// presorted makes keys of the first plan.Sort.Presorted keys; count are the
	// rows read, and lastPrefix is the key of the last row wanted.
	presorted          keyer
	count              int
	prefix, lastPrefix []byte
}

func (o *sortOp) open() error {
	o.release()
	if o.keys.x == nil {
		o.keys = o.x.sortKeysOf(o.node.Keys)
		o.presorted = o.x.sortKeysOf(o.node.Keys[:o.node.Presorted])
	}
	n, limited, err := o.x.evalInt(o.node.Limit)
	if err != nil {
		return err
	}
	o.sorter, o.sorted, o.count = o.x.newSorter(), false, 0
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
		if o.node.Presorted > 0 {
			if past, err := o.isPast(row); err != nil {
				return err
			} else if past {
				break
			}
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

// isPast says whether a row of a presorted child comes after all that the limit
// can take: after the last tie of the last row wanted.
func (o *sortOp) isPast(row types.Row) (bool, error) {
	if o.sorter.want == 0 {
		return false, nil
	}
	var err error
	if o.prefix, _, err = o.presorted.append(o.prefix[:0], row); err != nil {
		return false, err
	}
	if o.count++; o.count == o.sorter.want {
		o.lastPrefix = append(o.lastPrefix[:0], o.prefix...)
	}
	return o.count > o.sorter.want && !bytes.Equal(o.prefix, o.lastPrefix), nil
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
