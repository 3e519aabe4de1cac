package run

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/akidb/akidb/internal/types"
)

// sorter sorts rows by key bytes: in memory while they fit, else in sorted runs
// in temporary files that are merged. Equal keys keep the order of their coming.
type sorter struct {
	dir   string
	limit int64 // bytes of memory
	// want, when above 0, is how many rows will be taken: the rest is dropped early.
	want int
	// unique drops rows whose key came before.
	unique bool

	entries sortEntries
	seq     uint64
	mem     int64
	peak    int64
	arena   []byte
	heaped  bool
	runs    []*tempFile
	disk    int64

	at      int // next entry when everything is in memory
	merging *merge
	last    []byte
	hasLast bool
	given   int
}

// sortEntry is a row with its key; the first bytes of the key decide most
// comparisons without following the pointer.
type sortEntry struct {
	prefix uint64
	seq    uint64
	key    []byte
	row    types.Row
}

func (e *sortEntry) compare(o *sortEntry) int {
	if e.prefix != o.prefix {
		if e.prefix < o.prefix {
			return -1
		}
		return 1
	}
	if c := bytes.Compare(e.key, o.key); c != 0 {
		return c
	}
	if e.seq < o.seq {
		return -1
	}
	return 1
}

// sortEntries is a heap with the greatest entry on top.
type sortEntries []sortEntry

func (s sortEntries) Len() int           { return len(s) }
func (s sortEntries) Less(i, j int) bool { return s[i].compare(&s[j]) > 0 }
func (s sortEntries) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sortEntries) Push(any)          { panic("run: the heap of a sort only shrinks") }
func (s *sortEntries) Pop() any          { panic("run: the heap of a sort only shrinks") }

func prefixOf(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// add keeps copies of key and row.
func (s *sorter) add(key []byte, row types.Row) error {
	s.seq++
	if s.heaped {
		top := &s.entries[0]
		if bytes.Compare(key, top.key) >= 0 {
			return nil
		}
		s.mem += rowBytes(row) - rowBytes(top.row) + int64(len(key)-len(top.key))
		top.key = append(top.key[:0:0], key...)
		top.prefix, top.seq = prefixOf(key), s.seq
		copy(top.row, row)
		heap.Fix(&s.entries, 0)
		return s.bound()
	}
	s.entries = append(s.entries, sortEntry{prefix: prefixOf(key), seq: s.seq, key: s.keep(key), row: copyRow(row)})
	s.mem += rowBytes(row) + int64(len(key)) + 64
	if s.want > 0 && !s.unique && len(s.entries) == s.want && len(s.runs) == 0 {
		heap.Init(&s.entries)
		s.heaped = true
	}
	return s.bound()
}

func (s *sorter) bound() error {
	s.peak = max(s.peak, s.mem)
	if s.mem > s.limit {
		return s.dump()
	}
	return nil
}

// keep copies a key into a chunk shared by many.
func (s *sorter) keep(key []byte) []byte {
	if cap(s.arena)-len(s.arena) < len(key) {
		s.arena = make([]byte, 0, max(len(key), 1<<10, min(2*cap(s.arena), 64<<10)))
	}
	n := len(s.arena)
	s.arena = append(s.arena, key...)
	return s.arena[n:len(s.arena):len(s.arena)]
}

// dump writes what is in memory as one sorted run.
func (s *sorter) dump() error {
	s.sort()
	f, err := newTempFile(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	w := recordWriter{file: f}
	for i := range s.entries {
		if err := w.write(0, s.entries[i].key, s.entries[i].row); err != nil {
			return err
		}
	}
	s.disk += f.size
	clear(s.entries)
	s.entries, s.mem, s.arena, s.heaped = s.entries[:0], 0, nil, false
	if len(s.runs) > maxRuns {
		return s.mergeRuns()
	}
	return nil
}

// maxRuns bounds the open files of a sort; each run being read takes tempBuffer.
const maxRuns = 48

// mergeRuns makes one run of all runs.
func (s *sorter) mergeRuns() error {
	m, err := newMerge(s.runs)
	if err != nil {
		return err
	}
	f, err := newTempFile(s.dir)
	if err != nil {
		return err
	}
	w := recordWriter{file: f}
	for {
		rec, ok, err := m.next()
		if err != nil || !ok {
			for _, r := range s.runs {
				r.close()
			}
			s.runs = append(s.runs[:0], f)
			s.disk += f.size
			return err
		}
		if err := w.write(0, rec.key, rec.row); err != nil {
			f.close()
			return err
		}
	}
}

func (s *sorter) sort() {
	slices.SortFunc(s.entries, func(a, b sortEntry) int { return a.compare(&b) })
}

// finish ends the adding.
func (s *sorter) finish() error {
	if len(s.runs) == 0 {
		s.sort()
		return nil
	}
	if len(s.entries) > 0 {
		if err := s.dump(); err != nil {
			return err
		}
	}
	m, err := newMerge(s.runs)
	s.merging = m
	return err
}

// next gives the rows in order, nil at the end.
func (s *sorter) next() (types.Row, error) {
	for {
		key, row, err := s.step()
		if err != nil || row == nil {
			return nil, err
		}
		if s.unique {
			if s.hasLast && bytes.Equal(key, s.last) {
				continue
			}
			s.last, s.hasLast = append(s.last[:0], key...), true
		}
		if s.want > 0 && s.given == s.want {
			return nil, nil
		}
		s.given++
		return row, nil
	}
}

func (s *sorter) step() ([]byte, types.Row, error) {
	if s.merging != nil {
		rec, ok, err := s.merging.next()
		if err != nil || !ok {
			return nil, nil, err
		}
		return rec.key, rec.row, nil
	}
	if s.at == len(s.entries) {
		return nil, nil, nil
	}
	e := &s.entries[s.at]
	s.at++
	return e.key, e.row, nil
}

// method is EXPLAIN ANALYZE's Sort Method.
func (s *sorter) method() string {
	switch {
	case s.disk > 0:
		return fmt.Sprintf("external merge  Disk: %dkB", (s.disk+1023)/1024)
	case s.heaped:
		return fmt.Sprintf("top-N heapsort  Memory: %dkB", (s.peak+1023)/1024)
	}
	return fmt.Sprintf("quicksort  Memory: %dkB", (s.peak+1023)/1024)
}

func (s *sorter) free() {
	for _, r := range s.runs {
		r.close()
	}
	s.runs, s.entries, s.arena, s.merging = nil, nil, nil, nil
}

// merge reads sorted runs as one. Its heap has the smallest on top.
type merge struct {
	heads []mergeHead
	begun bool
}

type mergeHead struct {
	run *recordReader
	at  int // the run's number: earlier runs first among equal keys
	rec record
}

func newMerge(runs []*tempFile) (*merge, error) {
	m := &merge{}
	for i, f := range runs {
		r, err := newRecordReader(f)
		if err != nil {
			return nil, err
		}
		rec, ok, err := r.next()
		if err != nil {
			return nil, err
		}
		if ok {
			m.heads = append(m.heads, mergeHead{run: r, at: i, rec: rec})
		}
	}
	heap.Init(m)
	return m, nil
}

func (m *merge) Len() int { return len(m.heads) }
func (m *merge) Less(i, j int) bool {
	a, b := &m.heads[i], &m.heads[j]
	if c := bytes.Compare(a.rec.key, b.rec.key); c != 0 {
		return c < 0
	}
	return a.at < b.at
}
func (m *merge) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merge) Push(any)      { panic("run: the heap of a merge only shrinks") }

// Pop drops the run that has ended.
func (m *merge) Pop() any {
	m.heads = m.heads[:len(m.heads)-1]
	return nil
}

// next gives the smallest record, whose key is valid until the next call.
func (m *merge) next() (record, bool, error) {
	if m.begun && len(m.heads) > 0 {
		top := &m.heads[0]
		rec, ok, err := top.run.next()
		if err != nil {
			return record{}, false, err
		}
		if ok {
			top.rec = rec
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	m.begun = true
	if len(m.heads) == 0 {
		return record{}, false, nil
	}
	return m.heads[0].rec, true, nil
}
