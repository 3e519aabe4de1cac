package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/akidb/akidb/internal/pgerr"
)

// Handler routes requests.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for i := range a.routes {
		rt := &a.routes[i]
		h := a.answering(rt)
		mux.Handle(rt.method+" "+rt.path, h)
		if rt.handle != nil {
			mux.Handle(rt.method+" /api/v1"+rt.path, h)
		}
	}
	mux.HandleFunc("GET /api/v1/openapi.json", func(w http.ResponseWriter, r *http.Request) { a.openapi(w, r) })
	if a.opts.Profile {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	}
	return a.found(mux)
}

// found answers what has no route, and what a web page of elsewhere sends: a
// browser on this machine would be trusted as its user is.
func (a *API) found(mux *http.ServeMux) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := origin.Check(r); err != nil {
			writeProblem(w, problemOf(fail(http.StatusForbidden, pgerr.New(pgerr.InsufficientPrivilege, "cross-origin request refused"))))
			return
		}
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		kept := &keptStatus{header: http.Header{}}
		h.ServeHTTP(kept, r)
		if kept.status >= 300 && kept.status < 400 { // a path that is to be cleaned
			h.ServeHTTP(w, r)
			return
		}
		e := pgerr.Newf(pgerr.UndefinedObject, "%s has no route", r.URL.Path).WithHint("/openapi.json lists the routes.")
		if kept.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", kept.header.Get("Allow"))
			e = pgerr.Newf(pgerr.FeatureNotSupported, "%s does not take %s", r.URL.Path, r.Method).WithHint("It takes %s.", kept.header.Get("Allow"))
		}
		writeProblem(w, problemOf(fail(kept.status, e)))
		a.opts.Metrics.Request("none", kept.status, time.Since(began))
	})
}

// keptStatus takes the mux's own answer to what has no route.
type keptStatus struct {
	header http.Header
	status int
}

func (k *keptStatus) Header() http.Header         { return k.header }
func (k *keptStatus) Write(b []byte) (int, error) { return len(b), nil }
func (k *keptStatus) WriteHeader(status int)      { k.status = status }

// answering makes the handler of a route: it counts, and makes problems of errors.
func (a *API) answering(rt *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		counted := &countedWriter{ResponseWriter: w}
		defer func() { a.opts.Metrics.Request(rt.path, counted.status, time.Since(began)) }()
		if rt.public != nil {
			rt.public(a, counted, r)
			return
		}
		if a.opts.Admin == nil {
			writeProblem(counted, problemOf(pgerr.New(pgerr.CannotConnectNow, "the database system is starting up")))
			return
		}
		if err := a.serve(counted, r, rt); err != nil {
			a.refuse(counted, r, err)
		}
	})
}

// refuse answers with an error, unless the answer has begun.
func (a *API) refuse(w *countedWriter, r *http.Request, err error) {
	if pgerr.As(err) == nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		a.opts.Logger.Error("internal error", "route", r.Pattern, "error", fmt.Sprintf("%+v", err))
	}
	if w.status != 0 {
		return
	}
	p := problemOf(err)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="akidb", charset="UTF-8"`)
	}
	writeProblem(w, p)
}

// countedWriter knows the status that was sent.
type countedWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader sends the header.
func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *countedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"status": "ok", "version": a.opts.Version})
}

func (a *API) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := a.opts.Ready(); err != nil {
		reply(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reason": err.Error()})
		return
	}
	if err := a.opts.ReadOnly(); err != nil {
		reply(w, http.StatusOK, map[string]any{"status": "read only", "reason": err.Error()})
		return
	}
	reply(w, http.StatusOK, map[string]any{"status": "ready"})
}

func (a *API) metrics(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(a.opts.Gatherer, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}
