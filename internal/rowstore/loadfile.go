package rowstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// A large load writes its vectors straight into table files that Pebble then
// takes over: they pass neither the log nor a memtable, and are written once
// instead of two or three times. The first loadAfter bytes of a statement go the
// usual way, so that small loads make no files; a file is handed over when
// loadChunk bytes are in it (8 to 256 MB made no difference in rows/s) and at the
// end of the statement.
const (
	loadAfter     = 4 << 20
	loadChunk     = 64 << 20
	loadBlockSize = 16 << 10
	loadPrefix    = "bulk."
)

// loader is the files that a statement's vectors go into. It belongs to a Txn.
type loader struct {
	store   *Store
	table   types.OID
	columns []loadColumn
	intents []intent
	bytes   int
	key     []byte
	value   []byte
}

// loadColumn is one vector column's file; writer is nil while it has no vector.
type loadColumn struct {
	attnum int16
	path   string
	writer *sstable.Writer
}

// loadFile writes the vectors of rows into files. in is the range that their ids extend.
func (t *Txn) loadFile(table *catalog.Table, in intent, first types.RowID, rows []types.Row) error {
	if t.load != nil && t.load.table != table.ID {
		if err := t.flushLoad(); err != nil {
			return err
		}
	}
	if t.load == nil {
		t.load = &loader{store: t.store, table: table.ID}
		for _, n := range in.vectors {
			t.load.columns = append(t.load.columns, loadColumn{attnum: n})
		}
	}
	l := t.load
	if n := len(l.intents); n > 0 && l.intents[n-1].first == in.first {
		l.intents[n-1] = in
	} else {
		l.intents = append(l.intents, in)
	}
	before := l.bytes
	for i := range l.columns {
		if err := l.write(&l.columns[i], first, rows); err != nil {
			return roomError(err)
		}
	}
	if err := t.store.space.allow(l.bytes - before); err != nil {
		return err
	}
	if l.bytes < loadChunk {
		return nil
	}
	return t.flushLoad()
}

func (l *loader) write(c *loadColumn, first types.RowID, rows []types.Row) error {
	for i, row := range rows {
		d := row[c.attnum-1]
		if d == nil {
			continue
		}
		if c.writer == nil {
			if err := l.create(c); err != nil {
				return err
			}
		}
		l.key = vectorKey(l.key[:0], l.table, c.attnum, first+types.RowID(i))
		l.value = appendVector(l.value[:0], d)
		if err := c.writer.Set(l.key, l.value); err != nil {
			return err
		}
		l.bytes += len(l.key) + len(l.value)
	}
	return nil
}

func (l *loader) create(c *loadColumn) error {
	s := l.store
	c.path = s.opts.FS.PathJoin(s.opts.Dir, fmt.Sprintf("%s%d", loadPrefix, s.loads.Add(1)))
	f, err := s.opts.FS.Create(c.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	o := s.pebble.MakeWriterOptions(0, s.db.TableFormat())
	o.BlockSize, o.Compression, o.FilterPolicy = loadBlockSize, block.NoCompression, nil
	c.writer = sstable.NewWriter(objstorageprovider.NewFileWritable(f), o)
	return nil
}

// flushLoad hands the files over. The intents are on disk before it, so that a
// start removes the vectors should their rows not be committed.
func (t *Txn) flushLoad() error {
	l := t.load
	if l == nil {
		return nil
	}
	t.load = nil
	paths, err := l.finish()
	if err == nil && len(paths) > 0 {
		err = l.ingest(paths)
	}
	if err != nil {
		l.discard()
	}
	return roomError(err)
}

// finish syncs and closes the files.
func (l *loader) finish() (paths []string, err error) {
	for i := range l.columns {
		c := &l.columns[i]
		if c.writer == nil {
			continue
		}
		w := c.writer
		c.writer = nil
		if err := w.Close(); err != nil {
			return nil, err
		}
		paths = append(paths, c.path)
	}
	return paths, nil
}

func (l *loader) ingest(paths []string) error {
	s := l.store
	b := s.db.NewBatch()
	defer s.release(b)
	for _, in := range l.intents {
		if err := b.Set(intentKey(in.table, in.first), binary.BigEndian.AppendUint64(nil, uint64(in.last)), nil); err != nil {
			return err
		}
	}
	if err := s.apply(b, pebble.Sync); err != nil {
		return err
	}
	return s.failure.guarded(func() error { return s.db.Ingest(context.Background(), paths) })
}

// discard removes files that were not handed over.
func (l *loader) discard() {
	for i := range l.columns {
		c := &l.columns[i]
		if c.writer != nil {
			_ = c.writer.Close() // what it holds is not wanted
		}
		if c.path != "" {
			_ = l.store.opts.FS.Remove(c.path) // else the next start removes it
		}
	}
}

// dropLoad forgets a load whose statement is undone.
func (t *Txn) dropLoad() {
	if t.load != nil {
		t.load.discard()
		t.load = nil
	}
}

// roomError gives a full disk its code: a load fails, and frees what it took,
// where a commit would wait.
func roomError(err error) error {
	if !outOfRoom(err) {
		return err
	}
	return pgerr.New(pgerr.DiskFull, "could not extend file: No space left on device").
		WithHint("Free disk space and try again: nothing of the statement was kept.")
}

// removeLoads removes files of loads that a crash ended.
func removeLoads(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return nil // a new store has no folder yet
	}
	for _, n := range names {
		if strings.HasPrefix(n, loadPrefix) {
			err = errors.Join(err, fs.Remove(fs.PathJoin(dir, n)))
		}
	}
	return err
}
