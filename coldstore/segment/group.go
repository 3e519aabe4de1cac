package segment

import (
	"context"
	"hash/crc32"
	"io"
	"sort"
	"sync/atomic"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet/file"
	"golang.org/x/sync/errgroup"
)

// counters count what was fetched, for EXPLAIN ANALYZE and metrics.
type counters struct{ requests, bytes atomic.Int64 }

// Fetched returns the number of range reads and bytes since Open, Open included.
func (r *Reader) Fetched() (requests, bytes int64) { return r.io.requests.Load(), r.io.bytes.Load() }

// maxGap is how many unwanted bytes between two wanted chunks are read along,
// and maxSpan how long one read may become: a request costs about as much time
// as 64 KiB of transfer.
const (
	maxGap  = 64 << 10
	maxSpan = 16 << 20
)

// Group is a decoded row group. It is immutable.
type Group struct {
	Index int
	First uint32 // position of its first row
	IDs   []types.RowID
	cols  map[int16]cells
}

// cells are the values of one column.
type cells interface{ at(i int) types.Datum }

// Rows is the number of rows.
func (g *Group) Rows() int { return len(g.IDs) }

// Value is the value of a column that was asked for.
func (g *Group) Value(column int16, i int) types.Datum {
	if c := g.cols[column]; c != nil {
		return c.at(i)
	}
	return nil
}

// Fill puts the columns that were read into their places of dst (attnum-1).
func (g *Group) Fill(dst types.Row, i int) {
	for num, c := range g.cols {
		dst[num-1] = c.at(i)
	}
}

// Vectors returns the elements of a vector or halfvec column that was read, one
// vector after the other, and where each begins: row i has
// values[offsets[i]:offsets[i+1]], none when it is NULL. ok is false for another
// column.
func (g *Group) Vectors(column int16) (values []float32, offsets []int32, ok bool) {
	v, ok := g.cols[column].(*vectorCells)
	if !ok {
		return nil, nil, false
	}
	return v.values, v.offsets, true
}

// ReadGroup reads columns (attnums) of one row group, in parallel range reads, and
// compares the checksum of each chunk before anything is decoded. Columns that
// the segment does not have are left out.
func (r *Reader) ReadGroup(ctx context.Context, index int, columns []int16) (*Group, error) {
	g := &r.x.groups[index]
	data, err := r.readChunks(ctx, g, r.leavesOf(g, columns))
	if err != nil {
		return nil, err
	}
	out, err := r.decodeGroup(index, columns, data)
	if err != nil {
		return nil, damaged(r.key, "Row group %d: %v.", index, err)
	}
	return out, nil
}

// leavesOf are the leaves of columns, and that of the row ids.
func (r *Reader) leavesOf(g *group, columns []int16) []int {
	leaves := []int{0}
	for _, num := range columns {
		c := r.columnAt(num)
		if c < 0 {
			continue
		}
		col := &r.x.columns[c]
		if col.ofUser() {
			leaves = append(leaves, col.exact)
			continue
		}
		leaves = append(leaves, col.at)
		if col.exact != noLeaf && g.chunks[col.exact].nulls < g.rows {
			leaves = append(leaves, col.exact)
		}
	}
	return leaves
}

// chunkData are the bytes of chunks, by leaf.
type chunkData struct {
	g      *group
	leaves map[int][]byte
	size   int64
	at     int64
}

// readChunks fetches chunks; neighbours come in one read.
func (r *Reader) readChunks(ctx context.Context, g *group, leaves []int) (*chunkData, error) {
	sort.Slice(leaves, func(i, j int) bool { return g.chunks[leaves[i]].offset < g.chunks[leaves[j]].offset })
	data := &chunkData{g: g, leaves: map[int][]byte{}, size: r.x.size()}
	spans := spansOf(g, leaves)
	parts := make([][]byte, len(spans))
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range spans {
		group.Go(func() error {
			b, _, err := r.fetch(ctx, objectstore.Range{Offset: s.offset, Length: s.length}, s.length)
			if err == nil && int64(len(b)) != s.length {
				err = damaged(r.key, "The object is shorter than it was.")
			}
			parts[i] = b
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, s := range spans {
		for _, l := range s.leaves {
			c := g.chunks[l]
			b := parts[i][c.offset-s.offset:][:c.length]
			if crc32.Checksum(b, castagnoli) != c.crc {
				return nil, damaged(r.key, "The checksum of %d bytes at %d does not match.", c.length, c.offset)
			}
			data.leaves[l] = b
		}
	}
	return data, nil
}

type span struct {
	offset, length int64
	leaves         []int
}

// spansOf joins chunks, sorted by offset, into reads.
func spansOf(g *group, leaves []int) []span {
	var out []span
	for i, l := range leaves {
		c := g.chunks[l]
		if i > 0 && leaves[i-1] == l {
			continue
		}
		if n := len(out); n > 0 {
			s := &out[n-1]
			end := c.offset + int64(c.length)
			if c.offset-(s.offset+s.length) <= maxGap && end-s.offset <= maxSpan {
				s.length, s.leaves = max(s.length, end-s.offset), append(s.leaves, l)
				continue
			}
		}
		out = append(out, span{c.offset, int64(c.length), []int{l}})
	}
	return out
}

// ReadAt and Seek make chunkData the file that the Parquet library reads.
func (d *chunkData) ReadAt(p []byte, off int64) (int, error) {
	for l, b := range d.leaves {
		c := d.g.chunks[l]
		if off >= c.offset && off+int64(len(p)) <= c.offset+int64(len(b)) {
			return copy(p, b[off-c.offset:]), nil
		}
	}
	return 0, brokenf("Parquet's footer names bytes of no chunk")
}

func (d *chunkData) Read(p []byte) (int, error) {
	n, err := d.ReadAt(p, d.at)
	d.at += int64(n)
	return n, err
}

func (d *chunkData) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += d.at
	case io.SeekEnd:
		offset += d.size
	}
	d.at = offset
	return d.at, nil
}

func (r *Reader) decodeGroup(index int, columns []int16, data *chunkData) (out *Group, err error) {
	defer caught(&err)
	pq, err := file.NewParquetReader(data, file.WithMetadata(r.meta), file.WithReadProps(r.props))
	if err != nil {
		return nil, err
	}
	rg := pq.RowGroup(index)
	g := &r.x.groups[index]
	out = &Group{Index: index, First: g.first, cols: map[int16]cells{}}
	if out.IDs, err = readIDs(rg, g.rows); err != nil {
		return nil, err
	}
	for _, num := range columns {
		c := r.columnAt(num)
		if c < 0 {
			continue
		}
		if out.cols[num], err = decodeColumn(rg, &r.x.columns[c], g, data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// openLeaf returns the reader of a leaf and the number of its levels.
func openLeaf(rg *file.RowGroupReader, leaf int) (file.ColumnChunkReader, int64, error) {
	meta, err := rg.MetaData().ColumnChunk(leaf)
	if err != nil {
		return nil, 0, err
	}
	c, err := rg.Column(leaf)
	return c, meta.NumValues(), err
}

func readIDs(rg *file.RowGroupReader, rows uint32) ([]types.RowID, error) {
	c, n, err := openLeaf(rg, 0)
	if err != nil {
		return nil, err
	}
	values, _, _, err := readChunk[int64](c, n)
	if err != nil {
		return nil, err
	}
	if len(values) != int(rows) {
		return nil, brokenf("%d row ids for %d rows", len(values), rows)
	}
	ids := make([]types.RowID, len(values))
	for i, v := range values {
		ids[i] = types.RowID(v)
	}
	return ids, nil
}

func decodeColumn(rg *file.RowGroupReader, col *Column, g *group, data *chunkData) (cells, error) {
	at, decode := col.at, col.decode
	if col.ofUser() {
		at, decode = col.exact, col.decodeOwn
	}
	c, n, err := openLeaf(rg, at)
	if err != nil {
		return nil, err
	}
	plain, err := decode(c, n, int(g.rows))
	if err != nil || col.ofUser() || col.exact == noLeaf || data.leaves[col.exact] == nil {
		return plain, err
	}
	return withExact(rg, col, plain, int(g.rows))
}

// withExact puts the values of the companion over those of the plain column.
func withExact(rg *file.RowGroupReader, col *Column, plain cells, rows int) (cells, error) {
	c, n, err := openLeaf(rg, col.exact)
	if err != nil {
		return nil, err
	}
	texts, err := stringLeaf.read(c, n)
	if err != nil {
		return nil, err
	}
	over, err := scalarCells(texts, rows)
	if err != nil {
		return nil, err
	}
	out := make(datumCells, rows)
	for i := range out {
		if s, ok := over[i].(string); ok {
			if out[i], err = types.Parse(col.Stored, types.NoTypmod, s, nil); err != nil {
				return nil, err
			}
			continue
		}
		out[i] = plain.at(i)
	}
	return out, nil
}

// canceled is the error of an ended context.
func canceled() error {
	return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
}
