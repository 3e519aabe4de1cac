package segment

import (
	"hash/crc32"
	"sort"
)

// GroupSpan is where all bytes of a row group lie.
func (r *Reader) GroupSpan(index int) (offset, length int64) {
	g := &r.x.groups[index]
	offset = g.chunks[0].offset
	end := offset
	for _, c := range g.chunks {
		offset, end = min(offset, c.offset), max(end, c.offset+int64(c.length))
	}
	return offset, end - offset
}

// ColumnsBytes is how many bytes of a row group ReadGroup reads for columns.
func (r *Reader) ColumnsBytes(index int, columns []int16) (n int64) {
	g := &r.x.groups[index]
	for _, s := range spansOf(g, r.sortedLeaves(g, columns)) {
		n += s.length
	}
	return n
}

// HasColumn says whether the segment has a column: not when it was added to the
// table later.
func (r *Reader) HasColumn(num int16) bool { return r.columnAt(num) >= 0 }

func (r *Reader) sortedLeaves(g *group, columns []int16) []int {
	leaves := r.leavesOf(g, columns)
	sort.Slice(leaves, func(i, j int) bool { return g.chunks[leaves[i]].offset < g.chunks[leaves[j]].offset })
	return leaves
}

// DecodeGroup decodes columns of a row group from all its bytes, which lie at
// GroupSpan; it compares the checksums of what it decodes.
func (r *Reader) DecodeGroup(index int, columns []int16, span []byte) (*Group, error) {
	g := &r.x.groups[index]
	offset, length := r.GroupSpan(index)
	if int64(len(span)) != length {
		return nil, damaged(r.key, "Row group %d has %d bytes instead of %d.", index, len(span), length)
	}
	data := &chunkData{g: g, leaves: map[int][]byte{}, size: r.x.size()}
	for _, l := range r.leavesOf(g, columns) {
		c := g.chunks[l]
		b := span[c.offset-offset:][:c.length]
		if crc32.Checksum(b, castagnoli) != c.crc {
			return nil, damaged(r.key, "The checksum of %d bytes at %d does not match.", c.length, c.offset)
		}
		data.leaves[l] = b
	}
	out, err := r.decodeGroup(index, columns, data)
	if err != nil {
		return nil, damaged(r.key, "Row group %d: %v.", index, err)
	}
	return out, nil
}

// Has says whether a column was read.
func (g *Group) Has(column int16) bool { return g.cols[column] != nil }

// With is the group with the columns of another one, too.
func (g *Group) With(other *Group) *Group {
	c := *g
	c.cols = make(map[int16]cells, len(g.cols)+len(other.cols))
	for num, v := range g.cols {
		c.cols[num] = v
	}
	for num, v := range other.cols {
		c.cols[num] = v
	}
	return &c
}

// Bytes estimates the memory that the group takes.
func (g *Group) Bytes() int64 {
	n := int64(8 * len(g.IDs))
	for _, c := range g.cols {
		switch c := c.(type) {
		case *vectorCells:
			n += int64(4*len(c.values) + 4*len(c.offsets))
		case datumCells:
			n += datumBytes(c)
		}
	}
	return n
}

// datumBytes is an interface each, and what it points to.
func datumBytes(c datumCells) (n int64) {
	n = int64(16 * len(c))
	for _, d := range c {
		switch d := d.(type) {
		case nil, bool:
		case string:
			n += int64(16 + len(d))
		case []byte:
			n += int64(24 + len(d))
		default:
			n += 48
		}
	}
	return n
}
