package distance

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// eachLevel runs a test with each set of kernels that the processor has.
func eachLevel(t *testing.T, test func(t *testing.T)) {
	best := level
	defer func() { level = best }()
	for level = levelPortable; ; level++ {
		t.Run(Level(), test)
		if level == best {
			return
		}
	}
}

func TestManyCodesAreAsEachAlone(t *testing.T) {
	const count, dims = 45, 192
	memory, err := syscall.Mmap(-1, 0, count*256, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(memory) }()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range memory {
		memory[i] = uint8(r.Uint32())
	}
	query := make([]int8, dims)
	for i := range query {
		query[i] = int8(r.Uint32())
	}
	var codes []uintptr
	var want []int32
	for i := range count {
		codes = append(codes, uintptr(unsafe.Pointer(&memory[i*256])))
		want = append(want, dotCodesPortable(memory[i*256:i*256+dims], query))
	}
	eachLevel(t, func(t *testing.T) {
		for n := range count + 1 {
			out := make([]int32, n)
			DotCodesMany(query, codes[:n], out)
			for i, got := range out {
				if got != want[i] {
					t.Fatalf("code %d of %d: %d, want %d", i, n, got, want[i])
				}
			}
		}
	})
}

// Codes at random places of 256 MiB: what a walk through a graph does.
func BenchmarkManyCodesFromMemory(b *testing.B) {
	const stride, dims, size, batch = 576, 512, 256 << 20, 24
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(memory) }()
	_ = syscall.Madvise(memory, 14) // huge pages
	for i := 0; i < size; i += 4096 {
		memory[i] = 1
	}
	query, out, codes := make([]int8, dims), make([]int32, batch), make([]uintptr, 1<<16)
	for i := range codes {
		codes[i] = uintptr(unsafe.Pointer(&memory[rand.IntN(size/stride)*stride]))
	}
	b.ReportAllocs()
	at := 0
	for b.Loop() {
		DotCodesMany(query, codes[at:at+batch], out)
		if at += batch; at+batch > len(codes) {
			at = 0
		}
	}
	b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mdist/s")
}
