package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// Restored is a table that a snapshot is restored as.
type Restored struct {
	Table *catalog.Table
	// From is, for each new index, the id that it had.
	From map[types.OID]types.OID
	d    *definition
}

// PrepareRestore makes the descriptors of a snapshot's table anew, under a free name,
// and locks the name. Nothing is changed yet.
func PrepareRestore(ctx context.Context, env *Env, from *storage.SnapshotContent, name *ast.RangeVar) (*Restored, error) {
	s := &statement{Env: env}
	env.Txn.SeeNewest()
	schema, err := s.creationSchema(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.isTemp(schema) {
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "a snapshot cannot be restored as a temporary table")
	}
	if _, err := s.newRelation(ctx, schema, name.Name, false); err != nil {
		return nil, err
	}
	table, err := s.restoredTable(from.Descriptor, schema, name.Name)
	if err != nil {
		return nil, err
	}
	r := &Restored{Table: table, From: map[types.OID]types.OID{}, d: s.define(table)}
	r.d.names.taken[table.Name] = true
	if len(from.Descriptor.Foreign) > 0 {
		s.notice("00000", `foreign keys of snapshot "%s" are not restored`, from.Name)
	}
	if err := r.sequences(from); err != nil {
		return nil, err
	}
	return r, r.indexes(from)
}

// restoredTable is the descriptor of the new table.
func (s *statement) restoredTable(from *catalog.Table, schema, name string) (*catalog.Table, error) {
	id, err := s.NewID()
	if err != nil {
		return nil, err
	}
	t := from.Clone()
	t.ID, t.RowType, t.Schema, t.Name, t.Owner, t.Version = id, types.RowOID(id), schema, name, s.User, 1
	t.Collection, t.Cold, t.Pinned, t.Temp, t.Foreign = "", nil, false, 0, nil
	if t.Tier == types.TierCold {
		t.Tier = types.TierWarm
	}
	for i := range t.Checks {
		if t.Checks[i].ID, err = s.NewID(); err != nil {
			return nil, err
		}
	}
	return t, s.knownTypes(t)
}

// knownTypes refuses a table with types that this server does not have.
func (s *statement) knownTypes(t *catalog.Table) error {
	for _, c := range t.Live() {
		for _, id := range []types.OID{c.Type, c.Domain} {
			if id != 0 && types.Lookup(id) == nil {
				return pgerr.Newf(pgerr.UndefinedObject, `type of column "%s" does not exist`, c.Name).
					WithHint("The snapshot was made with a type that has been dropped, or on another server.")
			}
		}
	}
	return nil
}

// sequences makes those that the table owned anew.
func (r *Restored) sequences(from *storage.SnapshotContent) (err error) {
	d := r.d
	for _, old := range from.Sequences {
		if old.OwnerTable != from.Descriptor.ID || old.OwnerColumn < 1 || int(old.OwnerColumn) > len(d.table.Columns) {
			continue
		}
		c := &d.table.Columns[old.OwnerColumn-1]
		q := *old
		q.Schema, q.Owner, q.OwnerTable = d.table.Schema, d.s.User, d.table.ID
		q.Name = d.names.relation(d.table.Name, c.Name, "seq")
		if q.ID, err = d.s.NewID(); err != nil {
			return err
		}
		if c.Default == nextval(old) {
			c.Default = nextval(&q)
		}
		d.sequences = append(d.sequences, &q)
	}
	return nil
}

// indexes copies the descriptors; those of a table of the old name keep theirs if
// they are free.
func (r *Restored) indexes(from *storage.SnapshotContent) error {
	same := map[int16]int16{}
	for i := range r.Table.Columns {
		same[int16(i+1)] = int16(i + 1)
	}
	l := liked{table: from.Descriptor, column: same, bits: likeIndexes | likeComments}
	for _, x := range from.Indexes {
		if !x.Valid {
			continue
		}
		if err := r.d.copyIndex(x, l); err != nil {
			return err
		}
		now := r.d.indexes[len(r.d.indexes)-1]
		r.From[now.ID] = x.ID
		if r.Table.Name == from.Table && !r.d.names.taken[x.Name] && r.d.s.catalog().Relation(r.Table.Schema, x.Name) == nil {
			now.Name = x.Name
			r.d.names.taken[x.Name] = true
		}
	}
	return nil
}

// Owned are the columns whose sequence must go on after the greatest value.
func (r *Restored) Owned() []int16 {
	var out []int16
	for _, q := range r.d.sequences {
		out = append(out, q.OwnerColumn)
	}
	return out
}

// Finish makes sequences and indexes, once the rows are there; highest are the
// greatest values of the columns that own a sequence.
func (r *Restored) Finish(ctx context.Context, env *Env, highest map[int16]int64) error {
	s := &statement{Env: env}
	r.d.s = s
	env.Txn.SeeNewest()
	if err := s.Txn.Change(ctx, r.d.changes()[1:]...); err != nil {
		return err
	}
	for _, q := range r.d.sequences {
		if n, ok := highest[q.OwnerColumn]; ok && q.Increment > 0 {
			if err := s.SetValue(ctx, q.ID, n, true); err != nil {
				return err
			}
		}
	}
	return r.d.build(ctx)
}

// OwnsSnapshot says whether the user may restore or drop a snapshot: its owner, the
// owner of the table, a superuser.
func OwnsSnapshot(env *Env, info storage.Snapshot) error {
	s := &statement{Env: env}
	if info.Owner == "" || info.Owner == s.User || s.isSuper() || s.memberOf(s.User, info.Owner, nil) {
		return nil
	}
	return pgerr.Newf(pgerr.InsufficientPrivilege, "must be owner of snapshot %s", info.Name)
}

// MustOwn refuses a table of somebody else.
func MustOwn(env *Env, t *catalog.Table) error { return (&statement{Env: env}).mustOwn(t) }
