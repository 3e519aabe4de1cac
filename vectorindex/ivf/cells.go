package ivf

import (
	"context"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// HeadBytes is how long the part of a file that Open reads is, if the number of
// cells follows from the number of rows: whoever fetches it from afar can do so at
// once. A wrong guess costs a second read.
func HeadBytes(o Options, rows int) int64 {
	h := header{cells: o.listsFor(rows)}
	return headerBytes + bodyBytes(&h, &o)
}

// EachCell calls fn for the row ids of each cell of the file, near cells one after
// the other; those appended or removed since are not looked at. The ids are good
// until fn returns.
func (x *Index) EachCell(ctx context.Context, fn func(number int, ids []types.RowID) error) error {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return ErrClosed
	}
	f := x.file
	f.refs++
	x.mu.Unlock()
	defer func() { _ = x.unpin(f) }() // nothing was written
	for _, n := range f.cells.chain() {
		c, err := f.read(ctx, n)
		if err == nil {
			err = fn(n, c.ids)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxChain bounds the centroids that are compared with each other: 8192 of 512
// elements take about two seconds.
const maxChain = 8192

// chain orders the cells so that each is followed by the nearest one that is left,
// which keeps neighbours together in what is written in this order.
func (c *centroids) chain() []int {
	left := make([]int, c.len())
	for i := range left {
		left[i] = i
	}
	if len(left) > maxChain {
		return left
	}
	for at := 1; at < len(left); at++ {
		last, best, least := c.at(left[at-1]), at, float32(0)
		for i := at; i < len(left); i++ {
			if d := distance.L2Squared(last, c.at(left[i])); i == at || d < least {
				best, least = i, d
			}
		}
		left[at], left[best] = left[best], left[at]
	}
	return left
}
