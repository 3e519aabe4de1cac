package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// show prints rows as "a|b; c|d".
func show(rows [][]string) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Join(r, "|")
	}
	return strings.Join(lines, "; ")
}

func TestStatementsAnswerAsPostgreSQLDoes(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, `CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE, price numeric(8,2) DEFAULT 1, tags text[], data jsonb,
		made timestamptz DEFAULT '2024-01-02 03:04:05+00', embedding vector(3), CHECK (price >= 0))`)
	run(t, c, `CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item int, n int NOT NULL, total numeric GENERATED ALWAYS AS (n * 2) STORED)`)
	run(t, c, `INSERT INTO items (name, price, tags, data, embedding) VALUES
		('a', 1.5, '{x,y}', '{"k": 1}', '[1,0,0]'), ('b', 2.5, '{y}', '{"k": 2}', '[0,1,0]'), ('c', 3.5, NULL, NULL, '[1,1,0]'), ('d', DEFAULT, '{}', '[1,2]', NULL)`)
	run(t, c, `INSERT INTO orders (item, n) VALUES (1, 10), (1, 20), (2, 5), (9, 1)`)
	for _, tc := range []struct{ sql, want string }{
		{"SELECT 1", "1"},
		{"SELECT id, name, price FROM items ORDER BY id", "1|a|1.50; 2|b|2.50; 3|c|3.50; 4|d|1.00"},
		{"SELECT name FROM items WHERE price > 2 AND name <> 'c'", "b"},
		{"SELECT count(*), sum(price), avg(price), min(name), max(name) FROM items", "4|8.50|2.1250000000000000|a|d"},
		{"SELECT i.name, sum(o.n) FROM items i JOIN orders o ON o.item = i.id GROUP BY i.name ORDER BY 1", "a|30; b|5"},
		{"SELECT i.name, o.n FROM items i LEFT JOIN orders o ON o.item = i.id ORDER BY i.id, o.n", "a|10; a|20; b|5; c|NULL; d|NULL"},
		{"SELECT i.name, o.n FROM items i RIGHT JOIN orders o ON o.item = i.id ORDER BY o.id", "a|10; a|20; b|5; NULL|1"},
		{"SELECT i.name, o.n FROM items i FULL JOIN orders o ON o.item = i.id ORDER BY 1, 2", "a|10; a|20; b|5; c|NULL; d|NULL; NULL|1"},
		{"SELECT name FROM items i WHERE EXISTS (SELECT 1 FROM orders o WHERE o.item = i.id AND o.n > 5)", "a"},
		{"SELECT name FROM items WHERE id NOT IN (SELECT item FROM orders) ORDER BY 1", "c; d"},
		{"SELECT name, (SELECT max(n) FROM orders o WHERE o.item = i.id) FROM items i ORDER BY 1", "a|20; b|5; c|NULL; d|NULL"},
		{"WITH x AS (SELECT item, sum(n) s FROM orders GROUP BY item) SELECT * FROM x WHERE s > 4 ORDER BY item", "1|30; 2|5"},
		{"WITH RECURSIVE f(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM f WHERE n < 5) SELECT sum(n) FROM f", "15"},
		{"SELECT n, row_number() OVER (ORDER BY n DESC), sum(n) OVER (ORDER BY n) FROM orders ORDER BY n", "1|4|1; 5|3|6; 10|2|16; 20|1|36"},
		{"SELECT item, count(*) FILTER (WHERE n > 5) FROM orders GROUP BY ROLLUP (item) ORDER BY item NULLS LAST", "1|2; 2|0; 9|0; NULL|2"},
		{"SELECT DISTINCT ON (item) item, n FROM orders ORDER BY item, n DESC", "1|20; 2|5; 9|1"},
		{"SELECT 1 UNION SELECT 2 UNION ALL SELECT 2 ORDER BY 1", "1; 2; 2"},
		{"SELECT 1 EXCEPT SELECT 1", ""},
		{"VALUES (1, 'x'), (2, 'y')", "1|x; 2|y"},
		{"SELECT * FROM generate_series(1, 3) WITH ORDINALITY", "1|1; 2|2; 3|3"},
		{"SELECT unnest(tags) FROM items WHERE id = 1", "x; y"},
		{"SELECT i.id, t FROM items i, LATERAL unnest(i.tags) t ORDER BY 1, 2", "1|x; 1|y; 2|y"},
		{"SELECT name FROM items WHERE tags @> '{y}' ORDER BY 1", "a; b"},
		{"SELECT name FROM items WHERE 'x' = ANY (tags)", "a"},
		{"SELECT data->>'k', data @> '{\"k\": 1}' FROM items WHERE id = 1", "1|t"},
		{"SELECT total FROM orders ORDER BY id LIMIT 2 OFFSET 1", "40; 10"},
		{"SELECT CASE WHEN price > 2 THEN 'dear' ELSE 'cheap' END FROM items ORDER BY id", "cheap; dear; dear; cheap"},
		{"SELECT coalesce(NULL, 'x'), nullif(1, 1), greatest(1, 3, 2)", "x|NULL|3"},
		{"SELECT upper('abc') || lower('DEF'), substring('hello' from 2 for 3), length('häh')", "ABCdef|ell|3"},
		{"SELECT to_char(made, 'YYYY-MM-DD'), date_trunc('day', made) FROM items WHERE id = 1", "2024-01-02|2024-01-02 00:00:00+00"},
		{"SELECT '2024-03-01'::date - '2024-02-01'::date, '1 day'::interval * 2", "29|2 days"},
		{"SELECT 7 / 2, 7 % 2, 7.0 / 2, 2 ^ 10, -5 / 2", "3|1|3.5000000000000000|1024|-2"},
		{"SELECT 'abc' LIKE 'a%', 'abc' ~ '^a.c$', 'ABC' ILIKE 'a_c'", "t|t|t"},
		{"SELECT string_agg(name, ',' ORDER BY name DESC), array_agg(id ORDER BY id) FROM items", "d,c,b,a|{1,2,3,4}"},
		{"SELECT NULL = NULL, NULL IS NULL, NULL AND false, NULL OR true", "NULL|t|f|t"},
		{"SELECT pg_typeof(1), pg_typeof(1.5), pg_typeof('x'::text), pg_typeof('[1]'::vector)", "integer|numeric|text|vector"},
		// pgvector
		{"SELECT '[1,2]'::vector <-> '[4,6]', '[1,2]'::vector <#> '[3,4]', '[1,0]'::vector <=> '[0,1]', '[1,2]'::vector <+> '[2,4]'", "5|-11|1|3"},
		{"SELECT '[1,2]'::vector + '[1,1]', '[1,2]'::vector * '[2,2]', '[1,2]'::vector || '[3]', '[3,4]'::vector - '[1,1]'", "[2,3]|[2,4]|[1,2,3]|[2,3]"},
		{"SELECT vector_dims('[1,2,3]'::vector), vector_norm('[3,4]'), l2_normalize('[3,4]'::vector), subvector('[1,2,3]'::vector, 2, 2), binary_quantize('[1,-1,2]'::vector)", "3|5|[0.6,0.8]|[2,3]|101"},
		{"SELECT avg(embedding), sum(embedding) FROM items", "[0.6666667,0.6666667,0]|[2,2,0]"},
		{"SELECT '{1:1.5,3:2}/5'::sparsevec, '[1,2]'::halfvec <-> '[1,3]', B'101' <~> B'110', '{1:1}/2'::sparsevec <=> '{2:1}/2'", "{1:1.5,3:2}/5|1|2|1"},
		{"SELECT id FROM items ORDER BY embedding <-> '[1,0,0]' LIMIT 2", "1; 3"},
		{"SELECT id FROM items ORDER BY embedding <-> '[1,0,0]', id", "1; 3; 2; 4"},
		{"SELECT '[1,2]'::vector::real[], ARRAY[1,2]::vector, '[1,2,3]'::vector(3)", "{1,2}|[1,2]|[1,2,3]"},
		// writes
		{"INSERT INTO items (name) VALUES ('e') RETURNING id, price", "5|1.00"},
		{"INSERT INTO items (name, price) VALUES ('a', 9) ON CONFLICT (name) DO UPDATE SET price = items.price + excluded.price RETURNING id, price", "1|10.50"},
		{"INSERT INTO items (name) VALUES ('a') ON CONFLICT DO NOTHING RETURNING id", ""},
		{"UPDATE items SET price = price * 2 WHERE name IN ('b', 'c') RETURNING name, price", "b|5.00; c|7.00"},
		{"UPDATE items i SET name = 'z' || i.name FROM orders o WHERE o.item = i.id AND o.n = 5 RETURNING i.name, o.n", "zb|5"},
		{"DELETE FROM items USING orders WHERE orders.item = items.id AND orders.n = 10 RETURNING name", "a"},
		{"WITH gone AS (DELETE FROM orders WHERE n < 6 RETURNING n) SELECT sum(n) FROM gone", "6"},
		{"SELECT count(*) FROM orders", "2"},
		{"SELECT currval('items_id_seq'), nextval('items_id_seq') > 5", "7|t"},
	} {
		rows, err := textRows(c, tc.sql)
		if err != nil {
			t.Errorf("%s: %v", tc.sql, err)
			continue
		}
		if got := show(rows); got != tc.want {
			t.Errorf("%s\n got  %s\n want %s", tc.sql, got, tc.want)
		}
	}
}

func TestBadInputGetsItsOwnErrorAndTheSessionGoesOn(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE items (id int PRIMARY KEY, name varchar(3), n int NOT NULL DEFAULT 0 CHECK (n < 100), embedding vector(3))")
	run(t, c, "INSERT INTO items VALUES (1, 'a', 1, '[1,2,3]')")
	for _, tc := range []struct{ sql, code, message string }{
		{"SELECT * FROM missing", "42P01", `relation "missing" does not exist`},
		{"SELECT missing FROM items", "42703", `column "missing" does not exist`},
		{"SELECT missing(1)", "42883", `function missing(integer) does not exist`},
		{"SELEC 1", "42601", `syntax error at or near "SELEC"`},
		{"SELECT 1 +", "42601", `syntax error at end of input`},
		{"SELECT 1/0", "22012", `division by zero`},
		{"SELECT 'x'::int", "22P02", `invalid input syntax for type integer: "x"`},
		{"SELECT 2147483647 + 1", "22003", `integer out of range`},
		{"INSERT INTO items VALUES (1, 'b', 1, NULL)", "23505", `duplicate key value violates unique constraint "items_pkey"`},
		{"INSERT INTO items VALUES (2, 'long', 1, NULL)", "22001", `value too long for type character varying(3)`},
		{"INSERT INTO items VALUES (2, 'b', NULL, NULL)", "23502", `null value in column "n" of relation "items" violates not-null constraint`},
		{"INSERT INTO items VALUES (2, 'b', 100, NULL)", "23514", `new row for relation "items" violates check constraint "items_n_check"`},
		{"INSERT INTO items VALUES (2, 'b', 1, '[1,2]')", "22000", `expected 3 dimensions, not 2`},
		{"INSERT INTO items VALUES (2, 'b', 1, '[1,NaN,2]')", "22000", `NaN not allowed in vector`},
		{"INSERT INTO items VALUES (2, 'b', 1, '[1,2')", "22P02", `invalid input syntax for type vector: "[1,2"`},
		{"INSERT INTO items VALUES (2, 'b', 1, '[1,4e38,2]')", "22003", `"4e38" is out of range for type vector`},
		{"SELECT '[1,2]'::vector <-> '[1,2,3]'", "22000", `different vector dimensions 2 and 3`},
		{"SELECT embedding <-> '[1]' FROM items", "22000", `different vector dimensions 3 and 1`},
		{"CREATE TABLE items (id int)", "42P07", `relation "items" already exists`},
		{"CREATE TABLE x (id foo)", "42704", `type "foo" does not exist`},
		{"DROP TABLE missing", "42P01", `table "missing" does not exist`},
		{"CREATE INDEX ON items USING hnsw (embedding vector_l2_ops) WITH (m = 1)", "22023", `value 1 out of bounds for option "m"`},
		{"CREATE INDEX ON items USING hnsw (embedding vector_l2_ops) WITH (m = 50, ef_construction = 10)", "22023", `ef_construction must be greater than or equal to 2 * m`},
		{"SET hnsw.ef_search = 0", "22023", `0 is outside the valid range for parameter "hnsw.ef_search" (1 .. 1000)`},
		{"SET hnsw.iterative_scan = on", "22023", `invalid value for parameter "hnsw.iterative_scan": "on"`},
		{"SET nothing = 1", "42704", `unrecognized configuration parameter "nothing"`},
		{"SELECT name FROM items GROUP BY n", "42803", `column "items.name" must appear in the GROUP BY clause or be used in an aggregate function`},
		{"SELECT (SELECT id FROM items UNION ALL SELECT 2)", "21000", `more than one row returned by a subquery used as an expression`},
		{"EXECUTE nothing", "26000", `prepared statement "nothing" does not exist`},
		{"FETCH nothing", "34000", `cursor "nothing" does not exist`},
		{"ROLLBACK TO nothing", "25P01", `ROLLBACK TO SAVEPOINT can only be used in transaction blocks`},
		{"BEGIN ISOLATION LEVEL SERIALIZABLE", "0A000", `the isolation level SERIALIZABLE is not supported`},
		{"SELECT 'a\x00b'", "22021", ``},
		{"SELECT '\xff'", "22021", ``},
		{"SELECT " + strings.Repeat("(", 10000) + "1" + strings.Repeat(")", 10000), "54001", ``},
		{"SELECT 1" + strings.Repeat("+1", 60000), "54001", ``},
	} {
		short := tc.sql[:min(len(tc.sql), 80)]
		_, err := textRows(c, tc.sql)
		var e *pgconn.PgError
		if strings.Contains(tc.sql, "\x00") { // a NUL ends the text on the wire; the parameter below shows it
			continue
		}
		if !errors.As(err, &e) || e.Code != tc.code || tc.message != "" && e.Message != tc.message {
			t.Errorf("%s:\n got  %v\n want %s %s", short, err, tc.code, tc.message)
		}
		if rows, err := textRows(c, "SELECT 1"); err != nil || show(rows) != "1" {
			t.Fatalf("after %s the session does not go on: %v", short, err)
		}
	}
	_, err := c.Exec(t.Context(), "SELECT $1::text", "a\x00b")
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "22021" {
		t.Errorf("a NUL in a parameter: %v", err)
	}
	if rows := query(t, c, "SELECT length('"+strings.Repeat("x", 10<<20)+"')"); rows[0][0] != fmt.Sprint(10<<20) {
		t.Errorf("a statement of 10 MB: %v", rows)
	}
}

func TestAFailedTransactionWaitsForItsEnd(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	run(t, c, "CREATE TABLE t (id int PRIMARY KEY)")
	run(t, c, "BEGIN")
	run(t, c, "INSERT INTO t VALUES (1)")
	run(t, c, "SAVEPOINT s")
	if _, err := c.Exec(t.Context(), "INSERT INTO t VALUES (1)"); err == nil {
		t.Fatal("a duplicate key was taken")
	}
	_, err := c.Exec(t.Context(), "SELECT 1")
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "25P02" {
		t.Errorf("in a failed transaction: %v", err)
	}
	run(t, c, "ROLLBACK TO s")
	run(t, c, "INSERT INTO t VALUES (2)")
	run(t, c, "COMMIT")
	if got := show(query(t, c, "SELECT id FROM t ORDER BY id")); got != "1; 2" {
		t.Errorf("%s", got)
	}
	run(t, c, "BEGIN")
	_, _ = c.Exec(t.Context(), "SELECT 1/0") // fails the transaction
	tag, err := c.Exec(t.Context(), "COMMIT")
	if err != nil || tag.String() != "ROLLBACK" {
		t.Errorf("COMMIT of a failed transaction: %v %v", tag, err)
	}
}
