package sql

import (
	"reflect"
	"strings"
	"testing"

	"github.com/akidb/akidb/sql/ast"
)

// forget sets every position in a tree to 0, so that trees of differently
// written texts can be compared.
func forget(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			forget(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			forget(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Pos" {
				v.Field(i).SetInt(0)
			} else {
				forget(v.Field(i))
			}
		}
	}
}

// unlike says how the tree of a statement's printed text differs from the
// tree; "" when it does not, or when the statement is none that is printed.
func unlike(t ast.Stmt) string {
	text := DeparseStmt(t)
	if text == "" {
		return ""
	}
	again, err := Parse(text)
	if err != nil {
		return text + ": " + err.Error()
	}
	if len(again) != 1 {
		return text + ": not one statement"
	}
	forget(reflect.ValueOf(&t))
	forget(reflect.ValueOf(&again[0].Tree))
	if !reflect.DeepEqual(t, again[0].Tree) {
		return text + "\nprints again as " + DeparseStmt(again[0].Tree)
	}
	return ""
}

// expressions is the corpus of the round trip, of the fuzz test's seeds and of ParseExpr.
var expressions = []string{
	"1", "-1", "- -1", "-(-1)", "2147483648", "-9223372036854775808", "9223372036854775808", "1.50", "-.5", "1e10", "0x1F", "1_000",
	"'it''s'", `E'a\\b\n'`, "U&'\\0041'", "$$x$$", "b'101'", "x'1F'", "true", "FALSE", "NULL",
	"a", "t.a", "s.t.a", `"Select"."from"`, "\"a\"\"b\"", "ä", "$1", "$12 + $1",
	"1 + 2 * 3", "(1 + 2) * 3", "1 - (2 - 3)", "1 - 2 - 3", "2 ^ 3 ^ 2", "-a", "- (a + 1)", "+a", "@ a", "~ 5", "!! a",
	"a || b || c", "a || (b || c)", "a <-> b <-> c", "a <=> $1", "embedding <#> '[1,2]'::vector", "a OPERATOR(pg_catalog.+) b",
	"a OPERATOR(public.<->) b OPERATOR(public.<->) c", "(a = b) = c", "a = (b = c)", "(a < b) > (c <> d)", "a -> 'b' ->> 'c'", "a #>> '{b,c}'",
	"a AND b OR c", "a AND (b OR NOT c)", "(a AND b) AND c", "a AND (b AND c)", "NOT NOT a", "NOT (a AND b)", "NOT a = b", "(NOT a) = b",
	"a IS NULL", "a IS NOT NULL", "(a IS NULL) IS NOT NULL", "a IS TRUE", "a IS NOT UNKNOWN", "(a = b) IS FALSE", "a ISNULL", "a NOTNULL",
	"a IS DISTINCT FROM b", "a IS NOT DISTINCT FROM NULL", "a = ANY ($1)", "a <> ALL (ARRAY[1, 2])", "a LIKE ANY ('{a%}'::text[])",
	"a IN (1, 2)", "a NOT IN (1)", "(a, b) IN ((1, 2), (3, 4))", "a BETWEEN 1 AND 2", "a NOT BETWEEN SYMMETRIC b + 1 AND c", "(a BETWEEN 1 AND 2) = true",
	"a LIKE 'b%'", "a NOT LIKE 'b'", "a ILIKE 'b' ESCAPE '!'", "a SIMILAR TO 'b'", "a ~ 'x'", "a !~* 'x'", "NULLIF(a, b)", "COALESCE(a, b, 1)",
	"GREATEST(a, 1)", "LEAST(a, b)", "CASE WHEN a THEN 1 ELSE 2 END", "CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' END", "CASE WHEN a = 1 THEN b END + 1",
	"a::int", "a::integer", "CAST(a AS bigint)", "a::numeric(10,2)", "a::varchar(10)", "a::varchar", "a::char", "a::char(3)", "a::bpchar", `a::"char"`,
	"a::bit(3)", "a::bit", "a::bit varying(5)", "a::timestamp(3) with time zone", "a::timestamptz", "a::timestamp", "a::time(2)", "a::timetz",
	"a::interval", "a::interval(3)", "a::interval second(3)", "INTERVAL '1' DAY", "INTERVAL '1-2' YEAR TO MONTH", "interval '1 day' * 2",
	"date '2020-01-01'", "a::int[]", "a::int[3][]", "a::text[]", "a::public.vector(3)", "a::vector(3)", "'[1,2]'::vector::halfvec(2)", "a::real",
	"a::double precision", "a::float(20)", "a::json", `a::"My Type"`, "(a + 1)::text", "-1::int", "(-1)::int", "(a IS NULL)::int", "a::regclass::oid",
	`a COLLATE "C"`, `(a || b) COLLATE "de_DE"`, `a COLLATE pg_catalog."C" < b`, "ARRAY[1, 2]", "ARRAY[[1, 2], [3, 4]]", "ARRAY[]::int[]",
	"ROW()", "ROW(1)", "ROW(1, 2)", "(1, 2)", "(a, b) = (c, d)", "(a, b) < ROW(1, 2)", "a[1]", "a[1][2]", "a[1:2]", "a[:]", "a[:2]", "a[1:]", "(f(x))[1]",
	"(a || b)[1]", "$1[1]", "(a).b", "(a).b.c", "((a).b[1]).c", "a[1].b", "(f(x)).*", "(ROW(1, 2)).f1",
	"now()", "f()", "s.f(1, 2)", "count(*)", "count(DISTINCT a)", "f(VARIADIC a)", "f(1, VARIADIC ARRAY[1])", "f(a => 1, b := 2)", "f(1, b => 2)",
	"array_agg(a ORDER BY b DESC NULLS LAST, c)", "string_agg(DISTINCT a, ',' ORDER BY a)", "percentile_cont(0.5) WITHIN GROUP (ORDER BY a)",
	"sum(a) FILTER (WHERE b > 1)", "row_number() OVER ()", "rank() OVER (PARTITION BY a, b ORDER BY c DESC)", "sum(a) OVER w", "sum(a) OVER (w ORDER BY b)",
	"sum(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", "sum(a) OVER (ORDER BY b RANGE UNBOUNDED PRECEDING)",
	"sum(a) OVER (ORDER BY b GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING EXCLUDE TIES)", "sum(a) FILTER (WHERE b) OVER (ROWS CURRENT ROW)",
	"sum(a) OVER (ORDER BY b RANGE BETWEEN '1 day'::interval PRECEDING AND '1 day' FOLLOWING EXCLUDE CURRENT ROW)",
	"EXTRACT(year FROM a)", "EXTRACT('epoch' FROM a + b)", "EXTRACT(dow FROM now())", "a AT TIME ZONE 'UTC'", "(a AT TIME ZONE 'x')::date", "a AT TIME ZONE 'x' AT TIME ZONE 'y'",
	"substring(a FROM 1 FOR 2)", "substring(a, 1)", "substring(a SIMILAR 'b' ESCAPE 'c')", "position('a' IN b)", "overlay(a PLACING b FROM 1)", "trim(a)", "trim(LEADING 'x' FROM a)", "trim(TRAILING FROM a)",
	"left(a, 1)", "pg_catalog.lower(a)", "(a, b) OVERLAPS (c, d)", "COLLATION FOR (a)", "a IS NORMALIZED", "normalize(a, NFC)",
	"current_date", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)", "localtime", "LOCALTIMESTAMP(0)", "current_user", "session_user", "current_schema", "current_catalog", "user",
	"(SELECT 1)", "EXISTS (SELECT 1)", "NOT EXISTS (SELECT FROM t)", "ARRAY(SELECT a FROM t)", "a IN (SELECT b FROM t)", "a NOT IN (SELECT 1)", "a > ALL (SELECT 1)",
	"a = ANY (SELECT 1)", "a < ANY (VALUES (1), (2))", "(a, b) IN (SELECT 1, 2)", "(SELECT 1) + 1", "((SELECT a FROM t))[1]", "((SELECT t FROM t)).a",
	"a = ANY ((SELECT b FROM t)::int[])", "a IN (WITH x AS (SELECT 1) SELECT * FROM x)", "binary_quantize(embedding)::bit(3) <~> b'101'",
	"nextval('items_id_seq'::regclass)", "nextval('\"S\".\"x y\"')", "gen_random_uuid()", "price > 0 AND name <> ''", "lower(email)", "embedding::halfvec(768)",
	"GROUPING(a, b)", "t.*", "t.* IS NULL", "a IN (1.5, -2)", "1 IN (NULL)", "a = -1", "a - -1", "5 - (-(a))", "a % 2", "a !~~ b", "a @> '{1}'", "a ?| b", "a && b",
}

func TestPrintedExpressionsParseToTheSameTree(t *testing.T) {
	for _, text := range expressions {
		e, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		printed := Deparse(e)
		again, err := ParseExpr(printed)
		if err != nil {
			t.Errorf("%s prints as %s: %v", text, printed, err)
			continue
		}
		forget(reflect.ValueOf(&e))
		forget(reflect.ValueOf(&again))
		if !reflect.DeepEqual(e, again) {
			t.Errorf("%s prints as %s, another tree, which prints as %s", text, printed, Deparse(again))
		}
	}
}

// Each two expressions of the corpus are put together by each operator, so
// that no pair of precedences is left out.
func TestPrintedPairsOfExpressionsParseToTheSameTree(t *testing.T) {
	var trees []ast.Expr
	for _, text := range expressions {
		if e, err := ParseExpr(text); err == nil {
			trees = append(trees, e)
		}
	}
	join := []func(a, b ast.Expr) ast.Expr{
		func(a, b ast.Expr) ast.Expr { return &ast.Op{Name: "+", Left: a, Right: b} },
		func(a, b ast.Expr) ast.Expr { return &ast.Op{Name: "<", Left: a, Right: b} },
		func(a, b ast.Expr) ast.Expr { return &ast.Op{Name: "||", Left: a, Right: b} },
		func(a, b ast.Expr) ast.Expr { return &ast.Between{Arg: a, Low: b, High: a} },
		func(a, b ast.Expr) ast.Expr { return &ast.In{Left: a, List: []ast.Expr{b, a}} },
		func(a, b ast.Expr) ast.Expr { return &ast.DistinctFrom{Left: a, Right: b} },
		func(a, b ast.Expr) ast.Expr { return &ast.Case{Arg: a, Whens: []ast.When{{Cond: b, Result: a}}} },
		func(a, b ast.Expr) ast.Expr { return &ast.NullTest{Arg: &ast.Op{Name: "*", Left: a, Right: b}} },
		func(a, b ast.Expr) ast.Expr {
			return &ast.Subscript{Arg: &ast.RowExpr{Args: []ast.Expr{a, b}}, Low: a}
		},
		func(a, b ast.Expr) ast.Expr {
			return &ast.BoolExpr{Kind: ast.Or, Args: []ast.Expr{&ast.BoolExpr{Kind: ast.Not, Args: []ast.Expr{a}}, &ast.NullIf{Left: b, Right: a}}}
		},
		func(a, b ast.Expr) ast.Expr {
			return &ast.TypeCast{Arg: a, Type: &ast.TypeName{Names: []string{"pg_catalog", "int4"}}}
		},
		func(a, b ast.Expr) ast.Expr { return &ast.Collate{Arg: a, Name: []string{"C"}} },
	}
	for i, a := range trees {
		b := trees[(i*7+3)%len(trees)]
		for _, f := range join {
			e := f(a, b)
			printed := Deparse(e)
			again, err := ParseExpr(printed)
			if err != nil {
				t.Errorf("%s: %v", printed, err)
				continue
			}
			forget(reflect.ValueOf(&e))
			forget(reflect.ValueOf(&again))
			if !reflect.DeepEqual(e, again) {
				t.Errorf("%s is another tree, which prints as %s", printed, Deparse(again))
			}
		}
	}
}

// queries is the corpus of statements that are printed.
var queries = []string{
	"SELECT", "SELECT 1", "SELECT *, t.*, a AS b, c \"D e\" FROM t", "SELECT ALL a FROM t", "SELECT DISTINCT a FROM t", "SELECT DISTINCT ON (a, b) a FROM t ORDER BY a, b DESC",
	"SELECT a FROM ONLY s.t AS x (y, z) WHERE y > 1", "SELECT id FROM items ORDER BY embedding <=> $1 LIMIT 10", "SELECT 1 LIMIT ALL", "SELECT 1 LIMIT 1 + 1 OFFSET 2",
	"SELECT 1 FETCH FIRST ROW ONLY", "SELECT a FROM t ORDER BY a OFFSET 1 FETCH NEXT 3 ROWS WITH TIES", "SELECT a FROM t ORDER BY a USING >, b NULLS FIRST, c ASC NULLS LAST",
	"SELECT a FROM t, u, LATERAL (SELECT t.a) x", "SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y) RIGHT JOIN d USING (z) AS k FULL JOIN e ON true CROSS JOIN f NATURAL JOIN g NATURAL LEFT JOIN h",
	"SELECT * FROM a JOIN (b JOIN c ON true) ON false", "SELECT * FROM a LEFT JOIN b JOIN c ON true ON false", "SELECT * FROM (a JOIN b ON true) AS j (x) JOIN c ON true", "SELECT * FROM (a CROSS JOIN b) j",
	"SELECT * FROM f(1) WITH ORDINALITY AS x (a, b)", "SELECT * FROM f(1)", "SELECT * FROM ROWS FROM (f(1), g(2)) WITH ORDINALITY x", "SELECT * FROM f() AS (a int, b text[])", "SELECT * FROM f() x (a int, b numeric(3,2))",
	"SELECT * FROM LATERAL f(1) x, current_date d", "SELECT * FROM t TABLESAMPLE bernoulli (10) REPEATABLE (1)", "SELECT * FROM t x TABLESAMPLE system (1.5)", "SELECT * FROM (SELECT 1)", "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v (x, y)",
	"SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1", "SELECT 1 FROM t GROUP BY DISTINCT a, ROLLUP (a, b), CUBE (c, (d, e)), GROUPING SETS ((a, b), a, (), ROLLUP (x))", "SELECT 1 FROM t GROUP BY ()",
	"SELECT 1 FROM t GROUP BY (a, b)", "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b), v AS (w ORDER BY c)", "SELECT 1 UNION SELECT 2 UNION ALL SELECT 3", "SELECT 1 UNION (SELECT 2 UNION SELECT 3)",
	"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "(SELECT 1 UNION SELECT 2) INTERSECT SELECT 3", "SELECT 1 EXCEPT ALL (SELECT 2 LIMIT 1) ORDER BY 1 LIMIT 5", "(SELECT 1 ORDER BY 1) UNION ALL (WITH a AS (SELECT 2) SELECT * FROM a)",
	"SELECT 1 EXCEPT SELECT 2 EXCEPT SELECT 3", "SELECT 1 EXCEPT (SELECT 2 EXCEPT SELECT 3)", "SELECT 1 INTERSECT SELECT 2 INTERSECT ALL SELECT 3", "(SELECT 1 UNION SELECT 2 ORDER BY 1) UNION SELECT 3", "VALUES (1, 2), (DEFAULT, 3) ORDER BY 1", "VALUES (1) UNION VALUES (2)", "TABLE t",
	"WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r", "WITH a AS MATERIALIZED (SELECT 1), b AS NOT MATERIALIZED (SELECT 2) SELECT * FROM a, b",
	"WITH x AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM x", "WITH x AS (DELETE FROM t RETURNING *), y AS (UPDATE t SET a = 1 RETURNING *) SELECT 1",
	"SELECT a FROM t FOR UPDATE", "SELECT a FROM t, u FOR NO KEY UPDATE OF t NOWAIT FOR KEY SHARE OF u SKIP LOCKED", "SELECT a FROM t FOR SHARE",
	"INSERT INTO t DEFAULT VALUES", "INSERT INTO s.t AS x (a, \"B\") VALUES (1, DEFAULT), (2, NULL) RETURNING *, a AS c", "INSERT INTO t SELECT * FROM u", "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
	"INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1)", "INSERT INTO t (a) OVERRIDING USER VALUE VALUES (1)", "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT k DO NOTHING",
	"INSERT INTO t VALUES (1) ON CONFLICT (a, (lower(b)) COLLATE \"C\" text_ops) WHERE a > 1 DO UPDATE SET a = excluded.a, (b, c) = (1, 2), (d, e) = (SELECT 1, 2), f = DEFAULT WHERE t.a > 1 RETURNING a",
	"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "UPDATE t SET a = a + 1", "UPDATE ONLY t AS x SET a = 1, (b, c) = ROW(1, DEFAULT) FROM u, v WHERE u.i = x.i RETURNING x.*", "WITH q AS (SELECT 1) UPDATE t SET a = (SELECT * FROM q)",
	"DELETE FROM t", "DELETE FROM t x USING u JOIN v ON true WHERE x.a = u.a RETURNING a", "WITH q AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM q)",
	"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED AND u.b THEN UPDATE SET a = 1, (b, c) = (1, 2) WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND u.c > 1 THEN INSERT (a, b) VALUES (1, DEFAULT) WHEN NOT MATCHED THEN DO NOTHING",
	"WITH q AS (SELECT 1) MERGE INTO t x USING (SELECT 1) y ON true WHEN NOT MATCHED THEN INSERT OVERRIDING SYSTEM VALUE VALUES (1) WHEN NOT MATCHED AND true THEN INSERT DEFAULT VALUES",
}

func TestPrintedQueriesParseToTheSameTree(t *testing.T) {
	for _, text := range queries {
		statements, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if DeparseStmt(statements[0].Tree) == "" {
			t.Errorf("%s: printed nothing", text)
		}
		if difference := unlike(statements[0].Tree); difference != "" {
			t.Errorf("%s prints as %s", text, difference)
		}
	}
}

func TestLongChainsPrintWithoutNesting(t *testing.T) {
	for name, text := range map[string]string{
		"concat": hostile(1000)["concat of keywords"], "union": hostile(1000)["union"], "join": hostile(1000)["join"],
		"ands": "SELECT a" + strings.Repeat(" AND b = 1", 5000), "casts": hostile(1000)["cast"],
	} {
		statements, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if difference := unlike(statements[0].Tree); difference != "" {
			t.Errorf("%s: %.300s", name, difference)
		}
	}
}
