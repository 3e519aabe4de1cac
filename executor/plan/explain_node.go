package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/sql"
)

// describe makes the shape of a node and of all below.
func (e *explainer) describe(n Node) *shape {
	switch n := n.(type) {
	case *Project:
		return e.project(n)
	case *Filter:
		return e.filterNode(n)
	}
	s := &shape{info: n.Common(), stats: e.statsOf(n)}
	if e.opts.Verbose {
		s.output = e.outputOf(n)
	}
	switch n := n.(type) {
	case *Values:
		e.values(s, n)
	case *SeqScan:
		e.seqScan(s, n)
	case *IndexScan:
		e.indexScan(s, n)
	case *KNN:
		e.knn(s, n)
	case *FunctionScan:
		e.functionScan(s, n)
	case *VirtualScan:
		s.kind, s.label = "Seq Scan", "Seq Scan on "+e.relationName(n.Schema, n.Name, n.Alias)
		e.relationTraits(s, n.Schema, n.Name, aliasOf(n))
		e.where(s, n, n.Filter)
	case *CTEScan:
		name := e.plan.CTEs[n.CTE].Name
		s.kind, s.label = "CTE Scan", "CTE Scan on "+printedName(name, n.Alias)
		s.trait("CTE Name", name)
		s.trait("Alias", firstOf(n.Alias, name))
		e.where(s, n, n.Filter)
	case *WorkTableScan:
		s.kind, s.label = "WorkTable Scan", "WorkTable Scan on "+sql.QuoteIdent(n.Alias)
		s.trait("Alias", n.Alias)
	case *RecursiveUnion:
		s.kind = "Recursive Union"
		s.child(e.describe(n.Left), "Outer")
		s.child(e.describe(n.Right), "Inner")
	case *ModifyTable:
		e.modify(s, n)
	case *Append:
		e.append(s, n)
	default:
		e.describeAbove(s, n)
	}
	if s.label == "" {
		s.label = s.kind
	}
	return s
}

// outputOf names what a node gives; of a table's columns those that are read.
func (e *explainer) outputOf(n Node) []string {
	names := e.names(n, false)
	var cols []int16
	var width int
	switch n := n.(type) {
	case *SeqScan:
		cols, width = n.Cols, len(n.Table.Columns)
	case *IndexScan:
		cols, width = n.Cols, len(n.Table.Columns)
	case *KNN:
		cols, width = n.Cols, len(n.Table.Columns)
	default:
		return names
	}
	var out []string
	for i, name := range names {
		if i >= width || slices.Contains(cols, int16(i+1)) {
			out = append(out, name)
		}
	}
	return out
}

// describeAbove is describe for the nodes that work on other nodes' rows.
func (e *explainer) describeAbove(s *shape, n Node) {
	switch n := n.(type) {
	case *NestLoop:
		e.nestLoop(s, n)
	case *HashJoin:
		e.hashJoin(s, n)
	case *Sort:
		s.kind = "Sort"
		keys := e.sortKeys(n.Keys, e.names(n.Child, true))
		s.add("Sort Key", keys)
		if n.Presorted > 0 {
			s.kind = "Incremental Sort"
			s.add("Presorted Key", keys[:n.Presorted])
		}
		e.extras(s, n)
		s.child(e.describe(n.Child), "Outer")
	case *Limit:
		s.kind = "Limit"
		s.child(e.describe(n.Child), "Outer")
		e.subplans(s, n.Count, n.Offset)
	case *Aggregate:
		e.aggregateNode(s, n)
	case *WindowAgg:
		s.kind = "WindowAgg"
		s.child(e.describe(n.Child), "Outer")
	case *Distinct:
		e.distinct(s, n)
	case *SetOp:
		e.setOp(s, n)
	case *LockRows:
		s.kind = "LockRows"
		s.child(e.describe(n.Child), "Outer")
	default:
		s.kind = strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.")
	}
}

// project is printed as part of the node below it, but for set-returning
// functions.
func (e *explainer) project(n *Project) *shape {
	s := e.describe(n.Child)
	if n.sets() {
		s = &shape{kind: "ProjectSet", label: "ProjectSet", below: []*shape{s}}
		s.below[0].relation = "Outer"
	}
	s.info, s.stats = n.Common(), e.statsOf(n)
	if e.opts.Verbose {
		s.output = e.names(n, false)
	}
	if len(n.Exprs) > 0 {
		names := e.names(n.Child, false)
		for _, x := range n.Exprs {
			e.bindSlots(x, names)
		}
		e.subplans(s, n.Exprs...)
	}
	return s
}

func (n *Project) sets() bool {
	for _, set := range n.SRF {
		if set {
			return true
		}
	}
	return false
}

// filterNode is printed as the condition of the node below where PostgreSQL would.
func (e *explainer) filterNode(n *Filter) *shape {
	s := e.describe(n.Child)
	_, projected := n.Child.(*Project)
	names := e.names(n.Child, projected)
	if s.filter || projected || s.kind == "Limit" || s.kind == "Sort" || s.kind == "WindowAgg" || s.kind == "Unique" || s.kind == "LockRows" {
		s = &shape{kind: "Result", label: "Result", below: []*shape{s}}
		s.below[0].relation = "Outer"
	}
	s.info, s.stats = n.Common(), e.statsOf(n)
	if e.opts.Verbose {
		s.output = e.names(n.Child, false)
	}
	e.whereNamed(s, n, n.Cond, names)
	return s
}

// where prints a scan's filter.
func (e *explainer) where(s *shape, n Node, cond expr.Expr) {
	if cond != nil {
		e.whereNamed(s, n, cond, e.names(n, false))
	}
}

func (e *explainer) whereNamed(s *shape, n Node, cond expr.Expr, names []string) {
	s.filter = true
	s.add("Filter", e.print(cond, names))
	e.removed(s, "Rows Removed by Filter", n)
	e.subplans(s, cond)
}

func printedName(name, alias string) string {
	if alias == "" || alias == name {
		return sql.QuoteIdent(name)
	}
	return sql.QuoteIdent(name) + " " + sql.QuoteIdent(alias)
}

// relationName is a relation as the text format names it.
func (e *explainer) relationName(schema, name, alias string) string {
	if e.opts.Verbose {
		return sql.QuoteIdent(schema) + "." + printedName(name, alias)
	}
	return printedName(name, alias)
}

func (e *explainer) relationTraits(s *shape, schema, name, alias string) {
	s.trait("Relation Name", name)
	if e.opts.Verbose {
		s.trait("Schema", schema)
	}
	s.trait("Alias", alias)
}

func (e *explainer) table(s *shape, t *catalog.Table, alias string) string {
	e.relationTraits(s, t.Schema, t.Name, firstOf(alias, t.Name))
	return e.relationName(t.Schema, t.Name, alias)
}

func (e *explainer) values(s *shape, n *Values) {
	switch {
	case len(n.Lists) == 0:
		s.kind = "Result"
		s.add("One-Time Filter", "false")
	case len(n.Lists) == 1:
		s.kind = "Result"
	default:
		s.kind, s.label = "Values Scan", `Values Scan on "*VALUES*"`
		s.trait("Alias", "*VALUES*")
	}
	for _, list := range n.Lists {
		e.subplans(s, list...)
	}
}

func (e *explainer) seqScan(s *shape, n *SeqScan) {
	s.kind = "Seq Scan"
	if n.Sample != nil {
		s.kind = "Sample Scan"
	}
	s.label = s.kind + " on " + e.table(s, n.Table, n.Alias)
	if n.Sample != nil {
		s.add("Sampling", n.Sample.Method+" ("+e.print(n.Sample.Percent, nil)+")")
	}
	e.where(s, n, n.Filter)
}

func (e *explainer) indexScan(s *shape, n *IndexScan) {
	s.kind = "Index Scan"
	direction, word := "Forward", ""
	if n.Reverse {
		direction, word = "Backward", " Backward"
	}
	s.trait("Scan Direction", direction)
	s.trait("Index Name", n.Index.Name)
	s.label = "Index Scan" + word + " using " + sql.QuoteIdent(n.Index.Name) + " on " + e.table(s, n.Table, n.Alias)
	if cond := e.ranges(n); cond != "" {
		s.add("Index Cond", cond)
	}
	for i := range n.Ranges {
		r := &n.Ranges[i]
		e.subplans(s, append([]expr.Expr{r.EqAny, r.Low, r.High}, r.Eq...)...)
	}
	e.where(s, n, n.Filter)
}

// knn is printed as pgvector's users know it: an index scan with an order.
func (e *explainer) knn(s *shape, n *KNN) {
	s.kind = "Index Scan"
	s.trait("Scan Direction", "Forward")
	s.trait("Index Name", n.Index.Name)
	s.label = "Index Scan using " + sql.QuoteIdent(n.Index.Name) + " on " + e.table(s, n.Table, n.Alias)
	names := e.names(n, false)
	s.add("Order By", e.orderBy(n, names))
	if _, known := n.MaxDistance.(*expr.Const); known || n.MaxDistance != nil && !usesColumn(n.Filter, n.DistanceColumn()) {
		s.add("Distance Limit", boundOperator("<", n.MaxDistanceOpen)+" "+e.limit(n.MaxDistance, names))
	}
	e.where(s, n, n.Filter)
	e.subplans(s, n.Query, n.MaxDistance)
	e.extras(s, n)
	if n.Alternative == nil {
		return
	}
	// The other way is shown when it was taken, or in full detail.
	if st := e.statsOf(n.Alternative); e.opts.Verbose || st != nil && st.Loops > 0 {
		alt := e.describe(n.Alternative)
		alt.subplan = "Exact"
		s.child(alt, "Exact")
	}
}

// append is Append, or Merge Append where the partitions' order is kept.
func (e *explainer) append(s *shape, n *Append) {
	s.kind = "Append"
	if n.Order != nil {
		s.kind = "Merge Append"
		s.add("Sort Key", e.sortKeys(n.Order, e.names(n.Children[0], false)))
	}
	if st := e.statsOf(n); st != nil && n.Prune != nil {
		e.extras(s, n)
	}
	for _, c := range n.Children {
		s.child(e.describe(c), "Member")
	}
}

func usesColumn(e expr.Expr, index int) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Column)
		found = found || ok && c.Index == index
		return !found
	})
	return found
}

// limit prints a distance; constants are short, since some are widened a little.
func (e *explainer) limit(x expr.Expr, names []string) string {
	if c, ok := x.(*expr.Const); ok {
		if f, ok := c.Value.(float64); ok {
			return strconv.FormatFloat(f, 'g', 6, 64)
		}
	}
	return e.print(x, names)
}

func (e *explainer) functionScan(s *shape, n *FunctionScan) {
	s.kind = "Function Scan"
	name := ""
	if len(n.Calls) > 0 {
		name = n.Calls[0].Func.Name
	}
	s.trait("Function Name", name)
	s.trait("Alias", firstOf(n.Alias, name))
	s.label = "Function Scan on " + printedName(name, n.Alias)
	calls := make([]string, len(n.Calls))
	for i, c := range n.Calls {
		calls[i] = e.print(c, nil)
		e.subplans(s, c)
	}
	if e.opts.Verbose {
		s.add("Function Call", strings.Join(calls, ", "))
	}
}
