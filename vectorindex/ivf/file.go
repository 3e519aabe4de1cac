package ivf

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// The layout is in docs/formats/ivf.md.
const (
	magic          = "AKIDBIVF"
	version        = 1
	headerBytes    = 128
	directoryBytes = 16
	cellAlign      = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func damaged(format string, args ...any) error {
	return pgerr.New(pgerr.DataCorrupted, "ivf file: "+fmt.Sprintf(format, args...))
}

// Range is a piece of a file.
type Range struct{ Offset, Bytes int64 }

// Storage is where a file lies: mapped memory, or an object store.
type Storage interface {
	// ReadRanges appends the bytes of each range to dst. They are not written to, start
	// at a multiple of 8 if the range does, and stay as they are while the caller holds
	// them and the storage is open.
	ReadRanges(ctx context.Context, ranges []Range, dst [][]byte) ([][]byte, error)
	Size() int64
	Close() error
}

// header is the first 128 bytes of a file.
type header struct {
	options      Options
	cells        int
	rows         uint64
	seed         uint64
	reach, width float32
	lastID       types.RowID
	size         uint64
	bodySum      uint32 // of centroids and directory
}

func (h *header) encode() []byte {
	b, le := make([]byte, headerBytes), binary.LittleEndian
	copy(b, magic)
	le.PutUint32(b[8:], version)
	le.PutUint32(b[12:], uint32(h.options.Type))
	b[16] = byte(h.options.Metric)
	le.PutUint32(b[20:], uint32(h.options.Dims))
	le.PutUint32(b[24:], uint32(h.cells))
	le.PutUint64(b[32:], h.rows)
	le.PutUint64(b[40:], h.seed)
	le.PutUint32(b[48:], math.Float32bits(h.reach))
	le.PutUint32(b[52:], math.Float32bits(h.width))
	le.PutUint64(b[56:], uint64(h.lastID))
	le.PutUint64(b[64:], h.size)
	le.PutUint32(b[72:], h.bodySum)
	le.PutUint32(b[124:], crc32.Checksum(b[:124], castagnoli))
	return b
}

func decodeHeader(b []byte) (h header, err error) {
	le := binary.LittleEndian
	switch {
	case len(b) < headerBytes || string(b[:8]) != magic:
		return h, damaged("the file does not start as one")
	case crc32.Checksum(b[:124], castagnoli) != le.Uint32(b[124:]):
		return h, damaged("wrong checksum of the header")
	case le.Uint32(b[8:]) != version:
		return h, damaged("version %d, this program reads %d", le.Uint32(b[8:]), version)
	}
	h.options = Options{Type: types.OID(le.Uint32(b[12:])), Metric: types.Metric(b[16]), Dims: int(le.Uint32(b[20:]))}
	h.cells, h.rows, h.seed = int(le.Uint32(b[24:])), le.Uint64(b[32:]), le.Uint64(b[40:])
	h.reach, h.width = math.Float32frombits(le.Uint32(b[48:])), math.Float32frombits(le.Uint32(b[52:]))
	h.lastID, h.size, h.bodySum = types.RowID(le.Uint64(b[56:])), le.Uint64(b[64:]), le.Uint32(b[72:])
	return h, nil
}

// entry is a cell in the directory.
type entry struct {
	offset   uint64
	count    uint32
	checksum uint32
}

// file is an open file.
type file struct {
	header  header
	space   *space
	shape   shape
	cells   *centroids
	entries []entry
	checked []atomic.Bool // that the cell's checksum is right
	storage Storage
	once    bool // bytes that were right stay right

	// Guarded by Index.mu:
	refs     int    // searches and the index
	delta    []cell // what was appended to each cell
	appended int
	dead     map[types.RowID]struct{}
}

// openFile reads header, centroids and directory.
func openFile(ctx context.Context, storage Storage, o *Options) (*file, error) {
	first, err := storage.ReadRanges(ctx, []Range{{0, min(headerBytes, storage.Size())}}, nil)
	if err != nil {
		return nil, err
	}
	h, err := decodeHeader(first[0])
	if err != nil {
		return nil, err
	}
	if h.options.Type != o.Type || h.options.Metric != o.Metric || h.options.Dims != o.Dims {
		return nil, pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "ivf file: written for %d dimensions, %s, type %d, not %d, %s, type %d",
			h.options.Dims, metricName(h.options.Metric), h.options.Type, o.Dims, o.Metric, o.Type)
	}
	body := bodyBytes(&h, o)
	if h.cells == 0 || h.cells > maxFileCells || h.size != uint64(storage.Size()) || headerBytes+body > storage.Size() {
		return nil, damaged("impossible size")
	}
	if !(h.reach >= 0 && h.reach <= math.MaxFloat32 && h.width >= 0 && h.width <= math.MaxFloat32) {
		return nil, damaged("impossible header")
	}
	parts, err := storage.ReadRanges(ctx, []Range{{headerBytes, body}}, first[:0])
	if err != nil {
		return nil, err
	}
	f := &file{header: h, space: newSpace(o, h.seed, h.reach), storage: storage, checked: make([]atomic.Bool, h.cells)}
	f.shape = shapeOf(f.space)
	switch storage.(type) {
	case *mapped, memory:
		f.once = true
	}
	return f, f.readBody(parts[0])
}

func metricName(m types.Metric) string {
	if m > types.MetricJaccard {
		return "unknown metric"
	}
	return m.String()
}

// maxFileCells is far above what merges make of maxLists.
const maxFileCells = 1 << 24

func bodyBytes(h *header, o *Options) int64 {
	return int64(h.cells) * int64(4*paddedDims(o)+directoryBytes)
}

func (f *file) readBody(b []byte) error {
	if crc32.Checksum(b, castagnoli) != f.header.bodySum {
		return damaged("wrong checksum of the directory")
	}
	flat := make([]float32, f.header.cells*f.space.padded)
	for i := range flat {
		flat[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if !(flat[i] >= -math.MaxFloat32 && flat[i] <= math.MaxFloat32) {
			return damaged("a centroid is not finite")
		}
	}
	f.cells = &centroids{dims: f.space.padded, flat: flat}
	b = b[4*len(flat):]
	f.entries = make([]entry, f.header.cells)
	rows := uint64(0)
	for i := range f.entries {
		le, at := binary.LittleEndian, b[i*directoryBytes:]
		e := entry{le.Uint64(at), le.Uint32(at[8:]), le.Uint32(at[12:])}
		if e.offset%cellAlign != 0 || e.offset > f.header.size || uint64(e.count)*uint64(f.shape.rowBytes()) > f.header.size-e.offset {
			return damaged("cell %d lies outside the file", i)
		}
		f.entries[i] = e
		rows += uint64(e.count)
	}
	if rows != f.header.rows {
		return damaged("%d rows, not %d", rows, f.header.rows)
	}
	return nil
}

// encodeBody is centroids and directory as they stand after the header.
func encodeBody(flat []float32, entries []entry) []byte {
	b := make([]byte, 0, 4*len(flat)+directoryBytes*len(entries))
	for _, x := range flat {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint64(b, e.offset)
		b = binary.LittleEndian.AppendUint32(b, e.count)
		b = binary.LittleEndian.AppendUint32(b, e.checksum)
	}
	return b
}

// rangeOf is where a cell lies.
func (f *file) rangeOf(i int) Range {
	e := &f.entries[i]
	return Range{int64(e.offset), int64(e.count) * int64(f.shape.rowBytes())}
}

// viewOf lays cell i over its bytes and checks them, local ones the first time only. The codes can
// have any value; row ids are what the checksum protects.
func (f *file) viewOf(i int, b []byte) (cell, error) {
	if !f.once || !f.checked[i].Load() {
		if crc32.Checksum(b, castagnoli) != f.entries[i].checksum {
			return cell{}, damaged("wrong checksum of cell %d", i)
		}
		f.checked[i].Store(true)
	}
	if len(b) > 0 && uintptr(unsafe.Pointer(&b[0]))%8 != 0 {
		b = append(make([]byte, 0, len(b)), b...)
	}
	return f.shape.view(b, int(f.entries[i].count)), nil
}

// read reads one cell.
func (f *file) read(ctx context.Context, i int) (cell, error) {
	parts, err := f.storage.ReadRanges(ctx, []Range{f.rangeOf(i)}, nil)
	if err != nil {
		return cell{}, err
	}
	return f.viewOf(i, parts[0])
}
