package bench

import (
	"slices"
	"time"
)

// Latency is what many timed calls of some clients came to.
type Latency struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
}

// summarise turns the durations of all calls, made within elapsed, into a Latency.
func summarise(durations []time.Duration, elapsed time.Duration) Latency {
	if len(durations) == 0 || elapsed <= 0 {
		return Latency{}
	}
	slices.Sort(durations)
	return Latency{
		PerSecond: float64(len(durations)) / elapsed.Seconds(),
		P50:       milliseconds(percentile(durations, 50)),
		P95:       milliseconds(percentile(durations, 95)),
		P99:       milliseconds(percentile(durations, 99)),
	}
}

// percentile is the smallest value that at least p percent of the sorted values do not exceed (nearest rank).
func percentile(sorted []time.Duration, p int) time.Duration {
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// recall is the share of the k exact answers that were found; k is len(exact) when fewer rows exist.
func recall(found []int64, exact []int32, k int) float64 {
	exact = exact[:min(k, len(exact))]
	if len(exact) == 0 {
		return 1
	}
	hits := 0
	for _, row := range exact {
		if slices.Contains(found, int64(row)) {
			hits++
		}
	}
	return float64(hits) / float64(len(exact))
}
