package run

import (
	"fmt"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// hashJoinOp joins on equality. The right child's rows are hashed; when they
// outgrow work_mem both sides are cut into partitions by key, which are joined
// one after the other.
type hashJoinOp struct {
	base
	node                *plan.HashJoin
	left, right         operator
	nl                  int
	leftKeys, rightKeys keyer
	out                 types.Row
	key                 []byte

	table joinTable
	phase joinPhase
	work  []joinWork
	probe *recordReader // nil: probe rows come from the left child
	// nulls are right rows with a NULL key, for right and full joins.
	nulls  spool
	nullAt int
	scan   int // next right row to look at for unmatched ones

	current   types.Row
	candidate int32
	matched   bool

	peak       int64
	partitions int
	disk       int64
}

type joinPhase uint8

const (
	joinProbe joinPhase = iota
	joinUnmatched
	joinNextPartition
	joinNulls
	joinEnd
)

// joinWork is a pair of partitions still to be joined; a nil file is empty.
type joinWork struct {
	left, right *tempFile
	level       int
}

// joinTable is the hash table: rows with equal keys are chained.
type joinTable struct {
	head    map[string]int32
	rows    []types.Row
	chain   []int32
	matched []bool
	mem     int64
}

func (t *joinTable) reset() {
	if t.head == nil {
		t.head = make(map[string]int32)
	}
	clear(t.head)
	clear(t.rows)
	t.rows, t.chain, t.matched, t.mem = t.rows[:0], t.chain[:0], t.matched[:0], 0
}

func (t *joinTable) add(key []byte, row types.Row) {
	n := int32(len(t.rows))
	t.rows = append(t.rows, row)
	t.matched = append(t.matched, false)
	if old, ok := t.head[string(key)]; ok {
		// The newcomer goes behind the first, whose map entry stays as it is.
		t.chain = append(t.chain, t.chain[old])
		t.chain[old] = n
	} else {
		t.head[string(key)] = n
		t.chain = append(t.chain, -1)
		t.mem += int64(len(key)) + 48
	}
	t.mem += rowBytes(row) + 32
}

// find gives the first row with the key, -1 for none.
func (t *joinTable) find(key []byte) int32 {
	if i, ok := t.head[string(key)]; ok {
		return i
	}
	return -1
}

func newHashJoin(b base, n *plan.HashJoin) (*hashJoinOp, error) {
	o := &hashJoinOp{base: b, node: n, nl: rowWidth(n.Left), nulls: b.x.newSpool()}
	o.out = make(types.Row, o.nl+rowWidth(n.Right))
	o.leftKeys, o.rightKeys = b.x.joinKeys(n.LeftKeys, n.RightKeys)
	var err error
	if o.left, err = b.x.build(n.Left); err != nil {
		return nil, err
	}
	o.right, err = b.x.build(n.Right)
	return o, err
}

func (o *hashJoinOp) outerLeft() bool {
	return o.node.Kind == plan.LeftOuter || o.node.Kind == plan.FullOuter || o.node.Kind == plan.Anti
}

func (o *hashJoinOp) outerRight() bool {
	return o.node.Kind == plan.RightOuter || o.node.Kind == plan.FullOuter
}

func (o *hashJoinOp) open() error {
	o.release()
	o.table.reset()
	o.nulls.reset()
	o.phase, o.current, o.nullAt, o.scan, o.partitions = joinProbe, nil, 0, 0, 1
	if err := o.right.open(); err != nil {
		return err
	}
	parts, err := o.buildRight()
	if err != nil {
		parts.free()
		return err
	}
	if len(o.table.rows) == 0 && parts == nil && !o.outerLeft() {
		o.phase = joinNulls
		return nil
	}
	if err := o.left.open(); err != nil {
		parts.free()
		return err
	}
	if parts == nil {
		return nil
	}
	return o.partitionLeft(parts)
}

// buildRight hashes the right rows; it returns partitions when they were too many.
func (o *hashJoinOp) buildRight() (*partitions, error) {
	var parts *partitions
	for {
		row, err := o.right.next()
		if err != nil || row == nil {
			return parts, err
		}
		if err := o.x.tick(); err != nil {
			return parts, err
		}
		var null bool
		if o.key, null, err = o.rightKeys.append(o.key[:0], row); err != nil {
			return parts, err
		}
		if null {
			if o.outerRight() {
				err = o.nulls.append(row)
			}
		} else if parts != nil {
			err = parts.write(0, o.key, row)
		} else {
			o.table.add(o.key, copyRow(row))
			o.peak = max(o.peak, o.table.mem)
			if o.table.mem > o.x.env.WorkMem {
				parts, err = o.spillTable(0)
			}
		}
		if err != nil {
			return parts, err
		}
	}
}

// spillTable moves the table's rows to partitions.
func (o *hashJoinOp) spillTable(level int) (*partitions, error) {
	parts := &partitions{dir: o.x.env.TempDir, level: level}
	for key, i := range o.table.head {
		for ; i >= 0; i = o.table.chain[i] {
			if err := parts.write(0, []byte(key), o.table.rows[i]); err != nil {
				return parts, err
			}
		}
	}
	o.table.reset()
	return parts, nil
}

// Tags of left records.
const (
	tagKey     = 0
	tagNullKey = 1
)

// partitionLeft distributes the left rows as the right ones were.
func (o *hashJoinOp) partitionLeft(right *partitions) error {
	left := &partitions{dir: o.x.env.TempDir, level: right.level}
	err := o.writeLeft(left)
	o.push(left, right)
	o.phase = joinNextPartition
	return err
}

func (o *hashJoinOp) writeLeft(parts *partitions) error {
	for {
		row, err := o.left.next()
		if err != nil || row == nil {
			return err
		}
		var null bool
		if o.key, null, err = o.leftKeys.append(o.key[:0], row); err != nil {
			return err
		}
		tag := uint64(tagKey)
		if null {
			if !o.outerLeft() {
				continue
			}
			tag = tagNullKey
		}
		if err := parts.write(tag, o.key, row); err != nil {
			return err
		}
	}
}

// push makes work of two sets of partitions.
func (o *hashJoinOp) push(left, right *partitions) {
	o.disk += left.bytes + right.bytes
	for i := range fanOut {
		w := joinWork{left: left.file(i), right: right.file(i), level: right.level + 1}
		if w.right != nil && w.right.size == right.bytes && right.level > 0 {
			w.level = maxLevel // one key, or nearly: cutting does not help
		}
		if w.left != nil || w.right != nil {
			o.work = append(o.work, w)
			o.partitions++
		}
	}
}

func (o *hashJoinOp) next() (types.Row, error) {
	for {
		if err := o.x.tick(); err != nil {
			return nil, err
		}
		var row types.Row
		var err error
		switch o.phase {
		case joinProbe:
			row, err = o.probeStep()
		case joinUnmatched:
			row = o.unmatched()
		case joinNextPartition:
			err = o.nextPartition()
		case joinNulls:
			row, err = o.nullRight()
		case joinEnd:
			return nil, nil
		}
		if err != nil || row != nil {
			return row, err
		}
	}
}

func (o *hashJoinOp) probeStep() (types.Row, error) {
	if o.current == nil {
		more, err := o.nextProbe()
		if err != nil {
			return nil, err
		}
		if !more {
			o.phase, o.scan = joinUnmatched, 0
			return nil, nil
		}
	}
	for o.candidate >= 0 {
		i := o.candidate
		o.candidate = o.table.chain[i]
		copy(o.out[o.nl:], o.table.rows[i])
		ok, err := o.x.test(o.node.Cond, o.out)
		if err != nil {
			return nil, err
		}
		if !ok {
			o.stats.Removed++
			continue
		}
		o.matched = true
		o.table.matched[i] = true
		switch o.node.Kind {
		case plan.Semi, plan.Anti:
			return o.endProbe(), nil
		}
		return o.out, nil
	}
	return o.endProbe(), nil
}

// endProbe leaves the current left row and gives it when it is a result itself.
func (o *hashJoinOp) endProbe() types.Row {
	left := o.current
	o.current = nil
	switch o.node.Kind {
	case plan.Semi:
		if o.matched {
			return left
		}
	case plan.Anti:
		if !o.matched {
			return left
		}
	case plan.LeftOuter, plan.FullOuter:
		if !o.matched {
			clear(o.out[o.nl:])
			return o.out
		}
	}
	return nil
}

// nextProbe takes the next left row and looks up its candidates.
func (o *hashJoinOp) nextProbe() (bool, error) {
	var row types.Row
	key, null := o.key[:0], false
	if o.probe != nil {
		rec, ok, err := o.probe.next()
		if err != nil || !ok {
			return false, err
		}
		row, key, null = rec.row, rec.key, rec.tag == tagNullKey
	} else {
		var err error
		if row, err = o.left.next(); err != nil || row == nil {
			return false, err
		}
		if key, null, err = o.leftKeys.append(key, row); err != nil {
			return false, err
		}
		o.key = key
	}
	o.current, o.matched, o.candidate = row, false, -1
	copy(o.out, row)
	if !null {
		o.candidate = o.table.find(key)
	}
	return true, nil
}

func (o *hashJoinOp) unmatched() types.Row {
	if o.outerRight() {
		for o.scan < len(o.table.rows) {
			i := o.scan
			o.scan++
			if !o.table.matched[i] {
				clear(o.out[:o.nl])
				copy(o.out[o.nl:], o.table.rows[i])
				return o.out
			}
		}
	}
	o.phase = joinNextPartition
	return nil
}

// nextPartition loads the next pair of partitions, or cuts it smaller.
func (o *hashJoinOp) nextPartition() error {
	if o.probe != nil {
		o.probe.file.close()
		o.probe = nil
	}
	if len(o.work) == 0 {
		o.phase = joinNulls
		return nil
	}
	w := o.work[len(o.work)-1]
	o.work = o.work[:len(o.work)-1]
	o.table.reset()
	parts, err := o.load(w)
	w.right.close()
	if err != nil {
		parts.free()
		w.left.close()
		return err
	}
	if parts != nil {
		return o.cut(w, parts)
	}
	o.phase = joinProbe
	if w.left == nil {
		o.phase, o.scan = joinUnmatched, 0
		return nil
	}
	if o.probe, err = newRecordReader(w.left); err != nil {
		w.left.close()
	}
	return err
}

func (o *hashJoinOp) load(w joinWork) (*partitions, error) {
	if w.right == nil {
		return nil, nil
	}
	in, err := newRecordReader(w.right)
	if err != nil {
		return nil, err
	}
	var parts *partitions
	for {
		rec, ok, err := in.next()
		if err != nil || !ok {
			return parts, err
		}
		if parts != nil {
			err = parts.write(0, rec.key, rec.row)
		} else {
			o.table.add(rec.key, rec.row)
			if o.table.mem > o.x.env.WorkMem && w.level < maxLevel {
				parts, err = o.spillTable(w.level)
			}
		}
		if err != nil {
			return parts, err
		}
	}
}

// cut distributes the left rows of a pair whose right rows were cut.
func (o *hashJoinOp) cut(w joinWork, right *partitions) error {
	left := &partitions{dir: o.x.env.TempDir, level: right.level}
	defer func() { o.push(left, right) }()
	if w.left == nil {
		return nil
	}
	defer w.left.close()
	in, err := newRecordReader(w.left)
	if err != nil {
		return err
	}
	for {
		rec, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		if err := left.write(rec.tag, rec.key, rec.row); err != nil {
			return err
		}
	}
}

func (o *hashJoinOp) nullRight() (types.Row, error) {
	if o.nullAt == o.nulls.len() {
		o.phase = joinEnd
		return nil, nil
	}
	row, err := o.nulls.row(o.nullAt)
	if err != nil {
		return nil, err
	}
	o.nullAt++
	clear(o.out[:o.nl])
	copy(o.out[o.nl:], row)
	return o.out, nil
}

// release frees the files.
func (o *hashJoinOp) release() {
	if o.probe != nil {
		o.probe.file.close()
		o.probe = nil
	}
	for _, w := range o.work {
		w.left.close()
		w.right.close()
	}
	o.work = nil
	o.nulls.free()
}

func (o *hashJoinOp) close() error {
	o.release()
	o.table = joinTable{}
	return closeBoth(o.left, o.right)
}

func (o *hashJoinOp) report() [][2]string {
	out := [][2]string{{"Batches", fmt.Sprint(max(o.partitions-1, 1))}, {"Memory Usage", fmt.Sprintf("%dkB", (o.peak+1023)/1024)}}
	if o.disk > 0 {
		out = append(out, [2]string{"Disk Usage", fmt.Sprintf("%dkB", (o.disk+1023)/1024)})
	}
	return out
}
