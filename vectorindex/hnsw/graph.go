package hnsw

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// noEntry is the entry of an empty graph.
const noEntry = ^uint64(0)

// maxLevel is more than 2^31 nodes reach with M of 4 or more.
const maxLevel = 15

func packEntry(slot uint32, level int) uint64 { return uint64(level)<<32 | uint64(slot) }

// entryPoint is where descents start; false when the graph is empty.
func (x *Index) entryPoint() (slot uint32, level int, ok bool) {
	e := x.entry.Load()
	return uint32(e), int(e >> 32), e != noEntry
}

// level is the highest layer of a slot, drawn from its number: P(level >= l) is
// M^-l, and a checkpoint need not store it.
func (x *Index) level(slot uint32) int {
	u := float64(mix(uint64(slot))>>11) / (1 << 53)
	p := 1 / float64(x.options.M)
	level := 0
	for bound := p; u < bound && level < maxLevel; bound *= p {
		level++
	}
	return level
}

// mix is the finalizer of splitmix64.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// neighbours is the list of a slot on a layer that it reaches, its whole
// capacity; elements are read and written atomically.
func (x *Index) neighbours(slot uint32, level int) []uint32 {
	if level == 0 {
		return unsafe.Slice((*uint32)(x.links.at(slot)), x.max0)
	}
	block := *x.first.word(slot) + uint32(level-1)
	return unsafe.Slice((*uint32)(x.upper.at(block)), x.max)
}

// clearLists empties the lists of a slot that nobody reads.
func (x *Index) clearLists(slot uint32) {
	for level := x.level(slot); level >= 0; level-- {
		setList(x.neighbours(slot, level), nil)
	}
}

// setList replaces a list. The caller holds the slot's link lock. It writes from
// the end, so that a reader never runs past an old end into what was left behind
// there: that may name slots that are nodes no more.
func setList(list, with []uint32) {
	if len(with) < len(list) {
		atomic.StoreUint32(&list[len(with)], none)
	}
	for i := len(with) - 1; i >= 0; i-- {
		atomic.StoreUint32(&list[i], with[i])
	}
}

// copyList appends a list to dst.
func copyList(dst, list []uint32) []uint32 {
	for i := range list {
		s := atomic.LoadUint32(&list[i])
		if s == none {
			break
		}
		dst = append(dst, s)
	}
	return dst
}

// An entry of a pool is a key, a slot and a flag in 64 bits that order by key.
// The flag says that the node's neighbours have been looked at.
const expanded = 1

func packNode(key float32, slot uint32) uint64 {
	b := math.Float32bits(key)
	b ^= uint32(int32(b)>>31) | 1<<31
	return uint64(b)<<32 | uint64(slot)<<1
}

func slotOf(node uint64) uint32 { return uint32(node) >> 1 }

func keyOf(node uint64) float32 {
	b := uint32(node >> 32)
	b ^= ^uint32(int32(b)>>31) | 1<<31
	return math.Float32frombits(b)
}
