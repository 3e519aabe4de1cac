package tiering

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// mostMoving is how many collections the policy has moving at once; the other moves
// of a cycle wait in plans, where they cost nothing.
const mostMoving = 8

// plans are the moves that the last cycle wants and nobody has begun.
type plans struct {
	moving atomic.Int32 // collections that move

	mu   sync.Mutex // guards what follows
	made int64      // when, in Unix nanoseconds
	list []state.Planned
}

func (p *plans) set(now time.Time, list []state.Planned) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made, p.list = now.UnixNano(), list
}

// next takes the next plan.
func (p *plans) next() (plan state.Planned, made int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) == 0 {
		return plan, 0, false
	}
	plan = p.list[0]
	p.list = p.list[1:]
	return plan, p.made, true
}

// feed begins planned moves while there is room.
func (m *Manager) feed() {
	for m.plans.moving.Load() < mostMoving && m.working.Err() == nil {
		p, made, ok := m.plans.next()
		if !ok {
			return
		}
		if p.Blocked || p.To > p.From && m.tiers.find(p.ID).Read(made, 0).Last > made {
			continue // it was used since
		}
		if _, err := m.apply(p.ID, state.Event{Kind: state.Plan, Tier: p.To}); err != nil {
			m.opts.Logger.Error("planned move not begun", "collection", p.ID, "error", err)
			return // the disk is full, most likely: the next cycle tries again
		}
	}
}

// resume goes on with the moves that the last run of the server has left, or undoes them.
func (m *Manager) resume() {
	m.tiers.table.Each(func(id types.OID, c *collection) {
		if c.move() == nil {
			return
		}
		if _, err := m.apply(id, state.Event{Kind: state.Restart}); err != nil {
			m.opts.Logger.Error("move not resumed", "collection", id, "error", err)
		}
	})
}
