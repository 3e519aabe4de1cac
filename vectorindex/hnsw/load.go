package hnsw

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// damaged is why a checkpoint cannot be used; the index is then built anew.
func damaged(format string, args ...any) error {
	return pgerr.New(pgerr.DataCorrupted, "hnsw checkpoint: "+fmt.Sprintf(format, args...))
}

// Load reads a checkpoint. It fails when a byte of it is not what was written, or
// when it was written by an index of other options (Workers may differ).
func Load(path string, o Options) (*Index, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return loadFrom(file, info.Size(), o)
}

func loadFrom(file io.ReaderAt, size int64, o Options) (*Index, error) {
	x, err := New(o)
	if err != nil {
		return nil, err
	}
	bare, err := x.load(file, size)
	if err == nil && bare {
		err = errBare()
	}
	if err != nil {
		_ = x.Close() // the first error counts
		return nil, err
	}
	x.ready()
	return x, nil
}

// ready makes what searches of a loaded graph begin with.
func (x *Index) ready() {
	w := x.borrow(int(x.slots))
	defer x.giveBack(w)
	x.chooseScouts(w, x.slots)
	x.settled = x.graphed.Load()
}

func decodeHeader(b []byte) (h header, err error) {
	le := binary.LittleEndian
	switch {
	case string(b[:8]) != checkpointMagic:
		return h, damaged("the file does not start as one")
	case crc32.Checksum(b[:headerSize-checksumSize], castagnoli) != le.Uint32(b[headerSize-checksumSize:]):
		return h, damaged("wrong checksum of the header")
	case le.Uint32(b[8:]) != checkpointVersion:
		return h, damaged("version %d, this program reads %d", le.Uint32(b[8:]), checkpointVersion)
	}
	h.options = Options{Type: types.OID(le.Uint32(b[12:])), Metric: types.Metric(b[16]), Dims: int(le.Uint32(b[20:])),
		M: int(le.Uint32(b[24:])), EfConstruction: int(le.Uint32(b[28:]))}
	h.coded, h.centred, h.bare = b[17]&1 != 0, b[17]&2 != 0, b[17]&4 != 0
	h.slots, h.blocks = le.Uint32(b[32:]), le.Uint32(b[36:])
	h.sparseBytes, h.entry = le.Uint64(b[40:]), le.Uint64(b[48:])
	return h, nil
}

// load fills a new index, which nobody else knows yet; bare says that its vectors are
// not in the file.
func (x *Index) load(file io.ReaderAt, size int64) (bare bool, err error) {
	first := make([]byte, headerSize)
	if _, err := file.ReadAt(first, 0); err != nil {
		return false, damaged("no header: %v", err)
	}
	h, err := decodeHeader(first)
	if err != nil {
		return false, err
	}
	if err := x.checkHeader(&h, size); err != nil {
		return false, err
	}
	if err := x.lay(&h); err != nil {
		return false, err
	}
	centre, counts, err := x.readSections(file, &h)
	if err != nil {
		return false, err
	}
	if x.kind == kindSparse {
		if err := x.readSparse(file, &h, size, counts); err != nil {
			return false, err
		}
	}
	if h.coded {
		x.sq.Store(quantize.NewSQ8(x.options.Metric, x.options.Dims, centre))
	}
	return h.bare, x.adopt(&h)
}

func (x *Index) checkHeader(h *header, size int64) error {
	want := x.options
	want.Workers = 0
	if h.options != want {
		return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState,
			"hnsw checkpoint: written with options %+v, not %+v", h.options, want)
	}
	if h.slots > maxSlots || (h.centred && !h.coded) || (h.bare && x.kind == kindSparse) || (h.coded && x.kind != kindCodes) ||
		(h.sparseBytes > 0 && x.kind != kindSparse) {
		return damaged("impossible header")
	}
	need := int64(headerSize)
	for _, s := range x.sections(h) {
		need += s.fileBytes()
	}
	need += sparseFileBytes(h.sparseBytes)
	if need != size || h.sparseBytes > 1<<50 {
		return damaged("%d bytes long, not %d", size, need)
	}
	return nil
}

func sparseFileBytes(n uint64) int64 {
	return int64(n + (n+blockTarget-1)/blockTarget*checksumSize)
}

// lay maps the memory and numbers the upper blocks as Append does.
func (x *Index) lay(h *header) error {
	if err := x.growTo(int(h.slots), int(h.blocks)); err != nil {
		return err
	}
	for s := range h.slots {
		*x.first.word(s) = x.blocks
		x.blocks += uint32(x.level(s))
	}
	x.slots = h.slots
	if x.blocks != h.blocks {
		return damaged("%d upper lists, not %d", h.blocks, x.blocks)
	}
	return nil
}

// readSections reads all arrays with all workers: each block is read straight to
// its place and checked there.
func (x *Index) readSections(file io.ReaderAt, h *header) (centre []float32, counts []uint32, err error) {
	var failed error
	var mu sync.Mutex // guards failed
	offset := int64(headerSize)
	for _, s := range x.sections(h) {
		var flat []byte
		switch {
		case s.arena == nil && x.kind == kindSparse:
			counts = make([]uint32, s.records)
			flat = bytesOf(counts)
		case s.arena == nil:
			centre = make([]float32, s.records)
			flat = bytesOf(centre)
		}
		blocks := (s.records + s.perBlock - 1) / s.perBlock
		x.inParallel(context.Background(), blocks, x.options.Workers, func() (func(int), func()) {
			var buffer []byte
			return func(block int) {
				var err error
				if buffer, err = s.readBlock(file, offset, block, flat, buffer); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			}, func() {}
		})
		if failed != nil {
			return nil, nil, failed
		}
		offset += s.fileBytes()
	}
	return centre, counts, nil
}

// readBlock reads one block into its place. The buffer stays in the cache, so
// that the checksum and the copy cost no memory traffic.
func (s *section) readBlock(file io.ReaderAt, offset int64, block int, flat, buffer []byte) ([]byte, error) {
	first := block * s.perBlock
	n := min(s.perBlock, s.records-first)
	bytes := n * s.size
	buffer = slices.Grow(buffer[:0], bytes+checksumSize)[:bytes+checksumSize]
	at := offset + int64(first)*int64(s.size) + int64(block)*checksumSize
	if _, err := file.ReadAt(buffer, at); err != nil {
		return buffer, damaged("reading at %d: %v", at, err)
	}
	if crc32.Checksum(buffer[:bytes], castagnoli) != binary.LittleEndian.Uint32(buffer[bytes:]) {
		return buffer, damaged("wrong checksum of the block at %d", at)
	}
	if flat != nil {
		copy(flat[first*s.size:], buffer[:bytes])
		return buffer, nil
	}
	records, got := s.arena.run(uint32(first), n)
	if got != n {
		panic("hnsw: a block crosses a chunk")
	}
	copy(records, buffer[:bytes])
	return buffer, nil
}

// readSparse reads the elements of sparse vectors, in slot order.
func (x *Index) readSparse(file io.ReaderAt, h *header, size int64, counts []uint32) error {
	elems := make([]byte, 0, h.sparseBytes)
	at := size - sparseFileBytes(h.sparseBytes)
	buffer := make([]byte, blockTarget+checksumSize)
	for left := int64(h.sparseBytes); left > 0; {
		n := min(left, blockTarget)
		block := buffer[:n+checksumSize]
		if _, err := file.ReadAt(block, at); err != nil {
			return damaged("reading at %d: %v", at, err)
		}
		if crc32.Checksum(block[:n], castagnoli) != binary.LittleEndian.Uint32(block[n:]) {
			return damaged("wrong checksum of the block at %d", at)
		}
		elems = append(elems, block[:n]...)
		at += n + checksumSize
		left -= n
	}
	for s, count := range counts {
		n := int(count) * 4
		if 2*n > len(elems) {
			return damaged("elements of slot %d are missing", s)
		}
		v := types.SparseVector{Dim: int32(x.options.Dims), Index: make([]int32, count), Value: make([]float32, count)}
		copy(bytesOf(v.Index), elems[:n])
		copy(bytesOf(v.Value), elems[n:2*n])
		elems = elems[2*n:]
		if err := x.store(uint32(s), v); err != nil {
			return err
		}
	}
	if len(elems) > 0 {
		return damaged("%d bytes of elements too many", len(elems))
	}
	return nil
}

// adopt makes the map of row ids, the tail and the free slots from the states,
// and checks what the memory safety of searches rests on.
func (x *Index) adopt(h *header) error {
	x.ids = make(map[types.RowID]uint32, h.slots)
	for s := range h.slots {
		switch x.state(s) {
		case stateFree:
			x.unused = append(x.unused, s)
			continue
		case stateTail:
			x.tail = append(x.tail, s)
			x.tailed++
		case stateGraph:
			x.graphed.Add(1)
		case stateDeleted:
			x.graphed.Add(1)
			x.deleted.Add(1)
		default:
			return damaged("slot %d has state %d", s, x.state(s))
		}
		if x.live(s) {
			x.ids[x.rowID(s)] = s
		}
		if x.inGraph(s) {
			if err := x.checkLists(s); err != nil {
				return err
			}
		}
	}
	x.uncoded = len(x.tail)
	if len(x.ids)+len(x.unused)+int(x.deleted.Load()) != int(h.slots) {
		return damaged("a row id occurs twice")
	}
	return x.checkEntry(h)
}

func (x *Index) checkLists(slot uint32) error {
	for level := x.level(slot); level >= 0; level-- {
		for _, s := range x.neighbours(slot, level) {
			if s == none {
				break
			}
			if s >= x.slots || !x.inGraph(s) || (level > 0 && x.level(s) < level) {
				return damaged("slot %d has the impossible neighbour %d", slot, s)
			}
		}
	}
	return nil
}

func (x *Index) checkEntry(h *header) error {
	x.entry.Store(h.entry)
	slot, level, ok := x.entryPoint()
	switch {
	case !ok && x.graphed.Load() == 0:
	case !ok:
		return damaged("the graph has no entry")
	case slot >= x.slots || !x.inGraph(slot) || x.level(slot) != level:
		return damaged("impossible entry")
	case x.kind == kindCodes && !h.coded:
		return damaged("the graph has no codes")
	}
	return nil
}
