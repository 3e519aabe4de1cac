package tiering

import (
	"testing"
	"time"

	"github.com/akidb/akidb/tiering/state"
)

func TestNewRulesHoldFromTheMomentTheyAreGiven(t *testing.T) {
	tiers := newTiers(TieringOptions{})
	if r := tiers.rules(); r.Interval != state.DefaultInterval || r.Policy != state.DefaultPolicy() || r.Disabled {
		t.Errorf("at the start: %+v", r)
	}
	p := state.DefaultPolicy()
	p.HotTTL = time.Minute
	tiers.set(TieringOptions{Disabled: true, Policy: p, Interval: time.Second})
	if r := tiers.rules(); r.Interval != time.Second || r.Policy.HotTTL != time.Minute || !r.Disabled {
		t.Errorf("later: %+v", r)
	}
}
