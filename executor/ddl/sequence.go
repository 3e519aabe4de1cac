package ddl

import (
	"context"
	"math"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// sequenceOptions are the options of a sequence as written; nil is not given.
type sequenceOptions struct {
	typ                        types.OID
	increment, min, max, start *int64
	cache                      *int64
	cycle                      *bool
	noMin, noMax               bool
	restart                    bool
	restartWith                *int64
	ownedBy                    []string
	name                       *ast.RangeVar // SEQUENCE NAME of an identity column
	generated                  byte          // SET GENERATED
}

// read takes the options; each may be given once.
func (o *sequenceOptions) read(list []ast.Option) error {
	seen := map[string]bool{}
	for _, opt := range list {
		if seen[opt.Name] {
			return pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(opt.Pos)
		}
		seen[opt.Name] = true
		if err := o.readOne(opt); err != nil {
			return err
		}
	}
	return nil
}

func (o *sequenceOptions) readOne(opt ast.Option) (err error) {
	switch opt.Name {
	case "as":
		o.typ, err = sequenceType(opt)
	case "increment":
		o.increment, err = integerOption(opt)
	case "minvalue":
		o.noMin = opt.Value == nil
		o.min, err = integerOption(opt)
	case "maxvalue":
		o.noMax = opt.Value == nil
		o.max, err = integerOption(opt)
	case "start":
		o.start, err = integerOption(opt)
	case "cache":
		o.cache, err = integerOption(opt)
	case "restart":
		o.restart = true
		o.restartWith, err = integerOption(opt)
	case "cycle":
		k, _ := opt.Value.(*ast.Const)
		cycle := k == nil || k.Bool || k.Int != 0
		o.cycle = &cycle
	case "owned_by":
		o.ownedBy = namesOf(opt.Value)
	case "sequence_name":
		o.name = &ast.RangeVar{}
		if names := namesOf(opt.Value); len(names) > 0 {
			o.name.Name = names[len(names)-1]
		}
	case "generated":
		if k, ok := opt.Value.(*ast.Const); ok {
			o.generated = byte(k.Int)
		}
	default:
		return pgerr.Newf(pgerr.SyntaxError, `option "%s" not recognized`, opt.Name).At(opt.Pos)
	}
	return err
}

// namesOf are the parts of a name in an option.
func namesOf(e ast.Expr) []string {
	list, ok := e.(*ast.ArrayExpr)
	if !ok {
		return nil
	}
	var out []string
	for _, item := range list.Elems {
		if k, ok := item.(*ast.Const); ok {
			out = append(out, k.Text)
		}
	}
	return out
}

func sequenceType(opt ast.Option) (types.OID, error) {
	if r, ok := opt.Value.(*ast.ColumnRef); ok && len(r.Parts) > 0 {
		if t := types.BySQLName(r.Parts[len(r.Parts)-1]); t != nil && isInteger(t.OID) {
			return t.OID, nil
		}
	}
	return 0, pgerr.New(pgerr.InvalidParameterValue, "sequence type must be smallint, integer, or bigint").At(opt.Pos)
}

func integerOption(opt ast.Option) (*int64, error) {
	k, ok := opt.Value.(*ast.Const)
	if !ok {
		return nil, nil
	}
	if k.Kind != ast.ConstInt {
		return nil, pgerr.Newf(pgerr.NumericValueOutOfRange, `value "%s" is out of range for type bigint`, k.Text).At(opt.Pos)
	}
	return &k.Int, nil
}

// typeRange is the range of a sequence's type.
func typeRange(oid types.OID) (low, high int64) {
	switch oid {
	case types.Int2OID:
		return math.MinInt16, math.MaxInt16
	case types.Int4OID:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// apply sets a sequence's fields as PostgreSQL's init_params does.
func (o *sequenceOptions) apply(q *catalog.Sequence, isNew bool) error {
	oldLow, oldHigh := typeRange(q.Type)
	if o.typ != 0 && o.typ != q.Type {
		// Bounds that were the old type's become the new type's.
		o.noMax = o.noMax || !isNew && q.Max == oldHigh && o.max == nil
		o.noMin = o.noMin || !isNew && q.Min == oldLow && o.min == nil
		q.Type = o.typ
	}
	if isNew {
		q.Increment, q.Cache = 1, 1
	}
	if o.increment != nil {
		q.Increment = *o.increment
	}
	if q.Increment == 0 {
		return invalidSequence("INCREMENT must not be zero")
	}
	if o.cycle != nil {
		q.Cycle = *o.cycle
	}
	if err := o.applyBounds(q, isNew); err != nil {
		return err
	}
	return o.applyStart(q, isNew)
}

func invalidSequence(format string, args ...any) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, format, args...)
}

func (o *sequenceOptions) applyBounds(q *catalog.Sequence, isNew bool) error {
	low, high := typeRange(q.Type)
	switch {
	case o.max != nil:
		q.Max = *o.max
	case isNew || o.noMax:
		q.Max = high
		if q.Increment < 0 {
			q.Max = -1
		}
	}
	switch {
	case o.min != nil:
		q.Min = *o.min
	case isNew || o.noMin:
		q.Min = 1
		if q.Increment < 0 {
			q.Min = low
		}
	}
	name := types.FormatType(q.Type, types.NoTypmod)
	switch {
	case q.Max < low || q.Max > high:
		return invalidSequence("MAXVALUE (%d) is out of range for sequence data type %s", q.Max, name)
	case q.Min < low || q.Min > high:
		return invalidSequence("MINVALUE (%d) is out of range for sequence data type %s", q.Min, name)
	case q.Min >= q.Max:
		return invalidSequence("MINVALUE (%d) must be less than MAXVALUE (%d)", q.Min, q.Max)
	}
	return nil
}

func (o *sequenceOptions) applyStart(q *catalog.Sequence, isNew bool) error {
	switch {
	case o.start != nil:
		q.Start = *o.start
	case isNew && q.Increment > 0:
		q.Start = q.Min
	case isNew:
		q.Start = q.Max
	}
	if q.Start < q.Min {
		return invalidSequence("START value (%d) cannot be less than MINVALUE (%d)", q.Start, q.Min)
	}
	if q.Start > q.Max {
		return invalidSequence("START value (%d) cannot be greater than MAXVALUE (%d)", q.Start, q.Max)
	}
	if v := o.restartWith; v != nil && *v < q.Min {
		return invalidSequence("RESTART value (%d) cannot be less than MINVALUE (%d)", *v, q.Min)
	} else if v != nil && *v > q.Max {
		return invalidSequence("RESTART value (%d) cannot be greater than MAXVALUE (%d)", *v, q.Max)
	}
	if o.cache != nil {
		q.Cache = *o.cache
	}
	if q.Cache <= 0 {
		return invalidSequence("CACHE (%d) must be greater than zero", q.Cache)
	}
	return nil
}

func (s *statement) createSequence(ctx context.Context, t *ast.CreateSequence) error {
	var o sequenceOptions
	if err := o.read(t.Options); err != nil {
		return err
	}
	schema, err := s.creationSchema(ctx, t.Name)
	if err != nil {
		return err
	}
	if free, err := s.newRelation(ctx, schema, t.Name.Name, t.IfNotExists); err != nil || !free {
		return err
	}
	id, err := s.NewID()
	if err != nil {
		return err
	}
	q := &catalog.Sequence{ID: id, Schema: schema, Name: t.Name.Name, Owner: s.User, Type: types.Int8OID}
	if err := o.apply(q, true); err != nil {
		return err
	}
	if err := s.setOwnedBy(q, o.ownedBy); err != nil {
		return err
	}
	return s.Txn.Change(ctx, catalog.Put(q))
}

// setOwnedBy is OWNED BY table.column | NONE.
func (s *statement) setOwnedBy(q *catalog.Sequence, names []string) error {
	switch {
	case names == nil:
		return nil
	case len(names) == 1 && names[0] == "none":
		q.OwnerTable, q.OwnerColumn = 0, 0
		return nil
	case len(names) == 1:
		return pgerr.New(pgerr.SyntaxError, "invalid OWNED BY option").WithHint("Specify OWNED BY table.column or OWNED BY NONE.")
	}
	r := &ast.RangeVar{Name: names[len(names)-2]}
	if len(names) > 2 {
		r.Schema = names[len(names)-3]
	}
	t, err := s.table(r)
	if err != nil {
		return err
	}
	if t.Schema != q.Schema {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "sequence must be in same schema as table it is linked to")
	}
	c := t.Column(names[len(names)-1])
	if c == nil {
		return noColumn(t, names[len(names)-1])
	}
	q.OwnerTable, q.OwnerColumn = t.ID, c.Num
	return nil
}

func noColumn(t *catalog.Table, name string) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" of relation "%s" does not exist`, name, t.Name)
}

// identitySequence finds the sequence of an identity column, or nil.
func identitySequence(cat *catalog.Snapshot, t *catalog.Table, c *catalog.Column) *catalog.Sequence {
	if c.Identity == 0 {
		return nil
	}
	for _, q := range cat.Sequences(t.ID) {
		if q.OwnerColumn == c.Num {
			return q
		}
	}
	return nil
}

// sequence finds a sequence that the user may change; nil after a notice when
// it is missing and that is allowed.
func (s *statement) sequence(r *ast.RangeVar, ifExists bool) (*catalog.Sequence, error) {
	o, err := s.relation(r)
	if err != nil {
		return nil, err
	}
	if o == nil {
		if ifExists {
			s.notice("00000", `relation "%s" does not exist, skipping`, r.Name)
			return nil, nil
		}
		return nil, s.noRelation(r, "relation")
	}
	q, ok := o.(*catalog.Sequence)
	if !ok {
		return nil, wrongObject(o, "a sequence").At(r.Pos)
	}
	return q, s.mustOwn(q)
}

func (s *statement) alterSequence(ctx context.Context, t *ast.AlterSequence) error {
	q, err := s.sequence(t.Name, t.IfExists)
	if err != nil || q == nil {
		return err
	}
	var o sequenceOptions
	if err := o.read(t.Options); err != nil {
		return err
	}
	return s.changeSequence(ctx, q, &o)
}

// changeSequence applies options to an existing sequence.
func (s *statement) changeSequence(ctx context.Context, old *catalog.Sequence, o *sequenceOptions) error {
	if err := s.lockRelationName(ctx, old.Schema, old.Name); err != nil {
		return err
	}
	now, ok := s.catalog().Object(old.ID).(*catalog.Sequence)
	if !ok {
		return pgerr.Newf(pgerr.UndefinedTable, `relation "%s" does not exist`, old.Name)
	}
	q := *now
	old = now
	if err := o.apply(&q, false); err != nil {
		return err
	}
	if t := s.catalog().Table(old.OwnerTable); o.ownedBy != nil && t != nil {
		if identitySequence(s.catalog(), t, &t.Columns[old.OwnerColumn-1]) == old {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot change ownership of identity sequence").
				WithDetail(`Sequence "%s" is linked to table "%s".`, old.Name, t.Name)
		}
	}
	if err := s.setOwnedBy(&q, o.ownedBy); err != nil {
		return err
	}
	if err := s.Txn.Change(ctx, catalog.Put(&q)); err != nil || !o.restart {
		return err
	}
	value := q.Start
	if o.restartWith != nil {
		value = *o.restartWith
	}
	return s.SetValue(ctx, q.ID, value, false)
}
