package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// indexScanOp reads a table through a btree index.
type indexScanOp struct {
	base
	node   *plan.IndexScan
	width  int
	withID bool
	iter   storage.RowIter
	out    types.Row
	ranges []storage.KeyRange
	// seen holds the ids given so far when ranges may overlap.
	seen map[types.RowID]struct{}
}

func newIndexScan(b base, n *plan.IndexScan) *indexScanOp {
	o := &indexScanOp{base: b, node: n, width: len(n.Table.Columns)}
	o.withID = rowWidth(n) > o.width
	o.out = make(types.Row, o.width, o.width+1)
	if o.withID {
		o.out = o.out[:o.width+1]
	}
	return o
}

func (o *indexScanOp) open() error { return o.start(false) }

// openIDs reads no rows when there is nothing to filter.
func (o *indexScanOp) openIDs() error { return o.start(o.node.Filter == nil) }

func (o *indexScanOp) start(idsOnly bool) error {
	if err := o.close(); err != nil {
		return err
	}
	r := rangeMaker{x: o.x, index: o.node.Index, reverse: o.node.Reverse}
	ranges, distinct, err := r.make(o.ranges[:0], o.node.Ranges)
	if err != nil {
		return err
	}
	o.ranges, o.seen = ranges, nil
	if len(ranges) == 0 {
		return nil
	}
	if !distinct {
		o.seen = make(map[types.RowID]struct{})
	}
	o.iter, err = o.x.env.Rows.ScanIndex(o.x.live, storage.IndexScanSpec{
		Table: o.node.Table, Index: o.node.Index, Columns: o.node.Cols,
		Ranges: ranges, Reverse: o.node.Reverse, IDsOnly: idsOnly,
	})
	return err
}

func (o *indexScanOp) next() (types.Row, error) {
	id, ok, err := o.advance()
	if err != nil || !ok {
		return nil, err
	}
	if o.withID {
		o.out[o.width] = int64(id)
	}
	return o.out, nil
}

func (o *indexScanOp) nextID() (types.RowID, bool, error) { return o.advance() }

func (o *indexScanOp) advance() (types.RowID, bool, error) {
	if o.iter == nil {
		return 0, false, nil
	}
	for {
		id, ok, err := o.iter.Next(o.out[:o.width])
		if err != nil || !ok {
			return 0, false, err
		}
		if err := o.x.tick(); err != nil {
			return 0, false, err
		}
		if o.seen != nil {
			if _, dup := o.seen[id]; dup {
				continue
			}
			o.seen[id] = struct{}{}
		}
		if o.node.Filter == nil {
			return id, true, nil
		}
		if ok, err = o.x.test(o.node.Filter, o.out); err != nil {
			return 0, false, err
		}
		if ok {
			return id, true, nil
		}
		o.stats.Removed++
	}
}

func (o *indexScanOp) close() error {
	if o.iter == nil {
		return nil
	}
	iter := o.iter
	o.iter = nil
	return iter.Close()
}
