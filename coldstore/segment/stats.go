package segment

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/types"
)

// maxStatBytes bounds a kept value. A longer smallest text is cut, which leaves
// a bound; a longer greatest one is dropped.
const maxStatBytes = 64

// stats are the smallest and greatest value of one column in one row group, nil
// where unknown. The order is PostgreSQL's: NaN is above all.
type stats struct {
	col      *Column
	min, max types.Datum
	seen     bool
}

func (s *stats) add(d types.Datum) {
	if !s.seen {
		s.min, s.max, s.seen = d, d, true
		return
	}
	if types.Compare(s.col.Stored, d, s.min) < 0 {
		s.min = d
	}
	if types.Compare(s.col.Stored, d, s.max) > 0 {
		s.max = d
	}
}

// append encodes both bounds: a length (0 none, otherwise raised by one), then
// the binary form.
func (s *stats) append(dst []byte) []byte {
	low, high := s.min, s.max
	if t, ok := low.(string); ok {
		low = cutText(t)
	}
	return s.appendBound(s.appendBound(dst, low), high)
}

func (s *stats) appendBound(dst []byte, d types.Datum) []byte {
	if d == nil {
		return append(dst, 0)
	}
	b, err := types.Encode(nil, s.col.Stored, d)
	if err != nil || len(b) > maxStatBytes {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(b)+1)), b...)
}

func cutText(s string) string {
	if len(s) <= maxStatBytes {
		return s
	}
	n := maxStatBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (s *stats) decode(b []byte) ([]byte, error) {
	var err error
	if s.min, b, err = s.decodeBound(b); err != nil {
		return nil, err
	}
	s.max, b, err = s.decodeBound(b)
	return b, err
}

func (s *stats) decodeBound(b []byte) (types.Datum, []byte, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n)+1 {
		return nil, nil, brokenf("the statistics end early")
	}
	b = b[n:]
	if size == 0 {
		return nil, b, nil
	}
	d, err := types.Decode(s.col.Stored, b[:size-1])
	if err != nil {
		return nil, nil, brokenf("the statistics of column %q: %v", s.col.Name, err)
	}
	return d, b[size-1:], nil
}

// Op is a comparison of a Predicate.
type Op uint8

// The comparisons; those with a value are false for NULL.
const (
	Equal Op = iota
	Less
	LessEqual
	Greater
	GreaterEqual
	IsNull
	IsNotNull
)

// Predicate is a condition on one column. Predicates are conjunctive, and only
// exclude row groups: rows that come back still have to be tested.
type Predicate struct {
	Column int16 // attnum
	Op     Op
	Value  types.Datum // of the column's stored type; unused by IsNull and IsNotNull
}

// mayHold says whether a row of a group can pass, given the bounds and the
// number of NULLs.
func (p Predicate) mayHold(s *stats, rows, nulls uint32) bool {
	switch p.Op {
	case IsNull:
		return nulls > 0
	case IsNotNull:
		return nulls < rows
	}
	if nulls == rows || p.Value == nil {
		return false
	}
	low, high := 1, -1 // the value against the bounds; unknown ones exclude nothing
	if s.min != nil {
		low = types.Compare(s.col.Stored, p.Value, s.min)
	}
	if s.max != nil {
		high = types.Compare(s.col.Stored, p.Value, s.max)
	}
	switch p.Op {
	case Equal:
		return low >= 0 && high <= 0
	case Less:
		return low > 0
	case LessEqual:
		return low >= 0
	case Greater:
		return high < 0
	case GreaterEqual:
		return high <= 0
	}
	return true
}
