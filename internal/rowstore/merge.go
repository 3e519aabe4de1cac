package rowstore

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// stream is one of the sorted sources of a cursor: a list of writes, what a layer
// has spilled, or what lies under the layers.
type stream struct {
	list  []entry
	at    int
	spill *spill
	iter  *pebble.Iterator // of spill, or what lies under the layers; nil for a list
	skip  int              // length of what stands before keys in iter
	key   []byte           // of the entry it stands on, nil at the end
}

// step goes to the next entry, the first one when fresh.
func (s *stream) step(fresh, reverse bool) {
	if s.iter != nil {
		var valid bool
		switch {
		case fresh && reverse:
			valid = s.iter.Last()
		case fresh:
			valid = s.iter.First()
		case reverse:
			valid = s.iter.Prev()
		default:
			valid = s.iter.Next()
		}
		s.key = nil
		if valid {
			s.key = s.iter.Key()[s.skip:]
		}
		return
	}
	switch {
	case fresh && reverse:
		s.at = len(s.list) - 1
	case fresh:
	case reverse:
		s.at--
	default:
		s.at++
	}
	s.key = nil
	if s.at >= 0 && s.at < len(s.list) {
		s.key = s.list[s.at].key
	}
}

// value is that of the entry it stands on; deletes says that there is none.
func (s *stream) value() (value []byte, deletes bool) {
	switch {
	case s.iter == nil:
		e := &s.list[s.at]
		return e.value, e.deletes()
	case s.spill != nil:
		return spilledValue(s.iter.Value())
	default:
		return s.iter.Value(), false
	}
}

// cursor reads keys in order, backwards when reverse is set, from streams of which
// the newer hide the older. Key and value are valid until the next step.
type cursor struct {
	streams []stream // the newest first
	at      int      // that of the present entry, -1 before the first
	more    bool     // the end has not come yet
	reverse bool
	key     []byte
	value   []byte
	deletes bool // only where a step stops at deletes
}

// newCursor reads [low, high) of a reader under layers.
func newCursor(r pebble.Reader, layers []*layer, low, high []byte, reverse bool) (*cursor, error) {
	streams, under := between(layers, low, high)
	c := &cursor{streams: streams, at: -1, reverse: reverse, more: true}
	for i := range streams {
		if err := streams[i].open(low, high); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	if under == nil {
		return c, nil
	}
	base, err := r.NewIter(&pebble.IterOptions{LowerBound: under, UpperBound: high})
	if err != nil {
		return nil, errors.Join(readError(err), c.close())
	}
	c.streams = append(c.streams, stream{iter: base})
	return c, nil
}

func (s *stream) open(low, high []byte) (err error) {
	if s.spill != nil {
		s.iter, err = s.spill.iter(low, high)
		s.skip = spillLen
	}
	return err
}

// next steps to the next key that exists.
func (c *cursor) next() bool {
	for c.step() {
		if !c.deletes {
			return true
		}
	}
	return false
}

// step goes to the next key that is set or deleted.
func (c *cursor) step() bool {
	c.leave()
	best := -1
	for i := range c.streams {
		key := c.streams[i].key
		if key != nil && (best < 0 || c.before(key, c.streams[best].key)) {
			best = i
		}
	}
	if best < 0 {
		c.at, c.more = len(c.streams), false
		return false
	}
	s := &c.streams[best]
	c.at, c.key = best, s.key
	c.value, c.deletes = s.value()
	return true
}

// leave steps all streams that stand on the present key; at the beginning all.
func (c *cursor) leave() {
	if c.at < 0 {
		c.at = 0
		for i := range c.streams {
			c.streams[i].step(true, c.reverse)
		}
		return
	}
	for i := len(c.streams) - 1; i >= c.at; i-- { // newer ones have no such key
		if s := &c.streams[i]; i == c.at || s.key != nil && bytes.Equal(s.key, c.key) {
			s.step(false, c.reverse)
		}
	}
}

func (c *cursor) before(a, b []byte) bool {
	if c.reverse {
		return bytes.Compare(a, b) > 0
	}
	return bytes.Compare(a, b) < 0
}

func (c *cursor) close() (err error) {
	for i := range c.streams {
		if s := &c.streams[i]; s.iter != nil {
			err = errors.Join(err, s.iter.Close())
			s.iter, s.list, s.spill, s.key = nil, nil, nil, nil
		}
	}
	return readError(err)
}

// err is what ended a cursor early.
func (c *cursor) err() (err error) {
	for i := range c.streams {
		if it := c.streams[i].iter; it != nil {
			err = errors.Join(err, it.Error())
		}
	}
	return readError(err)
}
