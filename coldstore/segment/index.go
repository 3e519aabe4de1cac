package segment

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/akidb/akidb/internal/types"
)

// The index part, as docs/formats/segment.md describes it.
const (
	indexVersion = 1
	headerBytes  = 96
	trailerBytes = 16
	headerMagic  = "AKISEGI\n"
	trailerMagic = "AKISEGE\n"
	// parquetTail is what ends a Parquet file: the length of its metadata, PAR1.
	parquetTail  = 8
	parquetMagic = "PAR1"
)

// Limits of what an index part may claim.
const (
	maxColumns = 1 << 12
	maxGroups  = 1 << 20
	maxRows    = 1 << 32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// index is the decoded index part.
type index struct {
	columns   []Column
	leaves    int
	groups    []group
	cells     []Cell
	rows      uint64
	created   time.Time
	offset    int64 // of the index part, and so the length of the data
	length    int64
	footer    int64 // bytes of Parquet's footer with its tail
	footerCRC uint32
	ids       idTable
}

// group is a row group.
type group struct {
	first, rows uint32
	firstCell   uint32
	lastCell    uint32
	chunks      []chunk // one a leaf
	stats       []stats // one a column
}

// chunk is one column chunk: one range of the object.
type chunk struct {
	offset int64
	length uint32
	crc    uint32
	nulls  uint32 // rows without a value
}

// Cell is where the rows of one cell lie, as positions in the segment.
type Cell struct {
	Number, First, Rows uint32
}

// size is the length of the whole object.
func (x *index) size() int64 { return x.offset + x.length + x.footer }

// encode makes the whole index part; footer and its checksum are set afterwards
// by seal, since Parquet's footer names the place of the index part.
func (x *index) encode() []byte {
	dst := make([]byte, headerBytes, headerBytes+len(x.groups)*(16+20*x.leaves)+int(x.rows)*8)
	for i := range x.columns {
		dst = appendColumn(dst, &x.columns[i])
	}
	for i := range x.groups {
		dst = appendGroup(dst, &x.groups[i])
	}
	for _, c := range x.cells {
		dst = appendUint32s(dst, c.Number, c.Rows)
	}
	dst = x.ids.append(dst)
	x.length = int64(len(dst) + trailerBytes)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(x.length))
	return append(dst, trailerMagic...)
}

// seal fills the header in, once the footer is known.
func (x *index) seal(part []byte) {
	le := binary.LittleEndian
	copy(part, headerMagic)
	le.PutUint32(part[8:], indexVersion)
	le.PutUint32(part[12:], uint32(len(x.columns)))
	le.PutUint32(part[16:], uint32(x.leaves))
	le.PutUint32(part[20:], uint32(len(x.groups)))
	le.PutUint64(part[24:], x.rows)
	le.PutUint64(part[32:], uint64(x.offset))
	le.PutUint64(part[40:], uint64(x.length))
	le.PutUint64(part[48:], uint64(x.footer))
	le.PutUint32(part[56:], x.footerCRC)
	le.PutUint32(part[60:], crc32.Checksum(part[headerBytes:], castagnoli))
	le.PutUint64(part[64:], uint64(x.created.UnixMicro()))
	le.PutUint32(part[72:], uint32(len(x.cells)))
	le.PutUint32(part[92:], crc32.Checksum(part[:92], castagnoli))
}

func appendColumn(dst []byte, c *Column) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(c.Num))
	dst = appendUint32s(dst, uint32(c.Type), uint32(c.Stored), uint32(c.Typmod), uint32(c.at), uint32(int32(c.exact)))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(c.Name)))
	return append(dst, c.Name...)
}

func appendGroup(dst []byte, g *group) []byte {
	dst = appendUint32s(dst, g.rows, g.firstCell, g.lastCell)
	for _, c := range g.chunks {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(c.offset))
		dst = appendUint32s(dst, c.length, c.crc, c.nulls)
	}
	for i := range g.stats {
		dst = g.stats[i].append(dst)
	}
	return dst
}

// decodeIndex reads an index part and refuses what does not fit together: sizes
// are compared with the bytes that are there before anything is allocated.
func decodeIndex(part []byte) (*index, error) {
	x, counts, err := decodeHeader(part)
	if err != nil {
		return nil, err
	}
	r := &cursor{b: part[headerBytes : len(part)-trailerBytes]}
	if err := x.decodeColumns(r, counts.columns); err != nil {
		return nil, err
	}
	if err := x.decodeGroups(r, counts.groups); err != nil {
		return nil, err
	}
	if err := x.decodeCells(r, counts.cells); err != nil {
		return nil, err
	}
	if x.ids, err = decodeIDs(r.b, x.rows); err != nil {
		return nil, err
	}
	return x, nil
}

type counts struct{ columns, groups, cells uint32 }

func decodeHeader(part []byte) (*index, counts, error) {
	le := binary.LittleEndian
	if len(part) < headerBytes+trailerBytes || string(part[:8]) != headerMagic {
		return nil, counts{}, brokenf("there is no index part where one should be")
	}
	if crc32.Checksum(part[:92], castagnoli) != le.Uint32(part[92:]) {
		return nil, counts{}, brokenf("the checksum of the index part's header does not match")
	}
	if v := le.Uint32(part[8:]); v != indexVersion {
		return nil, counts{}, brokenf("the index part has version %d, and this server reads version %d", v, indexVersion)
	}
	if crc32.Checksum(part[headerBytes:], castagnoli) != le.Uint32(part[60:]) {
		return nil, counts{}, brokenf("the checksum of the index part does not match")
	}
	x := &index{
		leaves: int(le.Uint32(part[16:])), rows: le.Uint64(part[24:]),
		offset: int64(le.Uint64(part[32:])), length: int64(le.Uint64(part[40:])), footer: int64(le.Uint64(part[48:])),
		footerCRC: le.Uint32(part[56:]), created: time.UnixMicro(int64(le.Uint64(part[64:]))).UTC(),
	}
	n := counts{le.Uint32(part[12:]), le.Uint32(part[20:]), le.Uint32(part[72:])}
	switch {
	case x.length != int64(len(part)), x.offset < 4, x.footer < parquetTail, x.offset > 1<<56, x.footer > 1<<40:
		return nil, n, brokenf("the index part claims impossible lengths")
	case n.columns > maxColumns, x.leaves < 1, x.leaves > 2*maxColumns+1, n.groups > maxGroups, x.rows >= maxRows:
		return nil, n, brokenf("the index part claims impossible counts")
	}
	return x, n, nil
}

func (x *index) decodeColumns(r *cursor, n uint32) error {
	for range n {
		c := Column{Num: int16(r.uint16()), Type: types.OID(r.uint32()), Stored: types.OID(r.uint32()), Typmod: int32(r.uint32())}
		at, exact := int(r.uint32()), int(int32(r.uint32()))
		c.Name = string(r.bytes(int(r.uint16())))
		if r.short {
			return brokenf("the index part ends within the columns")
		}
		c.setKind()
		c.at, c.exact = at, exact
		if c.Num < 1 || at < 1 || at >= x.leaves || exact != noLeaf && (exact < 1 || exact >= x.leaves) {
			return brokenf("column %q of the index part has no leaf", c.Name)
		}
		if c.ofUser() && exact == noLeaf {
			return brokenf("column %q of the index part has no companion", c.Name)
		}
		x.columns = append(x.columns, c)
	}
	return nil
}

func (x *index) decodeGroups(r *cursor, n uint32) error {
	if least := uint64(n) * uint64(12+20*x.leaves+2*len(x.columns)); least > uint64(len(r.b)) {
		return brokenf("the index part is too short for %d row groups", n)
	}
	x.groups = make([]group, n)
	var rows uint64
	for i := range x.groups {
		g := &x.groups[i]
		g.first = uint32(rows)
		if err := x.decodeGroup(r, g); err != nil {
			return err
		}
		rows += uint64(g.rows)
	}
	if rows != x.rows {
		return brokenf("the row groups have %d rows instead of %d", rows, x.rows)
	}
	return nil
}

func (x *index) decodeGroup(r *cursor, g *group) error {
	g.rows, g.firstCell, g.lastCell = r.uint32(), r.uint32(), r.uint32()
	g.chunks = make([]chunk, x.leaves)
	for l := range g.chunks {
		c := chunk{offset: int64(r.uint64()), length: r.uint32(), crc: r.uint32(), nulls: r.uint32()}
		if r.short || c.offset < 4 || c.offset > x.offset || int64(c.length) > x.offset-c.offset || c.nulls > g.rows {
			return brokenf("a column chunk lies outside of the data")
		}
		g.chunks[l] = c
	}
	g.stats = make([]stats, len(x.columns))
	for i := range g.stats {
		g.stats[i].col = &x.columns[i]
		var err error
		if r.b, err = g.stats[i].decode(r.b); err != nil {
			return err
		}
	}
	return nil
}

func (x *index) decodeCells(r *cursor, n uint32) error {
	if uint64(n)*8 > uint64(len(r.b)) {
		return brokenf("the index part is too short for %d cells", n)
	}
	x.cells = make([]Cell, n)
	var rows uint64
	for i := range x.cells {
		x.cells[i] = Cell{Number: r.uint32(), First: uint32(rows), Rows: r.uint32()}
		rows += uint64(x.cells[i].Rows)
	}
	if rows != x.rows {
		return brokenf("the cells have %d rows instead of %d", rows, x.rows)
	}
	return nil
}

// cursor reads little-endian numbers; short says that the bytes did not suffice.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) bytes(n int) []byte {
	if n > len(c.b) {
		c.b, c.short = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) uint16() uint16 {
	if b := c.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func appendUint32s(dst []byte, values ...uint32) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return dst
}
