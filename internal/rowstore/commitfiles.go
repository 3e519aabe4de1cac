package rowstore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// A commit that has spilled is not made of a batch but of table files: everything
// that it writes, in the order of keys, and the removal of what was spilled. Pebble takes
// them over in one edit of its manifest (or one entry of its log): all or, after a
// crash, none. Commits that did not wait for the disk could be lost in such a crash
// while this one, which has read them, is not; so the log is synced first.

// commitFiles commits a layer that has spilled.
func (s *Store) commitFiles(l *layer) error {
	w := &tableWriter{store: s}
	err := w.finish(l.writeFiles(s, w))
	if err != nil {
		return err
	}
	if err = s.syncLog(); err == nil {
		if len(l.changes) > 0 {
			s.catalogMu.Lock()
			defer s.catalogMu.Unlock()
		}
		return s.commitTables(l, w)
	}
	w.discard()
	return err
}

// commitTables hands the files of a commit over and makes it known.
func (s *Store) commitTables(l *layer, w *tableWriter) error {
	err := s.publish(l, func() error { return w.takeOver(nil) })
	if err == nil {
		l.spill = nil // its place is empty
	}
	return err
}

// writeFiles writes all that the commit of a layer does. Whatever its schema changes
// drop is locked by the transaction, so it is known before the catalog's lock is held.
func (l *layer) writeFiles(s *Store, w *tableWriter) error {
	ops := operations{}
	emptied, err := ops.read(s, l.fillEmptied)
	if err != nil {
		return err
	}
	dropped, err := ops.read(s, func(b *pebble.Batch) error {
		return errors.Join(l.fillRest(b), dropFreed(b, l.changes), s.dropVectors(b, l.changes), s.raiseIDs(b, l.changes))
	})
	if err != nil {
		return err
	}
	w.spans = union(slices.Concat(emptied, dropped, []span{l.spill.where(nil)}))
	c, err := l.all()
	if err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(ops))
	for err == nil && c.step() {
		n, same := slices.BinarySearch(keys, string(c.key))
		if err = ops.write(w, keys[:n]); err != nil {
			break
		}
		keys = keys[n:]
		kind := pebble.InternalKeyKindSet
		if c.deletes {
			kind = pebble.InternalKeyKindDelete
		}
		if !same && !slices.ContainsFunc(dropped, func(sp span) bool { return sp.holds(c.key) }) {
			err = w.point(kind, c.key, c.value)
		}
	}
	if err = errors.Join(err, c.err(), c.close()); err != nil {
		return err
	}
	return ops.write(w, keys)
}

// all reads all writes of a layer, deletes included.
func (l *layer) all() (*cursor, error) {
	var list []entry
	l.writes.Ascend(func(e entry) bool {
		list = append(list, e)
		return true
	})
	c := &cursor{streams: []stream{{list: list}, {spill: l.spill}}, at: -1}
	return c, c.streams[1].open(nil, nil)
}

func (sp span) holds(key []byte) bool {
	return bytes.Compare(sp.low, key) <= 0 && bytes.Compare(key, sp.high) < 0
}

// operations are what batches do to single keys.
type operations map[string]operation

type operation struct {
	kind  pebble.InternalKeyKind
	value []byte
}

// read adds what fill writes into a batch, each key once, and returns the ranges
// that it deletes: those hide the keys before them, and what is added to a
// count that was deleted is the count.
func (o operations) read(s *Store, fill func(*pebble.Batch) error) (spans []span, err error) {
	b := s.db.NewBatch()
	defer s.release(b)
	if err := fill(b); err != nil {
		return nil, err
	}
	for r := b.Reader(); ; {
		kind, key, value, ok, err := r.Next()
		if err != nil || !ok {
			return spans, err
		}
		value = bytes.Clone(value)
		switch kind {
		case pebble.InternalKeyKindRangeDelete:
			sp := span{bytes.Clone(key), value}
			maps.DeleteFunc(o, func(k string, _ operation) bool { return sp.holds([]byte(k)) })
			spans = append(spans, sp)
			continue
		case pebble.InternalKeyKindMerge:
			if old, ok := o[string(key)]; ok && old.kind == pebble.InternalKeyKindDelete {
				kind = pebble.InternalKeyKindSet
			}
		case pebble.InternalKeyKindSet, pebble.InternalKeyKindDelete:
		default:
			return nil, fmt.Errorf("a commit has an operation of kind %s", kind)
		}
		o[string(key)] = operation{kind, value}
	}
}

// write writes operations into files.
func (o operations) write(w *tableWriter, keys []string) error {
	for _, k := range keys {
		if err := w.point(o[k].kind, []byte(k), o[k].value); err != nil {
			return err
		}
	}
	return nil
}
