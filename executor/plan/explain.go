package plan

import (
	"fmt"
	"strings"

	"github.com/akidb/akidb/executor/expr"
)

// Explain prints a plan as PostgreSQL does; text gives one line a row, the other
// formats one value.
func Explain(p *Plan, opts ExplainOptions, x Explanation) ([]string, error) {
	e := &explainer{plan: p, opts: opts, x: x, slots: map[int]string{}, shown: map[int]bool{}}
	e.qualify = opts.Verbose || e.relations(p) > 1
	root := e.describe(p.Root)
	e.ctes(root)
	switch opts.Format {
	case "json":
		return []string{document(jsonFormat{}, e.summary(root))}, nil
	case "yaml":
		return []string{document(yamlFormat{}, e.summary(root))}, nil
	case "xml":
		return []string{document(xmlFormat{}, e.summary(root))}, nil
	}
	return e.text(root), nil
}

// explainer turns the nodes of one plan into what is printed of them.
type explainer struct {
	plan *Plan
	opts ExplainOptions
	x    Explanation
	// qualify puts the table's alias before column names: more than one relation is read.
	qualify bool
	// slots are the expressions that exec slots stand for.
	slots map[int]string
	shown map[int]bool // subplans printed so far
}

// shape is one node as it is printed. A plan node that PostgreSQL has no node
// for (a projection, a filter over a join) is printed as part of the one below.
type shape struct {
	kind  string // Node Type
	label string // the text format's line
	info  *Info
	stats *NodeStats // its times and rows
	// relation is the child's role (Outer, Inner, SubPlan …), subplan its heading.
	relation string
	subplan  string
	// traits are the fields that the text format shows in the label alone.
	traits []field
	output []string
	props  []field
	below  []*shape
	filter bool // it has a Filter already
	bare   bool // a label without costs
}

// field is one property. A value is a string, a []string, a number or a bool.
type field struct {
	key   string
	value any
}

// number is a number as it is printed.
type number string

func (s *shape) add(key string, value any) { s.props = append(s.props, field{key, value}) }

func (s *shape) trait(key string, value any) { s.traits = append(s.traits, field{key, value}) }

// child adds a child; nil is left out.
func (s *shape) child(c *shape, relation string) {
	if c == nil {
		return
	}
	c.relation = relation
	s.below = append(s.below, c)
}

// relations counts what is read, subplans included.
func (e *explainer) relations(p *Plan) int {
	n := countRelations(p.Root)
	for _, s := range p.SubPlans {
		n += countRelations(s.Root)
	}
	for _, c := range p.CTEs {
		n += countRelations(c.Root)
	}
	return n
}

func countRelations(n Node) int {
	total := 0
	switch n := n.(type) {
	case nil:
		return 0
	case *SeqScan, *IndexScan, *KNN, *FunctionScan, *VirtualScan, *CTEScan, *WorkTableScan:
		return 1
	case *Values:
		if len(n.Lists) > 1 {
			return 1
		}
		return 0
	}
	for _, c := range childrenOf(n) {
		total += countRelations(c)
	}
	return total
}

// childrenOf are a node's inputs.
func childrenOf(n Node) []Node {
	switch n := n.(type) {
	case *NestLoop:
		return []Node{n.Left, n.Right}
	case *HashJoin:
		return []Node{n.Left, n.Right}
	case *SetOp:
		return []Node{n.Left, n.Right}
	case *RecursiveUnion:
		return []Node{n.Left, n.Right}
	case *ModifyTable:
		return []Node{n.Child}
	case *Append:
		return n.Children
	case *KNN:
		if n.Alternative != nil {
			return []Node{n.Alternative}
		}
		return nil
	}
	if c := onlyChild(n); c != nil {
		return []Node{*c}
	}
	return nil
}

// onlyChild points to the input of a node that has one; nil for others.
func onlyChild(n Node) *Node {
	switch n := n.(type) {
	case *Filter:
		return &n.Child
	case *Project:
		return &n.Child
	case *Sort:
		return &n.Child
	case *Limit:
		return &n.Child
	case *Aggregate:
		return &n.Child
	case *WindowAgg:
		return &n.Child
	case *Distinct:
		return &n.Child
	case *LockRows:
		return &n.Child
	}
	return nil
}

// statsOf gives what a node did; nil without ANALYZE.
func (e *explainer) statsOf(n Node) *NodeStats {
	if !e.opts.Analyze || e.x.Stats == nil {
		return nil
	}
	if s := e.x.Stats(n); s != nil {
		return s
	}
	return &NodeStats{}
}

// removed adds how many rows a condition dropped, on average of a run.
func (e *explainer) removed(s *shape, key string, n Node) {
	if st := e.statsOf(n); st != nil && (st.Removed > 0 || e.opts.Format != "text") {
		s.add(key, number(fmt.Sprintf("%.0f", perLoop(st.Removed, st.Loops))))
	}
}

func perLoop(n, loops int64) float64 {
	if loops == 0 {
		return 0
	}
	return float64(n) / float64(loops)
}

// extras adds what the node's operator has to say of its run.
func (e *explainer) extras(s *shape, n Node) {
	st := e.statsOf(n)
	if st == nil {
		return
	}
	for _, x := range st.Extra {
		if x[0] == "Sort Method" && e.opts.Format != "text" {
			sortMethod(s, x[1])
			continue
		}
		s.add(x[0], plainValue(x[1]))
	}
}

// sortMethod takes "quicksort  Memory: 25kB" apart.
func sortMethod(s *shape, text string) {
	method, space, ok := strings.Cut(text, "  ")
	s.add("Sort Method", method)
	if kind, size, split := strings.Cut(space, ": "); ok && split {
		s.add("Sort Space Used", number(strings.TrimSuffix(size, "kB")))
		s.add("Sort Space Type", kind)
	}
}

// plainValue prints digits as a number.
func plainValue(s string) any {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return s
	}
	return number(s)
}

// ctes prints the WITH queries before the root's inputs.
func (e *explainer) ctes(root *shape) {
	var list []*shape
	for _, c := range e.plan.CTEs {
		s := e.describe(c.Root)
		s.relation, s.subplan = "InitPlan", "CTE "+c.Name
		list = append(list, s)
	}
	root.below = append(list, root.below...)
}

// subplans prints the subqueries of expressions below the node that has them:
// those run once before its inputs, the others after them.
func (e *explainer) subplans(s *shape, exprs ...expr.Expr) {
	var first, last []*shape
	for _, x := range exprs {
		expr.Walk(x, func(x expr.Expr) bool {
			sub, ok := x.(*expr.SubPlan)
			if !ok || sub.Plan >= len(e.plan.SubPlans) || e.shown[sub.Plan] {
				return true
			}
			e.shown[sub.Plan] = true
			q := e.plan.SubPlans[sub.Plan]
			c := e.describe(q.Root)
			c.relation, c.subplan = "SubPlan", fmt.Sprintf("SubPlan %d", sub.Plan+1)
			if e.once(sub) {
				c.relation, c.subplan = "InitPlan", fmt.Sprintf("InitPlan %d (returns $%d)", sub.Plan+1, sub.Plan)
				first = append(first, c)
				return true
			}
			last = append(last, c)
			return true
		})
	}
	s.below = append(append(first, s.below...), last...)
}

// once says whether a subquery is run a single time, as an InitPlan.
func (e *explainer) once(sub *expr.SubPlan) bool {
	return len(e.plan.SubPlans[sub.Plan].Params) == 0 && sub.Kind != expr.SubPlanAny && sub.Kind != expr.SubPlanAll
}
