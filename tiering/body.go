package tiering

import (
	"context"
	"errors"
	"fmt"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// body is where the vectors of an index are searched, by tier and method: a graph
// in memory (graph.go), cells in a file (cells.go), the parts of segments in the
// object store (coldbody.go), or nothing but the rows (bare.go). A move puts another body in the place of the present one.
//
// It may be called from any number of goroutines. Close waits for searches; what
// is asked later is answered with errClosed, or does nothing.
type body interface {
	// Append makes a vector found by searches that start later; one that is there
	// stays as it is. Remove takes it out again; an unknown id is nothing.
	Append(id types.RowID, v types.Datum) error
	Remove(id types.RowID)
	Contains(id types.RowID) bool
	// IDs calls fn for each row id until it returns false.
	IDs(fn func(types.RowID) bool)
	Len() int
	// Pending is how many vectors wait for maintain.
	Pending() int
	// Bytes is the memory in use.
	Bytes() int64
	nearest(ctx context.Context, t *Txn, spec *storage.NearestSpec) (storage.NearestIter, error)
	// maintain moves a step of what waits to its place and says whether there is more.
	maintain(ctx context.Context) (more bool, err error)
	// save brings what changed to disk, so that a start need not do it again.
	save() error
	Close() error
}

// isClosed says whether a body was closed when it was asked.
func isClosed(err error) bool {
	return errors.Is(err, hnsw.ErrClosed) || errors.Is(err, ivf.ErrClosed)
}

// place holds the present body; it exists so that the body can be swapped atomically.
type place struct{ body }

// bodyKind is which body an index has.
type bodyKind uint8

const (
	graphKind bodyKind = iota
	cellsKind
	bareKind
	coldKind
)

// kindOf is the body of an index in a tier.
func kindOf(x *catalog.Index, tier types.Tier) bodyKind {
	switch {
	case tier == types.TierCold:
		return coldKind
	case x.Method == "hnsw" && tier == types.TierHot:
		return graphKind
	case hasCells(&x.Keys[0]):
		return cellsKind
	}
	return bareKind
}

// hasCells says whether vectors of a key can lie in cells: sparse vectors and
// Jaccard's distance cannot.
func hasCells(k *catalog.IndexKey) bool {
	switch k.Type {
	case types.VectorOID, types.HalfVecOID:
		return true
	case types.BitOID, types.VarbitOID:
		return k.Metric == types.MetricHamming
	}
	return false
}

// present is the body if it is open.
func (v *vectorIndex) present() body {
	if p := v.place.Load(); p != nil {
		return p.body
	}
	return nil
}

// open gives an index's body. The first who asks for one that lies on disk opens it
// and brings it up to the rows; until then it takes neither memory nor a file.
func (m *Manager) open(ctx context.Context, v *vectorIndex) (body, error) {
	if b := v.present(); b != nil {
		return b, nil
	}
	v.opening.Lock()
	defer v.opening.Unlock()
	if b := v.present(); b != nil {
		return b, nil
	}
	x := v.desc()
	table := m.store.Catalog().Table(x.Table)
	if v.gone || table == nil {
		return nil, fmt.Errorf("vector index %q is gone", x.Name)
	}
	b, err := m.loadBody(ctx, table, v, kindOf(x, table.Tier))
	if err != nil {
		return nil, fmt.Errorf("vector index %q: %w", x.Name, err)
	}
	v.place.Store(&place{b})
	m.queue(v)
	return b, nil
}

// loadBody opens what is on disk, or begins empty, and brings it up to the rows.
func (m *Manager) loadBody(ctx context.Context, table *catalog.Table, v *vectorIndex, kind bodyKind) (body, error) {
	var b body
	var err error
	switch kind {
	case graphKind:
		b, err = m.loadGraph(v)
	case cellsKind:
		b, err = m.loadCells(ctx, table, v)
	case coldKind:
		return m.loadCold(ctx, table, v)
	default:
		return &bareBody{m: m, v: v}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := m.catchUp(ctx, table, v, b); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if g, ok := b.(*graphBody); ok {
		g.noteBacklog()
	}
	return b, nil
}
