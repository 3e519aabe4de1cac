package tiering

import (
	"context"
	"sync"
	"time"

	"github.com/akidb/akidb/internal/catalog"
)

// The sweeper removes from the object store what a crash, a drop or a move has left
// there. It goes through all collections, so that it runs beside the cycles.

// sweeper knows when the object store was swept.
type sweeper struct {
	mu sync.Mutex // held while it sweeps; guards last
	// last is zero before the first time: a crash may have left something.
	last time.Time
}

// sweepDue sweeps the object store if it is time, and waits for a sweep under way.
func (m *Manager) sweepDue(ctx context.Context) error {
	if m.opts.Cold == nil {
		return nil
	}
	s := &m.sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.tiers.opts.Clock.Now()
	if !s.last.IsZero() && now.Sub(s.last) < m.opts.SweepEvery {
		return nil
	}
	n, err := m.opts.Cold.SweepAll(ctx, m.namedInCold())
	if err == nil {
		s.last = now
	}
	if n > 0 {
		m.opts.Logger.Info("objects that nothing names were removed from the cold store", "objects", n)
	}
	return err
}

// namedInCold are the collections that have a name in the object store, with what the
// catalog has of each. A move gives its collection a name before it writes.
func (m *Manager) namedInCold() map[string][]*catalog.Cold {
	out := map[string][]*catalog.Cold{}
	for _, o := range m.store.Catalog().Objects(catalog.KindTable) {
		if t := o.(*catalog.Table); t.Collection != "" {
			out[t.Collection] = append(out[t.Collection], t.Cold)
		}
	}
	return out
}

// forgetDropped removes what dropped tables have in the object store, but for their
// snapshots; what it does not reach, the sweeper does.
func (m *Manager) forgetDropped(tables []*catalog.Table) {
	if m.opts.Cold == nil {
		return
	}
	for _, t := range tables {
		if m.store.Catalog().Table(t.ID) != nil {
			continue
		}
		m.freeing.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), forgetPatience)
			defer cancel()
			if err := m.opts.Cold.Forget(ctx, t.Collection); err != nil {
				m.opts.Logger.Warn("a dropped collection is still in the cold store; the sweeper tries again", "collection", t.Name, "error", err)
			}
		})
	}
}

// forgetPatience bounds how long a stop of the server waits for it.
const forgetPatience = 10 * time.Second
