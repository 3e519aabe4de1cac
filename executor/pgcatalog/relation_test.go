package pgcatalog

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// sample is a catalog with one of everything.
func sample() *catalog.Snapshot {
	text := func(num int16, name string, typ types.OID) catalog.Column {
		return catalog.Column{Num: num, Name: name, Type: typ, Typmod: types.NoTypmod}
	}
	items := &catalog.Table{
		ID: 20001, Schema: "public", Name: "items", Owner: "postgres", Comment: "things", RowType: 20002,
		Columns: []catalog.Column{
			{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1, NotNull: true, Default: "nextval('public.items_id_seq'::regclass)"},
			{Num: 2, Name: "title", Type: types.TextOID, Typmod: -1, Default: "'none'", Comment: "what it is called"},
			{Num: 3, Name: "price", Type: types.NumericOID, Typmod: 10<<16 | 2 + 4},
			{Num: 4, Name: "embedding", Type: types.VectorOID, Typmod: 3},
			{Num: 5, Name: "gone", Type: types.TextOID, Typmod: -1, Dropped: true},
			{Num: 6, Name: "double", Type: types.NumericOID, Typmod: -1, Generated: "price * 2"},
			{Num: 7, Name: "tags", Type: types.TextArrayOID, Typmod: -1},
			{Num: 8, Name: "mood", Type: 20010, Typmod: -1},
		},
		Checks: []catalog.Check{{ID: 20003, Name: "items_price_check", Expr: "price > 0", Columns: []int16{3}}},
		Foreign: []catalog.Foreign{{
			ID: 20004, Name: "items_id_fkey", Columns: []int16{1}, RefTable: 20020, RefColumns: []int16{1}, OnDelete: "CASCADE",
		}},
	}
	shops := &catalog.Table{ID: 20020, Schema: "public", Name: "shops", Owner: "postgres", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1, NotNull: true, Identity: 'a'},
	}}
	return catalog.Empty().Apply(
		catalog.Put(&catalog.Schema{ID: 2200, Name: "public", Owner: "postgres", Comment: "standard public schema"}),
		catalog.Put(&catalog.Role{ID: 10, Name: "postgres", Super: true, Login: true, ConnLimit: -1}),
		catalog.Put(&catalog.Database{ID: 5, Name: "postgres", Settings: map[string]string{"work_mem": "8MB"}}),
		catalog.Put(items), catalog.Put(shops),
		catalog.Put(&catalog.Index{
			ID: 20005, Table: 20001, Schema: "public", Name: "items_pkey", Method: "btree", Unique: true, Primary: true, Constraint: 20006,
			Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID, Typmod: -1}}, Valid: true,
		}),
		catalog.Put(&catalog.Index{
			ID: 20021, Table: 20020, Schema: "public", Name: "shops_pkey", Method: "btree", Unique: true, Primary: true, Constraint: 20022,
			Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID, Typmod: -1}}, Valid: true,
		}),
		catalog.Put(&catalog.Index{
			ID: 20007, Table: 20001, Schema: "public", Name: "items_embedding_idx", Method: "hnsw", Valid: true,
			Keys:    []catalog.IndexKey{{Column: 4, Type: types.VectorOID, Typmod: 3, Metric: types.MetricCosine}},
			Options: map[string]string{"m": "16", "ef_construction": "64"},
		}),
		catalog.Put(&catalog.Index{
			ID: 20008, Table: 20001, Schema: "public", Name: "items_lower_idx", Method: "btree", Valid: true,
			Keys: []catalog.IndexKey{{Expr: "lower(title)", Type: types.TextOID, Typmod: -1, Desc: true, NullsFirst: true},
				{Expr: "price * 2", Type: types.NumericOID, Typmod: -1}},
			Predicate: "price > 3", Include: []int16{3},
		}),
		catalog.Put(&catalog.Sequence{
			ID: 20009, Schema: "public", Name: "items_id_seq", Owner: "postgres", Type: types.Int8OID, Start: 1, Increment: 1, Min: 1,
			Max: 1<<63 - 1, Cache: 1, OwnerTable: 20001, OwnerColumn: 1,
		}),
		catalog.Put(&catalog.Sequence{
			ID: 20023, Schema: "public", Name: "shops_id_seq", Type: types.Int8OID, Start: 1, Increment: 1, Min: 1, Max: 9, Cache: 1,
			OwnerTable: 20020, OwnerColumn: 1,
		}),
		catalog.Put(&catalog.UserType{ID: 20010, Schema: "public", Name: "mood", Labels: []string{"sad", "ok"}, Typmod: -1}),
		catalog.Put(&catalog.UserType{
			ID: 20011, Schema: "public", Name: "positive", Base: types.Int4OID, Typmod: -1,
			Checks: []catalog.Check{{ID: 20012, Name: "positive_check", Expr: "VALUE > 0"}},
		}),
		catalog.Put(&catalog.View{ID: 20013, Schema: "public", Name: "titles", Columns: []catalog.Column{text(1, "title", types.TextOID)},
			Query: "SELECT title FROM items"}),
	)
}

func env() *Env {
	return &Env{Catalog: sample(), Dynamic: map[string]func() ([]types.Row, error){
		"pg_stat_activity": func() ([]types.Row, error) {
			return []types.Row{{int64(7), "postgres", "postgres", "psql", "127.0.0.1:99", nil, nil, nil, nil, "idle", "SELECT 1"}}, nil
		},
		"pg_settings": func() ([]types.Row, error) {
			return []types.Row{{"work_mem", "4096", "kB", "Resource Usage", "memory", "user", "integer", "64", "2147483647", nil, "4096", "4096"}}, nil
		},
		"pg_prepared_statements": func() ([]types.Row, error) {
			return []types.Row{{"s", "SELECT 1", nil, types.NewArray(types.RegtypeOID, nil), true}}, nil
		},
		"pg_cursors": func() ([]types.Row, error) {
			return []types.Row{{"c", "SELECT 1", false, false, true, nil}}, nil
		},
		"pg_stat_progress_create_index": func() ([]types.Row, error) {
			return []types.Row{{int64(20007), int64(20001), "loading tuples", int64(1), int64(2), int64(3)}}, nil
		},
	}}
}

func rowsOf(t *testing.T, e *Env, schema, name string, lookups ...Lookup) []types.Row {
	t.Helper()
	next, err := Open(e, schema, name, lookups)
	if err != nil {
		t.Fatal(err)
	}
	var out []types.Row
	for {
		row, err := next()
		if err != nil {
			t.Fatal(err)
		}
		if row == nil {
			return out
		}
		out = append(out, row)
	}
}

// goType is the Go type that a value of a type has.
func goType(typ types.OID) string {
	switch typ {
	case types.BoolOID:
		return "bool"
	case types.Float4OID:
		return "float32"
	case types.Float8OID:
		return "float64"
	case types.TimestampTZOID:
		return "types.TimestampTZ"
	case types.IntervalOID:
		return "types.Interval"
	case types.ByteaOID:
		return "[]uint8"
	}
	t := types.Lookup(typ)
	switch {
	case t.Category == 'A':
		return "*types.Array"
	case t.Category == 'N' && typ != types.NumericOID || typ == types.XidOID:
		return "int64"
	}
	return "string"
}

func TestEveryRowHasItsRelationsColumnsAndTheirTypes(t *testing.T) {
	for _, r := range relations().list {
		for _, row := range rowsOf(t, env(), r.schema, r.name) {
			if len(row) != len(r.columns) {
				t.Errorf("%s.%s: a row of %d values, there are %d columns: %v", r.schema, r.name, len(row), len(r.columns), row)
				break
			}
			if problem := mismatch(r, row); problem != "" {
				t.Errorf("%s.%s: %s: %v", r.schema, r.name, problem, row)
				break
			}
		}
	}
}

func mismatch(r *relation, row types.Row) string {
	for i, v := range row {
		c := r.columns[i]
		switch {
		case v == nil && r.notNull[i]:
			return c.Name + " is NULL"
		case v == nil:
		case fmt.Sprintf("%T", v) != goType(c.Type.OID):
			return fmt.Sprintf("%s is %T, not %s", c.Name, v, goType(c.Type.OID))
		}
	}
	return ""
}

func TestALookupGivesTheRowsThatAScanGives(t *testing.T) {
	e := env()
	for _, r := range relations().list {
		all := rowsOf(t, e, r.schema, r.name)
		if len(all) > 16 {
			all = append(all[:8:8], all[len(all)-8:]...)
		}
		for column := range r.columns {
			for _, row := range all {
				l := Lookup{Column: column, Value: row[column]}
				if len(usable([]Lookup{l})) == 0 {
					continue
				}
				if !contains(rowsOf(t, e, r.schema, r.name, l), row) {
					t.Errorf("%s.%s where %s = %v does not find %v", r.schema, r.name, r.columns[column].Name, row[column], row)
				}
			}
		}
	}
}

func contains(rows []types.Row, row types.Row) bool {
	return slices.ContainsFunc(rows, func(r types.Row) bool { return reflect.DeepEqual(r, row) })
}

func TestObjectIDsAreUniqueWithinACatalog(t *testing.T) {
	for _, r := range relations().list {
		if r.schema != "pg_catalog" || r.kind != "r" || r.columns[0].Name != "oid" {
			continue
		}
		seen := map[types.Datum]types.Row{}
		for _, row := range rowsOf(t, env(), r.schema, r.name) {
			if other, ok := seen[row[0]]; ok {
				t.Errorf("%s: %v and %v", r.name, other, row)
			}
			seen[row[0]] = row
		}
	}
}

func BenchmarkLookupOfOneTypeByName(b *testing.B) {
	e := env()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(e, "pg_catalog", "pg_type", []Lookup{{Column: 1, Value: "vector"}}); err != nil {
			b.Fatal(err)
		}
	}
}
