package plan

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// testSession answers what planning asks of a session.
type testSession struct {
	expr.Session
	settings map[string]string
}

func (s *testSession) SearchPath(bool) []string { return []string{"pg_catalog", "public"} }
func (s *testSession) Setting(name string) (string, bool) {
	v, ok := s.settings[name]
	return v, ok
}
func (s *testSession) SetSetting(string, string, bool) (string, error) { return "", nil }
func (s *testSession) NextValue(context.Context, types.OID) (int64, error) {
	return 0, nil
}

// planTest is a catalog made by the commands of a test file.
type planTest struct {
	t       *testing.T
	env     *Env
	session *testSession
	rows    map[types.OID]int64
	nextID  types.OID
}

func newPlanTest(t *testing.T) *planTest {
	p := &planTest{t: t, nextID: 30000, rows: map[types.OID]int64{}, session: &testSession{settings: map[string]string{}}}
	p.env = &Env{Catalog: catalog.Empty(), Types: types.DefaultEnv(), Session: p.session}
	p.env.Stats = func(id types.OID) storage.TableStats { return storage.TableStats{Rows: p.rows[id], RowBytes: 100} }
	return p
}

func (p *planTest) id() types.OID {
	p.nextID++
	return p.nextID
}

// table is "items rows=1000" and a column a line: name, type, not null.
func (p *planTest) table(d *datadriven.TestData) string {
	t := &catalog.Table{ID: p.id(), Schema: "public", Name: d.CmdArgs[0].Key}
	for i, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		name, rest, _ := strings.Cut(line, " ")
		rest, notNull := strings.CutSuffix(rest, " not null")
		e, err := sql.ParseExpr("NULL::" + rest)
		if err != nil {
			d.Fatalf(p.t, "%s: %v", line, err)
		}
		typ, err := ResolveType(p.env, e.(*ast.TypeCast).Type)
		if err != nil {
			d.Fatalf(p.t, "%s: %v", line, err)
		}
		t.Columns = append(t.Columns, catalog.Column{Num: int16(i + 1), Name: name, Type: typ.OID, Typmod: typ.Typmod, NotNull: notNull})
	}
	for _, a := range d.CmdArgs[1:] {
		n, _ := strconv.ParseInt(a.Vals[0], 10, 64)
		p.rows[t.ID] = n
	}
	p.env.Catalog = p.env.Catalog.Apply(catalog.Put(t))
	return ""
}

// index is a CREATE INDEX statement.
func (p *planTest) index(d *datadriven.TestData) string {
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		stmts, err := sql.Parse(line)
		if err != nil {
			d.Fatalf(p.t, "%s: %v", line, err)
		}
		p.addIndex(stmts[0].Tree.(*ast.CreateIndex))
	}
	return ""
}

func (p *planTest) addIndex(c *ast.CreateIndex) {
	t := p.env.relation(c.Table).(*catalog.Table)
	x := &catalog.Index{ID: p.id(), Table: t.ID, Schema: "public", Name: c.Name, Method: firstOf(c.Method, "btree"), Unique: c.Unique, Valid: c.Name[0] != '_'}
	for i := range c.Elems {
		x.Keys = append(x.Keys, p.key(t, &c.Elems[i]))
	}
	if c.Where != nil {
		x.Predicate = sql.Deparse(c.Where)
	}
	p.env.Catalog = p.env.Catalog.Apply(catalog.Put(x))
}

func (p *planTest) key(t *catalog.Table, e *ast.IndexElem) catalog.IndexKey {
	k := catalog.IndexKey{Desc: e.Desc, NullsFirst: e.Nulls == ast.NullsFirst || e.Nulls == ast.NullsDefault && e.Desc}
	if len(e.Opclass) > 0 {
		for m := types.MetricL2; m <= types.MetricJaccard; m++ {
			if strings.Contains(e.Opclass[0], "_"+m.String()+"_") {
				k.Metric = m
			}
		}
	}
	if e.Column != "" {
		c := t.Column(e.Column)
		k.Column, k.Type, k.Typmod = c.Num, c.Type, c.Typmod
		return k
	}
	bound, err := BindTableExpr(p.env, t, e.Expr, expr.Type{}, "index expressions")
	if err != nil {
		p.t.Fatal(err)
	}
	k.Expr, k.Type, k.Typmod = sql.Deparse(e.Expr), bound.Type().OID, bound.Type().Typmod
	return k
}

// scan plans a SELECT of one table by tableScan and orderedScan alone.
func (p *planTest) scan(d *datadriven.TestData, q *ast.Select) (*Plan, error) {
	b := newBinder(p.env, nil)
	rv := q.From[0].(*ast.RangeVar)
	table := p.env.relation(rv).(*catalog.Table)
	alias := table.Name
	if rv.Alias != nil {
		alias = rv.Alias.Name
	}
	s := &scope{rels: []*relation{tableRelation(table, alias, 0)}, width: len(table.Columns)}
	sel := &selecting{b: b, s: s, q: q}
	s.level = &level{}
	if err := sel.bind(); err != nil {
		return nil, err
	}
	cols := columnsOf(sel.where)
	var n Node
	if len(sel.order) > 0 {
		n = b.orderedScan(table, alias, cols, sel.where, sel.order, sel.limit, false)
	}
	if n == nil {
		n = b.tableScan(table, alias, cols, sel.where, false)
		if len(sel.order) > 0 {
			n = &Sort{Info: *n.Common(), Child: n, Keys: sel.order, Limit: sel.limit}
		}
	}
	b.plan.Root = n
	return b.plan, nil
}

func (p *planTest) explain(d *datadriven.TestData) string {
	stmts, err := sql.Parse(d.Input)
	if err != nil {
		d.Fatalf(p.t, "%v", err)
	}
	p.session.settings = map[string]string{}
	opts := ExplainOptions{Format: "text"}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "format":
			opts.Format = a.Vals[0]
		case "verbose":
			opts.Verbose = true
		case "costs":
			opts.Costs = true
		default:
			p.session.settings[a.Key] = a.Vals[0]
		}
	}
	var made *Plan
	if d.Cmd == "scan" {
		made, err = p.scan(d, stmts[0].Tree.(*ast.Select))
	} else {
		made, err = Prepare(p.env, stmts[0].Tree, nil)
	}
	if err != nil {
		return "error: " + err.Error()
	}
	lines, err := Explain(made, opts, Explanation{Planning: 125 * time.Microsecond})
	if err != nil {
		return "error: " + err.Error()
	}
	if k, ok := made.Root.(*KNN); ok {
		lines = append(lines, knnDetails(k)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// knnDetails prints what EXPLAIN leaves out.
func knnDetails(k *KNN) (out []string) {
	want := "all"
	if k.Want != nil {
		want = expr.String(k.Want)
	}
	line := fmt.Sprintf("-- metric %s, want %s, selectivity %.4f", k.Distance.Metric, want, k.Selectivity)
	switch alt := k.Alternative.(type) {
	case *IndexScan:
		line += ", or by " + alt.Index.Name
	case *SeqScan:
		line += ", or by a sequential scan"
	}
	return []string{line}
}

func TestPlansAreTheGoldenOnes(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		p := newPlanTest(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p.t = t
			switch d.Cmd {
			case "table":
				return p.table(d)
			case "index":
				return p.index(d)
			case "scan", "explain":
				return p.explain(d)
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}
