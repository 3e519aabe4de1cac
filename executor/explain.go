package executor

import (
	"strings"
	"time"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// explainColumns describes EXPLAIN's result: text lines, or one json value.
func explainColumns(t *ast.Explain) []ResultColumn {
	cols := textColumns("QUERY PLAN")
	for _, o := range t.Options {
		if o.Name == "format" && strings.EqualFold(optionWord(o.Value), "json") {
			cols[0].Type = types.JSONOID
		}
		if o.Name == "format" && strings.EqualFold(optionWord(o.Value), "xml") {
			cols[0].Type = types.XMLOID
		}
	}
	return cols
}

// optionWord is an option's value as written.
func optionWord(e ast.Expr) string {
	switch v := e.(type) {
	case *ast.Const:
		if v.Kind == ast.ConstBool {
			if v.Bool {
				return "on"
			}
			return "off"
		}
		if v.Kind == ast.ConstInt {
			return number(float64(v.Int))
		}
		return v.Text
	case *ast.ColumnRef:
		return strings.Join(v.Parts, ".")
	}
	return ""
}

// optionBool reads a Boolean option; a bare name is true.
func optionBool(o ast.Option) (bool, error) {
	if o.Value == nil {
		return true, nil
	}
	switch strings.ToLower(optionWord(o.Value)) {
	case "on", "true", "1", "yes":
		return true, nil
	case "off", "false", "0", "no":
		return false, nil
	}
	return false, pgerr.Newf(pgerr.SyntaxError, "%s requires a Boolean value", o.Name)
}

func explainOptions(t *ast.Explain) (plan.ExplainOptions, error) {
	opts := plan.ExplainOptions{Costs: true, Format: "text"}
	flags := map[string]*bool{
		"analyze": &opts.Analyze, "verbose": &opts.Verbose, "costs": &opts.Costs, "buffers": &opts.Buffers,
		"timing": &opts.Timing, "summary": &opts.Summary, "settings": &opts.Settings,
	}
	given := map[string]bool{}
	for _, o := range t.Options {
		name := strings.ToLower(o.Name)
		given[name] = true
		if flag, ok := flags[name]; ok {
			on, err := optionBool(o)
			if err != nil {
				return opts, err
			}
			*flag = on
			continue
		}
		switch name {
		case "format":
			opts.Format = strings.ToLower(optionWord(o.Value))
			switch opts.Format {
			case "text", "json", "yaml", "xml":
			default:
				return opts, pgerr.Newf(pgerr.InvalidParameterValue, "unrecognized value for EXPLAIN option \"format\": %q", opts.Format)
			}
		case "wal", "generic_plan", "memory", "serialize":
			// Known to PostgreSQL; there is nothing to add here.
		default:
			return opts, pgerr.Newf(pgerr.SyntaxError, "unrecognized EXPLAIN option %q", o.Name)
		}
	}
	if !given["timing"] {
		opts.Timing = opts.Analyze
	}
	if !given["summary"] {
		opts.Summary = opts.Analyze
	}
	return opts, nil
}

// openExplain is EXPLAIN: it prints the plan, after running it with ANALYZE.
func (p *portal) openExplain(t *ast.Explain) (rowSource, error) {
	opts, err := explainOptions(t)
	if err != nil {
		return nil, err
	}
	stmt := p.prepared
	if x, ok := t.Query.(*ast.Execute); ok {
		if stmt, err = p.session.statement(x.Name); err != nil {
			return nil, err
		}
		if p.params, err = p.session.executeArguments(x, stmt); err != nil {
			return nil, err
		}
		if err := p.session.refreshPlan(stmt); err != nil {
			return nil, err
		}
	}
	if stmt.planned.plan == nil {
		return nil, pgerr.Unsupported("EXPLAIN of this statement")
	}
	x := plan.Explanation{Planning: stmt.planned.took}
	if opts.Analyze {
		if x, err = p.analyze(stmt); err != nil {
			return nil, err
		}
	}
	x.Env = p.session.Env()
	lines, err := plan.Explain(stmt.planned.plan, opts, x)
	if err != nil {
		return nil, err
	}
	rows := make([]types.Row, len(lines))
	for i, line := range lines {
		rows[i] = types.Row{line}
	}
	return &fixedRows{name: "EXPLAIN", rows: rows}, nil
}

// analyze runs a statement to its end and keeps what each node did.
func (p *portal) analyze(stmt *prepared) (plan.Explanation, error) {
	began := time.Now()
	rows, err := p.openPlan(stmt, p.params, true)
	if err != nil {
		return plan.Explanation{}, err
	}
	for {
		row, err := rows.next(p.ctx)
		if err != nil {
			_ = rows.close() // the statement has failed already
			return plan.Explanation{}, err
		}
		if row == nil {
			break
		}
	}
	x := plan.Explanation{Planning: stmt.planned.took, Execution: time.Since(began), Stats: rows.execution.Stats}
	return x, rows.close()
}
