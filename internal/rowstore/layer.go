package rowstore

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/google/btree"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// entry is one write of a transaction; a nil value deletes.
type entry struct {
	key   []byte
	value []byte
}

func (e entry) deletes() bool { return e.value == nil }

func entryLess(a, b entry) bool { return bytes.Compare(a.key, b.key) < 0 }

// layer is the writes of one statement, or of what ran since a savepoint: those
// in memory over those that were spilled.
type layer struct {
	savepoint string // the name that opened it, "" for the lowest and for statements
	mark      int    // of the locks held then
	writes    *btree.BTreeG[entry]
	size      int    // what writes take in memory, about
	spill     *spill // older writes that went to disk, nil while none did
	// emptied are the units (unitOf) of which nothing that lies under this layer
	// shows; of a vector column only what is below the row id: vectors above it
	// were written ahead since.
	emptied map[string]types.RowID
	// written and deleted are row ids by table, for the observer.
	written idSets
	deleted idSets
	counts  map[types.OID]int64 // change of the number of rows, of every table whose rows are written
	// switched are tables whose rows only went to another place.
	switched []types.OID
	// overlaid are cold tables of which rows get a local form.
	overlaid []types.OID
	moved    map[rowName]types.RowID
	changes  []catalog.Change
	intents  []intent
	scratch  [][]byte // prefixes written ahead (index builds) that a rollback clears
}

// rowName names a row.
type rowName struct {
	table types.OID
	id    types.RowID
}

// intent is a range of row ids whose vectors were written ahead.
type intent struct {
	table       types.OID
	first, last types.RowID
	vectors     []int16
}

func newLayer(savepoint string) *layer {
	return &layer{savepoint: savepoint, writes: btree.NewG(32, entryLess)}
}

// entryMemory is what an entry takes in memory beside its key and value: its place
// in the tree, and what allocation rounds up.
const entryMemory = 80

func (e entry) memory() int { return len(e.key) + len(e.value) + entryMemory }

func (l *layer) put(key, value []byte) { l.enter(entry{key, value}) }
func (l *layer) remove(key []byte)     { l.enter(entry{key: key}) }

func (l *layer) enter(e entry) {
	l.size += e.memory()
	if old, had := l.writes.ReplaceOrInsert(e); had {
		l.size -= old.memory()
	}
}

// bytes is about what the writes take in a batch: one that grew to the size of a
// large load by doubling would leave as much garbage behind.
func (l *layer) bytes() int {
	const perEntry = entryMemory - 11 // a batch needs a byte for the kind and two lengths
	return 1<<10 + l.size - perEntry*l.writes.Len()
}

// empty hides everything of a unit, this layer's own writes included.
func (l *layer) empty(prefix []byte, below types.RowID) error {
	if l.spill != nil {
		if err := l.spill.clear(prefix); err != nil {
			return err
		}
	}
	l.hide(prefix, below)
	return nil
}

// hide is empty but for what was spilled.
func (l *layer) hide(prefix []byte, below types.RowID) {
	if l.emptied == nil {
		l.emptied = map[string]types.RowID{}
	}
	l.emptied[string(prefix)] = below
	if prefix[0] == keyRow {
		delete(l.counts, types.OID(binary.BigEndian.Uint32(prefix[1:])))
	}
	var gone []entry
	l.writes.AscendGreaterOrEqual(entry{key: prefix}, func(e entry) bool {
		if !bytes.HasPrefix(e.key, prefix) {
			return false
		}
		gone = append(gone, e)
		return true
	})
	for _, e := range gone {
		l.writes.Delete(e)
		l.size -= e.memory()
	}
}

// hides says whether what lies under the layer at a key does not show.
func (l *layer) hides(key []byte) bool {
	if len(l.emptied) == 0 {
		return false
	}
	below, ok := l.emptied[string(unitOf(key))]
	return ok && (key[0] != keyVector || len(key) <= columnLen || idOf(key) < below)
}

// remade are the tables and indexes that an older snapshot cannot read once the layer is committed.
func (l *layer) remade() (ids []types.OID) {
	ids = append(ids, l.switched...)
	for _, c := range l.changes {
		switch o := c.Object.(type) {
		case *catalog.Table:
			if _, ok := l.emptied[string(oidKey(keyRow, o.ID))]; ok {
				ids = append(ids, o.ID)
			}
		case *catalog.Index:
			if o.Valid {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids
}

func (l *layer) count(table types.OID, n int64) {
	if l.counts == nil {
		l.counts = map[types.OID]int64{}
	}
	l.counts[table] += n
}

// merge puts upper's writes over l's. When it fails both are as they were to a reader.
func (l *layer) merge(upper *layer) error {
	if err := l.mergeSpill(upper); err != nil {
		return err
	}
	for prefix, below := range upper.emptied {
		l.hide([]byte(prefix), below)
	}
	if l.writes.Len() == 0 {
		l.writes, l.size = upper.writes, upper.size
	} else {
		upper.writes.Ascend(func(e entry) bool {
			l.enter(e)
			return true
		})
	}
	l.written.addAll(upper.written)
	l.deleted.addAll(upper.deleted)
	for t, n := range upper.counts {
		l.count(t, n)
	}
	for from, to := range upper.moved {
		l.move(from, to)
	}
	l.switched = append(l.switched, upper.switched...)
	for _, table := range upper.overlaid {
		l.overlay(table)
	}
	l.changes = append(l.changes, upper.changes...)
	l.intents = append(l.intents, upper.intents...)
	l.scratch = append(l.scratch, upper.scratch...)
	return nil
}

func (l *layer) move(from rowName, to types.RowID) {
	if l.moved == nil {
		l.moved = map[rowName]types.RowID{}
	}
	l.moved[from] = to
}

// find looks a key up in layers, the last first. found says that a layer
// decides; then a nil value means that the key is not there.
func find(layers []*layer, key []byte) (value []byte, found bool, err error) {
	for i := len(layers) - 1; i >= 0; i-- {
		l := layers[i]
		if l.writes.Len() > 0 {
			if e, ok := l.writes.Get(entry{key: key}); ok {
				return e.value, true, nil
			}
		}
		if l.spill != nil {
			if value, found, err = l.spill.get(key); found || err != nil {
				return value, found, err
			}
		}
		if l.hides(key) {
			return nil, true, nil
		}
	}
	return nil, false, nil
}

// between says what layers have of the keys of [low, high): streams, the newest
// first, that are not open yet. under is the first key at which what lies under the layers
// shows, nil when none does. low and high share a unit.
//
// The lists are as long as layers are in memory, which is bounded.
func between(layers []*layer, low, high []byte) (streams []stream, under []byte) {
	under = low
	for _, l := range layers {
		if len(l.emptied) > 0 {
			if below, ok := l.emptied[string(unitOf(low))]; ok {
				streams, under = nil, nil
				if low[0] == keyVector {
					under = binary.BigEndian.AppendUint64(append([]byte(nil), low[:columnLen]...), uint64(below))
				}
			}
		}
		if l.spill != nil && l.spill.overlaps(low, high) {
			streams = append(streams, stream{spill: l.spill})
		}
		if l.writes.Len() == 0 {
			continue
		}
		var list []entry
		l.writes.AscendRange(entry{key: low}, entry{key: high}, func(e entry) bool {
			list = append(list, e)
			return true
		})
		if n := len(streams) - 1; n >= 0 && streams[n].spill == nil {
			streams[n].list = overlay(streams[n].list, list)
		} else if len(list) > 0 {
			streams = append(streams, stream{list: list})
		}
	}
	slices.Reverse(streams)
	return streams, under
}

// overlay merges two sorted lists; upper wins.
func overlay(lower, upper []entry) []entry {
	if len(lower) == 0 {
		return upper
	}
	if len(upper) == 0 {
		return lower
	}
	out := make([]entry, 0, len(lower)+len(upper))
	i, j := 0, 0
	for i < len(lower) || j < len(upper) {
		switch {
		case i == len(lower):
			out, j = append(out, upper[j]), j+1
		case j == len(upper):
			out, i = append(out, lower[i]), i+1
		default:
			c := bytes.Compare(lower[i].key, upper[j].key)
			if c >= 0 {
				out, j = append(out, upper[j]), j+1
				if c == 0 {
					i++
				}
			} else {
				out, i = append(out, lower[i]), i+1
			}
		}
	}
	return out
}
