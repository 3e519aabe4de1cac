package metered

import (
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// OK is the outcome of a request that succeeded.
const OK = "ok"

// Counters is a Meter that keeps sums, for a collector that reads them when it
// is asked: akidb_objectstore_requests_total{op,outcome}, _upload_bytes_total,
// _download_bytes_total and _retries_total{op}. The zero value is ready; its methods
// take no lock.
type Counters struct {
	upload, download atomic.Int64
	rows             [5]opCounters // in the order of objectstore.Ops
}

type opCounters struct {
	outcomes [objectstore.Classes + 1]atomic.Int64 // the last is OK
	retries  atomic.Int64
	nanos    atomic.Int64
}

var _ Meter = (*Counters)(nil)

// row finds the counters of an operation.
func (c *Counters) row(op objectstore.Op) *opCounters {
	for i, o := range objectstore.Ops {
		if o == op {
			return &c.rows[i]
		}
	}
	return &c.rows[0]
}

// Request implements Meter.
func (c *Counters) Request(op objectstore.Op, outcome string, took time.Duration) {
	r := c.row(op)
	r.nanos.Add(int64(took))
	for i := range objectstore.Classes {
		if objectstore.Class(i).String() == outcome {
			r.outcomes[i].Add(1)
			return
		}
	}
	r.outcomes[objectstore.Classes].Add(1)
}

// Uploaded implements Meter.
func (c *Counters) Uploaded(n int64) { c.upload.Add(n) }

// Downloaded implements Meter.
func (c *Counters) Downloaded(n int64) { c.download.Add(n) }

// Retried counts a retry; it fits retry.Policy.OnRetry.
func (c *Counters) Retried(op objectstore.Op, _ int, _ time.Duration, _ error) {
	c.row(op).retries.Add(1)
}

// Requests calls fn for each operation and outcome that has occurred.
func (c *Counters) Requests(fn func(op objectstore.Op, outcome string, n int64)) {
	for i, op := range objectstore.Ops {
		for class := range c.rows[i].outcomes {
			n := c.rows[i].outcomes[class].Load()
			if n == 0 {
				continue
			}
			outcome := OK
			if class < objectstore.Classes {
				outcome = objectstore.Class(class).String()
			}
			fn(op, outcome, n)
		}
	}
}

// UploadBytes is how many bytes of bodies were sent.
func (c *Counters) UploadBytes() int64 { return c.upload.Load() }

// DownloadBytes is how many bytes of bodies were received.
func (c *Counters) DownloadBytes() int64 { return c.download.Load() }

// Retries is how often an operation was tried again.
func (c *Counters) Retries(op objectstore.Op) int64 { return c.row(op).retries.Load() }

// Time is how long all requests of an operation took, without reading bodies.
func (c *Counters) Time(op objectstore.Op) time.Duration {
	return time.Duration(c.row(op).nanos.Load())
}
