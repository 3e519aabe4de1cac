package pgcatalog

import (
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Env is what relations are computed from.
type Env struct {
	Session expr.Session
	Catalog *catalog.Snapshot
	Stats   func(table types.OID) storage.TableStats
	// Tier tells of a collection's place; nil where nobody knows.
	Tier func(table types.OID) storage.TierState
	// Sequence reads a sequence's state.
	Sequence func(*catalog.Sequence) (value int64, called bool, err error)
	// Dynamic gives what only the executor knows, as rows by relation name; see the
	// sources of pg_stat_activity, pg_settings and the like for their columns.
	Dynamic map[string]func() ([]types.Row, error)
}

// Lookup is a column (position) that must equal a value.
type Lookup struct {
	Column int
	Value  types.Datum
}

// source is where a relation's rows come from; each part may be missing.
type source struct {
	// fixed are the rows of the system's own objects.
	fixed func() []types.Row
	// objects makes the rows that belong to one object of these kinds.
	kinds   []catalog.Kind
	objects func(b *builder, o catalog.Object)
	// owner and name are the columns where that object's id and name stand.
	owner, name string
	// all makes the rows that belong to no single object.
	all func(b *builder) error
}

// builder gathers rows that pass the lookups.
type builder struct {
	*expr.Definer
	env      *Env
	relation *relation
	lookups  []Lookup
	rows     []types.Row
}

// set keeps a row given as column, value, column, value …; other columns are NULL.
func (b *builder) set(pairs ...types.Datum) {
	row := make(types.Row, len(b.relation.columns))
	for i := 0; i < len(pairs); i += 2 {
		row[b.relation.column(pairs[i].(string))] = pairs[i+1]
	}
	b.add(row...)
}

// add keeps a row if it may pass.
func (b *builder) add(values ...types.Datum) {
	for _, l := range b.lookups {
		if values[l.Column] != l.Value {
			return
		}
	}
	b.rows = append(b.rows, values)
}

// Open starts reading a relation. lookups restrict its rows.
func Open(env *Env, schema, name string, lookups []Lookup) (func() (types.Row, error), error) {
	r := relations().byName[[2]string{schema, name}]
	if r == nil {
		if q, ok := env.Catalog.Relation(schema, name).(*catalog.Sequence); ok && env.Sequence != nil {
			return openSequence(env, q)
		}
		return nil, pgerr.Newf(pgerr.UndefinedTable, "relation \"%s.%s\" does not exist", schema, name)
	}
	b := &builder{Definer: expr.NewDefiner(env.Session, env.Catalog), env: env, lookups: usable(lookups)}
	if r.source != nil {
		if err := b.build(r); err != nil {
			return nil, err
		}
	}
	i := 0
	return func() (types.Row, error) {
		if i == len(b.rows) {
			return nil, nil
		}
		i++
		return b.rows[i-1], nil
	}, nil
}

// usable are the lookups by values that Go compares as SQL does.
func usable(lookups []Lookup) []Lookup {
	var out []Lookup
	for _, l := range lookups {
		switch l.Value.(type) {
		case int64, string, bool:
			out = append(out, l)
		}
	}
	return out
}

func (b *builder) build(r *relation) error {
	s := r.source
	b.relation = r
	if s.fixed != nil {
		for _, row := range r.fixed.find(s.fixed, b.lookups) {
			b.add(row...)
		}
	}
	if s.objects != nil {
		b.eachObject(r)
	}
	if s.all != nil {
		return s.all(b)
	}
	return nil
}

// eachObject makes the rows of the objects that a lookup leaves.
func (b *builder) eachObject(r *relation) {
	s := r.source
	if id, ok := b.lookup(r, s.owner).(int64); ok {
		if o := b.env.Catalog.Object(types.OID(id)); o != nil && s.has(o.ObjectKind()) {
			s.objects(b, o)
		}
		return
	}
	name, byName := b.lookup(r, s.name).(string)
	for _, kind := range s.kinds {
		for _, o := range b.env.Catalog.Objects(kind) {
			if _, n := o.ObjectName(); !byName || n == name {
				s.objects(b, o)
			}
		}
	}
}

func (s *source) has(k catalog.Kind) bool {
	for _, kind := range s.kinds {
		if kind == k {
			return true
		}
	}
	return false
}

// lookup is the value that a column must have, nil when there is none.
func (b *builder) lookup(r *relation, column string) types.Datum {
	if column == "" {
		return nil
	}
	return b.wanted(r.column(column))
}

func (b *builder) wanted(column int) types.Datum {
	for _, l := range b.lookups {
		if l.Column == column {
			return l.Value
		}
	}
	return nil
}

// fixedRows keeps the rows that never change, and indexes of them by the columns
// that were asked for.
type fixedRows struct {
	mu      sync.Mutex
	made    bool
	rows    []types.Row
	indexes map[int]map[types.Datum][]types.Row
}

// find gives the rows that a lookup leaves: all of them without one.
func (f *fixedRows) find(source func() []types.Row, lookups []Lookup) []types.Row {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.made {
		f.rows, f.made = source(), true
		f.indexes = map[int]map[types.Datum][]types.Row{}
	}
	if len(lookups) == 0 {
		return f.rows
	}
	best := f.index(lookups[0].Column)[lookups[0].Value]
	for _, l := range lookups[1:] {
		if rows := f.index(l.Column)[l.Value]; len(rows) < len(best) {
			best = rows
		}
	}
	return best
}

func (f *fixedRows) index(column int) map[types.Datum][]types.Row {
	if x, ok := f.indexes[column]; ok {
		return x
	}
	x := map[types.Datum][]types.Row{}
	for _, row := range f.rows {
		switch v := row[column].(type) {
		case int64, string, bool:
			x[v] = append(x[v], row)
		}
	}
	f.indexes[column] = x
	return x
}

// fixedTable makes a source of rows that are the same in every database.
func fixedTable(rows ...types.Row) *source {
	return &source{fixed: func() []types.Row { return rows }}
}
