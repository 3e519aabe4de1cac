package state

import (
	"testing"
	"time"
	"unsafe"

	"github.com/akidb/akidb/internal/types"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// one is a collection that was last accessed so long ago, count times in its window.
func one(tier types.Tier, idle time.Duration, count int64) Collection {
	last := noon.Add(-idle).UnixNano()
	return Collection{ID: 1, Tier: tier, Since: noon.Add(-24 * time.Hour).UnixNano(), Counts: Counts{Last: last, Window: noon.Add(-30 * time.Minute).UnixNano(), Count: count}}
}

func with(c Collection, change func(*Collection)) Collection {
	change(&c)
	return c
}

func TestThePolicyMovesWhatItsTableSays(t *testing.T) {
	direct := ColdDirect
	for _, tc := range []struct {
		name string
		c    Collection
		want string // "" stays
	}{
		{"hot below its ttl", one(types.TierHot, 6*time.Hour-1, 0), ""},
		{"hot at its ttl", one(types.TierHot, 6*time.Hour, 0), "warm: no access for 6h0m0s (limit 6h0m0s)"},
		{"hot, pinned", with(one(types.TierHot, 900*time.Hour, 0), func(c *Collection) { c.Pinned = true }), ""},
		{"hot, tiering off", with(one(types.TierHot, 900*time.Hour, 0), func(c *Collection) { c.Off = true }), ""},
		{"hot, moving", with(one(types.TierHot, 900*time.Hour, 0), func(c *Collection) { c.Moving = true }), ""},
		{"hot, ttl of its own", with(one(types.TierHot, 7*time.Hour, 0), func(c *Collection) { c.Override = &Override{HotTTL: 24 * time.Hour} }), ""},
		{"warm below the threshold", one(types.TierWarm, 0, 9), ""},
		{"warm at the threshold", one(types.TierWarm, 0, 10), "hot: 10 accesses in the window (threshold 10)"},
		{"warm, window passed", with(one(types.TierWarm, 0, 10), func(c *Collection) { c.Counts.Window = noon.Add(-time.Hour).UnixNano() }), ""},
		{"warm, pinned, busy", with(one(types.TierWarm, 0, 10), func(c *Collection) { c.Pinned = true }), "hot: 10 accesses in the window (threshold 10)"},
		{"warm below its ttl", one(types.TierWarm, 7*24*time.Hour-1, 0), ""},
		{"warm at its ttl", one(types.TierWarm, 7*24*time.Hour, 0), "cold: no access for 168h0m0s (limit 168h0m0s)"},
		{"warm, pinned", with(one(types.TierWarm, 900*time.Hour, 0), func(c *Collection) { c.Pinned = true }), ""},
		{"warm, tiering off", with(one(types.TierWarm, 0, 0), func(c *Collection) { c.Off = true }), "hot: tiering is off: always hot"},
		{"cold, not accessed since", one(types.TierCold, 25*time.Hour, 0), ""},
		{"cold, accessed since", one(types.TierCold, time.Minute, 1), "warm: accessed while cold"},
		{"cold, direct", with(one(types.TierCold, time.Minute, 1), func(c *Collection) { c.Override = &Override{ColdAccess: &direct} }), ""},
	} {
		got := ""
		for _, p := range Decide(noon, DefaultPolicy(), []Collection{tc.c}, AllTiers, nil) {
			got += p.To.String() + ": " + p.Reason()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestPinnedCollectionNeverDemoted(t *testing.T) {
	p := DefaultPolicy()
	p.MaxHotMemory, p.MaxWarmDisk = 1, 1
	for _, tier := range []types.Tier{types.TierHot, types.TierWarm} {
		c := one(tier, 9999*time.Hour, 0)
		c.Pinned, c.RAM, c.Disk = true, 1<<30, 1<<30
		if got := Decide(noon, p, []Collection{c}, AllTiers, nil); len(got) > 0 {
			t.Errorf("%s: %+v", tier, got)
		}
	}
}

func TestAMoveToATierThatIsNotThereIsBlocked(t *testing.T) {
	got := Decide(noon, DefaultPolicy(), []Collection{one(types.TierHot, 7*time.Hour, 0)}, Tiers{true}, nil)
	if len(got) != 1 || !got[0].Blocked || got[0].Reason() != "no access for 7h0m0s (limit 6h0m0s); stays: this server has no warm tier" {
		t.Errorf("%+v", got)
	}
}

func TestAboveTheLimitTheLeastRecentlyUsedGoDownToTheLowWater(t *testing.T) {
	p := DefaultPolicy()
	p.MaxHotMemory = 1000
	var all []Collection
	for i := range 11 { // 1100 bytes; the i-th was used i minutes ago
		c := one(types.TierHot, time.Duration(i)*time.Minute, 1)
		c.ID, c.RAM = types.OID(i), 100
		c.Pinned = i == 10
		all = append(all, c)
	}
	got := Decide(noon, p, all, AllTiers, nil)
	if len(got) != 2 || got[0].ID != 9 || got[1].ID != 8 || got[0].Cause != HotFull {
		t.Errorf("%+v", got)
	}
	all = all[:10] // 1000 bytes: at the limit, above the low water
	if got := Decide(noon, p, all, AllTiers, nil); len(got) != 0 {
		t.Errorf("at the limit: %+v", got)
	}
}

func TestAWorkingSetLargerThanMemoryIsNotMovedInAndOut(t *testing.T) {
	p := DefaultPolicy()
	p.MaxHotMemory = 100
	hot, busy := one(types.TierHot, time.Minute, 50), one(types.TierWarm, 0, 50)
	busy.ID, hot.RAM, busy.RAM = 2, 80, 80
	if got := Decide(noon, p, []Collection{hot, busy}, AllTiers, nil); len(got) != 0 {
		t.Errorf("both are busy: %+v", got)
	}
	hot.Counts.Last = noon.Add(-2 * time.Hour).UnixNano()
	got := Decide(noon, p, []Collection{hot, busy}, AllTiers, nil)
	if len(got) != 2 || got[0].ID != 2 || got[1].ID != 1 || got[1].To != types.TierWarm {
		t.Errorf("one is idle: %+v", got)
	}
}

func TestTenThousandCollectionsTakeLittleTimeAndMemory(t *testing.T) {
	if n := unsafe.Sizeof(Collection{}) + unsafe.Sizeof(Counter{}); n >= 200 {
		t.Errorf("a collection takes %d bytes", n)
	}
	p := DefaultPolicy()
	p.MaxHotMemory = 1000
	all := manyCollections(10_000)
	start := time.Now()
	got := Decide(noon, p, all, AllTiers, nil)
	if took := time.Since(start); took > time.Second/4 {
		t.Errorf("took %v", took)
	}
	if len(got) == 0 {
		t.Error("nothing planned")
	}
}

func manyCollections(n int) []Collection {
	all := make([]Collection, n)
	for i := range all {
		all[i] = one(types.Tier(i%3), time.Duration(i*7919%10_000)*time.Second, int64(i%20))
		all[i].ID, all[i].RAM, all[i].Disk = types.OID(i), 1, 1
	}
	return all
}

func BenchmarkDecide10000(b *testing.B) {
	all, p := manyCollections(10_000), DefaultPolicy()
	p.MaxHotMemory = 1000
	var dst []Planned
	b.ReportAllocs()
	for b.Loop() {
		dst = Decide(noon, p, all, AllTiers, dst[:0])
	}
}
