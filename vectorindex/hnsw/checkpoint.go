package hnsw

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"unsafe"
)

// The checkpoint file is described byte by byte in docs/formats/hnsw-checkpoint.md.
const (
	checkpointMagic   = "AKIHNSW\n"
	checkpointVersion = 1
	headerSize        = 128
	blockTarget       = 1 << 20 // bytes of a block, about
	checksumSize      = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the fixed part of a checkpoint.
type header struct {
	options     Options
	slots       uint32
	blocks      uint32
	sparseBytes uint64
	entry       uint64
	centred     bool
	coded       bool // the quantizer is there
	bare        bool // vectors and codes are not there
}

func (h *header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, checkpointMagic)
	le := binary.LittleEndian
	le.PutUint32(b[8:], checkpointVersion)
	le.PutUint32(b[12:], uint32(h.options.Type))
	b[16] = uint8(h.options.Metric)
	b[17] = flag(h.coded) | flag(h.centred)<<1 | flag(h.bare)<<2
	le.PutUint32(b[20:], uint32(h.options.Dims))
	le.PutUint32(b[24:], uint32(h.options.M))
	le.PutUint32(b[28:], uint32(h.options.EfConstruction))
	le.PutUint32(b[32:], h.slots)
	le.PutUint32(b[36:], h.blocks)
	le.PutUint64(b[40:], h.sparseBytes)
	le.PutUint64(b[48:], h.entry)
	le.PutUint32(b[headerSize-checksumSize:], crc32.Checksum(b[:headerSize-checksumSize], castagnoli))
	return b
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// section is a part of the file that is an array of records: blocks of up to
// perBlock records, each with its checksum.
type section struct {
	arena    *arena // nil for the centre
	records  int
	size     int // bytes of a record
	perBlock int // a power of two
}

func (s *section) fileBytes() int64 {
	blocks := (s.records + s.perBlock - 1) / s.perBlock
	return int64(s.records)*int64(s.size) + int64(blocks)*checksumSize
}

// newSection picks blocks that never cross a chunk of the arena.
func newSection(a *arena, records, size int) section {
	perBlock := 1
	for perBlock*2*size <= blockTarget {
		perBlock *= 2
	}
	if a != nil {
		perBlock = min(perBlock, int(a.mask)+1)
	}
	return section{arena: a, records: records, size: size, perBlock: perBlock}
}

// sections are the arrays of a checkpoint in the order of the file. Sparse
// elements follow them.
func (x *Index) sections(h *header) []section {
	n := int(h.slots)
	list := []section{newSection(&x.rows, n, 8), newSection(&x.states, n, 4)}
	if h.centred {
		list = append(list, newSection(nil, h.options.Dims, 4))
	}
	switch {
	case x.kind == kindSparse:
		list = append(list, newSection(nil, n, 4)) // counts of elements
	case !h.bare:
		list = append(list, newSection(&x.raw, n, int(x.raw.stride)))
	}
	if h.coded && !h.bare {
		list = append(list, newSection(&x.codes, n, int(x.codes.stride)))
	}
	return append(list, newSection(&x.links, n, int(x.links.stride)), newSection(&x.upper, int(h.blocks), int(x.upper.stride)))
}

// image is what a checkpoint says of slots: rows may come and go while the rest
// of the file is written.
type image struct {
	rows   []uint64
	states []uint32
	counts []uint32 // of elements of sparse vectors
	header header
}

// WriteCheckpoint writes the index as it is at some moment during the call.
// Appends, removals and searches go on; Build and Drain wait.
func (x *Index) WriteCheckpoint(w io.Writer) error { return x.writeImage(w, false) }

func (x *Index) writeImage(w io.Writer, bare bool) error {
	x.maintain.Lock()
	defer x.maintain.Unlock()
	if x.isClosed() {
		return ErrClosed
	}
	x.reach() // insertions since the last time may have cut paths
	img, err := x.takeImage()
	if err != nil {
		return err
	}
	img.header.bare = bare
	out := &blockWriter{w: w}
	out.write(img.header.encode())
	for _, s := range x.sections(&img.header) {
		x.writeSection(out, &s, img)
	}
	if x.kind == kindSparse {
		x.writeSparse(out, img)
	}
	return out.err
}

// takeImage copies row ids and states. From then on the lists stand still, as
// maintain is held, and so do vectors, as slots are retired only under it.
func (x *Index) takeImage() (*image, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, ErrClosed
	}
	sq := x.sq.Load()
	img := &image{rows: make([]uint64, x.slots), states: make([]uint32, x.slots)}
	img.header = header{options: x.options, slots: x.slots, blocks: x.blocks, entry: x.entry.Load(),
		coded: sq != nil, centred: sq != nil && sq.Centre() != nil}
	if x.kind == kindSparse {
		img.counts = make([]uint32, x.slots)
	}
	for s := range x.slots {
		state := x.state(s)
		if state == stateDead || state == stateFree {
			continue // a removed slot of the tail is free for a reader
		}
		img.states[s] = state
		img.rows[s] = uint64(x.rowID(s))
		if x.kind == kindSparse {
			img.counts[s] = (*sparseRecord)(x.raw.at(s)).count
			img.header.sparseBytes += uint64(img.counts[s]) * 8
		}
	}
	return img, nil
}

func (x *Index) writeSection(out *blockWriter, s *section, img *image) {
	var flat []byte
	switch {
	case s.arena == &x.rows:
		flat = bytesOf(img.rows)
	case s.arena == &x.states:
		flat = bytesOf(img.states)
	case s.arena == nil && x.kind == kindSparse:
		flat = bytesOf(img.counts)
	case s.arena == nil:
		flat = bytesOf(x.sq.Load().Centre())
	}
	var buffer []byte
	for first := 0; first < s.records; first += s.perBlock {
		if x.closing.Load() {
			out.fail(ErrClosed)
			return
		}
		n := min(s.perBlock, s.records-first)
		if flat != nil {
			out.block(flat[first*s.size : (first+n)*s.size])
			continue
		}
		records, _ := s.arena.run(uint32(first), n)
		buffer = append(buffer[:0], records...) // the checksum must be of the bytes that are written
		x.blankFree(buffer, s, first, n, img)
		out.block(buffer)
	}
}

// blankFree writes zeros for slots that hold nothing: an Append may be writing
// to them, and they tell nothing. Lists of slots outside the graph are blank too.
func (x *Index) blankFree(buffer []byte, s *section, first, n int, img *image) {
	if s.arena == &x.upper {
		return
	}
	for i := range n {
		state := img.states[first+i]
		if state == stateFree || (s.arena != &x.raw && state == stateTail) {
			clear(buffer[i*s.size : (i+1)*s.size])
		}
	}
}

// writeSparse writes the elements of all sparse vectors, slot by slot.
func (x *Index) writeSparse(out *blockWriter, img *image) {
	var buffer []byte
	for s, count := range img.counts {
		if count == 0 {
			continue
		}
		v := x.sparseVector(uint32(s))
		buffer = append(buffer, bytesOf(v.Index)...)
		buffer = append(buffer, bytesOf(v.Value)...)
		for len(buffer) >= blockTarget {
			out.block(buffer[:blockTarget])
			buffer = buffer[:copy(buffer, buffer[blockTarget:])]
		}
	}
	if len(buffer) > 0 {
		out.block(buffer)
	}
}

// blockWriter writes blocks with their checksums and remembers the first error.
type blockWriter struct {
	w   io.Writer
	err error
}

func (o *blockWriter) block(b []byte) {
	o.write(b)
	o.write(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli)))
}

func (o *blockWriter) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *blockWriter) write(b []byte) {
	if o.err == nil {
		_, o.err = o.w.Write(b)
	}
}

func bytesOf[T uint32 | uint64 | int32 | float32](v []T) []byte {
	if len(v) == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}
