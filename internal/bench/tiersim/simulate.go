package tiersim

import (
	"fmt"
	"time"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// Variant is a policy to try.
type Variant struct {
	Name   string
	Policy state.Policy
}

// DefaultVariants are the default policy and others that differ from it in one thing.
func DefaultVariants() []Variant {
	with := func(name string, change func(*state.Policy)) Variant {
		p := state.DefaultPolicy()
		change(&p)
		return Variant{name, p}
	}
	return []Variant{
		with("default", func(*state.Policy) {}),
		with("hot_tier_ttl 1 h", func(p *state.Policy) { p.HotTTL = time.Hour }),
		with("hot_tier_ttl 24 h", func(p *state.Policy) { p.HotTTL = 24 * time.Hour }),
		with("warm_tier_ttl 2 days", func(p *state.Policy) { p.WarmTTL = 48 * time.Hour }),
		with("threshold 3", func(p *state.Policy) { p.Threshold = 3 }),
		with("threshold 30", func(p *state.Policy) { p.Threshold = 30 }),
		with("threshold 100", func(p *state.Policy) { p.Threshold = 100 }),
		with("max_hot_memory 32 GB", func(p *state.Policy) { p.MaxHotMemory = 32e9 }),
		with("cold_access direct", func(p *state.Policy) { p.ColdAccess = state.ColdDirect }),
	}
}

// Sample is the state of things at the end of a step.
type Sample struct {
	Collections [3]int // by tier
	Usage       Usage
	Moving      int
}

// Flow counts what happens during a step.
type Flow struct {
	Accesses [3]int64    // by the tier that served them
	Moves    [3][3]int64 // switched, from and to
}

// Outcome is what came of one trace under one policy.
type Outcome struct {
	Trace   *Trace
	Variant Variant
	Model   Model
	Samples []Sample
	Flows   []Flow
}

// place is a collection while it is simulated.
type place struct {
	counter state.Counter
	state   state.State
	usage   [3]Usage
}

// move is one that runs.
type move struct {
	id   uint32
	left time.Duration
}

// mappedFor is how long after an access the system keeps the mapped codes of a
// warm collection in memory.
const mappedFor = time.Hour

// simulation is one run.
type simulation struct {
	trace  *Trace
	policy state.Policy
	model  Model
	clock  *state.Manual
	places []place
	// views are what the policy looks at: Counts are set anew in each cycle.
	views  []state.Collection
	plans  []state.Planned
	queue  []uint32 // moves that wait for a mover
	active []move
	hotRAM int64
	now    Sample
	flow   Flow
	err    error
}

// Run simulates. All collections begin hot and were accessed at the start.
func Run(t *Trace, v Variant, m Model) (*Outcome, error) {
	s := &simulation{trace: t, policy: v.Policy, model: m, clock: state.NewManual(t.Start)}
	s.places, s.views = make([]place, len(t.Rows)), make([]state.Collection, len(t.Rows))
	start := t.Start.UnixNano()
	for i := range s.places {
		p := &s.places[i]
		p.state.Tier, p.usage = types.TierHot, m.usage(t.Rows[i])
		p.counter.Restore(state.Counts{Last: start, Window: start})
		s.views[i] = state.Collection{ID: types.OID(i), Since: start, RAM: p.usage[types.TierHot].RAM, Disk: p.usage[types.TierWarm].Disk}
		s.now.Collections[types.TierHot]++
		s.move(p.usage[types.TierHot], types.TierHot, 1)
	}
	o := &Outcome{Trace: t, Variant: v, Model: m}
	for _, accesses := range t.Steps {
		s.flow = Flow{}
		s.access(accesses)
		s.clock.Advance(t.Step)
		s.work(t.Step)
		s.cycle()
		s.now.Moving = len(s.queue) + len(s.active)
		o.Samples, o.Flows = append(o.Samples, s.now), append(o.Flows, s.flow)
	}
	return o, s.err
}

// access counts the accesses of a step where the collections are.
func (s *simulation) access(ids []uint32) {
	begin := s.clock.Now().UnixNano()
	for i, id := range ids {
		at := begin + int64(s.trace.Step)/int64(len(ids))*int64(i)
		p := &s.places[id]
		p.counter.Touch(at, s.policy.Window)
		s.flow.Accesses[p.state.Tier]++
	}
}

// cycle is the worker's: it looks at all collections and begins what is planned.
func (s *simulation) cycle() {
	now := s.clock.Now()
	s.now.Usage.RAM = s.hotRAM
	for i := range s.views {
		s.views[i].Counts = s.places[i].counter.Read(now.UnixNano(), s.policy.Window)
		if v := &s.views[i]; v.Tier == types.TierWarm && now.UnixNano()-v.Counts.Last < int64(mappedFor) {
			s.now.Usage.RAM += s.places[i].usage[types.TierWarm].RAM
		}
	}
	s.plans = state.Decide(now, s.policy, s.views, state.AllTiers, s.plans[:0])
	for _, p := range s.plans {
		s.apply(uint32(p.ID), state.Event{Kind: state.Plan, Tier: p.To})
	}
}

// work gives the movers a step's time.
func (s *simulation) work(step time.Duration) {
	for mover := range s.model.Movers {
		for left := step; left > 0; {
			if mover >= len(s.active) {
				if len(s.queue) == 0 {
					return
				}
				id := s.queue[0]
				s.queue = s.queue[1:]
				s.active = append(s.active, move{id, s.duration(id)})
			}
			m := &s.active[mover]
			used := min(left, m.left)
			left, m.left = left-used, m.left-used
			if m.left > 0 {
				break
			}
			id := m.id
			s.active = append(s.active[:mover], s.active[mover+1:]...)
			s.finish(id)
		}
	}
}

// duration is that of a collection's move: its larger side is read or written once.
func (s *simulation) duration(id uint32) time.Duration {
	p := &s.places[id]
	bytes := int64(0)
	for _, t := range []types.Tier{p.state.Move.From, p.state.Move.To} {
		bytes = max(bytes, p.usage[t].Disk, p.usage[t].Object)
	}
	return time.Duration(float64(bytes) / float64(s.model.MoveBytesPerSecond) * float64(time.Second))
}

// finish lets every step of a collection's move succeed.
func (s *simulation) finish(id uint32) {
	p := &s.places[id]
	for step := state.Write; step <= state.Free; step++ {
		from := p.state.Tier
		s.apply(id, state.Event{Kind: state.Done, Step: step})
		if to := p.state.Tier; to != from {
			s.switched(id, from, to)
		}
	}
}

func (s *simulation) switched(id uint32, from, to types.Tier) {
	p, v, now := &s.places[id], &s.views[id], s.clock.Now().UnixNano()
	s.now.Collections[from]--
	s.now.Collections[to]++
	s.move(p.usage[from], from, -1)
	s.move(p.usage[to], to, 1)
	s.flow.Moves[from][to]++
	v.Tier, v.Since = to, now
	if to < from {
		p.counter.Restart(now)
	}
}

// move adds what a collection takes to a tier, or takes it away; what of the warm
// tier is in RAM is counted in each cycle.
func (s *simulation) move(u Usage, t types.Tier, sign int64) {
	if t == types.TierHot {
		s.hotRAM += sign * u.RAM
	}
	u.RAM = 0
	s.now.Usage.add(u, sign)
}

// apply drives the state machine; of its actions only the beginning of a move
// takes time here.
func (s *simulation) apply(id uint32, e state.Event) {
	p := &s.places[id]
	next, actions, err := state.Apply(p.state, e, state.AllTiers)
	if err != nil {
		s.err = fmt.Errorf("collection %d: %w", id, err)
		return
	}
	p.state = next
	s.views[id].Moving = next.Move != nil
	for _, a := range actions {
		if a.Verb == state.Start && a.Step == state.Write {
			s.queue = append(s.queue, id)
		}
	}
}
