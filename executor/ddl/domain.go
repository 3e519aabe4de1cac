package ddl

import (
	"context"
	"regexp"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// createDomain is CREATE DOMAIN.
func (s *statement) createDomain(ctx context.Context, t *ast.CreateDomain) error {
	name, err := s.newType(ctx, t.Name)
	if err != nil {
		return err
	}
	typ, over, err := plan.ResolveDeclared(s.Plan(), t.Type)
	if err != nil {
		return err
	}
	if row := types.Lookup(typ.OID); row != nil && row.Category == 'P' {
		return pgerr.Newf(pgerr.DatatypeMismatch, `"%s" is not a valid base type for a domain`, row.Name)
	}
	id, err := s.NewID()
	if err != nil {
		return err
	}
	u := &catalog.UserType{ID: types.DomainOID(id), Schema: name.Schema, Name: name.Name, Owner: s.User, Base: typ.OID, Typmod: typ.Typmod}
	if over != 0 {
		u.Base, u.Typmod = over, types.NoTypmod
	}
	sawNull := false
	for i := range t.Constraints {
		k := &t.Constraints[i]
		switch k.Kind {
		case ast.ConstraintDefault:
			if u.Default != "" {
				return pgerr.New(pgerr.SyntaxError, "multiple default expressions")
			}
			err = s.setDomainDefault(u, k.Expr)
		case ast.ConstraintNull:
			sawNull = true
		case ast.ConstraintNotNull:
			u.NotNull = true
		case ast.ConstraintCheck:
			err = s.addDomainCheck(u, *k)
		case ast.ConstraintUnique:
			err = pgerr.New(pgerr.SyntaxError, "unique constraints not possible for domains")
		case ast.ConstraintPrimary:
			err = pgerr.New(pgerr.SyntaxError, "primary key constraints not possible for domains")
		case ast.ConstraintForeign:
			err = pgerr.New(pgerr.SyntaxError, "foreign key constraints not possible for domains")
		default:
			err = pgerr.Unsupported("this constraint of a domain")
		}
		if err != nil {
			return err
		}
	}
	if sawNull && u.NotNull {
		return pgerr.New(pgerr.SyntaxError, "conflicting NULL/NOT NULL constraints")
	}
	return s.Txn.Change(ctx, catalog.Put(u))
}

func (s *statement) baseOf(u *catalog.UserType) expr.Type {
	base := plan.BaseOf(s.catalog(), u.Base)
	if base.Typmod == types.NoTypmod {
		base.Typmod = u.Typmod
	}
	return base
}

// setDomainDefault stores a default; NULL is none.
func (s *statement) setDomainDefault(u *catalog.UserType, e ast.Expr) error {
	base := s.baseOf(u)
	text, err := s.defaultText(&catalog.Column{Name: u.Name, Type: base.OID, Typmod: base.Typmod}, e)
	u.Default = text
	return err
}

// addDomainCheck adds a CHECK, over VALUE.
func (s *statement) addDomainCheck(u *catalog.UserType, k ast.Constraint) error {
	e, err := s.store(plan.DomainRow(s.baseOf(u)), k.Expr, boolean, "check constraints")
	if err != nil {
		return err
	}
	used := func(name string) bool {
		return slices.ContainsFunc(u.Checks, func(c catalog.Check) bool { return c.Name == name })
	}
	name := k.Name
	if name == "" {
		name = choose(u.Name, "", "check", used, map[string]bool{})
	} else if used(name) {
		return pgerr.Newf(pgerr.DuplicateObject, `constraint "%s" for domain "%s" already exists`, name, u.Name)
	}
	id, err := s.NewID()
	if err != nil {
		return err
	}
	u.Checks = append(u.Checks, catalog.Check{ID: id, Name: name, Expr: upperValue(e.Text), NotValid: k.NotValid})
	return nil
}

// upperValue writes VALUE as PostgreSQL shows it, outside literals and quoted names.
func upperValue(text string) string {
	return quotedOrWord.ReplaceAllStringFunc(text, func(w string) string {
		if w == "value" {
			return "VALUE"
		}
		return w
	})
}

var quotedOrWord = regexp.MustCompile(`'[^']*'|"[^"]*"|[[:alnum:]_]+`)

// alterDomain is ALTER DOMAIN.
func (s *statement) alterDomain(ctx context.Context, t *ast.AlterDomain) error {
	old, err := s.alteredType(ctx, rangeVar(t.Name))
	if err != nil {
		return err
	}
	if !types.IsDomain(old.ID) {
		return notDomain(old)
	}
	u := old.Clone()
	tried := ""
	switch t.Op {
	case "SET DEFAULT":
		err = s.setDomainDefault(u, t.Expr)
	case "DROP DEFAULT":
		u.Default = ""
	case "SET NOT NULL":
		u.NotNull = true
		if !old.NotNull {
			err = s.tryDomainNotNull(ctx, u)
		}
	case "DROP NOT NULL":
		u.NotNull = false
	case "ADD CONSTRAINT":
		if t.Constraint.Kind != ast.ConstraintCheck {
			return pgerr.Unsupported("this constraint of a domain")
		}
		if err = s.addDomainCheck(u, *t.Constraint); err == nil && !t.Constraint.NotValid {
			tried = u.Checks[len(u.Checks)-1].Name
		}
	default:
		tried, err = s.alterDomainConstraint(u, t)
	}
	if err != nil {
		return err
	}
	if tried != "" {
		if err := s.tryDomainCheck(ctx, u, tried); err != nil {
			return err
		}
	}
	return s.Txn.Change(ctx, catalog.Put(u))
}

// alterDomainConstraint drops, renames or validates a CHECK; tried is one that
// all values must pass.
func (s *statement) alterDomainConstraint(u *catalog.UserType, t *ast.AlterDomain) (tried string, err error) {
	i := slices.IndexFunc(u.Checks, func(c catalog.Check) bool { return c.Name == t.Constraint.Name })
	switch {
	case i < 0 && t.IfExists:
		s.notice("00000", `constraint "%s" of domain "%s" does not exist, skipping`, t.Constraint.Name, u.Name)
	case i < 0 && t.Op == "RENAME CONSTRAINT":
		return "", pgerr.Newf(pgerr.UndefinedObject, `constraint "%s" for domain %s does not exist`, t.Constraint.Name, u.Name)
	case i < 0:
		return "", pgerr.Newf(pgerr.UndefinedObject, `constraint "%s" of domain "%s" does not exist`, t.Constraint.Name, u.Name)
	case t.Op == "DROP CONSTRAINT":
		u.Checks = slices.Delete(u.Checks, i, i+1)
	case t.Op == "RENAME CONSTRAINT":
		u.Checks[i].Name = t.NewName
	case t.Op == "VALIDATE CONSTRAINT" && u.Checks[i].NotValid:
		u.Checks[i].NotValid = false
		tried = u.Checks[i].Name
	}
	return tried, nil
}

// domainColumns are the columns of a domain and of the domains over it.
func (s *statement) domainColumns(u *catalog.UserType) []columnDefault {
	out := s.columnsOfType(u)
	for _, o := range s.catalog().Objects(catalog.KindType) {
		if over := o.(*catalog.UserType); over.Base == u.ID {
			out = append(out, s.domainColumns(over)...)
		}
	}
	return out
}

// tryDomainNotNull demands that no column of the domain has a NULL.
func (s *statement) tryDomainNotNull(ctx context.Context, u *catalog.UserType) error {
	return s.eachDomainValue(ctx, u, func(t *catalog.Table, c *catalog.Column, d types.Datum) error {
		if d != nil {
			return nil
		}
		return pgerr.Newf(pgerr.NotNullViolation, `column "%s" of table "%s" contains null values`, c.Name, t.Name).Of(t.Schema, t.Name, c.Name, "")
	})
}

// tryDomainCheck demands that all values of the domain pass a CHECK.
func (s *statement) tryDomainCheck(ctx context.Context, u *catalog.UserType, name string) error {
	i := slices.IndexFunc(u.Checks, func(c catalog.Check) bool { return c.Name == name })
	cond, err := s.parse(plan.DomainRow(s.baseOf(u)), u.Checks[i].Expr, boolean, "check constraints")
	if err != nil {
		return err
	}
	ec := s.context(ctx)
	return s.eachDomainValue(ctx, u, func(t *catalog.Table, c *catalog.Column, d types.Datum) error {
		ec.Row = types.Row{d}
		ok, err := cond.Eval(ec)
		if err != nil || ok != false {
			return err
		}
		return pgerr.Newf(pgerr.CheckViolation, `column "%s" of table "%s" contains values that violate the new constraint`, c.Name, t.Name).
			Of(t.Schema, t.Name, c.Name, "")
	})
}

// eachDomainValue calls fn for the values of all columns of a domain.
func (s *statement) eachDomainValue(ctx context.Context, u *catalog.UserType, fn func(*catalog.Table, *catalog.Column, types.Datum) error) error {
	for _, ref := range s.domainColumns(u) {
		o, err := s.lockForChange(ctx, ref.table)
		t, ok := o.(*catalog.Table)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := s.Txn.LockTable(ctx, t.ID, storage.LockShare, s.Wait); err != nil {
			return err
		}
		c := &t.Columns[ref.column-1]
		if err := s.eachRow(ctx, t, []int16{c.Num}, func(row types.Row) error { return fn(t, c, row[c.Num-1]) }); err != nil {
			return err
		}
	}
	return nil
}
