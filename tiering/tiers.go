package tiering

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// TieringOptions are the policy and its worker.
type TieringOptions struct {
	// Disabled stops the worker's moves: nothing moves by itself.
	Disabled bool
	// Policy has the parameters; the zero Policy takes the defaults.
	Policy state.Policy
	// Interval is the time between two cycles; 0 takes five minutes.
	Interval time.Duration
	// Clock is where time comes from; nil is the machine's.
	Clock state.Clock
	// Moved is told of every leg of a move that ended. It may be nil.
	Moved func(Moved)
	// Cycled is told of every cycle: its time and the errors of it. It may be nil.
	Cycled func(took time.Duration, errors int)
	// Tracked is told how long the counting of an access took, of one in some
	// hundreds. It may be nil.
	Tracked func(time.Duration)
}

// tiers is what is known of the collections' places beyond their descriptors.
type tiers struct {
	// opts are as at the start; of the policy, the interval and whether anything
	// moves, rules has what holds now.
	opts    TieringOptions
	current atomic.Pointer[TieringOptions]
	changed chan struct{} // tells the worker of new rules
	table   state.Table[collection]
	// cycleMu is held while a cycle runs, so that two never run at once.
	cycleMu sync.Mutex
}

// collection is a collection's part in tiering.
type collection struct {
	state.Counter
	// window is the length of the access window, in nanoseconds.
	window atomic.Int64

	// op is held while an event is applied and kept, and while a switch is committed.
	// It comes before mu, and after the table's lock.
	op     sync.Mutex
	moving *moving // guarded by op; nil while the collection rests
	// sealing is closed when local rows of the cold collection are sealed; guarded by op,
	// nil when they are not.
	sealing chan struct{}

	mu     sync.Mutex // guards recent
	recent record
}

// record is what is kept durably, as JSON; docs/formats/rowstore.md has it.
type record struct {
	Last    int64  `json:"last"`
	Window  int64  `json:"window"`
	Count   int64  `json:"count"`
	Created int64  `json:"created"`
	Updated int64  `json:"updated"`
	Error   string `json:"error,omitempty"`
	// Collection names it in the object store until the descriptor does.
	Collection string      `json:"collection,omitempty"`
	Move       *state.Move `json:"move,omitempty"`
}

// decodeRecord reads a record. A move that is none is an error.
func decodeRecord(value []byte) (record, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return record{}, err
	}
	if mv := r.Move; mv != nil && (legs[way{mv.From, mv.To}] == nil || mv.Goal > types.TierCold || mv.Step < state.Write || mv.Step > state.Undo) {
		return record{}, fmt.Errorf("there is no move from %d to %d at step %d", mv.From, mv.To, mv.Step)
	}
	return r, nil
}

func newTiers(o TieringOptions) *tiers {
	t := &tiers{changed: make(chan struct{}, 1)}
	t.opts = t.set(o)
	return t
}

// set makes rules of options; what they leave open gets its default.
func (t *tiers) set(o TieringOptions) TieringOptions {
	if o.Policy == (state.Policy{}) {
		o.Policy = state.DefaultPolicy()
	}
	if o.Interval == 0 {
		o.Interval = state.DefaultInterval
	}
	if o.Clock == nil {
		o.Clock = state.System{}
	}
	t.current.Store(&o)
	return o
}

// rules are the policy, the interval and whether anything moves, as they are now.
func (t *tiers) rules() *TieringOptions { return t.current.Load() }

// Configure takes over another policy, interval and whether anything moves by
// itself, from now on. The clock and who is told stay as they are.
func (m *Manager) Configure(o TieringOptions) {
	t := m.tiers
	t.set(o)
	cat := m.store.Catalog()
	t.table.Each(func(id types.OID, c *collection) {
		if table := cat.Table(id); table != nil {
			c.window.Store(int64(t.rules().Policy.With(override(table)).Window))
		}
	})
	select {
	case t.changed <- struct{}{}:
	default: // it is told already
	}
}

// find finds a collection's part or begins it now.
func (t *tiers) find(table types.OID) *collection {
	if c := t.table.Find(table); c != nil {
		return c
	}
	return t.table.Make(table, func() *collection {
		now := t.opts.Clock.Now().UnixNano()
		c := &collection{recent: record{Created: now, Updated: now}}
		c.window.Store(int64(t.rules().Policy.Window))
		c.Restore(state.Counts{Last: now, Window: now})
		c.MarkDirty()
		return c
	})
}

// sampleMask chooses the accesses whose counting is measured, by the clock's low bits.
const sampleMask = 0xff << 6

// touch counts an access.
func (t *tiers) touch(table types.OID) {
	now := t.opts.Clock.Now()
	ns := now.UnixNano()
	c := t.find(table)
	c.Touch(ns, time.Duration(c.window.Load()))
	if t.opts.Tracked != nil && ns&sampleMask == 0 {
		t.opts.Tracked(t.opts.Clock.Now().Sub(now))
	}
}

// changed takes over the descriptors of tables that a commit has written.
func (m *Manager) changed(tables []types.OID) {
	t, cat := m.tiers, m.store.Catalog()
	for _, id := range tables {
		table := cat.Table(id)
		if table == nil {
			if t.table.Find(id) != nil {
				_, _ = m.apply(id, state.Event{Kind: state.Dropped}) // never refused
				t.table.Drop(id)
			}
			continue
		}
		c := t.find(id)
		c.window.Store(int64(t.rules().Policy.With(override(table)).Window))
		c.mu.Lock()
		c.recent.Updated = t.opts.Clock.Now().UnixNano()
		mv := c.recent.Move
		c.mu.Unlock()
		c.MarkDirty()
		if mv != nil && mv.Down() && (table.Pinned || isOff(table)) {
			if _, err := m.apply(id, state.Event{Kind: state.Pin}); err != nil {
				m.opts.Logger.Error("a move of a pinned collection was not stopped", "collection", table.Name, "error", err)
			}
		}
	}
}

// load reads what was kept.
func (t *tiers) load(store *rowstore.Store, log *slog.Logger) error {
	cat := store.Catalog()
	return store.TierStates(func(id types.OID, value []byte) error {
		table := cat.Table(id)
		if table == nil {
			return nil
		}
		r, err := decodeRecord(value)
		if err != nil { // the tier stands in the descriptor: what is lost are counts and a move's step
			log.Error("tier state damaged, the collection begins with none", "collection", table.Name, "error", err)
			now := t.rules().Clock.Now().UnixNano()
			r = record{Last: now, Window: now, Created: now, Updated: now, Error: "its tier state was damaged: " + err.Error()}
		}
		if r.Move != nil && r.Move.Step < state.Free && r.Move.To == table.Tier {
			r.Move.Step = state.Free // kept before the switch, which has come
		}
		c := t.table.Make(id, func() *collection { return &collection{recent: r} })
		c.window.Store(int64(t.rules().Policy.With(override(table)).Window))
		c.Restore(state.Counts{Last: r.Last, Window: r.Window, Count: r.Count})
		return nil
	})
}

// flush keeps what has changed, in one commit.
func (t *tiers) flush(store *rowstore.Store) error {
	if store.ReadOnly() != nil {
		return nil // it is known, and the next cycle comes
	}
	states := map[types.OID][]byte{}
	var changed []*collection
	var err error
	t.table.Each(func(id types.OID, c *collection) {
		if err != nil || !c.IsDirty() || c.move() != nil {
			return // a move keeps its state itself
		}
		changed = append(changed, c)
		states[id], err = c.encode()
	})
	if err == nil && len(states) > 0 {
		err = store.PutTierStates(states)
	}
	if err != nil {
		for _, c := range changed {
			c.MarkDirty()
		}
	}
	return err
}
