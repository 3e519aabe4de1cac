package plan

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// scope is what names mean at one query level. Columns of all its relations lie
// side by side in one logical row; the join planner decides later where they
// are in fact.
type scope struct {
	outer *scope
	// link is how this level reads columns of outer levels; nil at the top.
	link *link
	rels []*relation
	ctes map[string]*cteBinding
	// width is the length of the logical row.
	width int
	// star is what * stands for and what names without a table mean; nil: the
	// columns of rels. JOIN USING makes it differ from them.
	star  []target
	level *level // state of aggregates and windows, nil where they are refused
	// wants are the types that unknown outputs take (INSERT … SELECT); keep
	// leaves them unknown (a side of a set operation).
	wants []expr.Type
	keep  bool
	// joined says that the level's columns lie in the logical row of its outer
	// level, which its query was joined to (EXISTS as a semi join).
	joined bool
	// whole keeps subqueries in FROM as they are (their rows are to be locked).
	whole bool
}

// link gathers the outer columns that a subquery reads.
type link struct {
	slots  []int
	args   []expr.Expr // over the outer logical row
	params map[int]bool
}

// relation is one named item of FROM.
type relation struct {
	name    string
	schema  string
	start   int
	columns []Column
	hidden  []bool // dropped columns
	table   *catalog.Table
	// virtual is the object id of a computed relation, for its tableoid.
	virtual types.OID
	// exprs, when set, are what the columns stand for: those of a join with an
	// alias, or of a subquery that was pulled up.
	exprs []expr.Expr
	// scalar says that it is a function of a scalar type, whose name alone means
	// its value and not a record of it.
	scalar bool
	// wantID says that somebody reads the row id; leaves are the tables that hold a
	// partitioned table's rows.
	wantID bool
	leaves []*catalog.Table
}

// cteBinding is a WITH query that is visible by name.
type cteBinding struct {
	name    string
	index   int // in Plan.CTEs
	columns []Column
	rows    float64
	// recursive is set while the query's own recursive part is bound.
	recursive *RecursiveUnion
	// inline is the query when it is planned anew where it is referred to, at the
	// scope where it was defined, with the names that were visible there.
	inline *ast.Select
	// again is the same for a recursive query, which is planned as such.
	again   *ast.CTE
	home    *scope
	visible map[string]*cteBinding
	renamed []string
	// silent says that it modifies data and returns nothing.
	silent bool
}

func (s *scope) findCTE(name string) *cteBinding {
	for ; s != nil; s = s.outer {
		if c := s.ctes[name]; c != nil {
			return c
		}
	}
	return nil
}

// columnAt makes the expression of a relation's column.
func (r *relation) columnAt(i int) expr.Expr {
	if r.exprs != nil {
		return r.exprs[i]
	}
	return &expr.Column{Index: r.start + i, Typ: r.columns[i].Type, Name: r.columns[i].Name}
}

// find resolves a column name at this level only.
func (s *scope) find(table, name string, pos int) (expr.Expr, error) {
	var found expr.Expr
	if table == "" && s.star != nil {
		for i := range s.star {
			if s.star[i].name != name {
				continue
			}
			if found != nil {
				return nil, ambiguous(name, pos)
			}
			found = s.star[i].value
		}
		return found, nil
	}
	for _, r := range s.rels {
		if table != "" && r.name != table {
			continue
		}
		for i := range r.columns {
			if r.columns[i].Name != name || r.hidden != nil && r.hidden[i] {
				continue
			}
			if found != nil {
				return nil, ambiguous(name, pos)
			}
			found = r.columnAt(i)
		}
	}
	return found, nil
}

func ambiguous(name string, pos int) error {
	return pgerr.Newf(pgerr.AmbiguousColumn, "column reference %q is ambiguous", name).At(pos)
}

func (s *scope) relation(name string) *relation {
	for _, r := range s.rels {
		if r.name == name {
			return r
		}
	}
	return nil
}

// column resolves a column reference through all levels.
func (b *binder) column(s *scope, ref *ast.ColumnRef) (expr.Expr, error) {
	parts := ref.Parts
	table, name := "", parts[len(parts)-1]
	if len(parts) > 1 {
		table = parts[len(parts)-2]
	}
	var path []*scope
	for at := s; at != nil; at = at.outer {
		found, err := at.find(table, name, ref.Pos)
		if err != nil {
			return nil, err
		}
		if found == nil && table == "" {
			if r := at.relation(name); r != nil {
				found = wholeRow(r)
			}
		}
		if found == nil && name == "tableoid" {
			found = at.tableOID(table)
		}
		if found != nil {
			return b.pass(found, path), nil
		}
		if !at.joined {
			path = append(path, at)
		}
	}
	return nil, b.unknownColumn(s, parts, ref.Pos)
}

// tableOID is the system column tableoid of a table, or of the only one; nil
// where there is none.
func (s *scope) tableOID(table string) expr.Expr {
	var found *relation
	for _, r := range s.rels {
		if table != "" && r.name != table || table == "" && found != nil {
			continue
		}
		found = r
	}
	if found == nil || found.table == nil && found.virtual == 0 {
		return nil
	}
	id := found.virtual
	if found.table != nil {
		id = found.table.ID
		if found.table.Partitioned != nil {
			return found.leafOID()
		}
	}
	return &expr.Const{Value: int64(id), Typ: expr.Type{OID: types.OidOID, Typmod: types.NoTypmod}}
}

// leafOIDName is what the function behind tableoid is called.
const leafOIDName = "tableoid"

// leafOID is tableoid of a partitioned table: that of the leaf that a row lies in.
func (r *relation) leafOID() expr.Expr {
	r.wantID = true
	id := &expr.Column{Index: r.start + len(r.columns), Typ: int8Type, Name: rowIDName}
	f := &expr.Function{
		Name: leafOIDName, Args: []types.OID{types.Int8OID}, Result: types.OidOID, Volatility: expr.Immutable,
		Eval: func(_ *expr.Context, args []types.Datum) (types.Datum, error) {
			leaf, _ := SplitID(args[0].(int64))
			return int64(r.leaves[leaf].ID), nil
		},
	}
	return &expr.Call{Func: f, Args: []expr.Expr{id}, Typ: expr.Type{OID: types.OidOID, Typmod: types.NoTypmod}}
}

// pass hands a value of an outer level down through the levels of path, the
// innermost first.
func (b *binder) pass(e expr.Expr, path []*scope) expr.Expr {
	if len(path) == 0 {
		return e
	}
	if _, ok := e.(*expr.Const); ok {
		return e
	}
	nearest := path[len(path)-1].link
	slot := -1
	for i, arg := range nearest.args {
		if expr.Equal(arg, e) {
			slot = nearest.slots[i]
		}
	}
	if slot < 0 {
		slot = b.plan.ExecSlots
		b.plan.ExecSlots++
		nearest.slots = append(nearest.slots, slot)
		nearest.args = append(nearest.args, e)
	}
	for _, at := range path {
		at.link.params[slot] = true
	}
	name := ""
	if c, ok := e.(*expr.Column); ok {
		name = c.Name
	}
	return &expr.ExecParam{Slot: slot, Typ: e.Type(), Name: name}
}

// wholeRowOf is t.* where a single value is wanted, as in count(t.*).
func (b *binder) wholeRowOf(s *scope, ref *ast.ColumnRef) (expr.Expr, error) {
	if len(ref.Parts) == 0 {
		return nil, pgerr.New(pgerr.SyntaxError, "row expansion via \"*\" is not supported here").At(ref.Pos)
	}
	name := ref.Parts[len(ref.Parts)-1]
	var path []*scope
	for at := s; at != nil; at = at.outer {
		if r := at.relation(name); r != nil {
			return b.pass(wholeRow(r), path), nil
		}
		if !at.joined {
			path = append(path, at)
		}
	}
	return nil, pgerr.Newf(pgerr.UndefinedTable, "missing FROM-clause entry for table %q", name).At(ref.Pos)
}

func wholeRow(r *relation) expr.Expr {
	if r.scalar {
		return r.columnAt(0)
	}
	row := &expr.RowCtor{Typ: expr.Type{OID: types.RecordOID, Typmod: -1}}
	if r.table != nil && r.table.RowType != 0 {
		row.Typ.OID = r.table.RowType
	}
	for i := range r.columns {
		if r.hidden != nil && r.hidden[i] {
			continue
		}
		row.Fields = append(row.Fields, r.columnAt(i))
		row.Names = append(row.Names, r.columns[i].Name)
	}
	return row
}

func (b *binder) unknownColumn(s *scope, parts []string, pos int) error {
	name := parts[len(parts)-1]
	if len(parts) > 1 {
		table := parts[len(parts)-2]
		for at := s; at != nil; at = at.outer {
			if at.relation(table) != nil {
				return pgerr.Newf(pgerr.UndefinedColumn, "column %s.%s does not exist", table, name).At(pos)
			}
		}
		for at := s; at != nil; at = at.outer {
			for _, r := range at.rels {
				if r.table != nil && r.table.Name == table && r.name != table {
					return pgerr.Newf(pgerr.UndefinedTable, "invalid reference to FROM-clause entry for table %q", table).
						WithHint("Perhaps you meant to reference the table alias %q.", r.name).At(pos)
				}
			}
		}
		return pgerr.Newf(pgerr.UndefinedTable, "missing FROM-clause entry for table %q", table).At(pos)
	}
	e := pgerr.Newf(pgerr.UndefinedColumn, "column %q does not exist", name).At(pos)
	if near := nearestName(s, name); near != "" {
		e = e.WithHint("Perhaps you meant to reference the column %q.", near)
	}
	return e
}

// nearestName finds a visible column at an editing distance of at most two.
func nearestName(s *scope, name string) string {
	best, bestDistance := "", 3
	for ; s != nil; s = s.outer {
		for _, r := range s.rels {
			for i := range r.columns {
				if d := editDistance(strings.ToLower(name), r.columns[i].Name); d < bestDistance && d < len(name) {
					best, bestDistance = r.name+"."+r.columns[i].Name, d
				}
			}
		}
	}
	return best
}

func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 99
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
