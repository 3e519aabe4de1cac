package plan

import (
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// benchEnv has a table of vectors with a primary key and a vector index.
func benchEnv() *Env {
	t := &catalog.Table{ID: 30001, Schema: "public", Name: "items", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1, NotNull: true},
		{Num: 2, Name: "category", Type: types.TextOID, Typmod: -1},
		{Num: 3, Name: "embedding", Type: types.VectorOID, Typmod: 768},
	}}
	pk := &catalog.Index{ID: 30002, Table: t.ID, Schema: "public", Name: "items_pkey", Method: "btree", Unique: true, Primary: true, Valid: true,
		Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID, Typmod: -1}}}
	vec := &catalog.Index{ID: 30003, Table: t.ID, Schema: "public", Name: "items_embedding_idx", Method: "hnsw", Valid: true,
		Keys: []catalog.IndexKey{{Column: 3, Type: types.VectorOID, Typmod: 768, Metric: types.MetricCosine}}}
	return &Env{Catalog: catalog.Empty().Apply(catalog.Put(t), catalog.Put(pk), catalog.Put(vec)), Types: types.DefaultEnv()}
}

func benchmarkPrepare(b *testing.B, text string) {
	env := benchEnv()
	stmts, err := sql.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Prepare(env, stmts[0].Tree, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPrepareNearest(b *testing.B) {
	benchmarkPrepare(b, "SELECT id, embedding <=> $1 AS d FROM items WHERE category = $2 ORDER BY embedding <=> $1 LIMIT 10")
}

func BenchmarkPrepareByKey(b *testing.B) {
	benchmarkPrepare(b, "SELECT * FROM items WHERE id = $1")
}

func BenchmarkPrepareInsert(b *testing.B) {
	benchmarkPrepare(b, "INSERT INTO items (id, category, embedding) VALUES ($1, $2, $3)")
}
