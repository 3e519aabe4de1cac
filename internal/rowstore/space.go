package rowstore

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/pgerr"
)

// space watches the free space of the disk. Pebble cannot go on after a failed
// write to its log or manifest, so no such write is let fail for want of room:
// below minFree bytes new writes are refused with 53100; should the disk be full
// all the same, the ballast file makes room for the commits under way, and when
// even that is used up the write waits inside the file system (disk.go) until
// there is room. Nothing acknowledged is lost and reads go on all the time.
//
// Writes are taken again when a quarter more than minFree is free, and the ballast
// has its place again: a disk that stands at the limit would else let every other
// statement through.
type space struct {
	fs      vfs.FS
	dir     string
	minFree uint64
	ballast int64 // bytes of the ballast file, 0 for none

	checked atomic.Int64 // unix nanoseconds of the last look
	written atomic.Int64 // bytes since then
	full    atomic.Bool
	// waits says that operations wait for room. A start on a full disk fails
	// instead, through fail, since Pebble would try to flush for ever.
	waits atomic.Bool
	fail  func(error) error

	mu      sync.Mutex // guards what follows
	blocked int        // file operations that wait for room
	missing bool       // the ballast file is not there
	closed  bool
	closing chan struct{} // closed by close
}

// A look at the disk is good for so long or so many bytes; waiting writes try
// again every retryEvery.
const (
	spaceEvery  = time.Second
	spaceBytes  = 32 << 20
	retryEvery  = 50 * time.Millisecond
	ballastFile = "ballast"
)

func newSpace(o Options) *space {
	s := &space{fs: o.FS, dir: o.Dir, minFree: uint64(max(o.MinFreeBytes, 0)), ballast: o.BallastBytes, closing: make(chan struct{})}
	if s.ballast > 0 {
		info, err := s.fs.Stat(s.fs.PathJoin(s.dir, ballastFile))
		s.missing = err != nil || info.Size() != s.ballast
	}
	return s
}

// outOfRoom says whether an error means that the disk, or a quota, is full.
func outOfRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// allow says whether n more bytes may be written.
func (s *space) allow(n int) error {
	if s.written.Add(int64(n)) > spaceBytes || time.Now().UnixNano()-s.checked.Load() > int64(spaceEvery) {
		s.look()
	}
	return s.refused()
}

// refused is the error of writes while the disk is full.
func (s *space) refused() error {
	if !s.full.Load() {
		return nil
	}
	if time.Now().UnixNano()-s.checked.Load() > int64(retryEvery) {
		s.look() // there may be room again
	}
	if !s.full.Load() {
		return nil
	}
	return pgerr.New(pgerr.DiskFull, "could not extend file: No space left on device").
		WithHint("Free disk space: the server takes writes again when %d MB are free (a quarter more than min_free_disk). Nothing that was committed is lost, reads go on, and DROP TABLE and TRUNCATE work.",
			(s.enough()+1<<20-1)>>20)
}

// enough is the free space at which a full disk is not full any more.
func (s *space) enough() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.needed(true)
}

// needed is the free space below which writes are refused; refusing says that they are already.
func (s *space) needed(refusing bool) uint64 {
	need := s.minFree
	if refusing {
		need += s.minFree / 4
	}
	if s.missing {
		need += uint64(s.ballast)
	}
	return need
}

// stuck says that writes to the disk itself wait for room: then not even what frees space can be written.
func (s *space) stuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocked > 0
}

// look asks the file system, and puts the ballast back when there is room for it.
func (s *space) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked.Store(time.Now().UnixNano())
	s.written.Store(0)
	u, err := s.fs.GetDiskUsage(s.dir)
	low := err == nil && u.AvailBytes < s.needed(s.full.Load()) // not every file system can tell
	if s.blocked == 0 && !low && s.missing {
		s.missing = s.writeBallast() != nil
	}
	s.full.Store(low || s.blocked > 0 || s.missing)
}

// writeBallast writes the ballast file, with bytes that no file system compresses away.
func (s *space) writeBallast() error {
	name := s.fs.PathJoin(s.dir, ballastFile)
	f, err := s.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	x := uint64(0x9e3779b97f4a7c15)
	for left := s.ballast; left > 0 && err == nil; left -= int64(len(block)) {
		for i := range block {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			block[i] = byte(x)
		}
		_, err = f.Write(block[:min(left, int64(len(block)))])
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, s.fs.Remove(name))
	}
	return nil
}

// retry runs a file operation again and again for as long as the disk is full.
func (s *space) retry(op func() error) error {
	err := op()
	if !outOfRoom(err) {
		return err
	}
	s.enter()
	defer s.leave()
	for outOfRoom(err) {
		switch {
		case s.dropBallast():
		case !s.waits.Load():
			_ = s.fail(err) // for those who wait for the start
			return err
		case !s.wait():
			return err
		}
		err = op()
	}
	return err
}

func (s *space) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked++
	s.full.Store(true)
}

// leave lets the next write look at once whether there is room.
func (s *space) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked--
	s.checked.Store(0)
}

// dropBallast frees the ballast; false when it was not there.
func (s *space) dropBallast() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ballast == 0 || s.missing {
		return false
	}
	s.missing = true
	return s.fs.Remove(s.fs.PathJoin(s.dir, ballastFile)) == nil
}

// wait waits a moment; false when the store is being closed.
func (s *space) wait() bool {
	t := time.NewTimer(retryEvery)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing:
		return false
	}
}

// close ends the waiting. It says whether any operation had to wait.
func (s *space) close() (waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	return s.blocked > 0
}
