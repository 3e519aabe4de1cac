package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/akidb/akidb/coldstore/objectstore"
)

var (
	descRequests = prometheus.NewDesc("akidb_objectstore_requests_total", "Requests to the object store, retries included, by what came of them.", []string{"op", "outcome"}, nil)
	descRetries  = prometheus.NewDesc("akidb_objectstore_retries_total", "Requests to the object store that were tried again.", []string{"op"}, nil)
	descUpload   = prometheus.NewDesc("akidb_objectstore_upload_bytes_total", "Bytes sent to the object store.", nil, nil)
	descDownload = prometheus.NewDesc("akidb_objectstore_download_bytes_total", "Bytes received from the object store.", nil, nil)
	descHits     = prometheus.NewDesc("akidb_cold_cache_hits_total", "Ranges of objects that were found in the cache on the local disk.", nil, nil)
	descMisses   = prometheus.NewDesc("akidb_cold_cache_misses_total", "Ranges of objects that were not found in the cache on the local disk.", nil, nil)
)

func describeObjects(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRequests, descRetries, descUpload, descDownload, descHits, descMisses} {
		ch <- d
	}
}

// collectObjects reads what the object store's wrappers have counted.
func (m *metrics) collectObjects(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for _, op := range objectstore.Ops {
		counter(descRetries, m.objects.Retries(op), string(op))
	}
	m.objects.Requests(func(op objectstore.Op, outcome string, n int64) { counter(descRequests, n, string(op), outcome) })
	counter(descUpload, m.objects.UploadBytes())
	counter(descDownload, m.objects.DownloadBytes())
	if m.cold != nil {
		hits, misses, _, _ := m.cold.CacheStats()
		counter(descHits, hits)
		counter(descMisses, misses)
	}
}
