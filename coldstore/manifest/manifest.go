package manifest

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Manifest is a collection at one version. It is immutable once published:
// change a Clone.
type Manifest struct {
	// Collection, Number, Epoch, Nonce, Previous and CreatedAt are set by Publish.
	Collection string    `json:"collection"`
	Number     uint64    `json:"number"`
	Previous   uint64    `json:"previous"`
	Epoch      uint64    `json:"epoch"`
	Nonce      string    `json:"nonce"`
	CreatedAt  time.Time `json:"created_at"`

	// Sequence is the commit up to which the collection's changes are inside.
	Sequence uint64 `json:"sequence"`
	// Bare says that the segments lie in no cells and have no parts to be searched.
	Bare bool `json:"bare,omitempty"`
	// NextRowID is above every row id that the collection has given out.
	NextRowID types.RowID `json:"next_row_id"`

	Table     *catalog.Table      `json:"table"`
	Indexes   []*catalog.Index    `json:"indexes,omitempty"`
	Sequences []*catalog.Sequence `json:"sequences,omitempty"`

	Dimension   int    `json:"dimension,omitempty"`
	Metric      string `json:"metric,omitempty"`
	Compression string `json:"compression,omitempty"`

	Segments []Segment `json:"segments"`
}

// Segment is a segment as a manifest names it: what the catalog keeps of it, and
// what only manifests know.
type Segment struct {
	catalog.Segment
	CreatedAt time.Time `json:"created_at"`
	// Tombstones are the row ids that are deleted. They are a bitmap of ids, not of
	// positions: it can be asked without opening the segment, and ids of one
	// segment are dense enough for it (about 1/8 byte a row at worst).
	Tombstones *Tombstones `json:"tombstones,omitempty"`
}

// Cold is what the catalog keeps of a manifest.
func (m *Manifest) Cold() *catalog.Cold {
	c := &catalog.Cold{Manifest: m.Number}
	for i := range m.Segments {
		c.Segments = append(c.Segments, m.Segments[i].Segment)
	}
	return c
}

// Tombstones is a set of row ids; the nil set is empty.
type Tombstones struct{ set roaring64.Bitmap }

// NewTombstones makes a set.
func NewTombstones(ids ...types.RowID) *Tombstones {
	t := &Tombstones{}
	for _, id := range ids {
		t.set.Add(uint64(id))
	}
	return t
}

// Contains says whether a row is deleted.
func (t *Tombstones) Contains(id types.RowID) bool { return t != nil && t.set.Contains(uint64(id)) }

// Count is the number of deleted rows.
func (t *Tombstones) Count() uint64 {
	if t == nil {
		return 0
	}
	return t.set.GetCardinality()
}

// With returns a set that has ids, too; t is not changed.
func (t *Tombstones) With(ids ...types.RowID) *Tombstones {
	n := NewTombstones(ids...)
	if t != nil {
		n.set.Or(&t.set)
	}
	return n
}

// Each calls fn for every id, in order.
func (t *Tombstones) Each(fn func(types.RowID)) {
	if t == nil {
		return
	}
	for i := t.set.Iterator(); i.HasNext(); {
		fn(types.RowID(i.Next()))
	}
}

// MarshalJSON writes the bitmap in roaring's portable form, as base64.
func (t *Tombstones) MarshalJSON() ([]byte, error) {
	b, err := t.set.ToBytes()
	if err != nil {
		return nil, err
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON reads it back.
func (t *Tombstones) UnmarshalJSON(data []byte) (err error) {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil { // the library trusts its input
			err = errTombstones
		}
	}()
	set, err := readBitmap(b)
	if err == nil {
		t.set = *set
	}
	return err
}

// Rows is the number of rows that are not deleted.
func (m *Manifest) Rows() uint64 {
	var n uint64
	for i := range m.Segments {
		n += m.Segments[i].Rows - m.Segments[i].Tombstones.Count()
	}
	return n
}

// Bytes is the length of all objects.
func (m *Manifest) Bytes() int64 {
	var n int64
	for i := range m.Segments {
		n += m.Segments[i].Bytes
		for _, p := range m.Segments[i].Parts {
			n += p.Bytes
		}
	}
	return n
}

// Keys are the keys of all objects that the manifest names.
func (m *Manifest) Keys() []string {
	var out []string
	for i := range m.Segments {
		out = append(out, m.Segments[i].Key)
		for _, p := range m.Segments[i].Parts {
			out = append(out, p.Key)
		}
	}
	return out
}

// Clone returns a copy to change: its list of segments is new.
func (m *Manifest) Clone() *Manifest {
	c := *m
	c.Segments = append([]Segment(nil), m.Segments...)
	return &c
}

// check refuses a manifest that cannot be what was published.
func (m *Manifest) check(collection string) string {
	seen := map[string]bool{}
	for i := range m.Segments {
		s := &m.Segments[i]
		switch {
		case s.Key == "" || seen[s.Key]:
			return "A segment is named twice or has no key."
		case s.Bytes <= 0 || s.TailBytes < 0 || s.TailBytes > s.Bytes:
			return "A segment has an impossible length."
		case s.Tombstones.Count() > s.Rows:
			return "More rows are deleted than there are."
		}
		seen[s.Key] = true
	}
	switch {
	case m.Collection != collection:
		return "It belongs to another collection."
	case m.Table == nil:
		return "It has no table."
	case m.Previous >= m.Number:
		return "It comes before the one that it follows."
	}
	return ""
}
