package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

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
	statements  *prometheus.HistogramVec
	errors      *prometheus.CounterVec
	connections prometheus.Gauge
	store       *rowstore.Store
	manager     *tiering.Manager
}

var (
	descRows    = prometheus.NewDesc("akidb_collection_rows", "Rows of a collection (estimate).", []string{"collection", "tier"}, nil)
	descBytes   = prometheus.NewDesc("akidb_collection_disk_bytes", "Bytes of a collection on local disk (estimate).", []string{"collection", "tier"}, nil)
	descVectors = prometheus.NewDesc("akidb_index_vectors", "Vectors in a vector index, tail included.", []string{"index"}, nil)
	descTail    = prometheus.NewDesc("akidb_index_tail_vectors", "Vectors not yet in the graph; they are searched exactly.", []string{"index"}, nil)
	descMemory  = prometheus.NewDesc("akidb_index_memory_bytes", "Memory of a vector index.", []string{"index"}, nil)
	descFull    = prometheus.NewDesc("akidb_read_only", "1 while the server takes no writes (disk full).", nil, nil)
)

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		statements: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "akidb_statement_duration_seconds", Help: "Time of statements, by the first word of their command tag.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 18),
		}, []string{"command"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "akidb_statement_errors_total", Help: "Statements that failed, by SQLSTATE.",
		}, []string{"sqlstate"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "akidb_connections", Help: "Open sessions."}),
	}
	m.registry.MustRegister(m.statements, m.errors, m.connections, m,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Statement records a statement that has ended.
func (m *metrics) Statement(kind, sqlstate string, took time.Duration) {
	if sqlstate != "00000" {
		m.errors.WithLabelValues(sqlstate).Inc()
		return
	}
	m.statements.WithLabelValues(kind).Observe(took.Seconds())
}

// Connections records how many sessions are open.
func (m *metrics) Connections(open int) { m.connections.Set(float64(open)) }

func (m *metrics) watch(store *rowstore.Store, manager *tiering.Manager) {
	m.store, m.manager = store, manager
}

// Describe lists the storage's metrics.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRows, descBytes, descVectors, descTail, descMemory, descFull} {
		ch <- d
	}
}

// Collect reads the storage's metrics.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if m.store == nil {
		return
	}
	for _, o := range m.store.Catalog().Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		stats := m.store.Stats(t.ID)
		name, tier := t.Schema+"."+t.Name, t.Tier.String()
		gauge(descRows, float64(stats.Rows), name, tier)
		gauge(descBytes, float64(stats.DiskBytes), name, tier)
	}
	for _, x := range m.manager.IndexStats() {
		gauge(descVectors, float64(x.Vectors), x.Name)
		gauge(descTail, float64(x.Tail), x.Name)
		gauge(descMemory, float64(x.Bytes), x.Name)
	}
	full := 0.0
	if m.store.ReadOnly() != nil {
		full = 1
	}
	gauge(descFull, full)
}
