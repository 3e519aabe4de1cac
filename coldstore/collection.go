package coldstore

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Collection reads what a cold collection has in the object store. It holds nothing
// but the descriptor: make one whenever it is needed. Safe for concurrent use.
type Collection struct {
	s     *Store
	table *catalog.Table
	cold  *catalog.Cold
	// generations are the ends of runs of segments that one seal wrote.
	generations []int
}

// Collection is the view of a table whose Cold is set.
func (s *Store) Collection(table *catalog.Table) *Collection {
	c := &Collection{s: s, table: table, cold: table.Cold}
	if c.cold == nil {
		c.cold = &catalog.Cold{}
	}
	for i := range c.cold.Segments {
		if i > 0 && generationOf(c.cold.Segments[i].Key) != generationOf(c.cold.Segments[i-1].Key) {
			c.generations = append(c.generations, i)
		}
	}
	c.generations = append(c.generations, len(c.cold.Segments))
	return c
}

// generationOf is the seal that wrote a segment: its key up to the last "-".
func generationOf(key string) string {
	if i := strings.LastIndexByte(key, '-'); i >= 0 {
		return key[:i]
	}
	return key
}

// segmentKey and groupKey are keys of the memo.
type (
	segmentKey string
	groupKey   struct {
		segment string
		index   int
	}
)

// open opens a segment, or finds it open.
func (c *Collection) open(ctx context.Context, i int) (*segment.Reader, error) {
	return c.s.openSegment(ctx, &c.cold.Segments[i])
}

func (s *Store) openSegment(ctx context.Context, seg *catalog.Segment) (*segment.Reader, error) {
	v, err := s.memo.get(ctx, segmentKey(seg.Key), func() (any, int64, error) {
		r, err := segment.Open(ctx, object{s, seg.Key, seg.Bytes}, seg.Key,
			segment.OpenOptions{TailBytes: seg.TailBytes, Bytes: seg.Bytes, Parallel: s.o.Parallel})
		if err != nil {
			return nil, 0, err
		}
		return r, r.MemoryBytes(), nil
	})
	if err != nil {
		s.suspect(seg.Key, err)
		return nil, err
	}
	return v.(*segment.Reader), nil
}

// openAll opens those segments that may hold one of the ids, all when ids is nil.
func (c *Collection) openAll(ctx context.Context, ids []types.RowID) ([]*segment.Reader, error) {
	out := make([]*segment.Reader, len(c.cold.Segments))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.s.o.Parallel)
	for i := range out {
		s := &c.cold.Segments[i]
		if ids != nil && !slices.ContainsFunc(ids, func(id types.RowID) bool { return id >= s.MinRowID && id <= s.MaxRowID }) {
			continue
		}
		group.Go(func() (err error) {
			out[i], err = c.open(ctx, i)
			return err
		})
	}
	return out, group.Wait()
}

// place is where a row lies.
type place struct {
	segment  int
	position uint32
}

// locate finds a row in opened segments; the last one that has it counts.
func locate(readers []*segment.Reader, id types.RowID) (place, bool) {
	for i := len(readers) - 1; i >= 0; i-- {
		if readers[i] == nil {
			continue
		}
		if at, ok := readers[i].Position(id); ok {
			return place{i, at}, true
		}
	}
	return place{}, false
}

// hidden says whether a later generation than that of segment i has the row.
func (c *Collection) hidden(readers []*segment.Reader, i int, id types.RowID) bool {
	for j := c.endOf(i); j < len(readers); j++ {
		if s := &c.cold.Segments[j]; readers[j] == nil || id < s.MinRowID || id > s.MaxRowID {
			continue
		}
		if _, ok := readers[j].Position(id); ok {
			return true
		}
	}
	return false
}

// endOf is where the generation of segment i ends.
func (c *Collection) endOf(i int) int {
	for _, end := range c.generations {
		if i < end {
			return end
		}
	}
	return len(c.cold.Segments)
}

// Segments is the number of segments; SegmentRows the number of rows in them, those
// that were deleted since included. Bytes is the length of all objects.
func (c *Collection) Segments() int { return len(c.cold.Segments) }

// SegmentRows is the number of rows in segments.
func (c *Collection) SegmentRows() (n uint64) {
	for i := range c.cold.Segments {
		n += c.cold.Segments[i].Rows
	}
	return n
}

// Bytes is the length of all objects in the store.
func (c *Collection) Bytes() (n int64) {
	for i := range c.cold.Segments {
		n += c.cold.Segments[i].Bytes
		for _, p := range c.cold.Segments[i].Parts {
			n += p.Bytes
		}
	}
	return n
}

// Holds says whether a segment has a row.
func (c *Collection) Holds(ctx context.Context, id types.RowID) (bool, error) {
	readers, err := c.openAll(ctx, []types.RowID{id})
	if err != nil {
		return false, err
	}
	_, ok := locate(readers, id)
	return ok, nil
}

// IDs calls fn for every row id, in no order.
func (c *Collection) IDs(ctx context.Context, fn func(types.RowID) error) error {
	readers, err := c.openAll(ctx, nil)
	if err != nil {
		return err
	}
	for i, r := range readers {
		for n, id := range r.RowIDs() {
			if n%4096 == 0 && ctx.Err() != nil {
				return canceled()
			}
			if c.hidden(readers, i, id) {
				continue
			}
			if err := fn(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// missing has the values of columns that were added to the table since a segment was
// written; nil when there are none.
func (c *Collection) missing(r *segment.Reader, columns []int16) (types.Row, error) {
	var row types.Row
	for _, num := range columns {
		col := &c.table.Columns[num-1]
		if col.Missing == nil || col.Dropped || r.HasColumn(num) {
			continue
		}
		if row == nil {
			row = make(types.Row, len(c.table.Columns))
		}
		d, err := types.Parse(col.Type, col.Typmod, *col.Missing, types.DefaultEnv())
		if err != nil {
			return nil, err
		}
		row[num-1] = d
	}
	return row, nil
}

// live are those of the columns that are not dropped.
func (c *Collection) live(columns []int16) []int16 {
	out := make([]int16, 0, len(columns))
	for _, num := range columns {
		if !c.table.Columns[num-1].Dropped {
			out = append(out, num)
		}
	}
	return out
}

// CollectionOf is the collection that an object's key belongs to.
func CollectionOf(key string) string { return manifest.CollectionOf(key) }
