package plan

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/sql"
)

// joinNames are the join kinds' names: in a label and as Join Type.
var joinWords = [...]struct{ label, kind string }{
	Inner: {"", "Inner"}, LeftOuter: {" Left", "Left"}, RightOuter: {" Right", "Right"}, FullOuter: {" Full", "Full"},
	Semi: {" Semi", "Semi"}, Anti: {" Anti", "Anti"},
}

func (e *explainer) nestLoop(s *shape, n *NestLoop) {
	if gate := gateOf(n); gate != nil {
		s.kind = "Result"
		s.add("One-Time Filter", e.print(gate, nil))
		s.child(e.describe(n.Right), "Outer")
		e.subplans(s, gate)
		return
	}
	s.kind, s.label = "Nested Loop", "Nested Loop"
	if n.Kind != Inner {
		s.label += joinWords[n.Kind].label + " Join"
	}
	s.trait("Join Type", joinWords[n.Kind].kind)
	left := e.names(n.Left, false)
	for i, slot := range n.Slots {
		if i < len(n.Args) {
			e.slots[slot] = e.print(n.Args[i], left)
		}
	}
	e.joinFilter(s, n, n.Cond, n.Left, n.Right)
	s.child(e.describe(n.Left), "Outer")
	s.child(e.describe(n.Right), "Inner")
	e.subplans(s, n.Cond)
}

func (e *explainer) joinFilter(s *shape, n Node, cond expr.Expr, left, right Node) {
	if cond == nil {
		return
	}
	s.add("Join Filter", e.print(cond, e.bothNames(left, right)))
	e.removed(s, "Rows Removed by Join Filter", n)
}

func (e *explainer) hashJoin(s *shape, n *HashJoin) {
	s.kind = "Hash Join"
	s.label = "Hash" + joinWords[n.Kind].label + " Join"
	s.trait("Join Type", joinWords[n.Kind].kind)
	left, right := e.names(n.Left, false), e.names(n.Right, false)
	parts := make([]string, len(n.LeftKeys))
	for i := range n.LeftKeys {
		parts[i] = "(" + e.operand(n.LeftKeys[i], left) + " = " + e.operand(n.RightKeys[i], right) + ")"
	}
	s.add("Hash Cond", conjunctionText(parts))
	e.joinFilter(s, n, n.Cond, n.Left, n.Right)
	s.child(e.describe(n.Left), "Outer")
	built := e.describe(n.Right)
	hash := &shape{kind: "Hash", label: "Hash", stats: built.stats}
	info := *n.Right.Common()
	info.Startup = info.Cost
	hash.info = &info
	if e.opts.Verbose {
		hash.output = e.names(n.Right, false)
	}
	e.extras(hash, n)
	hash.child(built, "Outer")
	s.child(hash, "Inner")
	e.subplans(s, append(append([]expr.Expr{n.Cond}, n.LeftKeys...), n.RightKeys...)...)
}

// operand prints one side of a comparison, casts that the binder added included.
func (e *explainer) operand(x expr.Expr, names []string) string {
	text := e.print(&expr.NullTest{Arg: x}, names)
	return strings.TrimSuffix(strings.TrimPrefix(text, "("), " IS NULL)")
}

func conjunctionText(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

func (e *explainer) aggregateNode(s *shape, n *Aggregate) {
	s.kind = "Aggregate"
	strategy := "Plain"
	names := e.names(n.Child, false)
	above := e.names(n.Child, true)
	switch {
	case n.Sets != nil:
		s.label, strategy = "HashAggregate", "Hashed"
		for _, set := range n.Sets {
			keys := make([]string, len(set))
			for i, g := range set {
				keys[i] = e.print(n.Groups[g], above)
			}
			if len(keys) == 0 {
				s.add("Group Key", []string{"()"})
				continue
			}
			s.add("Hash Key", keys)
		}
	case len(n.Groups) > 0:
		s.label, strategy = "HashAggregate", "Hashed"
		s.add("Group Key", e.printAll(n.Groups, above))
	}
	s.traits = append([]field{{"Strategy", strategy}, {"Partial Mode", "Simple"}}, s.traits...)
	e.extras(s, n)
	s.child(e.describe(n.Child), "Outer")
	exprs := append([]expr.Expr{}, n.Groups...)
	for i := range n.Aggs {
		exprs = append(append(exprs, n.Aggs[i].Args...), n.Aggs[i].Filter)
	}
	for _, x := range exprs {
		e.bindSlots(x, names)
	}
	e.subplans(s, exprs...)
}

func (e *explainer) distinct(s *shape, n *Distinct) {
	if len(n.On) > 0 {
		s.kind = "Unique"
	} else {
		s.kind, s.label = "Aggregate", "HashAggregate"
		s.traits = append([]field{{"Strategy", "Hashed"}, {"Partial Mode", "Simple"}}, s.traits...)
		s.add("Group Key", e.names(n.Child, true))
	}
	e.extras(s, n)
	s.child(e.describe(n.Child), "Outer")
}

func (e *explainer) setOp(s *shape, n *SetOp) {
	members := func(to *shape) {
		e.members(to, n, n.Op == "UNION")
	}
	op := strings.ToUpper(n.Op[:1]) + strings.ToLower(n.Op[1:])
	switch {
	case n.Op == "UNION" && n.All:
		s.kind = "Append"
		members(s)
	case n.Op == "UNION":
		s.kind, s.label = "Aggregate", "HashAggregate"
		s.traits = append([]field{{"Strategy", "Hashed"}, {"Partial Mode", "Simple"}}, s.traits...)
		s.add("Group Key", e.names(n, true))
		e.extras(s, n)
		appended := &shape{kind: "Append", label: "Append", info: n.Common(), bare: true}
		members(appended)
		s.child(appended, "Outer")
	default:
		s.kind, s.label = "SetOp", "HashSetOp "+op
		command := op
		if n.All {
			s.label, command = s.label+" All", op+" All"
		}
		s.trait("Strategy", "Hashed")
		s.trait("Command", command)
		e.extras(s, n)
		members(s)
	}
}

// members prints the queries of a set operation; UNION ALLs below one are its
// members too.
func (e *explainer) members(s *shape, n *SetOp, flat bool) {
	for _, c := range []Node{n.Left, n.Right} {
		if inner, ok := c.(*SetOp); ok && flat && inner.Op == "UNION" && inner.All && e.statsOf(inner) == nil {
			e.members(s, inner, flat)
			continue
		}
		s.child(e.describe(c), "Member")
	}
}

func (e *explainer) modify(s *shape, n *ModifyTable) {
	s.kind = "ModifyTable"
	op := strings.ToUpper(n.Op[:1]) + strings.ToLower(n.Op[1:])
	s.trait("Operation", op)
	s.label = op + " on " + e.table(s, n.Table, n.Alias)
	s.output = nil
	if e.opts.Verbose && n.Returning != nil {
		s.output = e.printAll(n.Returning, e.modifiedNames(n))
	}
	if c := n.Conflict; c != nil {
		e.conflict(s, n, c)
	}
	s.child(e.describe(n.Child), "Outer")
	exprs := append([]expr.Expr{}, n.Returning...)
	for _, x := range n.Returning {
		e.bindSlots(x, e.modifiedNames(n))
	}
	below := e.names(n.Child, false)
	for _, a := range n.Set {
		e.bindSlots(a.Value, below)
		exprs = append(exprs, a.Value)
	}
	e.subplans(s, exprs...)
}

// modifiedNames are those of the row that RETURNING sees.
func (e *explainer) modifiedNames(n *ModifyTable) []string {
	var out []string
	for _, c := range n.Table.Columns {
		name := sql.QuoteIdent(c.Name)
		if e.qualify {
			name = sql.QuoteIdent(aliasOf(n)) + "." + name
		}
		out = append(out, name)
	}
	if below := e.names(n.Child, false); n.Op != "INSERT" && n.OtherOffset > 0 && n.OtherOffset <= len(below) {
		out = append(out, below[n.OtherOffset:]...)
	}
	return out
}

func (e *explainer) conflict(s *shape, n *ModifyTable, c *ConflictSpec) {
	resolution := "NOTHING"
	if c.DoUpdate {
		resolution = "UPDATE"
	}
	s.add("Conflict Resolution", resolution)
	if c.Where != nil {
		var names []string
		for _, prefix := range []string{n.Table.Name, "excluded"} {
			for _, col := range n.Table.Columns {
				names = append(names, prefix+"."+sql.QuoteIdent(col.Name))
			}
		}
		s.add("Conflict Filter", e.print(c.Where, names))
	}
}
