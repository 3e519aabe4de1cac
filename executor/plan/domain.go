package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// A domain's values are those of its base type: only a cast to it and an
// assignment to a column that was declared with it know of the domain, and call
// a function that tests the value.

// ResolveDeclared finds a type by its written name. Of a domain it gives the base
// type, and the domain beside it.
func ResolveDeclared(env *Env, t *ast.TypeName) (typ expr.Type, domain types.OID, err error) {
	typ, err = resolveName(env, t)
	if err != nil {
		return typ, 0, err
	}
	if types.IsDomain(types.UserElem(typ.OID)) {
		return typ, 0, pgerr.Unsupported("arrays of domains").At(t.Pos)
	}
	if !types.IsDomain(typ.OID) {
		return typ, 0, nil
	}
	return BaseOf(env.Catalog, typ.OID), typ.OID, nil
}

// BaseOf is the type under a domain.
func BaseOf(cat *catalog.Snapshot, oid types.OID) expr.Type {
	out := expr.Type{OID: oid, Typmod: types.NoTypmod}
	for types.IsDomain(out.OID) {
		u, ok := cat.Object(out.OID).(*catalog.UserType)
		if !ok {
			break
		}
		out.OID = u.Base
		if out.Typmod == types.NoTypmod {
			out.Typmod = u.Typmod
		}
	}
	return out
}

// DomainRow is a relation with one column, value, that a domain's checks are bound over.
func DomainRow(base expr.Type) *catalog.Table {
	return &catalog.Table{Columns: []catalog.Column{{Num: 1, Name: "value", Type: base.OID, Typmod: base.Typmod}}}
}

// domainRule is one thing that a domain demands.
type domainRule struct {
	name string
	cond expr.Expr // nil: NOT NULL
}

// CheckDomain makes the test of a value that becomes one of a domain; e itself
// when the domain demands nothing.
func CheckDomain(env *Env, domain types.OID, e expr.Expr) (expr.Expr, error) {
	if domain == 0 {
		return e, nil
	}
	var rules []domainRule
	var at *catalog.UserType
	base := BaseOf(env.Catalog, domain)
	for oid := domain; types.IsDomain(oid); {
		u, ok := env.Catalog.Object(oid).(*catalog.UserType)
		if !ok {
			return nil, pgerr.Newf(pgerr.UndefinedObject, "type with OID %d does not exist", uint32(oid))
		}
		if at == nil {
			at = u
		}
		own, err := domainRules(env, u, base)
		if err != nil {
			return nil, err
		}
		rules, oid = append(own, rules...), u.Base
	}
	if len(rules) == 0 {
		return e, nil
	}
	f := &expr.Function{Schema: at.Schema, Name: at.Name, Args: []types.OID{base.OID}, Result: base.OID, Volatility: expr.Stable, NotStrict: true}
	f.Eval = func(ctx *expr.Context, args []types.Datum) (types.Datum, error) {
		return args[0], testDomain(ctx, at, rules, args[0])
	}
	return &expr.Call{Func: f, Args: []expr.Expr{e}, Typ: e.Type()}, nil
}

// domainRules binds what one domain demands by itself, NOT NULL first.
func domainRules(env *Env, u *catalog.UserType, base expr.Type) ([]domainRule, error) {
	var out []domainRule
	if u.NotNull {
		out = append(out, domainRule{})
	}
	b := newBinder(env, nil)
	for i := range u.Checks {
		cond, err := b.storedExpr(DomainRow(base), u.Checks[i].Expr, boolType)
		if err != nil {
			return nil, err
		}
		out = append(out, domainRule{name: u.Checks[i].Name, cond: cond})
	}
	return out, nil
}

func testDomain(ctx *expr.Context, u *catalog.UserType, rules []domainRule, value types.Datum) error {
	sub := expr.Context{Ctx: ctx.Ctx, Env: ctx.Env, Session: ctx.Session, Row: types.Row{value}}
	for i := range rules {
		r := &rules[i]
		if r.cond == nil {
			if value == nil {
				return pgerr.Newf(pgerr.NotNullViolation, "domain %s does not allow null values", u.Name).Of(u.Schema, "", "", "")
			}
			continue
		}
		d, err := r.cond.Eval(&sub)
		if err != nil {
			return err
		}
		if d == false {
			return pgerr.Newf(pgerr.CheckViolation, "value for domain %s violates check constraint \"%s\"", u.Name, r.name).
				Of(u.Schema, "", "", r.name)
		}
	}
	return nil
}

// DefaultText is the SQL text of a column's default, its domain's when it has none.
func DefaultText(cat *catalog.Snapshot, c *catalog.Column) string {
	text := c.Default
	for oid := c.Domain; text == "" && types.IsDomain(oid); {
		u, ok := cat.Object(oid).(*catalog.UserType)
		if !ok {
			break
		}
		text, oid = u.Default, u.Base
	}
	return text
}
