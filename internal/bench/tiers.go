package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/internal/dataset"
)

// TierPlan says what Tiers measures.
type TierPlan struct {
	Dir    string // of the data sets
	Set    string
	Binary string
	// Small and Large are rows of the collections.
	Small, Large int
	// Repeats is how often a move is measured, of which the median counts.
	Repeats int
	// Only names the measurements to make; none are all.
	Only []string
	Log  func(line string)
}

// TierFigure is one of the figures that tiers are accepted by.
type TierFigure struct {
	Name string `json:"name"`
	// Unit is s, ms or x; of x more is better.
	Unit  string  `json:"unit"`
	Limit float64 `json:"limit"`
	Goal  float64 `json:"goal"`
	// Measured is a median, All are the single ones.
	Measured float64   `json:"measured"`
	All      []float64 `json:"all,omitempty"`
	// Note has the recall of a search and the like; Failed is the error instead of a figure.
	Note   string `json:"note,omitempty"`
	Failed string `json:"failed,omitempty"`
}

// The figures, as the acceptance list has them.
var tierFigures = []TierFigure{
	{Name: "snapshot create, 10,000 x 512", Unit: "s", Limit: 2, Goal: 0.2},
	{Name: "snapshot restore, 10,000 x 512", Unit: "s", Limit: 3, Goal: 0.3},
	{Name: "snapshot size against JSON text", Unit: "x", Limit: 2, Goal: 3},
	{Name: "hot to warm, 10,000", Unit: "s", Limit: 2, Goal: 0.3},
	{Name: "warm to hot, 10,000", Unit: "s", Limit: 3, Goal: 0.3},
	{Name: "warm to cold, 10,000", Unit: "s", Limit: 5, Goal: 0.5},
	{Name: "cold to warm, 100,000", Unit: "s", Limit: 10, Goal: 1},
	{Name: "hot search p95, 100,000", Unit: "ms", Limit: 5, Goal: 1},
	{Name: "warm search p95, 100,000", Unit: "ms", Limit: 25, Goal: 5},
	{Name: "cold first access, 100,000", Unit: "s", Limit: 10, Goal: 0.5},
}

// Places in tierFigures.
const (
	snapshotCreate = iota
	snapshotRestore
	snapshotSize
	hotToWarm
	warmToHot
	warmToCold
	coldToWarm
	hotSearch
	warmSearch
	coldFirst
)

// met says whether a figure keeps its limit and its goal.
func (f *TierFigure) met() (limit, goal bool) {
	switch {
	case f.Failed != "" || f.Measured == 0:
		return false, false
	case f.Unit == "x":
		return f.Measured > f.Limit, f.Measured > f.Goal
	}
	return f.Measured < f.Limit, f.Measured < f.Goal
}

// take keeps single measurements and their median.
func (f *TierFigure) take(all []float64) {
	f.All = all
	sorted := slices.Sorted(slices.Values(all))
	f.Measured = sorted[len(sorted)/2]
}

// tierBench is a measurement under way.
type tierBench struct {
	TierPlan
	bucket  *Bucket
	server  *Server
	conn    *pgx.Conn
	set     *dataset.Set
	figures []TierFigure
	// cpu are the seconds of processor time that the server took for the last statement.
	cpu float64
}

// Tiers starts MinIO and a server, and measures moves, snapshots and searches in
// each tier by SQL. A figure that cannot be had is marked, and the others go on.
func Tiers(ctx context.Context, plan TierPlan) (_ []TierFigure, err error) {
	b := &tierBench{TierPlan: plan, figures: slices.Clone(tierFigures)}
	if b.set, err = dataset.Open(plan.Dir, plan.Set); err != nil {
		return nil, err
	}
	b.Large = min(b.Large, b.set.Rows())
	if b.bucket, err = StartBucket(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.bucket.Close()) }()
	// Straight to MinIO: the proxy would take a part of the cores.
	if b.server, err = StartServer(ctx, plan.Binary, b.bucket.env(b.bucket.minio.Endpoint)...); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.server.Stop()) }()
	if b.conn, err = connect(ctx, b.server.DSN()); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.conn.Close(context.Background())) }()
	for _, part := range []struct {
		name    string
		figures []int
		run     func(context.Context) error
	}{
		{"snapshots", []int{snapshotCreate, snapshotRestore, snapshotSize}, b.snapshots},
		{"hot-warm", []int{hotToWarm, warmToHot}, b.hotAndWarm},
		{"warm-cold", []int{warmToCold}, b.warmAndCold},
		{"large", []int{hotSearch, warmSearch, coldFirst, coldToWarm}, b.large},
	} {
		if len(b.Only) > 0 && !slices.Contains(b.Only, part.name) {
			continue
		}
		if err := part.run(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			b.fail(part.figures, err)
		}
	}
	return b.figures, nil
}

// fail marks what has no figure yet.
func (b *tierBench) fail(figures []int, err error) {
	for _, i := range figures {
		if f := &b.figures[i]; f.Measured == 0 && f.Failed == "" {
			f.Failed = err.Error()
			b.Log(f.Name + ": " + f.Failed)
		}
	}
}

func (b *tierBench) done(figure int, all []float64, note string) {
	f := &b.figures[figure]
	f.take(all)
	f.Note = note
	b.Log(fmt.Sprintf("%s: %.4g %s (limit %g, goal %g) %s", f.Name, f.Measured, f.Unit, f.Limit, f.Goal, note))
}

// processor says how much of the time the server worked.
func processor(seconds float64) string { return fmt.Sprintf("%.2f s of processor time", seconds) }

// timed runs a statement and returns its seconds.
func (b *tierBench) timed(ctx context.Context, sql string) (float64, error) {
	start, cpu := time.Now(), b.server.CPUSeconds()
	_, err := b.conn.Exec(ctx, sql)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", sql, err)
	}
	b.cpu = b.server.CPUSeconds() - cpu
	return time.Since(start).Seconds(), nil
}

// smallCollection makes a collection of its own for each repeat, since what was
// written once is not written again.
func (b *tierBench) smallCollection(ctx context.Context, kind string, n int) (string, error) {
	table := fmt.Sprintf("%s_%d", kind, n)
	return table, loadCollection(ctx, b.conn, table, b.set, b.Small)
}

func (b *tierBench) snapshots(ctx context.Context) error {
	var creates, restores, sizes []float64
	var createCPU, restoreCPU float64
	json := b.jsonBytes(b.Small)
	for n := range b.Repeats {
		table, err := b.smallCollection(ctx, "snap", n)
		if err != nil {
			return err
		}
		before, err := b.bucket.bytes()
		if err != nil {
			return err
		}
		took, err := b.timed(ctx, fmt.Sprintf("CREATE SNAPSHOT bench_%d OF %s", n, table))
		if err != nil {
			return err
		}
		after, err := b.bucket.bytes()
		if err != nil {
			return err
		}
		createCPU = b.cpu
		creates, sizes = append(creates, took), append(sizes, float64(json)/float64(after-before))
		if took, err = b.timed(ctx, fmt.Sprintf("RESTORE SNAPSHOT bench_%d AS %s_back", n, table)); err != nil {
			b.done(snapshotCreate, creates, "")
			b.done(snapshotSize, sizes, "")
			return err
		}
		restores, restoreCPU = append(restores, took), b.cpu
		if err := b.sameRows(ctx, table, table+"_back"); err != nil {
			return err
		}
	}
	b.done(snapshotCreate, creates, processor(createCPU))
	b.done(snapshotRestore, restores, processor(restoreCPU)+"; searchable again, rows compared")
	b.done(snapshotSize, sizes, fmt.Sprintf("%.1f MB of JSON", float64(json)/1e6))
	return nil
}

// jsonBytes is the size of rows as version 1 kept them: an array of JSON objects.
func (b *tierBench) jsonBytes(rows int) int64 {
	total := int64(2)
	for i := range rows {
		text, err := json.Marshal(map[string]any{"doc_id": fmt.Sprintf("00000000-0000-4000-8000-%012d", i), "external_id": nil, "vector": b.set.Base(i), "metadata": nil,
			"inserted_at": "2026-01-05T12:00:00.000000Z"})
		if err != nil {
			return 0 // floats of a data set are finite
		}
		total += int64(len(text)) + 1
	}
	return total
}

// sameRows compares two collections row by row, on the server.
func (b *tierBench) sameRows(ctx context.Context, one, other string) error {
	var same int64
	err := b.conn.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s a JOIN %s b USING (id) WHERE a.embedding = b.embedding", one, other)).Scan(&same)
	if err == nil && same != int64(b.Small) {
		err = fmt.Errorf("%d of %d rows of %s came back", same, b.Small, one)
	}
	return err
}

func (b *tierBench) setTier(ctx context.Context, table, tier string) (float64, error) {
	return b.timed(ctx, fmt.Sprintf("ALTER COLLECTION %s SET TIER %s WAIT", table, tier))
}

func (b *tierBench) hotAndWarm(ctx context.Context) error {
	var down, up []float64
	var downCPU, upCPU float64
	for n := range b.Repeats {
		table, err := b.smallCollection(ctx, "warm", n)
		if err != nil {
			return err
		}
		took, err := b.setTier(ctx, table, "warm")
		if err != nil {
			return err
		}
		down, downCPU = append(down, took), b.cpu
		if took, err = b.setTier(ctx, table, "hot"); err != nil {
			b.done(hotToWarm, down, processor(downCPU))
			return err
		}
		up, upCPU = append(up, took), b.cpu
	}
	b.done(hotToWarm, down, processor(downCPU))
	b.done(warmToHot, up, processor(upCPU))
	return nil
}

func (b *tierBench) warmAndCold(ctx context.Context) error {
	var down []float64
	for n := range b.Repeats {
		table, err := b.smallCollection(ctx, "cold", n)
		if err != nil {
			return err
		}
		if _, err := b.setTier(ctx, table, "warm"); err != nil {
			return err
		}
		took, err := b.setTier(ctx, table, "cold")
		if err != nil {
			return err
		}
		down = append(down, took)
	}
	b.done(warmToCold, down, processor(b.cpu))
	return nil
}

// large takes one collection through all tiers.
func (b *tierBench) large(ctx context.Context) error {
	if err := loadCollection(ctx, b.conn, "large", b.set, b.Large); err != nil {
		return err
	}
	if err := b.searchTier(ctx, hotSearch, "hnsw.ef_search", []int{40, 60, 80, 100, 120, 160, 200}); err != nil {
		return err
	}
	took, err := b.setTier(ctx, "large", "warm")
	if err != nil {
		return err
	}
	b.Log(fmt.Sprintf("hot to warm, %d: %.2f s, %s", b.Large, took, processor(b.cpu)))
	if err := b.searchTier(ctx, warmSearch, "", []int{0}); err != nil {
		return err
	}
	if took, err = b.setTier(ctx, "large", "cold"); err != nil {
		return err
	}
	b.Log(fmt.Sprintf("warm to cold, %d: %.2f s, %s", b.Large, took, processor(b.cpu)))
	if err := b.firstAccess(ctx); err != nil {
		return err
	}
	if took, err = b.setTier(ctx, "large", "warm"); err != nil {
		return err
	}
	b.done(coldToWarm, []float64{took}, processor(b.cpu))
	return nil
}

// wantedRecall is what a search must find.
const wantedRecall = 0.95

// searchTier measures the first setting that finds enough, with one client. Recall
// is against the exact answers of the whole set.
func (b *tierBench) searchTier(ctx context.Context, figure int, setting string, values []int) error {
	m := &measurement{Plan: Plan{Span: 5 * time.Second, Log: b.Log}, target: Target{Name: "AkiDB", DSN: b.server.DSN()}, set: b.set, table: "large"}
	truth := b.set.Truth
	if b.Large < b.set.Rows() {
		truth = dataset.Exact(b.set, b.set.Queries, func(row int) bool { return row < b.Large }, Depth)
	}
	best := ""
	for _, v := range values {
		var settings []string
		note := "default settings"
		if setting != "" {
			settings = []string{fmt.Sprintf("SET %s = %d", setting, v)}
			note = fmt.Sprintf("%s %d", setting, v)
		}
		found, _, latency, err := m.search(ctx, 1, m.searchSQL(""), b.set.Queries, truth, settings...)
		if err != nil {
			return err
		}
		note = fmt.Sprintf("recall@10 %.3f, %s, p50 %.2f ms, %.0f/s, server's memory %s", found, note, latency.P50, latency.PerSecond, b.memory())
		if found >= wantedRecall {
			b.done(figure, []float64{latency.P95}, note)
			return nil
		}
		best = note
	}
	return fmt.Errorf("recall@10 is below %.2f: %s", wantedRecall, best)
}

func (b *tierBench) memory() string {
	m, err := b.server.MemoryMiB()
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f MiB", m)
}

// firstAccess restarts the server without its cache and searches once, several times.
func (b *tierBench) firstAccess(ctx context.Context) error {
	if _, err := b.conn.Exec(ctx, "ALTER COLLECTION large SET (cold_access = 'direct')"); err != nil {
		return err
	}
	var times []float64
	sql := fmt.Sprintf("SELECT id FROM large ORDER BY embedding %s $1 LIMIT %d", operatorOf(b.set), Depth)
	for n := range b.Repeats {
		if err := b.conn.Close(ctx); err != nil {
			return err
		}
		if err := b.server.Restart(ctx, dropCache); err != nil {
			return err
		}
		var err error
		if b.conn, err = connect(ctx, b.server.DSN()); err != nil {
			return err
		}
		start := time.Now()
		ids, err := queryIDs(ctx, b.conn, sql, nil, Vector(b.set.Queries[n]))
		if err != nil {
			return err
		}
		if len(ids) != Depth {
			return fmt.Errorf("%d answers instead of %d", len(ids), Depth)
		}
		times = append(times, time.Since(start).Seconds())
	}
	b.done(coldFirst, times, "after a restart without the cache")
	return nil
}
