package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestReadinessFollowsTheServer(t *testing.T) {
	var notReady, readOnly error
	h := New(Options{Version: "x", Ready: func() error { return notReady }, ReadOnly: func() error { return readOnly }, Gatherer: prometheus.NewRegistry()}).Handler()
	for _, tc := range []struct {
		path   string
		err    error
		status int
		body   string
	}{
		{"/healthz", errors.New("loading"), http.StatusOK, `"version":"x"`},
		{"/readyz", nil, http.StatusOK, "ready"},
		{"/readyz (full)", nil, http.StatusOK, "read only"},
		{"/readyz", errors.New("loading indexes"), http.StatusServiceUnavailable, "loading indexes"},
		{"/metrics", nil, http.StatusOK, ""},
		{"/nothing", nil, http.StatusNotFound, ""},
	} {
		notReady, readOnly = tc.err, nil
		if path, full := strings.CutSuffix(tc.path, " (full)"); full {
			tc.path, readOnly = path, errors.New("disk full")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, tc.path, nil))
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
			t.Errorf("GET %s: %d %s, want %d with %q", tc.path, w.Code, w.Body, tc.status, tc.body)
		}
	}
}
