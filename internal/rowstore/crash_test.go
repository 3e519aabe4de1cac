package rowstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// group is the rows of one worker, which all carry the number of the transaction
// that wrote them last.
const groupRows = 4

// worker commits transactions one after the other. started and acknowledged are
// numbers of transactions.
type worker struct {
	base                  int64
	started, acknowledged atomic.Int64
}

// run commits until stop is closed. Every transaction writes all rows of the
// group: by updates, by delete and insert, or by delete and load; some are rolled back.
func (w *worker) run(f *fixture, rng *rand.Rand, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		n := w.started.Load() + 1
		undo := rng.IntN(8) == 0
		if !undo {
			w.started.Store(n)
		}
		tx, err := f.store.Begin(context.Background(), storage.TxnOptions{})
		if err != nil {
			return err
		}
		if err := w.write(f, tx, n, rng.IntN(3)); err != nil {
			tx.Rollback()
			return err
		}
		if undo {
			tx.Rollback()
			continue
		}
		if err := tx.Commit(context.Background(), false); err != nil {
			return err
		}
		w.acknowledged.Store(n)
	}
}

func (w *worker) write(f *fixture, tx *Txn, n int64, how int) error {
	var load []types.Row
	for id := w.base; id < w.base+groupRows; id++ {
		if err := tx.StartStatement(context.Background()); err != nil {
			return err
		}
		at, old, err := f.lockAndRead(tx, id, storage.WaitPolicy{})
		switch {
		case err != nil:
		case old != nil && how == 0:
			_, err = tx.Update(context.Background(), f.table, at, old, rowOf(id, n), storage.WaitPolicy{})
		case old != nil:
			err = tx.Delete(context.Background(), f.table, at, old)
		}
		if err = errors.Join(err, tx.EndStatement(err == nil)); err != nil {
			return err
		}
		if old == nil || how != 0 {
			load = append(load, rowOf(id, n))
		}
	}
	if len(load) == 0 {
		return nil
	}
	if err := tx.StartStatement(context.Background()); err != nil {
		return err
	}
	var err error
	if how == 1 {
		for _, r := range load {
			_, _, e := tx.Insert(context.Background(), f.table, r, storage.InsertOptions{})
			err = errors.Join(err, e)
		}
	} else {
		err = tx.InsertRows(context.Background(), f.table, load)
	}
	return errors.Join(err, tx.EndStatement(err == nil))
}

// crash is the disk as a power cut leaves it, and what must be on it.
type crash struct {
	fs              *vfs.MemFS
	atLeast, atMost []int64
}

// links keeps Link and CrashClone apart: MemFS.Link takes a read lock twice, and waits
// for itself when CrashClone asks for the lock in between.
var links sync.RWMutex

type linkingFS struct{ vfs.FS }

func (l linkingFS) Link(from, to string) error {
	links.RLock()
	defer links.RUnlock()
	return l.FS.Link(from, to)
}

// TestACrashUnderConcurrentCommitsLosesNoneAndHalvesNone cuts the power at
// random moments while several workers commit, by batches and by files.
func TestACrashUnderConcurrentCommitsLosesNoneAndHalvesNone(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("AKIDB_CRASH_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("AKIDB_CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	f := newFixture(t)
	workers := make([]*worker, 4)
	for i := range workers {
		workers[i] = &worker{base: int64(1000 * (i + 1))}
	}
	for round := range 8 {
		crashes := crashRound(t, f, rng, workers)
		f.ok(f.store.Close())
		for _, c := range crashes {
			f.fs, f.watch = c.fs, &watch{live: map[types.RowID]bool{}}
			s, err := Open(t.Context(), Options{Dir: "rows", FS: linkingFS{f.fs}, Observer: f.watch, MemTableBytes: 64 << 10,
				SpillBytes: []int{0, 1, 700}[round%3]})
			f.ok(err)
			f.store = s
			for i, n := range survivors(f, workers) {
				if n < c.atLeast[i] || n > c.atMost[i] {
					t.Fatalf("worker %d: transaction %d is on disk, %d was acknowledged, %d started", i, n, c.atLeast[i], c.atMost[i])
				}
				workers[i].started.Store(n)
				workers[i].acknowledged.Store(n)
			}
			f.check()
			if c.fs != crashes[len(crashes)-1].fs {
				f.ok(f.store.Close())
			}
		}
	}
}

// crashRound lets the workers run and cuts the power three times on the way.
func crashRound(t *testing.T, f *fixture, rng *rand.Rand, workers []*worker) (out []crash) {
	stop := make(chan struct{})
	failed := make(chan error, len(workers))
	var wg sync.WaitGroup
	for _, w := range workers {
		r := rand.New(rand.NewPCG(rng.Uint64(), 1))
		wg.Go(func() { failed <- w.run(f, r, stop) })
	}
	total := func() (n int64) {
		for _, w := range workers {
			n += w.acknowledged.Load()
		}
		return n
	}
	for range 3 {
		until := total() + rng.Int64N(60)
		eventually(t, "workers commit", func() bool { return total() >= until })
		c := crash{}
		for _, w := range workers {
			c.atLeast = append(c.atLeast, w.acknowledged.Load())
		}
		links.Lock()
		c.fs = f.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		links.Unlock()
		for _, w := range workers {
			c.atMost = append(c.atMost, w.started.Load())
		}
		out = append(out, c)
	}
	close(stop)
	wg.Wait()
	for range workers {
		f.ok(<-failed)
	}
	return out
}

// survivors are the transactions that the workers' rows carry, by worker.
func survivors(f *fixture, workers []*worker) []int64 {
	f.t.Helper()
	r := f.begin(storage.ReadCommitted)
	defer r.Rollback()
	rows := f.contents(r)
	out := make([]int64, len(workers))
	for i, w := range workers {
		out[i] = rows[w.base]
		for id := w.base; id < w.base+groupRows; id++ {
			if rows[id] != out[i] {
				f.t.Fatalf("half a transaction of worker %d: row %d has %d, row %d has %d", i, w.base, out[i], id, rows[id])
			}
			delete(rows, id)
		}
	}
	if len(rows) > 0 {
		f.t.Fatalf("rows that nobody wrote: %v", rows)
	}
	return out
}
