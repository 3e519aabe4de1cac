package executor

import (
	"context"
	"fmt"
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// declare is DECLARE CURSOR: a portal that FETCH reads.
func (s *session) declare(t *ast.Declare) error {
	if !s.tx.block && !t.Hold {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "DECLARE CURSOR can only be used in transaction blocks")
	}
	if _, ok := s.portals[t.Name]; ok {
		return pgerr.Newf(pgerr.DuplicateCursor, "cursor %q already exists", t.Name)
	}
	stmt, err := s.prepare(t.Query, "", nil)
	if err != nil {
		return err
	}
	p, err := s.bind(t.Name, stmt, nil)
	if err != nil {
		return err
	}
	p.hold, p.cursor = t.Hold, true
	s.portals[t.Name] = p
	if !t.Hold && !t.Scroll {
		return nil
	}
	return s.keep(p)
}

// keep reads all rows of a cursor aside: one WITH HOLD outlives its transaction,
// a scroll cursor is read backwards too.
func (s *session) keep(p *portal) error {
	if !p.started {
		if err := p.start(context.Background()); err != nil {
			return err
		}
	}
	if s.active == p {
		s.park(p.ctx)
	} else if _, kept := p.rows.(*keptRows); !kept && p.rows != nil {
		k, err := keepRows(p.ctx, p.rows, s.runEnv(false), p.columns)
		p.rows = k
		return err
	}
	if k, ok := p.rows.(*keptRows); ok {
		return k.err
	}
	return nil
}

func (s *session) cursor(name string) (*portal, error) {
	if p, ok := s.portals[name]; ok && name != "" {
		return p, nil
	}
	return nil, pgerr.Newf(pgerr.InvalidCursorName, "cursor %q does not exist", name)
}

func (s *session) closeCursor(t *ast.Close) (string, error) {
	if t.Name == "" {
		for name, p := range s.portals {
			if _, ok := p.prepared.tree.(*ast.Close); ok {
				continue // this statement itself
			}
			s.ClosePortal(name)
		}
		return "CLOSE CURSOR ALL", nil
	}
	if _, err := s.cursor(t.Name); err != nil {
		return "", err
	}
	s.ClosePortal(t.Name)
	return "CLOSE CURSOR", nil
}

// openFetch is FETCH.
func (s *session) openFetch(ctx context.Context, t *ast.Fetch) (rowSource, error) {
	c, err := s.cursor(t.Name)
	if err != nil {
		return nil, err
	}
	if t.Direction == "FORWARD" && t.Count >= 0 {
		return &fetchRows{cursor: c, left: t.Count}, nil
	}
	rows, err := s.scroll(ctx, c, t)
	if err != nil {
		return nil, err
	}
	return &fixedRows{rows: rows, name: fmt.Sprintf("FETCH %d", len(rows))}, nil
}

// move is MOVE.
func (s *session) move(ctx context.Context, t *ast.Fetch) (string, error) {
	rows, err := s.openFetch(ctx, t)
	if err != nil {
		return "", err
	}
	n := 0
	for {
		row, err := rows.next(ctx)
		if err != nil {
			return "", err
		}
		if row == nil {
			return fmt.Sprintf("MOVE %d", n), nil
		}
		n++
	}
}

// fetchRows reads the next rows of a cursor.
type fetchRows struct {
	cursor *portal
	left   int64
	n      int64
}

func (f *fetchRows) next(ctx context.Context) (types.Row, error) {
	if f.left == 0 {
		return nil, nil
	}
	c := f.cursor
	row, err := c.fetch(ctx)
	if row != nil {
		f.n++
		f.left--
	}
	return row, err
}

func (f *fetchRows) tag() string  { return fmt.Sprintf("FETCH %d", f.n) }
func (f *fetchRows) close() error { return nil }

// fetch is Next for a cursor: it runs inside the FETCH statement, whose cancel
// request ends it too.
func (p *portal) fetch(ctx context.Context) (types.Row, error) {
	row, err := p.Next(ctx)
	if row != nil {
		p.position++
	}
	return row, err
}

// scroll reads a cursor in any direction; only one DECLAREd with SCROLL can go back.
func (s *session) scroll(ctx context.Context, c *portal, t *ast.Fetch) ([]types.Row, error) {
	target := func() (first, last int64) { // 1-based positions, inclusive
		switch t.Direction {
		case "ABSOLUTE":
			return t.Count, t.Count
		case "RELATIVE":
			return c.position + t.Count, c.position + t.Count
		case "BACKWARD":
			if t.Count == math.MaxInt64 {
				return c.position - 1, 1
			}
			return c.position - 1, c.position - t.Count
		default: // FORWARD with a negative count
			return c.position - 1, c.position + t.Count
		}
	}
	if kept, ok := c.rows.(*keptRows); ok && t.Direction == "ABSOLUTE" && t.Count < 0 {
		fromEnd := *t // -1 is the last row
		fromEnd.Count = max(kept.total()+1+t.Count, 0)
		t = &fromEnd
	}
	first, last := target()
	if first > c.position && first == last {
		return s.skipTo(ctx, c, first)
	}
	k, ok := c.rows.(*keptRows)
	if !ok || c.prepared == nil {
		return nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cursor can only scan forward").
			WithHint("Declare it with SCROLL option to enable backward scan.")
	}
	var out []types.Row
	step := int64(1)
	if last < first {
		step = -1
	}
	for pos := first; ; pos += step {
		if pos < 1 {
			c.position = 0
			break
		}
		row, err := k.nth(pos)
		if err != nil {
			return nil, err
		}
		c.position = pos
		if row == nil {
			break
		}
		out = append(out, row)
		if pos == last {
			break
		}
	}
	k.at = c.position
	return out, nil
}

func (s *session) skipTo(ctx context.Context, c *portal, position int64) ([]types.Row, error) {
	for {
		row, err := c.fetch(ctx)
		if err != nil || row == nil {
			return nil, err
		}
		if c.position == position {
			return []types.Row{append(types.Row(nil), row...)}, nil
		}
	}
}

// total is how many rows there are.
func (k *keptRows) total() int64 { return int64(len(k.memory)) + k.inFile }

// nth reads the row at a 1-based position.
func (k *keptRows) nth(position int64) (types.Row, error) {
	if position <= int64(len(k.memory)) {
		return k.memory[position-1], nil
	}
	if position <= k.at || k.reader == nil {
		k.rewind()
		k.at = int64(len(k.memory))
	}
	for k.at < position {
		row, err := k.next(context.Background())
		if err != nil || row == nil {
			return nil, err
		}
		if k.at == position {
			return append(types.Row(nil), row...), nil
		}
	}
	return nil, nil
}
