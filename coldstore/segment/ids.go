package segment

import (
	"encoding/binary"
	"sort"

	"github.com/akidb/akidb/internal/types"
)

// idTable finds the position of a row id. It is searched as it lies in the index
// part: sorted differences to the smallest id, and the positions in that order,
// each in as many bytes as the greatest needs.
type idTable struct {
	base             uint64
	idWidth, atWidth int
	n                int
	ids, at          []byte
}

// makeIDs sorts the ids of a segment, given in the order of positions; false
// when one occurs twice.
func makeIDs(ids []types.RowID) (idTable, bool) {
	order := make([]uint32, len(ids))
	for i := range order {
		order[i] = uint32(i)
	}
	sort.Slice(order, func(i, j int) bool { return ids[order[i]] < ids[order[j]] })
	t := idTable{n: len(ids), idWidth: 1, atWidth: width(uint64(max(len(ids), 1) - 1))}
	if len(ids) == 0 {
		return t, true
	}
	t.base = uint64(ids[order[0]])
	t.idWidth = width(uint64(ids[order[len(order)-1]]) - t.base)
	for i, at := range order {
		if i > 0 && ids[at] == ids[order[i-1]] {
			return t, false
		}
		t.ids = appendWide(t.ids, uint64(ids[at])-t.base, t.idWidth)
		t.at = appendWide(t.at, uint64(at), t.atWidth)
	}
	return t, true
}

// width is 1, 2, 4 or 8.
func width(v uint64) int {
	switch {
	case v < 1<<8:
		return 1
	case v < 1<<16:
		return 2
	case v < 1<<32:
		return 4
	}
	return 8
}

func appendWide(dst []byte, v uint64, width int) []byte {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return append(dst, b[:width]...)
}

func wide(b []byte, i, width int) uint64 {
	switch width {
	case 1:
		return uint64(b[i])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return binary.LittleEndian.Uint64(b[8*i:])
}

func (t *idTable) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, t.base)
	dst = append(dst, byte(t.idWidth), byte(t.atWidth))
	return append(append(dst, t.ids...), t.at...)
}

func decodeIDs(b []byte, rows uint64) (idTable, error) {
	if len(b) < 10 {
		return idTable{}, brokenf("the index part ends before the row ids")
	}
	t := idTable{base: binary.LittleEndian.Uint64(b), idWidth: int(b[8]), atWidth: int(b[9]), n: int(rows)}
	b = b[10:]
	if !validWidth(t.idWidth) || !validWidth(t.atWidth) || uint64(len(b)) != rows*uint64(t.idWidth+t.atWidth) {
		return idTable{}, brokenf("the table of row ids has the wrong length")
	}
	t.ids, t.at = b[:t.n*t.idWidth], b[t.n*t.idWidth:]
	return t, nil
}

func validWidth(w int) bool { return w == 1 || w == 2 || w == 4 || w == 8 }

// find returns the position of a row.
func (t *idTable) find(id types.RowID) (uint32, bool) {
	if uint64(id) < t.base {
		return 0, false
	}
	d := uint64(id) - t.base
	i := sort.Search(t.n, func(i int) bool { return wide(t.ids, i, t.idWidth) >= d })
	if i == t.n || wide(t.ids, i, t.idWidth) != d {
		return 0, false
	}
	at := wide(t.at, i, t.atWidth)
	return uint32(at), at < uint64(t.n)
}

// all returns the ids by position.
func (t *idTable) all() []types.RowID {
	out := make([]types.RowID, t.n)
	for i := range t.n {
		if at := wide(t.at, i, t.atWidth); at < uint64(t.n) {
			out[at] = types.RowID(t.base + wide(t.ids, i, t.idWidth))
		}
	}
	return out
}
