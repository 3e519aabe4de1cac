package tiering

import (
	"iter"
	"maps"
	"slices"

	"github.com/akidb/akidb/internal/types"
)

// indexShards is a power of two: with 10,000 collections a shard has 40 indexes.
const indexShards = 256

// indexSet has the vector indexes by id and by table. It is immutable; one that
// differs in one index shares all but two shards, so that the price of a schema
// change does not grow with the number of collections.
type indexSet struct{ shards [indexShards]*indexShard }

// indexShard has indexes by their own ids, and lists of them by the ids of tables.
type indexShard struct {
	byID    map[types.OID]*vectorIndex
	byTable map[types.OID][]*vectorIndex
}

var noIndexes = &indexShard{}

func newIndexSet(all iter.Seq[*vectorIndex]) *indexSet {
	s := &indexSet{}
	for i := range s.shards {
		s.shards[i] = noIndexes
	}
	for v := range all {
		s = s.with(v)
	}
	return s
}

// find is the index of an id, or nil.
func (s *indexSet) find(id types.OID) *vectorIndex { return s.shards[id%indexShards].byID[id] }

// of are the indexes of a table.
func (s *indexSet) of(table types.OID) []*vectorIndex {
	return s.shards[table%indexShards].byTable[table]
}

// all yields every index, in no order.
func (s *indexSet) all() iter.Seq[*vectorIndex] {
	return func(yield func(*vectorIndex) bool) {
		for _, shard := range s.shards {
			for _, v := range shard.byID {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// with returns a set that has v too.
func (s *indexSet) with(v *vectorIndex) *indexSet {
	n := s.without(v.desc().ID)
	n.own(v.desc().ID).byID[v.desc().ID] = v
	lists := n.own(v.desc().Table).byTable
	lists[v.desc().Table] = append(slices.Clip(lists[v.desc().Table]), v)
	return n
}

// without returns a set that lacks the index id.
func (s *indexSet) without(id types.OID) *indexSet {
	n := *s
	v := n.find(id)
	if v == nil {
		return &n
	}
	delete(n.own(id).byID, id)
	table := v.desc().Table
	lists := n.own(table).byTable
	left := slices.DeleteFunc(slices.Clone(lists[table]), func(o *vectorIndex) bool { return o == v })
	if lists[table] = left; len(left) == 0 {
		delete(lists, table)
	}
	return &n
}

// own makes a shard of a set that nobody else knows yet its own.
func (s *indexSet) own(id types.OID) *indexShard {
	old := s.shards[id%indexShards]
	n := &indexShard{byID: maps.Clone(old.byID), byTable: maps.Clone(old.byTable)}
	if n.byID == nil {
		n.byID, n.byTable = map[types.OID]*vectorIndex{}, map[types.OID][]*vectorIndex{}
	}
	s.shards[id%indexShards] = n
	return n
}
