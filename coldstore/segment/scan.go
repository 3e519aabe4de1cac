package segment

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// ScanOptions say what a scan reads.
type ScanOptions struct {
	// Columns are the attnums wanted; the others stay as they are in the rows.
	Columns []int16
	// Where excludes row groups; rows that come still have to be tested.
	Where []Predicate
	// Groups restricts the scan to these row groups, in this order; nil means all.
	Groups []int
	// Ahead is how many row groups are read before they are asked for; 4 by default.
	Ahead int
	// Table fills columns that were added after the segment was written; nil
	// leaves them NULL.
	Table *catalog.Table
}

// Scan reads rows in the order of their positions. It belongs to one goroutine.
type Scan struct {
	r       *Reader
	o       ScanOptions
	ctx     context.Context
	cancel  context.CancelFunc
	groups  []int
	ahead   []chan fetched // row groups under way, in order
	cur     *Group
	at      int
	missing types.Row // values of columns that the segment does not have
	err     error
}

type fetched struct {
	g   *Group
	err error
}

// Scan begins a scan. The caller closes it.
func (r *Reader) Scan(ctx context.Context, o ScanOptions) (*Scan, error) {
	if o.Ahead <= 0 {
		o.Ahead = 4
	}
	missing, err := r.missing(o.Table, o.Columns)
	if err != nil {
		return nil, err
	}
	s := &Scan{r: r, o: o, groups: o.Groups, missing: missing}
	if s.groups == nil {
		s.groups = r.Pruned(o.Where)
	} else if len(o.Where) > 0 {
		s.groups = r.prune(o.Groups, o.Where)
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s, nil
}

func (r *Reader) prune(groups []int, where []Predicate) []int {
	var out []int
	for _, i := range groups {
		if r.mayHold(&r.x.groups[i], where) {
			out = append(out, i)
		}
	}
	return out
}

// missing are the values, by attnum-1, of columns that are younger than the segment.
func (r *Reader) missing(table *catalog.Table, columns []int16) (types.Row, error) {
	if table == nil {
		return nil, nil
	}
	var row types.Row
	for _, num := range columns {
		c := &table.Columns[num-1]
		if c.Missing == nil || c.Dropped || r.columnAt(num) >= 0 {
			continue
		}
		if row == nil {
			row = make(types.Row, len(table.Columns))
		}
		d, err := types.Parse(c.Type, c.Typmod, *c.Missing, nil)
		if err != nil {
			return nil, err
		}
		row[num-1] = d
	}
	return row, nil
}

// Next fills dst (attnum-1) and returns the row's id; false at the end.
func (s *Scan) Next(dst types.Row) (types.RowID, bool, error) {
	for s.cur == nil || s.at == s.cur.Rows() {
		ok, err := s.nextGroup()
		if !ok || err != nil {
			return 0, false, err
		}
	}
	s.fill(dst)
	id := s.cur.IDs[s.at]
	s.at++
	return id, true, nil
}

func (s *Scan) fill(dst types.Row) {
	for _, num := range s.o.Columns {
		dst[num-1] = nil
		if s.missing != nil {
			dst[num-1] = s.missing[num-1]
		}
	}
	s.cur.Fill(dst, s.at)
}

// NextGroup returns a whole row group, for callers that work on columns; nil at
// the end. It does not mix with Next.
func (s *Scan) NextGroup() (*Group, error) {
	ok, err := s.nextGroup()
	if !ok || err != nil {
		return nil, err
	}
	return s.cur, nil
}

// Position is the position of the row that Next returned last.
func (s *Scan) Position() uint32 { return s.cur.First + uint32(s.at) - 1 }

func (s *Scan) nextGroup() (bool, error) {
	if s.err != nil {
		return false, s.err
	}
	s.start()
	if len(s.ahead) == 0 {
		return false, nil
	}
	f := <-s.ahead[0]
	s.ahead = s.ahead[1:]
	if f.err != nil {
		s.err = f.err
		if s.ctx.Err() != nil {
			s.err = canceled()
		}
		return false, s.err
	}
	s.cur, s.at = f.g, 0
	s.start()
	return true, nil
}

// start keeps as many row groups under way as Ahead says.
func (s *Scan) start() {
	for len(s.ahead) < s.o.Ahead && len(s.groups) > 0 {
		index, done := s.groups[0], make(chan fetched, 1)
		s.groups = s.groups[1:]
		s.ahead = append(s.ahead, done)
		go func() {
			g, err := s.r.ReadGroup(s.ctx, index, s.o.Columns)
			done <- fetched{g, err}
		}()
	}
}

// Close ends the reads under way and waits for them.
func (s *Scan) Close() error {
	s.cancel()
	for _, done := range s.ahead {
		<-done
	}
	s.ahead, s.groups, s.cur = nil, nil, nil
	return nil
}
