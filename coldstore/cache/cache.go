package cache

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

const (
	// blockBytes is what one checksum is of.
	blockBytes = 64 << 10
	// slabs is how many files there are at most: evicting one loses a 16th.
	slabs         = 16
	slabPrefix    = "ranges-"
	minSlabBytes  = 1 << 20
	rescuedAtMost = 2 // one in so many bytes of a file may move on
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Range names bytes of an object.
type Range struct {
	Key            string
	Offset, Length int64
}

// Cache is safe for concurrent use. A nil *Cache holds nothing.
type Cache struct {
	dir       string
	slabBytes int64

	hits, misses atomic.Int64

	// mu guards all below it and the fields of slabs and entries; it is not held
	// while a file is read or written.
	mu      sync.Mutex
	entries map[Range]*entry
	slabs   []*slab // oldest first
	next    int     // number of the next file
	closed  bool
}

// slab is a file that ranges are appended to.
type slab struct {
	file    *os.File
	size    int64
	entries []*entry
	refs    int // readers, writers, and 1 while it is in Cache.slabs
}

// entry is a range in a slab.
type entry struct {
	r    Range
	slab *slab
	at   int64
	sums []uint32
	used bool
}

// Open makes an empty cache in dir, which belongs to it alone, of at most bytes. 0
// bytes are no cache, which is nil.
func Open(dir string, bytes int64) (*Cache, error) {
	if bytes <= 0 {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache of the cold store: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(dir, slabPrefix+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("cache of the cold store: %w", err)
		}
	}
	return &Cache{dir: dir, slabBytes: max(minSlabBytes, bytes/slabs), entries: map[Range]*entry{}}, nil
}

// Close removes the files.
func (c *Cache) Close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	var err error
	for _, s := range c.slabs {
		err = errors.Join(err, c.unpin(s))
	}
	c.slabs, c.entries = nil, map[Range]*entry{}
	return err
}

// Stats are sums since Open, and the bytes on disk now.
func (c *Cache) Stats() (hits, misses, bytes int64) {
	if c == nil {
		return 0, 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slabs {
		bytes += s.size
	}
	return c.hits.Load(), c.misses.Load(), bytes
}

// Has says whether a range is there.
func (c *Cache) Has(r Range) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[r] != nil
}

// Get reads a range whole.
func (c *Cache) Get(r Range) ([]byte, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	e := c.entries[r]
	if e == nil {
		c.mu.Unlock()
		c.misses.Add(1)
		return nil, false
	}
	e.used = true
	e.slab.refs++
	c.mu.Unlock()
	data, ok := e.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.unpin(e.slab) // it was only read
	if !ok {
		c.forget(e)
		c.misses.Add(1)
		return nil, false
	}
	c.hits.Add(1)
	return data, true
}

// read reads an entry of a pinned slab.
func (e *entry) read() ([]byte, bool) {
	data := make([]byte, e.r.Length)
	if _, err := e.slab.file.ReadAt(data, e.at); err != nil {
		return nil, false
	}
	for i, sum := range e.sums {
		if crc32.Checksum(data[i*blockBytes:min(len(data), (i+1)*blockBytes)], castagnoli) != sum {
			return nil, false
		}
	}
	return data, true
}

func sums(data []byte) []uint32 {
	out := make([]uint32, 0, (len(data)+blockBytes-1)/blockBytes)
	for at := 0; at < len(data); at += blockBytes {
		out = append(out, crc32.Checksum(data[at:min(len(data), at+blockBytes)], castagnoli))
	}
	return out
}

// Put keeps a range if there is room for it and the disk takes it; it is a cache,
// so nothing is said when not.
func (c *Cache) Put(r Range, data []byte) {
	if c == nil || int64(len(data)) != r.Length || r.Length == 0 || r.Length > c.slabBytes {
		return
	}
	for _, e := range c.put(r, data) {
		if data, ok := e.read(); ok {
			_ = c.put(e.r, data) // there is room in the newest file: nothing is evicted again
		}
		c.mu.Lock()
		_ = c.unpin(e.slab) // it was only read
		c.mu.Unlock()
	}
}

// put returns the entries of an evicted file that shall move on, each pinned.
func (c *Cache) put(r Range, data []byte) (rescued []*entry) {
	e := &entry{r: r, sums: sums(data)}
	c.mu.Lock()
	if c.closed || c.entries[r] != nil {
		c.mu.Unlock()
		return nil
	}
	if n := len(c.slabs); n == 0 || c.slabs[n-1].size+r.Length > c.slabBytes {
		var err error
		if rescued, err = c.rotate(); err != nil {
			c.mu.Unlock()
			return rescued
		}
	}
	s := c.slabs[len(c.slabs)-1]
	e.slab, e.at = s, s.size
	s.size += r.Length
	s.refs++
	c.mu.Unlock()
	_, err := s.file.WriteAt(data, e.at)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && !c.closed && c.entries[r] == nil && c.holds(s) {
		c.entries[r] = e
		s.entries = append(s.entries, e)
	}
	_ = c.unpin(s) // a file of a cache need not be closed without errors
	return rescued
}

func (c *Cache) holds(s *slab) bool {
	for _, x := range c.slabs {
		if x == s {
			return true
		}
	}
	return false
}

// rotate opens a new file, and evicts the oldest one when there are too many.
func (c *Cache) rotate() (rescued []*entry, err error) {
	if len(c.slabs) >= slabs {
		old := c.slabs[0]
		c.slabs = c.slabs[1:]
		room := c.slabBytes / rescuedAtMost
		for _, e := range old.entries {
			if c.entries[e.r] == e {
				delete(c.entries, e.r)
			}
			if e.used && e.r.Length <= room {
				room -= e.r.Length
				old.refs++
				rescued = append(rescued, e)
			}
		}
		if err := c.unpin(old); err != nil {
			return rescued, err
		}
	}
	file, err := os.OpenFile(filepath.Join(c.dir, fmt.Sprintf("%s%06d", slabPrefix, c.next)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return rescued, err
	}
	c.next++
	c.slabs = append(c.slabs, &slab{file: file, refs: 1})
	return rescued, nil
}

// unpin gives a reference back; the last one removes the file.
func (c *Cache) unpin(s *slab) error {
	if s.refs--; s.refs > 0 {
		return nil
	}
	return errors.Join(os.Remove(s.file.Name()), s.file.Close())
}

func (c *Cache) forget(e *entry) {
	if c.entries[e.r] == e {
		delete(c.entries, e.r)
	}
}

// Drop forgets all ranges of an object.
func (c *Cache) Drop(key string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for r, e := range c.entries {
		if r.Key == key {
			c.forget(e)
		}
	}
}
