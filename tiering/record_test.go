package tiering

import (
	"encoding/json"
	"testing"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

func FuzzTierRecord(f *testing.F) {
	for _, r := range []record{
		{}, {Last: 1, Window: 2, Count: 3, Created: 4, Updated: 5, Error: "x", Collection: "y"},
		{Move: &state.Move{From: types.TierHot, To: types.TierWarm, Goal: types.TierCold, Step: state.Verify, Manual: true, Attempts: 2}},
	} {
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"move": {"from": 7, "to": 9, "step": 200}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err == nil && r.Move != nil && legs[way{r.Move.From, r.Move.To}] == nil {
			t.Errorf("a move without a way: %+v", r.Move)
		}
	})
}

func TestADamagedTierStateCostsItsCollectionAloneAndNotTheStart(t *testing.T) {
	f, _ := tieredFixture(t)
	for _, damage := range []string{"{", `{"move": {"from": 2, "to": 2, "step": 1}}`} {
		f.ok(f.m.Close())
		f.ok(f.store.PutTierStates(map[types.OID][]byte{tableID: []byte(damage)}))
		f.m = New(f.opts)
		f.ok(f.m.Start(t.Context(), f.store))
		if got := f.m.TierState(tableID); got.LastError == "" || got.Transition != "" {
			t.Errorf("after %s: %+v", damage, got)
		}
	}
}
