package segment

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"golang.org/x/sync/errgroup"
)

// Get reads rows by id: the wanted columns of the row groups that hold them, each
// group once, in parallel. The answer has one place per id, nil where the segment
// does not have the row; rows have one place per attnum up to the greatest one of
// the segment or the table.
func (r *Reader) Get(ctx context.Context, ids []types.RowID, columns []int16, table *catalog.Table) ([]types.Row, error) {
	missing, err := r.missing(table, columns)
	if err != nil {
		return nil, err
	}
	out := make([]types.Row, len(ids))
	wanted := map[int][]int{} // row group to places in ids
	for i, id := range ids {
		if at, ok := r.Position(id); ok {
			g := r.GroupOf(at)
			wanted[g] = append(wanted[g], i)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.slots))
	for index, places := range wanted {
		group.Go(func() error {
			g, err := r.ReadGroup(ctx, index, columns)
			if err != nil {
				return err
			}
			return r.pick(g, ids, places, missing, out, r.width(table))
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Reader) pick(g *Group, ids []types.RowID, places []int, missing types.Row, out []types.Row, width int) error {
	for _, place := range places {
		at, _ := r.Position(ids[place])
		i := int(at - g.First)
		if i >= g.Rows() || g.IDs[i] != ids[place] {
			return damaged(r.key, "Row %d is not where the index part says.", ids[place])
		}
		row := make(types.Row, width)
		copy(row, missing)
		g.Fill(row, i)
		out[place] = row
	}
	return nil
}

// width is the number of places of a row.
func (r *Reader) width(table *catalog.Table) int {
	n := 0
	if table != nil {
		n = len(table.Columns)
	}
	for i := range r.x.columns {
		n = max(n, int(r.x.columns[i].Num))
	}
	return n
}
