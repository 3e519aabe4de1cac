package rowstore

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"
)

// cursor reads keys in order, backwards when reverse is set: those of a Pebble
// iterator with a list of writes over them. Key and value are valid until the
// next step.
type cursor struct {
	base    *pebble.Iterator // nil when hidden
	started bool
	valid   bool // base stands on a key
	more    bool // the end has not come yet
	list    []entry
	at      int
	reverse bool
	key     []byte
	value   []byte
}

// newCursor reads [low, high) of a reader under layers.
func newCursor(r pebble.Reader, layers []*layer, low, high []byte, reverse bool) (*cursor, error) {
	list, low := between(layers, low, high)
	c := &cursor{list: list, reverse: reverse, more: true}
	if reverse {
		c.at = len(list) - 1
	}
	if low == nil {
		c.started = true
		return c, nil
	}
	var err error
	c.base, err = r.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: high})
	return c, readError(err)
}

// next steps to the next key that exists.
func (c *cursor) next() bool {
	for {
		if !c.started {
			c.started = true
			if c.reverse {
				c.valid = c.base.Last()
			} else {
				c.valid = c.base.First()
			}
		}
		inList := c.at >= 0 && c.at < len(c.list)
		if !c.valid && !inList {
			c.more = false
			return false
		}
		order := 1 // the list's key comes first
		if c.valid {
			order = -1
			if inList {
				order = bytes.Compare(c.base.Key(), c.list[c.at].key)
				if c.reverse {
					order = -order
				}
			}
		}
		if order < 0 {
			c.key, c.value = append(c.key[:0], c.base.Key()...), append(c.value[:0], c.base.Value()...)
			c.advance()
			return true
		}
		e := c.list[c.at]
		if order == 0 {
			c.advance()
		}
		if c.reverse {
			c.at--
		} else {
			c.at++
		}
		if !e.deletes() {
			c.key, c.value = append(c.key[:0], e.key...), append(c.value[:0], e.value...)
			return true
		}
	}
}

func (c *cursor) advance() {
	if c.reverse {
		c.valid = c.base.Prev()
	} else {
		c.valid = c.base.Next()
	}
}

func (c *cursor) close() error {
	if c.base == nil {
		return nil
	}
	b := c.base
	c.base, c.valid = nil, false
	return readError(b.Close())
}

// err is what ended a cursor early.
func (c *cursor) err() error {
	if c.base == nil {
		return nil
	}
	return readError(c.base.Error())
}
