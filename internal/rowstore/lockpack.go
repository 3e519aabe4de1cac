package rowstore

import (
	"hash/maphash"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/internal/types"
)

// A transaction that writes millions of rows holds as many locks, and a lock takes
// some hundred bytes. So when it holds packAfter locks for which nobody waits, they are
// packed: rows into bitmaps (two bytes a row or less), unique keys into
// filters (three bytes a key). A filter may say of a key that it is held when it is
// not, of one in 10,000; then another transaction that wants it waits for no reason. A filter
// has a largest size, so that a transaction with very many keys ends up with having
// locked nearly all keys of the index, in bounded memory.
//
// The owner does not ask its packs. When another owner meets a lock in a pack that
// bars it, the lock is taken out again and waited for as any other.
const packAfter = 1 << 16

// lockSegment is the locks that an owner has taken since a savepoint.
type lockSegment struct {
	order []lockID // those that are not packed; some may have been given back since
	rows  map[packedRows]*roaring64.Bitmap
	keys  map[types.OID]*keyFilter
}

func (g *lockSegment) empty() bool {
	return len(g.order) == 0 && len(g.rows) == 0 && len(g.keys) == 0
}

// packedRows are rows of a table that are held in the same modes.
type packedRows struct {
	table types.OID
	modes uint16
}

// packOf is the first segment that has a lock in a pack, or nil.
func (o *owner) packOf(id lockID) *lockSegment {
	for i := 0; o.packs && i < len(o.segments); i++ {
		if g := &o.segments[i]; g.packed(id) != 0 {
			return g
		}
	}
	return nil
}

// packed are the modes in which the segment holds a lock by its packs.
func (g *lockSegment) packed(id lockID) (modes uint16) {
	switch id.kind {
	case lockRow:
		for p, rows := range g.rows {
			if p.table == id.oid && modes|p.modes != modes && rows.Contains(uint64(id.row)) {
				modes |= p.modes
			}
		}
	case lockUnique:
		if f := g.keys[id.oid]; f != nil && f.has(id.key) {
			modes = 1 << 1
		}
	}
	return modes
}

// pack packs an owner's locks. mu is held.
func (l *locker) pack(o *owner) {
	o.loose = 0
	for i := range o.segments {
		g := &o.segments[i]
		keys := map[types.OID]int{}
		for _, id := range g.order {
			if id.kind == lockUnique {
				keys[id.oid]++
			}
		}
		left := g.order[:0]
		for _, id := range g.order {
			if _, held := o.held[id]; !held {
				continue
			}
			lk := l.locks[id]
			if id.kind != lockRow && id.kind != lockUnique || len(lk.holders) > 1 || len(lk.queue) > 0 {
				left = append(left, id)
				continue
			}
			g.pack(id, lk.modes(o), keys[id.oid])
			delete(o.held, id)
			delete(l.locks, id)
		}
		g.order = append([]lockID(nil), left...)
	}
	o.packs = true
	l.packers[o] = struct{}{}
}

func (g *lockSegment) pack(id lockID, modes uint16, keys int) {
	if id.kind == lockUnique {
		if g.keys == nil {
			g.keys = map[types.OID]*keyFilter{}
		}
		if g.keys[id.oid] == nil {
			g.keys[id.oid] = &keyFilter{}
		}
		g.keys[id.oid].add(id.key, keys)
		return
	}
	if g.rows == nil {
		g.rows = map[packedRows]*roaring64.Bitmap{}
	}
	p := packedRows{id.oid, modes}
	if g.rows[p] == nil {
		g.rows[p] = roaring64.New()
	}
	g.rows[p].Add(uint64(id.row))
}

// unpack takes a lock out of the packs of those whom it bars o with.
func (l *locker) unpack(o *owner, id lockID, bad uint16) {
	for p := range l.packers {
		if p == o {
			continue
		}
		for i := range p.segments {
			modes := p.segments[i].packed(id)
			if modes&bad == 0 {
				continue
			}
			lk := l.lock(id)
			lk.hold(p, modes)
			p.holdIn(&p.segments[i], id)
		}
	}
}

// keyFilter is a set of keys that may have more than were added. It is a chain of
// Bloom filters, each for twice as many keys as the one before, up to the largest.
type keyFilter struct {
	parts []bloomPart
}

type bloomPart struct {
	words []uint64
	room  int // keys that may still be added
}

// 24 bits and 8 probes a key find one in 25,000 keys that were not added. The
// largest part takes 12 MB.
const (
	bloomBits    = 24
	bloomProbes  = 8
	bloomLargest = 4 << 20
)

var keySeed = maphash.MakeSeed()

func (f *keyFilter) has(key string) bool {
	h := maphash.String(keySeed, key)
	for i := range f.parts {
		if f.parts[i].has(h) {
			return true
		}
	}
	return false
}

// add adds a key; expect is how many keys come at once.
func (f *keyFilter) add(key string, expect int) {
	n := len(f.parts)
	if n == 0 || f.parts[n-1].room <= 0 && f.keys(n-1) < bloomLargest {
		size := max(expect, 1<<10)
		if n > 0 {
			size = max(size, 2*f.keys(n-1))
		}
		size = min(size, bloomLargest)
		f.parts = append(f.parts, bloomPart{words: make([]uint64, (size*bloomBits+63)/64), room: size})
		n++
	}
	f.parts[n-1].add(maphash.String(keySeed, key))
}

// keys is for how many keys a part was made.
func (f *keyFilter) keys(i int) int { return len(f.parts[i].words) * 64 / bloomBits }

func (p *bloomPart) add(h uint64) {
	step := h>>32 | 1
	for range bloomProbes {
		bit := h % uint64(len(p.words)*64)
		p.words[bit/64] |= 1 << (bit % 64)
		h += step * 0x9e3779b97f4a7c15
	}
	p.room--
}

func (p *bloomPart) has(h uint64) bool {
	step := h>>32 | 1
	for range bloomProbes {
		bit := h % uint64(len(p.words)*64)
		if p.words[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
		h += step * 0x9e3779b97f4a7c15
	}
	return true
}
