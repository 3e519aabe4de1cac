package run

import (
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// exact finds the nearest of all matching rows: their ids without the vector
// index, then their distances from it.
func (o *knnOp) exact() error {
	o.recycle()
	if o.node.Filter == nil {
		return o.nearestExact(nil)
	}
	if o.other == nil {
		o.way = knnSorted
		return o.sortAll(o.sortWant())
	}
	if !o.dive.complete {
		fits, err := o.collectIDs(o.mostIDs())
		if err != nil {
			return err
		}
		if !fits {
			o.way = knnSorted
			return o.sortAll(o.sortWant())
		}
	}
	if len(o.ids) == 0 {
		o.method = "exact"
		return nil
	}
	return o.nearestExact(o.ids)
}

// mostIDs is how many ids fit into work_mem.
func (o *knnOp) mostIDs() int { return int(max(o.x.env.WorkMem/8, minIDs)) }

// collectIDs gathers the ids of matching rows; false when there are more than limit.
func (o *knnOp) collectIDs(limit int) (bool, error) {
	o.ids = o.ids[:0]
	if err := o.other.openIDs(); err != nil {
		return false, err
	}
	for {
		id, ok, err := o.other.nextID()
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		if len(o.ids) == limit {
			return false, o.other.close()
		}
		o.ids = append(o.ids, id)
	}
	if o.x.stats != nil {
		s := o.x.stats[o.node.Alternative]
		s.Loops++
		s.Rows += int64(len(o.ids))
	}
	slices.Sort(o.ids)
	return true, o.other.close()
}

// minIDs is how many ids are gathered whatever work_mem says (512 kB).
const minIDs = 64 << 10

// nearestExact asks the index for exact distances, of all rows or among ids.
func (o *knnOp) nearestExact(among []types.RowID) error {
	iter, err := o.x.env.Rows.Nearest(o.x.live, storage.NearestSpec{
		Table: o.node.Table, Index: o.node.Index, Query: o.query, Want: o.want + len(o.given),
		Ef: max(o.x.env.EfSearch, o.want+len(o.given)), Probes: o.x.env.Probes, Among: among, Exact: true,
	})
	if err != nil {
		return err
	}
	_, err = o.pull(iter, true)
	o.seen = iter.Stats()
	o.method = o.seen.Method
	if cerr := iter.Close(); err == nil {
		err = cerr
	}
	if err != nil || len(o.found) >= o.want {
		return err
	}
	return o.unindexed()
}

// unindexed adds the rows that a vector index does not hold, when it gave fewer
// than wanted: those without a vector and, under cosine distance, zero vectors.
// They come last, as ORDER BY puts them: NaN after all numbers, then NULL.
func (o *knnOp) unindexed() error {
	if o.bounded || !o.mayMissRows() {
		return nil
	}
	if err := o.openWhole(); err != nil {
		return err
	}
	for {
		id, ok, err := o.whole.advance()
		if err != nil {
			return err
		}
		if !ok {
			return o.whole.close()
		}
		c, inIndex, err := o.measure(id)
		if err != nil {
			return err
		}
		if inIndex {
			continue
		}
		if ok, err = o.passes(&c); err != nil {
			return err
		}
		if !ok {
			continue
		}
		c.row = append(o.takeSpare()[:0], o.wide...)
		o.keep(c)
	}
}

// mayMissRows says whether rows outside the index can exist.
func (o *knnOp) mayMissRows() bool {
	c, ok := o.node.Key.(*expr.Column)
	if !ok || !o.node.Table.Columns[c.Index].NotNull {
		return true
	}
	return o.node.Distance.Metric == types.MetricCosine || o.node.Distance.Metric == types.MetricNone
}

// openWhole scans the table with the columns of the key as well.
func (o *knnOp) openWhole() error {
	if o.whole == nil {
		scan := &plan.SeqScan{Table: o.node.Table, Alias: o.node.Alias, Cols: o.keyCols}
		o.whole = newSeqScan(base{x: o.x, stats: &plan.NodeStats{}}, scan)
		o.wide = make(types.Row, o.rowLen())
		o.whole.out = o.wide
	}
	return o.whole.open()
}

// measure computes the distance of the row that whole has read into wide.
func (o *knnOp) measure(id types.RowID) (c knnRow, number bool, err error) {
	c = knnRow{Candidate: storage.Candidate{ID: id}, row: o.wide}
	key, err := o.x.eval(o.node.Key, o.wide)
	if err != nil {
		return c, false, err
	}
	d, err := expr.Apply(&o.x.ec, o.node.Distance, key, o.query)
	if err != nil {
		return c, false, err
	}
	f, ok := d.(float64)
	c.null, c.Distance = !ok, f
	o.wide[o.width] = d
	if o.withID {
		o.wide[o.width+1] = int64(id)
	}
	return c, ok && f == f, nil
}

// sortAll reads all rows and sorts them by distance; want limits it to the
// nearest, 0 takes all.
func (o *knnOp) sortAll(want int) error {
	o.method = "scan and sort"
	o.seen = storage.NearestStats{}
	if o.sort != nil {
		o.sort.free()
	}
	o.sort = o.x.newSorter()
	o.sort.want = want
	if err := o.openWhole(); err != nil {
		return err
	}
	for {
		id, ok, err := o.whole.advance()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		c, _, err := o.measure(id)
		if err != nil {
			return err
		}
		if o.bounded && (c.null || o.isBeyond(c.Distance)) {
			continue
		}
		if ok, err = o.passes(&c); err != nil {
			return err
		}
		if !ok {
			continue
		}
		o.key = types.AppendKey(o.key[:0], types.Float8OID, o.wide[o.width], false, false)
		if err := o.sort.add(o.key, o.wide); err != nil {
			return err
		}
	}
	if err := o.whole.close(); err != nil {
		return err
	}
	return o.sort.finish()
}

// nextAny gives the rows of a NULL query: every distance is NULL.
func (o *knnOp) nextAny() (types.Row, error) {
	for {
		id, ok, err := o.whole.advance()
		if err != nil || !ok {
			return nil, err
		}
		c := knnRow{row: o.wide, null: true}
		o.wide[o.width] = nil
		if o.withID {
			o.wide[o.width+1] = int64(id)
		}
		if ok, err = o.passes(&c); err != nil {
			return nil, err
		}
		if ok {
			return o.wide, nil
		}
	}
}
