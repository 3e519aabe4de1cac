package run

import "github.com/akidb/akidb/internal/types"

// spool keeps rows for reading again, in any order: in memory up to a limit,
// the rest in a temporary file.
type spool struct {
	dir     string
	limit   int64
	rows    []types.Row
	mem     int64
	file    *tempFile
	offsets []int64
	scratch []byte
	window  []byte // a piece of the file read ahead
	start   int64
}

const spoolWindow = 64 << 10

func (x *Execution) newSpool() spool { return spool{dir: x.env.TempDir, limit: x.env.WorkMem} }

func (s *spool) len() int { return len(s.rows) + len(s.offsets) }

// append keeps a copy of row.
func (s *spool) append(row types.Row) error {
	if s.file == nil {
		size := rowBytes(row)
		if s.mem+size <= s.limit || len(s.rows) == 0 {
			s.mem += size
			s.rows = append(s.rows, copyRow(row))
			return nil
		}
		f, err := newTempFile(s.dir)
		if err != nil {
			return err
		}
		s.file = f
	}
	b, err := appendRow(s.scratch[:0], row)
	if err != nil {
		return err
	}
	s.scratch = b
	s.offsets = append(s.offsets, s.file.size)
	return s.file.write(b)
}

// row returns row i; it stays valid.
func (s *spool) row(i int) (types.Row, error) {
	if i < len(s.rows) {
		return s.rows[i], nil
	}
	i -= len(s.rows)
	from, to := s.offsets[i], s.file.size
	if i+1 < len(s.offsets) {
		to = s.offsets[i+1]
	}
	if from < s.start || to > s.start+int64(len(s.window)) {
		if err := s.read(from, to); err != nil {
			return nil, err
		}
	}
	return decodeRow(s.window[from-s.start : to-s.start])
}

func (s *spool) read(from, to int64) error {
	n := min(max(to-from, spoolWindow), s.file.size-from)
	if int64(cap(s.window)) < n {
		s.window = make([]byte, n)
	}
	s.window, s.start = s.window[:n], from
	if err := s.file.readAt(s.window, from); err != nil {
		s.window = s.window[:0]
		return err
	}
	return nil
}

// reset empties the spool for other rows.
func (s *spool) reset() {
	s.free()
	clear(s.rows)
	s.rows, s.offsets, s.window = s.rows[:0], s.offsets[:0], s.window[:0]
	s.mem, s.start = 0, 0
}

func (s *spool) free() {
	s.file.close()
	s.file = nil
}
