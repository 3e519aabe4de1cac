package hnsw

import (
	"context"
	"io"
	"os"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// A graph can be written without its vectors, for whoever keeps these elsewhere: a
// snapshot has them in its rows. Codes follow from them and are left out, too.

// WriteGraph is WriteCheckpoint without vectors; those of sparsevec are written.
func (x *Index) WriteGraph(w io.Writer) error { return x.writeImage(w, x.kind != kindSparse) }

// LoadGraph opens what WriteGraph has written. rows gives the vectors to put: it
// reports whether the graph has a row, and rows that it has not are for the caller to
// append. Rows of the graph whose vector does not come are removed. A whole
// checkpoint is taken as well.
func LoadGraph(path string, o Options, rows func(put func(id types.RowID, v types.Datum) (known bool, err error)) error) (*Index, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	x, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := x.loadGraph(file, info.Size(), rows); err != nil {
		_ = x.Close() // the first error counts
		return nil, err
	}
	x.ready()
	return x, nil
}

// filling is a graph that gets its vectors.
type filling struct {
	x    *Index
	have []bool // by slot
}

func (x *Index) loadGraph(file io.ReaderAt, size int64, rows func(put func(types.RowID, types.Datum) (bool, error)) error) error {
	bare, err := x.load(file, size)
	if err != nil {
		return err
	}
	f := &filling{x: x, have: make([]bool, x.slots)}
	err = rows(func(id types.RowID, v types.Datum) (bool, error) {
		slot, ok := x.ids[id]
		if !ok {
			return false, nil
		}
		f.have[slot] = true
		if !bare {
			return true, nil
		}
		if err := x.check(v, false); err != nil {
			return true, err
		}
		return true, x.store(slot, v)
	})
	if err != nil {
		return err
	}
	if bare {
		f.lend()
		f.encode()
	}
	for slot := range x.slots {
		if x.live(slot) && !f.have[slot] {
			x.Remove(x.rowID(slot))
		}
	}
	return nil
}

// lend gives slots of the graph without a vector that of a neighbour: they are gone
// or going, but paths lead through them.
func (f *filling) lend() {
	x := f.x
	for slot := range x.slots {
		if f.have[slot] || !x.inGraph(slot) {
			continue
		}
		for _, n := range x.neighbours(slot, 0) {
			if n == none {
				break
			}
			if f.have[n] {
				copy(x.raw.bytes(slot), x.raw.bytes(n))
				break
			}
		}
	}
}

// encode makes the codes of all slots of the graph.
func (f *filling) encode() {
	x := f.x
	sq := x.sq.Load()
	if sq == nil || x.kind != kindCodes {
		return
	}
	const run = 256
	n := (int(x.slots) + run - 1) / run
	x.inParallel(context.Background(), n, x.options.Workers, func() (func(int), func()) {
		w := x.borrow(0)
		return func(i int) {
			for slot := uint32(i * run); slot < min(x.slots, uint32(i+1)*run); slot++ {
				if x.inGraph(slot) {
					sq.Encode(x.codes.bytes(slot), x.floats(slot, w.wide), w.residual)
				}
			}
		}, func() { x.giveBack(w) }
	})
}

// errBare is the answer of Load to a graph without vectors.
func errBare() error {
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "hnsw checkpoint: the vectors are not in it")
}
