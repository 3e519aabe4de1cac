package coldstore

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// wholeShare: when the wanted columns are a smaller part of a row group than one in
// wholeShare, they are read alone; else all of the group is, because the statement
// most likely comes back for another column of the same rows.
const wholeShare = 4

// group returns columns of a row group, decoded.
func (c *Collection) group(ctx context.Context, r *segment.Reader, index int, columns []int16) (*segment.Group, error) {
	key := groupKey{r.Key(), index}
	var old *segment.Group
	if v, ok := c.s.memo.peek(key); ok {
		old = v.(*segment.Group)
	}
	var wanted []int16
	for _, num := range columns {
		if r.HasColumn(num) && (old == nil || !old.Has(num)) {
			wanted = append(wanted, num)
		}
	}
	if old != nil && len(wanted) == 0 {
		return old, nil
	}
	slices.Sort(wanted)
	v, err := c.s.fetch.do(ctx, loadKey{key, columnsKey(wanted)}, func() (any, error) { return c.load(ctx, r, index, wanted) })
	if err != nil {
		c.s.suspect(r.Key(), err)
		return nil, err
	}
	g := v.(*segment.Group)
	if old != nil {
		g = old.With(g)
	}
	if !isPassing(ctx) {
		c.s.memo.put(key, g, g.Bytes())
	}
	return g, nil
}

type loadKey struct {
	group   groupKey
	columns string
}

func columnsKey(columns []int16) string {
	b := make([]byte, 0, 2*len(columns))
	for _, n := range columns {
		b = append(b, byte(n), byte(n>>8))
	}
	return string(b)
}

func (c *Collection) load(ctx context.Context, r *segment.Reader, index int, columns []int16) (*segment.Group, error) {
	offset, length := r.GroupSpan(index)
	o := object{c.s, r.Key(), r.Bytes()}
	if r.ColumnsBytes(index, columns)*wholeShare < length && !o.cached(offset, length) {
		return r.ReadGroup(ctx, index, columns)
	}
	span, err := o.read(ctx, offset, length)
	if err != nil {
		return nil, err
	}
	return r.DecodeGroup(index, columns, span)
}

// wantedRow is a row of a request.
type wantedRow struct {
	id  types.RowID
	row uint32 // in its group
}

// groupWork is what is wanted of one row group.
type groupWork struct {
	reader *segment.Reader
	index  int
	rows   []wantedRow
}

// plan finds out which row groups hold the ids.
func (c *Collection) plan(ctx context.Context, ids []types.RowID) ([]groupWork, error) {
	readers, err := c.openAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	byGroup := map[place]int{}
	var work []groupWork
	for _, id := range ids {
		p, ok := locate(readers, id)
		if !ok {
			continue
		}
		r := readers[p.segment]
		g := r.GroupOf(p.position)
		first, _ := r.GroupRows(g)
		at, known := byGroup[place{p.segment, uint32(g)}]
		if !known {
			at = len(work)
			byGroup[place{p.segment, uint32(g)}] = at
			work = append(work, groupWork{reader: r, index: g})
		}
		work[at].rows = append(work[at].rows, wantedRow{id, p.position - first})
	}
	return work, nil
}

// check compares a row of a decoded group with what the index part says.
func (w *groupWork) check(g *segment.Group, r wantedRow) error {
	if int(r.row) >= g.Rows() || g.IDs[r.row] != r.id {
		return damaged(w.reader.Key(), "Row %d is not where the index part says.", r.id)
	}
	return nil
}

// eachGroup reads the row groups of ids in parallel and calls fn for one after the
// other, in no order.
func (c *Collection) eachGroup(ctx context.Context, ids []types.RowID, columns []int16, fn func(w *groupWork, g *segment.Group) error) error {
	work, err := c.plan(ctx, ids)
	if err != nil || len(work) == 0 {
		return err
	}
	if len(work) == 1 {
		g, err := c.group(ctx, work[0].reader, work[0].index, columns)
		if err != nil {
			return err
		}
		return fn(&work[0], g)
	}
	type ready struct {
		w *groupWork
		g *segment.Group
	}
	done := make(chan ready, c.s.o.Parallel)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.s.o.Parallel + 1)
	group.Go(func() error {
		for range work {
			select {
			case r := <-done:
				if err := fn(r.w, r.g); err != nil {
					return err
				}
			case <-ctx.Done():
				return canceled()
			}
		}
		return nil
	})
	for i := range work {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			g, err := c.group(ctx, work[i].reader, work[i].index, columns)
			if err != nil {
				return err
			}
			select {
			case done <- ready{&work[i], g}:
			case <-ctx.Done():
			}
			return nil
		})
	}
	return group.Wait()
}

// Rows calls fn for those of the rows that a segment has, in no order; a row is good
// until fn returns, its values for ever.
func (c *Collection) Rows(ctx context.Context, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
	columns = c.live(columns)
	row := make(types.Row, len(c.table.Columns))
	return c.eachGroup(ctx, ids, columns, func(w *groupWork, g *segment.Group) error {
		missing, err := c.missing(w.reader, columns)
		if err != nil {
			return err
		}
		for _, r := range w.rows {
			if err := w.check(g, r); err != nil {
				return err
			}
			clear(row)
			copy(row, missing)
			for _, num := range columns {
				if g.Has(num) {
					row[num-1] = g.Value(num, int(r.row))
				}
			}
			if err := fn(r.id, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// Prefetch reads the row groups of ids ahead, so that Rows of them asks the store for
// nothing. Its errors are of no account: Rows will meet them.
func (c *Collection) Prefetch(ctx context.Context, columns []int16, ids []types.RowID) {
	_ = c.eachGroup(ctx, ids, columns, func(*groupWork, *segment.Group) error { return nil })
}

// Scan reads all rows, in no order.
func (c *Collection) Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	readers, err := c.openAll(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &rowScan{c: c, ctx: passing(ctx), readers: readers, columns: c.live(spec.Columns)}, nil
}

// rowScan reads segment after segment.
type rowScan struct {
	c       *Collection
	ctx     context.Context
	readers []*segment.Reader
	columns []int16
	next    int // segment
	scan    *segment.Scan
	ids     []types.RowID // instead of a scan, when no column is wanted
	missing types.Row
	sealed  bool // a later generation may hide rows
}

// scanAhead is how many row groups are read before they are asked for: at 1 MiB each
// they fill a connection of 1 Gbit/s with 50 ms between question and answer.
const scanAhead = 8

// Next fills dst, which has one place per column of the table.
func (s *rowScan) Next(dst types.Row) (types.RowID, bool, error) {
	for {
		if s.scan == nil && len(s.ids) == 0 {
			if s.next == len(s.readers) {
				return 0, false, nil
			}
			if err := s.enter(); err != nil {
				return 0, false, err
			}
			continue
		}
		id, ok, err := s.row(dst)
		if err != nil {
			s.c.s.suspect(s.readers[s.next-1].Key(), err)
			return 0, false, err
		}
		if !ok {
			err := s.Close()
			if err != nil {
				return 0, false, err
			}
			continue
		}
		if !s.sealed || !s.c.hidden(s.readers, s.next-1, id) {
			return id, true, nil
		}
	}
}

func (s *rowScan) row(dst types.Row) (types.RowID, bool, error) {
	if s.scan != nil {
		return s.scan.Next(dst)
	}
	if len(s.ids)%4096 == 0 && s.ctx.Err() != nil {
		return 0, false, canceled()
	}
	id := s.ids[0]
	s.ids = s.ids[1:]
	copy(dst, s.missing)
	return id, true, nil
}

// enter begins the next segment.
func (s *rowScan) enter() (err error) {
	i := s.next
	r := s.readers[i]
	s.next++
	s.sealed = s.c.endOf(i) < len(s.readers)
	var there []int16
	for _, num := range s.columns {
		if r.HasColumn(num) {
			there = append(there, num)
		}
	}
	if len(there) == 0 {
		s.ids = r.RowIDs()
		s.missing, err = s.c.missing(r, s.columns)
		return err
	}
	s.scan, err = r.Scan(s.ctx, segment.ScanOptions{Columns: s.columns, Ahead: scanAhead, Table: s.c.table})
	return err
}

// Close ends the scan.
func (s *rowScan) Close() error {
	s.ids = nil
	if s.scan == nil {
		return nil
	}
	err := s.scan.Close()
	s.scan = nil
	return err
}
