package run

import "github.com/akidb/akidb/internal/types"

// groupTable numbers distinct keys. Once it is larger than its limit it takes
// no new keys: rows with unknown keys are set aside in partitions, to be done
// after it with a new table.
type groupTable struct {
	dir   string
	index map[string]int32
	mem   int64
	limit int64
	level int
	parts *partitions
}

func (x *Execution) newGroupTable(level int) groupTable {
	return groupTable{dir: x.env.TempDir, index: make(map[string]int32), limit: x.env.WorkMem, level: level}
}

// find gives the key's number. kept is false when the table is full and the row
// must be set aside.
func (t *groupTable) find(key []byte) (i int, isNew, kept bool) {
	if i, ok := t.index[string(key)]; ok {
		return int(i), false, true
	}
	if t.mem > t.limit && t.level < maxLevel {
		return 0, false, false
	}
	n := int32(len(t.index))
	t.index[string(key)] = n
	t.mem += int64(len(key)) + 64
	return int(n), true, true
}

// setAside keeps a row for later.
func (t *groupTable) setAside(tag uint64, key []byte, row types.Row) error {
	if t.parts == nil {
		t.parts = &partitions{dir: t.dir, level: t.level}
	}
	return t.parts.write(tag, key, row)
}

// spilled is how many bytes were set aside.
func (t *groupTable) spilled() int64 {
	if t.parts == nil {
		return 0
	}
	return t.parts.bytes
}

// pending is a stack of partitions still to be done.
type pending []partition

func (p *pending) push(parts []partition) { *p = append(*p, parts...) }

func (p *pending) pop() (partition, bool) {
	if len(*p) == 0 {
		return partition{}, false
	}
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last, true
}

func (p *pending) free() {
	for _, part := range *p {
		part.file.close()
	}
	*p = nil
}
