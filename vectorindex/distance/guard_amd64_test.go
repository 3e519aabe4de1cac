package distance

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// guarded is n bytes that end where a page begins that must not be touched.
func guarded(t *testing.T, n int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	size := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(m) })
	if err := syscall.Mprotect(m[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return m[size-n : size : size]
}

func as[T any](b []byte) []T {
	var x T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(x)))
}

// A kernel that reads a byte beyond its input ends the process here.
func TestKernelsReadNothingBeyondTheirInput(t *testing.T) {
	const most = 150
	fa, fb := as[float32](guarded(t, 4*most)), as[float32](guarded(t, 4*most))
	ha, hb := as[uint16](guarded(t, 2*most)), as[uint16](guarded(t, 2*most))
	ba, bb := guarded(t, most), guarded(t, most)
	eachLevel(t, func(t *testing.T) {
		for n := range most + 1 {
			p := newPair(uint64(n), n)
			q := pair{fa[most-n:], fb[most-n:], ha[most-n:], hb[most-n:], ba[most-n:], bb[most-n:], as[int8](bb[most-n:])}
			copy(q.a, p.a)
			copy(q.b, p.b)
			copy(q.ha, p.ha)
			copy(q.hb, p.hb)
			copy(q.ba, p.ba)
			copy(q.bb, p.bb)
			compare(t, q)
		}
	})
}

func TestKernelsTakeInputAtAnyAddress(t *testing.T) {
	const room = 512
	eachLevel(t, func(t *testing.T) {
		for shift := range 8 {
			for _, n := range []int{1, 15, 16, 17, 63, 64, 65, 100, 333} {
				p := newPair(uint64(shift), room)
				compare(t, pair{p.a[shift : shift+n], p.b[2*shift : 2*shift+n], p.ha[shift : shift+n], p.hb[2*shift : 2*shift+n],
					p.ba[shift : shift+n], p.bb[2*shift : 2*shift+n], p.q[shift : shift+n]})
			}
		}
	})
}

func TestManyCodesOfAnySizeAreAsEachAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	for _, dims := range []int{64, 128, 192, 512, 832} {
		const count = 11
		memory := guarded(t, count*dims)
		for i := range memory {
			memory[i] = uint8(random.Uint32())
		}
		query, out := make([]int8, dims), make([]int32, count)
		for i := range query {
			query[i] = int8(random.Uint32())
		}
		var codes []uintptr
		for i := range count {
			codes = append(codes, uintptr(unsafe.Pointer(&memory[i*dims])))
		}
		random.Shuffle(count, func(i, j int) { codes[i], codes[j] = codes[j], codes[i] })
		t.Run(fmt.Sprint(dims), func(t *testing.T) {
			eachLevel(t, func(t *testing.T) {
				DotCodesMany(query, codes, out)
				for i, got := range out {
					at := int(codes[i] - uintptr(unsafe.Pointer(&memory[0])))
					if want := dotCodesPortable(memory[at:at+dims], query); got != want {
						t.Fatalf("code %d: %d, want %d", i, got, want)
					}
				}
			})
		})
	}
}
