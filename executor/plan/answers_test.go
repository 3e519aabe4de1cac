package plan_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// database runs statements over memory; CREATE TABLE, INDEX and VIEW make
// descriptors with what the planner looks at.
type database struct {
	t        *testing.T
	memory   *memory
	nextID   types.OID
	prepared map[string]*ast.Prepare
	values   map[types.OID]int64 // of sequences
	settings map[string]string
}

func newDatabase(t *testing.T) *database {
	return &database{t: t, memory: newMemory(), nextID: 50000, prepared: map[string]*ast.Prepare{}, values: map[types.OID]int64{}}
}

// session is what functions ask for.
type session struct {
	expr.Session
	d *database
}

func (s session) Catalog() *catalog.Snapshot { return s.d.memory.catalog }
func (s session) SearchPath(bool) []string   { return []string{"pg_catalog", "public"} }
func (s session) Setting(name string) (string, bool) {
	v, ok := s.d.settings[name]
	return v, ok
}

func (s session) User() string                                    { return "postgres" }
func (s session) SetSetting(string, string, bool) (string, error) { return "", nil }
func (s session) PID() int                                        { return 1 }
func (s session) NextValue(_ context.Context, seq types.OID) (int64, error) {
	s.d.values[seq]++
	return s.d.values[seq], nil
}

func (d *database) env() *plan.Env {
	stats := func(id types.OID) storage.TableStats {
		return storage.TableStats{Rows: int64(len(d.memory.rows[id])), RowBytes: 60}
	}
	return &plan.Env{Catalog: d.memory.catalog, Types: d.types(), Session: session{d: d}, Stats: stats}
}

func (d *database) types() *types.Env {
	env := types.DefaultEnv()
	env.Names = d
	return env
}

// ResolveName and ObjectName serve regclass.
func (d *database) ResolveName(_ types.OID, name string) (types.OID, error) {
	if o := d.memory.catalog.Relation("public", strings.TrimPrefix(name, "public.")); o != nil {
		return o.ObjectID(), nil
	}
	return 0, pgerr.Newf(pgerr.UndefinedTable, "relation %q does not exist", name)
}

func (d *database) ObjectName(_ types.OID, id types.OID) (string, bool) {
	o := d.memory.catalog.Object(id)
	if o == nil {
		return "", false
	}
	_, name := o.ObjectName()
	return name, true
}

func (d *database) id() types.OID {
	d.nextID++
	return d.nextID
}

// run does one statement and prints its rows as psql -At does.
func (d *database) run(text string) string {
	stmts, err := sql.Parse(text)
	if err != nil {
		return printError(err)
	}
	var out strings.Builder
	for _, s := range stmts {
		rows, err := d.statement(s.Tree, nil)
		if err != nil {
			out.WriteString(printError(err))
			break
		}
		out.WriteString(rows)
	}
	return out.String()
}

func printError(err error) string {
	e := pgerr.As(err)
	if e == nil {
		return "ERROR: " + err.Error() + "\n"
	}
	out := "ERROR " + e.Code + ": " + e.Message + "\n"
	if e.Detail != "" {
		out += "DETAIL: " + e.Detail + "\n"
	}
	if e.Hint != "" {
		out += "HINT: " + e.Hint + "\n"
	}
	return out
}

func (d *database) statement(tree ast.Stmt, given []types.OID) (string, error) {
	switch t := tree.(type) {
	case *ast.CreateTable:
		return "", d.createTable(t)
	case *ast.CreateIndex:
		return "", d.createIndex(t)
	case *ast.CreateView:
		v := &catalog.View{ID: d.id(), Schema: "public", Name: t.View.Name, Query: t.QueryText}
		for _, name := range t.Columns {
			v.Columns = append(v.Columns, catalog.Column{Name: name})
		}
		d.memory.catalog = d.memory.catalog.Apply(catalog.Put(v))
		return "", nil
	case *ast.Prepare:
		_, err := d.plan(t)
		d.prepared[t.Name] = t
		return "", err
	case *ast.Execute:
		return d.execute(t)
	default:
		p, err := plan.Prepare(d.env(), tree, given)
		if err != nil {
			return "", err
		}
		return d.rows(p, nil)
	}
}

func (d *database) plan(t *ast.Prepare) (*plan.Plan, error) {
	var given []types.OID
	for _, name := range t.Types {
		typ, err := plan.ResolveType(d.env(), name)
		if err != nil {
			return nil, err
		}
		given = append(given, typ.OID)
	}
	return plan.Prepare(d.env(), t.Query, given)
}

func (d *database) execute(t *ast.Execute) (string, error) {
	p, err := d.plan(d.prepared[t.Name])
	if err != nil {
		return "", err
	}
	var params []types.Datum
	for i, a := range t.Args {
		e, err := plan.BindScalar(d.env(), a)
		if err != nil {
			return "", err
		}
		if e, err = expr.Coerce(d.types(), e, expr.Type{OID: p.Params[i], Typmod: types.NoTypmod}, expr.CastAssignment); err != nil {
			return "", err
		}
		v, err := e.Eval(&expr.Context{Env: d.types()})
		if err != nil {
			return "", err
		}
		params = append(params, v)
	}
	return d.rows(p, params)
}

// rows runs a plan; a statement that fails leaves no rows behind.
func (d *database) rows(p *plan.Plan, params []types.Datum) (string, error) {
	d.memory.begin()
	ctx := context.Background()
	x, err := run.Start(ctx, p, run.Env{Rows: d.memory, Session: session{d: d}, Types: d.types(), TempDir: d.t.TempDir(), EfSearch: 40}, params)
	if err != nil {
		return "", err
	}
	defer func() {
		if err := x.Close(); err != nil {
			d.t.Error(err)
		}
	}()
	var out strings.Builder
	for {
		row, err := x.Next(ctx)
		if err != nil {
			for id := range d.memory.rows {
				d.memory.rows[id] = maps.Clone(d.memory.before[id])
			}
			return "", err
		}
		if row == nil {
			return out.String(), nil
		}
		for i, v := range row {
			if i > 0 {
				out.WriteByte('|')
			}
			if v == nil {
				out.WriteString("NULL")
			} else {
				out.WriteString(types.FormatString(p.Columns[i].Type.OID, v, d.types()))
			}
		}
		out.WriteByte('\n')
	}
}

func (d *database) createTable(c *ast.CreateTable) error {
	t := &catalog.Table{ID: d.id(), Schema: "public", Name: c.Table.Name}
	changes := []catalog.Change{}
	for i := range c.Columns {
		def := &c.Columns[i]
		typ, serial := expr.Type{OID: types.Int4OID, Typmod: types.NoTypmod}, def.Type.Names[len(def.Type.Names)-1] == "serial"
		if !serial {
			var err error
			if typ, err = plan.ResolveType(d.env(), def.Type); err != nil {
				return err
			}
		}
		col := catalog.Column{Num: int16(i + 1), Name: def.Name, Type: typ.OID, Typmod: typ.Typmod}
		for _, k := range def.Constraints {
			changes = append(changes, d.constraint(t, &col, k)...)
		}
		if serial || col.Identity != 0 {
			q := &catalog.Sequence{ID: d.id(), Schema: "public", Name: t.Name + "_" + col.Name + "_seq", OwnerTable: t.ID, OwnerColumn: col.Num}
			changes = append(changes, catalog.Put(q))
			col.NotNull = true
			if serial {
				col.Default = fmt.Sprintf("nextval(%d::regclass)", q.ID)
			}
		}
		t.Columns = append(t.Columns, col)
	}
	for _, k := range c.Constraints {
		name := t.Name + "_" + strings.Join(k.Columns, "_") + "_key"
		changes = append(changes, d.unique(t, name, k.Columns, false))
	}
	d.memory.catalog = d.memory.catalog.Apply(append([]catalog.Change{catalog.Put(t)}, changes...)...)
	d.memory.table(t)
	return nil
}

func (d *database) constraint(t *catalog.Table, col *catalog.Column, k ast.Constraint) []catalog.Change {
	switch k.Kind {
	case ast.ConstraintNotNull:
		col.NotNull = true
	case ast.ConstraintDefault:
		col.Default = k.ExprText
	case ast.ConstraintGenerated:
		col.Generated = k.ExprText
	case ast.ConstraintIdentity:
		col.Identity = 'd'
		if k.Always {
			col.Identity = 'a'
		}
	case ast.ConstraintCheck:
		t.Checks = append(t.Checks, catalog.Check{ID: d.id(), Name: t.Name + "_" + col.Name + "_check", Expr: k.ExprText})
	case ast.ConstraintPrimary:
		col.NotNull = true
		x := d.uniqueOn(t, t.Name+"_pkey", *col)
		x.Primary = true
		return []catalog.Change{catalog.Put(x)}
	case ast.ConstraintUnique:
		return []catalog.Change{catalog.Put(d.uniqueOn(t, t.Name+"_"+col.Name+"_key", *col))}
	}
	return nil
}

func (d *database) unique(t *catalog.Table, name string, columns []string, primary bool) catalog.Change {
	var cols []catalog.Column
	for _, c := range columns {
		cols = append(cols, *t.Column(c))
	}
	x := d.uniqueOn(t, name, cols...)
	x.Primary = primary
	return catalog.Put(x)
}

func (d *database) uniqueOn(t *catalog.Table, name string, columns ...catalog.Column) *catalog.Index {
	x := &catalog.Index{ID: d.id(), Table: t.ID, Schema: "public", Name: name, Method: "btree", Unique: true, Valid: true, Constraint: d.id()}
	for _, c := range columns {
		x.Keys = append(x.Keys, catalog.IndexKey{Column: c.Num, Type: c.Type, Typmod: c.Typmod})
	}
	return x
}

func (d *database) createIndex(c *ast.CreateIndex) error {
	t := d.memory.catalog.Relation("public", c.Table.Name).(*catalog.Table)
	x := &catalog.Index{ID: d.id(), Table: t.ID, Schema: "public", Name: c.Name, Method: c.Method, Unique: c.Unique, Valid: true}
	if x.Method == "" {
		x.Method = "btree"
	}
	for _, e := range c.Elems {
		col := t.Column(e.Column)
		k := catalog.IndexKey{Column: col.Num, Type: col.Type, Typmod: col.Typmod, Desc: e.Desc, NullsFirst: e.Desc}
		if x.Vector() {
			k.Metric = types.MetricL2
		}
		x.Keys = append(x.Keys, k)
	}
	d.memory.catalog = d.memory.catalog.Apply(catalog.Put(x))
	return nil
}

// The answers are those of PostgreSQL 15, but where a file says otherwise.
func TestStatementsAreAnsweredAsPostgresDoes(t *testing.T) {
	datadriven.Walk(t, "answers", func(t *testing.T, path string) {
		d := newDatabase(t)
		datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
			d.t = t
			out := d.run(c.Input)
			if c.Cmd == "sorted" { // rows in no particular order
				lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
				slices.Sort(lines)
				out = strings.Join(lines, "\n") + "\n"
			}
			return out
		})
	})
}
