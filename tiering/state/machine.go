package state

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Step is what a move does now.
type Step uint8

// The steps, in their order; Undo takes the place of what is left when a move
// fails or is cancelled before its switch.
const (
	Write  Step = iota + 1 // the new place is being written
	Verify                 // it is read back and compared
	Switch                 // the commit that changes the owner is under way
	Free                   // the old place is being freed
	Undo                   // the new place is being removed
)

var stepNames = [...]string{Write: "write", Verify: "verify", Switch: "switch", Free: "free", Undo: "undo"}

func (s Step) String() string { return stepNames[s] }

// Move is a move between two neighbouring tiers. A way of two legs (hot to cold)
// is one move after the other, with the same Goal.
type Move struct {
	From types.Tier `json:"from"`
	To   types.Tier `json:"to"`
	Goal types.Tier `json:"goal"`
	Step Step       `json:"step"`
	// Manual says that a user asked for it: it is resumed after a crash.
	Manual bool `json:"manual,omitempty"`
	// Stop says that it is to end before the switch.
	Stop bool `json:"stop,omitempty"`
	// Attempts is how many restarts it has lived through.
	Attempts int `json:"attempts,omitempty"`
}

// maxAttempts is after how many restarts a move is given up: it may be what
// brings the server down.
const maxAttempts = 3

// Down says whether the move goes to a colder tier.
func (m *Move) Down() bool { return m.Goal > m.From }

// State is what is kept durably of a collection's place. Move is nil when it rests.
type State struct {
	Tier   types.Tier
	Pinned bool
	// Off is tiering = off: the collection is always hot.
	Off  bool
	Move *Move
}

// Kind is the kind of an Event.
type Kind uint8

// The events.
const (
	SetTier Kind = iota + 1 // by hand: Tier, Wait
	Plan                    // the policy wants it in Tier
	Pin                     //
	Unpin                   //
	SetOff                  // tiering = off
	SetOn                   // tiering = on
	Cancel                  // by hand
	Done                    // the step Step has succeeded
	Failed                  // the step Step has failed; nothing of a Switch was committed
	Restart                 // the server has started and found this state
	Cycle                   // the worker comes by: what could not be cleaned up is tried again
	Access                  // a statement has read or written the collection
	Dropped                 // the table is gone
	kindsEnd
)

// Event is what happens to a collection.
type Event struct {
	Kind Kind
	Tier types.Tier
	Wait bool
	Step Step
}

// Verb is what an Action does.
type Verb uint8

// The actions. A driver does them in their order.
const (
	// Save makes the new state durable before anything that follows is done.
	Save Verb = iota + 1
	// Start begins Step of the move; it ends with Done or Failed of that step.
	// Write, Free and Undo may find their work begun, or done, and repeat it.
	Start
	// Halt asks the running step to end soon, with Done or Failed.
	Halt
	// Report keeps the error of the step that failed as the collection's last error.
	Report
	// Wake wakes those who wait for the collection to rest.
	Wake
	// Await lets the one who asked wait until the collection rests, and ask again.
	Await
)

// Action is what is to be done. A driver holds one lock of the collection while it
// applies an event and saves, and while it commits a Switch and applies its Done:
// else a Save could take a switch back.
type Action struct {
	Verb Verb
	Step Step // of Start
}

// Tiers are the tiers that a server has.
type Tiers [types.TierCold + 1]bool

// AllTiers is a server with every tier.
var AllTiers = Tiers{true, true, true}

// Apply is the state machine: the state after an event, and what is to be done.
// s is not changed. An error refuses the event: the state stays.
func Apply(s State, e Event, have Tiers) (State, []Action, error) {
	if s.Move != nil {
		m := *s.Move
		s.Move = &m
	}
	switch e.Kind {
	case SetTier:
		return s.set(e, have)
	case Plan:
		return s.plan(e.Tier, have)
	case Pin, Unpin:
		return s.pin(e.Kind == Pin)
	case SetOff, SetOn:
		return s.switchOff(e.Kind == SetOff)
	case Cancel:
		return s.cancel()
	case Done:
		return s.done(e.Step)
	case Failed:
		return s.failed(e.Step)
	case Restart:
		return s.restart()
	case Cycle:
		return s.cycle()
	case Dropped:
		return s.dropped()
	}
	return s, nil, nil // Access: it is counted, and decides nothing before the next cycle
}

// set is SET TIER.
func (s State) set(e Event, have Tiers) (State, []Action, error) {
	switch {
	case s.Move != nil && e.Wait:
		return s, []Action{{Verb: Await}}, nil
	case s.Move != nil:
		return s, nil, pgerr.New(pgerr.ObjectInUse, "collection is being moved to another tier").
			WithHint("Wait with SET TIER ... WAIT, or end the move with ALTER COLLECTION ... CANCEL.")
	case e.Tier == s.Tier:
		return s, []Action{{Verb: Wake}}, nil
	case !have[e.Tier]:
		return s, nil, pgerr.Unsupported("tier " + e.Tier.String())
	case s.Pinned && e.Tier > s.Tier:
		return s, nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "collection is pinned and cannot be moved to a colder tier").
			WithHint("Unpin it first with ALTER COLLECTION ... UNPIN.")
	case s.Off && e.Tier > s.Tier:
		return s, nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "collection has tiering = off and cannot be moved to a colder tier").
			WithHint("Turn it on first with ALTER COLLECTION ... SET (tiering = on).")
	}
	return s.leave(e.Tier, true)
}

// plan begins what the policy wants; it never disturbs a move.
func (s State) plan(to types.Tier, have Tiers) (State, []Action, error) {
	if s.Move != nil || to == s.Tier || !have[to] || (s.Pinned || s.Off) && to > s.Tier {
		return s, nil, nil
	}
	return s.leave(to, false)
}

// leave begins the first leg of the way to a tier.
func (s State) leave(goal types.Tier, manual bool) (State, []Action, error) {
	s.Move = &Move{From: s.Tier, To: toward(s.Tier, goal), Goal: goal, Step: Write, Manual: manual}
	return s, []Action{{Verb: Save}, {Start, Write}}, nil
}

// toward is the neighbour of a tier on the way to another.
func toward(from, goal types.Tier) types.Tier {
	if goal > from {
		return from + 1
	}
	return from - 1
}

func (s State) pin(pinned bool) (State, []Action, error) {
	s.Pinned = pinned
	return s.stayUp(pinned)
}

func (s State) switchOff(off bool) (State, []Action, error) {
	s.Off = off
	return s.stayUp(off)
}

// stayUp ends a demotion when the collection may not be demoted any more.
func (s State) stayUp(must bool) (State, []Action, error) {
	if must && s.Move != nil && s.Move.Down() {
		return s, append([]Action{{Verb: Save}}, s.stop()...), nil
	}
	return s, []Action{{Verb: Save}}, nil
}

// stop ends a move as early as that is possible.
func (s State) stop() []Action {
	m := s.Move
	switch m.Step {
	case Write, Verify:
		if m.Stop {
			return nil
		}
		m.Stop = true
		return []Action{{Verb: Halt}}
	case Switch: // too late, unless the commit fails or never comes
		m.Stop = true
	}
	m.Goal = m.To // no other leg follows
	return nil
}

func (s State) cancel() (State, []Action, error) {
	if s.Move == nil {
		return s, nil, nil
	}
	return s, append([]Action{{Verb: Save}}, s.stop()...), nil
}

func (s State) done(step Step) (State, []Action, error) {
	m := s.Move
	if m == nil || m.Step != step {
		return s, nil, nil // of a step that was given up
	}
	switch {
	case m.Stop && step <= Verify:
		return s.undo(nil)
	case step == Write:
		m.Step = Verify
		return s, []Action{{Start, Verify}}, nil
	case step == Verify:
		m.Step = Switch
		return s, []Action{{Start, Switch}}, nil
	case step == Switch: // its commit has written Switched(s)
		return Switched(s), []Action{{Start, Free}}, nil
	case step == Free && m.Goal != s.Tier:
		manual := m.Manual
		return s.leave(m.Goal, manual)
	}
	s.Move = nil
	return s, []Action{{Verb: Save}, {Verb: Wake}}, nil
}

// Switched is the state that the commit of a Switch writes: the new place owns
// the collection, and the old one is to be freed.
func Switched(s State) State {
	m := *s.Move
	m.Step, m.Stop, m.Attempts = Free, false, 0
	s.Tier, s.Move = m.To, &m
	return s
}

func (s State) failed(step Step) (State, []Action, error) {
	m := s.Move
	if m == nil || m.Step != step {
		return s, nil, nil
	}
	switch {
	case m.Stop && step <= Verify:
		return s.undo(nil)
	case step <= Switch:
		return s.undo([]Action{{Verb: Report}})
	}
	return s, []Action{{Verb: Report}}, nil // Free and Undo are tried again in the next cycle
}

// undo removes the new place; before is done first.
func (s State) undo(before []Action) (State, []Action, error) {
	s.Move.Step, s.Move.Goal = Undo, s.Tier
	return s, append(before, Action{Verb: Save}, Action{Start, Undo}), nil
}

// restart resumes or undoes what a crash has interrupted. Verify and Switch are
// not kept: a state that says Write was not switched.
func (s State) restart() (State, []Action, error) {
	m := s.Move
	if m == nil {
		return s, nil, nil
	}
	switch {
	case m.Step == Free || m.Step == Undo:
		return s, []Action{{Start, m.Step}}, nil
	case !m.Manual || m.Stop || m.Attempts >= maxAttempts:
		return s.undo(nil)
	}
	m.Step = Write
	m.Attempts++
	return s, []Action{{Verb: Save}, {Start, Write}}, nil
}

// cycle tries again to clean up. A driver skips it while a step runs.
func (s State) cycle() (State, []Action, error) {
	if m := s.Move; m != nil && (m.Step == Free || m.Step == Undo) {
		return s, []Action{{Start, m.Step}}, nil
	}
	return s, nil, nil
}

// dropped forgets the move; what it has written is named by nothing any more,
// and is the sweeper's.
func (s State) dropped() (State, []Action, error) {
	if s.Move == nil {
		return s, nil, nil
	}
	s.Move = nil
	return s, []Action{{Verb: Halt}, {Verb: Wake}}, nil
}
