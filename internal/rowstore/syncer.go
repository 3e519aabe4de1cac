package rowstore

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const defaultSyncDelay = 200 * time.Millisecond

// syncer brings commits to disk that did not wait for it. Its goroutine is made
// by newSyncer and stopped by close.
type syncer struct {
	store *Store
	wake  chan struct{}
	stop  chan struct{}
	done  chan struct{}
	once  sync.Once
}

func newSyncer(s *Store) *syncer {
	y := &syncer{store: s, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go y.run()
	return y
}

// soon says that something was committed without waiting for the disk.
func (y *syncer) soon() {
	select {
	case y.wake <- struct{}{}:
	default: // it knows already
	}
}

func (y *syncer) run() {
	defer close(y.done)
	for {
		select {
		case <-y.stop:
			select {
			case <-y.wake:
				y.sync()
			default:
			}
			return
		case <-y.wake:
		}
		t := time.NewTimer(y.store.opts.SyncDelay)
		select {
		case <-t.C:
		case <-y.stop:
			t.Stop()
			y.sync()
			return
		}
		y.sync()
	}
}

// sync writes a record of no meaning and waits until the log is on disk up to it.
func (y *syncer) sync() {
	if err := y.store.syncLog(); err != nil {
		y.store.opts.Logger.Error("log not synced", "error", err)
	}
}

// syncLog brings everything that was committed to disk.
func (s *Store) syncLog() error {
	return s.failure.guarded(func() error { return s.db.LogData(syncMark, pebble.Sync) })
}

var syncMark = []byte("sync")

func (y *syncer) close() {
	y.once.Do(func() { close(y.stop) })
	<-y.done
}
