package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// qualifyTypes writes the schema of users' types into casts, so that a stored
// text means the same under another search path.
func (s *statement) qualifyTypes(node any) {
	eachCast(node, func(t *ast.TypeName) {
		if len(t.Names) != 1 || types.ByName(t.Names[0]) != nil {
			return
		}
		for _, schema := range s.searchPath(true) {
			if s.typeNamed(schema, t.Names[0]) {
				t.Names = []string{schema, t.Names[0]}
				return
			}
		}
	})
}

// eachCast calls fn for the type of each cast.
func eachCast(node any, fn func(*ast.TypeName)) {
	ast.Walk(node, func(n any) bool {
		if c, ok := n.(*ast.TypeCast); ok {
			fn(c.Type)
		}
		return true
	})
}

// isNamed says whether a type's name as written in a stored text is that of a type.
func isNamed(t *ast.TypeName, name catalog.Name) bool {
	return slices.Equal(t.Names, []string{name.Schema, name.Name}) || slices.Equal(t.Names, []string{name.Name})
}

// renameTypeInTexts writes a type's new name into defaults, checks, indexes and views.
func (s *statement) renameTypeInTexts(ctx context.Context, from, to catalog.Name) error {
	return s.editTexts(ctx, typeRenaming{edit: func(node any) (changed bool) {
		eachCast(node, func(t *ast.TypeName) {
			if isNamed(t, from) {
				t.Names = []string{to.Schema, to.Name}
				changed = true
			}
		})
		return changed
	}})
}

// renameLabelInTexts writes an enum's new label into the texts that have the old
// one: where a cast says that it is one, and in the defaults of the enum's columns.
// In other texts a literal is the label when the text cannot be bound with it any more.
func (s *statement) renameLabelInTexts(ctx context.Context, u *catalog.UserType, from, to string) error {
	rename := func(k *ast.Const) bool {
		if k == nil || k.Kind != ast.ConstString || k.Text != from {
			return false
		}
		k.Text = to
		return true
	}
	r := typeRenaming{edit: func(node any) (changed bool) {
		ast.Walk(node, func(n any) bool {
			if c, ok := n.(*ast.TypeCast); ok && isNamed(c.Type, nameOf(u)) {
				k, _ := c.Arg.(*ast.Const)
				changed = rename(k) || changed
			}
			return true
		})
		return changed
	}}
	literals := func(node any) (changed bool) {
		ast.Walk(node, func(n any) bool {
			k, _ := n.(*ast.Const)
			changed = rename(k) || changed
			return true
		})
		return changed
	}
	r.fix = func(t *catalog.Table, text *string) bool {
		e, err := sql.ParseExpr(*text)
		if err != nil {
			return false
		}
		if _, err := plan.BindTableExpr(s.Plan(), t, e, expr.Type{}, "this expression"); pgerr.Code(err) != pgerr.InvalidTextRepresentation || !literals(e) {
			return false
		}
		*text = sql.Deparse(e)
		return true
	}
	r.column = func(c *catalog.Column) bool {
		e, err := sql.ParseExpr(c.Default)
		k, ok := e.(*ast.Const)
		if err != nil || !ok || c.Type != u.ID || !rename(k) {
			return false
		}
		c.Default = sql.Deparse(k)
		return true
	}
	r.query = func(query ast.Stmt) bool {
		_, err := plan.Prepare(s.Plan(), query, nil)
		return pgerr.Code(err) == pgerr.InvalidTextRepresentation && literals(query)
	}
	return s.editTexts(ctx, r)
}

// editTexts changes the texts of the catalog.
func (s *statement) editTexts(ctx context.Context, r typeRenaming) error {
	var changes []catalog.Change
	for _, o := range s.catalog().Objects(catalog.KindTable) {
		t := o.(*catalog.Table).Clone()
		if r.table(t) {
			t.Version++
			changes = append(changes, catalog.Put(t))
		}
	}
	for _, o := range s.catalog().Objects(catalog.KindIndex) {
		x := o.(*catalog.Index).Clone()
		if r.index(s.catalog().Table(x.Table), x) {
			x.Version++
			changes = append(changes, catalog.Put(x))
		}
	}
	for _, o := range s.catalog().Objects(catalog.KindType) {
		u := o.(*catalog.UserType).Clone()
		if r.userType(u) {
			changes = append(changes, catalog.Put(u))
		}
	}
	for _, o := range s.catalog().Objects(catalog.KindView) {
		v := *o.(*catalog.View)
		if r.view(&v) {
			changes = append(changes, catalog.Put(&v))
		}
	}
	for _, c := range changes {
		if _, err := s.lockForChange(ctx, c.Object); err != nil {
			return err
		}
	}
	return s.Txn.Change(ctx, changes...)
}

// typeRenaming writes a new name into texts; its methods say whether anything has
// changed. All but edit may be nil.
type typeRenaming struct {
	edit   func(node any) bool
	fix    func(t *catalog.Table, text *string) bool
	column func(c *catalog.Column) bool
	query  func(query ast.Stmt) bool
}

func (r typeRenaming) text(t *catalog.Table, text *string) (changed bool) {
	if *text == "" {
		return false
	}
	e, err := sql.ParseExpr(*text)
	if err != nil {
		return false
	}
	if changed = r.edit(e); changed {
		*text = sql.Deparse(e)
	}
	if t != nil && r.fix != nil {
		changed = r.fix(t, text) || changed
	}
	return changed
}

func (r typeRenaming) table(t *catalog.Table) (changed bool) {
	for i := range t.Columns {
		changed = r.text(nil, &t.Columns[i].Default) || changed
		if r.column != nil && t.Columns[i].Default != "" {
			changed = r.column(&t.Columns[i]) || changed
		}
		changed = r.text(t, &t.Columns[i].Generated) || changed
	}
	return r.checks(t, t.Checks) || changed
}

func (r typeRenaming) checks(t *catalog.Table, list []catalog.Check) (changed bool) {
	for i := range list {
		changed = r.text(t, &list[i].Expr) || changed
	}
	return changed
}

func (r typeRenaming) index(t *catalog.Table, x *catalog.Index) (changed bool) {
	for i := range x.Keys {
		changed = r.text(t, &x.Keys[i].Expr) || changed
	}
	return r.text(t, &x.Predicate) || changed
}

func (r typeRenaming) userType(u *catalog.UserType) bool {
	changed := r.text(nil, &u.Default)
	return r.checks(nil, u.Checks) || changed
}

func (r typeRenaming) view(v *catalog.View) bool {
	query, err := parseView(v)
	if err != nil {
		return false
	}
	changed := r.edit(query)
	if r.query != nil {
		changed = r.query(query) || changed
	}
	if !changed {
		return false
	}
	v.Query = sql.DeparseStmt(query)
	return true
}

// viewUsesType says whether a view has columns of a type or casts to it.
func (s *statement) viewUsesType(v *catalog.View, u *catalog.UserType) bool {
	for i := range v.Columns {
		if usesType(&v.Columns[i], u.ID) {
			return true
		}
	}
	query, err := parseView(v)
	uses := false
	if err == nil {
		eachCast(query, func(t *ast.TypeName) { uses = uses || isNamed(t, nameOf(u)) })
	}
	return uses
}
