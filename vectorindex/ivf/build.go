package ivf

import (
	"bufio"
	"context"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/distance"
)

// Rows gives all rows of an index, the same in each call; a value may be used until
// yield returns.
type Rows func(ctx context.Context, yield func(types.RowID, Value) error) error

// Progress hears how far a build is: rows done in both passes, of a total that is
// known after the first.
type Progress func(done, total int64)

// capacity is how many times the mean a cell may hold; what does not fit goes to
// the next nearest cell. It bounds what one probe costs.
const capacity = 4

// Build writes the file of an index. It reads the rows twice: to choose the sample
// that the cells are trained on, and to code them. The codes go through a second
// temporary file, so that memory holds the sample and 8 bytes a row. The file appears
// at path whole and synced, or not at all.
func Build(ctx context.Context, path string, o Options, rows Rows, progress Progress) error {
	if err := o.complete(); err != nil {
		return err
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	b := &builder{options: o, random: rand.New(rand.NewPCG(o.Seed, 0x1f)), progress: progress}
	if err := b.sampleRows(ctx, rows); err != nil {
		return err
	}
	b.train()
	spill, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.spill.tmp")
	if err != nil {
		return err
	}
	defer func() { _, _ = spill.Close(), os.Remove(spill.Name()) }() // of no use any more
	if err := b.code(ctx, rows, spill); err != nil {
		return err
	}
	return writeFile(path, func(out *os.File) error {
		h := header{options: o, seed: o.Seed, reach: b.space.reach, width: defaultWidth, lastID: b.lastID}
		if err := writeCells(ctx, out, &h, b.cells, b.shape, b.counts, b.gather(spill)); err != nil {
			return err
		}
		return b.calibrate(ctx, out, &h)
	})
}

type builder struct {
	options  Options
	random   *rand.Rand
	progress Progress
	space    *space
	shape    shape
	cells    *centroids
	sample   []float32 // rows of dims, then of padded elements
	seen     int
	reach    float32
	lastID   types.RowID
	order    []uint32 // cell of each row, in the order of the rows
	counts   []uint32
}

func (b *builder) errorOf(id types.RowID) error {
	return pgerr.Newf(pgerr.DataException, "row %d has no vector of %d dimensions", id, b.options.Dims)
}

// sampleRows keeps a reservoir of the rows and learns their number.
func (b *builder) sampleRows(ctx context.Context, rows Rows) error {
	o := &b.options
	b.space = newSpace(o, o.Seed, 0)
	room := max(1, o.SampleBytes/(4*b.space.padded))
	v := make([]float32, b.space.padded)
	err := rows(ctx, func(id types.RowID, value Value) error {
		if !b.space.fits(&value) {
			return b.errorOf(id)
		}
		b.space.floats(v, &value)
		if o.Metric == types.MetricInnerProduct {
			b.reach = max(b.reach, distance.Dot(v[:o.Dims], v[:o.Dims]))
		}
		if b.seen < room {
			b.sample = append(b.sample, v...)
		} else if at := b.random.IntN(b.seen + 1); at < room {
			copy(b.sample[at*len(v):], v)
		}
		if b.seen++; b.seen%1024 == 0 {
			b.progress(int64(b.seen), 0)
			return ctx.Err()
		}
		return nil
	})
	b.reach = min(b.reach, math.MaxFloat32/4)
	return err
}

// train makes the cells.
func (b *builder) train() {
	o, padded := &b.options, b.space.padded
	b.space = newSpace(o, o.Seed, b.reach)
	b.shape = shapeOf(b.space)
	n := len(b.sample) / padded
	b.random.Shuffle(n, func(i, j int) {
		x, y := b.sample[i*padded:(i+1)*padded], b.sample[j*padded:(j+1)*padded]
		for k := range x {
			x[k], y[k] = y[k], x[k]
		}
	})
	parallel(n, o.Workers, func(from, to int) {
		for i := from; i < to; i++ {
			b.space.place(b.sample[i*padded : (i+1)*padded])
		}
	})
	if n == 0 {
		b.cells = &centroids{dims: padded, flat: make([]float32, padded)}
	} else {
		k := min(o.listsFor(b.seen), n)
		b.cells = train(b.sample[:min(n, k*samplePerCell)*padded], padded, k, b.random, o.Workers)
	}
	b.sample = b.sample[:min(n, calibrationQueries)*padded]
}

// batchRows is how many rows are coded at a time.
const batchRows = 2048

// batch is rows on their way into the spill file.
type batch struct {
	ids     []types.RowID
	vectors []float32
	shifts  []float32
	cells   []int
	records []byte
}

// code writes the codes of all rows to the spill file, in the order of the rows.
func (b *builder) code(ctx context.Context, rows Rows, spill io.Writer) error {
	out := bufio.NewWriterSize(spill, 1<<20)
	padded, total := b.space.padded, b.seen
	b.counts = make([]uint32, b.cells.len())
	size := min(batchRows, max(16, 64<<20/(4*padded)))
	w := &batch{vectors: make([]float32, size*padded), shifts: make([]float32, size), cells: make([]int, size),
		records: make([]byte, size*b.shape.rowBytes())}
	flush := func() error {
		b.codeBatch(w)
		_, err := out.Write(w.records[:len(w.ids)*b.shape.rowBytes()])
		w.ids = w.ids[:0]
		b.progress(int64(total+len(b.order)), int64(2*total))
		return err
	}
	err := rows(ctx, func(id types.RowID, value Value) error {
		if !b.space.fits(&value) {
			return b.errorOf(id)
		}
		b.space.floats(w.vectors[len(w.ids)*padded:(len(w.ids)+1)*padded], &value)
		w.ids = append(w.ids, id)
		b.lastID = max(b.lastID, id)
		if len(w.ids) < size {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return flush()
	})
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	return out.Flush()
}

func (b *builder) codeBatch(w *batch) {
	padded, n := b.space.padded, len(w.ids)
	parallel(n, b.options.Workers, func(from, to int) {
		for i := from; i < to; i++ {
			v := w.vectors[i*padded : (i+1)*padded]
			w.shifts[i] = b.space.place(v)
			w.cells[i] = b.cells.nearest(v)
		}
	})
	full := uint32(max(64, capacity*(b.seen/b.cells.len()+1)))
	for i := range n {
		if b.counts[w.cells[i]] >= full {
			for _, c := range b.cells.ranked(w.vectors[i*padded : (i+1)*padded]) {
				if w.cells[i] = c; b.counts[c] < full {
					break
				}
			}
		}
		b.counts[w.cells[i]]++
		b.order = append(b.order, uint32(w.cells[i]))
	}
	size := b.shape.rowBytes()
	parallel(n, b.options.Workers, func(from, to int) {
		e := newEncoder(b.space)
		for i := from; i < to; i++ {
			row := b.shape.view(w.records[i*size:(i+1)*size], 1)
			e.encode(row, w.ids[i], w.vectors[i*padded:(i+1)*padded], b.cells.at(w.cells[i]), w.shifts[i])
		}
	})
}

// gather returns how to fill a cell from the spill file.
func (b *builder) gather(spill io.ReaderAt) fillCell {
	ends := make([]uint32, len(b.counts))
	at := uint32(0)
	for i, n := range b.counts {
		ends[i] = at
		at += n
	}
	rows := make([]uint32, len(b.order)) // grouped by cell
	for row, c := range b.order {
		rows[ends[c]] = uint32(row)
		ends[c]++
	}
	b.order = nil
	record := make([]byte, b.shape.rowBytes())
	from := b.shape.view(record, 1)
	return func(i int, to *cell) error {
		for k, row := range rows[ends[i]-b.counts[i] : ends[i]] {
			if _, err := spill.ReadAt(record, int64(row)*int64(len(record))); err != nil {
				return err
			}
			b.shape.put(to, k, from)
		}
		return nil
	}
}

// fillCell fills cell i, which has room for exactly its rows.
type fillCell func(i int, to *cell) error

// writeCells writes a file whose cells have the given numbers of rows.
func writeCells(ctx context.Context, out *os.File, h *header, cells *centroids, s shape, counts []uint32, fill fillCell) error {
	h.cells = cells.len()
	entries := make([]entry, h.cells)
	at := alignCell(headerBytes + uint64(bodyBytes(h, &h.options)))
	if _, err := out.Seek(int64(at), io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	var buffer []byte
	for i, n := range counts {
		if err := ctx.Err(); err != nil {
			return err
		}
		size := int(n) * s.rowBytes()
		if padded := int(alignCell(uint64(size))); cap(buffer) < padded {
			buffer = make([]byte, padded)
		}
		b := buffer[:alignCell(uint64(size))]
		clear(b[size:])
		c := s.view(b[:size], int(n))
		if err := fill(i, &c); err != nil {
			return err
		}
		entries[i] = entry{at, n, crc32.Checksum(b[:size], castagnoli)}
		h.rows += uint64(n)
		if _, err := w.Write(b); err != nil {
			return err
		}
		at += uint64(len(b))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	h.size = at
	body := encodeBody(cells.flat, entries)
	h.bodySum = crc32.Checksum(body, castagnoli)
	if _, err := out.WriteAt(body, headerBytes); err != nil {
		return err
	}
	if err := out.Truncate(int64(h.size)); err != nil {
		return err
	}
	_, err := out.WriteAt(h.encode(), 0)
	return err
}

func alignCell(n uint64) uint64 { return (n + cellAlign - 1) &^ (cellAlign - 1) }

// writeFile makes a file appear at path whole and synced.
func writeFile(path string, write func(out *os.File) error) (err error) {
	out, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = out.Close(), os.Remove(out.Name()) // the first error counts
		}
	}()
	if err = write(out); err != nil {
		return err
	}
	if err = out.Sync(); err != nil {
		return err
	}
	if err = out.Close(); err != nil {
		return err
	}
	if err = os.Rename(out.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // nothing was written
	return dir.Sync()
}
