package rowstore

import (
	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/akidb/akidb/internal/types"
)

// idSet is row ids: a list while they are few, which most transactions' are, then
// a bitmap, in which a row of a load takes a bit or less.
type idSet struct {
	few  []types.RowID
	many *roaring64.Bitmap
}

// fewIDs is how long the list may get.
const fewIDs = 512

func (s *idSet) add(id types.RowID) {
	if s.many != nil {
		s.many.Add(uint64(id))
		return
	}
	if s.few = append(s.few, id); len(s.few) <= fewIDs {
		return
	}
	s.many = roaring64.New()
	for _, id := range s.few {
		s.many.Add(uint64(id))
	}
	s.few = nil
}

// addAll adds another set's ids; that set is not used any more.
func (s *idSet) addAll(o *idSet) {
	switch {
	case s.many != nil && o.many != nil:
		s.many.Or(o.many)
	case s.many == nil && o.many != nil:
		s.few, o.few = o.few, s.few
		s.many, o.many = o.many, nil
	}
	for _, id := range o.few {
		s.add(id)
	}
}

// idChunk is how many ids are handed on at a time.
const idChunk = 4096

// each hands the ids on in pieces, which are good until fn returns.
func (s *idSet) each(fn func([]types.RowID)) {
	if s.many == nil {
		if len(s.few) > 0 {
			fn(s.few)
		}
		return
	}
	raw := make([]uint64, idChunk)
	ids := make([]types.RowID, idChunk)
	for it := s.many.ManyIterator(); ; {
		n := it.NextMany(raw)
		if n == 0 {
			return
		}
		for i, id := range raw[:n] {
			ids[i] = types.RowID(id)
		}
		fn(ids[:n])
	}
}

// idSets are row ids by table.
type idSets map[types.OID]*idSet

func (m *idSets) add(table types.OID, id types.RowID) { m.of(table).add(id) }

func (m *idSets) of(table types.OID) *idSet {
	if *m == nil {
		*m = idSets{}
	}
	s := (*m)[table]
	if s == nil {
		s = &idSet{}
		(*m)[table] = s
	}
	return s
}

// addAll adds other sets' ids; those are not used any more.
func (m *idSets) addAll(o idSets) {
	for table, s := range o {
		m.of(table).addAll(s)
	}
}
