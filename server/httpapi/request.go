package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/akidb/akidb/internal/types"
)

// request is a request to REST with the session that it has.
type request struct {
	*http.Request
	api    *API
	ctx    context.Context
	conn   *conn
	writer http.ResponseWriter
	answer *answer
	sent   bool
}

// answers are buffers of answers, for the next request.
var answers = sync.Pool{New: func() any { return new(answer) }}

// keptAnswer is the largest buffer that is kept.
const keptAnswer = 1 << 20

// serve answers a request to REST: it finds the user, takes a session, and tells what went wrong.
func (a *API) serve(w http.ResponseWriter, r *http.Request, rt *route) error {
	user, err := a.user(r)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	r.Body = patientBody{r.Body, control}
	if !rt.stream || !isLines(r) {
		r.Body = http.MaxBytesReader(w, r.Body, a.opts.MaxBody)
	}
	c, err := a.pool.take(r.Context(), user, remoteAddr(r).String())
	if err != nil {
		return err
	}
	defer a.pool.put(c)
	rq := &request{Request: r, api: a, ctx: r.Context(), conn: c, writer: w, answer: answers.Get().(*answer)}
	defer func() {
		if rq.answer.Cap() <= keptAnswer {
			rq.answer.Reset()
			answers.Put(rq.answer)
		}
	}()
	_ = control.SetWriteDeadline(time.Time{}) // of an earlier request; set again by send
	return c.guard(func() error { return rt.handle(a, rq) })
}

// env is how values are read and written.
func (rq *request) env() *types.Env { return rq.conn.session.Env() }

// collection is the one that the path names.
func (rq *request) collection() (*collection, error) { return rq.find(rq.PathValue("name")) }

func (rq *request) find(name string) (*collection, error) {
	return rq.api.collections.find(rq.api.opts.Catalog(), rq.conn.path, name)
}

// send answers with what was written.
func (rq *request) send(status int) error {
	h := rq.writer.Header()
	if status != http.StatusNoContent {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(rq.answer.Len()))
	}
	rq.sent = true
	_ = http.NewResponseController(rq.writer).SetWriteDeadline(time.Now().Add(writePatience)) // not every writer has one
	rq.writer.WriteHeader(status)
	_, _ = rq.writer.Write(rq.answer.Bytes()) // the client has gone; nobody is left to tell
	return nil
}

func (rq *request) sendJSON(status int, v any) error {
	if err := json.NewEncoder(rq.answer).Encode(v); err != nil {
		return err
	}
	return rq.send(status)
}
