package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
)

// indexPath is one index as a way to read the table.
type indexPath struct {
	index *catalog.Index
	keys  []expr.Expr // over the table's row
	// ranges are what the conditions say of the keys; none reads the whole index.
	ranges []IndexRange
	// filter is what neither the ranges nor the index's predicate guarantee.
	filter []expr.Expr
	// share is the part of the table's rows that the ranges read.
	share float64
	// fixed are the leading keys that have one value in all rows read, and
	// notNull those that are never NULL.
	fixed   int
	notNull []bool
	// several says that the ranges may overlap, so that they keep the index's
	// order only forwards.
	several bool
}

// paths are the usable btree indexes, with what each makes of the conditions.
func (a *access) paths() []*indexPath {
	if a.tried {
		return a.found
	}
	a.tried = true
	for _, x := range a.b.env.Catalog.Indexes(a.table.ID) {
		if !x.Valid || x.Method != "btree" && x.Method != "hash" {
			continue
		}
		if p := a.path(x); p != nil {
			a.found = append(a.found, p)
		}
	}
	return a.found
}

// path applies the conditions to an index; nil when it cannot be used.
func (a *access) path(x *catalog.Index) *indexPath {
	keys, predicate, err := a.b.indexExprs(a.table, x)
	if err != nil {
		return nil
	}
	implied, ok := impliedBy(predicate, a.conds)
	if !ok {
		return nil
	}
	p := &indexPath{index: x, keys: keys, notNull: make([]bool, len(keys))}
	guaranteed := p.restrict(a.b, a.conds)
	if x.Method == "hash" && !p.pointsOnly() {
		return nil
	}
	var read []expr.Expr
	for i, c := range a.conds {
		switch {
		case guaranteed[i] == byRange:
			read = append(read, c)
			continue
		case guaranteed[i] == partly:
			read = append(read, c)
		}
		if !implied[i] {
			p.filter = append(p.filter, c)
		}
	}
	for _, e := range predicate {
		if !contained(e, read) {
			read = append(read, e)
		}
	}
	p.share = a.b.selectivity(a.table, read)
	for i, k := range x.Keys {
		if k.Column > 0 && a.table.Columns[k.Column-1].NotNull {
			p.notNull[i] = true
		}
	}
	return p
}

func contained(e expr.Expr, list []expr.Expr) bool {
	for _, x := range list {
		if expr.Equal(e, x) {
			return true
		}
	}
	return false
}

// pointsOnly says whether all ranges are equalities on the whole key.
func (p *indexPath) pointsOnly() bool {
	for i := range p.ranges {
		r := &p.ranges[i]
		n := len(r.Eq)
		if r.EqAny != nil {
			n++
		}
		if n != len(p.keys) {
			return false
		}
	}
	return len(p.ranges) > 0
}

// guarantee says what the ranges make of a condition.
type guarantee uint8

const (
	notUsed guarantee = iota
	partly            // the ranges read fewer rows for it, but it must be tested
	byRange           // it holds for all rows that the ranges read
)

// restrict makes the ranges and says for each condition what they do for it.
func (p *indexPath) restrict(b *binder, conds []expr.Expr) []guarantee {
	if done := p.one(b, conds); len(p.ranges) > 0 {
		return done
	}
	for i, c := range conds {
		if or, ok := c.(*expr.Or); ok {
			if done := p.union(b, conds, i, or); done != nil {
				return done
			}
		}
	}
	return make([]guarantee, len(conds))
}

// one makes the single range of a conjunction.
func (p *indexPath) one(b *binder, conds []expr.Expr) []guarantee {
	r := rangeBuilder{b: b, path: p, conds: conds, done: make([]guarantee, len(conds))}
	if r.build() {
		p.ranges = []IndexRange{r.out}
		p.fixed = r.fixed
		copy(p.notNull, r.notNull)
	}
	return r.done
}

// maxArms is how many arms of an OR become ranges.
const maxArms = 64

// union makes a range for each arm of an OR, together with the other conditions;
// nil when an arm says nothing of the index's first key.
func (p *indexPath) union(b *binder, conds []expr.Expr, at int, or *expr.Or) []guarantee {
	if len(or.Args) > maxArms {
		return nil
	}
	total := make([]guarantee, len(conds))
	for i := range total {
		total[i] = byRange
	}
	var ranges []IndexRange
	for _, arm := range or.Args {
		parts := conjuncts(arm)
		all := append(append([]expr.Expr{}, parts...), conds...)
		r := rangeBuilder{b: b, path: p, conds: all, done: make([]guarantee, len(all))}
		if !r.build() {
			return nil
		}
		ranges = append(ranges, r.out)
		holds := byRange
		for i := range parts {
			holds = min(holds, r.done[i])
		}
		total[at] = min(total[at], max(holds, partly))
		for i := range conds {
			if i != at {
				total[i] = min(total[i], r.done[len(parts)+i])
			}
		}
	}
	p.ranges, p.several = ranges, true
	return total
}

// rangeBuilder makes one range of a conjunction, key by key.
type rangeBuilder struct {
	b       *binder
	path    *indexPath
	conds   []expr.Expr
	done    []guarantee
	out     IndexRange
	fixed   int
	notNull []bool
}

// build is false when the conditions say nothing of the first key.
func (r *rangeBuilder) build() bool {
	r.notNull = make([]bool, len(r.path.keys))
	i := 0
	for ; i < len(r.path.keys); i++ {
		v := r.find(i, func(m *keyMatch) expr.Expr { return m.eq })
		if v == nil {
			break
		}
		r.out.Eq = append(r.out.Eq, v)
		r.holds(i)
	}
	r.fixed = i
	if i == len(r.path.keys) {
		return true
	}
	if r.find(i, func(m *keyMatch) expr.Expr { return m.isNull }) != nil {
		r.out.IsNull = true
		r.fixed++
		i++
	} else if v := r.find(i, func(m *keyMatch) expr.Expr { return m.any }); v != nil {
		r.out.EqAny = v
		r.holds(i)
		i++
	}
	if i < len(r.path.keys) {
		r.bounds(i)
	}
	return len(r.out.Eq) > 0 || r.out.IsNull || r.out.EqAny != nil || r.out.Low != nil || r.out.High != nil || r.out.NotNull
}

// bounds sets what is known of the first key that is not fixed.
func (r *rangeBuilder) bounds(i int) {
	if v := r.find(i, func(m *keyMatch) expr.Expr { return m.eq }); v != nil {
		r.out.Low, r.out.High = v, v
		r.holds(i)
		return
	}
	for at := range r.conds {
		m, ok := r.match(at, i)
		if !ok || m.low == nil && m.high == nil {
			continue
		}
		if m.low != nil && r.out.Low != nil || m.high != nil && r.out.High != nil {
			continue
		}
		if m.low != nil {
			r.out.Low, r.out.LowOpen = m.low, m.lowOpen
		}
		if m.high != nil {
			r.out.High, r.out.HighOpen = m.high, m.highOpen
		}
		r.mark(at, &m)
	}
	if r.out.Low != nil || r.out.High != nil {
		r.holds(i)
		return
	}
	if r.find(i, func(m *keyMatch) expr.Expr { return m.notNull }) != nil {
		r.out.NotNull = true
		r.notNull[i] = true
	}
}

// holds notes that key i is not NULL in the range; conditions that ask only
// that are guaranteed.
func (r *rangeBuilder) holds(i int) {
	r.notNull[i] = true
	for at := range r.conds {
		if m, ok := r.match(at, i); ok && m.notNull != nil {
			r.done[at] = byRange
		}
	}
}

// find is the first condition of a kind on key i.
func (r *rangeBuilder) find(i int, kind func(*keyMatch) expr.Expr) expr.Expr {
	for at := range r.conds {
		if m, ok := r.match(at, i); ok {
			if v := kind(&m); v != nil {
				r.mark(at, &m)
				return v
			}
		}
	}
	return nil
}

func (r *rangeBuilder) mark(at int, m *keyMatch) {
	if m.lossy {
		r.done[at] = max(r.done[at], partly)
		return
	}
	r.done[at] = byRange
}

func (r *rangeBuilder) match(at, i int) (keyMatch, bool) {
	return r.b.matchKey(r.conds[at], r.path.keys[i], r.path.index.Keys[i].Type)
}
