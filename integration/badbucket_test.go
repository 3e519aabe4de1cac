package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

// coldFlags are the flags of a server whose cold store is a bucket of MinIO at an
// endpoint. Retries wait for milliseconds only.
func coldFlags(t testing.TB, endpoint, bucket, prefix string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "akidb.toml")
	text := fmt.Sprintf(`
[cold_store]
url = "s3://%s/%s"
endpoint = "%s"
access_key = "%s"
secret_key = "%s"
retries = 3
backoff = "20ms"
timeout = "2s"
`, bucket, prefix, endpoint, miniotest.AccessKey, miniotest.SecretKey)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config", path}
}

// makeBucket makes a bucket: a folder of MinIO's.
func makeBucket(t testing.TB, m *miniotest.Server) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(m.Dir, "tiers"), 0o755); err != nil {
		t.Fatal(err)
	}
	return "tiers"
}

// wrong is how a request is answered wrongly.
type wrong struct {
	status   int    // instead of asking the bucket
	code     string // of the error document
	truncate bool   // half of the body, then the connection breaks
	flip     bool   // one bit of the body
}

// badBucket stands before MinIO and answers as its rule says.
type badBucket struct {
	*httptest.Server
	mu    sync.Mutex
	rule  func(*http.Request) *wrong // nil passes everything on
	asked int                        // requests since the rule was set
}

func newBadBucket(t testing.TB, m *miniotest.Server) *badBucket {
	t.Helper()
	target, err := url.Parse(m.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	b := &badBucket{}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := b.decide(r)
		switch {
		case f == nil:
			pass.ServeHTTP(w, r)
		case f.status != 0:
			_, _ = io.Copy(io.Discard, r.Body) // the client has gone, then
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(f.status)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>made by a test</Message></Error>", f.code)
		default:
			spoil(w, r, pass, f)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

// spoil passes a request on and damages the answer's body.
func spoil(w http.ResponseWriter, r *http.Request, pass http.Handler, f *wrong) {
	rec := httptest.NewRecorder()
	pass.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	if f.flip && len(body) > 0 {
		body = bytes.Clone(body)
		body[len(body)/2] ^= 1
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(rec.Code)
	if f.truncate {
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // the client has gone, then
}

func (b *badBucket) decide(r *http.Request) *wrong {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rule == nil {
		return nil
	}
	b.asked++
	return b.rule(r)
}

// answer sets the rule and forgets how many requests came.
func (b *badBucket) answer(rule func(*http.Request) *wrong) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rule, b.asked = rule, 0
}

func (b *badBucket) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// badNet is a network before MinIO that can be slowed down and cut.
type badNet struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

func newBadNet(t testing.TB, m *miniotest.Server) *badNet {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "minio", "127.0.0.1:0", strings.TrimPrefix(m.Endpoint, "http://"))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return &badNet{t, p}
}

func (n *badNet) endpoint() string { return "http://" + n.proxy.Listen }

// toxic adds what the proxy does to the bytes: kind and attributes are toxiproxy's.
func (n *badNet) toxic(kind, stream, attributes string) {
	n.t.Helper()
	text := fmt.Sprintf(`{"name": "%s_%s", "type": "%s", "stream": "%s", "toxicity": 1, "attributes": %s}`, kind, stream, kind, stream, attributes)
	if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		n.t.Fatal(err)
	}
}

func (n *badNet) heal() { n.proxy.Toxics.ResetToxics(context.Background()) }
