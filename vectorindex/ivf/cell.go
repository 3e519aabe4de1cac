package ivf

import (
	"unsafe"

	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// shape is what the size of a cell's parts follows from.
type shape struct {
	signBytes, fineBytes int
	headBytes            int // of SignFactors; none for bits
	fineHeadBytes        int
}

const (
	idBytes       = 8
	signHeadBytes = int(unsafe.Sizeof(quantize.SignFactors{}))
	fineHeadBytes = int(unsafe.Sizeof(quantize.FineFactors{}))
)

func shapeOf(s *space) shape {
	if isBit(s.oid) {
		return shape{signBytes: ((s.dims+7)/8 + 7) &^ 7}
	}
	r := quantize.RaBitQ{Dims: s.padded}
	return shape{signBytes: r.SignBytes(), fineBytes: r.FineBytes(), headBytes: signHeadBytes, fineHeadBytes: fineHeadBytes}
}

// rowBytes is the size of a row in a cell.
func (s shape) rowBytes() int {
	return idBytes + s.headBytes + s.signBytes + s.fineHeadBytes + s.fineBytes
}

// cell is the rows of a cell as parallel arrays, in a file or in memory.
type cell struct {
	ids       []types.RowID
	heads     []quantize.SignFactors
	signs     []byte
	fineHeads []quantize.FineFactors
	fine      []byte
}

func (c *cell) len() int { return len(c.ids) }

// view lays a cell of n rows over bytes that start at a multiple of 8.
func (s shape) view(b []byte, n int) cell {
	if n == 0 {
		return cell{}
	}
	var c cell
	take := func(size int) unsafe.Pointer {
		if size == 0 {
			return nil
		}
		p := unsafe.Pointer(&b[:n*size][0])
		b = b[n*size:]
		return p
	}
	c.ids = unsafe.Slice((*types.RowID)(take(idBytes)), n)
	if p := take(s.headBytes); p != nil {
		c.heads = unsafe.Slice((*quantize.SignFactors)(p), n)
	}
	c.signs = unsafe.Slice((*byte)(take(s.signBytes)), n*s.signBytes)
	if p := take(s.fineHeadBytes); p != nil {
		c.fineHeads = unsafe.Slice((*quantize.FineFactors)(p), n)
		c.fine = unsafe.Slice((*byte)(take(s.fineBytes)), n*s.fineBytes)
	}
	return c
}

// row is one row's parts, which Encode fills.
func (s shape) row(c *cell, i int) cell {
	r := cell{ids: c.ids[i : i+1], signs: c.signs[i*s.signBytes : (i+1)*s.signBytes]}
	if s.headBytes > 0 {
		r.heads, r.fineHeads = c.heads[i:i+1], c.fineHeads[i:i+1]
		r.fine = c.fine[i*s.fineBytes : (i+1)*s.fineBytes]
	}
	return r
}

// put copies row from, a cell of one row, to place i.
func (s shape) put(c *cell, i int, from cell) {
	to := s.row(c, i)
	copy(to.ids, from.ids)
	copy(to.heads, from.heads)
	copy(to.signs, from.signs)
	copy(to.fineHeads, from.fineHeads)
	copy(to.fine, from.fine)
}

// append adds a cell of one row; readers of shorter slices are not disturbed.
func (c *cell) append(from cell) {
	c.ids = append(c.ids, from.ids...)
	c.heads = append(c.heads, from.heads...)
	c.signs = append(c.signs, from.signs...)
	c.fineHeads = append(c.fineHeads, from.fineHeads...)
	c.fine = append(c.fine, from.fine...)
}

// newRow is room for one row.
func (s shape) newRow() cell { return s.view(make([]byte, s.rowBytes()), 1) }

// encoder makes rows of cells. It belongs to one goroutine.
type encoder struct {
	space *space
	codes quantize.RaBitQ
	diff  []float32
}

func newEncoder(s *space) *encoder {
	return &encoder{space: s, codes: quantize.RaBitQ{Dims: s.padded}, diff: make([]float32, s.padded)}
}

// encode writes the row of a mapped vector of a cell; bits are coded as they are.
func (e *encoder) encode(to cell, id types.RowID, mapped, centre []float32, shift float32) {
	to.ids[0] = id
	if isBit(e.space.oid) {
		clear(to.signs)
		for i, x := range mapped[:e.space.dims] {
			if x > 0.5 {
				to.signs[i>>3] |= 0x80 >> (i & 7)
			}
		}
		return
	}
	subtract(e.diff, mapped, centre)
	to.heads[0], to.fineHeads[0] = e.codes.Encode(e.diff, to.signs, to.fine)
	to.heads[0].Bias += shift
}

func subtract(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}
