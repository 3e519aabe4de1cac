package tiering

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/crashpoint"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// moversDefault is how many moves do their work at once: they read and write whole
// collections, and searches need the processors too.
const moversDefault = 2

// moving is what a collection has while it moves, or waits to be cleaned up.
type moving struct {
	rest chan struct{} // closed when the collection rests
	job  job           // of the running step alone
	// guarded by collection.op:
	cancel  context.CancelFunc // of the running step, nil when none runs
	failure error              // of the step that failed last
	began   time.Time          // of the leg
	// shown is how far the step is.
	shown progressCell
}

// have are the tiers that collections can be moved to.
func (m *Manager) have() state.Tiers {
	return state.Tiers{types.TierHot: true, types.TierWarm: true, types.TierCold: m.opts.Cold != nil}
}

// stateOf is a collection's state: the tier stands in the table's descriptor, the
// move in what is kept beside it. Both are written by the commit of a switch.
func stateOf(table *catalog.Table, c *collection) state.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return state.State{Tier: table.Tier, Pinned: table.Pinned, Off: isOff(table), Move: c.recent.Move}
}

// apply gives an event to a collection's state machine and does what it says. When
// the collection must rest first, the channel is closed once it does.
func (m *Manager) apply(id types.OID, e state.Event) (<-chan struct{}, error) {
	c := m.tiers.find(id)
	c.op.Lock()
	defer c.op.Unlock()
	return m.applyLocked(id, c, e)
}

// applyLocked is apply; c.op is held.
func (m *Manager) applyLocked(id types.OID, c *collection, e state.Event) (<-chan struct{}, error) {
	table := m.store.Catalog().Table(id)
	if table == nil {
		if e.Kind != state.Dropped && e.Kind != state.Done && e.Kind != state.Failed {
			return nil, nil
		}
		table = &catalog.Table{ID: id}
	}
	before := stateOf(table, c)
	next, actions, err := state.Apply(before, e, m.have())
	if err != nil {
		return nil, nameCollection(err, table)
	}
	c.setMove(next.Move)
	if next.Move != nil && c.moving == nil {
		c.moving = &moving{rest: make(chan struct{}), began: time.Now()}
		m.plans.moving.Add(1)
	}
	for _, a := range actions {
		switch a.Verb {
		case state.Save:
			if err := m.saveState(id, c); err != nil {
				if e.Kind != state.Done && e.Kind != state.Failed {
					c.setMove(before.Move)
					m.wakeAll(c)
					return nil, err
				}
				// A start would find an older step, and repeat what is done.
				m.opts.Logger.Error("state of a move not kept", "collection", table.Name, "error", err)
				c.MarkDirty()
			}
			crashpoint.Here("tiering.after-save")
		case state.Start:
			m.begin(id, c, a.Step)
		case state.Halt:
			if c.moving != nil && c.moving.cancel != nil {
				c.moving.cancel()
			}
		case state.Report:
			m.noteFailure(table, c)
		case state.Wake:
			m.wakeAll(c)
		case state.Await:
			return c.moving.rest, nil
		}
	}
	return nil, nil
}

// nameCollection says which collection an error is about.
func nameCollection(err error, table *catalog.Table) error {
	e := pgerr.As(err)
	const word = "collection "
	if e == nil || len(e.Message) < len(word) || e.Message[:len(word)] != word {
		return err
	}
	named := *e
	named.Message = fmt.Sprintf("collection \"%s\" ", table.Name) + e.Message[len(word):]
	return &named
}

func (c *collection) setMove(mv *state.Move) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.Move = mv
}

func (c *collection) move() *state.Move {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Move
}

// wakeAll ends the move for those who wait. c.op is held.
func (m *Manager) wakeAll(c *collection) {
	if c.moving != nil && c.move() == nil {
		close(c.moving.rest)
		c.moving = nil
		m.plans.moving.Add(-1)
	}
}

// noteFailure keeps the error of a step for the view, and tells it. c.op is held.
func (m *Manager) noteFailure(table *catalog.Table, c *collection) {
	if c.moving == nil || c.moving.failure == nil {
		return
	}
	err := c.moving.failure
	c.mu.Lock()
	c.recent.Error = shortError(err)
	mv := c.recent.Move
	c.mu.Unlock()
	m.opts.Logger.Error("collection not moved", "collection", table.Name, "error", err)
	if m.tiers.opts.Moved != nil && mv != nil {
		m.tiers.opts.Moved(Moved{From: mv.From, To: mv.To, Took: time.Since(c.moving.began), Err: err})
	}
}

// shortError is an error as a view shows it.
func shortError(err error) string {
	if e := pgerr.As(err); e != nil {
		return e.Message
	}
	return err.Error()
}

// encode is what is kept of a collection.
func (c *collection) encode() ([]byte, error) {
	counts, _ := c.Saved()
	c.mu.Lock()
	r := c.recent
	c.mu.Unlock()
	r.Last, r.Window, r.Count = counts.Last, counts.Window, counts.Count
	return json.Marshal(r)
}

func (m *Manager) saveState(id types.OID, c *collection) error {
	value, err := c.encode()
	if err != nil {
		return err
	}
	return m.store.PutTierStates(map[types.OID][]byte{id: value})
}

// begin starts a step in a goroutine of its own, which waits for its turn. c.op is held.
func (m *Manager) begin(id types.OID, c *collection, step state.Step) {
	ctx, cancel := context.WithCancel(m.working)
	mv, work, sealing := c.move(), c.moving, c.sealing
	work.cancel = cancel
	if step == state.Write {
		work.began = time.Now()
	}
	m.moving.Go(func() {
		defer cancel()
		if sealing != nil {
			<-sealing
		}
		m.runStep(ctx, id, c, work, *mv, step)
	})
}

// runStep does a step and tells the state machine how it ended. A switch has told it
// already, since nothing may come between its commit and that.
func (m *Manager) runStep(ctx context.Context, id types.OID, c *collection, work *moving, mv state.Move, step state.Step) {
	told, err := false, m.await(ctx)
	if err == nil {
		told, err = m.doStep(ctx, id, c, work, mv, step)
		<-m.turns
	}
	if err != nil && m.working.Err() != nil {
		work.job.discard() // the server stops: the next start finds the move as it was kept
		return
	}
	if told {
		return
	}
	c.op.Lock()
	work.cancel = nil
	e := state.Event{Kind: state.Done, Step: step}
	if err != nil {
		e.Kind = state.Failed
		work.failure = err
		work.job.discard()
	}
	_, _ = m.applyLocked(id, c, e) // Done and Failed are never refused
	rests := c.moving == nil
	c.op.Unlock()
	if rests {
		m.feed()
	}
}

// await waits for a turn.
func (m *Manager) await(ctx context.Context) error {
	select {
	case m.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errPanicked = errors.New("a move has ended with a panic, see the log")

// doStep does one step. told says that the state machine has heard of its end.
func (m *Manager) doStep(ctx context.Context, id types.OID, c *collection, work *moving, mv state.Move, step state.Step) (told bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.opts.Logger.Error("panic in a move", "error", fmt.Sprint(p))
			err = errPanicked
		}
	}()
	l := legs[way{mv.From, mv.To}]
	table := m.store.Catalog().Table(id)
	if table == nil && step < state.Free {
		return false, errGone
	}
	name := l.name + "-" + step.String()
	crashpoint.Here("tiering." + name)
	switch step {
	case state.Write:
		work.job.discard()
		work.job = job{m: m, table: table, collection: c, shown: &work.shown}
		err = l.write(ctx, &work.job)
	case state.Verify:
		err = work.job.verify(ctx)
	case state.Switch:
		told, err = true, m.switchTier(ctx, id, c, work, l, mv)
		if err != nil {
			told = false
		}
	case state.Free:
		if err = work.job.free(); err == nil && table != nil {
			err = l.free(m, table)
		}
		if err == nil && m.tiers.opts.Moved != nil {
			m.tiers.opts.Moved(Moved{From: mv.From, To: mv.To, Took: time.Since(work.began)})
		}
	case state.Undo:
		work.job.discard()
		if table != nil {
			err = l.undo(m, table)
		}
	}
	if err == nil {
		crashpoint.Here("tiering." + name + "-done")
	}
	return told, err
}

var errGone = errors.New("the collection was dropped")

// Moved tells of a leg of a move that has ended.
type Moved struct {
	From, To types.Tier
	Took     time.Duration
	Err      error
}
