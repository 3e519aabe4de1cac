package rowstore

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/types"
)

// A transaction holds so much of its writes in memory; what goes beyond is spilled.
const defaultSpillBytes = 32 << 20

// spill is the part of a layer's writes that does not lie in memory: entries under
// a number of their own in the store itself, where no reader but the layer's looks.
// They come there as table files that Pebble takes over, so that its iterators,
// filters, cache and compactions serve them. Nothing of it counts before the commit, which
// writes everything anew under its own keys; a start removes what a crash leaves.
//
// Files of our own with readers of our own would save the second writing, but need a
// merging iterator, a cache and a compaction beside those that Pebble has.
type spill struct {
	store  *Store
	prefix []byte // keySpill and the number
	// ranges are the first and the last key of what was spilled, by unit: most
	// look-ups, of rows that come in order, end here.
	ranges map[string]span
	rows   map[types.OID]*roaring64.Bitmap // whose rows were spilled, deleted ones included
	key    []byte                          // scratch
}

// spillLen is the length of a spill's prefix.
const spillLen = 9

// The first byte of a spilled value says whether the key is set or deleted.
const (
	spilledDelete = 0
	spilledSet    = 1
)

func (s *Store) newSpill() *spill {
	return &spill{store: s, prefix: binary.BigEndian.AppendUint64([]byte{keySpill}, s.spills.Add(1)), ranges: map[string]span{}, rows: map[types.OID]*roaring64.Bitmap{}}
}

// bound spills what the transaction has in memory when that is more than it may have:
// the large layers, and all if there is none.
func (t *Txn) bound() error {
	limit, n, largest := t.store.opts.SpillBytes, 0, 0
	for _, l := range t.layers {
		n, largest = n+l.size, max(largest, l.size)
	}
	if n <= limit {
		return nil
	}
	for _, l := range t.layers {
		if l.size < limit/16 && largest >= limit/16 {
			continue
		}
		if err := l.spillMemory(t.store); err != nil {
			return err
		}
	}
	return nil
}

// spillMemory moves what a layer has in memory to its spill.
func (l *layer) spillMemory(s *Store) error {
	if l.writes.Len() == 0 {
		return nil
	}
	sp := l.spill
	if sp == nil {
		sp = s.newSpill()
	}
	w := &tableWriter{store: s}
	var err error
	l.writes.Ascend(func(e entry) bool {
		err = sp.write(w, e.key, e.value, e.deletes())
		return err == nil
	})
	if err = w.takeOver(err); err != nil {
		return err
	}
	l.writes.Ascend(func(e entry) bool {
		sp.note(e.key)
		return true
	})
	l.writes.Clear(false)
	l.spill, l.size = sp, 0
	return nil
}

// write writes an entry into a file.
func (sp *spill) write(w *tableWriter, key, value []byte, deletes bool) error {
	mark := byte(spilledSet)
	if deletes {
		mark = spilledDelete
	}
	w.value = append(append(w.value[:0], mark), value...)
	return w.point(pebble.InternalKeyKindSet, sp.at(key), w.value)
}

// at is where an entry lies; good until the next call.
func (sp *spill) at(key []byte) []byte {
	sp.key = append(append(sp.key[:0], sp.prefix...), key...)
	return sp.key
}

// note notes a key that was spilled.
func (sp *spill) note(key []byte) {
	if table, id, err := parseRowKey(key); err == nil {
		if sp.rows[table] == nil {
			sp.rows[table] = roaring64.New()
		}
		sp.rows[table].Add(uint64(id))
	}
	sp.widen(key)
}

// widen widens the range of a unit.
func (sp *spill) widen(key []byte) {
	unit := unitOf(key)
	r, ok := sp.ranges[string(unit)]
	switch {
	case !ok:
		r = span{key, key}
	case bytes.Compare(key, r.high) > 0:
		r.high = key
	case bytes.Compare(key, r.low) < 0:
		r.low = key
	default:
		return
	}
	sp.ranges[string(unit)] = r
}

// overlaps says whether there may be keys of [low, high), which share a unit.
func (sp *spill) overlaps(low, high []byte) bool {
	r, ok := sp.ranges[string(unitOf(low))]
	return ok && bytes.Compare(low, r.high) <= 0 && bytes.Compare(r.low, high) < 0
}

// get looks a key up; a nil value that is found deletes it.
func (sp *spill) get(key []byte) (value []byte, found bool, err error) {
	r, ok := sp.ranges[string(unitOf(key))]
	if !ok || bytes.Compare(key, r.low) < 0 || bytes.Compare(key, r.high) > 0 {
		return nil, false, nil
	}
	if table, id, err := parseRowKey(key); err == nil && !sp.rows[table].Contains(uint64(id)) {
		return nil, false, nil
	}
	b, closer, err := sp.store.db.Get(sp.at(key))
	if err == pebble.ErrNotFound { //nolint:errorlint // Get returns it as it is
		return nil, false, nil
	}
	if err != nil {
		return nil, false, readError(err)
	}
	if v, deletes := spilledValue(b); !deletes {
		value = append([]byte{}, v...)
	}
	return value, true, closer.Close()
}

func spilledValue(b []byte) (value []byte, deletes bool) {
	if len(b) == 0 || b[0] == spilledDelete {
		return nil, true
	}
	return b[1:], false
}

// iter reads the entries of [low, high); of all when both are nil.
func (sp *spill) iter(low, high []byte) (*pebble.Iterator, error) {
	o := &pebble.IterOptions{LowerBound: append(append([]byte(nil), sp.prefix...), low...), UpperBound: prefixEnd(sp.prefix)}
	if high != nil {
		o.UpperBound = append(append([]byte(nil), sp.prefix...), high...)
	}
	it, err := sp.store.db.NewIter(o)
	return it, readError(err)
}

// clear removes what was spilled of units.
func (sp *spill) clear(units ...[]byte) error {
	b := sp.store.db.NewBatch()
	defer sp.store.release(b)
	for _, u := range units {
		if _, ok := sp.ranges[string(u)]; !ok {
			continue
		}
		where := sp.where(u)
		if err := b.DeleteRange(where.low, where.high, nil); err != nil {
			return err
		}
	}
	if b.Empty() {
		return nil
	}
	if err := sp.store.applyFreeing(b, pebble.NoSync); err != nil {
		return err
	}
	for _, u := range units {
		sp.forget(u)
	}
	return nil
}

// forget notes that nothing is there of a unit.
func (sp *spill) forget(unit []byte) {
	delete(sp.ranges, string(unit))
	if unit[0] == keyRow {
		delete(sp.rows, types.OID(binary.BigEndian.Uint32(unit[1:])))
	}
}

// drop forgets all of it.
func (sp *spill) drop() { sp.store.clear(sp.prefix, prefixEnd(sp.prefix)) }

// where is the place of a unit, and of everything when it is nil.
func (sp *spill) where(unit []byte) span {
	low := append(append([]byte(nil), sp.prefix...), unit...)
	return span{low, prefixEnd(low)}
}

// mergeSpill puts what upper has spilled over l's writes. A reader of l sees nothing of
// it before merge has done the rest.
func (l *layer) mergeSpill(upper *layer) error {
	switch {
	case upper.spill == nil && l.spill == nil:
		return nil
	case upper.spill == nil:
		return l.spill.clear(upper.units()...)
	case l.spill == nil:
		return l.adopt(upper)
	default:
		return l.copySpill(upper)
	}
}

// units are those that the layer empties.
func (l *layer) units() (units [][]byte) {
	for u := range l.emptied {
		units = append(units, []byte(u))
	}
	return units
}

// adopt takes upper's spill as l's own, and out of memory what it has a newer form of.
func (l *layer) adopt(upper *layer) error {
	var gone []entry
	var err error
	l.writes.Ascend(func(e entry) bool {
		var newer bool
		if _, newer, err = upper.spill.get(e.key); newer {
			gone = append(gone, e)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	for _, e := range gone {
		l.writes.Delete(e)
		l.size -= e.memory()
	}
	l.spill, upper.spill = upper.spill, nil
	return nil
}

// copySpill writes upper's spill over l's, in one step with what upper empties.
func (l *layer) copySpill(upper *layer) error {
	s := l.spill.store
	if err := l.spillMemory(s); err != nil {
		return err
	}
	w := &tableWriter{store: s, spans: []span{upper.spill.where(nil)}}
	for u := range upper.emptied {
		w.spans = append(w.spans, l.spill.where([]byte(u)))
	}
	w.spans = union(w.spans)
	c := &cursor{streams: []stream{{spill: upper.spill}}, at: -1}
	err := c.streams[0].open(nil, nil)
	for err == nil && c.step() {
		err = l.spill.write(w, c.key, c.value, c.deletes)
	}
	if err = w.takeOver(errors.Join(err, c.err(), c.close())); err != nil {
		return err
	}
	for u := range upper.emptied {
		l.spill.forget([]byte(u))
	}
	for _, r := range upper.spill.ranges {
		l.spill.widen(r.low)
		l.spill.widen(r.high)
	}
	for table, ids := range upper.spill.rows {
		if mine := l.spill.rows[table]; mine != nil {
			ids.Or(mine)
		}
		l.spill.rows[table] = ids
	}
	upper.spill = nil
	return nil
}
