package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// maxPartitionKeys is PostgreSQL's PARTITION_MAX_KEYS.
const maxPartitionKeys = 32

// partitionBy is PARTITION BY of a new table whose columns are known.
func (d *definition) partitionBy(spec *ast.PartitionSpec) error {
	if spec == nil {
		return nil
	}
	switch {
	case spec.Strategy == "list" && len(spec.Elems) > 1:
		return pgerr.New(pgerr.InvalidObjectDefinition, `cannot use "list" partition strategy with more than one column`)
	case len(spec.Elems) > maxPartitionKeys:
		return pgerr.Newf(pgerr.TooManyColumns, "cannot partition using more than %d columns", maxPartitionKeys)
	}
	p := &catalog.Partitioning{Strategy: spec.Strategy}
	for i := range spec.Elems {
		k, err := d.partitionKey(&spec.Elems[i])
		if err != nil {
			return err
		}
		p.Keys = append(p.Keys, k)
	}
	d.table.Partitioned = p
	return nil
}

func (d *definition) partitionKey(e *ast.IndexElem) (catalog.PartitionKey, error) {
	column := e.Column
	if r, ok := e.Expr.(*ast.ColumnRef); ok && !r.Star {
		column = r.Parts[len(r.Parts)-1]
	}
	if column != "" {
		c := d.table.Column(column)
		switch {
		case c == nil:
			return catalog.PartitionKey{}, pgerr.Newf(pgerr.UndefinedColumn, `column "%s" named in partition key does not exist`, column).At(e.Pos)
		case c.Generated != "" || d.isGenerated(column):
			return catalog.PartitionKey{}, pgerr.New(pgerr.InvalidObjectDefinition, "cannot use generated column in partition key").
				WithDetail(`Column "%s" is a generated column.`, column).At(e.Pos)
		}
		if _, err := btreeClass(c.Type, e.Opclass); err != nil {
			return catalog.PartitionKey{}, err
		}
		return catalog.PartitionKey{Column: c.Num, Type: c.Type, Typmod: c.Typmod}, nil
	}
	out, err := d.s.store(d.table, e.Expr, expr.Type{}, "partition key expressions")
	if err != nil {
		return catalog.PartitionKey{}, err
	}
	switch {
	case len(out.Columns) == 0:
		return catalog.PartitionKey{}, pgerr.New(pgerr.InvalidObjectDefinition, "cannot use constant expression as partition key").At(e.Pos)
	case !immutable(out.Bound):
		return catalog.PartitionKey{}, pgerr.New(pgerr.InvalidObjectDefinition, "functions in partition key expression must be marked IMMUTABLE").At(e.Pos)
	}
	t := out.Bound.Type()
	if t.OID == types.UnknownOID {
		t.OID = types.TextOID
	}
	if _, err := btreeClass(t.OID, e.Opclass); err != nil {
		return catalog.PartitionKey{}, err
	}
	return catalog.PartitionKey{Expr: out.Text, Type: t.OID, Typmod: t.Typmod}, nil
}

// keyCoversPartition demands that a unique key of a partitioned table has all
// partition columns: each partition checks its own rows only.
func keyCoversPartition(t *catalog.Table, x *catalog.Index) error {
	if t.Partitioned == nil || !x.Unique {
		return nil
	}
	what := "UNIQUE"
	if x.Primary {
		what = "PRIMARY KEY"
	}
	for _, k := range t.Partitioned.Keys {
		if k.Column == 0 {
			return pgerr.Newf(pgerr.FeatureNotSupported, "unsupported %s constraint with partition key definition", what).
				WithDetail("%s constraints cannot be used when partition keys include expressions.", what)
		}
		if slices.ContainsFunc(x.Keys, func(y catalog.IndexKey) bool { return y.Column == k.Column }) {
			continue
		}
		e := pgerr.New(pgerr.FeatureNotSupported, "unique constraint on partitioned table must include all partitioning columns")
		column := t.Columns[k.Column-1].Name
		if x.Constraint == 0 {
			return e.WithDetail(`UNIQUE constraint on table "%s" lacks column "%s" which is part of the partition key.`, t.Name, column)
		}
		return e.WithDetail(`%s constraint on table "%s" lacks column "%s" which is part of the partition key.`, what, t.Name, column)
	}
	return nil
}

// partitionParent finds and locks the table that a partition is added to.
func (s *statement) partitionParent(ctx context.Context, r *ast.RangeVar) (*catalog.Table, error) {
	parent, err := s.table(r)
	if err != nil {
		return nil, err
	}
	if err := s.Txn.LockTable(ctx, parent.ID, storage.LockAccessExclusive, s.Wait); err != nil {
		return nil, err
	}
	if parent = s.catalog().Table(parent.ID); parent == nil {
		return nil, s.noRelation(r, "relation")
	}
	if parent.Partitioned == nil {
		return nil, pgerr.Newf(pgerr.InvalidObjectDefinition, `"%s" is not partitioned`, parent.Name)
	}
	return parent, nil
}

// partitionOf makes a new table a partition: it has its parent's columns, at the
// same places, and its constraints.
func (d *definition) partitionOf(ctx context.Context, parent *catalog.Table, t *ast.CreateTable) error {
	for _, from := range parent.Columns {
		from.Identity, from.Missing = 0, nil // an identity's values come from the parent
		d.table.Columns = append(d.table.Columns, from)
	}
	for _, k := range parent.Checks {
		id, err := d.s.NewID()
		if err != nil {
			return err
		}
		k.ID, k.NotValid = id, false
		d.table.Checks = append(d.table.Checks, k)
	}
	for i := range t.Columns {
		def := &t.Columns[i]
		c := d.table.Column(def.Name)
		if c == nil {
			return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" does not exist`, def.Name).At(def.Pos)
		}
		if err := d.overrideColumn(c, def); err != nil {
			return err
		}
	}
	b, err := d.s.partitionBound(ctx, parent, d.table.Name, t.Bound)
	if err != nil {
		return err
	}
	d.table.Parent, d.table.Bound = parent.ID, b
	return nil
}

// overrideColumn applies the options that PARTITION OF gives a column.
func (d *definition) overrideColumn(c *catalog.Column, def *ast.ColumnDef) error {
	for _, k := range def.Constraints {
		switch k.Kind {
		case ast.ConstraintNotNull:
			c.NotNull = true
		case ast.ConstraintNull:
		case ast.ConstraintDefault:
			c.Default = ""
			if err := d.setDefault(c, k.Expr); err != nil {
				return err
			}
		default:
			k.Columns = []string{c.Name}
			if err := d.constrain(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// partitionBound reads FOR VALUES of a new partition and demands that it is free.
func (s *statement) partitionBound(ctx context.Context, parent *catalog.Table, name string, b *ast.PartitionBound) (*catalog.PartitionBound, error) {
	out, err := s.boundValues(ctx, parent, b)
	if err != nil {
		return nil, err
	}
	parts, err := plan.NewPartitions(s.Plan(), parent)
	if err != nil {
		return nil, err
	}
	if empty, err := parts.Empty(out); err != nil {
		return nil, err
	} else if empty {
		return nil, pgerr.Newf(pgerr.InvalidObjectDefinition, `empty range bound specified for partition "%s"`, name).
			WithDetail("Specified lower bound %s is greater than or equal to upper bound %s.",
				expr.PartitionLimits(parent, out.From), expr.PartitionLimits(parent, out.To))
	}
	other, err := parts.Conflict(out)
	if err != nil || other == nil {
		return out, err
	}
	if out.Default {
		return nil, pgerr.Newf(pgerr.InvalidObjectDefinition, `partition "%s" conflicts with existing default partition "%s"`, name, other.Name)
	}
	return nil, pgerr.Newf(pgerr.InvalidObjectDefinition, `partition "%s" would overlap partition "%s"`, name, other.Name)
}

// boundValues computes a bound's values as texts of the key types.
func (s *statement) boundValues(ctx context.Context, parent *catalog.Table, b *ast.PartitionBound) (*catalog.PartitionBound, error) {
	out := &catalog.PartitionBound{Default: b.Default, Modulus: b.Modulus, Remainder: b.Remainder}
	p := parent.Partitioned
	given := map[bool]string{b.In != nil: "list", b.From != nil: "range", b.Modulus != 0: "hash"}[true]
	if b.Default {
		if p.Strategy == "hash" {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "a hash-partitioned table may not have a default partition")
		}
		return out, nil
	}
	if given != p.Strategy {
		return nil, pgerr.Newf(pgerr.InvalidTableDefinition, "invalid bound specification for a %s partition", p.Strategy)
	}
	switch given {
	case "hash":
		if b.Modulus <= 0 {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "modulus for hash partition must be an integer value greater than zero")
		}
		if b.Remainder < 0 || b.Remainder >= b.Modulus {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "remainder for hash partition must be less than modulus")
		}
		return out, s.hashModulus(parent, b.Modulus)
	case "list":
		for _, e := range b.In {
			text, err := s.boundValue(ctx, parent, 0, e)
			if err != nil {
				return nil, err
			}
			out.In = append(out.In, text)
		}
		return out, nil
	}
	if len(b.From) != len(p.Keys) {
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "FROM must specify exactly one value per partitioning column")
	}
	if len(b.To) != len(p.Keys) {
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "TO must specify exactly one value per partitioning column")
	}
	var err error
	if out.From, err = s.limits(ctx, parent, b.From); err != nil {
		return nil, err
	}
	out.To, err = s.limits(ctx, parent, b.To)
	return out, err
}

// hashModulus demands, as PostgreSQL does, that the moduli of a table divide each other.
func (s *statement) hashModulus(parent *catalog.Table, modulus int) error {
	for _, c := range slices.Backward(s.catalog().Partitions(parent.ID)) {
		m := c.Bound.Modulus
		if modulus%m != 0 && m%modulus != 0 {
			return pgerr.New(pgerr.InvalidObjectDefinition, "every hash partition modulus must be a factor of the next larger modulus").
				WithDetail(`The new modulus %d is not %s %d, the modulus of existing partition "%s".`,
					modulus, map[bool]string{true: "a factor of", false: "divisible by"}[modulus < m], m, c.Name)
		}
	}
	return nil
}

func (s *statement) limits(ctx context.Context, parent *catalog.Table, list []ast.Expr) ([]catalog.PartitionLimit, error) {
	var out []catalog.PartitionLimit
	var infinite int8
	for i, e := range list {
		var l catalog.PartitionLimit
		if r, ok := e.(*ast.ColumnRef); ok && !r.Star && len(r.Parts) == 1 {
			l.Infinite = map[string]int8{"minvalue": -1, "maxvalue": 1}[r.Parts[0]]
		}
		if infinite != 0 && l.Infinite != infinite {
			word := map[int8]string{-1: "MINVALUE", 1: "MAXVALUE"}[infinite]
			return nil, pgerr.Newf(pgerr.DatatypeMismatch, "every bound following %s must also be %s", word, word)
		}
		infinite = l.Infinite
		if l.Infinite == 0 {
			text, err := s.boundValue(ctx, parent, i, e)
			if err != nil {
				return nil, err
			}
			if text == nil {
				return nil, pgerr.New(pgerr.InvalidObjectDefinition, "cannot specify NULL in range bound")
			}
			l.Value = *text
		}
		out = append(out, l)
	}
	return out, nil
}

// boundValue computes one value; nil is NULL.
func (s *statement) boundValue(ctx context.Context, parent *catalog.Table, key int, e ast.Expr) (*string, error) {
	k := &parent.Partitioned.Keys[key]
	bound, err := plan.BindTableExpr(s.Plan(), nil, e, expr.Type{OID: k.Type, Typmod: k.Typmod}, "partition bound")
	if err != nil {
		return nil, err
	}
	d, err := bound.Eval(s.context(ctx))
	if err != nil || d == nil {
		return nil, err
	}
	text := types.FormatString(k.Type, d, types.DefaultEnv())
	return &text, nil
}

// joinParent gives a new partition its parent's indexes.
func (s *statement) joinParent(ctx context.Context, parent *catalog.Table, id types.OID) error {
	if err := s.tryDefault(ctx, parent, id); err != nil {
		return err
	}
	for _, x := range s.catalog().Indexes(parent.ID) {
		if err := s.indexPartition(ctx, s.catalog().Table(id), x); err != nil {
			return err
		}
	}
	return nil
}

// tryDefault demands that the default partition has no row that a new partition takes.
func (s *statement) tryDefault(ctx context.Context, parent *catalog.Table, added types.OID) error {
	var rest *catalog.Table
	for _, c := range s.catalog().Partitions(parent.ID) {
		if c.Bound.Default && c.ID != added {
			rest = c
		}
	}
	if rest == nil {
		return nil
	}
	return s.tryPartition(ctx, s.catalog().Table(parent.ID), rest,
		pgerr.Newf(pgerr.CheckViolation, `updated partition constraint for default partition "%s" would be violated by some row`, rest.Name))
}

// tryPartition demands that all rows of a table belong into it as a partition.
func (s *statement) tryPartition(ctx context.Context, parent, child *catalog.Table, violated *pgerr.Error) error {
	parts, err := plan.NewPartitions(s.Plan(), parent)
	if err != nil {
		return err
	}
	ec := s.context(ctx)
	eval := func(e expr.Expr, row types.Row) (types.Datum, error) {
		ec.Row = row
		return e.Eval(ec)
	}
	var columns []int16
	for _, k := range parts.Keys {
		columns = append(columns, columnsOf(k)...)
	}
	for _, leaf := range s.catalog().Leaves(child, nil) {
		if err := s.Txn.LockTable(ctx, leaf.ID, storage.LockAccessExclusive, s.Wait); err != nil {
			return err
		}
		err := s.eachRow(ctx, leaf, columns, func(row types.Row) error {
			ok, err := parts.Takes(eval, row, child.ID)
			if err == nil && !ok {
				err = violated
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// indexPartitions gives a new index of a partitioned table to all its partitions.
func (s *statement) indexPartitions(ctx context.Context, table *catalog.Table, x *catalog.Index) error {
	for _, child := range s.catalog().Partitions(table.ID) {
		if err := s.indexPartition(ctx, child, x); err != nil {
			return err
		}
	}
	return nil
}

// indexPartition attaches an index of a partition to its parent's, making it when
// there is none like it.
func (s *statement) indexPartition(ctx context.Context, child *catalog.Table, parent *catalog.Index) error {
	if err := s.Txn.LockTable(ctx, child.ID, storage.LockShare, s.Wait); err != nil {
		return err
	}
	if err := keyCoversPartition(child, parent); err != nil {
		return err
	}
	for _, y := range s.catalog().Indexes(child.ID) {
		if y.Parent == 0 && sameIndex(parent, y) {
			z := y.Clone()
			z.Parent = parent.ID
			z.Version++
			return s.Txn.Change(ctx, catalog.Put(z))
		}
	}
	x := parent.Clone()
	x.Table, x.Schema, x.Parent, x.Valid, x.Version, x.Comment = child.ID, child.Schema, parent.ID, false, 1, ""
	var err error
	if x.ID, err = s.NewID(); err != nil {
		return err
	}
	if x.Constraint != 0 {
		if x.Constraint, err = s.NewID(); err != nil {
			return err
		}
	}
	x.Name = s.partName(child, x)
	return s.addIndex(ctx, child, x)
}

// addIndex puts an index into the catalog and fills it, or gives it to the partitions.
func (s *statement) addIndex(ctx context.Context, table *catalog.Table, x *catalog.Index) error {
	if table.Partitioned != nil {
		x.Valid = true
		if x.Parent == 0 && s.only {
			x.Valid = len(s.catalog().Partitions(table.ID)) == 0
		}
		if err := s.Txn.Change(ctx, catalog.Put(x)); err != nil {
			return err
		}
		if s.only {
			return nil
		}
		return s.indexPartitions(ctx, table, x)
	}
	if err := s.Txn.Change(ctx, catalog.Put(x)); err != nil {
		return err
	}
	return s.Txn.BuildIndex(ctx, table, x)
}

// partName is the name that PostgreSQL gives the index of a partition.
func (s *statement) partName(child *catalog.Table, x *catalog.Index) string {
	names := make([]string, 0, len(x.Keys))
	for i := range x.Keys {
		if x.Keys[i].Column == 0 {
			names = append(names, "expr")
			continue
		}
		names = append(names, child.Columns[x.Keys[i].Column-1].Name)
	}
	choose := s.chooser(child.Schema)
	switch {
	case x.Primary:
		return choose.relation(child.Name, "", "pkey")
	case x.Constraint != 0:
		return choose.relation(child.Name, nameAddition(names), "key")
	}
	return choose.relation(child.Name, nameAddition(names), "idx")
}

// sameIndex says whether an index of a partition can be the part of its parent's.
func sameIndex(parent, x *catalog.Index) bool {
	if parent.Method != x.Method || parent.Unique != x.Unique || parent.Primary && !x.Primary || parent.Constraint != 0 && x.Constraint == 0 {
		return false
	}
	same := func(a, b catalog.IndexKey) bool {
		return a.Column == b.Column && a.Expr == b.Expr && a.Opclass == b.Opclass && a.Metric == b.Metric && a.Desc == b.Desc && a.NullsFirst == b.NullsFirst
	}
	return slices.EqualFunc(parent.Keys, x.Keys, same) && parent.Predicate == x.Predicate && parent.NullsNotDistinct == x.NullsNotDistinct
}

// attachIndex is ALTER INDEX … ATTACH PARTITION: an index that was made with ON
// ONLY becomes valid when all partitions have their part.
func (s *statement) attachIndex(ctx context.Context, x *catalog.Index, act *ast.AlterAction) error {
	y, err := s.index(act.Partition)
	if err != nil {
		return err
	}
	table, child := s.catalog().Table(x.Table), s.catalog().Table(y.Table)
	refused := pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, `cannot attach index "%s" as a partition of index "%s"`, y.Name, x.Name)
	switch {
	case y.Parent == x.ID:
		return nil
	case y.Parent != 0:
		return refused.WithDetail(`Index "%s" is already attached to another index.`, y.Name)
	case child.Parent != table.ID:
		return refused.WithDetail(`Index "%s" is not an index on any partition of table "%s".`, y.Name, table.Name)
	case !sameIndex(x, y):
		e := *refused
		e.Code = pgerr.InvalidObjectDefinition
		return e.WithDetail("The index definitions do not match.")
	}
	part := y.Clone()
	part.Parent = x.ID
	part.Version++
	if err := s.Txn.Change(ctx, catalog.Put(part)); err != nil {
		return err
	}
	return s.validateParent(ctx, x.ID)
}

// validateParent makes an index of a partitioned table valid once all partitions have it.
func (s *statement) validateParent(ctx context.Context, id types.OID) error {
	x, ok := s.catalog().Object(id).(*catalog.Index)
	if !ok || x.Valid || len(s.catalog().IndexParts(x)) < len(s.catalog().Partitions(x.Table)) {
		return nil
	}
	for _, part := range s.catalog().IndexParts(x) {
		if !part.Valid {
			return nil
		}
	}
	y := x.Clone()
	y.Valid = true
	y.Version++
	if err := s.Txn.Change(ctx, catalog.Put(y)); err != nil {
		return err
	}
	return s.validateParent(ctx, y.Parent)
}

// attachPartition is ATTACH PARTITION.
func (a *alteration) attachPartition(ctx context.Context, act *ast.AlterAction) error {
	s, parent := a.s, a.table
	if parent.Partitioned == nil {
		return pgerr.Newf(pgerr.WrongObjectType, `ALTER action ATTACH PARTITION cannot be performed on relation "%s"`, parent.Name).
			WithDetail("This operation is not supported for tables.")
	}
	child, err := s.table(act.Partition)
	if err != nil {
		return err
	}
	if err := s.Txn.LockTable(ctx, child.ID, storage.LockAccessExclusive, s.Wait); err != nil {
		return err
	}
	if child = s.catalog().Table(child.ID); child == nil {
		return s.noRelation(act.Partition, "relation")
	}
	if child.Parent != 0 {
		return pgerr.Newf(pgerr.WrongObjectType, `"%s" is already a partition`, child.Name)
	}
	if len(child.Foreign) > 0 || len(s.catalog().Referencing(child.ID)) > 0 {
		return pgerr.Unsupported("FOREIGN KEY of a partition")
	}
	if child.ID == parent.ID || slices.ContainsFunc(s.catalog().Descendants(child, nil), func(t *catalog.Table) bool { return t.ID == parent.ID }) {
		return pgerr.New(pgerr.DuplicateTable, "circular inheritance not allowed").
			WithDetail(`"%s" is already a child of "%s".`, parent.Name, child.Name)
	}
	if err := fitsParent(parent, child); err != nil {
		return err
	}
	bound, err := s.partitionBound(ctx, parent, child.Name, act.Bound)
	if err != nil {
		return err
	}
	t := child.Clone()
	t.Parent, t.Bound = parent.ID, bound
	t.Version++
	if err := s.Txn.Change(ctx, catalog.Put(t)); err != nil {
		return err
	}
	violated := pgerr.Newf(pgerr.CheckViolation, `partition constraint of relation "%s" is violated by some row`, t.Name)
	if err := s.tryPartition(ctx, parent, t, violated); err != nil {
		return err
	}
	return s.joinParent(ctx, parent, t.ID)
}

// fitsParent demands that a table has the columns and constraints of its parent.
func fitsParent(parent, child *catalog.Table) error {
	for _, c := range child.Live() {
		if parent.Column(c.Name) == nil {
			return pgerr.Newf(pgerr.DatatypeMismatch, `table "%s" contains column "%s" not found in parent "%s"`, child.Name, c.Name, parent.Name).
				WithDetail("The new partition may contain only the columns present in parent.")
		}
	}
	for _, c := range parent.Live() {
		own := child.Column(c.Name)
		switch {
		case own == nil:
			return pgerr.Newf(pgerr.DatatypeMismatch, `child table is missing column "%s"`, c.Name)
		case own.Type != c.Type || own.Typmod != c.Typmod:
			return pgerr.Newf(pgerr.DatatypeMismatch, `child table "%s" has different type for column "%s"`, child.Name, c.Name)
		case c.NotNull && !own.NotNull:
			return pgerr.Newf(pgerr.DatatypeMismatch, `column "%s" in child table must be marked NOT NULL`, c.Name)
		case own.Generated != c.Generated:
			return pgerr.Newf(pgerr.DatatypeMismatch, `column "%s" in child table must be a generated column`, c.Name)
		case own.Num != c.Num:
			return pgerr.Newf(pgerr.FeatureNotSupported, `column "%s" of table "%s" has another place than in "%s"`, c.Name, child.Name, parent.Name).
				WithHint("Make the partition with CREATE TABLE … PARTITION OF, or with its columns in the parent's order.")
		}
	}
	if len(child.Columns) != len(parent.Columns) {
		return pgerr.Newf(pgerr.FeatureNotSupported, `table "%s" has dropped columns that "%s" does not have`, child.Name, parent.Name).
			WithHint("Copy its rows into a table made with CREATE TABLE … PARTITION OF.")
	}
	for _, k := range parent.Checks {
		if own := check(child, k.Name); own == nil {
			return pgerr.Newf(pgerr.DatatypeMismatch, `child table is missing constraint "%s"`, k.Name)
		} else if own.Expr != k.Expr {
			return pgerr.Newf(pgerr.DatatypeMismatch, `child table "%s" has different definition for check constraint "%s"`, child.Name, k.Name)
		}
	}
	return nil
}

// detachPartition is DETACH PARTITION: the table goes on by itself.
func (a *alteration) detachPartition(ctx context.Context, act *ast.AlterAction) error {
	s := a.s
	child, err := s.table(act.Partition)
	if err != nil {
		return err
	}
	if err := s.Txn.LockTable(ctx, child.ID, storage.LockAccessExclusive, s.Wait); err != nil {
		return err
	}
	if child = s.catalog().Table(child.ID); child == nil || child.Parent != a.table.ID {
		return pgerr.Newf(pgerr.UndefinedTable, `relation "%s" is not a partition of relation "%s"`, act.Partition.Name, a.table.Name)
	}
	t := child.Clone()
	t.Parent, t.Bound = 0, nil
	t.Version++
	changes := []catalog.Change{catalog.Put(t)}
	for _, x := range s.catalog().Indexes(t.ID) {
		if x.Parent != 0 {
			y := x.Clone()
			y.Parent = 0
			y.Version++
			changes = append(changes, catalog.Put(y))
		}
	}
	return s.Txn.Change(ctx, changes...)
}

// inherited are the actions that a partitioned table hands down to its partitions.
var inherited = map[string]bool{
	"DROP COLUMN": true, "ADD COLUMN": true, "ALTER TYPE": true, "SET DEFAULT": true, "DROP DEFAULT": true, "SET NOT NULL": true, "DROP NOT NULL": true,
	"DROP EXPRESSION": true, "ADD CONSTRAINT": true, "DROP CONSTRAINT": true, "VALIDATE CONSTRAINT": true, "SET OPTIONS": true, "RESET OPTIONS": true,
}

// alterPartitions does to all partitions what was done to their table.
func (s *statement) alterPartitions(ctx context.Context, a *alteration, list []ast.AlterAction) error {
	parent := s.catalog().Table(a.table.ID)
	if parent == nil || parent.Partitioned == nil || s.only {
		return nil
	}
	for _, child := range s.catalog().Partitions(parent.ID) {
		if err := s.Txn.LockTable(ctx, child.ID, storage.LockAccessExclusive, s.Wait); err != nil {
			return err
		}
		if err := s.alterPartition(ctx, parent, child, a.newNotNull, list); err != nil {
			return err
		}
	}
	for _, x := range a.indexes {
		if err := s.indexPartitions(ctx, parent, x); err != nil {
			return err
		}
	}
	return nil
}

// alterPartition runs the inherited actions on one partition.
func (s *statement) alterPartition(ctx context.Context, parent, child *catalog.Table, notNull []string, list []ast.AlterAction) error {
	a := &alteration{definition: s.define(child.Clone()), from: child}
	a.table.Version++
	var own []ast.AlterAction
	for _, act := range list {
		switch {
		case !inherited[act.Op]:
		case act.Op == "ADD COLUMN":
			c := parent.Column(act.Column.Name)
			if c == nil || a.table.Column(c.Name) != nil {
				continue
			}
			added := *c
			added.Identity, added.Missing = 0, nil
			a.table.Columns = append(a.table.Columns, added)
			a.added = append(a.added, added.Name)
			for i := range act.Column.Constraints {
				if k := &act.Column.Constraints[i]; k.Kind == ast.ConstraintCheck {
					a.inheritChecks(parent)
				}
			}
		case act.Op == "ADD CONSTRAINT":
			if act.Constraint.Kind == ast.ConstraintCheck {
				a.inheritChecks(parent)
			}
		case act.Op == "DROP CONSTRAINT":
			act.IfExists = check(a.table, act.Name) == nil
			if !act.IfExists {
				own = append(own, act) // keys go with the parent's index
			}
		default:
			act.IfExists = act.IfExists || act.Op == "DROP COLUMN"
			own = append(own, act)
		}
	}
	for _, name := range notNull {
		own = append(own, ast.AlterAction{Op: "SET NOT NULL", Name: name})
	}
	for p := passDrop; p < passes; p++ {
		if err := a.runPass(ctx, p, own); err != nil {
			return err
		}
	}
	if err := a.finishAlter(ctx); err != nil {
		return err
	}
	return s.alterPartitions(ctx, a, list)
}

// inheritChecks takes over the parent's CHECK constraints that are missing.
func (a *alteration) inheritChecks(parent *catalog.Table) {
	for _, k := range parent.Checks {
		if check(a.table, k.Name) != nil {
			continue
		}
		id, err := a.s.NewID()
		if err != nil {
			continue
		}
		valid := !k.NotValid
		k.ID = id
		a.table.Checks = append(a.table.Checks, k)
		if valid {
			a.addedChecks = append(a.addedChecks, k.Name)
		}
	}
}

// refuseInherited refuses changes of a partition that would set it apart from its parent.
func (a *alteration) refuseInherited(list []ast.AlterAction) error {
	parent := a.s.catalog().Table(a.table.Parent)
	if parent == nil {
		return nil
	}
	for i := range list {
		act := &list[i]
		switch act.Op {
		case "DROP COLUMN":
			if parent.Column(act.Name) != nil {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot drop inherited column "%s"`, act.Name)
			}
		case "ADD COLUMN":
			return pgerr.New(pgerr.WrongObjectType, "cannot add column to a partition")
		case "ALTER TYPE":
			if parent.Column(act.Name) != nil {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot alter inherited column "%s"`, act.Name)
			}
		case "DROP NOT NULL":
			if c := parent.Column(act.Name); c != nil && c.NotNull {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `column "%s" is marked NOT NULL in parent table`, act.Name)
			}
		case "DROP CONSTRAINT":
			if x := keyConstraint(a.s.catalog(), a.table, act.Name); x != nil && x.Parent != 0 || check(parent, act.Name) != nil {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot drop inherited constraint "%s" of relation "%s"`, act.Name, a.table.Name)
			}
		}
	}
	return nil
}

// refusePartitioned refuses what a partitioned table cannot do.
func (a *alteration) refusePartitioned(list []ast.AlterAction) error {
	if a.table.Partitioned == nil {
		return nil
	}
	for i := range list {
		act := &list[i]
		if act.Op != "DROP COLUMN" && act.Op != "ALTER TYPE" {
			continue
		}
		c := a.table.Column(act.Name)
		if c == nil {
			continue
		}
		word := map[string]string{"DROP COLUMN": "drop", "ALTER TYPE": "alter"}[act.Op]
		for _, k := range a.table.Partitioned.Keys {
			if k.Column == c.Num {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot %s column "%s" because it is part of the partition key of relation "%s"`, word, c.Name, a.table.Name)
			}
			if k.Expr == "" {
				continue
			}
			e, err := a.s.parse(a.table, k.Expr, expr.Type{}, "partition key expressions")
			if err == nil && slices.Contains(columnsOf(e), c.Num) {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `cannot %s column "%s" because it is part of the partition key of relation "%s"`, word, c.Name, a.table.Name)
			}
		}
	}
	return nil
}
