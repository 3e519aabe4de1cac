package state

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var tierNames = map[string]types.Tier{"hot": types.TierHot, "warm": types.TierWarm, "cold": types.TierCold}

func (s State) String() string {
	out := s.Tier.String()
	if s.Pinned {
		out += " pinned"
	}
	if s.Off {
		out += " off"
	}
	m := s.Move
	if m == nil {
		return out
	}
	out += fmt.Sprintf(" [%s %s>%s", m.Step, m.From, m.To)
	if m.Goal != m.To {
		out += " goal " + m.Goal.String()
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{m.Manual, " manual"}, {m.Stop, " stop"}, {m.Attempts > 0, fmt.Sprintf(" attempt %d", m.Attempts)}} {
		if f.on {
			out += f.name
		}
	}
	return out + "]"
}

func (a Action) String() string {
	if a.Verb == Start {
		return "start " + a.Step.String()
	}
	return [...]string{Save: "save", Halt: "halt", Report: "report", Wake: "wake", Await: "await"}[a.Verb]
}

func show(next State, acts []Action, err error) string {
	if err != nil {
		e := pgerr.As(err)
		return e.Code + " " + e.Message
	}
	words := make([]string, len(acts))
	for i, a := range acts {
		words[i] = a.String()
	}
	return fmt.Sprintf("%s: %s", next, strings.Join(words, ", "))
}

// events are all there are, by the words of the tables.
func events() (names []string, byName map[string]Event) {
	byName = map[string]Event{}
	add := func(name string, e Event) {
		names = append(names, name)
		byName[name] = e
	}
	for _, t := range []string{"hot", "warm", "cold"} {
		add("set "+t, Event{Kind: SetTier, Tier: tierNames[t]})
	}
	add("set warm wait", Event{Kind: SetTier, Tier: types.TierWarm, Wait: true})
	for _, t := range []string{"hot", "warm", "cold"} {
		add("plan "+t, Event{Kind: Plan, Tier: tierNames[t]})
	}
	for i, name := range []string{"pin", "unpin", "off", "on", "cancel"} {
		add(name, Event{Kind: Pin + Kind(i)})
	}
	for s := Write; s <= Undo; s++ {
		add("done "+s.String(), Event{Kind: Done, Step: s})
		add("failed "+s.String(), Event{Kind: Failed, Step: s})
	}
	for i, name := range []string{"restart", "cycle", "access", "dropped"} {
		add(name, Event{Kind: Restart + Kind(i)})
	}
	return names, byName
}

// reachable are all states that a collection can be in, breadth first.
func reachable() []State {
	_, byName := events()
	seen := map[string]bool{}
	queue := []State{{}}
	seen[queue[0].String()] = true
	for i := 0; i < len(queue); i++ {
		names, _ := events()
		for _, n := range names {
			next, _, err := Apply(queue[i], byName[n], AllTiers)
			if err == nil && !seen[next.String()] {
				seen[next.String()] = true
				queue = append(queue, next)
			}
		}
	}
	return queue
}

func TestTheTableOfStatesAndEvents(t *testing.T) {
	names, byName := events()
	var current State
	have := AllTiers
	datadriven.RunTest(t, "testdata/machine", func(_ *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "new": // pinned, off and tier of a collection at rest; the tiers that the server has
			current, have = State{}, AllTiers
			for _, a := range d.CmdArgs {
				switch a.Key {
				case "pinned":
					current.Pinned = true
				case "off":
					current.Off = true
				case "only-hot":
					have = Tiers{true}
				default:
					current.Tier = tierNames[a.Key]
				}
			}
			return current.String()
		case "events": // one a line, one after the other
			var out strings.Builder
			for line := range strings.Lines(d.Input) {
				line = strings.TrimSpace(line)
				e, ok := byName[line]
				if !ok {
					return "unknown event " + line
				}
				next, acts, err := Apply(current, e, have)
				fmt.Fprintf(&out, "%-14s → %s\n", line, show(next, acts, err))
				if err == nil {
					current = next
				}
			}
			return out.String()
		case "each": // every event on the state reached
			var out strings.Builder
			for _, n := range names {
				next, acts, err := Apply(current, byName[n], have)
				if text := show(next, acts, err); text != current.String()+": " {
					fmt.Fprintf(&out, "%-14s → %s\n", n, text)
				}
			}
			return out.String()
		}
		return "unknown command"
	})
}

func TestEveryStateTakesEveryEvent(t *testing.T) {
	names, byName := events()
	all := reachable()
	if len(all) < 100 {
		t.Fatalf("only %d states are reachable", len(all))
	}
	for _, s := range all {
		before := s.String()
		for _, n := range names {
			next, acts, err := Apply(s, byName[n], AllTiers)
			switch {
			case s.String() != before:
				t.Fatalf("%s changed the state it was given: %s became %s", n, before, s)
			case err != nil && (len(acts) > 0 || next.String() != before):
				t.Errorf("%s on %s is refused and does something: %s", n, before, show(next, acts, nil))
			case next.Tier != s.Tier && byName[n] != Event{Kind: Done, Step: Switch}:
				t.Errorf("%s on %s changes the owner", n, before)
			case next.Pinned && next.Move != nil && next.Move.Down() && next.Move.Step < Switch && !next.Move.Stop:
				t.Errorf("%s on %s demotes a pinned collection", n, before)
			}
		}
	}
}

// world is a server as a model: what lies where, what is durable, what runs.
type world struct {
	mem, disk State
	running   Step // 0: none
	// full and part say what each place holds.
	full, part [3]bool
	halted     bool
}

func (w *world) apply(e Event) {
	if w.mem.Move != nil && w.running != 0 && e.Kind == Cycle {
		return
	}
	next, acts, err := Apply(w.mem, e, AllTiers)
	if err != nil {
		return
	}
	w.mem = next
	for _, a := range acts {
		switch a.Verb {
		case Save:
			w.disk = durable(w.mem)
		case Start:
			if w.running != 0 {
				panic("two steps run at once: " + w.running.String() + " and " + a.Step.String() + " in " + w.mem.String())
			}
			w.running, w.halted = a.Step, false
			if a.Step == Write {
				w.full[w.mem.Move.To], w.part[w.mem.Move.To] = false, true
			}
		case Halt:
			w.halted = true
		}
	}
}

// durable is a state as it is written: what is verified or about to be switched
// is written as Write.
func durable(s State) State {
	if s.Move != nil {
		m := *s.Move
		if m.Step == Verify || m.Step == Switch {
			m.Step = Write
		}
		s.Move = &m
	}
	return s
}

// finish ends the running step.
func (w *world) finish(ok bool) {
	step := w.running
	if step == 0 {
		return
	}
	m := w.mem.Move
	w.running = 0
	kind := Failed
	if ok {
		kind = Done
		switch step {
		case Write:
			w.full[m.To], w.part[m.To] = true, true
		case Verify:
			if !w.full[m.To] {
				kind = Failed
			}
		case Switch:
			w.disk = Switched(w.mem)
		case Free:
			w.full[m.From], w.part[m.From] = false, false
		case Undo:
			w.full[m.To], w.part[m.To] = false, false
		}
	}
	w.apply(Event{Kind: kind, Step: step})
}

// crash forgets the memory, perhaps in the middle of freeing or undoing.
func (w *world) crash(rng *rand.Rand) {
	if w.running == Free && rng.IntN(2) == 0 {
		w.full[w.mem.Move.From] = false
	}
	if w.running == Undo && rng.IntN(2) == 0 {
		w.full[w.mem.Move.To] = false
	}
	if w.running == Switch && rng.IntN(2) == 0 {
		w.disk = Switched(w.mem) // committed, and nobody was told
	}
	w.running, w.mem = 0, w.disk
	w.apply(Event{Kind: Restart})
}

func TestNoSequenceWithCrashesLosesTheDataOrLeavesTwoOwners(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	names, byName := events()
	for run := range 3000 {
		w := &world{full: [3]bool{true}, part: [3]bool{true}}
		var log []string
		fail := func(what string) {
			t.Fatalf("run %d: %s\nstate %s, durable %s, full %v\n%s", run, what, w.mem, w.disk, w.full, strings.Join(log, "\n"))
		}
		for range 60 {
			switch n := rng.IntN(10); {
			case n == 0:
				w.crash(rng)
				log = append(log, "crash")
			case n < 6:
				ok := rng.IntN(6) > 0 && (!w.halted || rng.IntN(2) == 0)
				log = append(log, fmt.Sprintf("finish %s %v", w.mem, ok))
				w.finish(ok)
			default:
				e := byName[names[rng.IntN(len(names))]]
				if e.Kind == Done || e.Kind == Failed || e.Kind == Restart || e.Kind == Dropped {
					continue // of a step: only finish tells of it
				}
				log = append(log, fmt.Sprintf("event %+v", e))
				w.apply(e)
			}
			if !w.full[w.disk.Tier] {
				fail("the durable owner is not complete")
			}
			if !w.full[w.mem.Tier] {
				fail("the owner is not complete")
			}
		}
		for i := 0; i < 100 && (w.mem.Move != nil || w.running != 0); i++ {
			w.finish(true)
			w.apply(Event{Kind: Cycle})
		}
		if w.mem.Move != nil {
			fail("does not come to rest")
		}
		if w.disk.Move != nil || w.disk.Tier != w.mem.Tier {
			fail("rests otherwise than it is written")
		}
		for tier, part := range w.part {
			if part != (tier == int(w.mem.Tier)) {
				fail("a place that is not the owner is left")
			}
		}
	}
}
