package rowstore

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/pgerr"
)

// failure is the end of a store's writing: the log or the manifest could not be
// written (not for want of room, that is waited for), so nobody knows what of
// the last write is on disk. Only a new start can tell. Until then reads go on
// and every write gets the error.
//
// Pebble ends the process in this case: it panics, some of the time with its
// locks in a state that no recover survives. So a write that cannot succeed never
// returns to Pebble (disk.go), and writers run on goroutines of their own, which
// are left behind there.
type failure struct {
	cause atomic.Pointer[error]
	log   *slog.Logger
	now   chan struct{} // closed when cause is set
	// left says that Pebble stays open behind a store that was closed on a full or
	// failed disk.
	left atomic.Bool
}

func newFailure(log *slog.Logger) *failure { return &failure{log: log, now: make(chan struct{})} }

// set records the first cause and returns the error that writers get.
func (f *failure) set(cause error) error {
	if f.cause.CompareAndSwap(nil, &cause) {
		close(f.now)
		f.log.Error("storage failed, no writes until a restart", "error", cause)
	}
	return f.err()
}

func (f *failure) err() error {
	c := f.cause.Load()
	if c == nil {
		return nil
	}
	return pgerr.Newf(pgerr.IOError, "could not write to the data directory: %v", *c).
		WithHint("Restart the server: it then finds out what is on disk. Nothing that was committed is lost.")
}

// stop ends the life of a goroutine in which a write has failed, in place. The
// locks that it holds stay locked; nothing that reads needs them.
func (f *failure) stop(cause error) {
	_ = f.set(cause) // kept for the writers
	select {}
}

// guarded runs a write to Pebble and returns its error, or that of the failure
// which keeps it from ever returning.
func (f *failure) guarded(write func() error) error {
	if err := f.err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- f.set(fmt.Errorf("%v", r))
			}
		}()
		done <- write()
	}()
	select {
	case err := <-done:
		return err
	case <-f.now:
		return f.err()
	}
}

// Infof drops what Pebble tells of its daily work.
func (*failure) Infof(string, ...any) {}

// Errorf hands an error on to the log.
func (f *failure) Errorf(format string, args ...any) {
	f.log.Error("storage", "message", fmt.Sprintf(format, args...))
}

// background hands on an error of Pebble's own work, which Pebble tries again at
// once. After a failure, and in a store that was left, that would be for ever, so
// the goroutine ends.
func (f *failure) background(err error) {
	if f.left.Load() || f.cause.Load() != nil {
		runtime.Goexit()
	}
	f.Errorf("in the background: %v", err)
}

// Fatalf must not return. The goroutine ends, with its deferred unlocks: it is a
// writer's or one of Pebble's own.
func (f *failure) Fatalf(format string, args ...any) {
	_ = f.set(fmt.Errorf(format, args...)) // kept for the writers
	runtime.Goexit()
}

// maxBatch is how many bytes one commit may have; Pebble's own limit is 4 GB.
const maxBatch = 3 << 30

// apply commits a batch: the one place that writes to Pebble after the start.
func (s *Store) apply(b *pebble.Batch, mode *pebble.WriteOptions) error {
	if err := s.space.allow(b.Len()); err != nil {
		return err
	}
	return s.applyFreeing(b, mode)
}

// applyFreeing commits a batch that frees space, and so is let through when the disk is nearly full.
func (s *Store) applyFreeing(b *pebble.Batch, mode *pebble.WriteOptions) error {
	if b.Len() > maxBatch {
		return errTooLarge()
	}
	return s.failure.guarded(func() error { return b.Commit(mode) })
}

func errTooLarge() error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "transaction is too large: it writes more than 3 GB, not counting the vectors of COPY")
}

// clear removes keys that were written ahead. Should it fail, the next start does it.
func (s *Store) clear(low, high []byte) {
	b := s.db.NewBatch()
	defer s.release(b)
	err := b.DeleteRange(low, high, nil)
	if err == nil {
		err = s.applyFreeing(b, pebble.NoSync)
	}
	if err != nil {
		s.opts.Logger.Warn("what was written ahead is not removed before the next start", "error", err)
	}
}

// release gives a batch's memory back, to be used by other batches: not when a
// writer may have been left behind with it.
func (s *Store) release(b *pebble.Batch) {
	if s.failure.err() == nil {
		_ = b.Close() // it was committed, or holds nothing that counts
	}
}

// set writes one key.
func (s *Store) set(key, value []byte, mode *pebble.WriteOptions) error {
	b := s.db.NewBatch()
	defer s.release(b)
	if err := b.Set(key, value, nil); err != nil {
		return err
	}
	return s.apply(b, mode)
}

// readError gives an error of reading Pebble its code: a damaged block is the
// trouble of whoever reads it, nobody else's.
func readError(err error) error {
	if err == nil || !errors.Is(err, pebble.ErrCorruption) {
		return err
	}
	return fmt.Errorf("%w: %w", damaged("a block of the data files"), err)
}
