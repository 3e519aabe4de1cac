package hnsw

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Build moves in batches, so that searches need not go through vectors that are
// in the graph already; a barrier each 4,096 insertions costs nothing.
const buildBatch = 4096

// drainPerWorker is the number of vectors for which Drain takes one more worker,
// up to all but one: a search that waits for a processor behind a worker waits
// some milliseconds, many times what it needs itself.
const drainPerWorker = 128

// fewForGraph vectors are searched faster without a graph, and the centre of the
// codes, which is taken from the first ones, is then that of more than a handful.
const fewForGraph = 1000

// repairShare: Drain repairs when one node in so many has been removed. A pass
// reads all neighbour lists, some milliseconds for 100,000 nodes, and until then
// a removed node costs searches only its own distance.
const repairShare = 50

// Build moves the whole tail, as it stands at the call, into the graph with all
// workers and takes removed nodes out. When cancelled, what was moved stays.
func (x *Index) Build(ctx context.Context, progress func(done, total int64)) error {
	x.maintain.Lock()
	defer x.maintain.Unlock()
	if err := x.repairIfMany(ctx, x.options.Workers); err != nil {
		return err
	}
	total := x.movable()
	for done := 0; done < total; {
		if progress != nil {
			progress(int64(done), int64(total))
		}
		n, _, err := x.moveTail(ctx, min(buildBatch, total-done), x.options.Workers)
		if err != nil {
			return err
		}
		done += n
	}
	if progress != nil {
		progress(int64(total), int64(total))
	}
	if err := x.repair(ctx, x.options.Workers); err != nil {
		return err
	}
	x.settleNow()
	return nil
}

// Drain is the background step: it moves up to max vectors of the tail into the
// graph and, when many nodes have been removed, takes them out. It waits for a
// Build or WriteCheckpoint that is running.
func (x *Index) Drain(ctx context.Context, max int) (moved int, err error) {
	x.maintain.Lock()
	defer x.maintain.Unlock()
	left := min(max, x.movable())
	workers := 1
	if spare := x.options.Workers - 1; spare > 1 && left > drainPerWorker {
		workers = min(spare, left/drainPerWorker)
	}
	if err := x.repairIfMany(ctx, workers); err != nil {
		return 0, err
	}
	for left > 0 {
		n, live, err := x.moveTail(ctx, min(buildBatch, left), workers)
		moved += live
		if err != nil {
			return moved, err
		}
		left -= n
	}
	if err := x.repairIfMany(ctx, workers); err != nil {
		return moved, err
	}
	x.settle()
	return moved, nil
}

// repairIfMany runs before insertions, so that new nodes find live ones to link
// to, and after them.
func (x *Index) repairIfMany(ctx context.Context, workers int) error {
	if x.deleted.Load()*repairShare < x.graphed.Load() {
		return x.ended(ctx)
	}
	return x.repair(ctx, workers)
}

// movable is how many vectors of the tail can go into the graph: none while they
// are too few to begin one.
func (x *Index) movable() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.graphed.Load() == 0 && len(x.tail) < x.fewForGraph {
		return 0
	}
	return len(x.tail)
}

func (x *Index) tailSnapshot() (tail []uint32, uncoded int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tail, x.uncoded
}

// moveTail moves the first n slots of the tail into the graph and returns how
// many it took off the tail and how many of these were live. The caller holds
// maintain.
func (x *Index) moveTail(ctx context.Context, n, workers int) (done, live int, err error) {
	if x.isClosed() {
		return 0, 0, ErrClosed
	}
	slots, _ := x.tailSnapshot()
	x.prepare(slots)
	_, uncoded := x.tailSnapshot() // vectors that came after prepare have codes
	slots = slots[:n]
	x.mu.RLock()
	known := int(x.slots)
	x.mu.RUnlock()
	var moved atomic.Int64
	done = x.inParallel(ctx, n, workers, func() (func(i int), func()) {
		w := x.borrow(known)
		return func(i int) {
			if x.move(w, slots[i], i >= uncoded) {
				moved.Add(1)
			}
			runtime.Gosched() // who has waited for this processor comes first
		}, func() { x.giveBack(w) }
	})
	live = int(moved.Load())
	x.cutTail(slots[:done], live)
	return done, live, x.ended(ctx)
}

// ended tells why maintenance must stop, nil when it need not.
func (x *Index) ended(ctx context.Context) error {
	if x.closing.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

// move inserts one slot unless it has been removed, and tells whether it is a live
// node now; one that was removed meanwhile is a removed node.
func (x *Index) move(w *scratch, slot uint32, coded bool) bool {
	if x.state(slot) != stateTail {
		return false
	}
	x.insert(w, slot, coded)
	x.graphed.Add(1)
	if atomic.CompareAndSwapUint32(x.states.word(slot), stateTail, stateGraph) {
		return true
	}
	x.setState(slot, stateDeleted)
	x.deleted.Add(1)
	return false
}

// cutTail takes slots off the tail, of which live have become nodes, and retires
// those that were removed before.
func (x *Index) cutTail(slots []uint32, live int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var dead []uint32
	for _, s := range slots {
		if x.state(s) == stateDead {
			x.setState(s, stateFree)
			dead = append(dead, s)
		}
	}
	x.tail = x.tail[len(slots):]
	x.tailed -= live
	x.uncoded = max(0, x.uncoded-len(slots))
	x.active.retire(dead)
}

// inParallel does 0 to n-1 in order, by workers, until ctx ends or the index is
// closed; it returns how many it did, all before the first it did not. Each worker
// gets its own function and what to call at its end from start.
func (x *Index) inParallel(ctx context.Context, n, workers int, start func() (do func(i int), end func())) int {
	var next atomic.Int64
	work := func() {
		do, end := start()
		defer end()
		for ctx.Err() == nil && !x.closing.Load() {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			do(i)
		}
	}
	var group sync.WaitGroup
	for range min(workers, n) - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	return min(int(next.Load()), n)
}
