package catalog

import (
	"maps"
	"slices"
	"sort"

	"github.com/akidb/akidb/internal/types"
)

// Name is a qualified name; Schema is "" for objects outside schemas.
type Name struct{ Schema, Name string }

// Change is one object made, replaced (Object set) or dropped (Object nil).
type Change struct {
	Kind   Kind
	ID     types.OID
	Object Object
}

// Put is the change that makes or replaces an object.
func Put(o Object) Change { return Change{Kind: o.ObjectKind(), ID: o.ObjectID(), Object: o} }

// Delete is the change that drops an object.
func Delete(o Object) Change { return Change{Kind: o.ObjectKind(), ID: o.ObjectID()} }

// relation kinds share one name space within a schema, as in pg_class.
func isRelation(k Kind) bool {
	return k == KindTable || k == KindIndex || k == KindSequence || k == KindView
}

// Snapshot is the schema at one version. It is immutable and safe for
// concurrent use.
type Snapshot struct {
	version uint64
	objects map[types.OID]Object
	// relations holds tables, indexes, sequences and views by name; others the rest.
	relations map[Name]Object
	others    map[Kind]map[Name]Object
	indexes   map[types.OID][]*Index // by table, sorted by name
	sequences map[types.OID][]*Sequence
	// partitions are the partitions of a table.
	partitions map[types.OID][]*Table
	// referencing are the tables with foreign keys to a table.
	referencing map[types.OID][]*Table
}

// Empty returns a snapshot without objects, version 0.
func Empty() *Snapshot {
	return &Snapshot{
		objects:   map[types.OID]Object{},
		relations: map[Name]Object{},
		others:    map[Kind]map[Name]Object{},
		indexes:   map[types.OID][]*Index{},
		sequences: map[types.OID][]*Sequence{},

		partitions:  map[types.OID][]*Table{},
		referencing: map[types.OID][]*Table{},
	}
}

// Version rises by one with every Apply.
func (s *Snapshot) Version() uint64 { return s.version }

// Apply returns a new snapshot with the changes made, in order. Dropping an
// unknown object does nothing.
func (s *Snapshot) Apply(changes ...Change) *Snapshot {
	n := s.copy()
	n.version = s.version + 1
	for _, c := range changes {
		if old, ok := n.objects[c.ID]; ok {
			n.remove(old)
		}
		if c.Object != nil {
			n.add(c.Object)
		}
	}
	return n
}

func (s *Snapshot) copy() *Snapshot {
	n := &Snapshot{
		objects: maps.Clone(s.objects), relations: maps.Clone(s.relations), others: make(map[Kind]map[Name]Object, len(s.others)),
		indexes: maps.Clone(s.indexes), sequences: maps.Clone(s.sequences),
		partitions: maps.Clone(s.partitions), referencing: maps.Clone(s.referencing),
	}
	for kind, m := range s.others {
		n.others[kind] = maps.Clone(m)
	}
	return n
}

func (s *Snapshot) names(k Kind) map[Name]Object {
	if isRelation(k) {
		return s.relations
	}
	m := s.others[k]
	if m == nil {
		m = map[Name]Object{}
		s.others[k] = m
	}
	return m
}

func (s *Snapshot) remove(o Object) {
	delete(s.objects, o.ObjectID())
	schema, name := o.ObjectName()
	names := s.names(o.ObjectKind())
	if cur, ok := names[Name{schema, name}]; ok && cur.ObjectID() == o.ObjectID() {
		delete(names, Name{schema, name})
	}
	switch o := o.(type) {
	case *Index:
		unlist(s.indexes, o.Table, o)
	case *Sequence:
		unlist(s.sequences, o.OwnerTable, o)
	case *Table:
		if o.Parent != 0 {
			unlist(s.partitions, o.Parent, o)
		}
		for _, f := range o.Foreign {
			unlist(s.referencing, f.RefTable, o)
		}
	}
}

func (s *Snapshot) add(o Object) {
	s.objects[o.ObjectID()] = o
	schema, name := o.ObjectName()
	s.names(o.ObjectKind())[Name{schema, name}] = o
	switch o := o.(type) {
	case *Index:
		enlist(s.indexes, o.Table, o)
	case *Sequence:
		if o.OwnerTable != 0 { // nobody asks for those that no table owns
			enlist(s.sequences, o.OwnerTable, o)
		}
	case *Table:
		if o.Parent != 0 {
			enlist(s.partitions, o.Parent, o)
		}
		for i, f := range o.Foreign {
			if !slices.ContainsFunc(o.Foreign[:i], func(g Foreign) bool { return g.RefTable == f.RefTable }) {
				enlist(s.referencing, f.RefTable, o)
			}
		}
	}
}

// enlist adds an object to its table's list, which is replaced: other snapshots
// have it too. The order is PostgreSQL's: unique checks name the oldest index.
func enlist[T Object](lists map[types.OID][]T, table types.OID, o T) {
	old := lists[table]
	at := sort.Search(len(old), func(i int) bool { return old[i].ObjectID() >= o.ObjectID() })
	list := make([]T, 0, len(old)+1)
	list = append(append(append(list, old[:at]...), o), old[at:]...)
	lists[table] = list
}

// unlist takes an object out of its table's list.
func unlist[T Object](lists map[types.OID][]T, table types.OID, o T) {
	var list []T
	for _, other := range lists[table] {
		if other.ObjectID() != o.ObjectID() {
			list = append(list, other)
		}
	}
	if len(list) == 0 {
		delete(lists, table)
		return
	}
	lists[table] = list
}

// Object finds any object by id, or nil.
func (s *Snapshot) Object(id types.OID) Object { return s.objects[id] }

// Relation finds a table, index, sequence or view by name, or nil.
func (s *Snapshot) Relation(schema, name string) Object {
	return s.relations[Name{schema, name}]
}

// Named finds an object that is not a relation by kind and name, or nil.
func (s *Snapshot) Named(k Kind, schema, name string) Object {
	return s.others[k][Name{schema, name}]
}

// Table finds a table by id, or nil.
func (s *Snapshot) Table(id types.OID) *Table {
	t, _ := s.objects[id].(*Table)
	return t
}

// RowType finds the table that a row type is of, or nil.
func (s *Snapshot) RowType(id types.OID) *Table {
	if !types.IsRow(id) {
		return nil
	}
	t := s.Table(types.TableOf(id))
	if t == nil || t.RowType != id {
		return nil
	}
	return t
}

// Schema finds a schema by name, or nil.
func (s *Snapshot) Schema(name string) *Schema {
	x, _ := s.Named(KindSchema, "", name).(*Schema)
	return x
}

// Role finds a role by name, or nil.
func (s *Snapshot) Role(name string) *Role {
	x, _ := s.Named(KindRole, "", name).(*Role)
	return x
}

// Indexes returns a table's indexes by name, invalid ones included.
func (s *Snapshot) Indexes(table types.OID) []*Index { return s.indexes[table] }

// Referencing returns the tables with foreign keys to a table, itself included.
func (s *Snapshot) Referencing(table types.OID) []*Table { return s.referencing[table] }

// Sequences returns the sequences owned by a table's columns.
func (s *Snapshot) Sequences(table types.OID) []*Sequence { return s.sequences[table] }

// Objects returns all objects of a kind, ordered by id.
func (s *Snapshot) Objects(k Kind) []Object {
	var out []Object
	for _, o := range s.objects {
		if o.ObjectKind() == k {
			out = append(out, o)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ObjectID() < out[j].ObjectID() })
	return out
}
