package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// newType locks a new type's name and demands that it is free: of types, and of
// tables, for each has a row type of its name.
func (s *statement) newType(ctx context.Context, names []string) (catalog.Name, error) {
	r := rangeVar(names)
	schema, err := s.creationSchema(ctx, r)
	if err != nil {
		return catalog.Name{}, err
	}
	name := catalog.Name{Schema: schema, Name: r.Name}
	return name, s.freeType(ctx, name)
}

// freeType locks a type's name and demands that it is free.
func (s *statement) freeType(ctx context.Context, name catalog.Name) error {
	if err := s.Txn.LockName(ctx, catalog.KindType, name, s.Wait); err != nil {
		return err
	}
	if s.typeNamed(name.Schema, name.Name) || types.ByName(name.Name) != nil && name.Schema == "pg_catalog" {
		return typeExists(name.Name)
	}
	return nil
}

func typeExists(name string) *pgerr.Error {
	return pgerr.Newf(pgerr.DuplicateObject, `type "%s" already exists`, name)
}

// typeNamed says whether a type of a name is there: a user's, or a table's row type.
func (s *statement) typeNamed(schema, name string) bool {
	_, table := s.catalog().Relation(schema, name).(*catalog.Table)
	return table || s.catalog().Named(catalog.KindType, schema, name) != nil
}

// userType finds a type that a user made, or nil.
func (s *statement) userType(r *ast.RangeVar) *catalog.UserType {
	schemas := []string{r.Schema}
	if r.Schema == "" {
		schemas = s.searchPath(true)
	}
	for _, schema := range schemas {
		if u, ok := s.catalog().Named(catalog.KindType, schema, r.Name).(*catalog.UserType); ok {
			return u
		}
	}
	return nil
}

// alteredType finds and locks the type of an ALTER.
func (s *statement) alteredType(ctx context.Context, r *ast.RangeVar) (*catalog.UserType, error) {
	u := s.userType(r)
	if u == nil {
		return nil, s.noType(r)
	}
	if err := s.mustOwn(u); err != nil {
		return nil, err
	}
	if err := s.Txn.LockName(ctx, catalog.KindType, nameOf(u), s.Wait); err != nil {
		return nil, err
	}
	if u, _ = s.catalog().Object(u.ID).(*catalog.UserType); u == nil {
		return nil, s.noType(r)
	}
	return u, nil
}

func (s *statement) noType(r *ast.RangeVar) error {
	if r.Schema != "" && !isSystemSchema(r.Schema) && s.catalog().Schema(r.Schema) == nil {
		return noSchema(r.Schema)
	}
	return pgerr.Newf(pgerr.UndefinedObject, `type "%s" does not exist`, written(r))
}

// renameType is ALTER TYPE and ALTER DOMAIN … RENAME TO.
func (s *statement) renameType(ctx context.Context, t *ast.Rename) error {
	u, err := s.alteredType(ctx, t.Table)
	if err != nil {
		return err
	}
	if t.Object == "DOMAIN" && u.IsEnum() {
		return notDomain(u)
	}
	return s.moveType(ctx, u, catalog.Name{Schema: u.Schema, Name: t.NewName})
}

// setTypeSchema is ALTER TYPE and ALTER DOMAIN … SET SCHEMA.
func (s *statement) setTypeSchema(ctx context.Context, t *ast.AlterSchema) error {
	u, err := s.alteredType(ctx, t.Table)
	if err != nil {
		return err
	}
	switch {
	case isSystemSchema(t.NewSchema):
		return pgerr.Newf(pgerr.InsufficientPrivilege, "permission denied for schema %s", t.NewSchema)
	case s.catalog().Schema(t.NewSchema) == nil:
		return noSchema(t.NewSchema)
	case u.Schema == t.NewSchema:
		return nil
	}
	if s.typeNamed(t.NewSchema, u.Name) {
		return pgerr.Newf(pgerr.DuplicateObject, `type "%s" already exists in schema "%s"`, u.Name, t.NewSchema)
	}
	return s.moveType(ctx, u, catalog.Name{Schema: t.NewSchema, Name: u.Name})
}

// moveType gives a type another name or schema, in the texts that name it too.
func (s *statement) moveType(ctx context.Context, u *catalog.UserType, to catalog.Name) error {
	if err := s.freeType(ctx, to); err != nil {
		return err
	}
	changed := u.Clone()
	changed.Schema, changed.Name = to.Schema, to.Name
	if err := s.Txn.Change(ctx, catalog.Put(changed)); err != nil {
		return err
	}
	return s.renameTypeInTexts(ctx, nameOf(u), to)
}

// changeTypeOwner is ALTER TYPE and ALTER DOMAIN … OWNER TO.
func (s *statement) changeTypeOwner(ctx context.Context, r *ast.RangeVar, role string) error {
	u, err := s.alteredType(ctx, r)
	if err != nil {
		return err
	}
	owner, err := s.roleNamed(role)
	if err != nil {
		return err
	}
	changed := u.Clone()
	changed.Owner = owner
	return s.Txn.Change(ctx, catalog.Put(changed))
}

// dropTypes is DROP TYPE and DROP DOMAIN.
func (s *statement) dropTypes(ctx context.Context, t *ast.Drop) error {
	d := s.deletion(t.Cascade)
	for _, names := range t.Names {
		u, err := s.droppedType(ctx, t, rangeVar(names))
		if err != nil {
			return err
		}
		if u != nil {
			d.root(u)
		}
	}
	return d.run(ctx)
}

// droppedType finds and locks a type to be dropped; nil after a notice.
func (s *statement) droppedType(ctx context.Context, t *ast.Drop, r *ast.RangeVar) (*catalog.UserType, error) {
	u := s.userType(r)
	if u == nil {
		if o, err := s.relation(r); err == nil && o != nil && kindWord(o) == "table" {
			return nil, pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop type %s because %s requires it", s.display(o), s.describe(o)).
				WithHint("You can drop %s instead.", s.describe(o))
		}
		switch {
		case isBuiltinType(r.Name) && (r.Schema == "" || r.Schema == "pg_catalog"):
			return nil, pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop type %s because it is required by the database system", r.Name)
		case !t.IfExists:
			return nil, s.noType(r)
		case r.Schema != "" && s.catalog().Schema(r.Schema) == nil:
			s.notice("00000", `schema "%s" does not exist, skipping`, r.Schema)
		default:
			s.notice("00000", `type "%s" does not exist, skipping`, written(r))
		}
		return nil, nil
	}
	if t.Object == "DOMAIN" && !types.IsDomain(u.ID) {
		return nil, pgerr.Newf(pgerr.WrongObjectType, `"%s" is not a domain`, u.Name)
	}
	return s.alteredType(ctx, r)
}

func notDomain(u *catalog.UserType) error {
	return pgerr.Newf(pgerr.WrongObjectType, "%s is not a domain", u.Name)
}

// columnsOfType are the columns that have a type or an array of it; of a domain,
// those declared with it. The order is PostgreSQL's, which messages show.
func (s *statement) columnsOfType(u *catalog.UserType) []columnDefault {
	var out []columnDefault
	for _, array := range []bool{true, false} {
		for _, o := range s.catalog().Objects(catalog.KindTable) {
			t := o.(*catalog.Table)
			for _, c := range slices.Backward(t.Live()) {
				if usesType(c, u.ID) && (types.UserElem(c.Type) == u.ID) == array {
					out = append(out, columnDefault{t, c.Num})
				}
			}
		}
	}
	return out
}

func usesType(c *catalog.Column, id types.OID) bool {
	return c.Type == id || types.UserElem(c.Type) == id || c.Domain == id
}

// followType takes what depends on a type: columns, views, other types.
func (d *deletion) followType(u *catalog.UserType) error {
	on := d.s.describe(u)
	for _, o := range d.s.catalog().Objects(catalog.KindType) {
		if other := o.(*catalog.UserType); !d.isGone(other) && (other.Base == u.ID || types.UserElem(other.Base) == u.ID) {
			if err := d.depend(other, on); err != nil {
				return err
			}
		}
	}
	for _, c := range d.s.columnsOfType(u) {
		if d.isGone(c.table) {
			continue
		}
		what := "column " + quoted(c.table.Columns[c.column-1].Name) + " of " + d.s.describe(c.table)
		if types.UserElem(c.table.Columns[c.column-1].Type) == u.ID {
			d.reasons = append(d.reasons, what+" depends on "+on+"[]")
		} else {
			d.reasons = append(d.reasons, what+" depends on "+on)
		}
		d.cascaded = append(d.cascaded, what)
		d.columns = append(d.columns, c)
		views, err := d.s.viewsUsing(c.table, c.column)
		if err != nil {
			return err
		}
		for _, v := range views {
			if d.isGone(v) {
				continue
			}
			if err := d.depend(v, what); err != nil {
				return err
			}
		}
	}
	for _, o := range d.s.catalog().Objects(catalog.KindView) {
		v := o.(*catalog.View)
		if d.isGone(v) || !d.s.viewUsesType(v, u) {
			continue
		}
		if err := d.depend(v, on); err != nil {
			return err
		}
	}
	return nil
}
