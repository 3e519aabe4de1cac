package run

import "github.com/RoaringBitmap/roaring/v2/roaring64"

// doneSet is row ids that a statement has dealt with: a map while they are few,
// then a bitmap, which takes two bytes a row or less.
type doneSet struct {
	few  map[int64]struct{}
	many *roaring64.Bitmap
}

// fewDone is how large the map may get.
const fewDone = 1024

func (s *doneSet) add(id int64) {
	if s.many != nil {
		s.many.Add(uint64(id))
		return
	}
	if s.few == nil {
		s.few = make(map[int64]struct{})
	}
	if s.few[id] = struct{}{}; len(s.few) <= fewDone {
		return
	}
	s.many = roaring64.New()
	for id := range s.few {
		s.many.Add(uint64(id))
	}
	s.few = nil
}

func (s *doneSet) has(id int64) bool {
	if s.many != nil {
		return s.many.Contains(uint64(id))
	}
	_, ok := s.few[id]
	return ok
}
