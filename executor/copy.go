package executor

import (
	"context"
	"fmt"
	"strings"

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

// copySpec reads COPY's options; for COPY TO it plans the query too.
func (s *session) copySpec(t *ast.Copy, p *prepared) (*CopySpec, error) {
	if t.File != "" || t.Program {
		return nil, pgerr.Unsupported("COPY with a file or program on the server").
			WithHint(`Use COPY … FROM STDIN or TO STDOUT; psql's \copy does.`)
	}
	spec, err := s.copyOptions(t)
	if err != nil {
		return nil, err
	}
	if t.Query != nil {
		if p.planned.plan == nil || p.planned.plan.Columns == nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "COPY query must have a RETURNING clause")
		}
		spec.Columns = columnsOf(p.planned.plan.Columns)
		return spec, s.copyColumnOptions(t, spec)
	}
	table, err := plan.ResolveTable(s.planEnv(), t.Table)
	if err != nil {
		return nil, err
	}
	spec.Table = table.Name
	columns, err := copyColumns(table, t.Columns, t.From)
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		spec.Columns = append(spec.Columns, ResultColumn{Name: c.Name, Table: table.ID, Attnum: c.Num, Type: c.Type, Typmod: c.Typmod})
	}
	if !t.From {
		if err := s.plan(p, tableQuery(table, columns)); err != nil {
			return nil, err
		}
	}
	return spec, s.copyColumnOptions(t, spec)
}

// copyColumns are the columns that a COPY names, or all but the generated ones.
func copyColumns(table *catalog.Table, names []string, from bool) ([]*catalog.Column, error) {
	var out []*catalog.Column
	if names == nil {
		for _, c := range table.Live() {
			if c.Generated == "" {
				out = append(out, c)
			}
		}
		return out, nil
	}
	seen := map[string]bool{}
	for _, name := range names {
		c := table.Column(name)
		switch {
		case c == nil:
			return nil, pgerr.Newf(pgerr.UndefinedColumn, "column %q of relation %q does not exist", name, table.Name)
		case seen[name]:
			return nil, pgerr.Newf(pgerr.DuplicateColumn, "column %q specified more than once", name)
		case c.Generated != "" && from:
			return nil, pgerr.Newf(pgerr.InvalidColumnReference, "column %q is a generated column", name).
				WithDetail("Generated columns cannot be used in COPY.")
		}
		seen[name] = true
		out = append(out, c)
	}
	return out, nil
}

// tableQuery is the SELECT that COPY table TO runs.
func tableQuery(table *catalog.Table, columns []*catalog.Column) *ast.Select {
	q := &ast.Select{From: []ast.FromItem{&ast.RangeVar{Schema: table.Schema, Name: table.Name}}}
	for _, c := range columns {
		q.Targets = append(q.Targets, ast.Target{Expr: &ast.ColumnRef{Parts: []string{table.Name, c.Name}}})
	}
	return q
}

func (s *session) copyOptions(t *ast.Copy) (*CopySpec, error) {
	spec := &CopySpec{Format: "text"}
	given := map[string]string{}
	for _, o := range t.Options {
		name := strings.ToLower(o.Name)
		if _, twice := given[name]; twice {
			return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(o.Pos)
		}
		given[name] = optionWord(o.Value)
		if err := copyOption(spec, name, o, t.From); err != nil {
			return nil, err
		}
	}
	text := func(name, fallback string) string {
		if v, ok := given[name]; ok {
			return v
		}
		return fallback
	}
	csv := spec.Format == "csv"
	delimiter, null, quote := "\t", `\N`, `"`
	if csv {
		delimiter, null = ",", ""
	}
	delimiter, spec.Null = text("delimiter", delimiter), text("null", null)
	quote = text("quote", quote)
	escape := text("escape", quote)
	if err := checkCopyCharacters(spec, given, delimiter, quote, escape); err != nil {
		return nil, err
	}
	spec.Delimiter, spec.Quote, spec.Escape = delimiter[0], quote[0], escape[0]
	if v, ok := given["default"]; ok {
		spec.Default = &v
	}
	return spec, nil
}

func copyOption(spec *CopySpec, name string, o ast.Option, from bool) error {
	switch name {
	case "format":
		switch spec.Format = strings.ToLower(optionWord(o.Value)); spec.Format {
		case "text", "csv", "binary":
		default:
			return pgerr.Newf(pgerr.InvalidParameterValue, "COPY format %q not recognized", spec.Format).At(o.Pos)
		}
	case "header":
		if strings.EqualFold(optionWord(o.Value), "match") {
			if !from {
				return pgerr.New(pgerr.SyntaxError, "cannot use \"match\" with HEADER in COPY TO")
			}
			spec.Header = "match"
			return nil
		}
		on, err := optionBool(o)
		if err != nil {
			return err
		}
		if on {
			spec.Header = "true"
		}
	case "freeze":
		on, err := optionBool(o)
		spec.Freeze = on
		return err
	case "encoding":
		if _, err := checkEncoding(optionWord(o.Value)); err != nil {
			return pgerr.Newf(pgerr.InvalidParameterValue, "argument to option \"encoding\" must be a valid encoding name").At(o.Pos)
		}
	case "delimiter", "null", "quote", "escape", "default", "force_quote", "force_null", "force_not_null":
	default:
		return pgerr.Newf(pgerr.SyntaxError, "option %q not recognized", o.Name).At(o.Pos)
	}
	return nil
}

func checkCopyCharacters(spec *CopySpec, given map[string]string, delimiter, quote, escape string) error {
	_, hasDelimiter := given["delimiter"]
	_, hasNull := given["null"]
	_, hasQuote := given["quote"]
	_, hasEscape := given["escape"]
	csv, binary := spec.Format == "csv", spec.Format == "binary"
	switch {
	case binary && hasDelimiter:
		return pgerr.New(pgerr.SyntaxError, "cannot specify DELIMITER in BINARY mode")
	case binary && hasNull:
		return pgerr.New(pgerr.SyntaxError, "cannot specify NULL in BINARY mode")
	case binary && spec.Header != "":
		return pgerr.New(pgerr.FeatureNotSupported, "cannot specify HEADER in BINARY mode")
	case len(delimiter) != 1:
		return pgerr.New(pgerr.FeatureNotSupported, "COPY delimiter must be a single one-byte character")
	case delimiter == "\n" || delimiter == "\r":
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(spec.Null, "\r\n"):
		return pgerr.New(pgerr.InvalidParameterValue, "COPY null representation cannot use newline or carriage return")
	case !csv && strings.Contains(`\.abcdefghijklmnopqrstuvwxyz0123456789`, delimiter):
		return pgerr.Newf(pgerr.InvalidParameterValue, "COPY delimiter cannot be %q", delimiter)
	case !csv && hasQuote:
		return pgerr.New(pgerr.FeatureNotSupported, "COPY quote available only in CSV mode")
	case !csv && hasEscape:
		return pgerr.New(pgerr.FeatureNotSupported, "COPY escape available only in CSV mode")
	case len(quote) != 1:
		return pgerr.New(pgerr.FeatureNotSupported, "COPY quote must be a single one-byte character")
	case len(escape) != 1:
		return pgerr.New(pgerr.FeatureNotSupported, "COPY escape must be a single one-byte character")
	case csv && delimiter == quote:
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter and quote must be different")
	case strings.Contains(spec.Null, delimiter):
		return pgerr.New(pgerr.FeatureNotSupported, "COPY delimiter must not appear in the NULL specification")
	case csv && strings.Contains(spec.Null, quote):
		return pgerr.New(pgerr.FeatureNotSupported, "CSV quote character must not appear in the NULL specification")
	}
	return nil
}

// copyColumnOptions resolves FORCE_QUOTE, FORCE_NULL and FORCE_NOT_NULL.
func (s *session) copyColumnOptions(t *ast.Copy, spec *CopySpec) error {
	for _, o := range t.Options {
		var flags *[]bool
		switch strings.ToLower(o.Name) {
		case "force_quote":
			flags = &spec.ForceQuote
		case "force_null":
			flags = &spec.ForceNull
		case "force_not_null":
			flags = &spec.ForceValue
		default:
			continue
		}
		if spec.Format != "csv" {
			return pgerr.Newf(pgerr.FeatureNotSupported, "COPY %s available only in CSV mode", strings.ReplaceAll(strings.ToLower(o.Name), "_", " "))
		}
		*flags = make([]bool, len(spec.Columns))
		for _, name := range optionNames(o.Value) {
			found := false
			for i := range spec.Columns {
				if name == "*" || spec.Columns[i].Name == name {
					(*flags)[i], found = true, true
				}
			}
			if !found {
				return pgerr.Newf(pgerr.UndefinedColumn, "column %q does not exist", name)
			}
		}
	}
	return nil
}

// optionNames is a list of names, or the star.
func optionNames(e ast.Expr) []string {
	switch v := e.(type) {
	case *ast.RowExpr:
		var out []string
		for _, a := range v.Args {
			out = append(out, optionNames(a)...)
		}
		return out
	case *ast.ArrayExpr:
		var out []string
		for _, a := range v.Elems {
			out = append(out, optionNames(a)...)
		}
		return out
	case *ast.ColumnRef:
		if v.Star {
			return []string{"*"}
		}
		return v.Parts
	case *ast.Const:
		return []string{v.Text}
	}
	return nil
}

// copyIn is a COPY FROM under way.
type copyIn struct {
	portal    *portal
	table     *catalog.Table
	columns   []int16     // attnums of the data's columns
	fill      []fillValue // columns computed for each row, in order
	checks    []plan.CheckExpr
	where     expr.Expr
	defaults  []expr.Expr // by position in columns, for DEFAULT markers
	ctx       expr.Context
	rows      int64
	bulk      BulkWriter
	batch     []types.Row
	notNull   []*catalog.Column
	generated []fillValue
	parts     *copyParts  // nil for a table that has nothing to do with partitions
	domains   []expr.Expr // tests of the values of domains, over the row
	own       []*run.Foreign
	foreign   run.ForeignQueue
}

// fillValue computes one column.
type fillValue struct {
	column int16
	value  expr.Expr
}

// CopyIn starts taking rows.
func (p *portal) CopyIn(ctx context.Context) (CopyIn, error) {
	s := p.session
	t := p.prepared.tree.(*ast.Copy)
	if err := s.checkWritable("COPY FROM"); err != nil {
		return nil, err
	}
	p.started = true
	p.ctx, p.leave = s.enter(ctx, p.prepared.text)
	c, err := p.openCopyIn(t)
	if err != nil {
		err = cause(p.ctx, err)
		p.abandon()
		return nil, err
	}
	return c, nil
}

func (p *portal) openCopyIn(t *ast.Copy) (*copyIn, error) {
	s := p.session
	table, err := plan.ResolveTable(s.planEnv(), t.Table)
	if err != nil {
		return nil, err
	}
	if err := s.ensureTxn(p.ctx); err != nil {
		return nil, err
	}
	s.park(p.ctx)
	if err := s.tx.txn.LockTable(p.ctx, table.ID, storage.LockRowExclusive, s.wait()); err != nil {
		return nil, err
	}
	if table, err = plan.ResolveTable(s.planEnv(), t.Table); err != nil {
		return nil, err
	}
	if err := p.lockLeaves(table); err != nil {
		return nil, err
	}
	if err := s.tx.txn.StartStatement(p.ctx); err != nil {
		return nil, err
	}
	p.txn, s.active = s.tx.txn, p
	c := &copyIn{portal: p, table: table}
	c.bulk, _ = p.txn.(BulkWriter)
	c.ctx = expr.Context{Ctx: p.ctx, Env: s.env, Session: functions{s}}
	return c, c.prepare(t)
}

// prepare compiles what is computed for each row.
func (c *copyIn) prepare(t *ast.Copy) error {
	s := c.portal.session
	var err error
	if c.own, _, err = run.ForeignKeys(s.Catalog(), c.table); err != nil {
		return err
	}
	given := map[int16]bool{}
	for _, col := range c.portal.copying.Columns {
		c.columns = append(c.columns, col.Attnum)
		given[col.Attnum] = true
	}
	byColumn := map[int16]expr.Expr{}
	for _, col := range c.table.Live() {
		if col.NotNull {
			c.notNull = append(c.notNull, col)
		}
		if err := c.addDomain(col); err != nil {
			return err
		}
		text := s.defaultText(c.table, col)
		if text == "" {
			continue
		}
		e, err := s.tableExpr(c.table, text, expr.Type{OID: col.Type, Typmod: col.Typmod}, col.Generated != "")
		if err != nil {
			return err
		}
		byColumn[col.Num] = e
		switch {
		case col.Generated != "":
			c.generated = append(c.generated, fillValue{col.Num, e})
		case !given[col.Num]:
			c.fill = append(c.fill, fillValue{col.Num, e})
		}
	}
	for _, n := range c.columns {
		c.defaults = append(c.defaults, byColumn[n])
	}
	for _, check := range c.table.Checks {
		e, err := s.tableExpr(c.table, check.Expr, expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod}, true)
		if err != nil {
			return err
		}
		c.checks = append(c.checks, plan.CheckExpr{Name: check.Name, Cond: e})
	}
	if t.Where != nil {
		e, err := plan.BindTableExpr(s.planEnv(), c.table, t.Where, expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod}, "COPY FROM WHERE conditions")
		if err != nil {
			return err
		}
		c.where = e
	}
	return c.prepareParts()
}

// addDomain adds the test of a column's values by its domain.
func (c *copyIn) addDomain(col *catalog.Column) error {
	value := &expr.Column{Index: int(col.Num) - 1, Typ: expr.Type{OID: col.Type, Typmod: col.Typmod}, Name: col.Name}
	test, err := plan.CheckDomain(c.portal.session.planEnv(), col.Domain, value)
	if err == nil && test != expr.Expr(value) {
		c.domains = append(c.domains, test)
	}
	return err
}

// defaultText is the SQL text of what a column is filled with, "" for NULL.
func (s *session) defaultText(table *catalog.Table, col *catalog.Column) string {
	switch {
	case col.Generated != "":
		return col.Generated
	case col.Identity == 0:
		return plan.DefaultText(s.Catalog(), col)
	}
	for _, q := range s.Catalog().Sequences(table.ID) {
		if q.OwnerColumn == col.Num {
			name := sql.QuoteIdent(q.Schema) + "." + sql.QuoteIdent(q.Name)
			return "nextval(" + sql.QuoteLiteral(name) + ")"
		}
	}
	return ""
}

// tableExpr binds a text of the catalog; overRow says whether it may name columns.
func (s *session) tableExpr(table *catalog.Table, text string, want expr.Type, overRow bool) (expr.Expr, error) {
	tree, err := sql.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("expression %q of table %q: %w", text, table.Name, err)
	}
	if !overRow {
		table = nil
	}
	return plan.BindTableExpr(s.planEnv(), table, tree, want, "this expression")
}

// Write takes rows of the data's columns.
func (c *copyIn) Write(_ context.Context, rows []types.Row) error {
	return cause(c.portal.ctx, c.write(rows))
}

func (c *copyIn) write(rows []types.Row) error {
	ctx := c.portal.ctx
	if err := ctx.Err(); err != nil {
		return err
	}
	c.batch = c.batch[:0]
	for _, data := range rows {
		row, keep, err := c.complete(data)
		if err != nil {
			return err
		}
		if keep {
			c.batch = append(c.batch, row)
		}
	}
	c.rows += int64(len(c.batch))
	if c.parts != nil {
		return c.insertParts()
	}
	return c.insert(c.table, c.batch)
}

// insert writes rows to a table.
func (c *copyIn) insert(table *catalog.Table, rows []types.Row) error {
	ctx := c.portal.ctx
	if len(c.own) > 0 {
		for _, row := range rows {
			if err := c.foreign.Written(c.own, nil, row); err != nil {
				return err
			}
		}
	}
	if c.bulk != nil {
		return c.bulk.InsertRows(ctx, table, rows)
	}
	for _, row := range rows {
		if _, _, err := c.portal.txn.Insert(ctx, table, row, storage.InsertOptions{Wait: c.portal.session.wait()}); err != nil {
			return err
		}
	}
	return nil
}

// complete makes a table row of a data row; false when WHERE leaves it out.
func (c *copyIn) complete(data types.Row) (types.Row, bool, error) {
	row := data
	if !c.isWhole() {
		row = make(types.Row, len(c.table.Columns))
	}
	for i, n := range c.columns {
		d := data[i]
		if _, ok := d.(CopyDefault); ok {
			d = nil
			if e := c.defaults[i]; e != nil {
				var err error
				if d, err = e.Eval(&c.ctx); err != nil {
					return nil, false, err
				}
			}
		}
		row[n-1] = d
	}
	c.ctx.Row = row
	for _, set := range [2][]fillValue{c.fill, c.generated} {
		for _, f := range set {
			d, err := f.value.Eval(&c.ctx)
			if err != nil {
				return nil, false, err
			}
			row[f.column-1] = d
		}
	}
	for _, test := range c.domains {
		if _, err := test.Eval(&c.ctx); err != nil {
			return nil, false, err
		}
	}
	if c.where != nil {
		d, err := c.where.Eval(&c.ctx)
		if err != nil || d != true {
			return nil, false, err
		}
	}
	return row, true, c.check(row)
}

// isWhole says whether the data's columns are the table's, in order.
func (c *copyIn) isWhole() bool {
	if len(c.columns) != len(c.table.Columns) {
		return false
	}
	for i, n := range c.columns {
		if int(n) != i+1 {
			return false
		}
	}
	return true
}

func (c *copyIn) check(row types.Row) error {
	for _, col := range c.notNull {
		if row[col.Num-1] == nil {
			return pgerr.Newf(pgerr.NotNullViolation, "null value in column %q of relation %q violates not-null constraint", col.Name, c.table.Name).
				Of(c.table.Schema, c.table.Name, col.Name, "")
		}
	}
	for _, check := range c.checks {
		d, err := check.Cond.Eval(&c.ctx)
		if err != nil {
			return err
		}
		if d == false {
			return pgerr.Newf(pgerr.CheckViolation, "new row for relation %q violates check constraint %q", c.table.Name, check.Name).
				Of(c.table.Schema, c.table.Name, "", check.Name)
		}
	}
	return nil
}

// Finish ends the statement.
func (c *copyIn) Finish(context.Context) error {
	s := c.portal.session
	if err := cause(c.portal.ctx, s.afterWrites(c.portal.ctx, c.portal.txn, c.foreign.Events)); err != nil {
		c.portal.abandon()
		return err
	}
	if err := c.portal.finish(); err != nil {
		return err
	}
	c.portal.cmdTag = fmt.Sprintf("COPY %d", c.rows)
	return nil
}

// Abort undoes the statement.
func (c *copyIn) Abort(error) { c.portal.abandon() }
