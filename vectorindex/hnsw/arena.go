package hnsw

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// chunkBytes is the size of a chunk of address space; pages that are never
// touched cost nothing. It is a multiple of a huge page.
const chunkBytes = 16 << 20

// arena is an array of records of one size that grows without moving. One
// goroutine grows it at a time; any number may use records that are there.
type arena struct {
	stride uintptr
	shift  uint
	mask   uint32
	chunks atomic.Pointer[[]unsafe.Pointer]
	maps   [][]byte // what to unmap; guarded as growing is
}

// init sets the size of a record, a multiple of 4 bytes of at most chunkBytes.
func (a *arena) init(stride int) {
	a.stride = uintptr(stride)
	a.shift = uint(bits.Len(uint(chunkBytes/stride))) - 1
	a.mask = 1<<a.shift - 1
	a.chunks.Store(new([]unsafe.Pointer))
}

// at is the address of record i, which must be there.
func (a *arena) at(i uint32) unsafe.Pointer {
	chunks := *a.chunks.Load()
	return unsafe.Add(chunks[i>>a.shift], uintptr(i&a.mask)*a.stride)
}

// bytes is record i as bytes.
func (a *arena) bytes(i uint32) []byte { return unsafe.Slice((*byte)(a.at(i)), a.stride) }

// run is the records from i on that lie in one piece, at most n, and their number.
func (a *arena) run(i uint32, n int) ([]byte, int) {
	n = min(n, int(a.mask-i&a.mask)+1)
	return unsafe.Slice((*byte)(a.at(i)), uintptr(n)*a.stride), n
}

// word is record i as an atomic; records are aligned to their first 4 bytes.
func (a *arena) word(i uint32) *uint32 { return (*uint32)(a.at(i)) }

// grow makes room for n records; new ones are zero.
func (a *arena) grow(n int) error {
	old := *a.chunks.Load()
	want := (n + int(a.mask)) >> a.shift
	if want <= len(old) {
		return nil
	}
	chunks := append(make([]unsafe.Pointer, 0, want), old...)
	for len(chunks) < want {
		p, err := a.mapChunk(len(chunks) > 0)
		if err != nil {
			return err
		}
		chunks = append(chunks, p)
	}
	a.chunks.Store(&chunks)
	return nil
}

// mapChunk maps one chunk. All chunks but the first, which may hold three
// vectors, ask for huge pages: a random read then seldom misses the TLB.
func (a *arena) mapChunk(huge bool) (unsafe.Pointer, error) {
	const hugePage = 2 << 20
	size := chunkBytes
	if huge {
		size += hugePage
	}
	m, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	a.maps = append(a.maps, m)
	skip := 0
	if huge {
		skip = int(-uintptr(unsafe.Pointer(&m[0])) & (hugePage - 1))
		adviseHuge(m[skip : skip+chunkBytes])
	}
	return unsafe.Pointer(&m[skip]), nil
}

// free unmaps all; nobody may use the arena any more.
func (a *arena) free() error {
	var first error
	for _, m := range a.maps {
		if err := unix.Munmap(m); err != nil && first == nil {
			first = err
		}
	}
	a.maps = nil
	a.chunks.Store(new([]unsafe.Pointer))
	return first
}
