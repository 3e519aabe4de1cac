package pgcatalog

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// relationText declares the relations: schema.name, object id, kind (r table, v
// view), and columns "name type", with ! after the type for NOT NULL.
//
//go:embed relations.txt
var relationText string

// relation is one computed relation.
type relation struct {
	schema, name string
	oid          types.OID
	kind         string
	columns      []plan.Column
	positions    map[string]int
	notNull      []bool
	source       *source

	fixed fixedRows
}

// schemaOIDs are the object ids of the schemas that are always there.
var schemaOIDs = map[string]types.OID{
	"pg_catalog": 11, "pg_toast": 99, "information_schema": 13207, "akidb": 16403,
}

// substitutes are types of PostgreSQL's catalog that AkiDB has no values of.
var substitutes = map[string]types.OID{
	"aclitem": types.TextOID, "_aclitem": types.TextArrayOID, "pg_lsn": types.TextOID,
	"pg_ndistinct": types.TextOID, "pg_dependencies": types.TextOID, "pg_mcv_list": types.TextOID,
	"_pg_statistic": types.TextArrayOID,
}

// relationTable is all relations with their indexes.
type relationTable struct {
	list   []*relation
	byName map[[2]string]*relation
	byOID  map[types.OID]*relation
}

var relations = sync.OnceValue(readRelations)

func readRelations() *relationTable {
	t := &relationTable{byName: map[[2]string]*relation{}, byOID: map[types.OID]*relation{}}
	for _, line := range lines(relationText) {
		r := readRelation(line)
		r.source = sources[r.name]
		if r.schema == "information_schema" {
			r.source = informationSources[r.name]
		}
		t.list = append(t.list, r)
		t.byName[[2]string{r.schema, r.name}] = r
		t.byOID[r.oid] = r
	}
	return t
}

// lines gives the lines of an embedded table that are not comments.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

func readRelation(line string) *relation {
	words := strings.SplitN(line, " ", 4)
	r := &relation{oid: readOID(words[1]), kind: words[2], positions: map[string]int{}}
	r.schema, r.name, _ = strings.Cut(words[0], ".")
	for i, c := range strings.Split(words[3], ", ") {
		name, typ, _ := strings.Cut(c, " ")
		typ, notNull := strings.CutSuffix(typ, "!")
		r.columns = append(r.columns, plan.Column{
			Name: name, Type: expr.Type{OID: columnType(typ), Typmod: types.NoTypmod}, Table: r.oid, Attnum: int16(i + 1),
		})
		r.notNull = append(r.notNull, notNull)
		r.positions[name] = i
	}
	return r
}

func columnType(name string) types.OID {
	if oid, ok := substitutes[name]; ok {
		return oid
	}
	t := types.ByName(name)
	if t == nil {
		panic("pgcatalog: no type " + name)
	}
	return t.OID
}

// readOID reads a number of an embedded table; "-" is 0.
func readOID(s string) types.OID {
	if s == "-" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		panic("pgcatalog: no object id: " + s)
	}
	return types.OID(n)
}

// column is the position of a column by name.
func (r *relation) column(name string) int {
	if i, ok := r.positions[name]; ok {
		return i
	}
	panic("pgcatalog: " + r.name + " has no column " + name)
}

// Columns gives a relation's columns (Table is its oid, Attnum set); nil when
// there is none of that name.
func Columns(schema, name string) []plan.Column {
	if r := relations().byName[[2]string{schema, name}]; r != nil {
		return r.columns
	}
	return nil
}
