package executor

import (
	"context"
	"time"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// prepared is a prepared statement: the tree, and for those that are planned
// the plan, which is made again when the schema, the search path or the sizes of
// the tables have changed.
type prepared struct {
	name    string
	text    string
	tree    ast.Stmt
	params  []types.OID
	columns []ResultColumn
	made    time.Time
	bySQL   bool // made by PREPARE
	planned planned
}

// planned is a plan with what it was made from.
type planned struct {
	plan       *plan.Plan
	catalog    *catalog.Snapshot
	searchPath string
	switches   uint8   // of the planner
	sizes      []int64 // rows of plan.Tables
	took       time.Duration
}

// ParamTypes are the parameters' types.
func (p *prepared) ParamTypes() []types.OID { return p.params }

// Columns describes the result, nil when there is none.
func (p *prepared) Columns() []ResultColumn { return p.columns }

// Prepare plans a statement.
func (s *session) Prepare(_ context.Context, name string, stmt *sql.Statement, paramTypes []types.OID) (Prepared, error) {
	s.adopt()
	if err := s.checkUsable(stmt.Tree); err != nil {
		return nil, err
	}
	if name != "" && s.statements[name] != nil {
		return nil, duplicateStatement(name)
	}
	p, err := s.prepare(stmt.Tree, stmt.Text, paramTypes)
	if err != nil {
		return nil, err
	}
	p.name = name
	s.statements[name] = p
	return p, nil
}

func duplicateStatement(name string) error {
	return pgerr.Newf(pgerr.DuplicatePreparedStatement, "prepared statement %q already exists", name)
}

func (s *session) prepare(tree ast.Stmt, text string, paramTypes []types.OID) (*prepared, error) {
	s.startClock()
	p := &prepared{text: text, tree: tree, params: paramTypes, made: time.Now()}
	if query := plannable(tree); query != nil {
		if err := s.plan(p, query); err != nil {
			return nil, err
		}
	}
	var err error
	p.columns, err = s.resultColumns(p)
	return p, err
}

// plannable is the query inside a statement that the planner makes a plan of, or nil.
func plannable(tree ast.Stmt) ast.Stmt {
	switch t := tree.(type) {
	case *ast.Select:
		if t.Into != nil {
			return nil
		}
		return t
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		return t
	case *ast.Explain:
		return plannable(t.Query)
	case *ast.Declare:
		return plannable(t.Query)
	case *ast.Copy:
		if t.Query != nil {
			return plannable(t.Query)
		}
	}
	return nil
}

// plan makes the plan of a statement's query.
func (s *session) plan(p *prepared, query ast.Stmt) error {
	began := time.Now()
	env := s.planEnv()
	made, err := plan.Prepare(env, query, p.params)
	if err != nil {
		return err
	}
	p.planned = planned{plan: made, catalog: env.Catalog, searchPath: s.Setting("search_path"), switches: env.Switches(), took: time.Since(began)}
	for _, use := range made.Tables {
		p.planned.sizes = append(p.planned.sizes, s.engine.source.Stats(use.Table.ID).Rows)
	}
	p.params = made.Params
	return nil
}

// refreshPlan plans again when what the plan was made from has changed.
func (s *session) refreshPlan(p *prepared) error {
	if p.planned.plan == nil || s.current(&p.planned) {
		return nil
	}
	old := p.columns
	if err := s.plan(p, plannable(p.tree)); err != nil {
		return err
	}
	now, err := s.resultColumns(p)
	if err != nil {
		return err
	}
	if !sameColumns(old, now) {
		return pgerr.New(pgerr.FeatureNotSupported, "cached plan must not change result type")
	}
	return nil
}

// outgrown is by how much a table's rows may change before a plan is made anew,
// and freeRows how many rows make no difference.
const (
	outgrown = 4
	freeRows = 1000
)

func (s *session) current(p *planned) bool {
	if p.catalog != s.Catalog() || p.searchPath != s.Setting("search_path") || p.switches != s.planEnv().Switches() {
		return false
	}
	for i, use := range p.plan.Tables {
		was, now := p.sizes[i], s.engine.source.Stats(use.Table.ID).Rows
		if max(was, now) > freeRows && (now > outgrown*was || was > outgrown*now) {
			return false
		}
	}
	return true
}

func sameColumns(a, b []ResultColumn) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Type != b[i].Type {
			return false
		}
	}
	return true
}

func columnsOf(cols []plan.Column) []ResultColumn {
	if cols == nil {
		return nil
	}
	out := make([]ResultColumn, len(cols))
	for i, c := range cols {
		out[i] = ResultColumn{Name: c.Name, Table: c.Table, Attnum: c.Attnum, Type: c.Type.OID, Typmod: c.Type.Typmod}
	}
	return out
}

func textColumns(names ...string) []ResultColumn {
	out := make([]ResultColumn, len(names))
	for i, n := range names {
		out[i] = ResultColumn{Name: n, Type: types.TextOID, Typmod: types.NoTypmod}
	}
	return out
}

// resultColumns describes what a statement returns.
func (s *session) resultColumns(p *prepared) ([]ResultColumn, error) {
	switch t := p.tree.(type) {
	case *ast.Select, *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		if p.planned.plan != nil {
			return columnsOf(p.planned.plan.Columns), nil
		}
	case *ast.Explain:
		return explainColumns(t), nil
	case *ast.Show:
		return showColumns(t), nil
	case *ast.Execute:
		target, err := s.statement(t.Name)
		if err != nil {
			return nil, err
		}
		if err := s.refreshPlan(target); err != nil {
			return nil, err
		}
		return target.columns, nil
	case *ast.Fetch:
		if t.Move {
			return nil, nil
		}
		c, err := s.cursor(t.Name)
		if err != nil {
			return nil, err
		}
		return c.columns, nil
	}
	return nil, nil
}
