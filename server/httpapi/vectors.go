package httpapi

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// Bounds of the rows that one statement writes.
const (
	maxBatchRows  = 1000
	maxBatchBytes = 4 << 20
)

// putVectors answers POST /collections/{name}/vectors. All vectors of a JSON body
// are stored in one transaction; lines are committed batch by batch, so that
// their number is not bounded by memory.
func (a *API) putVectors(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	lines := isLines(rq.Request)
	items := newItemStream(rq.Body, lines)
	w := &batchWriter{rq: rq, c: c, lines: lines, env: rq.env()}
	if err := w.readAll(items); err != nil {
		rq.conn.rollback()
		return w.failed(err)
	}
	rq.answer.WriteString(`{"count":`)
	rq.answer.element(true, types.Int8OID, w.stored, w.env)
	if !lines && c.id != nil {
		rq.answer.WriteString(`,"ids":[`)
		rq.answer.Write(w.ids)
		rq.answer.WriteByte(']')
	}
	rq.answer.WriteString("}\n")
	return rq.send(http.StatusCreated)
}

func isLines(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/x-ndjson" || kind == "application/ndjson" || kind == "application/jsonl")
}

// batchWriter writes the vectors of a body, many with one statement. A batch is
// rows that give the same columns, since a column that is not given gets its default.
type batchWriter struct {
	rq    *request
	c     *collection
	env   *types.Env
	lines bool

	columns []*catalog.Column
	rows    []types.Row
	bytes   int
	seen    map[string]bool // ids of the batch, where they are given
	block   bool            // a transaction block is open
	stored  int64
	number  int64 // of the vector being read, from 1
	ids     []byte
	highest int64 // of the ids given
}

func (w *batchWriter) readAll(items *itemStream) error {
	for {
		raw, at, err := items.next()
		if err == nil && raw == nil {
			break
		}
		w.number++
		if err == nil {
			err = w.add(raw, at)
		}
		if err != nil && w.lines {
			return aboutItem(err, w.number, items.line)
		}
		if err != nil {
			return aboutItem(err, w.number, 0)
		}
	}
	if err := w.flush(true); err != nil {
		return err
	}
	if w.block {
		return w.rq.conn.command(w.rq.ctx, "COMMIT")
	}
	return nil
}

// failed says how many vectors of a stream of lines stay stored.
func (w *batchWriter) failed(err error) error {
	if !w.lines {
		return err
	}
	var r *requestError
	if err = aboutItem(err, 0, 0); !errors.As(err, &r) {
		return err
	}
	stored := w.stored
	r.stored = &stored
	return r
}

// add takes a vector; the batch before it is written when it cannot be a part of it.
func (w *batchWriter) add(raw []byte, at int64) error {
	list, err := members(raw, at)
	if err != nil {
		return err
	}
	columns := make([]*catalog.Column, 0, len(list))
	row := make(types.Row, 0, len(list))
	id := ""
	for _, m := range list {
		col, err := w.c.column(m.key)
		if err != nil {
			return located(err, m.at)
		}
		if col == w.c.id && string(m.value) == "null" {
			continue // as if it were not given
		}
		if slices.Contains(columns, col) {
			return pgerr.Newf(pgerr.DuplicateColumn, "column %q is given twice", col.Name)
		}
		v, err := decode(col, m.value, w.env)
		if err != nil {
			return located(err, m.at)
		}
		if col == w.c.id {
			id = string(m.value)
			if n, ok := v.(int64); ok {
				w.highest = max(w.highest, n)
			}
		}
		columns, row = append(columns, col), append(row, v)
	}
	full := len(w.rows) >= maxBatchRows || w.bytes >= maxBatchBytes || len(w.rows) > 0 && !spreads(w.columns)
	if len(w.rows) > 0 && (full || !slices.Equal(columns, w.columns) || id != "" && w.seen[id]) {
		if err := w.flush(false); err != nil {
			return err
		}
	}
	w.columns, w.rows, w.bytes = columns, append(w.rows, row), w.bytes+len(raw)
	if id != "" {
		if w.seen == nil {
			w.seen = map[string]bool{}
		}
		w.seen[id] = true
	}
	return nil
}

// spreads says whether many rows can be given as one array for each column.
func spreads(columns []*catalog.Column) bool {
	for _, col := range columns {
		if t := types.Lookup(col.Type); t == nil || t.Array == 0 || t.IsArray() {
			return false
		}
	}
	return len(columns) > 0
}

// flush writes the batch; last says that no other follows.
func (w *batchWriter) flush(last bool) error {
	if len(w.rows) == 0 {
		return nil
	}
	if !last && !w.lines && !w.block {
		if err := w.rq.conn.command(w.rq.ctx, "BEGIN"); err != nil {
			return err
		}
		w.block = true
	}
	err := w.rq.conn.run(w.rq.ctx, w.statement(), func(r types.Row) error {
		if !w.lines {
			if len(w.ids) > 0 {
				w.ids = append(w.ids, ',')
			}
			w.ids = appendValue(w.ids, w.c.id.Type, r[0], w.env)
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.stored += int64(len(w.rows))
	w.rows, w.bytes = w.rows[:0], 0
	clear(w.seen)
	return w.rq.api.advance(w.rq, w.c, w.highest)
}

// statement makes the INSERT of the batch. A vector whose id is there already
// gets the columns that are given; the others keep their values.
func (w *batchWriter) statement() statement {
	var s statement
	names, places := make([]string, len(w.columns)), make([]string, len(w.columns))
	for i, col := range w.columns {
		names[i] = sql.QuoteIdent(col.Name)
		if len(w.rows) == 1 {
			places[i] = s.param(col.Type, w.rows[0][i])
			continue
		}
		list := make([]types.Datum, len(w.rows))
		for j, row := range w.rows {
			list[j] = row[i]
		}
		places[i] = s.param(types.Lookup(col.Type).Array, types.NewArray(col.Type, list))
	}
	var b strings.Builder
	b.WriteString("INSERT INTO " + w.c.quoted)
	switch {
	case len(names) == 0:
		b.WriteString(" DEFAULT VALUES")
	case len(w.rows) == 1:
		b.WriteString(" (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")")
	default:
		b.WriteString(" (" + strings.Join(names, ", ") + ") SELECT * FROM unnest(" + strings.Join(places, ", ") + ")")
	}
	b.WriteString(w.onConflict(names))
	if w.c.id != nil && !w.lines {
		b.WriteString(" RETURNING " + sql.QuoteIdent(w.c.id.Name))
	}
	s.text = b.String()
	return s
}

func (w *batchWriter) onConflict(names []string) string {
	if w.c.id == nil || !slices.Contains(w.columns, w.c.id) {
		return ""
	}
	id := sql.QuoteIdent(w.c.id.Name)
	var sets []string
	for i, col := range w.columns {
		if col != w.c.id {
			sets = append(sets, names[i]+" = excluded."+names[i])
		}
	}
	if len(sets) == 0 {
		sets = []string{id + " = excluded." + id} // so that RETURNING gives it
	}
	return " ON CONFLICT (" + id + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

// advance moves the sequence of the ids behind an id that a client has chosen, so
// that the next vector without one does not meet it.
func (a *API) advance(rq *request, c *collection, id int64) error {
	if c.sequence == nil || id == 0 || c.sequence.Increment < 0 || id > c.sequence.Max {
		return nil
	}
	a.sequences.Lock()
	defer a.sequences.Unlock()
	if a.highest[c.sequence.ID] >= id {
		return nil
	}
	var s statement
	q := sql.QuoteIdent(c.sequence.Schema) + "." + sql.QuoteIdent(c.sequence.Name)
	name, value := s.param(types.RegclassOID, int64(c.sequence.ID)), s.param(types.Int8OID, id)
	s.text = "SELECT setval(" + name + ", " + value + ") FROM " + q + " WHERE last_value < " + value + " OR last_value = " + value + " AND NOT is_called"
	if err := rq.conn.run(rq.ctx, s, func(types.Row) error { return nil }); err != nil {
		return err
	}
	a.highest[c.sequence.ID] = id
	return nil
}

// idOf reads the id in a path.
func (rq *request) idOf(c *collection) (types.Datum, error) {
	if err := c.identified(); err != nil {
		return nil, err
	}
	return types.Parse(c.id.Type, c.id.Typmod, rq.PathValue("id"), rq.env())
}

func (rq *request) noVector(c *collection) error {
	return pgerr.Newf(noData, "collection %q has no vector %q", c.table.Name, rq.PathValue("id"))
}

// vector answers GET /collections/{name}/vectors/{id}.
func (a *API) vector(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	id, err := rq.idOf(c)
	if err != nil {
		return err
	}
	var s statement
	names := make([]string, len(c.columns))
	for i, col := range c.columns {
		names[i] = sql.QuoteIdent(col.Name)
	}
	s.text = "SELECT " + strings.Join(names, ", ") + " FROM " + c.quoted + " WHERE " + sql.QuoteIdent(c.id.Name) + " = " + s.param(c.id.Type, id)
	found := false
	err = rq.conn.run(rq.ctx, s, func(row types.Row) error {
		found = true
		for i, col := range c.columns {
			if i == 0 {
				rq.answer.WriteByte('{')
			}
			rq.answer.member(col.key, i == 0, col.Type, row[i], rq.env())
		}
		rq.answer.WriteString("}\n")
		return nil
	})
	switch {
	case err != nil:
		return err
	case !found:
		return rq.noVector(c)
	}
	return rq.send(http.StatusOK)
}

// deleteVector answers DELETE /collections/{name}/vectors/{id}.
func (a *API) deleteVector(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	id, err := rq.idOf(c)
	if err != nil {
		return err
	}
	var s statement
	name := sql.QuoteIdent(c.id.Name)
	s.text = "DELETE FROM " + c.quoted + " WHERE " + name + " = " + s.param(c.id.Type, id) + " RETURNING " + name
	found := false
	err = rq.conn.run(rq.ctx, s, func(types.Row) error { found = true; return nil })
	switch {
	case err != nil:
		return err
	case !found:
		return rq.noVector(c)
	}
	return rq.send(http.StatusNoContent)
}
