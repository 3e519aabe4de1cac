package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

func (s *statement) createTable(ctx context.Context, t *ast.CreateTable) error {
	if err := unsupportedTable(t); err != nil {
		return err
	}
	schema, err := s.creationSchema(ctx, t.Table)
	if err != nil {
		return err
	}
	if free, err := s.newRelation(ctx, schema, t.Table.Name, t.IfNotExists); err != nil || !free {
		return err
	}
	table, err := s.newTable(schema, t.Table.Name, t.Options)
	if err != nil {
		return err
	}
	d := s.define(table)
	d.names.taken[table.Name] = true
	var parent *catalog.Table
	if t.PartitionOf != nil {
		if parent, err = s.partitionParent(ctx, t.PartitionOf); err != nil {
			return err
		}
		if err := d.partitionOf(ctx, parent, t); err != nil {
			return err
		}
		t.Columns = nil
	}
	likes, err := d.addLikes(t)
	if err != nil {
		return err
	}
	for i := range t.Columns {
		if err := d.addColumn(&t.Columns[i]); err != nil {
			return err
		}
	}
	for _, k := range t.Constraints {
		if err := d.constrain(k); err != nil {
			return err
		}
	}
	if err := d.partitionBy(t.PartitionBy); err != nil {
		return err
	}
	if err := d.finish(ctx); err != nil {
		return err
	}
	if err := d.copyIndexes(likes); err != nil {
		return err
	}
	if err := s.Txn.Change(ctx, d.changes()...); err != nil {
		return err
	}
	if err := d.build(ctx); err != nil {
		return err
	}
	if parent != nil {
		if err := s.joinParent(ctx, parent, table.ID); err != nil {
			return err
		}
	}
	return s.onCommit(t.OnCommit, table)
}

func unsupportedTable(t *ast.CreateTable) error {
	if len(t.Inherits) > 0 {
		return pgerr.Unsupported("INHERITS")
	}
	return checkOnCommit(t.OnCommit, t.Table.Temp)
}

func checkOnCommit(action string, temp bool) error {
	if action != "" && !temp {
		return pgerr.New(pgerr.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	return nil
}

// onCommit hands DROP and DELETE ROWS to the session.
func (s *statement) onCommit(action string, t *catalog.Table) error {
	if action == "" || action == "PRESERVE ROWS" {
		return nil
	}
	if s.OnCommit == nil {
		return pgerr.Unsupported("ON COMMIT " + action)
	}
	s.OnCommit(action, t)
	return nil
}

// newTable makes the descriptor of a table without columns.
func (s *statement) newTable(schema, name string, opts []ast.Option) (*catalog.Table, error) {
	kept, err := options(opts, tableOptions)
	if err != nil {
		return nil, err
	}
	tier := types.TierHot
	if name, ok := kept["tier"]; ok {
		if tier, err = parseTier(name); err != nil {
			return nil, err
		}
		delete(kept, "tier")
	}
	id, err := s.NewID()
	if err != nil {
		return nil, err
	}
	t := &catalog.Table{ID: id, Schema: schema, Name: name, Owner: s.User, Options: mergeOptions(kept, nil, nil), RowType: types.RowOID(id), Version: 1}
	if s.isTemp(schema) {
		t.Temp = s.SessionID
	}
	if tier == types.TierHot {
		return t, nil
	}
	if err := s.setTier(t, tier, false); err != nil {
		return nil, err
	}
	t.Tier = types.TierWarm // an empty table lies there as it is
	return t, nil
}

// The bits of LIKE's INCLUDING (parsenodes.h TableLikeOption).
const (
	likeComments    = 1 << 0
	likeConstraints = 1 << 2
	likeDefaults    = 1 << 3
	likeGenerated   = 1 << 4
	likeIdentity    = 1 << 5
	likeIndexes     = 1 << 6
)

// liked is a table whose indexes are copied; column maps its attnums to the new ones.
type liked struct {
	table  *catalog.Table
	column map[int16]int16
	bits   uint32
}

// addLikes copies the columns of LIKE clauses.
func (d *definition) addLikes(t *ast.CreateTable) ([]liked, error) {
	var out []liked
	for i, name := range t.Like {
		l, err := d.addLike(name, t.LikeOptions[i])
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func (d *definition) addLike(name *ast.RangeVar, bits uint32) (liked, error) {
	out := liked{column: map[int16]int16{}, bits: bits}
	o, err := d.s.relation(name)
	if err != nil {
		return out, err
	}
	var columns []catalog.Column
	switch v := o.(type) {
	case nil:
		return out, d.s.noRelation(name, "relation")
	case *catalog.Table:
		columns, out.table = v.Columns, v
	case *catalog.View:
		columns = v.Columns
	default:
		return out, wrongObject(o, "a table or view").At(name.Pos)
	}
	for _, from := range columns {
		if from.Dropped {
			continue
		}
		if err := d.copyColumn(from, bits); err != nil {
			return out, err
		}
		out.column[from.Num] = int16(len(d.table.Columns))
	}
	if out.table != nil && bits&likeConstraints != 0 {
		return out, d.copyChecks(out)
	}
	return out, nil
}

func (d *definition) copyColumn(from catalog.Column, bits uint32) error {
	if err := d.checkColumnName(from.Name); err != nil {
		return err
	}
	if d.table.Column(from.Name) != nil {
		return pgerr.Newf(pgerr.DuplicateColumn, `column "%s" specified more than once`, from.Name)
	}
	c := catalog.Column{
		Num: int16(len(d.table.Columns) + 1), Name: from.Name, Type: from.Type, Typmod: from.Typmod, NotNull: from.NotNull, Collation: from.Collation,
	}
	if bits&likeDefaults != 0 {
		c.Default = from.Default
	}
	if bits&likeGenerated != 0 {
		c.Generated = from.Generated
	}
	if bits&likeComments != 0 {
		c.Comment = from.Comment
	}
	d.table.Columns = append(d.table.Columns, c)
	if from.Identity != 0 && bits&likeIdentity != 0 {
		added := &d.table.Columns[len(d.table.Columns)-1]
		return d.addIdentity(added, &ast.Constraint{Always: from.Identity == 'a'})
	}
	return nil
}

func (d *definition) copyChecks(l liked) error {
	for _, k := range l.table.Checks {
		id, err := d.s.NewID()
		if err != nil {
			return err
		}
		columns := make([]int16, len(k.Columns))
		for i, num := range k.Columns {
			columns[i] = l.column[num]
		}
		d.table.Checks = append(d.table.Checks, catalog.Check{ID: id, Name: k.Name, Expr: k.Expr, Columns: columns})
	}
	return nil
}

// copyIndexes copies the indexes of LIKE … INCLUDING INDEXES under new names.
func (d *definition) copyIndexes(likes []liked) error {
	for _, l := range likes {
		if l.table == nil || l.bits&likeIndexes == 0 {
			continue
		}
		for _, x := range d.s.catalog().Indexes(l.table.ID) {
			if x.Primary && d.hasPrimary() {
				return pgerr.Newf(pgerr.InvalidTableDefinition, `multiple primary keys for table "%s" are not allowed`, d.table.Name)
			}
			if err := d.copyIndex(x, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *definition) copyIndex(from *catalog.Index, l liked) (err error) {
	x := from.Clone()
	x.Table, x.Schema, x.Valid, x.Version = d.table.ID, d.table.Schema, false, 1
	if l.bits&likeComments == 0 {
		x.Comment = ""
	}
	names := make([]string, 0, len(x.Keys))
	for i := range x.Keys {
		if x.Keys[i].Column == 0 {
			names = append(names, "expr")
			continue
		}
		x.Keys[i].Column = l.column[x.Keys[i].Column]
		c := &d.table.Columns[x.Keys[i].Column-1]
		c.NotNull = c.NotNull || x.Primary
		names = append(names, c.Name)
	}
	x.Include = make([]int16, len(from.Include))
	for i, num := range from.Include {
		x.Include[i] = l.column[num]
	}
	switch {
	case x.Primary:
		x.Name = d.names.relation(d.table.Name, "", "pkey")
	case x.Constraint != 0:
		x.Name = d.names.relation(d.table.Name, nameAddition(names), "key")
	default:
		x.Name = d.names.relation(d.table.Name, nameAddition(names), "idx")
	}
	if x.ID, err = d.s.NewID(); err != nil {
		return err
	}
	if x.Constraint != 0 {
		if x.Constraint, err = d.s.NewID(); err != nil {
			return err
		}
	}
	d.indexes = append(d.indexes, x)
	return nil
}
