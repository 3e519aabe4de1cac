package tiering

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
)

// Report is what Check has found.
type Report struct {
	Summary  []string
	Problems []string
}

// Check opens the rows of a stopped server and compares every vector index with
// them: its checkpoint must load, every node of its graph must be reached from
// the entry point, and once brought up to date the index must hold each row's
// vector, bit for bit, and nothing else.
func Check(ctx context.Context, rowsDir string, opts Options) (Report, error) {
	var out Report
	m := New(opts)
	store, err := rowstore.Open(ctx, rowstore.Options{Dir: rowsDir, Observer: m, Keyer: opts.Keyer})
	if err != nil {
		return out, err
	}
	m.store = store
	cat := store.Catalog()
	for _, o := range cat.Objects(catalog.KindIndex) {
		x := o.(*catalog.Index)
		if t := cat.Table(x.Table); !x.Vector() || t == nil || t.Partitioned != nil {
			continue
		}
		if err := m.checkIndex(ctx, cat.Table(x.Table), x, &out); err != nil {
			return out, errors.Join(err, store.Close())
		}
	}
	return out, store.Close()
}

func (m *Manager) checkIndex(ctx context.Context, table *catalog.Table, x *catalog.Index, out *Report) error {
	v := known(x)
	kind := kindOf(x, table.Tier)
	inFile, err := m.checkFile(ctx, v, kind, out)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		out.Summary = append(out.Summary, fmt.Sprintf("index %s: no checkpoint yet", x.Name))
	default:
		out.Problems = append(out.Problems, fmt.Sprintf("index %s: checkpoint: %v", x.Name, err))
	}
	if kind == bareKind || kind == coldKind {
		return nil // it holds nothing, or what the rows and the segments say
	}
	if kind == cellsKind && err != nil {
		return nil // the next start builds it: this only looks
	}
	b, err := m.loadBody(ctx, table, v, kind)
	if err != nil {
		return err
	}
	rows, err := m.compare(ctx, table, v, b, out)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	out.Summary = append(out.Summary, fmt.Sprintf("index %s: %d vectors, %d of them in the checkpoint", x.Name, rows, inFile))
	if n := b.Len(); n != rows {
		out.Problems = append(out.Problems, fmt.Sprintf("index %s: holds %d vectors, the rows have %d", x.Name, n, rows))
	}
	return b.Close()
}

// checkFile reads an index's file and says how many vectors are in it.
func (m *Manager) checkFile(ctx context.Context, v *vectorIndex, kind bodyKind, out *Report) (int, error) {
	switch kind {
	case graphKind:
		g, err := hnsw.Load(m.path(v.desc().ID), m.graphOptions(v.desc()))
		if err != nil {
			return 0, err
		}
		checkPaths(v.desc(), g, out)
		return g.Len(), g.Close()
	case cellsKind:
		b, err := m.openCells(ctx, v)
		if err != nil {
			return 0, err
		}
		return b.Len(), b.Close()
	}
	return 0, nil
}

// checkPaths says whether the graph of a checkpoint hangs together.
func checkPaths(x *catalog.Index, g *hnsw.Index, out *Report) {
	nodes := g.Len() - g.TailLen()
	if n := g.Unreachable(); n > 0 {
		out.Problems = append(out.Problems, fmt.Sprintf("index %s: %d of %d nodes of the graph cannot be reached from its entry point", x.Name, n, nodes))
		return
	}
	out.Summary = append(out.Summary, fmt.Sprintf("index %s: all %d nodes of the graph can be reached from its entry point", x.Name, nodes))
}

// compare looks each row's vector up in the index; it returns how many rows have one.
func (m *Manager) compare(ctx context.Context, table *catalog.Table, v *vectorIndex, b body, out *Report) (int, error) {
	var ids []types.RowID
	if err := m.store.ScanIDs(ctx, table, func(id types.RowID) error { ids = append(ids, id); return nil }); err != nil {
		return 0, err
	}
	n := 0
	found := make([]storage.Candidate, 0, 1)
	err := m.store.Rows(ctx, table, v.columns(table), ids, func(id types.RowID, row types.Row) error {
		key, ok, err := m.key(table, v.desc(), row)
		if err != nil || !ok {
			return err
		}
		if !b.Contains(id) {
			if v.desc().Keys[0].Metric != types.MetricCosine { // zero vectors are in no cosine index
				out.Problems = append(out.Problems, fmt.Sprintf("index %s: row %d is missing", v.desc().Name, id))
			}
			return nil
		}
		n++
		g, ok := b.(*graphBody)
		if !ok {
			return nil // it reads the vector from this row
		}
		if found, err = g.Distances(key, []types.RowID{id}, found[:0]); err != nil {
			return err
		}
		if len(found) != 1 || !isSelf(v.desc().Keys[0].Metric, found[0].Distance) {
			out.Problems = append(out.Problems, fmt.Sprintf("index %s: the vector of row %d differs", v.desc().Name, id))
		}
		return nil
	})
	return n, err
}

// isSelf says whether a distance can be that of a vector to itself.
func isSelf(metric types.Metric, d float64) bool {
	const rounding = 1e-5
	switch metric {
	case types.MetricInnerProduct:
		return d <= 0
	case types.MetricCosine:
		return math.Abs(d) < rounding
	default:
		return d == 0
	}
}
