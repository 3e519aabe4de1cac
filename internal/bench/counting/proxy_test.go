package counting

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRequestsAndBytesAreCountedAndTheHostStays(t *testing.T) {
	host := ""
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(strings.Repeat(string(body), 2))) // a test's answer
	}))
	defer store.Close()
	p, err := Start(store.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }() // a test
	before := p.Counts()
	for range 3 {
		r, err := http.Post(p.Endpoint+"/bucket/key", "text/plain", strings.NewReader("12345"))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "1234512345" {
			t.Fatalf("%q, %v", body, err)
		}
		_ = r.Body.Close() // read to its end
	}
	if c := p.Counts().Since(before); c != (Counts{Requests: 3, Sent: 15, Received: 30}) {
		t.Errorf("%+v", c)
	}
	if "http://"+host != p.Endpoint {
		t.Errorf("the store saw the host %s", host)
	}
}

func TestLatencyIsAddedToARequest(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer store.Close()
	p, err := Start(store.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }() // a test
	p.SetLatency(30 * time.Millisecond)
	start := time.Now()
	r, err := http.Get(p.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close() // empty
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("a request took %v", took)
	}
}
