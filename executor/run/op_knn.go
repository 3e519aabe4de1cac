package run

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// knnOp gives rows in order of their distance to a query. Four ways:
//
//   - search: batches of candidates from the index, filtered, until enough rows passed;
//   - exact: the ids of matching rows first, then their distances from the index;
//   - sorted: a scan that computes distances itself, and a sort: all rows, or
//     filters over the distance itself;
//   - any order, when the query vector is NULL.
//
// Search turns into exact when the filter lets so few candidates pass that the
// other way is cheaper (knncost.go).
type knnOp struct {
	base
	node             *plan.KNN
	width            int // columns of the table
	withID           bool
	filterOnDistance bool
	keyCols          []int16

	query   types.Datum
	want    int // 0: all rows
	max     float64
	bounded bool

	way   knnWay
	begun bool
	found []knnRow
	at    int
	spare []types.Row
	batch []storage.Candidate
	ids   []types.RowID
	dive  knnDive

	whole *seqScanOp
	wide  types.Row // whole's row with the distance and id
	other idSource
	sort  *sorter
	key   []byte

	// given are the rows of earlier rounds (plan.KNN.More), and last the farthest.
	given map[types.RowID]struct{}
	last  knnRow

	examined, passed int
	seen             storage.NearestStats
	method           string
}

type knnWay uint8

const (
	knnNone knnWay = iota
	knnSearch
	knnSorted
	knnAnyOrder
)

// knnRow is a row that passed, with its distance.
type knnRow struct {
	storage.Candidate
	row types.Row
	// null marks a distance that is NULL; it comes after all numbers and NaN.
	null bool
}

func compareKNN(a, b knnRow) int {
	if c := compareDistance(a, b); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

func compareDistance(a, b knnRow) int {
	switch {
	case a.null && b.null:
		return 0
	case a.null:
		return 1
	case b.null:
		return -1
	}
	return types.CompareFloat(a.Distance, b.Distance)
}

func newKNN(b base, n *plan.KNN) (*knnOp, error) {
	o := &knnOp{base: b, node: n, width: len(n.Table.Columns)}
	o.withID = rowWidth(n) > o.width+1
	if n.Filter != nil {
		o.filterOnDistance = usesColumn(n.Filter, o.width)
	}
	o.keyCols = slices.Clone(n.Cols)
	expr.Walk(n.Key, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && !slices.Contains(o.keyCols, int16(c.Index+1)) {
			o.keyCols = append(o.keyCols, int16(c.Index+1))
		}
		return true
	})
	if n.Alternative == nil {
		return o, nil
	}
	alt, err := b.x.build(n.Alternative)
	if err != nil {
		return nil, err
	}
	o.other, _ = unwrap(alt).(idSource)
	return o, nil
}

func usesColumn(e expr.Expr, index int) (found bool) {
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && c.Index == index {
			found = true
		}
		return !found
	})
	return found
}

// rowLen is the width of the output row.
func (o *knnOp) rowLen() int {
	if o.withID {
		return o.width + 2
	}
	return o.width + 1
}

func (o *knnOp) open() error {
	if err := o.release(); err != nil {
		return err
	}
	o.recycle()
	o.at, o.begun, o.examined, o.passed, o.given = 0, false, 0, 0, nil
	way, err := o.prepare()
	o.way = way
	return err
}

// prepare computes the query, the number of rows and the bound, and picks a way.
func (o *knnOp) prepare() (knnWay, error) {
	d, err := o.x.eval(o.node.Query, nil)
	if err != nil {
		return knnNone, err
	}
	o.query = d
	o.bounded = false
	if o.node.MaxDistance != nil {
		d, err := o.x.eval(o.node.MaxDistance, nil)
		if err != nil {
			return knnNone, err
		}
		limit, ok := floatOf(d)
		if !ok || o.query == nil {
			return knnNone, nil // no comparison with NULL holds
		}
		o.max, o.bounded = limit, true
	}
	want, limited, err := o.x.evalInt(o.node.Want)
	if err != nil {
		return knnNone, err
	}
	switch {
	case limited && want <= 0:
		return knnNone, nil
	case o.query == nil:
		return knnAnyOrder, nil
	case !limited:
		o.want = 0
		return knnSorted, nil
	}
	o.want = int(min(want, maxWant))
	return knnSearch, nil
}

// maxWant keeps LIMIT 9223372036854775807 an int that can be added to.
const maxWant = 1 << 40

func (o *knnOp) next() (types.Row, error) {
	if o.way == knnNone {
		return nil, nil
	}
	if !o.begun {
		o.begun = true
		if err := o.begin(); err != nil {
			return nil, err
		}
	}
	if o.way == knnSearch && o.at == len(o.found) {
		if ok, err := o.again(); err != nil || !ok {
			return nil, err
		}
	}
	switch o.way {
	case knnSorted:
		return o.sort.next()
	case knnAnyOrder:
		return o.nextAny()
	}
	if o.at == len(o.found) {
		return nil, nil
	}
	f := &o.found[o.at]
	o.at++
	f.row[o.width] = nil
	if !f.null {
		f.row[o.width] = f.Distance
	}
	if o.withID {
		f.row[o.width+1] = int64(f.ID)
	}
	return f.row, nil
}

func (o *knnOp) begin() error {
	switch o.way {
	case knnSorted:
		return o.sortAll(0)
	case knnAnyOrder:
		o.method = "scan"
		return o.openWhole()
	}
	o.dive = knnDive{}
	if o.exactIsCheaper() {
		few, err := o.diveIfBounded()
		if err != nil {
			return err
		}
		if few {
			return o.exact()
		}
	}
	return o.search()
}

// search pulls batches from the index until enough rows passed.
func (o *knnOp) search() error {
	iter, err := o.x.env.Rows.Nearest(o.x.live, storage.NearestSpec{
		Table: o.node.Table, Index: o.node.Index, Query: o.query, Want: o.want + len(o.given),
		Ef: max(o.x.env.EfSearch, o.want+len(o.given), o.filteredEf()), Probes: o.x.env.Probes,
	})
	if err != nil {
		return err
	}
	exhausted, err := o.pull(iter, false)
	o.seen = iter.Stats()
	if cerr := iter.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	o.method = o.seen.Method
	switch {
	case len(o.found) >= o.want:
		return nil
	case !exhausted:
		return o.exact()
	}
	return o.unindexed()
}

// pull takes batches until enough rows passed or there are no more (exhausted);
// unless sure, it also stops when the other way promises to be cheaper. sure
// says that batches come in the order of distance altogether.
func (o *knnOp) pull(iter storage.NearestIter, sure bool) (exhausted bool, err error) {
	pulled := 0
	for len(o.found) < o.want || !sure && !o.isSettled(pulled) {
		o.batch, err = iter.NextBatch(o.batch[:0])
		if err != nil {
			return false, err
		}
		if len(o.batch) == 0 {
			return true, nil
		}
		pulled += len(o.batch)
		beyond, err := o.take(o.batch)
		if err != nil {
			return false, err
		}
		if sure {
			if beyond {
				return true, nil
			}
			continue
		}
		if len(o.found) >= o.want {
			continue
		}
		if beyond || o.shouldSwitch() {
			return false, nil
		}
		if fits, err := o.diveIfNarrow(); err != nil || fits {
			return false, err
		}
	}
	return false, nil
}

// take filters a batch, which is sorted. beyond says that the batch went
// beyond the largest distance wanted.
func (o *knnOp) take(batch []storage.Candidate) (beyond bool, err error) {
	for _, c := range batch {
		if o.isBeyond(c.Distance) {
			return true, nil
		}
		if len(o.found) == o.want && c.Distance >= o.found[len(o.found)-1].Distance {
			return false, nil
		}
		if err := o.x.tick(); err != nil {
			return false, err
		}
		if err := o.consider(knnRow{Candidate: c}); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (o *knnOp) isBeyond(distance float64) bool {
	if !o.bounded {
		return false
	}
	c := types.CompareFloat(distance, o.max)
	return c > 0 || c == 0 && o.node.MaxDistanceOpen
}

// consider reads a candidate's row and keeps it when it is visible and passes.
func (o *knnOp) consider(c knnRow) error {
	if o.given != nil && o.wasPassed(&c) {
		return nil
	}
	o.examined++
	c.row = o.takeSpare()
	ok, err := o.x.env.Rows.Get(o.x.live, o.node.Table, c.ID, o.node.Cols, c.row[:o.width])
	if err == nil && ok {
		ok, err = o.passes(&c)
	}
	if err != nil || !ok {
		o.spare = append(o.spare, c.row)
		return err
	}
	o.keep(c)
	return nil
}

func (o *knnOp) passes(c *knnRow) (bool, error) {
	if o.given != nil && o.wasPassed(c) {
		return false, nil
	}
	if o.node.Filter == nil {
		o.passed++
		return true, nil
	}
	if o.filterOnDistance {
		c.row[o.width] = nil
		if !c.null {
			c.row[o.width] = c.Distance
		}
	}
	ok, err := o.x.test(o.node.Filter, c.row)
	if ok {
		o.passed++
	} else {
		o.stats.Removed++
	}
	return ok, err
}

// keep inserts a row at its place and drops the farthest when there are too many.
func (o *knnOp) keep(c knnRow) {
	n := len(o.found)
	at := n
	if n > 0 && compareKNN(c, o.found[n-1]) < 0 {
		at, _ = slices.BinarySearchFunc(o.found, c, compareKNN)
	}
	if n == o.want {
		if at == n {
			o.spare = append(o.spare, c.row)
			return
		}
		o.spare = append(o.spare, o.found[n-1].row)
		o.found = o.found[:n-1]
	}
	o.found = slices.Insert(o.found, at, c)
}

func (o *knnOp) takeSpare() types.Row {
	if n := len(o.spare); n > 0 {
		row := o.spare[n-1]
		o.spare = o.spare[:n-1]
		return row
	}
	return make(types.Row, o.rowLen())
}

// recycle gives the rows found back to be used again.
func (o *knnOp) recycle() {
	for i := range o.found {
		o.spare = append(o.spare, o.found[i].row)
	}
	clear(o.found)
	o.found = o.found[:0]
}

func (o *knnOp) release() error {
	if o.sort != nil {
		o.sort.free()
		o.sort = nil
	}
	var err error
	if o.whole != nil {
		err = o.whole.close()
	}
	if o.other != nil {
		if oerr := o.other.close(); err == nil {
			err = oerr
		}
	}
	return err
}

func (o *knnOp) close() error { return o.release() }

func (o *knnOp) report() [][2]string {
	if o.method == "" {
		return nil
	}
	out := [][2]string{{"Tier", o.node.Table.Tier.String()}, {"Method", o.method}}
	if o.seen.Method == "" {
		return out
	}
	out[0][1] = o.seen.Tier.String()
	out = append(out, [2]string{"Candidates", fmt.Sprint(o.seen.Candidates)},
		[2]string{"Reranked", fmt.Sprint(o.seen.Reranked)}, [2]string{"Tail", fmt.Sprint(o.seen.Tail)})
	if o.seen.Tier == types.TierCold { // what went to the object store, not to the caches
		out = append(out, [2]string{"Requests", fmt.Sprint(o.seen.Requests)}, [2]string{"Bytes", fmt.Sprint(o.seen.Bytes)})
	}
	return out
}
