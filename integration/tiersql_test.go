package integration

import (
	"fmt"
	"strings"
	"testing"
)

// tierStatements are given to the same collection in each tier, in this order; the
// answers must be those of the hot one.
var tierStatements = []string{
	"SELECT count(*), min(id), max(word) FROM items",
	"SELECT id, word FROM items WHERE id = 17",
	"SELECT word, embedding FROM items WHERE id IN (3, 99, 100000)",
	"INSERT INTO items VALUES (1001, 'new', '[1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]') RETURNING id",
	"INSERT INTO items VALUES (17, 'twice', NULL)",
	"INSERT INTO items VALUES (17, 'again', NULL) ON CONFLICT (id) DO UPDATE SET word = excluded.word RETURNING id, word, embedding IS NULL",
	"INSERT INTO items SELECT i, 'bulk', embedding FROM items, generate_series(2000, 2004) i WHERE id = 5",
	"SELECT id FROM items ORDER BY embedding <=> '[1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]' LIMIT 1",
	"UPDATE items SET word = 'w' WHERE id BETWEEN 10 AND 12 RETURNING id",
	"UPDATE items SET embedding = '[0,0,0,0,0,0,0,1,1,0,0,0,0,0,0,0]' WHERE id = 20 RETURNING id",
	"SELECT id FROM items ORDER BY embedding <=> '[0,0,0,0,0,0,0,1,1,0,0,0,0,0,0,0]' LIMIT 1",
	"DELETE FROM items WHERE id IN (30, 2001) RETURNING word",
	"SELECT id FROM items WHERE id BETWEEN 28 AND 32 ORDER BY embedding <-> '[0,0,0,0,0,0,0,1,1,0,0,0,0,0,0,0]' LIMIT 2",
	"BEGIN; DELETE FROM items WHERE id > 50; INSERT INTO items VALUES (5, 'x', NULL) ON CONFLICT DO NOTHING; SELECT count(*) FROM items; ROLLBACK",
	"BEGIN; INSERT INTO items VALUES (3000, 'own', '[2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,9]'); SELECT id FROM items ORDER BY embedding <=> '[2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,9]' LIMIT 1; SAVEPOINT s; DELETE FROM items WHERE id = 3000; ROLLBACK TO s; COMMIT",
	"SELECT count(*), count(embedding), count(DISTINCT id) FROM items",
	"SELECT count(*) FROM (SELECT id FROM items ORDER BY embedding <=> '[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7]' LIMIT 100000) s",
	"SELECT a.id, b.id FROM items a JOIN items b ON b.id = a.id + 1 WHERE a.id < 4 ORDER BY 1",
	"SELECT id FROM items WHERE id < 20 ORDER BY id DESC LIMIT 3 FOR UPDATE",
	"ALTER TABLE items ADD COLUMN note text DEFAULT 'none'",
	"SELECT id, note FROM items WHERE id IN (4, 1001) ORDER BY id",
	"UPDATE items SET note = 'noted' WHERE id IN (4, 2000)",
	"SELECT id, note FROM items WHERE note <> 'none' ORDER BY id",
	"CREATE INDEX items_word ON items (word)",
	"SELECT id FROM items WHERE word = 'word 42'",
	"SELECT count(*) FROM items WHERE word LIKE 'word 1%'",
	"ALTER TABLE items DROP COLUMN note",
	"ALTER TABLE items RENAME COLUMN word TO label",
	"SELECT label FROM items WHERE id = 8",
	"CREATE UNIQUE INDEX items_both ON items (label, id)",
	"VACUUM items",
	"ANALYZE items",
	"REINDEX TABLE items",
	"SELECT count(*), sum(id) FROM items",
	"TRUNCATE items",
	"SELECT count(*) FROM items",
	"INSERT INTO items VALUES (1, 'after', '[1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]')",
	"SELECT id, label FROM items ORDER BY embedding <=> '[1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]' LIMIT 1",
	"DROP TABLE items",
}

// TestTheSameStatementsAnswerTheSameInEveryTier also holds for tables that have no
// tombstone, no local row, no index: the list goes through all of these.
func TestTheSameStatementsAnswerTheSameInEveryTier(t *testing.T) {
	answers := map[string][]string{}
	for _, tier := range []string{"hot", "warm", "cold"} {
		dir := t.TempDir()
		p := launchWith(t, []string{"AKIDB_TIERING_ENABLED=false"}, dir)
		c := p.connect(t)
		fillItems(t, c, "items", 200)
		run(t, c, "ALTER COLLECTION items SET TIER "+tier+" WAIT")
		for _, sql := range tierStatements {
			rows, err := textRows(c, sql)
			answer := show(rows)
			if err != nil {
				answer = err.Error()
			}
			answers[tier] = append(answers[tier], answer)
		}
		p.stop(t)
		checkDir(t, dir)
	}
	for _, tier := range []string{"warm", "cold"} {
		for i, sql := range tierStatements {
			got, want := answers[tier][i], answers["hot"][i]
			if got != want {
				t.Errorf("%s: %s\n  %s\nhot:\n  %s", tier, sql, got, want)
			}
		}
	}
	if joined := strings.Join(answers["hot"], "\n"); strings.Count(joined, "ERROR") != 1 {
		t.Errorf("hot:\n%s", fmt.Sprint(joined))
	}
}

// A rewrite would read and write all of a cold collection, and an index that has no part
// beside the segments would make every search do so.
func TestWhatWouldReadAWholeColdCollectionIsRefused(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	fillItems(t, c, "items", 50)
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	for sql, want := range map[string]string{
		"ALTER TABLE items ALTER COLUMN id TYPE bigint":              "55000",
		"CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)": "0A000",
	} {
		if got := code(c, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}
