package ivf

import (
	"context"
	"math"
	"os"
	"slices"
	"sync"

	"github.com/akidb/akidb/vectorindex/distance"
)

const (
	calibrationQueries = 192
	calibrationDepth   = 10
	// expectedShare of the nearest rows of the sample's vectors lie within the width.
	// Searches find more than that: while they run, the distance that they compare
	// with is above the final one: 0.975, 0.95 and 0.92 gave recall 0.991, 0.973 and
	// 0.954 on emb512, 0.986, 0.969 and 0.948 on glove100, 0.978, 0.957 and 0.934 on
	// mnist784.
	expectedShare = 0.955
	defaultWidth  = 1
)

// calibrate measures how much of the distance to its tenth nearest row a query must
// reach beyond the border of a cell for the rows it would miss otherwise to be few,
// and writes that into the header: 1 would be certain for rows that lie in their
// nearest cell, and in many dimensions far less is enough. The queries are vectors
// of the sample, for which all codes are compared.
func (b *builder) calibrate(ctx context.Context, out *os.File, h *header) error {
	return calibrate(ctx, out, h, b.sample)
}

func calibrate(ctx context.Context, out *os.File, h *header, queries []float32) error {
	storage, err := Map(out.Name())
	if err != nil {
		return err
	}
	defer func() { _ = storage.Close() }() // nothing was written
	f, err := openFile(ctx, storage, &h.options)
	if err != nil {
		return err
	}
	x := newIndex(&h.options, f, nil)
	var gaps []float32
	var mu sync.Mutex // guards gaps and err
	parallel(len(queries)/f.space.padded, h.options.Workers, func(from, to int) {
		w := newScratch(f.space)
		for i := from; i < to; i++ {
			got, failed := x.gapsOfNearest(ctx, w, queries[i*f.space.padded:(i+1)*f.space.padded])
			mu.Lock()
			gaps = append(gaps, got...)
			if failed != nil {
				err = failed
			}
			mu.Unlock()
		}
	})
	if err != nil || len(gaps) == 0 {
		return err
	}
	slices.Sort(gaps)
	h.width = gaps[min(len(gaps)-1, int(expectedShare*float64(len(gaps))))]
	_, err = out.WriteAt(h.encode(), 0)
	return err
}

// gapsOfNearest is how far beyond a border the rows nearest to a vector lie, in
// distances of the last of them.
func (x *Index) gapsOfNearest(ctx context.Context, w *scratch, query []float32) ([]float32, error) {
	s := &Search{x: x, file: x.file, ctx: ctx, w: w, query: query, limit: calibrationDepth + 1}
	s.square = distance.Dot(query, query)
	if isBit(x.options.Type) {
		s.value.Bits = make([]byte, (x.options.Dims+7)/8)
		for i, e := range query[:x.options.Dims] {
			if e > 0.5 {
				s.value.Bits[i>>3] |= 0x80 >> (i & 7)
			}
		}
	}
	w.release()
	w.bound.start(s.limit)
	s.rank()
	type neighbour struct{ key, gap float32 }
	var all []neighbour
	for range w.order {
		gap := w.gaps[w.order[s.next]]
		if err := s.look(1); err != nil {
			return nil, err
		}
		for _, f := range w.pool {
			all = append(all, neighbour{max(0, f.key), gap})
		}
		for _, c := range w.pending {
			all = append(all, neighbour{float32(c.Distance), gap})
		}
		w.pool, w.pending, w.far, w.views = w.pool[:0], w.pending[:0], w.far[:0], w.views[:0]
	}
	slices.SortFunc(all, func(a, b neighbour) int {
		if a.key < b.key {
			return -1
		} else if a.key > b.key {
			return 1
		}
		return 0
	})
	all = all[min(1, len(all)):min(len(all), calibrationDepth+1)] // the first is the vector itself
	if len(all) == 0 {
		return nil, nil
	}
	var gaps []float32
	last := float32(math.Sqrt(float64(all[len(all)-1].key)))
	for _, n := range all {
		switch {
		case n.gap <= 0:
			gaps = append(gaps, 0)
		case last > 0:
			gaps = append(gaps, min(n.gap/last, 4))
		}
	}
	return gaps, nil
}
