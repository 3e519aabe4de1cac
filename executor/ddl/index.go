package ddl

import (
	"context"
	"slices"
	"strconv"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// The defaults of the vector indexes' options, pgvector's.
const (
	defaultM              = 16
	defaultEfConstruction = 64
	defaultLists          = 100
)

func (s *statement) createIndex(ctx context.Context, t *ast.CreateIndex) error {
	method, err := accessMethod(t)
	if err != nil {
		return err
	}
	table, err := s.table(t.Table)
	if err != nil {
		return err
	}
	// Writers must wait even with CONCURRENTLY: a transaction that does not see
	// the new index yet would not fill it.
	if err := s.Txn.LockTable(ctx, table.ID, storage.LockShare, s.Wait); err != nil {
		return err
	}
	if table = s.catalog().Table(table.ID); table == nil {
		return s.noRelation(t.Table, "relation")
	}
	x := &catalog.Index{Table: table.ID, Schema: table.Schema, Method: method, Unique: t.Unique, NullsNotDistinct: t.NullsNotDist, Version: 1}
	if free, err := s.indexName(ctx, x, table, t); err != nil || !free {
		return err
	}
	if err := s.indexParts(x, table, t); err != nil {
		return err
	}
	if x.ID, err = s.NewID(); err != nil {
		return err
	}
	if methods[method].unused {
		s.notice("00000", `index "%s" does not speed up queries yet: access method "%s" is accepted only`, x.Name, method)
	}
	if err := keyCoversPartition(table, x); err != nil {
		return err
	}
	if table.Partitioned != nil && t.Concurrently {
		return pgerr.Newf(pgerr.FeatureNotSupported, `cannot create index on partitioned table "%s" concurrently`, table.Name)
	}
	s.only = t.Table.Only
	if err := s.addIndex(ctx, table, x); err != nil {
		return err
	}
	s.warnOfLittleData(x)
	return nil
}

// warnOfLittleData says what pgvector says of an ivfflat index with fewer rows than lists.
func (s *statement) warnOfLittleData(x *catalog.Index) {
	counter, ok := s.Txn.(interface{ Indexed(types.OID) int })
	if !ok || x.Method != "ivfflat" {
		return
	}
	lists := defaultLists
	if n, err := strconv.Atoi(x.Options["lists"]); err == nil {
		lists = n
	}
	if counter.Indexed(x.ID) < lists {
		s.send(&pgerr.Error{Severity: "NOTICE", Code: "00000", Message: "ivfflat index created with little data",
			Detail: "This will cause low recall.", Hint: "Drop the index until the table has more data."})
	}
}

// methodRules say what an access method's indexes can have (pg_am's amcan…).
type methodRules struct {
	unique, include, multicolumn, order bool
	// unused says that the method is accepted but no query reads its indexes.
	unused bool
}

var methods = map[string]methodRules{
	"btree": {unique: true, include: true, multicolumn: true, order: true},
	"hash":  {},
	"hnsw":  {}, "ivfflat": {},
	"gin":    {multicolumn: true, unused: true},
	"gist":   {include: true, multicolumn: true, unused: true},
	"spgist": {include: true, unused: true},
	"brin":   {multicolumn: true, unused: true},
}

// accessMethod finds the method and demands that it can do what is asked.
func accessMethod(t *ast.CreateIndex) (string, error) {
	name := t.Method
	if name == "" {
		name = "btree"
	}
	can, ok := methods[name]
	if !ok {
		return "", pgerr.Newf(pgerr.UndefinedObject, `access method "%s" does not exist`, name)
	}
	return name, can.check(name, t)
}

// check refuses what a method cannot do, in PostgreSQL's words.
func (can methodRules) check(name string, t *ast.CreateIndex) error {
	refuse := func(what string) error {
		return pgerr.Newf(pgerr.FeatureNotSupported, `access method "%s" does not support %s`, name, what)
	}
	switch {
	case t.Unique && !can.unique:
		return refuse("unique indexes")
	case len(t.Include) > 0 && !can.include:
		return refuse("included columns")
	case len(t.Elems) > 1 && !can.multicolumn:
		return refuse("multicolumn indexes")
	}
	for _, e := range t.Elems {
		if e.Desc && !can.order {
			return refuse("ASC/DESC options")
		}
		if e.Nulls != ast.NullsDefault && !can.order {
			return refuse("NULLS FIRST/LAST options")
		}
	}
	return nil
}

// indexName chooses or checks the index's name; false when IF NOT EXISTS ends the statement.
func (s *statement) indexName(ctx context.Context, x *catalog.Index, table *catalog.Table, t *ast.CreateIndex) (bool, error) {
	x.Name = t.Name
	if x.Name == "" {
		x.Name = s.chooser(table.Schema).relation(table.Name, nameAddition(append(elemNames(t.Elems), t.Include...)), "idx")
	}
	return s.newRelation(ctx, table.Schema, x.Name, t.IfNotExists)
}

// indexParts fills in keys, included columns, predicate and options.
func (s *statement) indexParts(x *catalog.Index, table *catalog.Table, t *ast.CreateIndex) error {
	if len(t.Elems)+len(t.Include) > maxKeys {
		return tooManyKeys()
	}
	for i := range t.Elems {
		key, err := s.indexKey(x, table, &t.Elems[i])
		if err != nil {
			return err
		}
		x.Keys = append(x.Keys, key)
	}
	for _, name := range t.Include {
		c := table.Column(name)
		if c == nil {
			return pgerr.Newf(pgerr.UndefinedColumn, `column "%s" does not exist`, name)
		}
		x.Include = append(x.Include, c.Num)
	}
	if t.Where != nil {
		e, err := s.store(table, t.Where, boolean, "index predicates")
		if err != nil {
			return err
		}
		if !immutable(e.Bound) {
			return pgerr.New(pgerr.InvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE")
		}
		x.Predicate = e.Text
	}
	return indexOptions(x, t.Options)
}

// indexKey makes one key.
func (s *statement) indexKey(x *catalog.Index, table *catalog.Table, e *ast.IndexElem) (catalog.IndexKey, error) {
	k, err := s.keyValue(table, e)
	if err != nil {
		return k, err
	}
	if _, err := collation(e.Collation, k.Type, e.Pos); err != nil {
		return k, err
	}
	k.Desc = e.Desc
	k.NullsFirst = e.Nulls == ast.NullsFirst || e.Nulls == ast.NullsDefault && e.Desc
	if !x.Vector() {
		k.Opclass, err = keyClass(x.Method, k.Type, e.Opclass)
		return k, err
	}
	class, chosen, err := nearestClass(x.Method, k.Type, e.Opclass)
	if err != nil {
		return k, err
	}
	if err := checkDimensions(x.Method, &k); err != nil {
		return k, err
	}
	k.Opclass, k.Metric = class.name, class.metric
	if chosen {
		s.notice("00000", `index "%s" uses %s distance (operator class %s)`, x.Name, metricWords[class.metric], class.name)
	}
	return k, nil
}

// metricWords are how the notice about a default calls a metric.
var metricWords = map[types.Metric]string{types.MetricCosine: "cosine", types.MetricHamming: "Hamming"}

// keyValue finds the key's column, or binds its expression.
func (s *statement) keyValue(table *catalog.Table, e *ast.IndexElem) (catalog.IndexKey, error) {
	column := e.Column
	if r, ok := e.Expr.(*ast.ColumnRef); ok && !r.Star { // (a) is a
		column = r.Parts[len(r.Parts)-1]
	}
	if column != "" {
		c := table.Column(column)
		if c == nil {
			return catalog.IndexKey{}, pgerr.Newf(pgerr.UndefinedColumn, `column "%s" does not exist`, column).At(e.Pos)
		}
		return catalog.IndexKey{Column: c.Num, Type: c.Type, Typmod: c.Typmod}, nil
	}
	out, err := s.store(table, e.Expr, expr.Type{}, "index expressions")
	if err != nil {
		return catalog.IndexKey{}, err
	}
	if !immutable(out.Bound) {
		return catalog.IndexKey{}, pgerr.New(pgerr.InvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE")
	}
	t := out.Bound.Type()
	if t.OID == types.UnknownOID {
		t.OID = types.TextOID
	}
	return catalog.IndexKey{Expr: out.Text, Type: t.OID, Typmod: t.Typmod}, nil
}

// indexOptions checks WITH (…).
func indexOptions(x *catalog.Index, list []ast.Option) (err error) {
	if !x.Vector() {
		x.Options, err = options(list, indexStorage(x.Method))
		return err
	}
	if x.Options, err = options(list, vectorOptions[x.Method]); err != nil {
		return err
	}
	return checkVectorOptions(x)
}

// checkVectorOptions checks what holds between options.
func checkVectorOptions(x *catalog.Index) error {
	if x.Method != "hnsw" {
		return nil
	}
	opts := x.Options
	m, ef := defaultM, defaultEfConstruction
	if v, err := strconv.Atoi(opts["m"]); err == nil {
		m = v
	}
	if v, err := strconv.Atoi(opts["ef_construction"]); err == nil {
		ef = v
	}
	if ef < 2*m {
		return pgerr.New(pgerr.InvalidParameterValue, "ef_construction must be greater than or equal to 2 * m")
	}
	return nil
}

// reindex builds indexes anew.
func (s *statement) reindex(ctx context.Context, t *ast.Reindex) error {
	switch t.Object {
	case "INDEX":
		x, err := s.index(t.Name)
		if err != nil {
			return err
		}
		return s.rebuild(ctx, x.Table, []*catalog.Index{x})
	case "TABLE":
		table, err := s.table(t.Name)
		if err != nil {
			return err
		}
		indexes := s.catalog().Indexes(table.ID)
		if len(indexes) == 0 {
			s.notice("00000", `table "%s" has no indexes to reindex`, table.Name)
		}
		return s.rebuild(ctx, table.ID, indexes)
	case "SCHEMA":
		if s.catalog().Schema(t.Name.Name) == nil {
			return noSchema(t.Name.Name)
		}
		return s.reindexAll(ctx, func(schema string) bool { return schema == t.Name.Name })
	}
	if t.Name.Name != "" && t.Name.Name != s.Run.Session.Database() {
		return pgerr.New(pgerr.FeatureNotSupported, "can only reindex the currently open database")
	}
	return s.reindexAll(ctx, func(string) bool { return true })
}

func (s *statement) reindexAll(ctx context.Context, in func(schema string) bool) error {
	for _, o := range s.catalog().Objects(catalog.KindTable) {
		table := o.(*catalog.Table)
		if !in(table.Schema) || table.Temp != 0 && table.Temp != s.SessionID {
			continue
		}
		if err := s.mustOwn(table); err != nil {
			return err
		}
		if err := s.rebuild(ctx, table.ID, s.catalog().Indexes(table.ID)); err != nil {
			return err
		}
	}
	return nil
}

// rebuild replaces indexes by new ones of the same definition.
func (s *statement) rebuild(ctx context.Context, id types.OID, indexes []*catalog.Index) error {
	if err := s.Txn.LockTable(ctx, id, storage.LockAccessExclusive, s.Wait); err != nil {
		return err
	}
	if t := s.catalog().Table(id); t != nil && t.Partitioned != nil {
		return s.rebuildParts(ctx, indexes)
	}
	for _, x := range slices.Clone(indexes) {
		if x.Vector() && s.catalog().Table(id).Cold != nil {
			continue // its parts beside the segments never change
		}
		if err := s.dropAndBuild(ctx, s.catalog().Table(id), x); err != nil {
			return err
		}
	}
	return nil
}

// rebuildParts rebuilds the parts of indexes of a partitioned table.
func (s *statement) rebuildParts(ctx context.Context, indexes []*catalog.Index) error {
	for _, x := range indexes {
		for _, part := range s.catalog().IndexParts(x) {
			if err := s.rebuild(ctx, part.Table, []*catalog.Index{part}); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropAndBuild puts a new index in place of old. It gets another id, so that
// nothing of the old one's entries can be taken for its own.
func (s *statement) dropAndBuild(ctx context.Context, table *catalog.Table, old *catalog.Index) error {
	id, err := s.NewID()
	if err != nil {
		return err
	}
	x := old.Clone()
	x.ID, x.Valid, x.Version = id, false, old.Version+1
	if err := s.Txn.Change(ctx, catalog.Delete(old), catalog.Put(x)); err != nil {
		return err
	}
	if err := s.Txn.BuildIndex(ctx, table, x); err != nil {
		return err
	}
	s.warnOfLittleData(x)
	return nil
}

// index finds an index that the user may change.
func (s *statement) index(r *ast.RangeVar) (*catalog.Index, error) {
	o, err := s.relation(r)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, s.noRelation(r, "relation")
	}
	x, ok := o.(*catalog.Index)
	if !ok {
		return nil, wrongObject(o, "an index").At(r.Pos)
	}
	return x, s.mustOwn(x)
}
