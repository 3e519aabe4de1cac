package run

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"syscall"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// tempFile is a file that has no name any more: it is gone when it is closed,
// however the process ends.
type tempFile struct {
	f       *os.File
	w       *bufio.Writer
	size    int64 // bytes written
	flushed int64
}

const tempBuffer = 32 << 10

func newTempFile(dir string) (*tempFile, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, tempError(err)
		}
	}
	f, err := os.CreateTemp(dir, "sort-*.tmp")
	if err != nil {
		return nil, tempError(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, tempError(errors.Join(err, f.Close()))
	}
	return &tempFile{f: f, w: bufio.NewWriterSize(f, tempBuffer)}, nil
}

func (t *tempFile) write(b []byte) error {
	n, err := t.w.Write(b)
	t.size += int64(n)
	if err != nil {
		return tempError(err)
	}
	return nil
}

func (t *tempFile) flush() error {
	if t.flushed == t.size {
		return nil
	}
	if err := t.w.Flush(); err != nil {
		return tempError(err)
	}
	t.flushed = t.size
	return nil
}

// readAt fills b, which lies within what was written.
func (t *tempFile) readAt(b []byte, offset int64) error {
	if offset+int64(len(b)) > t.flushed {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if _, err := t.f.ReadAt(b, offset); err != nil {
		return tempError(err)
	}
	return nil
}

// reader reads the whole file from its start.
func (t *tempFile) reader() (*bufio.Reader, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(io.NewSectionReader(t.f, 0, t.size), tempBuffer), nil
}

// close frees the file. Its content is of no use any more, so an error is
// nobody's concern.
func (t *tempFile) close() {
	if t != nil && t.f != nil {
		_ = t.f.Close()
		t.f = nil
	}
}

func tempError(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return pgerr.New(pgerr.DiskFull, "could not write to temporary file: No space left on device")
	}
	return pgerr.Newf(pgerr.IOError, "could not use a temporary file: %v", err)
}

// record is what a partition or a sorted run holds: a key, its row and a tag.
type record struct {
	tag uint64
	key []byte
	row types.Row
}

// recordWriter appends records to a file.
type recordWriter struct {
	file    *tempFile
	scratch []byte
	body    []byte
}

func (w *recordWriter) write(tag uint64, key []byte, row types.Row) error {
	b := binary.AppendUvarint(w.body[:0], tag)
	b = appendBlob(b, key)
	b, err := appendRow(b, row)
	if err != nil {
		return err
	}
	w.body = b
	w.scratch = binary.AppendUvarint(w.scratch[:0], uint64(len(b)))
	if err := w.file.write(w.scratch); err != nil {
		return err
	}
	return w.file.write(b)
}

// recordReader reads them back in order.
type recordReader struct {
	file *tempFile
	in   *bufio.Reader
	buf  []byte
}

func newRecordReader(f *tempFile) (*recordReader, error) {
	in, err := f.reader()
	if err != nil {
		return nil, err
	}
	return &recordReader{file: f, in: in}, nil
}

// next gives a record whose key is valid until the next call; false at the end.
func (r *recordReader) next() (record, bool, error) {
	n, err := binary.ReadUvarint(r.in)
	if errors.Is(err, io.EOF) {
		return record{}, false, nil
	}
	if err != nil {
		return record{}, false, tempError(err)
	}
	if uint64(cap(r.buf)) < n {
		r.buf = make([]byte, n)
	}
	r.buf = r.buf[:n]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return record{}, false, tempError(err)
	}
	in := rowReader{b: r.buf}
	rec := record{tag: in.uvarint()}
	rec.key = in.take(in.count(1))
	rec.row = in.row(0)
	if in.bad {
		return record{}, false, pgerr.New(pgerr.DataCorrupted, "temporary file is damaged")
	}
	return rec, true, nil
}

const (
	// fanOut is how many partitions a table that outgrows work_mem is cut into,
	// and partitionBits its logarithm.
	fanOut        = 16
	partitionBits = 4
	// maxLevel ends the cutting: each level takes other bits of one 64-bit hash.
	maxLevel = 8
)

var partitionSeed = maphash.MakeSeed()

// partitionOf is a key's partition at a level.
func partitionOf(key []byte, level int) int {
	return int(maphash.Bytes(partitionSeed, key)>>(level*partitionBits)) & (fanOut - 1)
}

// partition is a part of an input, set aside in a file.
type partition struct {
	file  *tempFile
	level int
}

// partitions distributes records over files by the hash of their keys.
type partitions struct {
	dir     string
	level   int
	writers [fanOut]*recordWriter
	bytes   int64
}

func (p *partitions) write(tag uint64, key []byte, row types.Row) error {
	i := partitionOf(key, p.level)
	w := p.writers[i]
	if w == nil {
		f, err := newTempFile(p.dir)
		if err != nil {
			return err
		}
		w = &recordWriter{file: f}
		p.writers[i] = w
	}
	before := w.file.size
	err := w.write(tag, key, row)
	p.bytes += w.file.size - before
	return err
}

// take hands over the files, to be read at the next level.
func (p *partitions) take() []partition {
	if p == nil {
		return nil
	}
	var out []partition
	for i, w := range p.writers {
		if w != nil {
			out = append(out, partition{file: w.file, level: p.level + 1})
			p.writers[i] = nil
		}
	}
	return out
}

// file hands over one partition's file, nil when it is empty.
func (p *partitions) file(i int) *tempFile {
	if p == nil || p.writers[i] == nil {
		return nil
	}
	f := p.writers[i].file
	p.writers[i] = nil
	return f
}

func (p *partitions) free() {
	if p == nil {
		return
	}
	for i, w := range p.writers {
		if w != nil {
			w.file.close()
			p.writers[i] = nil
		}
	}
}
