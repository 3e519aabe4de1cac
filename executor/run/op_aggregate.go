package run

import (
	"fmt"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// aggregateOp groups rows in a hash table, once for each grouping set. When the
// table outgrows work_mem, rows of groups that it does not have are set aside
// in partitions and done afterwards.
type aggregateOp struct {
	base
	node  *plan.Aggregate
	child operator
	calls []aggCall
	sets  []groupingSet
	exprs keyer // the group expressions, over the child's row
	vals  types.Row
	key   []byte
	out   types.Row

	filled  bool
	table   groupTable
	groups  []aggGroup
	pending pending
	at      int
	disk    int64
}

// groupingSet is one grouping set: which of the group expressions it has.
type groupingSet struct {
	has  []bool
	keys keyer // over vals
	mask int64 // GROUPING bits
}

// aggGroup is a group under way.
type aggGroup struct {
	set    int
	vals   types.Row
	states []aggState
}

func newAggregate(b base, n *plan.Aggregate, child operator) *aggregateOp {
	o := &aggregateOp{base: b, node: n, child: child, exprs: b.x.keysOf(n.Groups)}
	o.vals = make(types.Row, len(n.Groups))
	width := len(n.Groups) + len(n.Aggs)
	if n.Sets != nil {
		width++
	}
	o.out = make(types.Row, width)
	sets := n.Sets
	if sets == nil {
		all := make([]int, len(n.Groups))
		for i := range all {
			all[i] = i
		}
		sets = [][]int{all}
	}
	for _, s := range sets {
		o.sets = append(o.sets, o.groupingSet(s))
	}
	o.calls = make([]aggCall, len(n.Aggs))
	for i := range n.Aggs {
		o.calls[i] = newAggCall(b.x, &n.Aggs[i])
	}
	return o
}

func (o *aggregateOp) groupingSet(members []int) groupingSet {
	s := groupingSet{has: make([]bool, len(o.node.Groups)), keys: keyer{x: o.x}}
	for _, i := range members {
		s.has[i] = true
	}
	for i, has := range s.has {
		if !has {
			s.mask |= 1 << i
			continue
		}
		p := o.exprs.parts[i]
		p.expr, p.index = nil, i
		s.keys.parts = append(s.keys.parts, p)
	}
	return s
}

func (o *aggregateOp) open() error {
	o.release()
	o.filled, o.at = false, 0
	o.table = o.x.newGroupTable(0)
	return o.child.open()
}

func (o *aggregateOp) next() (types.Row, error) {
	if !o.filled {
		if err := o.fill(); err != nil {
			return nil, err
		}
		o.filled = true
	}
	for o.at == len(o.groups) {
		o.disk += o.table.spilled()
		o.pending.push(o.table.parts.take())
		part, ok := o.pending.pop()
		if !ok {
			return nil, nil
		}
		if err := o.refill(part); err != nil {
			return nil, err
		}
	}
	g := &o.groups[o.at]
	o.at++
	return o.result(g)
}

// fill reads all of the child's rows.
func (o *aggregateOp) fill() error {
	for {
		row, err := o.child.next()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if err := o.computeVals(row); err != nil {
			return err
		}
		for s := range o.sets {
			o.key = o.setKey(o.key[:0], s)
			if err := o.note(s, o.key, row); err != nil {
				return err
			}
		}
	}
	if err := o.emptyGroups(); err != nil {
		return err
	}
	return o.child.close()
}

func (o *aggregateOp) computeVals(row types.Row) error {
	for i := range o.exprs.parts {
		p := &o.exprs.parts[i]
		if p.expr == nil {
			o.vals[i] = row[p.index]
			continue
		}
		d, err := o.x.eval(p.expr, row)
		if err != nil {
			return err
		}
		o.vals[i] = d
	}
	return nil
}

// setKey is a group's key: the set's number, when there are several, and the values.
func (o *aggregateOp) setKey(dst []byte, s int) []byte {
	if len(o.sets) > 1 {
		dst = append(dst, byte(s), byte(s>>8))
	}
	for i := range o.sets[s].keys.parts {
		p := &o.sets[s].keys.parts[i]
		dst = p.append(dst, o.vals[p.index])
	}
	return dst
}

// emptyGroups makes the one group that a set without expressions has even
// when no row came.
func (o *aggregateOp) emptyGroups() error {
	clear(o.vals)
	for s := range o.sets {
		if len(o.sets[s].keys.parts) > 0 {
			continue
		}
		o.key = o.setKey(o.key[:0], s)
		if _, isNew, kept := o.table.find(o.key); kept && isNew {
			if err := o.addGroup(s, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// note adds a row to its group, or sets it aside.
func (o *aggregateOp) note(set int, key []byte, row types.Row) error {
	i, isNew, kept := o.table.find(key)
	if !kept {
		return o.table.setAside(uint64(set), key, row)
	}
	if isNew {
		if err := o.addGroup(set, row); err != nil {
			return err
		}
	}
	g := &o.groups[i]
	for a := range o.calls {
		grown, err := o.calls[a].add(&g.states[a], row)
		if err != nil {
			return err
		}
		o.table.mem += grown
	}
	return nil
}

func (o *aggregateOp) addGroup(set int, row types.Row) error {
	g := aggGroup{set: set, vals: make(types.Row, len(o.vals)), states: make([]aggState, len(o.calls))}
	for i, has := range o.sets[set].has {
		if has {
			g.vals[i] = o.vals[i]
		}
	}
	for a := range o.calls {
		if err := o.calls[a].start(&g.states[a], row, len(o.groups)+1); err != nil {
			return err
		}
	}
	o.groups = append(o.groups, g)
	o.table.mem += rowBytes(g.vals) + 128*int64(len(o.calls)) + 64
	return nil
}

// refill does what was set aside.
func (o *aggregateOp) refill(part partition) error {
	defer part.file.close()
	o.freeGroups()
	o.at = 0
	o.table = o.x.newGroupTable(part.level)
	in, err := newRecordReader(part.file)
	if err != nil {
		return err
	}
	for {
		rec, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		if err := o.computeVals(rec.row); err != nil {
			return err
		}
		if err := o.note(int(rec.tag), rec.key, rec.row); err != nil {
			return err
		}
	}
}

func (o *aggregateOp) result(g *aggGroup) (types.Row, error) {
	n := copy(o.out, g.vals)
	for a := range o.calls {
		d, err := o.calls[a].result(&g.states[a])
		if err != nil {
			return nil, err
		}
		o.out[n+a] = d
	}
	if o.node.Sets != nil {
		o.out[len(o.out)-1] = o.sets[g.set].mask
	}
	return o.out, nil
}

func (o *aggregateOp) freeGroups() {
	for i := range o.groups {
		for a := range o.groups[i].states {
			o.groups[i].states[a].free()
		}
	}
	clear(o.groups)
	o.groups = o.groups[:0]
}

func (o *aggregateOp) release() {
	o.freeGroups()
	o.table.parts.free()
	o.pending.free()
	o.table = groupTable{}
}

func (o *aggregateOp) close() error {
	o.release()
	return o.child.close()
}

func (o *aggregateOp) report() [][2]string {
	if o.disk == 0 {
		return nil
	}
	return [][2]string{{"Disk Usage", fmt.Sprintf("%dkB", (o.disk+1023)/1024)}}
}

// aggCall is one aggregate call. With DISTINCT or an order its rows are
// gathered and sorted before the accumulator gets them.
type aggCall struct {
	x       *Execution
	call    *plan.AggCall
	inputs  []expr.Expr
	types   []expr.Type
	args    types.Row
	gather  bool
	ordered keyer
	keys    keyer // over the arguments, for DISTINCT
	key     []byte
}

// aggState is an aggregate's state in one group.
type aggState struct {
	acc    expr.Accumulator
	direct types.Row
	sorter *sorter
	seen   map[string]struct{}
	seenN  int64
}

func newAggCall(x *Execution, call *plan.AggCall) aggCall {
	c := aggCall{x: x, call: call, inputs: call.Args}
	ordered := call.Func.Aggregate.OrderedSet
	if ordered && len(call.Args) == 0 {
		for _, k := range call.OrderBy {
			c.inputs = append(c.inputs, k.Expr)
		}
	}
	for _, e := range call.Direct {
		c.types = append(c.types, e.Type())
	}
	for _, e := range c.inputs {
		c.types = append(c.types, e.Type())
	}
	c.args = make(types.Row, len(c.inputs))
	c.gather = ordered || call.Distinct || len(call.OrderBy) > 0
	if c.gather {
		c.ordered = x.sortKeysOf(call.OrderBy)
		c.keys = x.keysOf(c.inputs)
		for i := range c.keys.parts {
			c.keys.parts[i].expr, c.keys.parts[i].index = nil, i
		}
	}
	return c
}

// minSorterMemory is what each of many sorters may take before it spills.
const minSorterMemory = 64 << 10

// start begins a group with its first row; row is nil when there is none.
func (c *aggCall) start(s *aggState, row types.Row, groups int) error {
	s.acc = c.call.Func.Aggregate.New(&c.x.ec, c.types)
	if len(c.call.Direct) > 0 && row != nil {
		s.direct = make(types.Row, len(c.call.Direct), len(c.types))
		for i, e := range c.call.Direct {
			d, err := c.x.eval(e, row)
			if err != nil {
				return err
			}
			s.direct[i] = d
		}
	}
	if c.gather {
		s.sorter = c.x.newSorter()
		s.sorter.limit = max(minSorterMemory, c.x.env.WorkMem/int64(groups))
		s.sorter.unique = c.call.Distinct
		if c.call.Distinct {
			s.seen = make(map[string]struct{})
		}
	}
	return nil
}

// add takes one row; grown is the memory that it cost.
func (c *aggCall) add(s *aggState, row types.Row) (grown int64, err error) {
	if c.call.Filter != nil {
		ok, err := c.x.test(c.call.Filter, row)
		if err != nil || !ok {
			return 0, err
		}
	}
	for i, e := range c.inputs {
		if col, ok := e.(*expr.Column); ok {
			c.args[i] = row[col.Index]
			continue
		}
		d, err := c.x.eval(e, row)
		if err != nil {
			return 0, err
		}
		c.args[i] = d
	}
	if !c.gather {
		return 0, s.acc.Add(c.args)
	}
	return c.keep(s, row)
}

// keep gathers the arguments for later.
func (c *aggCall) keep(s *aggState, row types.Row) (int64, error) {
	var err error
	if c.key, _, err = c.ordered.append(c.key[:0], row); err != nil {
		return 0, err
	}
	if c.call.Distinct {
		if c.key, _, err = c.keys.append(c.key, c.args); err != nil {
			return 0, err
		}
		if _, dup := s.seen[string(c.key)]; dup {
			return 0, nil
		}
		if s.seenN > s.sorter.limit { // the sorter drops the duplicates that slip through
			clear(s.seen)
			s.seenN = 0
		}
		s.seen[string(c.key)] = struct{}{}
		s.seenN += int64(len(c.key)) + 48
	}
	before := s.sorter.mem
	err = s.sorter.add(c.key, c.args)
	return s.sorter.mem - before, err
}

func (c *aggCall) result(s *aggState) (types.Datum, error) {
	if s.sorter == nil {
		return s.acc.Result()
	}
	if err := s.sorter.finish(); err != nil {
		return nil, err
	}
	args := make(types.Row, 0, len(c.types))
	for {
		row, err := s.sorter.next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			break
		}
		args = append(append(args[:0], s.direct...), row...)
		if err := s.acc.Add(args); err != nil {
			return nil, err
		}
	}
	s.free()
	return s.acc.Result()
}

func (s *aggState) free() {
	if s.sorter != nil {
		s.sorter.free()
		s.seen = nil
	}
}
