package run

import "github.com/akidb/akidb/internal/types"

// delete removes the row that a child's row stands for.
func (o *modifyOp) delete(input types.Row) error {
	id, ok, err := o.lockTarget(input)
	if err != nil || !ok {
		return err
	}
	old := copyRow(o.childRow[:o.width])
	if err := o.x.env.Rows.Delete(o.x.live, o.table, id, old); err != nil {
		return err
	}
	o.markDone(input, id)
	o.x.foreign.Gone(o.referring, old, nil)
	return o.finishRow(old, o.childRow)
}
