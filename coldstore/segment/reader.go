package segment

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// Getter is what reading needs of a store.
type Getter interface {
	Get(ctx context.Context, key string, r objectstore.Range) (*objectstore.Object, error)
}

// guessedTail is what Open reads at first when it does not know better: enough
// for index part and footer of about 20,000 rows.
const guessedTail = 256 << 10

// OpenOptions say how a segment is read.
type OpenOptions struct {
	// TailBytes is Summary.TailBytes; with it, opening is exactly one read. 0 costs
	// a second one when the tail is larger than 256 KiB.
	TailBytes int64
	// Bytes is Summary.Bytes; an object of another length is refused. 0: any.
	Bytes int64
	// Parallel bounds the range reads that are under way at once; 8 by default.
	Parallel int
}

// Reader reads one segment. It is safe for concurrent use and needs no closing:
// it holds the index part and Parquet's metadata, and no connection.
type Reader struct {
	store Getter
	key   string
	x     *index
	meta  *metadata.FileMetaData
	props *parquet.ReaderProperties
	slots chan struct{} // bounds range reads
	io    counters
}

// Open reads index part and footer, and compares their checksums.
func Open(ctx context.Context, store Getter, key string, o OpenOptions) (*Reader, error) {
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	r := &Reader{store: store, key: key, slots: make(chan struct{}, o.Parallel)}
	r.props = parquet.NewReaderProperties(memory.NewGoAllocator())
	want := o.TailBytes
	if want <= 0 {
		want = guessedTail
	}
	tail, size, err := r.readTail(ctx, want)
	if err != nil {
		return nil, err
	}
	if o.Bytes > 0 && size != o.Bytes {
		return nil, damaged(key, "The object has %d bytes instead of %d.", size, o.Bytes)
	}
	need, err := tailLength(tail, size)
	for err == nil && need > int64(len(tail)) {
		if tail, size, err = r.readTail(ctx, need); err != nil {
			return nil, err
		}
		if int64(len(tail)) < need {
			return nil, damaged(key, "The object became shorter while it was read.")
		}
		need, err = tailLength(tail, size)
	}
	if err == nil {
		err = r.decodeTail(tail[int64(len(tail))-need:], size)
	}
	if err != nil {
		return nil, damaged(key, "%v.", err)
	}
	return r, nil
}

func (r *Reader) readTail(ctx context.Context, n int64) (tail []byte, size int64, err error) {
	return r.fetch(ctx, objectstore.Tail(n), n)
}

// tailLength finds, from the last bytes of an object, how long index part and
// footer are together. When the trailer of the index part is not there yet, it
// answers how much to read to find it.
func tailLength(tail []byte, size int64) (int64, error) {
	n := int64(len(tail))
	if n < parquetTail || string(tail[n-4:]) != parquetMagic {
		return 0, brokenf("the object does not end like a Parquet file")
	}
	footer := int64(binary.LittleEndian.Uint32(tail[n-parquetTail:])) + parquetTail
	if footer+trailerBytes > size {
		return 0, brokenf("Parquet's footer is longer than the object")
	}
	if n < footer+trailerBytes {
		return min(size, 4*(footer+trailerBytes)), nil // most likely the index part too
	}
	trailer := tail[n-footer-trailerBytes:]
	if string(trailer[8:trailerBytes]) != trailerMagic {
		return 0, brokenf("there is no index part before Parquet's footer")
	}
	length := binary.LittleEndian.Uint64(trailer)
	if length > uint64(size) || int64(length)+footer > size {
		return 0, brokenf("the index part is longer than the object")
	}
	return int64(length) + footer, nil
}

// decodeTail reads exactly index part and footer.
func (r *Reader) decodeTail(tail []byte, size int64) (err error) {
	defer caught(&err)
	footer := int64(binary.LittleEndian.Uint32(tail[len(tail)-parquetTail:])) + parquetTail
	part, foot := tail[:int64(len(tail))-footer], tail[int64(len(tail))-footer:]
	if r.x, err = decodeIndex(part); err != nil {
		return err
	}
	if r.x.footer != footer || r.x.size() != size {
		return brokenf("the object has %d bytes instead of %d", size, r.x.size())
	}
	if crc32.Checksum(foot, castagnoli) != r.x.footerCRC {
		return brokenf("the checksum of Parquet's footer does not match")
	}
	if r.meta, err = metadata.NewFileMetaData(foot[:len(foot)-parquetTail], nil); err != nil {
		return err
	}
	return r.compareFooter()
}

// compareFooter makes sure that Parquet's metadata and the index part speak of
// the same chunks.
func (r *Reader) compareFooter() error {
	if len(r.meta.RowGroups) != len(r.x.groups) || r.meta.Schema.NumColumns() != r.x.leaves || uint64(r.meta.NumRows) != r.x.rows {
		return brokenf("Parquet's footer and the index part do not agree")
	}
	for i := range r.x.groups {
		if rg := r.meta.RowGroups[i]; rg.NumRows != int64(r.x.groups[i].rows) || len(rg.Columns) != r.x.leaves {
			return brokenf("Parquet's footer and the index part do not agree on row group %d", i)
		}
	}
	return nil
}

// fetch reads a range whole; at most n bytes come.
func (r *Reader) fetch(ctx context.Context, rng objectstore.Range, n int64) (data []byte, size int64, err error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, 0, canceled()
	}
	o, err := r.store.Get(ctx, r.key, rng)
	if err != nil {
		return nil, 0, readError(r.key, err)
	}
	defer func() { _ = o.Body.Close() }() // only read
	if o.Length < 0 || o.Length > n {
		return nil, 0, damaged(r.key, "The store gave %d bytes where %d were asked for.", o.Length, n)
	}
	data = make([]byte, o.Length)
	if _, err := io.ReadFull(o.Body, data); err != nil {
		return nil, 0, readError(r.key, err)
	}
	r.io.requests.Add(1)
	r.io.bytes.Add(o.Length)
	return data, o.Size, nil
}

// Key is the object's key.
func (r *Reader) Key() string { return r.key }

// Rows is the number of rows.
func (r *Reader) Rows() uint64 { return r.x.rows }

// Bytes is the length of the object.
func (r *Reader) Bytes() int64 { return r.x.size() }

// MemoryBytes estimates what the open reader keeps.
func (r *Reader) MemoryBytes() int64 { return 3 * (r.x.length + r.x.footer) }

// CreatedAt is when the segment was written.
func (r *Reader) CreatedAt() time.Time { return r.x.created }

// Groups is the number of row groups.
func (r *Reader) Groups() int { return len(r.x.groups) }

// Columns are the user columns, in the order of the table; the slice is shared.
func (r *Reader) Columns() []Column { return r.x.columns }

// Cells says where the rows of each cell lie; the slice is shared.
func (r *Reader) Cells() []Cell { return r.x.cells }

// GroupRows returns the first position of a row group and the number of rows.
func (r *Reader) GroupRows(group int) (first, rows uint32) {
	g := &r.x.groups[group]
	return g.first, g.rows
}

// GroupOf is the row group of a position.
func (r *Reader) GroupOf(position uint32) int {
	low, high := 0, len(r.x.groups)-1
	for low < high {
		mid := (low + high + 1) / 2
		if r.x.groups[mid].first <= position {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// Position finds the position of a row, which is its place among all rows of the
// segment.
func (r *Reader) Position(id types.RowID) (uint32, bool) { return r.x.ids.find(id) }

// RowIDs returns the row ids by position, without reading the object.
func (r *Reader) RowIDs() []types.RowID { return r.x.ids.all() }

// Pruned returns the row groups that can hold rows which pass all predicates. A
// predicate on a column that the segment does not have excludes nothing.
func (r *Reader) Pruned(where []Predicate) []int {
	var out []int
	for i := range r.x.groups {
		if r.mayHold(&r.x.groups[i], where) {
			out = append(out, i)
		}
	}
	return out
}

func (r *Reader) mayHold(g *group, where []Predicate) bool {
	for _, p := range where {
		c := r.columnAt(p.Column)
		if c < 0 {
			continue
		}
		col := &r.x.columns[c]
		nulls := g.chunks[col.at].nulls
		if col.exact != noLeaf && col.shape == scalarShape && !col.ofUser() { // values in the companion are no NULLs
			nulls -= min(nulls, g.rows-g.chunks[col.exact].nulls)
		}
		if !p.mayHold(&g.stats[c], g.rows, nulls) {
			return false
		}
	}
	return true
}

// columnAt is the index of the column with an attnum, or -1.
func (r *Reader) columnAt(num int16) int {
	for i := range r.x.columns {
		if r.x.columns[i].Num == num {
			return i
		}
	}
	return -1
}
