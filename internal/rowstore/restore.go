package rowstore

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// restore is the rows of segments that come back (LoadRows). Their vectors go
// into files, as those of a large load do, in the order of their ids within each,
// under an intent whose first row id is 0, which no row has: should the move not
// be switched, all vectors below its last row id go that no local row needs.
type restore struct {
	store   *Store
	table   types.OID
	vectors []int16
	intent  intent
	// local are rows that had a local form or a tombstone when the move began. One
	// that gets a local form later keeps the vectors that the segment has (Update),
	// so both may be written.
	local *roaring64.Bitmap

	items []restored
	bytes []byte
}

// restored is a vector in restore.bytes.
type restored struct {
	id         types.RowID
	attnum     int16
	start, end int
}

func (t *Txn) newRestore(ctx context.Context, table *catalog.Table) (*restore, error) {
	r := &restore{store: t.store, table: table.ID, local: roaring64.New()}
	for i := range table.Columns {
		if c := &table.Columns[i]; !c.Dropped && isVector(c.Type) {
			r.vectors = append(r.vectors, c.Num)
		}
	}
	err := t.store.LocalIDs(ctx, table, func(id types.RowID, _ bool) error {
		r.local.Add(uint64(id))
		return nil
	})
	r.intent = intent{table: table.ID, last: table.Cold.MaxRowID(), vectors: r.vectors}
	l := t.top()
	l.intents = append(l.intents, r.intent)
	return r, err
}

// add takes the vectors of a row.
func (r *restore) add(id types.RowID, row types.Row) error {
	for _, n := range r.vectors {
		if row[n-1] == nil {
			continue
		}
		start := len(r.bytes)
		r.bytes = appendVector(r.bytes, row[n-1])
		r.items = append(r.items, restored{id, n, start, len(r.bytes)})
	}
	if len(r.bytes) < loadChunk {
		return nil
	}
	return r.flush()
}

// flush writes what was gathered into a file for each column and hands them over.
func (r *restore) flush() error {
	if len(r.items) == 0 {
		return nil
	}
	slices.SortFunc(r.items, func(a, b restored) int {
		return cmp.Or(cmp.Compare(a.attnum, b.attnum), cmp.Compare(a.id, b.id))
	})
	r.items = slices.CompactFunc(r.items, func(a, b restored) bool { return a.attnum == b.attnum && a.id == b.id })
	l := &loader{store: r.store, table: r.table, intents: []intent{r.intent}}
	err := r.store.space.allow(len(r.bytes))
	if err == nil {
		err = r.write(l)
	}
	if err == nil {
		err = l.handOver()
	}
	if err != nil {
		l.discard()
	}
	r.items, r.bytes = r.items[:0], r.bytes[:0]
	return roomError(err)
}

func (r *restore) write(l *loader) error {
	for _, x := range r.items {
		n := len(l.columns) - 1
		if n < 0 || l.columns[n].attnum != x.attnum {
			l.columns = append(l.columns, loadColumn{attnum: x.attnum})
			n++
			if err := l.create(&l.columns[n]); err != nil {
				return err
			}
		}
		l.key = vectorKey(l.key[:0], r.table, x.attnum, x.id)
		if err := l.columns[n].writer.Set(l.key, r.bytes[x.start:x.end]); err != nil {
			return err
		}
	}
	return nil
}

// handOver finishes the files and gives them to Pebble.
func (l *loader) handOver() error {
	paths, err := l.finish()
	if err != nil || len(paths) == 0 {
		return err
	}
	return l.ingest(paths)
}

// restores says whether an intent is one of a restore.
func (in intent) restores() bool { return in.first == 0 }

// clearRestore removes vectors that a restore wrote ahead: those between the local
// rows. The caller keeps rows from becoming local meanwhile.
func (s *Store) clearRestore(b *pebble.Batch, in intent) error {
	from := types.RowID(0)
	gap := func(to types.RowID) error {
		for _, n := range in.vectors {
			if from == to {
				break
			}
			if err := b.DeleteRange(vectorKey(nil, in.table, n, from), vectorKey(nil, in.table, n, to), nil); err != nil {
				return err
			}
		}
		from = to + 1
		return nil
	}
	err := localIDs(context.Background(), s.db, in.table, func(id types.RowID, gone bool) error {
		if gone || id > in.last {
			return nil
		}
		return gap(id)
	})
	if err == nil && from <= in.last {
		err = gap(in.last + 1)
	}
	if err != nil {
		return err
	}
	return b.Delete(intentKey(in.table, in.first), nil)
}

// dropRestore is dropIntent for a restore.
func (s *Store) dropRestore(b *pebble.Batch, in intent) error {
	t := s.table(in.table)
	t.ahead.Lock()
	defer t.ahead.Unlock()
	if err := s.clearRestore(b, in); err != nil {
		return err
	}
	return s.applyFreeing(b, pebble.NoSync)
}

// overlay notes that rows of a table's segments get a local form.
func (l *layer) overlay(table types.OID) {
	if !slices.Contains(l.overlaid, table) {
		l.overlaid = append(l.overlaid, table)
	}
}

// holdAhead keeps what restores wrote ahead from being removed while rows become
// local; the returned function lets go.
func (s *Store) holdAhead(l *layer) func() {
	for _, id := range l.overlaid {
		s.table(id).ahead.RLock()
	}
	return func() {
		for _, id := range l.overlaid {
			s.table(id).ahead.RUnlock()
		}
	}
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
