package sql

import (
	"strings"
	"testing"

	"github.com/akidb/akidb/internal/pgerr"
)

// hostile are texts whose tree is so deep that the parser would overflow its stack.
func hostile(n int) map[string]string {
	r := strings.Repeat
	return map[string]string{
		"addition":              "SELECT 1" + r("+1", n),
		"plus and minus run":    "SELECT 1" + r("+-", n) + "1",
		"prefix minus":          "SELECT " + r("- ", n) + "1",
		"custom prefix":         "SELECT " + r("~ ", n) + "1",
		"custom operator":       "SELECT 1" + r(" <-> 1", n),
		"cast":                  "SELECT 1" + r("::int", n),
		"is null":               "SELECT 1" + r(" IS NULL", n),
		"isnull":                "SELECT 1" + r(" ISNULL", n),
		"notnull":               "SELECT 1" + r(" NOTNULL", n),
		"is true":               "SELECT true" + r(" IS TRUE", n),
		"not":                   "SELECT " + r("NOT ", n) + "true",
		"collate":               "SELECT 'a'" + r(` COLLATE "C"`, n),
		"at time zone":          "SELECT now()" + r(" AT TIME ZONE 'UTC'", n),
		"operator()":            "SELECT 1" + r(" OPERATOR(pg_catalog.+) 1", n),
		"concat of keywords":    "SELECT a" + r(" || set", n),
		"reserved attribute":    "SELECT a" + r(" || t.select", n),
		"hexadecimal":           "SELECT 0x1e" + r("+0x1e", n),
		"binary":                "SELECT 0b1" + r("+0b1", n),
		"comments":              "SELECT 1" + r("+/*/* ' */*/1--'\n", n),
		"join":                  "SELECT 1 FROM a" + r(" CROSS JOIN a", n),
		"join on":               "SELECT 1 FROM a" + r(" JOIN a ON x AND y", n),
		"natural join":          "SELECT 1 FROM a" + r(" NATURAL JOIN a", n),
		"nested join":           "SELECT 1 FROM " + r("a JOIN ", n) + "a" + r(" ON true", n),
		"union":                 "SELECT 1" + r(" UNION SELECT 1", n),
		"union of lists":        "SELECT 1, 2" + r(" UNION SELECT 1, 2", n),
		"intersect":             "SELECT 1" + r(" INTERSECT SELECT 1", n),
		"except all":            "SELECT 1" + r(" EXCEPT ALL SELECT 1", n),
		"values union":          "VALUES (1)" + r(" UNION ALL VALUES (1)", n),
		"parentheses":           "SELECT " + r("(", n) + "1" + r(")", n),
		"open parentheses":      "SELECT " + r("(", n),
		"subqueries":            "SELECT " + r("(SELECT ", n) + "1" + r(")", n),
		"subqueries in from":    "SELECT * FROM " + r("(SELECT * FROM ", n) + "a" + r(") a", n),
		"exists":                "SELECT 1 WHERE " + r("EXISTS (SELECT 1 WHERE ", n) + "true" + r(")", n),
		"function calls":        "SELECT " + r("f(", n) + "1" + r(")", n),
		"arrays":                "SELECT " + r("ARRAY[", n) + "1" + r("]", n),
		"array lists":           "SELECT ARRAY" + r("[", n) + "1" + r("]", n),
		"subscripts":            "SELECT a" + r("[1]", n),
		"fields":                "SELECT (a)" + r(".a", n),
		"case":                  "SELECT " + r("CASE WHEN true THEN ", n) + "1" + r(" END", n),
		"case in condition":     "SELECT " + r("CASE WHEN ", n) + "true" + r(" THEN true END", n),
		"case argument":         "SELECT " + r("CASE ", n) + "1" + r(" WHEN 1 THEN 1 END", n),
		"case else":             "SELECT " + r("CASE WHEN a THEN 1 ELSE ", n) + "1" + r(" END", n),
		"between and not":       "SELECT " + r("1 BETWEEN 1 AND NOT ", n) + "true",
		"in chain":              "SELECT 1" + r(" IN (1) = true", n),
		"like chain":            "SELECT 'a'" + r(" LIKE 'a' || 'b'", n),
		"with":                  r("WITH a AS (", n) + "SELECT 1" + r(") SELECT 1", n),
		"row":                   "SELECT " + r("ROW(1, ", n) + "1" + r(")", n),
		"alternating and, not":  "SELECT " + r("NOT (a AND ", n) + "b" + r(")", n),
		"grouping sets":         "SELECT 1 GROUP BY " + r("GROUPING SETS (", n) + "a" + r(")", n),
		"escape string":         "SELECT E'\\''" + r(" || E'\\'' || 1", n),
		"continued escape":      "SELECT E'a'\n'\\''" + r(" || E'a'\n'\\''", n),
		"dollar quotes":         "SELECT $a$'$a$" + r(" || $$'$$", n),
		"quoted identifiers":    `SELECT "a'"` + r(` || "b""'"`, n),
		"is distinct from":      "SELECT a" + r(" IS DISTINCT FROM a + 1", n),
		"many small statements": r("SELECT 1+1;", n),
	}
}

func TestHostileInputNeverOverflowsTheStack(t *testing.T) {
	for name, text := range hostile(100_000) {
		_, err := Parse(text)
		switch name {
		case "many small statements":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		default:
			if code := pgerr.Code(err); code != pgerr.StatementTooComplex && code != pgerr.SyntaxError {
				t.Errorf("%s: got %v, want 54001", name, err)
			}
		}
	}
}

// At the guard's limit the parser, the decoder and the converter all still work.
func TestTheDeepestTreesAllowedParse(t *testing.T) {
	for _, n := range []int{900, 960, 980, 1400, 2900} {
		for name, text := range hostile(n) {
			if _, err := Parse(text); err != nil {
				if code := pgerr.Code(err); code != pgerr.StatementTooComplex && code != pgerr.SyntaxError {
					t.Errorf("%s of %d: %v", name, n, err)
				}
			}
		}
	}
	for name, text := range map[string]string{
		"addition": hostile(2500)["addition"], "cast": hostile(2500)["cast"], "join": hostile(2500)["join"], "union": hostile(2500)["union"],
		"parentheses": hostile(900)["parentheses"], "subqueries": hostile(900)["subqueries"], "case": hostile(900)["case"],
	} {
		statements, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if printed := DeparseStmt(statements[0].Tree); printed == "" {
			t.Errorf("%s: printed nothing", name)
		}
	}
}

func TestLargeOrdinaryStatementsPass(t *testing.T) {
	r := strings.Repeat
	for name, text := range map[string]string{
		"10 MB of rows":     "INSERT INTO t VALUES " + r("(1, -2.5, 'abc''d', '[1,2,3]'::vector, NULL, now()),\n", 200_000) + "(1, 2, 3, 4, 5, 6)",
		"50,000 constants":  "SELECT * FROM t WHERE a IN (" + r("-12345, ", 50_000) + "1)",
		"1,000 ORs":         "SELECT * FROM t WHERE a = 1" + r(" OR t.a = 1 AND t.b LIKE 'x%'", 1000),
		"1,000 columns":     "SELECT 1" + r(", t.a + t.b * 2 AS c", 1000) + " FROM t",
		"100,000 ANDs":      "SELECT * FROM t WHERE a" + r(" AND b = 1", 100_000),
		"200 joins":         "SELECT 1 FROM a" + r(" LEFT JOIN b ON a.x = b.x AND a.y = b.y", 200),
		"1,000 unions":      "SELECT 1, 2" + r(" UNION ALL SELECT 1, 2", 1000),
		"1,000 concats":     "SELECT a" + r(" || t.a", 1000) + " FROM t",
		"1,000 CASE arms":   "SELECT CASE" + r(" WHEN a = 1 AND b BETWEEN 1 AND 2 THEN 'x'", 1000) + " END FROM t",
		"100 parentheses":   "SELECT " + r("(1 + ", 100) + "1" + r(")", 100),
		"a vector of 16000": "SELECT '[1" + r(",1.25", 15_999) + "]'::vector",
	} {
		if name == "10 MB of rows" && testing.Short() {
			continue
		}
		if _, err := Parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
