package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// bindGroups binds GROUP BY: expressions, ordinals, aliases and grouping sets.
func (sel *selecting) bindGroups() error {
	if len(sel.q.GroupBy) == 0 {
		return nil
	}
	// Ordinals and aliases refer to targets that are bound only for this.
	sets := [][]int{{}}
	plain := true
	for i := range sel.q.GroupBy {
		g := &sel.q.GroupBy[i]
		if g.Kind != "" {
			plain = false
		}
		these, err := sel.groupSets(g)
		if err != nil {
			return err
		}
		var next [][]int
		for _, a := range sets {
			for _, c := range these {
				next = append(next, union(a, c))
			}
		}
		sets = next
	}
	if !plain {
		sel.sets = sets
	}
	return nil
}

func union(a, c []int) []int {
	out := append([]int(nil), a...)
	for _, x := range c {
		found := false
		for _, y := range out {
			found = found || x == y
		}
		if !found {
			out = append(out, x)
		}
	}
	return out
}

// groupSets gives the grouping sets of one GROUP BY item.
func (sel *selecting) groupSets(g *ast.GroupItem) ([][]int, error) {
	elems := func(list []ast.Expr) ([][]int, error) {
		var out [][]int
		for _, e := range list {
			if r, ok := e.(*ast.RowExpr); ok {
				var all []int
				for _, a := range r.Args {
					i, err := sel.group(a)
					if err != nil {
						return nil, err
					}
					all = union(all, []int{i})
				}
				out = append(out, all)
				continue
			}
			i, err := sel.group(e)
			if err != nil {
				return nil, err
			}
			out = append(out, []int{i})
		}
		return out, nil
	}
	parts, err := elems(g.Exprs)
	if err != nil {
		return nil, err
	}
	switch g.Kind {
	case "", "SIMPLE":
		var all []int
		for _, p := range parts {
			all = union(all, p)
		}
		return [][]int{all}, nil
	case "EMPTY":
		return [][]int{{}}, nil
	case "ROLLUP":
		var out [][]int
		for n := len(parts); n >= 0; n-- {
			var all []int
			for _, p := range parts[:n] {
				all = union(all, p)
			}
			out = append(out, all)
		}
		return out, nil
	case "CUBE":
		var out [][]int
		for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
			var all []int
			for i, p := range parts {
				if mask&(1<<i) != 0 {
					all = union(all, p)
				}
			}
			out = append(out, all)
		}
		return out, nil
	default: // SETS
		out := parts
		for i := range g.Sets {
			more, err := sel.groupSets(&g.Sets[i])
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		return out, nil
	}
}

// group binds one grouping expression and gives its index.
func (sel *selecting) group(e ast.Expr) (int, error) {
	b, s := sel.b, sel.s
	s.level.refused = "GROUP BY"
	defer func() { s.level.refused = "" }()
	tree := e
	if c, ok := e.(*ast.Const); ok && c.Kind == ast.ConstInt {
		if c.Int < 1 || c.Int > int64(len(sel.q.Targets)) {
			return 0, pgerr.Newf(pgerr.InvalidColumnReference, "GROUP BY position %d is not in select list", c.Int).At(c.Pos)
		}
		tree = sel.q.Targets[c.Int-1].Expr
	} else if c, ok := e.(*ast.ColumnRef); ok && len(c.Parts) == 1 {
		if found, err := s.find("", c.Parts[0], c.Pos); err != nil || found == nil {
			for i := range sel.q.Targets {
				if sel.q.Targets[i].Name == c.Parts[0] {
					tree = sel.q.Targets[i].Expr
				}
			}
		}
	}
	x, err := b.expr(s, tree)
	if err != nil {
		return 0, err
	}
	if x, err = b.known(x); err != nil {
		return 0, err
	}
	if err := groupable(x, positionOf(e)); err != nil {
		return 0, err
	}
	for i := range sel.groups {
		if expr.Equal(sel.groups[i], x) {
			return i, nil
		}
	}
	sel.groups = append(sel.groups, x)
	return len(sel.groups) - 1, nil
}
