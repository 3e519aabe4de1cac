package ivf

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// mapped is a file mapped into memory.
type mapped struct{ bytes []byte }

// Map maps a file; the system decides what of it is in memory.
func Map(path string) (Storage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < headerBytes {
		return nil, damaged("%d bytes long", info.Size())
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return &mapped{b}, nil
}

func (m *mapped) ReadRanges(_ context.Context, ranges []Range, dst [][]byte) ([][]byte, error) {
	for _, r := range ranges {
		if r.Offset < 0 || r.Bytes < 0 || r.Offset > int64(len(m.bytes))-r.Bytes {
			return dst, damaged("read beyond the end")
		}
		dst = append(dst, m.bytes[r.Offset:r.Offset+r.Bytes:r.Offset+r.Bytes])
	}
	return dst, nil
}

func (m *mapped) Size() int64 { return int64(len(m.bytes)) }

func (m *mapped) Close() error {
	b := m.bytes
	m.bytes = nil
	if b == nil {
		return nil
	}
	return os.NewSyscallError("munmap", unix.Munmap(b))
}

// memory is a file's bytes on the heap.
type memory []byte

// Bytes is a file that is in memory, starting at a multiple of 8.
func Bytes(b []byte) Storage { return memory(b) }

func (m memory) ReadRanges(ctx context.Context, ranges []Range, dst [][]byte) ([][]byte, error) {
	return (&mapped{m}).ReadRanges(ctx, ranges, dst)
}

func (m memory) Size() int64  { return int64(len(m)) }
func (m memory) Close() error { return nil }
