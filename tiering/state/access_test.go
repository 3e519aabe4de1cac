package state

import (
	"sync"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/types"
)

func TestAnAccessCountsInAWindowThatStartsAgain(t *testing.T) {
	var c Counter
	at := func(d time.Duration) int64 { return noon.Add(d).UnixNano() }
	for i := range 5 {
		c.Touch(at(time.Duration(i)*time.Minute), time.Hour)
	}
	if got := c.Read(at(5*time.Minute), time.Hour); got.Count != 5 || got.Last != at(4*time.Minute) || got.Window != at(0) {
		t.Errorf("%+v", got)
	}
	if got := c.Read(at(time.Hour), time.Hour); got.Count != 0 {
		t.Errorf("a window that has passed counts %d", got.Count)
	}
	c.Touch(at(time.Hour), time.Hour)
	if got := c.Read(at(time.Hour), time.Hour); got.Count != 1 || got.Window != at(time.Hour) {
		t.Errorf("%+v", got)
	}
	c.Restart(at(61 * time.Minute))
	if got := c.Read(at(62*time.Minute), time.Hour); got.Count != 0 || got.Last != at(time.Hour) {
		t.Errorf("after a promotion: %+v", got)
	}
}

func TestManyAccessesAtOnceAreAllCounted(t *testing.T) {
	var table Table[Counter]
	var all sync.WaitGroup
	now := noon.UnixNano()
	table.Make(7, func() *Counter { return &Counter{} }).Touch(now, time.Hour)
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				table.Make(types.OID(7+i%3*shards), func() *Counter { return &Counter{} }).Touch(now, time.Hour)
			}
		})
	}
	all.Wait()
	n, sum := 0, int64(0)
	table.Each(func(_ types.OID, c *Counter) { n, sum = n+1, sum+c.Read(now, time.Hour).Count })
	if n != 3 || sum < 8001-8*2 { // the first of a window may be lost
		t.Errorf("%d counters, %d accesses", n, sum)
	}
	table.Drop(7)
	if table.Find(7) != nil || table.Find(7+shards) == nil {
		t.Error("the wrong counter was dropped")
	}
}

func TestAnAccessAllocatesNothing(t *testing.T) {
	var table Table[Counter]
	table.Make(7, func() *Counter { return &Counter{} })
	if n := testing.AllocsPerRun(100, func() { table.Find(7).Touch(time.Now().UnixNano(), time.Hour) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAccess(b *testing.B) {
	var table Table[Counter]
	for id := range types.OID(10_000) {
		table.Make(id, func() *Counter { return &Counter{} })
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for id := types.OID(0); pb.Next(); id++ {
			table.Find(id%10_000).Touch(time.Now().UnixNano(), time.Hour)
		}
	})
}

func TestAManualClockMovesOnlyByHand(t *testing.T) {
	c := NewManual(noon)
	later, stop := c.After(time.Minute)
	defer stop()
	c.AwaitWaiter()
	c.Advance(time.Minute - 1)
	select {
	case <-later:
		t.Fatal("too early")
	default:
	}
	c.Advance(1)
	if got := <-later; !got.Equal(noon.Add(time.Minute)) || !c.Now().Equal(got) {
		t.Errorf("%v", got)
	}
}
