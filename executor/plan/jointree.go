package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// fromTree is a bound FROM clause.
type fromTree struct {
	leaves []*leaf
	root   *joinTree // nil without FROM
}

// leaf is one item that rows are read from: a table, or a node planned already.
type leaf struct {
	index int
	rel   *relation
	// table is set for plain tables. Behind its columns the logical row has
	// places for the row id and the distance of a nearest-neighbour scan.
	table  *catalog.Table
	wantID bool
	sample *Sample
	node   Node
	// link are the columns of other leaves that node reads (LATERAL).
	link *link
	// locks says what FOR UPDATE does about what is no table: "" nothing.
	locks string
	// tested says that the leaf is only there to be tested (EXISTS, IN): its rows
	// are no part of the result.
	tested bool
}

// rowID is the logical place of a table's row id, distance that of its distance.
func (l *leaf) rowID() int    { return l.rel.start + len(l.rel.columns) }
func (l *leaf) distance() int { return l.rel.start + len(l.rel.columns) + 1 }

// needsID says whether somebody reads the row id.
func (l *leaf) needsID() bool { return l.wantID || l.rel.wantID }

// width is how many logical places the leaf takes.
func (l *leaf) width() int {
	if l.table != nil {
		return len(l.rel.columns) + 2
	}
	return len(l.rel.columns)
}

// leafSet is a set of leaves by index.
type leafSet uint64

// maxLeaves is how many items one FROM clause may join.
const maxLeaves = 64

func setOf(l *leaf) leafSet                  { return 1 << l.index }
func (s leafSet) within(other leafSet) bool  { return s&^other == 0 }
func (s leafSet) touches(other leafSet) bool { return s&other != 0 }

// joinTree is a leaf or a join. Right joins are turned round when they are bound.
// An inner join without a right side is its left side under conditions.
type joinTree struct {
	leaf        *leaf
	kind        JoinKind
	left, right *joinTree
	on          []expr.Expr
}

func (t *joinTree) set() leafSet {
	if t == nil {
		return 0
	}
	if t.leaf != nil {
		return setOf(t.leaf)
	}
	return t.left.set() | t.right.set()
}

// crossed joins two trees without a condition; either may be nil.
func crossed(a, c *joinTree) *joinTree {
	switch {
	case a == nil:
		return c
	case c == nil:
		return a
	}
	return &joinTree{kind: Inner, left: a, right: c}
}

// owners tells which leaf a logical place belongs to.
func owners(leaves []*leaf, width int) []int16 {
	out := make([]int16, width)
	for _, l := range leaves {
		for i := range l.width() {
			out[l.rel.start+i] = int16(l.index)
		}
	}
	return out
}

// reduce turns outer joins into narrower ones where a condition above drops the
// rows that they would add: notNull are the leaves of which it needs a value.
func (p *joiner) reduce(t *joinTree, notNull leafSet) {
	if t == nil || t.leaf != nil {
		return
	}
	left, right := t.left.set(), t.right.set()
	if t.kind == FullOuter {
		switch l, r := notNull.touches(left), notNull.touches(right); {
		case l && r:
			t.kind = Inner
		case l:
			t.kind = LeftOuter
		case r:
			t.kind, t.left, t.right = LeftOuter, t.right, t.left
		}
	}
	if t.kind == LeftOuter && notNull.touches(t.right.set()) {
		t.kind = Inner
	}
	var on leafSet
	for _, e := range t.on {
		on |= p.needsValue(e)
	}
	switch t.kind {
	case Inner:
		p.reduce(t.left, notNull|on)
		p.reduce(t.right, notNull|on)
	case FullOuter:
		p.reduce(t.left, 0)
		p.reduce(t.right, 0)
	default:
		p.reduce(t.left, notNull)
		p.reduce(t.right, on)
	}
}

// needsValue gives the leaves of which the condition needs a value: it is not
// true when all their columns are NULL.
func (p *joiner) needsValue(e expr.Expr) leafSet {
	switch x := e.(type) {
	case *expr.And:
		var out leafSet
		for _, a := range x.Args {
			out |= p.needsValue(a)
		}
		return out
	case *expr.Or:
		out := ^leafSet(0)
		for _, a := range x.Args {
			out &= p.needsValue(a)
		}
		return out
	case *expr.NullTest:
		if x.Not && x.Arg.Type().OID != types.RecordOID && !types.IsRow(x.Arg.Type().OID) {
			return p.nullWith(x.Arg)
		}
		return 0
	case *expr.BoolTest:
		if x.Want != nil && !x.Not || x.Want == nil && x.Not {
			return p.nullWith(x.Arg)
		}
		return 0
	case *expr.AnyAll:
		if x.All || x.Func.NotStrict {
			return 0
		}
		return p.nullWith(x.Left) // with it NULL: NULL, or false for an empty array
	}
	return p.nullWith(e)
}

// nullWith gives the leaves with whose columns NULL the expression is NULL.
func (p *joiner) nullWith(e expr.Expr) leafSet {
	var out leafSet
	switch x := e.(type) {
	case *expr.Column:
		return 1 << p.owner[x.Index]
	case *expr.Call:
		if x.Func.NotStrict || x.Func.Eval == nil {
			return 0
		}
		for _, a := range x.Args {
			out |= p.nullWith(a)
		}
	case *expr.Cast:
		if x.Func == nil || !x.Func.NotStrict {
			return p.nullWith(x.Arg)
		}
	case *expr.Not:
		return p.nullWith(x.Arg)
	case *expr.InList:
		return p.nullWith(x.Left)
	}
	return out
}
