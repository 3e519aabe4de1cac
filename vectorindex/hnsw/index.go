package hnsw

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/quantize"
)

// Index is an HNSW index with its tail. Its methods may be called from any
// number of goroutines.
type Index struct {
	options Options
	kind    kind
	max0    int // neighbours on layer 0
	max     int // neighbours on the layers above
	// fewForGraph is the constant; tests of small graphs change it.
	fewForGraph int

	rows   arena // uint64 row id
	states arena // uint32, atomic
	raw    arena // the vector; for sparsevec a sparseRecord
	codes  arena // SQ8 record
	links  arena // max0 neighbours on layer 0
	first  arena // uint32, the slot's first block of upper
	upper  arena // max neighbours on one layer above 0
	sparse sparseHeap

	sq      atomic.Pointer[quantize.SQ8] // set before the first node
	entry   atomic.Uint64                // packed by packEntry
	entryMu sync.Mutex                   // changes of entry by insertion
	// linkLocks guard the neighbour lists of the slots with their number modulo
	// linkStripes; readers don't take them.
	linkLocks [linkStripes]sync.Mutex

	maintain sync.Mutex

	mu     sync.RWMutex
	ids    map[types.RowID]uint32 // guarded by mu
	tail   []uint32               // guarded by mu; elements below its length never change
	tailed int                    // guarded by mu: live slots of the tail
	slots  uint32                 // guarded by mu: slots ever used
	blocks uint32                 // guarded by mu: blocks of upper ever used
	unused []uint32               // guarded by mu: slots to use again
	closed bool                   // guarded by mu
	// uncoded is how many vectors at the front of the tail have no code: they came
	// before the quantizer, or from a checkpoint. Guarded by mu, as is the scratch.
	uncoded        int
	residual, wide []float32

	closing atomic.Bool // ends maintenance early

	deleted atomic.Int64 // marked nodes in the graph
	graphed atomic.Int64 // nodes in the graph, marked ones included

	scouts  atomic.Pointer[[]uint32] // nodes that searches begin at
	uneven  atomic.Bool              // inner product, and the norms differ
	settled int64                    // nodes when scouts were chosen; guarded by maintain

	active  activeSearches
	scratch sync.Pool // of *scratch
}

const linkStripes = 1024

// States of a slot.
const (
	stateFree    = iota // holds nothing
	stateTail           // live, in the tail
	stateGraph          // live, in the graph
	stateDead           // was removed from the tail
	stateDeleted        // in the graph, removed
)

// maxSlots leaves a slot and a flag room in 32 bits.
const maxSlots = 1<<31 - 1

// none ends a neighbour list.
const none = ^uint32(0)

// ErrClosed is what users of a closed index get: its owner has dropped it.
var ErrClosed = errors.New("hnsw: index is closed")

// New returns an empty index.
func New(o Options) (*Index, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	x := &Index{options: o, kind: kindOf(&o), max0: 2 * o.M, max: o.M, fewForGraph: fewForGraph, ids: map[types.RowID]uint32{}}
	x.rows.init(8)
	x.states.init(4)
	x.raw.init(rawBytes(&o))
	x.codes.init(quantize.RecordBytes(max(1, min(o.Dims, types.MaxVectorDims))))
	x.links.init(4 * x.max0)
	x.first.init(4)
	x.upper.init(4 * x.max)
	x.entry.Store(noEntry)
	x.active.init()
	if x.kind == kindCodes {
		x.residual, x.wide = make([]float32, o.Dims), make([]float32, o.Dims)
	}
	x.scratch.New = func() any { return x.newScratch() }
	return x, nil
}

// WalkBytes is what a search reads to tell how far a vector is, about.
func (x *Index) WalkBytes() int {
	switch x.kind {
	case kindCodes:
		return int(x.codes.stride)
	case kindSparse:
		return sparseWalkBytes
	}
	return int(x.raw.stride)
}

// sparseWalkBytes stands for the time that a distance of two sparse vectors takes:
// that of reading so many bytes in order.
const sparseWalkBytes = 4096

// Append adds a vector to the tail. A row id that is present stays as it is;
// under cosine a zero vector is not kept, as it is near to nothing.
func (x *Index) Append(id types.RowID, v types.Datum) error {
	if err := x.check(v, false); err != nil {
		return err
	}
	if x.options.Metric == types.MetricCosine && isZero(v) {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return ErrClosed
	}
	if _, ok := x.ids[id]; ok {
		return nil
	}
	slot, err := x.takeSlot()
	if err != nil {
		return err
	}
	if err := x.store(slot, v); err != nil {
		x.unused = append(x.unused, slot)
		return err
	}
	if sq := x.sq.Load(); sq != nil {
		sq.Encode(x.codes.bytes(slot), x.floats(slot, x.wide), x.residual)
	} else {
		x.uncoded++
	}
	atomic.StoreUint64((*uint64)(x.rows.at(slot)), uint64(id))
	x.setState(slot, stateTail)
	x.ids[id] = slot
	x.tail = append(x.tail, slot)
	x.tailed++
	return nil
}

// takeSlot finds a free slot. The caller holds mu.
func (x *Index) takeSlot() (uint32, error) {
	if len(x.unused) == 0 {
		x.unused = x.active.reusable(x.unused)
	}
	if n := len(x.unused); n > 0 {
		slot := x.unused[n-1]
		x.unused = x.unused[:n-1]
		return slot, nil
	}
	if x.slots == maxSlots {
		return 0, pgerr.New(pgerr.ProgramLimitExceeded, "an hnsw index holds at most 2147483647 vectors")
	}
	slot := x.slots
	level := x.level(slot)
	if err := x.growTo(int(slot)+1, int(x.blocks)+level); err != nil {
		return 0, err
	}
	*x.first.word(slot) = x.blocks
	x.blocks += uint32(level)
	x.slots++
	return slot, nil
}

// growTo makes room for slots and blocks of upper lists.
func (x *Index) growTo(slots, blocks int) error {
	for _, a := range []*arena{&x.rows, &x.states, &x.raw, &x.links, &x.first} {
		if err := a.grow(slots); err != nil {
			return outOfMemory(err)
		}
	}
	if x.kind == kindCodes {
		if err := x.codes.grow(slots); err != nil {
			return outOfMemory(err)
		}
	}
	if err := x.upper.grow(blocks); err != nil {
		return outOfMemory(err)
	}
	return nil
}

func outOfMemory(err error) error {
	return pgerr.Newf(pgerr.OutOfMemory, "out of memory").WithDetail("Mapping memory for an hnsw index: %v.", err)
}

// Remove takes a row out; an unknown id is nothing. Searches that start later
// don't return it.
func (x *Index) Remove(id types.RowID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	slot, ok := x.ids[id]
	if !ok || x.closed {
		return
	}
	delete(x.ids, id)
	if atomic.CompareAndSwapUint32(x.states.word(slot), stateTail, stateDead) {
		x.tailed--
		return
	}
	x.setState(slot, stateDeleted)
	x.deleted.Add(1)
}

// Contains tells whether a row is in the index.
func (x *Index) Contains(id types.RowID) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.ids[id]
	return ok
}

// Len is the number of rows, those of the tail included.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.ids)
}

// TailLen is the number of rows in the tail.
func (x *Index) TailLen() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tailed
}

// Bytes is the memory in use, about.
func (x *Index) Bytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	slot := x.rows.stride + x.states.stride + x.raw.stride + x.links.stride + x.first.stride
	if x.kind == kindCodes {
		slot += x.codes.stride
	}
	const mapEntry = 24
	return int64(x.slots)*int64(slot) + int64(x.blocks)*int64(x.upper.stride) +
		int64(cap(x.tail)+cap(x.unused))*4 + int64(len(x.ids))*mapEntry + x.sparse.bytes
}

// IDs calls fn for each row id, in the order in which vectors lie in memory, until
// it returns false. Rows that come or go meanwhile may be missed.
func (x *Index) IDs(fn func(types.RowID) bool) {
	x.mu.RLock()
	ids := make([]types.RowID, 0, len(x.ids))
	for s := range x.slots {
		if x.live(s) {
			ids = append(ids, x.rowID(s))
		}
	}
	x.mu.RUnlock()
	for _, id := range ids {
		if !fn(id) {
			return
		}
	}
}

// Close waits for searches and running maintenance and frees the memory. Later
// calls fail or find nothing.
func (x *Index) Close() error {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil
	}
	x.closed = true
	x.closing.Store(true)
	x.mu.Unlock()
	x.maintain.Lock()
	defer x.maintain.Unlock()
	x.active.wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ids, x.tail, x.unused, x.tailed = nil, nil, nil, 0
	errs := []error{x.sparse.release()}
	for _, a := range []*arena{&x.rows, &x.states, &x.raw, &x.codes, &x.links, &x.first, &x.upper} {
		errs = append(errs, a.free())
	}
	x.slots, x.blocks = 0, 0
	return errors.Join(errs...)
}

func (x *Index) isClosed() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.closed
}

func (x *Index) state(slot uint32) uint32       { return atomic.LoadUint32(x.states.word(slot)) }
func (x *Index) setState(slot uint32, s uint32) { atomic.StoreUint32(x.states.word(slot), s) }

func (x *Index) live(slot uint32) bool {
	s := x.state(slot)
	return s == stateGraph || s == stateTail
}

func (x *Index) rowID(slot uint32) types.RowID {
	return types.RowID(atomic.LoadUint64((*uint64)(x.rows.at(slot))))
}
