package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// joiner plans how the items of one FROM clause are read and joined.
type joiner struct {
	b      *binder
	leaves []*leaf
	owner  []int16 // the leaf of each logical place
	need   []bool  // the logical places that somebody reads
	width  int
	// driver is the table that is read in the order of keys, if one is.
	driver  *leaf
	keys    []SortKey // over the logical row
	want    expr.Expr // rows wanted of the driver, nil for all
	more    bool      // the joins may drop rows, so that more than want may be read
	partly  bool      // keys are only the first of ORDER BY's: the rest is sorted above
	limit   float64   // rows that are likely to be taken, 0 for all
	ordered bool      // the driver's scan gives the order
}

// joined is a planned part: its node, and where the logical places are in its row.
type joined struct {
	node Node
	set  leafSet
	at   []int32 // physical place of each logical one, -1 for none
	same bool    // places are where they are in the logical row
	// slots must be set for the part from leaves outside it (LATERAL).
	slots []int
	args  []expr.Expr
	deps  leafSet
	// single is the table when the part is nothing but its scan.
	single *leaf
	quals  []expr.Expr // the scan's conditions, over the logical row
}

func (j *joined) rows() float64 { return j.node.Common().Rows }

// setIn gives the leaves whose columns an expression reads.
func (p *joiner) setIn(e expr.Expr) leafSet {
	var out leafSet
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			out |= 1 << p.owner[c.Index]
		}
		return true
	})
	return out
}

// place rewrites an expression over the logical row to one over a part's row.
func (j *joined) place(e expr.Expr) expr.Expr {
	if j.same || e == nil {
		return e
	}
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok || int(j.at[c.Index]) == c.Index {
			return x
		}
		return &expr.Column{Index: int(j.at[c.Index]), Typ: c.Typ, Name: c.Name}
	})
}

func (j *joined) placeAll(list []expr.Expr) []expr.Expr {
	if j.same {
		return list
	}
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = j.place(e)
	}
	return out
}

// plan plans a tree under conditions that hold above it.
func (p *joiner) plan(t *joinTree, quals []expr.Expr) (*joined, error) {
	switch {
	case t.leaf != nil:
		return p.scan(t.leaf, quals), nil
	case t.kind == Inner:
		return p.inner(t, quals)
	default:
		return p.outer(t, quals)
	}
}

// markNeeded notes the places that an expression reads.
func (p *joiner) markNeeded(e expr.Expr) {
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			p.need[c.Index] = true
		}
		return true
	})
}

// markTree notes what the joins themselves read.
func (p *joiner) markTree(t *joinTree) {
	if t == nil {
		return
	}
	if t.leaf != nil {
		if l := t.leaf.link; l != nil {
			for _, a := range l.args {
				p.markNeeded(a)
			}
		}
		return
	}
	for _, e := range t.on {
		p.markNeeded(e)
	}
	p.markTree(t.left)
	p.markTree(t.right)
}

// outer plans a left, full, semi or anti join. Conditions from above that read
// the left side only go there; others stay above.
func (p *joiner) outer(t *joinTree, quals []expr.Expr) (*joined, error) {
	leftSet, rightSet := t.left.set(), t.right.set()
	var left, right, on, above []expr.Expr
	for _, q := range quals {
		if t.kind != FullOuter && p.setIn(q).within(leftSet) {
			left = append(left, q)
		} else {
			above = append(above, q)
		}
	}
	for _, q := range t.on {
		if set := p.setIn(q); t.kind != FullOuter && set != 0 && set.within(rightSet) {
			right = append(right, q)
		} else {
			on = append(on, q)
		}
	}
	l, err := p.plan(t.left, left)
	if err != nil {
		return nil, err
	}
	r, err := p.plan(t.right, right)
	if err != nil {
		return nil, err
	}
	out, err := p.join(t.kind, l, r, on)
	if err != nil {
		return nil, err
	}
	return p.filtered(out, above), nil
}

// filtered puts a Filter above a part.
func (p *joiner) filtered(j *joined, quals []expr.Expr) *joined {
	if len(quals) == 0 {
		return j
	}
	out := *j
	out.node = filter(j.node, andOf(j.placeAll(quals)))
	out.single = nil
	return &out
}

func filter(n Node, cond expr.Expr) Node {
	if cond == nil {
		return n
	}
	in := n.Common()
	f := &Filter{Child: n, Cond: cond}
	f.Info = Info{Columns: in.Columns, Rows: max(in.Rows/3, 1), Startup: in.Startup, Cost: in.Cost + in.Rows*cpuOperatorCost}
	return f
}

// inner plans a tree of inner joins as a list of items that may be joined in
// any order: the one that gives the fewest rows comes next.
func (p *joiner) inner(t *joinTree, quals []expr.Expr) (*joined, error) {
	var trees []*joinTree
	quals = append([]expr.Expr(nil), quals...)
	flatten(t, &trees, &quals)
	items := make([]*joined, len(trees))
	pending := make([]pendingQual, 0, len(quals))
	own := make([][]expr.Expr, len(trees))
	var constant []expr.Expr
place:
	for _, q := range quals {
		set := p.setIn(q)
		if set == 0 {
			constant = append(constant, q)
			continue
		}
		for i, tree := range trees {
			if set.within(tree.set()) {
				own[i] = append(own[i], q)
				continue place
			}
		}
		pending = append(pending, pendingQual{q, set})
	}
	for i, tree := range trees {
		var err error
		if items[i], err = p.plan(tree, own[i]); err != nil {
			return nil, err
		}
	}
	out, err := p.greedy(items, pending)
	if err != nil {
		return nil, err
	}
	return p.filtered(out, constant), nil
}

// flatten gathers the items and conditions of nested inner joins.
func flatten(t *joinTree, trees *[]*joinTree, quals *[]expr.Expr) {
	if t == nil {
		return
	}
	if t.leaf != nil || t.kind != Inner {
		*trees = append(*trees, t)
		return
	}
	*quals = append(*quals, t.on...)
	flatten(t.left, trees, quals)
	flatten(t.right, trees, quals)
}

// pendingQual is a condition that waits until its leaves are joined.
type pendingQual struct {
	e   expr.Expr
	set leafSet
}

// greedy joins items one after the other.
func (p *joiner) greedy(items []*joined, pending []pendingQual) (*joined, error) {
	first := p.first(items)
	cur := items[first]
	items = append(items[:first:first], items[first+1:]...)
	for len(items) > 0 {
		next := p.next(cur, items, pending)
		if next < 0 {
			return nil, unsupportedLateral()
		}
		item := items[next]
		items = append(items[:next:next], items[next+1:]...)
		both := cur.set | item.set
		var now []expr.Expr
		rest := pending[:0:0]
		for _, q := range pending {
			if q.set.within(both) {
				now = append(now, q.e)
			} else {
				rest = append(rest, q)
			}
		}
		pending = rest
		var err error
		if cur, err = p.join(Inner, cur, item, now); err != nil {
			return nil, err
		}
	}
	return cur, nil
}

// first picks the item to begin with: the one that must come first for its
// order, else the one with the fewest rows.
func (p *joiner) first(items []*joined) int {
	best := -1
	var all leafSet
	for _, it := range items {
		all |= it.set
	}
	for i, it := range items {
		if p.driver != nil && p.ordered && it.set.touches(setOf(p.driver)) {
			return i
		}
		if it.deps.touches(all) {
			continue
		}
		if best < 0 || it.rows() < items[best].rows() {
			best = i
		}
	}
	return max(best, 0)
}

// next picks the item to join: one that a condition connects, with the fewest
// rows expected; -1 when all wait for leaves outside.
func (p *joiner) next(cur *joined, items []*joined, pending []pendingQual) int {
	best, bestRows, bestLinked := -1, 0.0, false
	var all leafSet
	for _, it := range items {
		all |= it.set
	}
	for i, it := range items {
		if it.deps.touches(all) {
			continue
		}
		linked := it.deps.touches(cur.set)
		var quals []expr.Expr
		for _, q := range pending {
			if q.set.within(cur.set|it.set) && q.set.touches(it.set) && q.set.touches(cur.set) {
				linked = true
				quals = append(quals, q.e)
			}
		}
		rows := p.joinRows(Inner, cur, it, quals)
		if best < 0 || linked && !bestLinked || linked == bestLinked && rows < bestRows {
			best, bestRows, bestLinked = i, rows, linked
		}
	}
	return best
}

// joinRows estimates how many rows a join gives.
func (p *joiner) joinRows(kind JoinKind, l, r *joined, quals []expr.Expr) float64 {
	rows := l.rows() * r.rows()
	for _, q := range quals {
		if lk, rk, ok := p.equal(q, l.set, r.set); ok {
			rows /= max(p.distinct(lk, l), p.distinct(rk, r), 1)
		} else {
			rows /= 3
		}
	}
	switch kind {
	case LeftOuter:
		rows = max(rows, l.rows())
	case FullOuter:
		rows = max(rows, l.rows()+r.rows())
	case Semi, Anti:
		rows = min(max(rows, 1), l.rows()/2)
	}
	return max(rows, 1)
}

// distinct estimates how many values a join key has.
func (p *joiner) distinct(key expr.Expr, j *joined) float64 {
	c, ok := key.(*expr.Column)
	if !ok {
		return min(j.rows(), 200)
	}
	l := p.leaves[p.owner[c.Index]]
	if l.table == nil {
		return min(j.rows(), 200)
	}
	total := p.b.env.rows(l.table.ID)
	for _, x := range p.b.env.Catalog.Indexes(l.table.ID) {
		if x.Unique && len(x.Keys) == 1 && int(x.Keys[0].Column) == c.Index-l.rel.start+1 {
			return total
		}
	}
	return max(min(total/10, j.rows()), min(total, 200))
}

// equal says whether a condition is an equality of one side with the other, by
// which rows can be hashed.
func (p *joiner) equal(e expr.Expr, left, right leafSet) (lk, rk expr.Expr, ok bool) {
	c, isCall := e.(*expr.Call)
	if !isCall || c.Operator != "=" || len(c.Args) != 2 || !hashable(c.Args[0].Type().OID, c.Args[1].Type().OID) {
		return nil, nil, false
	}
	a, b := p.setIn(c.Args[0]), p.setIn(c.Args[1])
	if a == 0 || b == 0 || expr.VolatilityOf(e) == expr.Volatile {
		return nil, nil, false
	}
	switch {
	case a.within(left) && b.within(right):
		return c.Args[0], c.Args[1], true
	case a.within(right) && b.within(left):
		return c.Args[1], c.Args[0], true
	}
	return nil, nil, false
}

// hashable says whether equal values of two types have equal keys.
func hashable(a, b types.OID) bool {
	if a == b {
		return a != types.RecordOID && a != types.JSONOID && a != types.XMLOID
	}
	for _, class := range keyClasses {
		if class[a] && class[b] {
			return true
		}
	}
	return false
}

// keyClasses are types whose values share their keys in a hash join.
var keyClasses = []map[types.OID]bool{
	{types.Int2OID: true, types.Int4OID: true, types.Int8OID: true, types.OidOID: true, types.RegclassOID: true, types.RegtypeOID: true,
		types.RegprocOID: true, types.RegnamespaceOID: true, types.RegroleOID: true, types.RegprocedureOID: true},
	{types.Float4OID: true, types.Float8OID: true},
	{types.TextOID: true, types.VarcharOID: true, types.NameOID: true},
}
