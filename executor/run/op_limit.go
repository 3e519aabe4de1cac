package run

import (
	"bytes"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// limitOp is LIMIT, OFFSET and FETCH FIRST … WITH TIES.
type limitOp struct {
	base
	node    *plan.Limit
	child   operator
	left    int64 // rows still to give; below 0 is no limit
	skip    int64
	ended   bool
	keys    keyer
	key     []byte
	lastKey []byte
}

func (o *limitOp) open() error {
	count, limited, err := o.x.evalInt(o.node.Count)
	if err != nil {
		return err
	}
	if limited && count < 0 {
		return pgerr.New(pgerr.InvalidRowCountInLimit, "LIMIT must not be negative")
	}
	skip, _, err := o.x.evalInt(o.node.Offset)
	if err != nil {
		return err
	}
	if skip < 0 {
		return pgerr.New(pgerr.InvalidRowCountInOffset, "OFFSET must not be negative")
	}
	o.left, o.skip = count, skip
	if !limited {
		o.left = -1
	}
	if o.node.WithTies && o.keys.x == nil {
		o.keys = o.x.sortKeysOf(o.node.Keys)
	}
	o.ended = o.left == 0
	if o.ended {
		return nil
	}
	return o.child.open()
}

func (o *limitOp) next() (types.Row, error) {
	for ; o.skip > 0 && !o.ended; o.skip-- {
		row, err := o.child.next()
		if err != nil {
			return nil, err
		}
		o.ended = row == nil
	}
	if o.ended {
		return nil, nil
	}
	if o.left == 0 {
		return o.tie()
	}
	row, err := o.child.next()
	if err != nil || row == nil {
		o.ended = true
		return nil, err
	}
	if o.left > 0 {
		o.left--
		if o.left == 0 {
			return row, o.note(row)
		}
	}
	return row, nil
}

// note remembers the last row's keys.
func (o *limitOp) note(row types.Row) (err error) {
	if !o.node.WithTies {
		o.ended = true
		return nil
	}
	o.lastKey, _, err = o.keys.append(o.lastKey[:0], row)
	return err
}

// tie gives further rows equal to the last.
func (o *limitOp) tie() (types.Row, error) {
	row, err := o.child.next()
	if err != nil || row == nil {
		o.ended = true
		return nil, err
	}
	if o.key, _, err = o.keys.append(o.key[:0], row); err != nil {
		return nil, err
	}
	if !bytes.Equal(o.key, o.lastKey) {
		o.ended = true
		return nil, nil
	}
	return row, nil
}

func (o *limitOp) close() error { return o.child.close() }
