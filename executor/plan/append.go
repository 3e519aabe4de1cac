package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// leafShift is where the number of a leaf stands in the row id of a partitioned
// table's row: ids below 2^48 are enough for a million rows a second for nine years.
const leafShift = 48

// maxLeavesOfTable is how many leaves have a number above the row id.
const maxLeavesOfTable = 1 << (64 - leafShift)

// LeafID puts the number of a leaf into a row id.
func LeafID(leaf int, id types.RowID) int64 { return int64(leaf)<<leafShift | int64(id) }

// SplitID takes a row id of a partitioned table apart.
func SplitID(id int64) (leaf int, row types.RowID) {
	return int(uint64(id) >> leafShift), types.RowID(id & (1<<leafShift - 1))
}

// loadPartitions reads a table's partitions, once a statement; other tables have none.
func (b *binder) loadPartitions(t *catalog.Table) error {
	if t.Partitioned == nil || b.parts[t.ID] != nil {
		return nil
	}
	n := 0
	p, err := newPartitions(b, t, &n)
	if err != nil {
		return err
	}
	if b.parts == nil {
		b.parts = map[types.OID]*Partitions{}
	}
	b.parts[t.ID] = p
	return nil
}

// appendScan reads the partitions that conditions leave, in any order.
func (b *binder) appendScan(p *Partitions, alias string, cols []int16, conds []expr.Expr, rowID bool) Node {
	n := b.append(p, alias, conds, rowID, func(t *catalog.Table, below *Partitions) Node {
		if below != nil {
			return b.appendScan(below, alias, cols, conds, rowID)
		}
		return b.tableScan(t, alias, cols, conds, rowID)
	})
	return n.alone()
}

// alone is the only child where an Append of it would do nothing, and nothing
// for no child.
func (n *Append) alone() Node {
	switch {
	case len(n.Children) == 0:
		return &Values{Info: Info{Columns: n.Columns}}
	case len(n.Children) == 1 && n.Prune == nil && n.RowID < 0:
		return n.Children[0]
	}
	return n
}

// append makes the node of the partitions that are left when the statement is
// planned; scan plans one of them.
func (b *binder) append(p *Partitions, alias string, conds []expr.Expr, rowID bool, scan func(*catalog.Table, *Partitions) Node) *Append {
	prune := b.pruning(p, spread(conds))
	n := &Append{Table: p.Table, Alias: alias, RowID: -1}
	n.Columns = tableColumns(p.Table)
	if rowID {
		n.RowID = len(n.Columns)
		n.Columns = append(n.Columns, Column{Name: rowIDName, Type: int8Type})
	}
	keep, err := prune.Keep(nil, true)
	for i, c := range p.children {
		if err == nil && !keep[i] {
			continue
		}
		if c.Below == nil {
			b.use(c.Table, storage.LockAccessShare)
		}
		n.Children, n.Parts = append(n.Children, scan(c.Table, c.Below)), append(n.Parts, c)
	}
	if prune.Late {
		n.Prune = prune
	}
	for _, c := range n.Children {
		if c != nil {
			in := c.Common()
			n.Rows, n.Cost, n.Width = n.Rows+in.Rows, n.Cost+in.Cost, max(n.Width, in.Width)
		}
	}
	return n
}

// appendSample samples every partition.
func (p *joiner) appendSample(parts *Partitions, l *leaf, conds []expr.Expr) Node {
	return p.b.append(parts, l.rel.name, conds, l.needsID(), func(t *catalog.Table, below *Partitions) Node {
		if below != nil {
			return p.appendSample(below, l, conds)
		}
		return p.sampleScan(t, l, conds)
	})
}

// looksUp says whether a scan is an index look-up by the slots of a nested loop.
func looksUp(n Node, slots []int) bool {
	switch n := n.(type) {
	case *IndexScan:
		return rangesUse(n.Ranges, slots)
	case *Append:
		for _, c := range n.Children {
			if !looksUp(c, slots) {
				return false
			}
		}
		return len(n.Children) > 0
	}
	return false
}

// appendOrdered reads partitions in the order of keys, nil when no partition has
// an index for it. Those that have none are sorted.
func (b *binder) appendOrdered(p *Partitions, alias string, cols []int16, conds []expr.Expr, keys []SortKey, want expr.Expr, rowID bool) Node {
	useful, nearest := false, false
	d, isDistance := distance{}, false
	if len(keys) == 1 {
		d, isDistance = distanceOf(keys[0].Expr)
	}
	n := b.append(p, alias, conds, rowID, func(t *catalog.Table, below *Partitions) Node {
		var c Node
		if below != nil {
			c = b.appendOrdered(below, alias, cols, conds, keys, want, rowID)
		} else {
			c = b.orderedScan(t, alias, cols, conds, keys, want, rowID)
		}
		useful = useful || c != nil
		nearest = nearest || givesDistance(c)
		return c
	})
	if !useful || nearest && !isDistance {
		return nil
	}
	n.Order = keys
	if nearest {
		n.Distance = true
		at := len(p.Table.Columns)
		n.Order = []SortKey{{Expr: &expr.Column{Index: at, Typ: float8Type, Name: distanceName}}}
		n.Columns = append(tableColumns(p.Table), Column{Name: distanceName, Type: float8Type})
		if rowID {
			n.RowID = at + 1
			n.Columns = append(n.Columns, Column{Name: rowIDName, Type: int8Type})
		}
	}
	n.Rows, n.Startup, n.Cost = 0, 0, 0
	for i, c := range n.Children {
		if c == nil || nearest && !givesDistance(c) {
			var scan Node
			if n.Parts[i].Below != nil {
				scan = b.appendScan(n.Parts[i].Below, alias, cols, conds, rowID)
			} else {
				scan = b.tableScan(n.Parts[i].Table, alias, cols, conds, rowID)
			}
			if nearest {
				scan = withDistance(scan, d, p.Table, rowID)
			}
			c = sorted(scan, n.Order, want)
			n.Children[i] = c
		}
		in := c.Common()
		n.Rows, n.Startup, n.Cost = n.Rows+in.Rows, n.Startup+in.Startup, n.Cost+in.Cost
	}
	return n.alone()
}

// givesDistance says whether a scan has the distance behind the table's row.
func givesDistance(n Node) bool {
	switch n := n.(type) {
	case *KNN:
		return true
	case *Append:
		return n.Distance
	}
	return false
}

// withDistance puts the distance between a scan's row and its row id.
func withDistance(scan Node, d distance, t *catalog.Table, rowID bool) Node {
	in := scan.Common()
	p := &Project{Child: scan}
	p.Info = Info{Rows: in.Rows, Startup: in.Startup, Cost: in.Cost + in.Rows*cpuOperatorCost, Width: in.Width + 8}
	for i, c := range in.Columns {
		if i == len(t.Columns) {
			break
		}
		p.Exprs = append(p.Exprs, &expr.Column{Index: i, Typ: c.Type, Name: c.Name})
		p.Columns = append(p.Columns, c)
	}
	p.Exprs, p.Columns = append(p.Exprs, d.call), append(p.Columns, Column{Name: distanceName, Type: float8Type})
	if rowID {
		at := len(t.Columns)
		p.Exprs = append(p.Exprs, &expr.Column{Index: at, Typ: int8Type, Name: rowIDName})
		p.Columns = append(p.Columns, in.Columns[at])
	}
	return p
}

// askMore tells the scans of a node that more than they were asked for may be wanted.
func askMore(n Node, more bool) {
	switch n := n.(type) {
	case *KNN:
		n.More = more
	case *Append:
		for _, c := range n.Children {
			askMore(c, more)
		}
	case *Sort:
		if more {
			n.Limit = nil
		}
	}
}
