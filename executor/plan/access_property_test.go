package plan

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// anyConds are conditions of which random ones are put together.
var anyConds = []string{
	"a = 3", "a = 5", "a < 4", "a >= 2", "a > 1", "a IN (1, 3, 7)", "a IS NULL", "a IS NOT NULL", "a <> 3", "a BETWEEN 2 AND 5",
	"b = 2", "b > 1", "b <= 3", "b IN (2, 4)", "b IS NULL", "b = ANY ('{1,2}'::int[])", "2 = b", "4 > b", "a = NULL::int",
	"(a, b) > (2, 3)", "(a, b) = (3, 2)", "(a, b) <= (4, 1)", "(b, a) < (2, 2)",
	"s = 'ab'", "s LIKE 'a%'", "s LIKE 'ab%c'", "s LIKE 'a_'", "s > 'b'", "s <= 'ac'", "s IS NULL", "s LIKE 'abc'", "s ^@ 'ab'",
	"f", "NOT f", "f IS TRUE", "f IS NOT TRUE", "f = false", "f IS UNKNOWN", "f IS NOT UNKNOWN",
	"a + b = 5", "a + b > 6", "false", "a = b", "a::bigint = 3", "a = 3.0",
}

var propertyIndexes = []string{
	"CREATE INDEX x1 ON t (a)", "CREATE INDEX x2 ON t (a, b)", "CREATE INDEX x3 ON t (b DESC, a NULLS FIRST)",
	"CREATE INDEX x4 ON t (s, a)", "CREATE INDEX x5 ON t (f, a)", "CREATE INDEX x6 ON t ((a + b))",
	"CREATE INDEX x7 ON t (b) WHERE a > 1", "CREATE INDEX x8 ON t (a) WHERE f", "CREATE INDEX x9 ON t (a) WHERE s IS NOT NULL",
	"CREATE INDEX x10 ON t (s DESC NULLS LAST, b DESC)", "CREATE INDEX x11 ON t (b) WHERE a = 3 OR a = 5",
}

func propertyTable(p *planTest) *catalog.Table {
	t := &catalog.Table{ID: p.id(), Schema: "public", Name: "t"}
	for i, oid := range []types.OID{types.Int4OID, types.Int4OID, types.TextOID, types.BoolOID} {
		t.Columns = append(t.Columns, catalog.Column{Num: int16(i + 1), Name: "absf"[i : i+1], Type: oid, Typmod: types.NoTypmod})
	}
	p.env.Catalog = p.env.Catalog.Apply(catalog.Put(t))
	for _, text := range propertyIndexes {
		stmts, err := sql.Parse(text)
		if err != nil {
			p.t.Fatal(err)
		}
		p.addIndex(stmts[0].Tree.(*ast.CreateIndex))
	}
	return t
}

func randomRow(r *rand.Rand) types.Row {
	row := types.Row{int64(r.IntN(8)), int64(r.IntN(6)), []string{"", "a", "ab", "abc", "abbc", "ac", "b", "a\U0010ffff"}[r.IntN(8)], r.IntN(2) == 0}
	if r.IntN(4) == 0 {
		row[r.IntN(4)] = nil
	}
	return row
}

func randomCondition(r *rand.Rand, depth int) string {
	n := 1 + r.IntN(3)
	parts := make([]string, n)
	for i := range parts {
		parts[i] = anyConds[r.IntN(len(anyConds))]
		if depth > 0 && r.IntN(3) == 0 {
			parts[i] = "(" + randomCondition(r, depth-1) + ")"
		}
	}
	return strings.Join(parts, []string{" AND ", " OR "}[r.IntN(2)*(depth&1)])
}

func holds(t *testing.T, e expr.Expr, row types.Row) bool {
	if e == nil {
		return true
	}
	d, err := e.Eval(&expr.Context{Ctx: context.Background(), Env: types.DefaultEnv(), Row: row})
	if err != nil {
		t.Fatalf("%s: %v", expr.String(e), err)
	}
	return d == true
}

// within says whether a row's keys lie in a range, as storage.KeyRange is defined.
func within(t *testing.T, p *indexPath, r *IndexRange, row types.Row) bool {
	value := func(e expr.Expr) types.Datum {
		d, err := e.Eval(&expr.Context{Ctx: context.Background(), Env: types.DefaultEnv(), Row: row})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	key := func(i int, d types.Datum) []byte { return types.AppendKey(nil, p.index.Keys[i].Type, d, false, false) }
	at := 0
	for _, e := range r.Eq {
		d := value(e)
		if d == nil || !bytes.Equal(key(at, d), key(at, value(p.keys[at]))) {
			return false
		}
		at++
	}
	if r.EqAny != nil {
		found := false
		for _, d := range value(r.EqAny).(*types.Array).Elems {
			found = found || d != nil && bytes.Equal(key(at, d), key(at, value(p.keys[at])))
		}
		if !found {
			return false
		}
		at++
	} else if r.IsNull {
		if value(p.keys[at]) != nil {
			return false
		}
		at++
	}
	if r.Low == nil && r.High == nil && !r.NotNull {
		return true
	}
	d := value(p.keys[at])
	if d == nil {
		return false
	}
	if r.Low != nil {
		if c := bytes.Compare(key(at, d), key(at, value(r.Low))); c < 0 || c == 0 && r.LowOpen || value(r.Low) == nil {
			return false
		}
	}
	if r.High != nil {
		if c := bytes.Compare(key(at, d), key(at, value(r.High))); c > 0 || c == 0 && r.HighOpen || value(r.High) == nil {
			return false
		}
	}
	return true
}

// passes says whether the path gives the row: it is in the index, in a range,
// and passes the filter.
func (p *indexPath) passes(t *testing.T, predicate []expr.Expr, row types.Row) bool {
	in := len(p.ranges) == 0
	for i := range p.ranges {
		in = in || within(t, p, &p.ranges[i], row)
	}
	return in && holds(t, andOf(predicate), row) && holds(t, andOf(p.filter), row)
}

func TestEveryIndexPathGivesExactlyTheRowsThatPass(t *testing.T) {
	p := newPlanTest(t)
	table := propertyTable(p)
	const seed = 20
	r := rand.New(rand.NewPCG(seed, 1))
	b := newBinder(p.env, nil)
	used := map[string]int{}
	for range 1500 {
		text := randomCondition(r, 2)
		tree, err := sql.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := BindTableExpr(p.env, table, tree, boolType, "test")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		a := b.access(table, "t", nil, conjuncts(bound), false)
		for _, path := range a.paths() {
			_, predicate, _ := b.indexExprs(table, path.index)
			if len(path.ranges) > 0 {
				used[path.index.Name]++
			}
			for range 60 {
				row := randomRow(r)
				if got, want := path.passes(t, predicate, row), holds(t, bound, row); got != want {
					t.Fatalf("seed %d: WHERE %s on %v: %s gives %v, should be %v; %s", seed, text, row, path.index.Name, got, want, describePath(p, table, path))
				}
			}
		}
		if a.never() {
			for range 60 {
				if row := randomRow(r); holds(t, bound, row) {
					t.Fatalf("seed %d: WHERE %s is taken for never true, but %v passes", seed, text, row)
				}
			}
		}
	}
	for _, text := range propertyIndexes {
		if name := strings.Fields(text)[2]; used[name] < 20 {
			t.Errorf("%s was restricted only %d times", name, used[name])
		}
	}
}

func describePath(p *planTest, table *catalog.Table, path *indexPath) string {
	n := &IndexScan{Table: table, Index: path.index, Ranges: path.ranges, Filter: andOf(path.filter)}
	n.Columns = tableColumns(table)
	lines, err := Explain(&Plan{Root: n}, ExplainOptions{}, Explanation{})
	return fmt.Sprint(strings.Join(lines, " | "), err)
}

func TestAnImplicationHoldsForEveryRow(t *testing.T) {
	p := newPlanTest(t)
	table := propertyTable(p)
	var bound []expr.Expr
	for _, text := range anyConds {
		tree, err := sql.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		e, err := BindTableExpr(p.env, table, tree, boolType, "test")
		if err != nil {
			t.Fatal(err)
		}
		bound = append(bound, e)
	}
	r := rand.New(rand.NewPCG(7, 7))
	rows := make([]types.Row, 500)
	for i := range rows {
		rows[i] = randomRow(r)
	}
	proved := 0
	for i, a := range bound {
		for j, c := range bound {
			if i == j || !implies(a, c) {
				continue
			}
			proved++
			for _, row := range rows {
				if holds(t, a, row) && !holds(t, c, row) {
					t.Errorf("%s does not imply %s: %v", anyConds[i], anyConds[j], row)
					break
				}
			}
		}
	}
	if proved < 40 {
		t.Errorf("only %d implications were found", proved)
	}
}
