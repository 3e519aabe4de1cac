package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

var joinKinds = map[ast.JoinKind]JoinKind{
	ast.JoinInner: Inner, ast.JoinLeft: LeftOuter, ast.JoinRight: RightOuter, ast.JoinFull: FullOuter,
}

// join binds a JOIN of two items.
func (f *fromBinder) join(t *ast.Join, seen fromPart) (fromPart, error) {
	left, err := f.side(t.Left, seen, t.Kind == ast.JoinRight || t.Kind == ast.JoinFull)
	if err != nil {
		return left, err
	}
	right, err := f.side(t.Right, seen.and(left), t.Kind == ast.JoinLeft || t.Kind == ast.JoinFull)
	if err != nil {
		return right, err
	}
	if err := distinctNames(left.rels, right.rels); err != nil {
		return left, err
	}
	kind := joinKinds[t.Kind]
	if kind == RightOuter || kind == FullOuter {
		if err := noLateral(right.tree, left.tree.set(), t.Kind); err != nil {
			return left, err
		}
	}
	out := fromPart{rels: append(left.rels[:len(left.rels):len(left.rels)], right.rels...)}
	tree := &joinTree{kind: kind, left: left.tree, right: right.tree}
	using := t.Using
	if t.Natural {
		using = commonNames(left.star, right.star)
	}
	var merged []target
	if merged, out.star, err = f.using(tree, left.star, right.star, using); err != nil {
		return out, at(err, t.Pos)
	}
	if t.On != nil {
		on, err := f.condition(out, t.On)
		if err != nil {
			return out, err
		}
		tree.on = on
	}
	if kind == RightOuter {
		tree.kind, tree.left, tree.right = LeftOuter, tree.right, tree.left
	}
	out.tree = tree
	if t.UsingAlias != "" {
		out.rels = append(out.rels, starRelation(t.UsingAlias, merged))
	}
	return withAlias(out, t.Alias)
}

// side binds one side of a join.
func (f *fromBinder) side(item ast.FromItem, seen fromPart, nullable bool) (fromPart, error) {
	if nullable {
		f.nullable++
		defer func() { f.nullable-- }()
	}
	return f.item(item, seen)
}

// and is what is visible to an item behind both parts.
func (p fromPart) and(q fromPart) fromPart {
	return fromPart{rels: append(p.rels[:len(p.rels):len(p.rels)], q.rels...), star: append(p.star[:len(p.star):len(p.star)], q.star...)}
}

// noLateral refuses a LATERAL item on the right of a join that keeps right rows.
func noLateral(right *joinTree, left leafSet, kind ast.JoinKind) error {
	if right == nil {
		return nil
	}
	if right.leaf == nil {
		if err := noLateral(right.left, left, kind); err != nil {
			return err
		}
		return noLateral(right.right, left, kind)
	}
	l := right.leaf
	if l.link == nil || len(l.link.args) == 0 {
		return nil
	}
	return pgerr.New(pgerr.InvalidColumnReference, "invalid reference to FROM-clause entry for a table on the left of the join").
		WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
}

// condition binds ON, which sees both sides of its join.
func (f *fromBinder) condition(part fromPart, on ast.Expr) ([]expr.Expr, error) {
	s := f.beside(part.rels, part.star)
	s.level = &level{refused: "JOIN conditions"}
	e, err := f.b.condition(s, on, "JOIN/ON")
	if err != nil {
		return nil, err
	}
	return conjuncts(expr.Fold(f.b.env.Types, e)), nil
}

func commonNames(left, right []target) []string {
	out := []string{}
	for i := range left {
		for j := range right {
			if left[i].name == right[j].name {
				out = append(out, left[i].name)
				break
			}
		}
	}
	return out
}

// using merges columns of the same name: it adds their equality to the join and
// gives the merged columns and what * stands for.
func (f *fromBinder) using(tree *joinTree, left, right []target, names []string) (merged, star []target, err error) {
	usedLeft, usedRight := map[int]bool{}, map[int]bool{}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return nil, nil, pgerr.Newf(pgerr.DuplicateColumn, "column name %q appears more than once in USING clause", name)
		}
		seen[name] = true
		i, err := unqualified(left, name, "left")
		if err == nil && i < 0 {
			err = pgerr.Newf(pgerr.UndefinedColumn, "column %q specified in USING clause does not exist in left table", name)
		}
		if err != nil {
			return nil, nil, err
		}
		j, err := unqualified(right, name, "right")
		if err == nil && j < 0 {
			err = pgerr.Newf(pgerr.UndefinedColumn, "column %q specified in USING clause does not exist in right table", name)
		}
		if err != nil {
			return nil, nil, err
		}
		usedLeft[i], usedRight[j] = true, true
		m, on, err := f.merge(tree.kind, left[i], right[j])
		if err != nil {
			return nil, nil, err
		}
		tree.on = append(tree.on, on)
		merged = append(merged, m)
	}
	star = append(star, merged...)
	for i := range left {
		if !usedLeft[i] {
			star = append(star, left[i])
		}
	}
	for j := range right {
		if !usedRight[j] {
			star = append(star, right[j])
		}
	}
	return merged, star, nil
}

// merge makes the column that stands for two, and their equality.
func (f *fromBinder) merge(kind JoinKind, l, r target) (target, expr.Expr, error) {
	types := f.b.env.Types
	on, err := expr.BindOperator(types, "", "=", l.value, r.value)
	if err != nil {
		return target{}, nil, err
	}
	typ, err := expr.CommonType("JOIN/USING", []expr.Expr{l.value, r.value})
	if err != nil {
		return target{}, nil, err
	}
	lv, err := expr.Coerce(types, l.value, typ, expr.CastImplicit)
	if err != nil {
		return target{}, nil, err
	}
	rv, err := expr.Coerce(types, r.value, typ, expr.CastImplicit)
	if err != nil {
		return target{}, nil, err
	}
	switch kind {
	case RightOuter:
		r.value = rv
		return r, on, nil
	case FullOuter:
		return target{name: l.name, value: &expr.Coalesce{Args: []expr.Expr{lv, rv}, Typ: typ}, column: Column{Name: l.name, Type: typ}}, on, nil
	default:
		l.value = lv
		return l, on, nil
	}
}

// starRelation is a relation that is made of others' columns.
func starRelation(name string, star []target) *relation {
	r := &relation{name: name, exprs: []expr.Expr{}}
	for _, t := range star {
		c := t.column
		c.Name, c.Type = t.name, t.value.Type()
		r.columns = append(r.columns, c)
		r.exprs = append(r.exprs, t.value)
	}
	return r
}

// withAlias hides a join's items behind its alias.
func withAlias(part fromPart, alias *ast.Alias) (fromPart, error) {
	if alias == nil {
		return part, nil
	}
	r := starRelation(alias.Name, part.star)
	if err := renameColumns(r, alias); err != nil {
		return part, err
	}
	part.rels, part.star = []*relation{r}, starOf(r)
	return part, nil
}
