package node

import (
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/coldstore/objectstore/metered"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering"
)

// oid keeps the signatures short.
type oid = types.OID

// metrics is what /metrics shows. It is told of statements by the server and
// asks the storage for its state when it is read.
type metrics struct {
	registry    *prometheus.Registry
	statements  *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	fsyncs      prometheus.Histogram
	connections prometheus.Gauge
	requests    *prometheus.CounterVec
	answers     *prometheus.HistogramVec
	searches    *prometheus.HistogramVec
	tracking    prometheus.Histogram
	cycles      prometheus.Histogram
	cycleCount  prometheus.Counter
	cycleErrors prometheus.Counter
	promotions  *prometheus.CounterVec
	demotions   *prometheus.CounterVec
	transitions *prometheus.HistogramVec
	store       *rowstore.Store
	manager     *tiering.Manager
	indexDirs   []string // of checkpoints, and of cells
	snapshots   snapshotMetrics
	objects     metered.Counters
	cold        *coldstore.Store
}

// namedCollections is how many collections have series of their own. Where there
// are more, a label with their names would be too much for Prometheus; SQL shows
// them all (akidb.collection_tiers).
const namedCollections = 1000

var (
	descRows    = prometheus.NewDesc("akidb_collection_rows", "Rows of a collection (estimate); not shown of more than 1,000 collections.", []string{"collection", "tier"}, nil)
	descBytes   = prometheus.NewDesc("akidb_collection_disk_bytes", "Bytes of a collection on local disk (estimate); not shown of more than 1,000 collections.", []string{"collection", "tier"}, nil)
	descVectors = prometheus.NewDesc("akidb_index_vectors", "Vectors in a vector index, tail included.", []string{"index"}, nil)
	descTail    = prometheus.NewDesc("akidb_index_tail_vectors", "Vectors not yet in the graph; they are searched exactly.", []string{"index"}, nil)
	descMemory  = prometheus.NewDesc("akidb_index_memory_bytes", "Memory of a vector index.", []string{"index"}, nil)
	descRAM     = prometheus.NewDesc("akidb_ram_bytes", "Memory, by what it is for.", []string{"component"}, nil)
	descDisk    = prometheus.NewDesc("akidb_disk_bytes", "Local disk, by what it is for.", []string{"component"}, nil)
	descTiers   = prometheus.NewDesc("akidb_tier_collections", "Collections, by tier.", []string{"tier"}, nil)
	descFull    = prometheus.NewDesc("akidb_read_only", "1 while the server takes no writes (disk full).", nil, nil)
)

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		statements: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "akidb_statements_total", Help: "Statements, by the first word of their command tag and their SQLSTATE (00000: success).",
		}, []string{"kind", "sqlstate"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "akidb_statement_duration_seconds", Help: "Time of statements that succeeded, by the first word of their command tag.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 18),
		}, []string{"kind"}),
		fsyncs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "akidb_wal_fsync_duration_seconds", Help: "Time to bring the write-ahead log to disk; commits that come together share one.",
			Buckets: prometheus.ExponentialBuckets(20e-6, 2, 18),
		}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "akidb_connections", Help: "Open sessions."}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "akidb_http_requests_total", Help: "Requests to the HTTP port, by route and status.",
		}, []string{"route", "status"}),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "akidb_http_request_duration_seconds", Help: "Time of requests to the HTTP port that succeeded, by route.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 2, 18),
		}, []string{"route"}),
		searches: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "akidb_search_duration_seconds", Help: "Time of searches of vector indexes, by tier and index method, without that of the rest of the statement.",
			Buckets: prometheus.ExponentialBuckets(20e-6, 2, 20),
		}, []string{"tier", "index"}),
		tracking: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "akidb_tier_access_tracking_duration_seconds", Help: "Time to count an access of a collection, of one in some hundreds.",
			Buckets: prometheus.ExponentialBuckets(20e-9, 2, 16),
		}),
		cycles: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "akidb_tier_worker_duration_seconds", Help: "Time of the tiering worker's cycles.", Buckets: prometheus.ExponentialBuckets(1e-4, 2, 20),
		}),
		cycleCount:  prometheus.NewCounter(prometheus.CounterOpts{Name: "akidb_tier_worker_cycles_total", Help: "Cycles of the tiering worker."}),
		cycleErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "akidb_tier_worker_errors_total", Help: "Errors of the tiering worker: of its cycles, and of moves that failed."}),
		promotions:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "akidb_tier_promotions_total", Help: "Moves to a hotter tier, one a leg."}, []string{"from", "to"}),
		demotions:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "akidb_tier_demotions_total", Help: "Moves to a colder tier, one a leg."}, []string{"from", "to"}),
		transitions: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "akidb_tier_transition_duration_seconds", Help: "Time of moves between tiers, by leg, from the first byte written to the last one freed.",
			Buckets: prometheus.ExponentialBuckets(1e-3, 2, 22),
		}, []string{"from", "to"}),
	}
	m.snapshots = newSnapshotMetrics(m.registry)
	m.registry.MustRegister(m.searches, m.tracking, m.cycles, m.cycleCount, m.cycleErrors, m.statements, m.durations, m.fsyncs, m.connections, m.requests, m.answers, m.promotions, m.demotions, m.transitions, m,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Statement records a statement that has ended.
func (m *metrics) Statement(kind, sqlstate string, took time.Duration) {
	if kind == "" { // it has failed before it had a tag
		kind = "none"
	}
	m.statements.WithLabelValues(kind, sqlstate).Inc()
	if sqlstate == "00000" {
		m.durations.WithLabelValues(kind).Observe(took.Seconds())
	}
}

// Request records a request to the HTTP port.
func (m *metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if status < 400 {
		m.answers.WithLabelValues(route).Observe(took.Seconds())
	}
}

func (m *metrics) searched(tier types.Tier, index string, took time.Duration) {
	m.searches.WithLabelValues(tier.String(), index).Observe(took.Seconds())
}

func (m *metrics) tracked(took time.Duration) { m.tracking.Observe(took.Seconds()) }

func (m *metrics) cycled(took time.Duration, errors int) {
	m.cycleCount.Inc()
	m.cycles.Observe(took.Seconds())
	m.cycleErrors.Add(float64(errors))
}

// moved records a leg of a move.
func (m *metrics) moved(mv tiering.Moved) {
	from, to := mv.From.String(), mv.To.String()
	if mv.Err != nil {
		m.cycleErrors.Inc()
		return
	}
	if mv.To < mv.From {
		m.promotions.WithLabelValues(from, to).Inc()
	} else {
		m.demotions.WithLabelValues(from, to).Inc()
	}
	m.transitions.WithLabelValues(from, to).Observe(mv.Took.Seconds())
}

func (m *metrics) synced(took time.Duration) { m.fsyncs.Observe(took.Seconds()) }

// Connections records how many sessions are open.
func (m *metrics) Connections(open int) { m.connections.Set(float64(open)) }

func (m *metrics) watch(store *rowstore.Store, manager *tiering.Manager, indexDirs ...string) {
	m.store, m.manager, m.indexDirs = store, manager, indexDirs
}

// bytesIn adds up the files of a folder.
func bytesIn(dir string) int64 {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	n := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

// Describe lists the storage's metrics.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRows, descBytes, descVectors, descTail, descMemory, descRAM, descDisk, descTiers, descFull} {
		ch <- d
	}
	describeObjects(ch)
}

// Collect reads the storage's metrics.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	m.collectObjects(ch)
	if m.store == nil {
		return
	}
	tiers := map[string]int{types.TierHot.String(): 0, types.TierWarm.String(): 0, types.TierCold.String(): 0}
	cat := m.store.Catalog()
	tables := cat.Objects(catalog.KindTable)
	for _, o := range tables {
		t := o.(*catalog.Table)
		tier := t.Tier.String()
		tiers[tier]++
		if len(tables) > namedCollections {
			continue
		}
		stats, name := m.store.Stats(t.ID), t.Schema+"."+t.Name
		gauge(descRows, float64(stats.Rows), name, tier)
		gauge(descBytes, float64(stats.DiskBytes), name, tier)
	}
	for tier, n := range tiers {
		gauge(descTiers, float64(n), tier)
	}
	graphs := 0.0
	for _, x := range m.manager.IndexStats() {
		graphs += float64(x.Bytes)
		index, ok := cat.Object(x.Index).(*catalog.Index)
		if !ok || len(tables) > namedCollections { // one that is being built is known by its name once it is committed
			continue
		}
		name := index.Schema + "." + index.Name
		gauge(descVectors, float64(x.Vectors), name)
		gauge(descTail, float64(x.Tail), name)
		gauge(descMemory, float64(x.Bytes), name)
	}
	use := m.store.Usage()
	gauge(descRAM, float64(use.Cache), "block_cache")
	gauge(descRAM, float64(use.MemTables), "memtables")
	gauge(descRAM, graphs, "vector_indexes")
	if m.cold != nil {
		_, _, disk, memory := m.cold.CacheStats()
		gauge(descRAM, float64(memory), "cold_store")
		gauge(descDisk, float64(disk), "cold_cache")
	}
	gauge(descDisk, float64(use.Files), "rows")
	gauge(descDisk, float64(use.Log), "wal")
	files := int64(0)
	for _, dir := range m.indexDirs {
		files += bytesIn(dir)
	}
	gauge(descDisk, float64(files), "vector_indexes")
	full := 0.0
	if m.store.ReadOnly() != nil {
		full = 1
	}
	gauge(descFull, full)
}
