package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/akidb/akidb/internal/bench/counting"
	"github.com/akidb/akidb/internal/dataset"
)

// ColdPlan says what Cold measures.
type ColdPlan struct {
	Dir  string // of the data sets
	Sets []string
	// Systems are akidb, lance-rq, lance-pq.
	Systems []string
	// Binary is AkiDB's, Lance the folder of lance.mjs.
	Binary, Lance string
	// LanceProbes and LanceRefine are LanceDB's settings; 0 looks for the cheapest
	// with the recall, which takes minutes.
	LanceProbes, LanceRefine int
	// Runs are fresh processes with empty caches; each searches Queries times, and
	// different queries than the others.
	Runs, Queries int
	// Latencies are added to each request by turns.
	Latencies []time.Duration
	// Recall is what the settings are chosen for.
	Recall float64
	Log    func(line string)
}

// ColdResult is one system's searches of one set from the object store.
type ColdResult struct {
	System       string  `json:"system"`
	Settings     string  `json:"settings"`
	Set          string  `json:"set"`
	LatencyMs    float64 `json:"added_latency_ms"`
	Recall       float64 `json:"recall"`
	WriteSeconds float64 `json:"write_seconds"`
	// First is the first query of a process, with opening the table; Hundredth the
	// last of a run (of a hundred), All all but the first.
	First     ColdQuery `json:"first"`
	Hundredth ColdQuery `json:"hundredth"`
	All       ColdQuery `json:"all_but_first"`
}

// ColdQuery sums up queries; requests and bytes are averages.
type ColdQuery struct {
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
	Requests float64 `json:"requests"`
	KB       float64 `json:"kb"`
}

// coldRun is what one fresh process did.
type coldRun struct {
	open    float64 // milliseconds, where it can be told apart from the first query
	ms      []float64
	found   [][]int64
	traffic []counting.Counts
}

func (r *coldRun) recall(set *dataset.Set, picks []int) float64 {
	sum := 0.0
	for i, q := range picks {
		sum += recall(r.found[i], set.Truth[q], Depth)
	}
	return sum / float64(len(picks))
}

// coldSystem is a system that searches a set in the object store.
type coldSystem interface {
	name() string
	settings() string
	// prepare writes the set and says how long that took.
	prepare(ctx context.Context, recall float64) (time.Duration, error)
	// run searches queries in a process that has nothing cached.
	run(ctx context.Context, picks []int) (coldRun, error)
	close() error
}

// Cold measures searches of collections in the object store: AkiDB and LanceDB,
// one after the other, through the same proxy to the same MinIO.
func Cold(ctx context.Context, plan ColdPlan) (results []ColdResult, err error) {
	bucket, err := StartBucket()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	for _, name := range plan.Sets {
		set, err := dataset.Open(plan.Dir, name)
		if err != nil {
			return results, err
		}
		for _, which := range plan.Systems {
			rs, err := plan.measure(ctx, bucket, set, which)
			if err != nil {
				return results, fmt.Errorf("%s, %s: %w", which, name, err)
			}
			results = append(results, rs...)
		}
	}
	return results, nil
}

func (p *ColdPlan) open(ctx context.Context, bucket *Bucket, set *dataset.Set, which string) (coldSystem, error) {
	switch which {
	case "lance-rq", "lance-pq":
		index := lanceIndexes[0]
		if which == "lance-pq" {
			index = lanceIndexes[1]
		}
		return &lance{folder: p.Lance, dir: p.Dir, bucket: bucket, index: index, set: set, probes: p.LanceProbes, refine: p.LanceRefine}, nil
	case "akidb":
		return openColdAki(ctx, p.Binary, bucket, set)
	}
	return nil, fmt.Errorf("no system %q", which)
}

func (p *ColdPlan) measure(ctx context.Context, bucket *Bucket, set *dataset.Set, which string) (results []ColdResult, err error) {
	bucket.proxy.SetLatency(0)
	system, err := p.open(ctx, bucket, set, which)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, system.close()) }()
	took, err := system.prepare(ctx, p.Recall)
	if err != nil {
		return nil, err
	}
	for _, latency := range p.Latencies {
		bucket.proxy.SetLatency(latency)
		r, err := p.runs(ctx, system, set)
		if err != nil {
			return results, err
		}
		r.LatencyMs, r.WriteSeconds = milliseconds(latency), took.Seconds()
		p.Log(fmt.Sprintf("%s %s (%s), +%v: recall %.3f; first %.0f ms (%.0f requests, %.0f KB); hundredth %.1f ms; others p50 %.1f p95 %.1f ms, %.1f requests, %.0f KB",
			r.System, r.Set, r.Settings, latency, r.Recall, r.First.P50, r.First.Requests, r.First.KB, r.Hundredth.P50, r.All.P50, r.All.P95, r.All.Requests, r.All.KB))
		results = append(results, r)
	}
	return results, nil
}

// runs starts fresh processes, each with queries of its own.
func (p *ColdPlan) runs(ctx context.Context, system coldSystem, set *dataset.Set) (ColdResult, error) {
	r := ColdResult{System: system.name(), Settings: system.settings(), Set: set.Name}
	var first, last, all querySum
	for n := range p.Runs {
		picks := make([]int, p.Queries)
		for i := range picks {
			picks[i] = (n*p.Queries + i) % len(set.Queries)
		}
		run, err := system.run(ctx, picks)
		if err != nil {
			return r, err
		}
		r.Recall += run.recall(set, picks) / float64(p.Runs)
		first.add(run.open+run.ms[0], run.traffic[0])
		last.add(run.ms[p.Queries-1], run.traffic[p.Queries-1])
		for i := 1; i < p.Queries; i++ {
			all.add(run.ms[i], run.traffic[i])
		}
	}
	r.First, r.Hundredth, r.All = first.sum(), last.sum(), all.sum()
	return r, nil
}

// querySum collects queries.
type querySum struct {
	times    []time.Duration
	requests int64
	bytes    int64
}

func (q *querySum) add(ms float64, c counting.Counts) {
	q.times = append(q.times, time.Duration(ms*float64(time.Millisecond)))
	q.requests += c.Requests
	q.bytes += c.Received
}

func (q *querySum) sum() ColdQuery {
	if len(q.times) == 0 {
		return ColdQuery{}
	}
	slices.Sort(q.times)
	n := float64(len(q.times))
	return ColdQuery{P50: milliseconds(percentile(q.times, 50)), P95: milliseconds(percentile(q.times, 95)),
		Requests: float64(q.requests) / n, KB: float64(q.bytes) / n / 1000}
}

// coldFile is where results are kept, and its page.
const (
	coldFile = "cold.json"
	coldPage = "cold.md"
)

// coldReport is what cold.json holds.
type coldReport struct {
	Machine Machine      `json:"machine"`
	Results []ColdResult `json:"results"`
}

// WriteColdReport puts results into cold.json, in the place of older ones of the
// same system and set, and writes cold.md.
func WriteColdReport(dir string, results []ColdResult) error {
	var report coldReport
	if text, err := os.ReadFile(filepath.Join(dir, coldFile)); err == nil {
		if err := json.Unmarshal(text, &report); err != nil {
			return fmt.Errorf("%s: %w", coldFile, err)
		}
	}
	report.Machine = ThisMachine()
	for _, r := range results {
		report.Results = slices.DeleteFunc(report.Results, func(old ColdResult) bool { return old.key() == r.key() })
	}
	report.Results = append(report.Results, results...)
	slices.SortStableFunc(report.Results, func(a, b ColdResult) int { return compareKeys(a.key(), b.key()) })
	if err := writeJSON(filepath.Join(dir, coldFile), report); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, coldPage), []byte(report.markdown()), 0o644)
}
