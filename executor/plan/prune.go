package plan

import (
	"bytes"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/types"
)

// Pruning says which partitions rows that pass a scan's conditions can lie in.
type Pruning struct {
	parts *Partitions
	steps []pruneStep
	// Late says that some values are known only when the statement runs.
	Late bool
}

// pruneStep is what one condition says of one partition key.
type pruneStep struct {
	key   int
	match keyMatch
}

// pruning gathers what conditions over the table's row say of the keys.
func (b *binder) pruning(p *Partitions, conds []expr.Expr) *Pruning {
	out := &Pruning{parts: p}
	for i, key := range p.Keys {
		for _, c := range conds {
			m, ok := b.matchKey(c, key, p.types[i])
			if !ok || m.notNull != nil {
				continue
			}
			out.steps = append(out.steps, pruneStep{i, m})
			for _, e := range []expr.Expr{m.eq, m.any, m.low, m.high} {
				if _, known := e.(*expr.Const); e != nil && !known {
					out.Late = true
				}
			}
		}
	}
	return out
}

// keyRange is what is known of one key: the values that it can have, or bounds.
type keyRange struct {
	values    [][]byte // nil: not restricted to values
	listed    bool
	low, high []byte // inclusive of all that begins with them
	highOpen  bool
	lowOpen   bool
}

// Keep says for each child whether it can hold rows. Values that are not known
// yet are not looked at before the statement runs (early).
func (p *Pruning) Keep(eval Eval, early bool) ([]bool, error) {
	keep := make([]bool, len(p.parts.children))
	ranges := make([]keyRange, len(p.parts.Keys))
	for i := range p.steps {
		if err := p.restrict(&p.steps[i], ranges, eval, early); err != nil {
			return nil, err
		}
	}
	for i, c := range p.parts.children {
		keep[i] = p.parts.possible(c, ranges)
	}
	return keep, nil
}

// restrict narrows a key's range by a condition.
func (p *Pruning) restrict(s *pruneStep, ranges []keyRange, eval Eval, early bool) error {
	r, oid := &ranges[s.key], p.parts.types[s.key]
	value := func(e expr.Expr) (types.Datum, bool, error) {
		if e == nil {
			return nil, false, nil
		}
		if c, ok := e.(*expr.Const); ok {
			return c.Value, true, nil
		}
		if early {
			return nil, false, nil
		}
		d, err := eval(e, nil)
		return d, err == nil, err
	}
	key := func(d types.Datum) []byte { return types.AppendKey(nil, oid, d, false, false) }
	m := &s.match
	if m.isNull != nil {
		r.only([][]byte{key(nil)})
		return nil
	}
	if d, known, err := value(m.eq); err != nil {
		return err
	} else if known {
		if d == nil {
			r.only(nil)
			return nil
		}
		r.only([][]byte{key(d)})
	}
	if d, known, err := value(m.any); err != nil {
		return err
	} else if known {
		var list [][]byte
		if a, ok := d.(*types.Array); ok {
			for _, e := range a.Elems {
				if e != nil {
					list = append(list, key(e))
				}
			}
		}
		r.only(list)
	}
	if d, known, err := value(m.low); err != nil {
		return err
	} else if known {
		if d == nil {
			r.only(nil)
		} else if k := key(d); r.low == nil || bytes.Compare(k, r.low) > 0 {
			r.low, r.lowOpen = k, m.lowOpen
		}
	}
	if d, known, err := value(m.high); err != nil {
		return err
	} else if known {
		if d == nil {
			r.only(nil)
		} else if k := key(d); r.high == nil || bytes.Compare(k, r.high) < 0 {
			r.high, r.highOpen = k, m.highOpen
		}
	}
	return nil
}

// only leaves those of the values that were possible before.
func (r *keyRange) only(list [][]byte) {
	if !r.listed {
		r.listed, r.values = true, list
		return
	}
	var both [][]byte
	for _, v := range list {
		for _, w := range r.values {
			if bytes.Equal(v, w) {
				both = append(both, v)
				break
			}
		}
	}
	r.values = both
}

// has says whether a value is possible.
func (r *keyRange) has(key []byte) bool {
	if r.listed {
		found := false
		for _, v := range r.values {
			found = found || bytes.Equal(v, key)
		}
		if !found {
			return false
		}
	}
	if r.low == nil && r.high == nil {
		return true
	}
	if key[0] != valueByte {
		return false // NULL compares with nothing
	}
	if r.low != nil {
		if c := bytes.Compare(key, r.low); c < 0 || c == 0 && r.lowOpen {
			return false
		}
	}
	if r.high != nil {
		if c := bytes.Compare(key, r.high); c > 0 || c == 0 && r.highOpen {
			return false
		}
	}
	return true
}

// possible says whether a partition can hold rows whose keys are in the ranges.
func (p *Partitions) possible(c *Partition, ranges []keyRange) bool {
	for i := range ranges {
		if ranges[i].listed && len(ranges[i].values) == 0 {
			return false
		}
	}
	switch {
	case c.isDefault:
		return p.defaultPossible(ranges)
	case c.high != nil:
		return rangePossible(c, ranges)
	case c.modulus > 0:
		return p.hashPossible(c, ranges)
	}
	for _, v := range c.values {
		if ranges[0].has([]byte(v)) {
			return true
		}
	}
	return false
}

// defaultPossible: the default partition is left out only when every possible
// value has a partition of its own.
func (p *Partitions) defaultPossible(ranges []keyRange) bool {
	if p.byValue == nil || p.Table.Partitioned.Strategy != "list" || !ranges[0].listed {
		return true
	}
	for _, v := range ranges[0].values {
		if p.byValue[string(v)] == nil {
			return true
		}
	}
	return false
}

// rangePossible compares the keys' bounds, as far as leading keys have one value.
func rangePossible(c *Partition, ranges []keyRange) bool {
	r := &ranges[0]
	if !r.listed {
		low, high := r.low, r.high
		if low != nil && bytes.Compare(low, c.high) >= 0 {
			return false
		}
		// What begins with high is still inside.
		return high == nil || bytes.Compare(append(append([]byte(nil), high...), maxByte), c.low) >= 0
	}
	for _, v := range r.values {
		low, high := append([]byte(nil), v...), append([]byte(nil), v...)
		for i := 1; i < len(ranges) && ranges[i].listed && len(ranges[i].values) == 1; i++ {
			low, high = append(low, ranges[i].values[0]...), append(high, ranges[i].values[0]...)
		}
		if bytes.Compare(low, c.high) < 0 && bytes.Compare(append(high, maxByte), c.low) >= 0 {
			return true
		}
	}
	return false
}

// hashPossible needs one value for every key.
func (p *Partitions) hashPossible(c *Partition, ranges []keyRange) bool {
	var keys [][]byte
	for i := range ranges {
		if !ranges[i].listed {
			return true
		}
		if i == 0 {
			keys = slices.Clone(ranges[0].values)
			continue
		}
		if len(ranges[i].values) != 1 {
			return true
		}
		for k := range keys {
			keys[k] = append(append([]byte(nil), keys[k]...), ranges[i].values[0]...)
		}
	}
	for _, k := range keys {
		if hashBytes(k)%c.modulus == c.remainder {
			return true
		}
	}
	return false
}

// Index is a partition's place in what Keep gives.
func (p *Pruning) Index(part *Partition) int {
	for i, c := range p.parts.children {
		if c == part {
			return i
		}
	}
	return -1
}
