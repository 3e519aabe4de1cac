package hnsw

import (
	"math/bits"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/akidb/akidb/internal/types"
)

// sparseRecord is what a slot holds of a sparsevec: its elements lie in the heap
// as room/8 indexes and values, indexes first. A slot keeps its room.
type sparseRecord struct {
	elems   unsafe.Pointer // off the Go heap
	count   uint32
	room    uint32 // elements that elems has room for
	inverse float32
	_       uint32
}

func (r *sparseRecord) vector(dims int32) types.SparseVector {
	if r.count == 0 {
		return types.SparseVector{Dim: dims}
	}
	return types.SparseVector{
		Dim:   dims,
		Index: unsafe.Slice((*int32)(r.elems), r.count),
		Value: unsafe.Slice((*float32)(unsafe.Add(r.elems, uintptr(r.room)*4)), r.count),
	}
}

// sparseHeap is memory off the Go heap for elements of sparse vectors, in pieces
// of a power of two. It is guarded by the index's mu.
type sparseHeap struct {
	maps  [][]byte
	left  []byte               // of the last map
	free  [32][]unsafe.Pointer // pieces to use again, by log2 of their elements
	bytes int64
}

// store writes v to the record of a slot that nobody reads.
func (h *sparseHeap) store(r *sparseRecord, v types.SparseVector) error {
	n := uint32(len(v.Index))
	if n > r.room {
		if r.room > 0 {
			class := bits.Len32(r.room - 1)
			h.free[class] = append(h.free[class], r.elems)
			r.room = 0
		}
		if err := h.allocate(r, n); err != nil {
			return err
		}
	}
	r.count = n
	r.inverse = inverseNorm(v.Value)
	own := r.vector(v.Dim)
	copy(own.Index, v.Index)
	copy(own.Value, v.Value)
	return nil
}

func (h *sparseHeap) allocate(r *sparseRecord, n uint32) error {
	class := bits.Len32(n - 1)
	room := uint32(1) << class
	if free := h.free[class]; len(free) > 0 {
		r.elems, r.room = free[len(free)-1], room
		h.free[class] = free[:len(free)-1]
		return nil
	}
	size := int(room) * 8
	if size > len(h.left) {
		m, err := unix.Mmap(-1, 0, max(chunkBytes, size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return err
		}
		h.maps = append(h.maps, m)
		h.left = m
	}
	r.elems, r.room = unsafe.Pointer(&h.left[0]), room
	h.left = h.left[size:]
	h.bytes += int64(size)
	return nil
}

func (h *sparseHeap) release() error {
	var first error
	for _, m := range h.maps {
		if err := unix.Munmap(m); err != nil && first == nil {
			first = err
		}
	}
	*h = sparseHeap{}
	return first
}
