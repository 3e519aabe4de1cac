package tiering

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// tierWork runs a cycle at every interval until ctx ends.
func (m *Manager) tierWork(ctx context.Context) {
	t := m.tiers
	for {
		tick, stop := t.opts.Clock.After(t.rules().Interval)
		select {
		case <-ctx.Done():
			stop()
			return
		case <-t.changed:
			stop() // the interval may be another
		case <-tick:
			if err := m.runCycle(ctx); err != nil && ctx.Err() == nil {
				m.opts.Logger.Error("tiering cycle failed", "error", err)
			}
			m.moving.Go(func() {
				if err := m.sweepDue(ctx); err != nil && ctx.Err() == nil {
					m.opts.Logger.Error("sweeping the cold store failed", "error", err)
				}
			})
		}
	}
}

// RunTieringCycle runs a cycle by hand, and the sweeper if its time has come.
func (m *Manager) RunTieringCycle(ctx context.Context) error {
	return errors.Join(m.runCycle(ctx), m.sweepDue(ctx))
}

// runCycle keeps the accesses that were counted, forgets the collections that are
// gone, and does what the policy wants and the server can. A second cycle waits for
// the first.
func (m *Manager) runCycle(ctx context.Context) error {
	t := m.tiers
	t.cycleMu.Lock()
	defer t.cycleMu.Unlock()
	start := time.Now()
	err := errors.Join(ctx.Err(), m.cycle())
	if t.opts.Cycled != nil {
		n := 0
		if err != nil {
			n = 1
		}
		t.opts.Cycled(time.Since(start), n)
	}
	return err
}

// cycle tries again to clean up after moves, and begins the moves that the policy wants.
func (m *Manager) cycle() error {
	cat := m.store.Catalog()
	var errs []error
	m.tiers.table.Each(func(id types.OID, c *collection) {
		if cat.Table(id) == nil {
			m.tiers.table.Drop(id)
		} else if mv := c.move(); mv != nil {
			errs = append(errs, m.tidy(id, c))
		}
	})
	for _, o := range cat.Objects(catalog.KindTable) {
		m.tiers.find(o.ObjectID())
	}
	errs = append(errs, m.tiers.flush(m.store))
	if !m.tiers.rules().Disabled {
		now := m.tiers.opts.Clock.Now()
		m.plans.set(now, state.Decide(now, m.tiers.rules().Policy, m.collections(now), m.have(), nil))
		m.feed()
		for _, id := range m.resealDue() {
			m.moving.Go(func() { m.reportSeal(id, m.reseal(m.working, id)) })
		}
	}
	return errors.Join(errs...)
}

// reportSeal logs why the local rows of a cold collection were not sealed.
func (m *Manager) reportSeal(id types.OID, err error) {
	if err == nil || m.working.Err() != nil {
		return
	}
	if t := m.store.Catalog().Table(id); t != nil {
		m.opts.Logger.Error("local rows of a cold collection not sealed", "collection", t.Name, "error", err)
	}
}

// tidy has a move that could not be cleaned up try again.
func (m *Manager) tidy(id types.OID, c *collection) error {
	c.op.Lock()
	defer c.op.Unlock()
	if c.moving != nil && c.moving.cancel != nil {
		return nil // a step runs
	}
	_, err := m.applyLocked(id, c, state.Event{Kind: state.Cycle})
	return err
}

// PlanTiering is what the next cycle would do.
func (m *Manager) PlanTiering() []storage.PlannedMove {
	if m.tiers.rules().Disabled {
		return nil
	}
	now := m.tiers.opts.Clock.Now()
	var out []storage.PlannedMove
	for _, p := range state.Decide(now, m.tiers.rules().Policy, m.collections(now), m.have(), nil) {
		out = append(out, storage.PlannedMove{Table: p.ID, From: p.From, To: p.To, Reason: p.Reason()})
	}
	return out
}

// collections are all collections as the policy sees them.
func (m *Manager) collections(now time.Time) []state.Collection {
	tables := m.store.Catalog().Objects(catalog.KindTable)
	out := make([]state.Collection, 0, len(tables))
	for _, o := range tables {
		table := o.(*catalog.Table)
		if table.Temp != 0 || table.Partitioned != nil {
			continue // it ends with its session, or has no rows of its own
		}
		c := m.tiers.find(table.ID)
		s := state.Collection{
			ID: table.ID, Tier: table.Tier, Pinned: table.Pinned, Off: isOff(table),
			Counts: c.Read(now.UnixNano(), time.Duration(c.window.Load())), Override: override(table), RAM: m.hotBytes(table),
		}
		c.mu.Lock()
		s.Since, s.Moving = c.recent.Updated, c.recent.Move != nil
		c.mu.Unlock()
		if table.Tier == types.TierWarm && m.tiers.rules().Policy.MaxWarmDisk > 0 {
			s.Disk = m.store.Stats(table.ID).DiskBytes
		}
		out = append(out, s)
	}
	return out
}

// hotBytes is the memory that a collection's vector indexes take while it is hot: of a
// colder one an estimate, by its rows.
func (m *Manager) hotBytes(table *catalog.Table) int64 {
	if table.Tier == types.TierHot {
		return m.ramBytes(table.ID)
	}
	rows, n := m.store.Stats(table.ID).Rows, int64(0)
	for _, v := range m.vectorIndexes(table.ID) {
		if x := v.desc(); kindOf(x, types.TierHot) == graphKind {
			n += rows * graphBytes(x)
		}
	}
	return n
}

// graphBytes is about what a row takes in a graph: the vector, its code, 2m
// neighbours, and what belongs to a slot.
func graphBytes(x *catalog.Index) int64 {
	const slot = 64
	dims := int64(x.Keys[0].Typmod)
	vector := 5 * dims
	switch x.Keys[0].Type {
	case types.HalfVecOID:
		vector = 3 * dims
	case types.BitOID, types.VarbitOID:
		vector = dims / 8
	case types.SparseVecOID:
		vector = slot
	}
	return vector + 8*int64(optionInt(x, "m", 16)) + slot
}

// ramBytes is the memory of a collection's vector indexes.
func (m *Manager) ramBytes(table types.OID) int64 {
	n := int64(0)
	for _, v := range m.indexes.Load().of(table) {
		if b := v.present(); b != nil {
			n += b.Bytes()
		}
	}
	return n
}

// TierState tells of a collection's place.
func (m *Manager) TierState(table types.OID) storage.TierState {
	now := m.tiers.opts.Clock.Now()
	c := m.tiers.find(table)
	counts := c.Read(now.UnixNano(), time.Duration(c.window.Load()))
	out := storage.TierState{LastAccess: time.Unix(0, counts.Last), Accesses: counts.Count, RAMBytes: m.ramBytes(table)}
	if t := m.store.Catalog().Table(table); t != nil && t.Cold != nil && m.opts.Cold != nil {
		out.ObjectBytes = m.opts.Cold.Collection(t).Bytes()
	}
	c.mu.Lock()
	out.LastError = c.recent.Error
	mv := c.recent.Move
	c.mu.Unlock()
	if mv != nil {
		out.Transition = fmt.Sprintf("%s to %s: %s", mv.From, mv.To, mv.Step)
		c.op.Lock()
		if c.moving != nil {
			out.Progress = c.moving.shown.share()
		}
		c.op.Unlock()
	}
	return out
}
