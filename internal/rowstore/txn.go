package rowstore

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Txn is a transaction. It belongs to one goroutine.
type Txn struct {
	store *Store
	opts  storage.TxnOptions
	owner *owner
	done  bool

	snap *snapshot
	// layers are the transaction's writes, the lowest first; while a statement
	// runs the last one is its own, which it does not read until Advance.
	layers    []*layer
	statement bool
	advanced  bool
	// unbound says that the statement reads the newest committed state instead of its snapshot.
	unbound bool

	tableModes map[types.OID]uint16 // table locks held, as mode bits
	schema     struct {             // the catalog with this transaction's changes
		base, own *catalog.Snapshot
		changes   int
	}
	ahead         int // bytes of vectors that the statement wrote ahead by batches
	load          *loader
	restore       *restore
	loadErr       error // of handing files over in the middle of the statement
	reader        rowReader
	readerColumns []int16
}

// Begin starts a transaction.
func (s *Store) Begin(_ context.Context, opts storage.TxnOptions) (*Txn, error) {
	return &Txn{store: s, opts: opts, owner: newOwner(opts.Session), layers: []*layer{newLayer("")}}, nil
}

// Catalog is the schema as this transaction sees it. An index that became valid
// after the snapshot of a REPEATABLE READ transaction lacks rows that it sees:
// there it is not valid.
func (t *Txn) Catalog() *catalog.Snapshot {
	base := t.store.Catalog()
	n := 0
	for _, l := range t.layers {
		n += len(l.changes)
	}
	old := t.snap != nil && !t.unbound && t.opts.Isolation == storage.RepeatableRead && t.store.history.lastRemade.Load() > t.snap.seq
	if n == 0 && !old {
		return base
	}
	if t.schema.base != base || t.schema.changes != n || t.schema.own == nil {
		own := base
		if old {
			own = t.withoutNewIndexes(base)
		}
		for _, l := range t.layers {
			if len(l.changes) > 0 {
				own = own.Apply(l.changes...)
			}
		}
		t.schema.base, t.schema.own, t.schema.changes = base, own, n
	}
	return t.schema.own
}

func (t *Txn) withoutNewIndexes(cat *catalog.Snapshot) *catalog.Snapshot {
	var changes []catalog.Change
	for _, o := range cat.Objects(catalog.KindIndex) {
		if t.store.history.remadeSince(o.ObjectID(), t.snap.seq) {
			x := o.(*catalog.Index).Clone()
			x.Valid = false
			changes = append(changes, catalog.Put(x))
		}
	}
	return cat.Apply(changes...)
}

// readable refuses a table that was rewritten after the transaction's snapshot.
func (t *Txn) readable(table types.OID) error {
	if t.snap == nil || t.unbound || t.store.history.lastRemade.Load() <= t.snap.seq || !t.store.history.remadeSince(table, t.snap.seq) {
		return nil
	}
	return pgerr.New(pgerr.SerializationFailure, "could not serialize access due to concurrent update")
}

// StartStatement takes the statement's snapshot and opens its layer.
func (t *Txn) StartStatement(context.Context) error {
	if t.statement {
		return errors.New("a statement of this transaction is running")
	}
	if t.snap != nil && t.opts.Isolation == storage.ReadCommitted {
		if err := t.dropSnapshot(); err != nil {
			return err
		}
	}
	if t.snap == nil {
		t.snap = t.store.takeSnapshot()
	}
	t.layers = append(t.layers, newLayer(""))
	t.statement, t.advanced, t.unbound = true, false, false
	t.ahead, t.loadErr = 0, nil
	return nil
}

// EndStatement keeps or undoes the statement's writes.
func (t *Txn) EndStatement(ok bool) error {
	if !t.statement {
		return nil
	}
	if t.unbound {
		t.unbound, t.schema.own = false, nil
	}
	t.statement = false
	err := t.endLoad(ok)
	top := t.layers[len(t.layers)-1]
	t.layers = t.layers[:len(t.layers)-1]
	if ok && err == nil {
		err = t.top().merge(top)
	}
	if !ok || err != nil {
		t.undo(top)
	}
	if t.opts.Isolation == storage.ReadCommitted {
		err = errors.Join(err, t.dropSnapshot())
	}
	return err
}

// endLoad hands the files of a load over, or drops them.
func (t *Txn) endLoad(ok bool) error {
	if ok {
		return errors.Join(t.loadErr, t.flushLoad())
	}
	t.dropLoad()
	return nil
}

func (t *Txn) dropSnapshot() error {
	if t.snap == nil {
		return nil
	}
	sn := t.snap
	t.snap = nil
	return t.store.dropSnapshot(sn)
}

// Advance makes the statement's writes so far visible to itself.
func (t *Txn) Advance() {
	t.loadErr = errors.Join(t.loadErr, t.flushLoad())
	t.advanced = true
}

// SeeNewest has the rest of the statement read the newest committed state: a
// schema change waits for locks after its statement has begun, and must miss no
// row that was committed meanwhile.
func (t *Txn) SeeNewest() { t.unbound, t.schema.own = true, nil }

// visible are the layers that the statement reads.
func (t *Txn) visible() []*layer {
	if t.statement && !t.advanced {
		return t.layers[:len(t.layers)-1]
	}
	return t.layers
}

// view is what the statement reads under its layers.
func (t *Txn) view() pebble.Reader {
	if t.snap != nil && !t.unbound {
		return t.snap.Snapshot
	}
	return t.store.db
}

func (t *Txn) top() *layer { return t.layers[len(t.layers)-1] }

// undo forgets a layer.
func (t *Txn) undo(l *layer) {
	for table, ids := range l.written {
		ids.each(func(ids []types.RowID) { t.store.observer().Undone(table, ids) })
	}
	if l.spill != nil {
		l.spill.drop()
	}
	for _, prefix := range l.scratch {
		t.store.clear(prefix, prefixEnd(prefix))
	}
	for _, in := range l.intents {
		t.store.dropIntent(in)
	}
	t.schema.own = nil
}

// Savepoint opens a savepoint.
func (t *Txn) Savepoint(name string) error {
	if t.statement {
		return errors.New("a statement of this transaction is running")
	}
	t.openSavepoint(name)
	return nil
}

func (t *Txn) openSavepoint(name string) {
	l := newLayer(name)
	l.mark = t.store.locks.mark(t.owner)
	t.layers = append(t.layers, l)
}

func (t *Txn) savepoint(name string) (int, error) {
	for i := len(t.layers) - 1; i > 0; i-- {
		if t.layers[i].savepoint == name {
			return i, nil
		}
	}
	return 0, pgerr.Newf(pgerr.InvalidSavepoint, "savepoint %q does not exist", name)
}

// Release keeps what was written since a savepoint and forgets the savepoint.
func (t *Txn) Release(name string) error {
	i, err := t.savepoint(name)
	if err != nil {
		return err
	}
	return t.mergeDown(i)
}

// mergeDown merges layers until n are left.
func (t *Txn) mergeDown(n int) error {
	for len(t.layers) > n {
		below := len(t.layers) - 1
		if err := t.layers[below-1].merge(t.layers[below]); err != nil {
			return err
		}
		t.layers = t.layers[:below]
	}
	return nil
}

// RollbackTo undoes what was written and gives back what was locked since a
// savepoint, which stays.
func (t *Txn) RollbackTo(name string) error {
	if t.statement {
		if err := t.EndStatement(false); err != nil {
			return err
		}
	}
	i, err := t.savepoint(name)
	if err != nil {
		return err
	}
	mark := t.layers[i].mark
	for len(t.layers) > i {
		t.undo(t.top())
		t.layers = t.layers[:len(t.layers)-1]
	}
	t.tableModes = nil // some of them are given back
	t.store.locks.releaseSince(t.owner, mark)
	t.openSavepoint(name)
	return nil
}

// Wrote says whether the transaction has changed anything.
func (t *Txn) Wrote() bool {
	for _, l := range t.layers {
		if l.writes.Len() > 0 || l.spill != nil || len(l.changes) > 0 || len(l.emptied) > 0 || len(l.intents) > 0 || len(l.scratch) > 0 {
			return true
		}
	}
	return false
}

// Rollback undoes everything.
func (t *Txn) Rollback() {
	if t.done {
		return
	}
	t.statement = false
	t.dropLoad()
	for _, l := range t.layers {
		t.undo(l)
	}
	t.end()
}

// end gives back what the transaction holds.
func (t *Txn) end() {
	t.done = true
	t.endRestore()
	t.layers = []*layer{newLayer("")}
	if err := t.dropSnapshot(); err != nil {
		t.store.opts.Logger.Error("snapshot not closed", "error", err)
	}
	t.store.locks.releaseAll(t.owner)
}

// Commit makes everything durable with one batch; async does not wait for the disk.
func (t *Txn) Commit(_ context.Context, async bool) error {
	if t.done {
		return nil
	}
	if t.statement {
		if err := t.EndStatement(true); err != nil {
			t.Rollback()
			return err
		}
	}
	if !t.Wrote() {
		t.end()
		return nil
	}
	err := t.mergeDown(1)
	if err == nil {
		err = t.store.commit(t.layers[0], async)
	}
	if err != nil {
		t.Rollback()
		return err
	}
	t.end()
	return nil
}

// commit writes a layer as one batch, or as files in one step, and makes it known.
func (s *Store) commit(l *layer, async bool) error {
	if l.spill != nil {
		return s.commitFiles(l)
	}
	b := s.db.NewBatchWithSize(l.bytes())
	defer s.release(b)
	if err := l.fill(b); err != nil {
		return err
	}
	if len(l.changes) > 0 {
		s.catalogMu.Lock()
		defer s.catalogMu.Unlock()
		if err := dropFreed(b, l.changes); err != nil {
			return err
		}
		if err := s.dropVectors(b, l.changes); err != nil {
			return err
		}
		if err := s.raiseIDs(b, l.changes); err != nil {
			return err
		}
	}
	mode, apply := pebble.Sync, s.apply
	if async {
		mode = pebble.NoSync
	}
	if l.frees() && !s.space.stuck() {
		apply = s.applyFreeing
	}
	return s.publish(l, func() error {
		err := apply(b, mode)
		if err == nil && async {
			s.syncer.soon()
		}
		return err
	})
}

// publish makes a commit, by write, and makes it known.
func (s *Store) publish(l *layer, write func() error) error {
	settled := s.lockSwitches(l)
	release := s.overlays(l)
	err := write()
	if err == nil {
		s.watches.tell(l)
	}
	release()
	if err != nil {
		settled()
		return err
	}
	s.made(l, settled)
	return nil
}

// made brings what is in memory up to a commit. settled comes once catalog and
// rows agree again.
func (s *Store) made(l *layer, settled func()) {
	for table, n := range l.counts {
		s.table(table).rows.Add(n)
	}
	for prefix := range l.emptied {
		if prefix[0] == keyRow {
			table := types.OID(binary.BigEndian.Uint32([]byte(prefix[1:])))
			s.table(table).rows.Store(l.counts[table])
		}
	}
	if len(l.changes) == 0 {
		settled()
		s.committed(l)
		return
	}
	old := s.Catalog()
	s.catalog.Store(old.Apply(l.changes...))
	settled()
	s.forgetDropped(l.changes)
	s.committed(l)
	changed := make([]types.OID, len(l.changes))
	for i, c := range l.changes {
		changed[i] = c.ID
	}
	s.observer().CatalogChanged(old, s.Catalog(), changed)
}

// freeingBytes is how large a commit may be that is let through to free space.
const freeingBytes = 1 << 20

// frees says whether the layer's commit gives space back: it empties or drops
// tables or indexes and writes next to nothing.
func (l *layer) frees() bool {
	frees := len(l.emptied) > 0
	for _, c := range l.changes {
		frees = frees || c.Object == nil && (c.Kind == catalog.KindTable || c.Kind == catalog.KindIndex)
	}
	if !frees {
		return false
	}
	return l.bytes() < freeingBytes
}

// fill writes the layer into a batch.
func (l *layer) fill(b *pebble.Batch) error {
	if err := l.fillEmptied(b); err != nil {
		return err
	}
	var err error
	l.writes.Ascend(func(e entry) bool {
		if b.Len() > maxBatch {
			err = errTooLarge()
		} else if e.deletes() {
			err = b.Delete(e.key, nil)
		} else {
			err = b.Set(e.key, e.value, nil)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	return l.fillRest(b)
}

// fillEmptied writes the removal of what the layer empties.
func (l *layer) fillEmptied(b *pebble.Batch) error {
	for prefix, below := range l.emptied {
		low, high := []byte(prefix), prefixEnd([]byte(prefix))
		if low[0] == keyVector {
			high = binary.BigEndian.AppendUint64([]byte(prefix), uint64(below))
		}
		if err := b.DeleteRange(low, high, nil); err != nil {
			return err
		}
		if low[0] == keyRow {
			if err := b.Delete(oidKey(keyCount, types.OID(binary.BigEndian.Uint32(low[1:]))), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillRest writes what the layer has beside emptied units and writes.
func (l *layer) fillRest(b *pebble.Batch) error {
	for table, n := range l.counts {
		if err := l.fillChanges(b, table); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := b.Merge(oidKey(keyCount, table), binary.BigEndian.AppendUint64(nil, uint64(n)), nil); err != nil {
			return err
		}
	}
	for _, in := range l.intents {
		if err := b.Delete(intentKey(in.table, in.first), nil); err != nil {
			return err
		}
	}
	return putChanges(b, l.changes)
}
