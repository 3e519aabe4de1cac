package httpapi

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestTheDocumentAndTheRouterHaveTheSameRoutes(t *testing.T) {
	api := New(Options{Version: "1"})
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	w := httptest.NewRecorder()
	api.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	described := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			described++
			rq := httptest.NewRequest(strings.ToUpper(method), pathParameter.ReplaceAllString(path, "x"), nil)
			w := httptest.NewRecorder()
			if api.opts.Ready == nil && (path == "/readyz" || path == "/metrics") {
				continue
			}
			api.Handler().ServeHTTP(w, rq)
			if w.Code == 404 || w.Code == 405 {
				t.Errorf("%s %s (%s) is described, and answers %d", method, path, op.OperationID, w.Code)
			}
		}
	}
	if described != len(api.routes) || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("%d operations described, %d routes", described, len(api.routes))
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		used[m[1]] = true
		if doc.Components.Schemas[m[1]] == nil {
			t.Errorf("schema %s is used and not there", m[1])
		}
	}
	for name := range doc.Components.Schemas {
		if !used[name] {
			t.Errorf("schema %s is there and not used", name)
		}
	}
}
