package rowstore

import (
	"bytes"
	"encoding/binary"

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

// layer is the writes of one statement, or of what ran since a savepoint.
type layer struct {
	savepoint string // the name that opened it, "" for the lowest and for statements
	mark      int    // of the locks held then
	writes    *btree.BTreeG[entry]
	// emptied are the units (unitOf) of which nothing that lies under this layer
	// shows; of a vector column only what is below the row id: vectors above it
	// were written ahead since.
	emptied map[string]types.RowID
	// written and deleted are row ids by table, for the observer.
	written map[types.OID][]types.RowID
	deleted map[types.OID][]types.RowID
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

func (l *layer) put(key, value []byte) { l.writes.ReplaceOrInsert(entry{key, value}) }
func (l *layer) remove(key []byte)     { l.writes.ReplaceOrInsert(entry{key: key}) }

// entryOverhead is what a batch needs beside a key and a value: a byte for the
// kind and two lengths.
const entryOverhead = 11

// bytes is about what the writes take in a batch: one that grew to the size of a
// large load by doubling would leave as much garbage behind.
func (l *layer) bytes() int {
	n := 1 << 10
	l.writes.Ascend(func(e entry) bool {
		n += len(e.key) + len(e.value) + entryOverhead
		return true
	})
	return n
}

// empty hides everything of a unit, this layer's own writes included.
func (l *layer) empty(prefix []byte, below types.RowID) {
	if l.emptied == nil {
		l.emptied = map[string]types.RowID{}
	}
	l.emptied[string(prefix)] = below
	if prefix[0] == keyRow {
		delete(l.counts, types.OID(binary.BigEndian.Uint32(prefix[1:])))
	}
	var gone [][]byte
	l.writes.AscendGreaterOrEqual(entry{key: prefix}, func(e entry) bool {
		if !bytes.HasPrefix(e.key, prefix) {
			return false
		}
		gone = append(gone, e.key)
		return true
	})
	for _, k := range gone {
		l.writes.Delete(entry{key: k})
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

func addID(m *map[types.OID][]types.RowID, table types.OID, id types.RowID) {
	if *m == nil {
		*m = map[types.OID][]types.RowID{}
	}
	(*m)[table] = append((*m)[table], id)
}

func (l *layer) count(table types.OID, n int64) {
	if l.counts == nil {
		l.counts = map[types.OID]int64{}
	}
	l.counts[table] += n
}

// merge puts upper's writes over l's.
func (l *layer) merge(upper *layer) {
	for prefix, below := range upper.emptied {
		l.empty([]byte(prefix), below)
	}
	if l.writes.Len() == 0 {
		l.writes = upper.writes
	} else {
		upper.writes.Ascend(func(e entry) bool {
			l.writes.ReplaceOrInsert(e)
			return true
		})
	}
	for t, ids := range upper.written {
		for _, id := range ids {
			addID(&l.written, t, id)
		}
	}
	for t, ids := range upper.deleted {
		for _, id := range ids {
			addID(&l.deleted, t, id)
		}
	}
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
}

func (l *layer) move(from rowName, to types.RowID) {
	if l.moved == nil {
		l.moved = map[rowName]types.RowID{}
	}
	l.moved[from] = to
}

// find looks a key up in layers, the last first. found says that a layer
// decides; then a nil value means that the key is not there.
func find(layers []*layer, key []byte) (value []byte, found bool) {
	for i := len(layers) - 1; i >= 0; i-- {
		l := layers[i]
		if l.writes.Len() > 0 {
			if e, ok := l.writes.Get(entry{key: key}); ok {
				return e.value, true
			}
		}
		if l.hides(key) {
			return nil, true
		}
	}
	return nil, false
}

// between gathers what layers say of the keys of [low, high), in order; under is
// the first key at which what lies under them shows, nil when none does. low and
// high share a unit.
func between(layers []*layer, low, high []byte) (list []entry, under []byte) {
	under = low
	for _, l := range layers {
		if len(l.emptied) > 0 {
			if below, ok := l.emptied[string(unitOf(low))]; ok {
				list, under = nil, nil
				if low[0] == keyVector {
					under = binary.BigEndian.AppendUint64(append([]byte(nil), low[:columnLen]...), uint64(below))
				}
			}
		}
		if l.writes.Len() == 0 {
			continue
		}
		var upper []entry
		l.writes.AscendRange(entry{key: low}, entry{key: high}, func(e entry) bool {
			upper = append(upper, e)
			return true
		})
		list = overlay(list, upper)
	}
	return list, under
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
