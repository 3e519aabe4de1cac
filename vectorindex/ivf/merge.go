package ivf

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/akidb/akidb/internal/types"
)

// Merge writes a file that holds what was appended and lacks what was removed, opens
// it and goes on with it; running searches end on the old one, which the caller may
// unlink. Cells that have grown to more than four times their share are split: that
// reads their vectors from the source, all else moves codes. Appends and removals
// wait meanwhile. Cells are not trained anew: that is for Build, when the rows have
// become twice as many.
func (x *Index) Merge(ctx context.Context, path string) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.closed {
		return ErrClosed
	}
	m := &merger{x: x, old: x.file, random: rand.New(rand.NewPCG(x.options.Seed, x.file.header.rows))}
	if err := m.plan(ctx); err != nil {
		return err
	}
	h := x.file.header
	h.rows, h.options.Workers, h.lastID = 0, x.options.Workers, max(h.lastID, m.lastID)
	err := writeFile(path, func(out *os.File) error {
		if err := writeCells(ctx, out, &h, m.cells, m.old.shape, m.counts, m.fill); err != nil {
			return err
		}
		return calibrate(ctx, out, &h, m.queries)
	})
	if err != nil {
		return err
	}
	if err := x.replace(ctx, path); err != nil {
		return err
	}
	x.mu.Lock()
	x.crowded = m.crowded
	x.mu.Unlock()
	return nil
}

// replace goes on with the file at path.
func (x *Index) replace(ctx context.Context, path string) error {
	storage, err := Map(path)
	if err != nil {
		return err
	}
	f, err := openFile(ctx, storage, &x.options)
	if err != nil {
		return errors.Join(err, storage.Close())
	}
	old := x.file
	x.mu.Lock()
	x.adopt(f)
	x.mu.Unlock()
	return x.unpin(old)
}

// merger makes new cells of old ones.
type merger struct {
	x       *Index
	old     *file
	random  *rand.Rand
	cells   *centroids
	counts  []uint32
	origin  []int      // the old cell of each new one
	split   [][]uint32 // for new cells of a split one: which of the old one's live rows
	queries []float32
	lastID  types.RowID
	crowded bool
}

func (m *merger) live(c *cell) []int {
	var rows []int
	for i, id := range c.ids {
		if _, dead := m.old.dead[id]; !dead {
			rows = append(rows, i)
		}
		m.lastID = max(m.lastID, id)
	}
	return rows
}

// plan decides on the new cells.
func (m *merger) plan(ctx context.Context) error {
	m.cells = &centroids{dims: m.old.space.padded}
	total := max(0, int(m.old.header.rows)+m.old.appended-len(m.old.dead))
	lists := max(m.x.options.listsFor(total), 1)
	share := max(16, total/lists)
	for i := range m.old.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := m.old.read(ctx, i)
		if err != nil {
			return err
		}
		delta := &m.old.delta[i]
		n := len(m.live(&c)) + len(m.live(delta))
		if n <= capacity*share {
			m.add(m.old.cells.at(i), uint32(n), i, nil)
		} else if err := m.divide(i, &c, (n+share-1)/share); err != nil {
			return err
		}
	}
	return m.sampleQueries(ctx)
}

func (m *merger) add(centre []float32, n uint32, origin int, rows []uint32) {
	m.cells.flat = append(m.cells.flat, centre...)
	m.counts, m.origin, m.split = append(m.counts, n), append(m.origin, origin), append(m.split, rows)
}

// both is the ids of a cell and of what was appended to it.
func (m *merger) both(i int, c *cell) []types.RowID {
	return slices.Concat(c.ids, m.old.delta[i].ids)
}

// divide splits a cell into parts by k-means of its vectors. A cell of which the
// source lacks rows stays whole: they are not committed yet, or deleted and still
// seen by somebody.
func (m *merger) divide(i int, c *cell, parts int) error {
	ids := m.both(i, c)
	sample := make([]uint32, 0, len(ids))
	for row := range ids {
		if _, dead := m.old.dead[ids[row]]; !dead {
			sample = append(sample, uint32(row))
		}
	}
	m.random.Shuffle(len(sample), func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
	room := min(len(sample), parts*samplePerCell, max(1, m.x.options.SampleBytes/(4*m.old.space.padded)))
	vectors, err := m.vectors(ids, sample[:room])
	if err != nil {
		return err
	}
	k := min(parts, len(vectors)/m.old.space.padded)
	if k == 0 {
		m.crowded = true
		m.add(m.old.cells.at(i), uint32(len(sample)), i, nil)
		return nil
	}
	cells := train(vectors, m.old.space.padded, k, m.random, m.x.options.Workers)
	rows := make([][]uint32, k)
	assigned := 0
	err = m.each(ids, sample, func(row uint32, v []float32, _ float32) {
		n := cells.nearest(v)
		rows[n] = append(rows[n], row)
		assigned++
	})
	if err == nil && assigned < len(sample) {
		m.crowded = true
		m.add(m.old.cells.at(i), uint32(len(sample)), i, nil)
		return nil
	}
	for n := range rows {
		m.add(cells.at(n), uint32(len(rows[n])), i, rows[n])
	}
	return err
}

// vectors is the mapped vectors of rows, as far as the source has them.
func (m *merger) vectors(ids []types.RowID, rows []uint32) ([]float32, error) {
	var all []float32
	err := m.each(ids, rows, func(_ uint32, v []float32, _ float32) { all = append(all, v...) })
	return all, err
}

// each maps the vectors of rows, which are places in ids.
func (m *merger) each(ids []types.RowID, rows []uint32, use func(row uint32, v []float32, shift float32)) error {
	v := make([]float32, m.old.space.padded)
	var want []types.RowID
	values := make([]Value, 256)
	for part := range slices.Chunk(rows, len(values)) {
		want = want[:0]
		for _, row := range part {
			want = append(want, ids[row])
		}
		clear(values)
		if err := m.x.source.Vectors(want, values[:len(want)]); err != nil {
			return err
		}
		for i, row := range part {
			if m.old.space.fits(&values[i]) {
				m.old.space.floats(v, &values[i])
				shift := m.old.space.place(v)
				use(row, v, shift)
			}
		}
	}
	return nil
}

// fill writes a new cell.
func (m *merger) fill(n int, to *cell) error {
	i := m.origin[n]
	c, err := m.old.read(context.Background(), i)
	if err != nil {
		return err
	}
	if m.split[n] != nil {
		return m.encode(n, &c, to)
	}
	at := 0
	for _, part := range []*cell{&c, &m.old.delta[i]} {
		for _, row := range m.live(part) {
			if at < to.len() {
				m.old.shape.put(to, at, m.old.shape.row(part, row))
			}
			at++
		}
	}
	return nil
}

// encode codes the rows of a split cell anew.
func (m *merger) encode(n int, c, to *cell) error {
	ids, at := m.both(m.origin[n], c), 0
	err := m.each(ids, m.split[n], func(row uint32, v []float32, shift float32) {
		if at < to.len() {
			m.x.encoder.encode(m.old.shape.row(to, at), ids[row], v, m.cells.at(n), shift)
		}
		at++
	})
	if err == nil && at < to.len() {
		return errors.New("rows were deleted while their cell was split: merge again")
	}
	return err
}

// sampleQueries reads vectors to calibrate with.
func (m *merger) sampleQueries(ctx context.Context) error {
	var ids []types.RowID
	for range calibrationQueries {
		i := m.random.IntN(len(m.old.entries))
		c, err := m.old.read(ctx, i)
		if err != nil {
			return err
		}
		if all := m.both(i, &c); len(all) > 0 {
			ids = append(ids, all[m.random.IntN(len(all))])
		}
	}
	rows := make([]uint32, len(ids))
	for i := range rows {
		rows[i] = uint32(i)
	}
	var err error
	m.queries, err = m.vectors(ids, rows)
	return err
}
