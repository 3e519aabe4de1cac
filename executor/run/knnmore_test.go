package run

import (
	"fmt"
	"math"
	"testing"

	"github.com/akidb/akidb/internal/types"
)

func TestMoreThanWantedIsGivenWhenAJoinAsksForIt(t *testing.T) {
	rng := seeded(t)
	for _, metric := range []types.Metric{types.MetricL2, types.MetricCosine} {
		f := newKNNFixture(rng, 3000, metric)
		for _, below := range []int64{2, 100, 1000} {
			for _, limit := range []int{1, 7, 2000, 5000} {
				what := fmt.Sprintf("%s %.1f%% LIMIT %d", metric, float64(below)/10, limit)
				f.rows.batchSize = 5000 // one batch: the search misses nothing
				n := f.node(limit, below)
				n.More = true
				want := f.want(-1, below, math.Inf(1))
				f.check(t, what, n, want, below, true)
				if below == 1000 {
					n.MaxDistance, n.MaxDistanceOpen = lit(types.Float8OID, 0.4), true
					f.check(t, what+" bounded", n, f.want(-1, below, 0.4), below, true)
				}
			}
		}
	}
}

func TestLaterRoundsKeepTheOrderAndRepeatNothing(t *testing.T) {
	f := newKNNFixture(seeded(t), 3000, types.MetricL2)
	n := f.node(5, 1000)
	n.More = true
	rows, _, err := tryCollect(t, node(n), testEnv(t, f.rows, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[types.Datum]bool{}
	for i, r := range rows {
		if seen[r[0]] || i > 0 && compareDistances(rows[i-1][3], r[3]) > 0 {
			t.Fatalf("row %d is repeated or out of order", i)
		}
		seen[r[0]] = true
	}
	if all := len(f.want(-1, 1000, math.Inf(1))); len(rows) < all*95/100 {
		t.Errorf("%d of %d rows", len(rows), all)
	}
	if n := len(f.rows.nearest); n < 3 || n > 8 {
		t.Errorf("%d searches", n)
	}
}
