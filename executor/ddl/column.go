package ddl

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// serialTypes are the names that make a sequence and a default.
var serialTypes = map[string]types.OID{
	"serial": types.Int4OID, "serial4": types.Int4OID, "bigserial": types.Int8OID, "serial8": types.Int8OID,
	"smallserial": types.Int2OID, "serial2": types.Int2OID,
}

func serialType(t *ast.TypeName) types.OID {
	if len(t.Names) != 1 {
		return 0
	}
	return serialTypes[t.Names[0]]
}

// addColumn adds a column with its constraints.
func (d *definition) addColumn(def *ast.ColumnDef) error {
	if err := d.checkColumnName(def.Name); err != nil {
		return err
	}
	if d.table.Column(def.Name) != nil {
		return pgerr.Newf(pgerr.DuplicateColumn, `column "%s" specified more than once`, def.Name).At(def.Pos)
	}
	typ, domain, serial, err := d.columnType(def)
	if err != nil {
		return err
	}
	c := catalog.Column{Num: int16(len(d.table.Columns) + 1), Name: def.Name, Type: typ.OID, Typmod: typ.Typmod, Domain: domain}
	if c.Collation, err = collation(def.Collation, typ.OID, def.Pos); err != nil {
		return err
	}
	d.table.Columns = append(d.table.Columns, c)
	if serial {
		if err := d.addSerial(); err != nil {
			return err
		}
	}
	return d.columnConstraints(def, serial)
}

// columnType resolves a column's type; serial says that it is one of the serial names.
func (d *definition) columnType(def *ast.ColumnDef) (typ expr.Type, domain types.OID, serial bool, err error) {
	if def.Type == nil {
		return typ, 0, false, pgerr.Newf(pgerr.SyntaxError, `no data type specified for column "%s"`, def.Name).At(def.Pos)
	}
	if def.Type.SetOf {
		return typ, 0, false, pgerr.Newf(pgerr.InvalidTableDefinition, `column "%s" cannot be declared SETOF`, def.Name).At(def.Pos)
	}
	if oid := serialType(def.Type); oid != 0 {
		if len(def.Type.Bounds) > 0 {
			return typ, 0, false, pgerr.New(pgerr.FeatureNotSupported, "array of serial is not implemented").At(def.Type.Pos)
		}
		return expr.Type{OID: oid, Typmod: types.NoTypmod}, 0, true, nil
	}
	typ, domain, err = plan.ResolveDeclared(d.s.Plan(), def.Type)
	if err != nil {
		return typ, 0, false, err
	}
	return typ, domain, false, storable(def.Name, typ.OID)
}

// storable refuses pseudo-types as a column's type.
func storable(column string, oid types.OID) error {
	if t := types.Lookup(oid); t != nil && (t.Category == 'P' || t.OID == types.UnknownOID) {
		return pgerr.Newf(pgerr.InvalidTableDefinition, `column "%s" has pseudo-type %s`, column, t.SQLName)
	}
	if types.IsRow(oid) || types.IsRow(types.UserElem(oid)) {
		return pgerr.Unsupported("columns of a composite type")
	}
	return nil
}

// collatable are the types that have a collation.
func collatable(oid types.OID) bool {
	if t := types.Lookup(oid); t != nil && t.IsArray() {
		oid = t.Elem
	}
	switch oid {
	case types.TextOID, types.VarcharOID, types.BpcharOID, types.NameOID:
		return true
	}
	return false
}

// collation checks COLLATE; text is ordered by its bytes, whatever it says.
func collation(name []string, oid types.OID, pos int) (string, error) {
	if len(name) == 0 {
		return "", nil
	}
	if !collatable(oid) {
		return "", pgerr.Newf(pgerr.DatatypeMismatch, "collations are not supported by type %s", types.FormatType(oid, types.NoTypmod)).At(pos)
	}
	switch last := name[len(name)-1]; last {
	case "default":
		return "", nil
	case "C", "POSIX", "ucs_basic", "C.UTF-8", "C.utf8":
		return last, nil
	default:
		return "", pgerr.Newf(pgerr.UndefinedObject, `collation "%s" for encoding "UTF8" does not exist`, last).
			WithHint(`Text is ordered by its bytes: use COLLATE "C", or none.`).At(pos)
	}
}

// columnConstraints adds the constraints written at a column, which is the last
// one of the table.
func (d *definition) columnConstraints(def *ast.ColumnDef, serial bool) error {
	c := &d.table.Columns[len(d.table.Columns)-1]
	var sawNull, sawNotNull, sawDefault, sawIdentity, sawGenerated bool
	sawDefault, sawNotNull = serial, false
	for _, k := range def.Constraints {
		var err error
		switch k.Kind {
		case ast.ConstraintNull:
			sawNull = true
		case ast.ConstraintNotNull:
			sawNotNull = true
			c.NotNull = true
		case ast.ConstraintDefault:
			if sawDefault {
				return d.columnError("multiple default values specified for", c, k.Pos)
			}
			sawDefault = true
			err = d.setDefault(c, k.Expr)
		case ast.ConstraintIdentity:
			if sawIdentity {
				return d.columnError("multiple identity specifications for", c, k.Pos)
			}
			sawIdentity = true
			err = d.addIdentity(c, &k)
		case ast.ConstraintGenerated:
			if sawGenerated {
				return d.columnError("multiple generation clauses specified for", c, k.Pos)
			}
			sawGenerated = true
			d.generated = append(d.generated, generatedColumn{c.Name, k.Expr, k.Pos})
		default:
			k.Columns = []string{c.Name}
			err = d.constrain(k)
		}
		if err != nil {
			return err
		}
		c = &d.table.Columns[len(d.table.Columns)-1]
	}
	switch {
	case sawNull && (sawNotNull || serial || sawIdentity):
		return d.columnError("conflicting NULL/NOT NULL declarations for", c, def.Pos)
	case sawDefault && sawIdentity:
		return d.columnError("both default and identity specified for", c, def.Pos)
	case sawDefault && sawGenerated:
		return d.columnError("both default and generation expression specified for", c, def.Pos)
	case sawIdentity && sawGenerated:
		return d.columnError("both identity and generation expression specified for", c, def.Pos)
	}
	return nil
}

func (d *definition) columnError(what string, c *catalog.Column, pos int) error {
	return pgerr.Newf(pgerr.SyntaxError, `%s column "%s" of table "%s"`, what, c.Name, d.table.Name).At(pos)
}

// setDefault binds and stores a default.
func (d *definition) setDefault(c *catalog.Column, e ast.Expr) error {
	text, err := d.s.defaultText(c, e)
	if err != nil {
		return err
	}
	c.Default = text
	return nil
}

// defaultText checks a default and gives its stored text; DEFAULT NULL is none.
func (s *statement) defaultText(c *catalog.Column, e ast.Expr) (string, error) {
	var ref *ast.ColumnRef
	ast.Walk(e, func(n any) bool {
		if r, ok := n.(*ast.ColumnRef); ok && ref == nil {
			ref = r
		}
		_, query := n.(ast.Stmt)
		return !query
	})
	if ref != nil {
		return "", pgerr.New(pgerr.FeatureNotSupported, "cannot use column reference in DEFAULT expression").At(ref.Pos)
	}
	if k, ok := e.(*ast.Const); ok && k.Kind == ast.ConstNull {
		return "", nil
	}
	out, err := s.store(nil, e, typeOf(c), "DEFAULT expressions")
	if err != nil {
		return "", defaultMismatch(err, c)
	}
	return out.Text, nil
}

// defaultMismatch names the column where a default has the wrong type.
func defaultMismatch(err error, c *catalog.Column) error {
	e := pgerr.As(err)
	if e != nil && e.Code == pgerr.DatatypeMismatch && e.Column == "" {
		e.Column = c.Name
		e.Message = strings.Replace(e.Message, "column is of type ", `column "`+c.Name+`" is of type `, 1)
		e.Message = strings.Replace(e.Message, " but expression is ", " but default expression is ", 1)
	}
	return err
}

// addSerial gives the last column a sequence, its default, and NOT NULL.
func (d *definition) addSerial() error {
	c := &d.table.Columns[len(d.table.Columns)-1]
	q, err := d.ownedSequence(c, nil)
	if err != nil {
		return err
	}
	c.Default = nextval(q)
	c.NotNull = true
	return nil
}

// nextval is the text of a serial column's default.
func nextval(q *catalog.Sequence) string {
	return "nextval(" + sql.QuoteLiteral(sql.QuoteIdent(q.Schema)+"."+sql.QuoteIdent(q.Name)) + "::regclass)"
}

// addIdentity makes a column an identity column.
func (d *definition) addIdentity(c *catalog.Column, k *ast.Constraint) error {
	if !isInteger(c.Type) {
		return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
	}
	if _, err := d.ownedSequence(c, k.Sequence); err != nil {
		return err
	}
	c.Identity = 'd'
	if k.Always {
		c.Identity = 'a'
	}
	c.NotNull = true
	return nil
}

func isInteger(oid types.OID) bool {
	return slices.Contains([]types.OID{types.Int2OID, types.Int4OID, types.Int8OID}, oid)
}

// ownedSequence makes the sequence of a serial or identity column.
func (d *definition) ownedSequence(c *catalog.Column, opts []ast.Option) (*catalog.Sequence, error) {
	id, err := d.s.NewID()
	if err != nil {
		return nil, err
	}
	q := &catalog.Sequence{
		ID: id, Schema: d.table.Schema, Name: d.names.relation(d.table.Name, c.Name, "seq"), Owner: d.s.User, Type: c.Type,
		OwnerTable: d.table.ID, OwnerColumn: c.Num,
	}
	var settings sequenceOptions
	if err := settings.read(opts); err != nil {
		return nil, err
	}
	if settings.name != nil {
		q.Name = settings.name.Name
	}
	if err := settings.apply(q, true); err != nil {
		return nil, err
	}
	d.sequences = append(d.sequences, q)
	return q, nil
}

// immutable says whether an expression always gives the same value for the same row.
func immutable(e expr.Expr) bool { return expr.VolatilityOf(e) == expr.Immutable }
