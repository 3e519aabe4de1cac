package rowstore

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/pgerr"
)

// space watches the free space of the disk: a write-ahead log that cannot be
// written would end the process, so writes are refused before it comes to that.
type space struct {
	fs      vfs.FS
	dir     string
	minFree uint64
	checked atomic.Int64 // unix nanoseconds of the last look
	written atomic.Int64 // bytes since then
	full    atomic.Bool
}

// A look at the disk is good for so long or so many bytes.
const (
	spaceEvery = time.Second
	spaceBytes = 32 << 20
)

func newSpace(o Options) *space {
	return &space{fs: o.FS, dir: o.Dir, minFree: uint64(max(o.MinFreeBytes, 0))}
}

// allow says whether n more bytes may be written.
func (s *space) allow(n int) error {
	if s.minFree == 0 {
		return nil
	}
	now := time.Now().UnixNano()
	if s.written.Add(int64(n)) > spaceBytes || now-s.checked.Load() > int64(spaceEvery) {
		s.look(now)
	}
	return s.refused()
}

func (s *space) look(now int64) {
	s.checked.Store(now)
	s.written.Store(0)
	u, err := s.fs.GetDiskUsage(s.dir)
	if err != nil {
		return // not every file system can tell; then nothing is refused
	}
	s.full.Store(u.AvailBytes < s.minFree)
}

// refused is the error of writes while the disk is full.
func (s *space) refused() error {
	if s.full.Load() && time.Now().UnixNano()-s.checked.Load() > int64(spaceEvery) {
		s.look(time.Now().UnixNano()) // there may be room again
	}
	if !s.full.Load() {
		return nil
	}
	return pgerr.New(pgerr.DiskFull, "could not extend file: No space left on device").
		WithHint("The server takes no writes until there is free disk space again; nothing is lost.")
}
