package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
)

// scan plans the reading of one leaf under conditions over the logical row.
func (p *joiner) scan(l *leaf, quals []expr.Expr) *joined {
	if l.table == nil {
		return p.nodeScan(l, quals)
	}
	if l == p.driver {
		if j := p.orderedScan(l, quals); j != nil {
			p.ordered = true
			return j
		}
	}
	return p.tableScan(l, quals)
}

// empty is a part without places.
func (p *joiner) empty(l *leaf) *joined {
	j := &joined{set: setOf(l), at: make([]int32, p.width)}
	for i := range j.at {
		j.at[i] = -1
	}
	return j
}

// tableScan reads a table in any order.
func (p *joiner) tableScan(l *leaf, quals []expr.Expr) *joined {
	conds := l.local(quals)
	var n Node
	if parts := p.b.parts[l.table.ID]; l.sample != nil && parts != nil {
		n = p.appendSample(parts, l, conds)
	} else if l.sample != nil {
		n = p.sampleScan(l.table, l, conds)
	} else {
		n = p.b.tableScan(l.table, l.rel.name, p.columns(l), conds, l.needsID())
	}
	j := p.empty(l)
	j.node, j.single, j.quals = n, l, quals
	j.put(l, len(l.rel.columns), -1)
	return j
}

// sampleScan is TABLESAMPLE of a table that the leaf stands for.
func (p *joiner) sampleScan(t *catalog.Table, l *leaf, conds []expr.Expr) Node {
	s := &SeqScan{Table: t, Alias: l.rel.name, Cols: p.columns(l), Filter: andOf(conds), Sample: l.sample}
	s.Columns = scanColumns(l, l.needsID())
	s.Rows = p.b.env.rows(t.ID) / 10
	s.Cost = p.b.env.rows(t.ID) * cpuTupleCost
	return s
}

// orderedScan reads the driver in the order of the keys, nil when that does not pay.
func (p *joiner) orderedScan(l *leaf, quals []expr.Expr) *joined {
	keys := make([]SortKey, len(p.keys))
	for i, k := range p.keys {
		keys[i] = k
		keys[i].Expr = l.localExpr(k.Expr)
	}
	n := p.b.orderedScan(l.table, l.rel.name, p.columns(l), l.local(quals), keys, p.want, l.needsID())
	if n == nil {
		return nil
	}
	j := p.empty(l)
	j.node, j.quals = n, quals
	if givesDistance(n) {
		askMore(n, p.more)
		j.put(l, len(l.rel.columns)+1, len(l.rel.columns))
	} else {
		j.put(l, len(l.rel.columns), -1)
	}
	return j
}

// put notes where a table's columns, row id and distance are in its scan's row.
func (j *joined) put(l *leaf, rowID, distance int) {
	for i := range l.rel.columns {
		j.at[l.rel.start+i] = int32(i)
	}
	if l.needsID() {
		j.at[l.rowID()] = int32(rowID)
	}
	j.at[l.distance()] = int32(distance)
	j.same = unmoved(j.at)
}

// columns are the attnums of a table that somebody reads.
func (p *joiner) columns(l *leaf) []int16 {
	var out []int16
	for i := range l.rel.columns {
		if p.need[l.rel.start+i] {
			out = append(out, int16(i+1))
		}
	}
	return out
}

func scanColumns(l *leaf, rowID bool) []Column {
	cols := tableColumns(l.table)
	if rowID {
		cols = append(cols, Column{Name: rowIDName, Type: int8Type})
	}
	return cols
}

// local rewrites conditions to the table's own row.
func (l *leaf) local(list []expr.Expr) []expr.Expr {
	if l.rel.start == 0 || len(list) == 0 {
		return list
	}
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = l.localExpr(e)
	}
	return out
}

func (l *leaf) localExpr(e expr.Expr) expr.Expr {
	if l.rel.start == 0 {
		return e
	}
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.Column); ok {
			return &expr.Column{Index: c.Index - l.rel.start, Typ: c.Typ, Name: c.Name}
		}
		return x
	})
}

// nodeScan filters the rows of what is planned already.
func (p *joiner) nodeScan(l *leaf, quals []expr.Expr) *joined {
	j := p.empty(l)
	for i := range l.rel.columns {
		j.at[l.rel.start+i] = int32(i)
	}
	j.same = unmoved(j.at)
	if l.link != nil {
		j.slots, j.args = l.link.slots, l.link.args
		for _, a := range j.args {
			j.deps |= p.setIn(a)
		}
	}
	conds := l.local(quals)
	switch n := l.node.(type) {
	case *VirtualScan:
		v := *n
		v.Filter = andOf(append(conjunctsOf(n.Filter), conds...))
		for _, c := range conds {
			v.look(c)
		}
		j.node = &v
	case *CTEScan:
		c := *n
		c.Filter = andOf(append(conjunctsOf(n.Filter), conds...))
		if len(conds) > 0 {
			c.Rows = max(c.Rows/3, 1)
		}
		j.node = &c
	default:
		j.node = filter(n, andOf(conds))
	}
	return j
}

// look notes a column = value condition that the relation may use.
func (n *VirtualScan) look(e expr.Expr) {
	c, ok := e.(*expr.Call)
	if !ok || c.Operator != "=" || len(c.Args) != 2 {
		return
	}
	for side := range 2 {
		col, ok := c.Args[side].(*expr.Column)
		value := c.Args[1-side]
		if !ok || hasColumn(value) || value.Type().OID != col.Typ.OID || expr.VolatilityOf(value) == expr.Volatile || hasSubPlan(value) {
			continue
		}
		n.Lookup = append(n.Lookup, VirtualLookup{Column: col.Index, Value: value})
		n.Rows = max(n.Rows/20, 1)
		return
	}
}

func hasColumn(e expr.Expr) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		if _, ok := x.(*expr.Column); ok {
			found = true
		}
		return !found
	})
	return found
}
