package httpapi

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// filter makes a condition of a filter's JSON. A key is a column, or else a path
// inside the metadata (parts separated by dots); its value is what it must equal,
// or an object of operators. Members of one object must all hold.
//
//	{"color": "red", "price": {"$gte": 5, "$lt": 20}, "$or": [{"tag": {"$in": ["a","b"]}}, {"year": null}]}
type filter struct {
	collection *collection
	metadata   *catalog.Column
	env        *types.Env
	to         *statement
}

// maxConditions bounds a filter.
const maxConditions = 1000

// compares are the operators that compare with one value.
var compares = map[string]string{"$eq": "=", "$ne": "<>", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}

var filterOperators = []string{"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$contains"}

// where gives the text of the condition; its values become parameters of the statement.
func (c *collection) where(m *member, env *types.Env, to *statement) (string, error) {
	if m.key == "" || string(m.value) == "null" {
		return "", nil
	}
	f := filter{collection: c, env: env, to: to}
	if col, ok := c.keys["metadata"]; ok && col.Type == types.JSONBOID {
		f.metadata = col
	}
	return f.object(m.value, m.at)
}

func (f *filter) object(raw []byte, at int64) (string, error) {
	list, err := members(raw, at)
	if err != nil {
		return "", err
	}
	var all []string
	for _, m := range list {
		text, err := f.member(m)
		if err != nil {
			return "", located(err, m.at)
		}
		all = append(all, text)
	}
	return join(all, " AND "), nil
}

// join joins conditions; none is true.
func join(list []string, with string) string {
	switch len(list) {
	case 0:
		return "true"
	case 1:
		return list[0]
	}
	return "(" + strings.Join(list, with) + ")"
}

func (f *filter) member(m member) (string, error) {
	if len(f.to.types) > maxConditions {
		return "", pgerr.Newf(pgerr.ProgramLimitExceeded, "a filter has more than %d conditions", maxConditions)
	}
	switch m.key {
	case "$and", "$or":
		return f.list(m, map[string]string{"$and": " AND ", "$or": " OR "}[m.key])
	case "$not":
		text, err := f.object(m.value, m.at)
		return "(" + text + ") IS NOT TRUE", err
	}
	if strings.HasPrefix(m.key, "$") {
		return "", invalid("unknown operator %q", m.key).WithHint("%s", oneOf("$and", "$or", "$not"))
	}
	return f.field(m)
}

func (f *filter) list(m member, with string) (string, error) {
	if m.value[0] != '[' {
		return "", invalid("%q takes an array of filters", m.key)
	}
	var all []string
	for _, e := range elements(m.value) {
		text, err := f.object(e, m.at)
		if err != nil {
			return "", err
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return "", invalid("%q takes at least one filter", m.key)
	}
	return join(all, with), nil
}

// operand is what a condition is about: a column, or a path inside the metadata.
type operand struct {
	text   string
	column *catalog.Column
	path   []string
}

func (f *filter) operand(key string) (operand, error) {
	if col, ok := f.collection.keys[key]; ok {
		return operand{text: sql.QuoteIdent(col.Name), column: col}, nil
	}
	if f.metadata == nil {
		_, err := f.collection.column(key)
		return operand{}, err
	}
	path := strings.Split(key, ".")
	if path[0] == "metadata" && len(path) > 1 {
		path = path[1:]
	}
	steps := make([]types.Datum, len(path))
	for i, p := range path {
		steps[i] = p
	}
	place := f.to.param(types.TextArrayOID, types.NewArray(types.TextOID, steps))
	return operand{text: "(" + sql.QuoteIdent(f.metadata.Name) + " #> " + place + ")", path: path}, nil
}

func (f *filter) field(m member) (string, error) {
	ops, ok := operators(m)
	if !ok {
		ops = []member{{"$eq", m.value, m.at}}
	}
	var all []string
	for _, op := range ops {
		text, err := f.condition(m.key, op)
		if err != nil {
			return "", located(err, op.at)
		}
		all = append(all, text)
	}
	return join(all, " AND "), nil
}

// operators reads {"$gt": 5}; an object without such keys is a value.
func operators(m member) ([]member, bool) {
	if m.value[0] != '{' {
		return nil, false
	}
	list, err := members(m.value, m.at)
	if err != nil || len(list) == 0 {
		return nil, false
	}
	return list, strings.HasPrefix(list[0].key, "$")
}

func (f *filter) condition(key string, op member) (string, error) {
	if !slices.Contains(filterOperators, op.key) {
		return "", invalid("unknown operator %q", op.key).WithHint("%s", oneOf(filterOperators...))
	}
	null := string(op.value) == "null"
	if f.metadata != nil && f.collection.keys[key] == nil && op.key == "$eq" && !null {
		return f.contains(key, op.value)
	}
	x, err := f.operand(key)
	if err != nil {
		return "", err
	}
	switch {
	case op.key == "$exists":
		return exists(x, op)
	case op.key == "$in" || op.key == "$nin":
		return f.among(x, op)
	case op.key == "$contains":
		return f.holds(x, op)
	case null:
		return isNull(x, op)
	case x.column != nil:
		return f.column(x, op)
	default:
		return f.path(x, op)
	}
}

// contains is equality inside the metadata, as containment, which a GIN index answers.
func (f *filter) contains(key string, value []byte) (string, error) {
	path := strings.Split(key, ".")
	if path[0] == "metadata" && len(path) > 1 {
		path = path[1:]
	}
	text := string(value)
	for i := len(path) - 1; i >= 0; i-- {
		text = "{" + string(types.AppendJSONString(nil, path[i])) + ":" + text + "}"
	}
	doc, err := types.ParseJSONB(text)
	if err != nil {
		return "", err
	}
	return sql.QuoteIdent(f.metadata.Name) + " @> " + f.to.param(types.JSONBOID, doc), nil
}

func exists(x operand, op member) (string, error) {
	switch string(op.value) {
	case "true":
		return x.text + " IS NOT NULL", nil
	case "false":
		return x.text + " IS NULL", nil
	}
	return "", invalid(`"$exists" takes true or false`)
}

// isNull is equality with null: a value that is not there, or JSON's null.
func isNull(x operand, op member) (string, error) {
	text := x.text + " IS NULL"
	if x.column == nil {
		text = "(" + x.text + " IS NULL OR jsonb_typeof(" + x.text + ") = 'null')"
	}
	switch op.key {
	case "$eq":
		return text, nil
	case "$ne":
		return "NOT (" + text + ")", nil
	}
	return "", invalid("%q does not compare with null", op.key)
}

func (f *filter) column(x operand, op member) (string, error) {
	v, err := decode(x.column, op.value, f.env)
	if err != nil {
		return "", err
	}
	place := f.to.param(x.column.Type, v)
	if op.key == "$ne" {
		return x.text + " IS DISTINCT FROM " + place, nil
	}
	return x.text + " " + compares[op.key] + " " + place, nil
}

// path compares inside the metadata: only values of one kind have an order.
func (f *filter) path(x operand, op member) (string, error) {
	v, err := types.ParseJSONB(string(op.value))
	if err != nil {
		return "", err
	}
	place := f.to.param(types.JSONBOID, v)
	if op.key == "$ne" {
		return x.text + " IS DISTINCT FROM " + place, nil
	}
	return "(jsonb_typeof(" + x.text + ") = jsonb_typeof(" + place + ") AND " + x.text + " " + compares[op.key] + " " + place + ")", nil
}

// among is $in and $nin.
func (f *filter) among(x operand, op member) (string, error) {
	if op.value[0] != '[' {
		return "", invalid("%q takes an array", op.key)
	}
	elem, typmod := types.JSONBOID, types.NoTypmod
	if x.column != nil {
		elem, typmod = x.column.Type, x.column.Typmod
	}
	t := types.Lookup(elem)
	if t == nil || t.Array == 0 {
		return "", invalid("%q does not work with this column", op.key)
	}
	list := []types.Datum{}
	for _, e := range elements(op.value) {
		d, err := decodeType(elem, typmod, e, f.env)
		if err != nil {
			return "", err
		}
		list = append(list, d)
	}
	text := x.text + " = ANY (" + f.to.param(t.Array, types.NewArray(elem, list)) + ")"
	if op.key == "$nin" {
		return "(" + text + ") IS NOT TRUE", nil
	}
	return text, nil
}

// holds is $contains: jsonb containment, an element of an array, or a part of a text.
func (f *filter) holds(x operand, op member) (string, error) {
	oid := types.JSONBOID
	if x.column != nil {
		oid = x.column.Type
	}
	t := types.Lookup(oid)
	switch {
	case oid == types.JSONBOID:
		v, err := types.ParseJSONB(string(op.value))
		return x.text + " @> " + f.to.param(types.JSONBOID, v), err
	case t != nil && t.IsArray():
		v, err := decodeType(t.Elem, types.NoTypmod, op.value, f.env)
		return f.to.param(t.Elem, v) + " = ANY (" + x.text + ")", err
	case t != nil && t.Category == 'S':
		v, err := decodeType(types.TextOID, types.NoTypmod, op.value, f.env)
		return "strpos(" + x.text + ", " + f.to.param(types.TextOID, v) + ") > 0", err
	}
	return "", invalid(`"$contains" does not work with this column`)
}
