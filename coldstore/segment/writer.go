package segment

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// Rows gives the rows of a segment in the order in which they are to lie: the
// rows of a cell one after the other, and near cells near each other.
type Rows interface {
	// Next fills dst, which has one place per column of the table (attnum-1), and
	// says whose row it is and in which cell; false at the end. Values are kept
	// until the row group is written, the row itself is not.
	Next(dst types.Row) (id types.RowID, cell uint32, ok bool, err error)
}

// Putter is what writing needs of a store.
type Putter interface {
	Put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error)
}

// Summary describes a segment that was written; a manifest keeps it.
type Summary struct {
	Key       string
	Rows      uint64
	Bytes     int64
	CRC       uint32 // CRC-32C of the whole object
	TailBytes int64  // index part and footer: what Open reads
	Groups    int
	Cells     int
	MinRowID  types.RowID
	MaxRowID  types.RowID
	CreatedAt time.Time
}

// Write writes a segment under key, which must not exist yet. The object is
// streamed: one row group is in memory, and what the store buffers.
func Write(ctx context.Context, store Putter, key string, table *catalog.Table, rows Rows, o Options) (Summary, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Summary{}, err
	}
	pr, pw := io.Pipe()
	var info objectstore.Info
	stored := make(chan error, 1)
	go func() {
		var err error
		info, err = store.Put(ctx, key, pr, objectstore.PutOptions{IfAbsent: true})
		pr.CloseWithError(err) // ends the writer when the store gave up
		stored <- err
	}()
	sum, err := writeTo(ctx, pw, table, rows, o)
	pw.CloseWithError(err) // without an error the store sees the end
	if putErr := <-stored; err == nil || isPipe(err) {
		if putErr != nil {
			return Summary{}, fmt.Errorf("writing segment %q: %w", key, putErr)
		}
	}
	if err != nil {
		return Summary{}, err
	}
	if info.Size != sum.Bytes {
		return Summary{}, damaged(key, "The store kept %d of %d bytes.", info.Size, sum.Bytes)
	}
	sum.Key = key
	return sum, nil
}

// errStore marks an error that came from the store's end of the pipe.
type errStore struct{ error }

func (e errStore) Unwrap() error { return e.error }

func isPipe(err error) bool {
	var e errStore
	return errors.As(err, &e)
}

// sink counts and sums the bytes on their way, and can hold them back.
type sink struct {
	w    *bufio.Writer
	at   int64
	all  uint32 // of everything so far
	part uint32 // since mark
	held []byte // where bytes go while hold is set
	hold bool
	err  error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.hold {
		s.held = append(s.held, p...)
		return len(p), nil
	}
	s.all = crc32.Update(s.all, castagnoli, p)
	s.part = crc32.Update(s.part, castagnoli, p)
	s.at += int64(len(p))
	n, err := s.w.Write(p)
	if err != nil {
		s.err = errStore{err}
		return n, s.err
	}
	return n, nil
}

// writer is one segment under way.
type writer struct {
	table   *catalog.Table
	o       Options
	sink    *sink
	pq      *file.Writer
	x       index
	buffers []*columnBuffer
	ids     []types.RowID // of the whole segment
	pending int           // rows of the open group
	bytes   int           // of the open group
	seen    map[uint32]bool
}

func writeTo(ctx context.Context, out io.Writer, table *catalog.Table, rows Rows, o Options) (sum Summary, err error) {
	defer func() {
		if r := recover(); r != nil { // the library panics when its sink fails
			err = pgerr.Newf(pgerr.InternalError, "writing a segment stopped: %v", r)
			if e, ok := r.(error); ok && isPipe(e) {
				err = e
			}
		}
	}()
	w := &writer{table: table, o: o, sink: &sink{w: bufio.NewWriterSize(out, 256<<10)}, seen: map[uint32]bool{}}
	if err := w.open(); err != nil {
		return Summary{}, err
	}
	if err := w.consume(ctx, rows); err != nil {
		if w.sink.err != nil {
			err = w.sink.err
		}
		return Summary{}, err
	}
	if err := w.finish(); err != nil {
		if w.sink.err != nil {
			err = w.sink.err
		}
		return Summary{}, err
	}
	return w.summary(), nil
}

func (w *writer) open() error {
	cols, leaves, err := columnsOf(w.table, w.o)
	if err != nil {
		return err
	}
	w.x = index{columns: cols, leaves: leaves, created: w.o.CreatedAt.UTC().Truncate(time.Microsecond)}
	root, rowID, err := schemaOf(w.x.columns)
	if err != nil {
		return err
	}
	kv := w.metadata(rowID)
	w.pq = file.NewParquetWriter(w.sink, root, file.WithWriterProps(w.properties(root)), file.WithWriteMetadata(kv))
	for i := range w.x.columns {
		w.buffers = append(w.buffers, newColumnBuffer(&w.x.columns[i]))
	}
	return nil
}

func (w *writer) properties(root *schema.GroupNode) *parquet.WriterProperties {
	props := []parquet.WriterProperty{
		parquet.WithAllocator(memory.NewGoAllocator()),
		parquet.WithCreatedBy("AkiDB"),
		parquet.WithCompression(codecs[w.o.Compression]),
		parquet.WithDataPageSize(1 << 20),
		parquet.WithRootRepetition(parquet.Repetitions.Required),
	}
	sc := schema.NewSchema(root)
	for i := range w.x.columns {
		c := &w.x.columns[i]
		path := sc.Column(c.at).Path()
		if c.shape == vectorShape {
			props = append(props, parquet.WithStatsFor(path, false), parquet.WithDictionaryFor(path, false),
				parquet.WithCompressionFor(path, compress.Codecs.Uncompressed))
		}
		if c.Stored == types.SparseVecOID || c.shape == listShape {
			props = append(props, parquet.WithStatsFor(path, false))
		}
	}
	return parquet.NewWriterProperties(append(props, parquet.WithDictionaryFor(sc.Column(0).Path(), false))...)
}

// metadata is what other tools find in the file. What is known only at the end
// is added by finish.
func (w *writer) metadata(rowID string) metadata.KeyValueMetadata {
	kv := metadata.NewKeyValueMetadata()
	dimension := w.o.Dimension
	for i := range w.x.columns {
		if c := &w.x.columns[i]; dimension == 0 && c.shape == vectorShape && c.Typmod > 0 {
			dimension = int(c.Typmod)
		}
	}
	for _, e := range [][2]string{
		{"akidb.format_version", strconv.Itoa(indexVersion)},
		{"akidb.schema_version", strconv.FormatUint(w.table.Version, 10)},
		{"akidb.collection", w.table.Name},
		{"akidb.collection_id", strconv.FormatUint(uint64(w.table.ID), 10)},
		{"akidb.dimension", strconv.Itoa(dimension)},
		{"akidb.metric", w.o.Metric.String()},
		{"akidb.compression", string(w.o.Compression)},
		{"akidb.created_at", w.x.created.Format(time.RFC3339Nano)},
		{"akidb.row_id_column", rowID},
	} {
		if err := kv.Append(e[0], e[1]); err != nil {
			return kv
		}
	}
	return kv
}

// cancelEvery is how many rows pass between two looks at the context.
const cancelEvery = 256

func (w *writer) consume(ctx context.Context, rows Rows) error {
	row := make(types.Row, len(w.table.Columns))
	for n := 0; ; n++ {
		if n%cancelEvery == 0 && ctx.Err() != nil {
			return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
		}
		clear(row)
		id, cell, ok, err := rows.Next(row)
		if err != nil {
			return err
		}
		if !ok {
			return w.flush()
		}
		if err := w.add(id, cell, row); err != nil {
			return err
		}
	}
}

func (w *writer) add(id types.RowID, cell uint32, row types.Row) error {
	if len(w.ids) == maxRows-1 {
		return pgerr.Newf(pgerr.ProgramLimitExceeded, "a segment cannot have more than %d rows", uint64(maxRows)-1)
	}
	if err := w.enterCell(cell); err != nil {
		return err
	}
	size := 8
	for _, b := range w.buffers {
		if err := b.add(row[b.col.Num-1]); err != nil {
			return err
		}
		size += b.bytes()
	}
	w.ids = append(w.ids, id)
	w.x.cells[len(w.x.cells)-1].Rows++
	w.pending++
	w.bytes = size
	if w.bytes >= w.o.GroupBytes {
		return w.flush()
	}
	return nil
}

// enterCell notes where a cell begins, and cuts the row group there when it is
// large enough.
func (w *writer) enterCell(cell uint32) error {
	if n := len(w.x.cells); n > 0 && w.x.cells[n-1].Number == cell {
		return nil
	}
	if w.seen[cell] {
		return pgerr.Newf(pgerr.InternalError, "the rows of cell %d do not come one after the other", cell)
	}
	w.seen[cell] = true
	w.x.cells = append(w.x.cells, Cell{Number: cell, First: uint32(len(w.ids))})
	if w.bytes >= w.o.GroupBytes/2 {
		return w.flush()
	}
	return nil
}

// flush writes the open row group.
func (w *writer) flush() error {
	if w.pending == 0 {
		return nil
	}
	first := len(w.ids) - w.pending
	g := group{first: uint32(first), rows: uint32(w.pending)}
	g.firstCell, g.lastCell = w.cellAt(first), w.cellAt(len(w.ids)-1)
	rg := w.pq.AppendRowGroup()
	if err := w.writeChunk(rg, &g, 0, func(c file.ColumnChunkWriter) error { return w.writeIDs(c, first) }); err != nil {
		return err
	}
	for _, b := range w.buffers {
		if err := w.writeChunk(rg, &g, b.nulls, b.plain.write); err != nil {
			return err
		}
		g.stats = append(g.stats, b.stats)
	}
	for _, b := range w.buffers {
		if b.exact == nil {
			continue
		}
		err := w.writeChunk(rg, &g, g.rows-b.exacts, func(c file.ColumnChunkWriter) error { return b.exact.write(c, b.exactDef, nil) })
		if err != nil {
			return err
		}
	}
	if err := rg.Close(); err != nil {
		return err
	}
	for _, b := range w.buffers {
		b.reset()
	}
	w.x.groups = append(w.x.groups, g)
	w.pending, w.bytes = 0, 0
	return nil
}

// cellAt is the cell of a position of the open group, found from the end.
func (w *writer) cellAt(position int) uint32 {
	i := len(w.x.cells) - 1
	for int(w.x.cells[i].First) > position {
		i--
	}
	return w.x.cells[i].Number
}

func (w *writer) writeIDs(c file.ColumnChunkWriter, first int) error {
	values := make([]int64, 0, w.pending)
	for _, id := range w.ids[first:] {
		values = append(values, int64(id))
	}
	return writeChunk(c, values, nil, nil)
}

func (w *writer) writeChunk(rg file.SerialRowGroupWriter, g *group, nulls uint32, write func(file.ColumnChunkWriter) error) error {
	start := w.sink.at
	w.sink.part = 0
	c, err := rg.NextColumn()
	if err != nil {
		return err
	}
	if err := write(c); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	length := w.sink.at - start
	if length > 1<<31 {
		return pgerr.New(pgerr.ProgramLimitExceeded, "a column chunk cannot be larger than 2 GB")
	}
	g.chunks = append(g.chunks, chunk{start, uint32(length), w.sink.part, nulls})
	return nil
}

// finish writes the index part and then Parquet's footer, which comes first in
// time: it is held back, because the index part has its checksum.
func (w *writer) finish() error {
	x := &w.x
	var unique bool
	if x.ids, unique = makeIDs(w.ids); !unique {
		return pgerr.New(pgerr.InternalError, "a row id occurs twice in a segment")
	}
	x.rows, x.offset = uint64(len(w.ids)), w.sink.at
	part := x.encode()
	for _, e := range [][2]string{
		{"akidb.rows", strconv.FormatUint(x.rows, 10)},
		{"akidb.data_crc32c", fmt.Sprintf("%08x", w.sink.all)},
		{"akidb.index_offset", strconv.FormatInt(x.offset, 10)},
		{"akidb.index_bytes", strconv.FormatInt(x.length, 10)},
	} {
		if err := w.pq.AppendKeyValueMetadata(e[0], e[1]); err != nil {
			return err
		}
	}
	w.sink.hold = true
	// Close drops the error of the footer: FlushWithFooter tells it.
	if err := w.pq.FlushWithFooter(); err != nil {
		return err
	}
	w.sink.hold = false
	x.footer, x.footerCRC = int64(len(w.sink.held)), crc32.Checksum(w.sink.held, castagnoli)
	x.seal(part)
	if _, err := w.sink.Write(part); err != nil {
		return err
	}
	if _, err := w.sink.Write(w.sink.held); err != nil {
		return err
	}
	if err := w.sink.w.Flush(); err != nil {
		w.sink.err = errStore{err}
		return w.sink.err
	}
	return nil
}

func (w *writer) summary() Summary {
	s := Summary{
		Rows: w.x.rows, Bytes: w.sink.at, CRC: w.sink.all, TailBytes: w.x.length + w.x.footer,
		Groups: len(w.x.groups), Cells: len(w.x.cells), CreatedAt: w.x.created,
	}
	for i, id := range w.ids {
		if i == 0 || id < s.MinRowID {
			s.MinRowID = id
		}
		s.MaxRowID = max(s.MaxRowID, id)
	}
	return s
}
