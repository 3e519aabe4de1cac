package hnsw

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages; without them everything works, slower.
func adviseHuge(m []byte) { _ = unix.Madvise(m, unix.MADV_HUGEPAGE) }
