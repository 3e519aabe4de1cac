package rowstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// tableBytes is about how large a file gets.
const tableBytes = 64 << 20

// tableWriter writes keys, in order, and ranges of keys that are deleted into files
// that Pebble takes over in one step. A range deletes only what is older than
// the files. Files end where units do, so that each lies over little of what is there.
type tableWriter struct {
	store  *Store
	spans  []span // deleted ranges that are not written yet, in order and apart
	paths  []string
	writer *sstable.Writer
	unit   []byte // in which the open file began
	bytes  int    // in the open file
	last   []byte // key written last
	value  []byte // scratch of the caller
}

// union sorts ranges and makes one of those that meet.
func union(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return bytes.Compare(a.low, b.low) })
	out := spans[:0]
	for _, sp := range spans {
		if n := len(out) - 1; n >= 0 && bytes.Compare(sp.low, out[n].high) <= 0 {
			if bytes.Compare(sp.high, out[n].high) > 0 {
				out[n].high = sp.high
			}
			continue
		}
		out = append(out, sp)
	}
	return out
}

// tableUnit is in what a file stays: the unit of a key, spilled ones included, or
// all the small things that stand before the rows.
func tableUnit(key []byte) []byte {
	switch {
	case key[0] < keyRow:
		return nil
	case key[0] == keySpill:
		return key[:min(len(key), spillLen+prefixLen)]
	default:
		return key[:min(len(key), prefixLen)]
	}
}

// point writes one key.
func (w *tableWriter) point(kind pebble.InternalKeyKind, key, value []byte) error {
	if err := w.reach(key); err != nil {
		return err
	}
	start := key // of what comes next
	if len(w.spans) > 0 && bytes.Compare(w.spans[0].low, key) < 0 {
		start = w.spans[0].low
	}
	if w.writer != nil && (w.bytes >= tableBytes || !bytes.Equal(tableUnit(start), w.unit)) {
		if err := w.cut(start, key); err != nil {
			return err
		}
	}
	if err := w.begin(start); err != nil {
		return err
	}
	w.bytes += len(key) + len(value)
	w.last = append(w.last[:0], key...)
	switch kind {
	case pebble.InternalKeyKindDelete:
		return w.writer.Delete(key)
	case pebble.InternalKeyKindMerge:
		return w.writer.Merge(key, value)
	default:
		return w.writer.Set(key, value)
	}
}

// reach writes the ranges that end before a key; all when it is nil.
func (w *tableWriter) reach(key []byte) error {
	for len(w.spans) > 0 && (key == nil || bytes.Compare(w.spans[0].high, key) <= 0) {
		sp := w.spans[0]
		w.spans = w.spans[1:]
		if w.writer != nil && bytes.Compare(sp.low, w.last) > 0 && !bytes.Equal(tableUnit(sp.low), w.unit) {
			if err := w.end(); err != nil {
				return err
			}
		}
		if err := w.deleteRange(sp); err != nil {
			return err
		}
	}
	return nil
}

func (w *tableWriter) deleteRange(sp span) error {
	if err := w.begin(sp.low); err != nil {
		return err
	}
	w.last = append(w.last[:0], sp.high...)
	return w.writer.DeleteRange(sp.low, sp.high)
}

// cut ends the file before key. A range that began in the file, or is alone
// between it and key, is parted or left to the next file.
func (w *tableWriter) cut(start, key []byte) error {
	if bytes.Compare(start, w.last) <= 0 {
		if err := w.deleteRange(span{start, key}); err != nil {
			return err
		}
		w.spans[0].low = append([]byte(nil), key...)
	}
	return w.end()
}

// begin makes sure that a file is open.
func (w *tableWriter) begin(key []byte) error {
	if w.writer != nil {
		return nil
	}
	s := w.store
	path := s.opts.FS.PathJoin(s.opts.Dir, fmt.Sprintf("%s%d", loadPrefix, s.loads.Add(1)))
	f, err := s.opts.FS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	w.paths = append(w.paths, path)
	w.writer = sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.pebble.MakeWriterOptions(0, s.db.TableFormat()))
	w.unit, w.bytes = append([]byte(nil), tableUnit(key)...), 0
	return nil
}

// end syncs and closes the file.
func (w *tableWriter) end() error {
	if w.writer == nil {
		return nil
	}
	err := w.writer.Close()
	w.writer = nil
	return errors.Join(err, w.store.space.allow(w.bytes))
}

// finish writes what is left and closes the last file; after an error it removes the files.
func (w *tableWriter) finish(err error) error {
	if err == nil {
		err = errors.Join(w.reach(nil), w.end())
	}
	if err != nil {
		w.discard()
	}
	return roomError(err)
}

// takeOver hands the files to Pebble, or after an error removes them.
func (w *tableWriter) takeOver(err error) error {
	if err = w.finish(err); err != nil || len(w.paths) == 0 {
		return err
	}
	s := w.store
	err = s.failure.guarded(func() error { return s.db.Ingest(context.Background(), w.paths) })
	if err != nil {
		w.discard()
	}
	return roomError(err)
}

// discard removes files that were not handed over.
func (w *tableWriter) discard() {
	if w.writer != nil {
		_ = w.writer.Close() // what it holds is not wanted
		w.writer = nil
	}
	for _, p := range w.paths {
		_ = w.store.opts.FS.Remove(p) // else the next start removes it
	}
	w.paths = nil
}
