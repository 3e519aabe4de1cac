package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// snapshotMetrics are told of snapshots that were made and read back.
type snapshotMetrics struct {
	creates, restores           prometheus.Counter
	createSeconds, restoreSpent prometheus.Histogram
	bytes                       prometheus.Histogram
}

func newSnapshotMetrics(r prometheus.Registerer) snapshotMetrics {
	seconds := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.01, 2, 16)})
	}
	m := snapshotMetrics{
		creates:       prometheus.NewCounter(prometheus.CounterOpts{Name: "akidb_snapshot_creates_total", Help: "Snapshots that were made."}),
		restores:      prometheus.NewCounter(prometheus.CounterOpts{Name: "akidb_snapshot_restores_total", Help: "Snapshots that were restored."}),
		createSeconds: seconds("akidb_snapshot_create_duration_seconds", "Time to make a snapshot."),
		restoreSpent:  seconds("akidb_snapshot_restore_duration_seconds", "Time to read a snapshot's rows back, without building indexes."),
		bytes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "akidb_snapshot_size_bytes", Help: "Bytes of the objects of a snapshot, shared ones included.", Buckets: prometheus.ExponentialBuckets(1<<10, 4, 16),
		}),
	}
	r.MustRegister(m.creates, m.restores, m.createSeconds, m.restoreSpent, m.bytes)
	return m
}

func (m *metrics) snapshotMade(took time.Duration, bytes int64) {
	m.snapshots.creates.Inc()
	m.snapshots.createSeconds.Observe(took.Seconds())
	m.snapshots.bytes.Observe(float64(bytes))
}

func (m *metrics) snapshotRestored(took time.Duration, _ int64) {
	m.snapshots.restores.Inc()
	m.snapshots.restoreSpent.Observe(took.Seconds())
}
