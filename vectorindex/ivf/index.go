package ivf

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// ErrClosed is what an index answers after Close.
var ErrClosed = errors.New("the vector index is closed")

// Index is an open index: a file, what was appended since, and what was removed.
type Index struct {
	options Options
	source  Source
	scratch sync.Pool

	// writing is held by Append and Remove, and by Merge all through.
	writing sync.Mutex
	// mu guards file, closed and, in each file, refs, delta and dead. It is taken after
	// writing and held for some instructions.
	mu     sync.RWMutex
	file   *file
	closed bool

	// crowded says that the last Merge left a cell whole that is to be split.
	crowded bool     // guarded by mu
	encoder *encoder // guarded by writing, as are mapped and row
	mapped  []float32
	row     cell
}

// Open opens an index over a file in storage, which the index closes, also when this
// fails. A file that is not whole is error XX001; one of other options 55000.
func Open(ctx context.Context, storage Storage, o Options, source Source) (*Index, error) {
	err := o.complete()
	if err != nil {
		return nil, errors.Join(err, storage.Close())
	}
	f, err := openFile(ctx, storage, &o)
	if err != nil {
		return nil, errors.Join(err, storage.Close())
	}
	return newIndex(&o, f, source), nil
}

func newIndex(o *Options, f *file, source Source) *Index {
	x := &Index{options: *o, source: source}
	x.adopt(f)
	space := f.space
	x.scratch.New = func() any { return newScratch(space) }
	x.encoder, x.mapped, x.row = newEncoder(space), make([]float32, space.padded), f.shape.newRow()
	return x
}

func (x *Index) adopt(f *file) {
	f.refs, f.delta, f.dead = 1, make([]cell, f.header.cells), map[types.RowID]struct{}{}
	x.file = f
}

// Close closes the file once the last search has ended.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	closed := x.closed
	x.closed = true
	x.mu.Unlock()
	if closed {
		return nil
	}
	return x.unpin(x.file)
}

func (x *Index) unpin(f *file) error {
	x.mu.Lock()
	f.refs--
	last := f.refs == 0
	x.mu.Unlock()
	if last {
		return f.storage.Close()
	}
	return nil
}

// Append makes a row found by every search that starts later. It costs memory until
// the next Merge, which it waits for.
func (x *Index) Append(id types.RowID, v types.Datum) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	f := x.file
	if err := f.space.check(v, false); err != nil {
		return err
	}
	value := ValueOf(v)
	f.space.floats(x.mapped, &value)
	shift := f.space.place(x.mapped)
	n := f.cells.nearest(x.mapped)
	x.encoder.encode(x.row, id, x.mapped, f.cells.at(n), shift)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return ErrClosed
	}
	f.delta[n].append(x.row)
	f.appended++
	return nil
}

// Remove makes a row that the index has not found by searches that start later. Its
// place is free after the next Merge, which it waits for.
func (x *Index) Remove(id types.RowID) {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.file.dead[id] = struct{}{}
}

func (f *file) extra(mu *sync.RWMutex, i int) cell {
	mu.RLock()
	defer mu.RUnlock()
	return f.delta[i]
}

// Search starts a search. A vector of other dimensions is error 22000.
func (x *Index) Search(ctx context.Context, q Query) (*Search, error) {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil, ErrClosed
	}
	f := x.file
	if err := f.space.check(q.Vector, true); err != nil {
		x.mu.Unlock()
		return nil, err
	}
	f.refs++
	dead := len(f.dead) > 0
	x.mu.Unlock()
	s := &Search{x: x, file: f, ctx: ctx, w: x.scratch.Get().(*scratch), value: ValueOf(q.Vector), among: q.Among, dead: dead,
		limit: min(max(1, q.Want), maxBatch), probes: max(0, q.Probes), source: q.Source,
		stats: storage.NearestStats{Method: "ivfflat"}}
	if s.source == nil {
		s.source = x.source
	}
	s.w.release()
	s.query = s.w.query
	f.space.floats(s.query, &s.value)
	f.space.placeQuery(s.query)
	s.square = distance.Dot(s.query, s.query)
	s.rank()
	return s, nil
}

// vectors reads vectors by row id, within the search's context if the source can.
func vectors(ctx context.Context, source Source, ids []types.RowID, into []Value) error {
	if s, ok := source.(ContextSource); ok {
		return s.VectorsContext(ctx, ids, into)
	}
	return source.Vectors(ids, into)
}

// Distances appends the exact distances of those rows that the source has, sorted.
// A nil source is the index's own.
func (x *Index) Distances(q types.Datum, source Source, ids []types.RowID, dst []storage.Candidate) ([]storage.Candidate, error) {
	if source == nil {
		source = x.source
	}
	x.mu.RLock()
	space := x.file.space
	x.mu.RUnlock()
	if err := space.check(q, true); err != nil {
		return dst, err
	}
	start, value := len(dst), ValueOf(q)
	values := make([]Value, min(len(ids), 1024))
	for part := range slices.Chunk(ids, 1024) {
		clear(values)
		if err := source.Vectors(part, values[:len(part)]); err != nil {
			return dst, err
		}
		for i, id := range part {
			if space.fits(&values[i]) {
				dst = append(dst, storage.Candidate{ID: id, Distance: space.exact(&value, &values[i])})
			}
		}
	}
	slices.SortFunc(dst[start:], nearer)
	return dst, nil
}

// IDs calls yield for each row that the index has until it returns false.
func (x *Index) IDs(ctx context.Context, yield func(types.RowID) bool) error {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return ErrClosed
	}
	f := x.file
	f.refs++
	x.mu.Unlock()
	defer func() { _ = x.unpin(f) }() // nothing was written
	for i := range f.entries {
		c, err := f.read(ctx, i)
		if err != nil {
			return err
		}
		for _, part := range [...]cell{c, f.extra(&x.mu, i)} {
			for _, id := range part.ids {
				if !f.removed(&x.mu, id) && !yield(id) {
					return nil
				}
			}
		}
	}
	return nil
}

func (f *file) removed(mu *sync.RWMutex, id types.RowID) bool {
	mu.RLock()
	defer mu.RUnlock()
	_, ok := f.dead[id]
	return ok
}

// Len is the number of rows.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return int(x.file.header.rows) + x.file.appended - len(x.file.dead)
}

// Pending is the number of rows that a Merge would write or free.
func (x *Index) Pending() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.file.appended + len(x.file.dead)
}

// Crowded says that cells wait to be split until the source has all of their rows.
func (x *Index) Crowded() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.crowded
}

// LastID is the highest row id that the file was built with.
func (x *Index) LastID() types.RowID {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.file.header.lastID
}

// Cells is the number of cells.
func (x *Index) Cells() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.file.header.cells
}

// Bytes is the memory that the index holds; FileBytes the size of its file, of
// which the system keeps in memory what it likes.
func (x *Index) Bytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	f := x.file
	return int64(4*len(f.cells.flat)) + int64(len(f.entries)*(directoryBytes+4+5*24)) +
		int64(f.appended*f.shape.rowBytes()) + int64(len(f.dead)*16)
}

// FileBytes is the size of the file.
func (x *Index) FileBytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return int64(x.file.header.size)
}
