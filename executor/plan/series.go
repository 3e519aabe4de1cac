package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
)

func isSeries(e expr.Expr) bool {
	c, ok := e.(*expr.Call)
	return ok && c.Func.Rows != nil
}

func containsSeries(e expr.Expr) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		found = found || isSeries(x)
		return !found
	})
	return found
}

// series runs the set-returning functions of the target list in a Project that
// gives the row below and their values.
func (sel *selecting) series(n Node) (Node, error) {
	if !sel.s.level.srf {
		return n, nil
	}
	for i := range sel.s.level.aggs {
		for _, a := range sel.s.level.aggs[i].Args {
			if containsSeries(a) {
				return nil, pgerr.New(pgerr.FeatureNotSupported, "aggregate function calls cannot contain set-returning function calls").
					WithHint("You might be able to move the set-returning function into a LATERAL FROM item.")
			}
		}
	}
	p := &Project{Child: n}
	in := n.Common()
	for i, c := range in.Columns {
		p.Exprs = append(p.Exprs, &expr.Column{Index: i, Typ: c.Type, Name: c.Name})
		p.SRF = append(p.SRF, false)
	}
	p.Columns = append([]Column(nil), in.Columns...)
	first := len(in.Columns)
	var nested bool
	step := func(e expr.Expr) expr.Expr {
		return expr.Replace(e, func(x expr.Expr) expr.Expr {
			if !isSeries(x) {
				return nil
			}
			at := -1
			for i := first; i < len(p.Exprs); i++ {
				if p.Exprs[i] == x {
					at = i
				}
			}
			if at < 0 {
				at = len(p.Exprs)
				for _, a := range x.(*expr.Call).Args {
					nested = nested || containsSeries(a)
				}
				p.Exprs = append(p.Exprs, x)
				p.SRF = append(p.SRF, true)
				p.Columns = append(p.Columns, Column{Name: x.(*expr.Call).Func.Name, Type: x.Type()})
			}
			return &expr.Column{Index: at, Typ: x.Type(), Name: p.Columns[at].Name}
		})
	}
	for i := range sel.targets {
		sel.targets[i].value = step(sel.targets[i].value)
	}
	for i := range sel.order {
		if sel.byOut[i] >= 0 {
			sel.order[i].Expr = sel.targets[sel.byOut[i]].value
		} else {
			sel.order[i].Expr = step(sel.order[i].Expr)
		}
	}
	rewriteList(sel.on, step)
	if nested {
		return nil, pgerr.Unsupported("a set-returning function inside another")
	}
	if len(p.Exprs) == first {
		return n, nil
	}
	p.Rows = in.Rows * functionRows
	p.Startup, p.Cost = in.Startup, in.Cost+p.Rows*cpuTupleCost
	return p, nil
}
