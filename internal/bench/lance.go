package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore/minioserver"
	"github.com/akidb/akidb/internal/bench/counting"
	"github.com/akidb/akidb/internal/dataset"
)

// lance measures LanceDB through its package for Node.js. Each run is a process of
// its own, so that nothing is cached.
type lance struct {
	folder string // with lance.mjs and node_modules
	dir    string // of the data sets
	bucket *Bucket
	index  lanceIndex
	set    *dataset.Set
	probes int
	refine int
}

// lanceIndex is an IVF index as LanceDB names it.
type lanceIndex struct {
	name string // of the function of lancedb.Index
	// subVectors of a product quantizer: dimensions divided by it; 0 for others.
	subVectorDims int
	// refines are the factors of candidates that are reranked exactly, to try; 0 is none.
	refines []int
}

// lanceIndexes are the two that are worth comparing: RaBitQ, which is what AkiDB
// uses too, and product quantization, LanceDB's default.
var lanceIndexes = []lanceIndex{{"ivfRq", 0, []int{2, 4, 8}}, {"ivfPq", 8, []int{2, 4, 8, 16}}}

// lanceProbes are the numbers of cells to try.
var lanceProbes = []int{4, 7, 10, 15, 20, 30, 45, 60, 80, 120, 160}

// margin is what the recall of a sample of the queries must be above the one wanted.
const margin = 0.005

// lanceJob is what lance.mjs is told.
type lanceJob struct {
	Do         string            `json:"do"`
	URI        string            `json:"uri"`
	Storage    map[string]string `json:"storage"`
	Table      string            `json:"table"`
	Dim        int               `json:"dim"`
	Metric     string            `json:"metric"`
	Base       string            `json:"base,omitempty"`
	Queries    string            `json:"queries,omitempty"`
	Index      string            `json:"index,omitempty"`
	Partitions int               `json:"partitions,omitempty"`
	SubVectors int               `json:"subVectors,omitempty"`
	Probes     int               `json:"probes,omitempty"`
	Refine     int               `json:"refine,omitempty"`
	Picks      []int             `json:"picks,omitempty"`
	Counts     string            `json:"counts,omitempty"`
}

func (l *lance) name() string { return "LanceDB" }

func (l *lance) settings() string {
	return fmt.Sprintf("%s, %d cells, nprobes %d, refine factor %d", l.index.name, l.partitions(), l.probes, l.refine)
}

// partitions is the square root of the number of rows, as usual for IVF.
func (l *lance) partitions() int { return int(math.Sqrt(float64(l.set.Rows()))) }

func (l *lance) job(do string) lanceJob {
	j := lanceJob{
		Do: do, URI: "s3://" + bucketName + "/lance", Table: l.set.Name + "_" + l.index.name, Dim: l.set.Dim, Metric: "cosine",
		Storage: map[string]string{
			"aws_access_key_id": minioserver.AccessKey, "aws_secret_access_key": minioserver.SecretKey,
			"aws_endpoint": l.bucket.proxy.Endpoint, "aws_region": "us-east-1", "allow_http": "true",
		},
	}
	if l.set.Metric == dataset.L2 {
		j.Metric = "l2"
	}
	return j
}

// node runs lance.mjs.
func (l *lance) node(ctx context.Context, job lanceJob, answer any) error {
	in, err := json.Marshal(job)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", "lance.mjs")
	cmd.Dir = l.folder
	cmd.Stdin = bytes.NewReader(in)
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("LanceDB: %w\n%s", err, failure.String())
	}
	return json.Unmarshal(out, answer)
}

// prepare writes the table and its index, and finds the cheapest settings with the recall wanted.
func (l *lance) prepare(ctx context.Context, target float64) (time.Duration, error) {
	job := l.job("build")
	job.Base, job.Index, job.Partitions = absolute(filepath.Join(l.dir, l.set.Name, "base.f32")), l.index.name, l.partitions()
	if l.index.subVectorDims > 0 {
		job.SubVectors = l.set.Dim / l.index.subVectorDims
	}
	var built struct{ LoadMs, BuildMs float64 }
	if err := l.node(ctx, job, &built); err != nil {
		return 0, err
	}
	took := time.Duration((built.LoadMs + built.BuildMs) * float64(time.Millisecond))
	if l.probes > 0 {
		return took, nil
	}
	picks := make([]int, 250)
	for i := range picks {
		picks[i] = i * len(l.set.Queries) / len(picks) // spread: neighbours in the list are alike
	}
	for _, l.probes = range lanceProbes {
		for _, l.refine = range l.index.refines {
			r, err := l.run(ctx, picks)
			if err != nil {
				return 0, err
			}
			if r.recall(l.set, picks) >= target+margin {
				return took, nil
			}
		}
	}
	return 0, fmt.Errorf("LanceDB, %s: recall %.2f is out of reach", l.index.name, target)
}

// run searches in a fresh process.
func (l *lance) run(ctx context.Context, picks []int) (coldRun, error) {
	job := l.job("search")
	job.Queries, job.Probes, job.Refine = absolute(filepath.Join(l.dir, l.set.Name, "queries.f32")), l.probes, l.refine
	job.Picks, job.Counts = picks, l.bucket.proxy.Endpoint+counting.Path
	var answer struct {
		OpenMs float64
		Ms     []float64
		Found  [][]int64
		Counts []counting.Counts
	}
	if err := l.node(ctx, job, &answer); err != nil {
		return coldRun{}, err
	}
	r := coldRun{open: answer.OpenMs, ms: answer.Ms, found: answer.Found}
	for i := range answer.Ms {
		r.traffic = append(r.traffic, answer.Counts[i+1].Since(answer.Counts[i]))
	}
	return r, nil
}

func (l *lance) close() error { return nil }

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
