package catalog

import "github.com/akidb/akidb/internal/types"

// Cold is where the rows of a cold collection lie: in segments of the object
// store, but for those written since, which lie in the row store as ever. It
// holds all that a start needs, so that no object is read before it is asked for.
type Cold struct {
	// Manifest is the number of the manifest that names the segments.
	Manifest uint64    `json:"manifest"`
	Segments []Segment `json:"segments"`
}

// Segment is an object with rows, as its manifest names it.
type Segment struct {
	Key       string      `json:"key"`
	Rows      uint64      `json:"rows"`
	Bytes     int64       `json:"bytes"`
	CRC       uint32      `json:"crc32c"`
	TailBytes int64       `json:"tail_bytes"`
	MinRowID  types.RowID `json:"min_row_id"`
	MaxRowID  types.RowID `json:"max_row_id"`
	// Parts are other objects that belong to the segment, such as the IVF part of
	// each vector index.
	Parts []SegmentPart `json:"parts,omitempty"`
}

// SegmentPart is an object beside a segment.
type SegmentPart struct {
	// Kind is ivf or hnsw.
	Kind  string    `json:"kind"`
	Index types.OID `json:"index"`
	Key   string    `json:"key"`
	Bytes int64     `json:"bytes"`
	CRC   uint32    `json:"crc32c"`
}

// MaxRowID is the highest row id of the segments; a row above it is local.
func (c *Cold) MaxRowID() types.RowID {
	if c == nil {
		return 0
	}
	top := types.RowID(0)
	for i := range c.Segments {
		top = max(top, c.Segments[i].MaxRowID)
	}
	return top
}
