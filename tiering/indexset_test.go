package tiering

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

func TestAnIndexSetHasWhatWasPutInAndOlderSetsStayAsTheyWere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	set, model := newIndexSet(slices.Values([]*vectorIndex(nil))), map[types.OID]*vectorIndex{}
	check := func(s *indexSet, want map[types.OID]*vectorIndex) {
		t.Helper()
		n := 0
		for v := range s.all() {
			n++
			if want[v.desc().ID] != v || s.find(v.desc().ID) != v || !slices.Contains(s.of(v.desc().Table), v) {
				t.Fatalf("index %d is another", v.desc().ID)
			}
		}
		lists := 0
		for table := range types.OID(20) {
			lists += len(s.of(table))
		}
		if n != len(want) || lists != n {
			t.Fatalf("%d indexes, %d in lists, instead of %d", n, lists, len(want))
		}
	}
	for range 3000 {
		id := types.OID(random.IntN(600))
		before, was := set, map[types.OID]*vectorIndex{}
		if random.IntN(50) == 0 {
			for k, v := range model {
				was[k] = v
			}
		}
		if random.IntN(3) == 0 {
			set = set.without(id)
			delete(model, id)
		} else {
			v := known(&catalog.Index{ID: id, Table: types.OID(random.IntN(20))})
			set = set.with(v)
			model[id] = v
		}
		if len(was) > 0 {
			check(before, was)
			check(set, model)
		}
	}
	check(set, model)
}
