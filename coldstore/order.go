package coldstore

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// rowOrder is the order in which a seal writes its rows: 8 bytes each.
type rowOrder struct {
	ids   []types.RowID
	cells []cellEnd
}

// cellEnd is where the rows of a cell end in rowOrder.ids.
type cellEnd struct {
	number uint32
	end    int
}

// arrange orders the rows by the cells of the first vector index that has a file.
// Those that the index does not hold come last, by their ids, as do all when there is
// no file.
func (w *sealer) arrange(ctx context.Context) (o rowOrder, err error) {
	left := roaring64.New()
	var sorted []types.RowID
	rising := true
	err = w.in.Rows(ctx, nil, nil, func(id types.RowID, _ types.Row) error {
		rising = rising && (len(sorted) == 0 || id > sorted[len(sorted)-1])
		sorted = append(sorted, id)
		return nil
	})
	if err != nil {
		return o, err
	}
	if !rising {
		slices.Sort(sorted)
		sorted = slices.Compact(sorted)
	}
	at := slices.IndexFunc(w.vectors, func(x *catalog.Index) bool { return w.files[x.ID] != "" })
	if at < 0 || w.in.Bare {
		return rowOrder{sorted, []cellEnd{{0, len(sorted)}}}, nil
	}
	for _, id := range sorted {
		left.Add(uint64(id))
	}
	x := w.vectors[at]
	options, _ := IVFOptions(x)
	storage, err := ivf.Map(w.files[x.ID])
	if err != nil {
		return o, err
	}
	index, err := ivf.Open(ctx, storage, options, nil)
	if err != nil {
		return o, err
	}
	defer func() { _ = index.Close() }() // only read
	o.ids = make([]types.RowID, 0, len(sorted))
	err = index.EachCell(ctx, func(number int, ids []types.RowID) error {
		before := len(o.ids)
		for _, id := range ids {
			if left.CheckedRemove(uint64(id)) {
				o.ids = append(o.ids, id)
			}
		}
		slices.Sort(o.ids[before:])
		if len(o.ids) > before {
			o.cells = append(o.cells, cellEnd{uint32(number), len(o.ids)})
		}
		return nil
	})
	if err != nil {
		return o, err
	}
	if n := int(left.GetCardinality()); n > 0 {
		for i := left.Iterator(); i.HasNext(); {
			o.ids = append(o.ids, types.RowID(i.Next()))
		}
		o.cells = append(o.cells, cellEnd{uint32(index.Cells()), len(o.ids)})
	}
	return o, nil
}

// chunkBytes is about how much is asked of the row source at once.
const chunkBytes = 8 << 20

// chunk is rows in the order in which they are written.
type chunk struct {
	first int // place in the order
	rows  []types.Row
	bytes []int
	err   error
}

// rowStream gives a seal's rows in its order, as package segment takes them. One
// goroutine reads ahead, so that reading and encoding overlap.
type rowStream struct {
	w      *sealer
	cancel context.CancelFunc
	chunks chan chunk
	cur    chunk
	at     int // rows given
	cell   int
	limit  int64
	bytes  int64 // of the open segment
}

func newRowStream(ctx context.Context, w *sealer) *rowStream {
	ctx, cancel := context.WithCancel(ctx)
	s := &rowStream{w: w, cancel: cancel, chunks: make(chan chunk, 1)}
	go s.read(ctx)
	return s
}

// close ends the reader and waits for it.
func (s *rowStream) close() {
	s.cancel()
	for range s.chunks {
	}
}

func (s *rowStream) more() bool { return s.at < len(s.w.order.ids) }

// begin opens a segment of about limit bytes.
func (s *rowStream) begin(limit int64) { s.limit, s.bytes = limit, 0 }

// read asks the source chunk by chunk; the size of the rows seen decides how many.
func (s *rowStream) read(ctx context.Context) {
	defer close(s.chunks)
	ids, size := s.w.order.ids, 256
	for from := 0; from < len(ids); {
		c := s.w.fetch(ctx, from, ids[from:min(len(ids), from+size)])
		select {
		case s.chunks <- c:
		case <-ctx.Done():
			return
		}
		if c.err != nil {
			return
		}
		sum := 1
		for _, b := range c.bytes {
			sum += b
		}
		from += len(c.rows)
		size = max(64, min(16384, chunkBytes/max(1, sum/len(c.rows))))
	}
}

// fetch reads rows, in the order of their ids for the sake of the source.
func (w *sealer) fetch(ctx context.Context, first int, ids []types.RowID) chunk {
	c := chunk{first: first, rows: make([]types.Row, len(ids)), bytes: make([]int, len(ids))}
	places := make(map[types.RowID]int, len(ids))
	for i, id := range ids {
		places[id] = i
	}
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	columns := allColumns(w.in.Table)
	c.err = w.in.Rows(ctx, columns, sorted, func(id types.RowID, row types.Row) error {
		i, ok := places[id]
		if !ok {
			return pgerr.Newf(pgerr.InternalError, "row %d came without being asked for", id)
		}
		c.rows[i], c.bytes[i] = slices.Clone(row), rowBytes(row)
		return nil
	})
	for i := range c.rows {
		if c.err == nil && c.rows[i] == nil {
			c.err = pgerr.Newf(pgerr.InternalError, "row %d is gone while the collection is sealed", ids[i])
		}
	}
	return c
}

// Next implements segment.Rows. A segment ends where a cell ends once it is large
// enough, and within a cell when it is a quarter too large.
func (s *rowStream) Next(dst types.Row) (types.RowID, uint32, bool, error) {
	o := &s.w.order
	if s.at == len(o.ids) {
		return 0, 0, false, nil
	}
	cellStarts := s.at == 0
	for s.at >= o.cells[s.cell].end {
		s.cell++
		cellStarts = true
	}
	if s.bytes >= s.limit && cellStarts || s.bytes >= s.limit+s.limit/4 {
		return 0, 0, false, nil
	}
	if s.at >= s.cur.first+len(s.cur.rows) {
		c, ok := <-s.chunks
		if !ok {
			return 0, 0, false, canceled()
		}
		if c.err != nil {
			return 0, 0, false, c.err
		}
		s.cur = c
	}
	i := s.at - s.cur.first
	copy(dst, s.cur.rows[i])
	s.cur.rows[i] = nil
	s.bytes += int64(s.cur.bytes[i])
	s.at++
	if s.at%1024 == 0 || s.at == len(o.ids) {
		s.w.progress(int64(s.at), s.w.total)
	}
	return o.ids[s.at-1], o.cells[s.cell].number, true, nil
}

// rowBytes estimates the size of a row in a segment before compression.
func rowBytes(row types.Row) int {
	n := 8
	for _, d := range row {
		switch d := d.(type) {
		case nil:
		case string:
			n += 4 + len(d)
		case types.JSONB:
			n += 4 + len(d)
		case []byte:
			n += 4 + len(d)
		case types.Vector:
			n += 4 * len(d)
		case types.HalfVector:
			n += 4 * len(d)
		case *types.Array:
			n += 16 * (1 + len(d.Elems))
		default:
			n += 16
		}
	}
	return n
}
