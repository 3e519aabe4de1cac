package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// Bounds of a search: k as a whole, and what it is unless told otherwise.
const (
	defaultK = 10
	maxK     = 10000
)

// searchRequest is the body of a search.
type searchRequest struct {
	vector, filter, include member
	column, metric          string
	k, ef                   int
	exact, withVector       bool
}

func readSearch(r *http.Request) (*searchRequest, error) {
	list, err := readObject(r)
	if err != nil {
		return nil, err
	}
	q := &searchRequest{k: defaultK}
	err = fields{
		raw:   map[string]*member{"vector": &q.vector, "filter": &q.filter, "include": &q.include},
		text:  map[string]*string{"column": &q.column, "metric": &q.metric},
		count: map[string]*int{"k": &q.k, "ef": &q.ef},
		flag:  map[string]*bool{"exact": &q.exact, "include_vector": &q.withVector},
	}.read(list)
	switch {
	case err != nil:
		return nil, err
	case q.vector.key == "":
		return nil, invalid(`"vector" is missing`)
	case q.k < 1 || q.k > maxK:
		return nil, invalid(`"k" is %d, outside of 1 .. %d`, q.k, maxK)
	}
	return q, nil
}

// search answers POST /collections/{name}/search.
func (a *API) search(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	q, err := readSearch(rq.Request)
	if err != nil {
		return err
	}
	v, err := c.vector(q.column)
	if err != nil {
		return err
	}
	stmt, out, err := searchStatement(c, v, q, rq.env())
	if err != nil {
		return err
	}
	if err := rq.setEf(q.ef); err != nil {
		return err
	}
	return rq.answerSearch(stmt, out)
}

// setEf sets hnsw.ef_search for the statement that follows: it runs in the same
// implicit transaction.
func (rq *request) setEf(ef int) error {
	if ef == 0 {
		return nil
	}
	s := statement{text: "SELECT set_config('hnsw.ef_search', $1, true)"}
	s.param(types.TextOID, strconv.Itoa(ef))
	return rq.conn.runOpen(rq.ctx, s, func(types.Row) error { return nil })
}

// searchStatement makes the SQL of a search and the columns of its result.
func searchStatement(c *collection, v *vectorColumn, q *searchRequest, env *types.Env) (statement, []column, error) {
	var s statement
	metric, err := searchMetric(v, q.metric)
	if err != nil {
		return s, nil, err
	}
	point, err := decode(v.Column, q.vector.value, env)
	if err != nil {
		return s, nil, err
	}
	if point == nil {
		return s, nil, invalid(`"vector" is null`)
	}
	out, err := c.output(q.include, q.withVector)
	if err != nil {
		return s, nil, err
	}
	distance := sql.QuoteIdent(v.Name) + " " + metric.Operator() + " " + s.param(v.Type, point)
	limit := s.param(types.Int8OID, int64(q.k))
	where, err := c.where(&q.filter, env, &s)
	if err != nil {
		return s, nil, err
	}
	var b strings.Builder
	b.WriteString("SELECT " + distance)
	for _, col := range out {
		b.WriteString(", " + sql.QuoteIdent(col.Name))
	}
	b.WriteString(" FROM " + c.quoted)
	if where != "" {
		b.WriteString(" WHERE " + where)
	}
	if q.exact {
		distance = "(" + distance + ") + 0" // an expression that no index orders by
	}
	b.WriteString(" ORDER BY " + distance)
	b.WriteString(" LIMIT " + limit)
	s.text = b.String()
	return s, out, nil
}

// metricNames are the names of metrics in REST; the first of each is the one that answers show.
var metricNames = map[types.Metric][]string{
	types.MetricCosine: {"cosine"}, types.MetricL2: {"l2", "euclidean"}, types.MetricInnerProduct: {"ip", "dot", "inner_product"},
	types.MetricL1: {"l1", "manhattan"}, types.MetricHamming: {"hamming"}, types.MetricJaccard: {"jaccard"},
}

func metricNamed(name string) (types.Metric, bool) {
	for m, names := range metricNames {
		for _, n := range names {
			if strings.EqualFold(n, name) {
				return m, true
			}
		}
	}
	return types.MetricNone, false
}

func searchMetric(v *vectorColumn, name string) (types.Metric, error) {
	if name == "" {
		return v.metric, nil
	}
	if m, ok := metricNamed(name); ok {
		return m, nil
	}
	return 0, invalid("unknown metric %q", name).WithHint("%s", oneOf("cosine", "l2", "ip", "l1", "hamming", "jaccard"))
}

// output are the columns of an answer: those that "include" names, or all but the vectors.
func (c *collection) output(include member, withVector bool) ([]column, error) {
	if include.key == "" {
		return c.allColumns(withVector), nil
	}
	if include.value[0] != '[' {
		return nil, invalid(`"include" takes an array of columns`)
	}
	var out []column
	if c.id != nil {
		out = append(out, column{c.keyOf(c.id), c.id})
	}
	for _, e := range elements(include.value) {
		if e[0] != '"' {
			return nil, invalid(`"include" takes an array of columns`)
		}
		key, err := unquote(e)
		if err != nil {
			return nil, err
		}
		col, err := c.column(key)
		if err != nil {
			return nil, err
		}
		if col != c.id {
			out = append(out, column{c.keyOf(col), col})
		}
	}
	return out, nil
}

func (c *collection) allColumns(withVector bool) []column {
	var out []column
	for _, col := range c.columns {
		if withVector || !c.isVector(col.Column) {
			out = append(out, col)
		}
	}
	return out
}

func (c *collection) isVector(col *catalog.Column) bool {
	for i := range c.vectors {
		if c.vectors[i].Column == col {
			return true
		}
	}
	return false
}

// answerSearch runs a search and writes what it finds. Rows without a distance,
// whose vector is NULL, are nobody's neighbours.
func (rq *request) answerSearch(s statement, out []column) error {
	rq.answer.WriteString(`{"results":[`)
	n := 0
	env := rq.env()
	err := rq.conn.run(rq.ctx, s, func(row types.Row) error {
		if row[0] == nil {
			return nil
		}
		if n++; n > 1 {
			rq.answer.WriteByte(',')
		}
		rq.answer.WriteByte('{')
		rq.answer.member("distance", true, types.Float8OID, row[0], env)
		for i, col := range out {
			rq.answer.member(col.key, false, col.Type, row[i+1], env)
		}
		rq.answer.WriteByte('}')
		return nil
	})
	if err != nil {
		return err
	}
	rq.answer.WriteString("]}\n")
	return rq.send(http.StatusOK)
}
