package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
)

// quick retries without waiting.
var quick = retry.Policy{First: 1, Max: 1}

// scripted is a server whose answers a function gives.
func scripted(t *testing.T, o Options, answer http.HandlerFunc) *Store {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	o.Endpoint, o.Bucket, o.AccessKey, o.SecretKey = srv.URL, bucket, "key", "secret"
	return open(t, o)
}

func TestStatusesOfTheWireAreTransientOrNot(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   objectstore.Class
	}{
		{429, "TooManyRequests", objectstore.Throttled}, {500, "InternalError", objectstore.Unavailable}, {502, "", objectstore.Unavailable},
		{503, "SlowDown", objectstore.Throttled}, {503, "ServiceUnavailable", objectstore.Unavailable}, {504, "", objectstore.Timeout},
		{400, "RequestTimeout", objectstore.Timeout}, {400, "BadDigest", objectstore.Unavailable}, {400, "InvalidArgument", objectstore.Invalid},
		{403, "AccessDenied", objectstore.Denied}, {403, "RequestTimeTooSkewed", objectstore.Denied}, {404, "NoSuchKey", objectstore.NotFound},
		{404, "NoSuchBucket", objectstore.NoBucket}, {409, "ConditionalRequestConflict", objectstore.Unavailable}, {412, "PreconditionFailed", objectstore.Condition},
		{501, "NotImplemented", objectstore.Unsupported}, {507, "XMinioStorageFull", objectstore.Full}, {599, "Strange", objectstore.Unavailable},
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			var puts atomic.Int32
			s := scripted(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					puts.Add(1)
				}
				w.WriteHeader(c.status)
				if c.code != "" {
					fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", c.code)
				}
			})
			_, err := objectstore.PutBytes(t.Context(), retry.Wrap(s, quick), "k", []byte("x"))
			if !objectstore.Is(err, c.want) {
				t.Errorf("%v, want class %s", err, c.want)
			}
			want := int32(1)
			if c.want.Transient() {
				want = 4
			}
			if puts.Load() != want {
				t.Errorf("%d puts, want %d", puts.Load(), want)
			}
		})
	}
}

func TestAStoreThatStopsAnsweringTimesOut(t *testing.T) {
	release := make(chan struct{})
	s := scripted(t, Options{Timeout: 50 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // half a body, then silence
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("ETag", `"e"`)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			_, _ = w.Write(make([]byte, 500)) // the client goes away
			w.(http.Flusher).Flush()
		}
		<-release
	})
	defer close(release)
	if _, err := objectstore.PutBytes(t.Context(), s, "k", []byte("x")); !objectstore.Is(err, objectstore.Timeout) {
		t.Errorf("put: %v", err)
	}
	o, err := s.Get(t.Context(), "k", objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if n, err := io.Copy(io.Discard, o.Body); !objectstore.Is(err, objectstore.Timeout) || n != 500 {
		t.Errorf("get: %v after %d bytes", err, n)
	}
}

func TestABodyOfAnySizeGoesThroughBoundedMemory(t *testing.T) {
	const size = 1 << 30
	var received atomic.Int64
	s := scripted(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body) // all there is
		switch {
		case r.URL.Query().Has("uploads"):
			fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case r.Method == http.MethodPost:
			fmt.Fprintf(w, "<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><ETag>e-%d</ETag></CompleteMultipartUploadResult>", received.Load())
		default:
			received.Add(n)
			w.Header().Set("ETag", `"e"`)
		}
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, err := s.Put(t.Context(), "k", io.LimitReader(zeros{}, size), objectstore.PutOptions{})
	runtime.ReadMemStats(&after)
	if err != nil || in.Size != size || received.Load() != size {
		t.Fatalf("%+v, received %d: %v", in, received.Load(), err)
	}
	if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 100 {
		t.Errorf("%d MiB were allocated for a body of 1,024", mib)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// tap is a transport that tests look into, and that loses answers.
type tap struct {
	http.RoundTripper
	mu   sync.Mutex
	lose func(r *http.Request) bool // the answer to r gets lost
	fail func(r *http.Request) bool // r never arrives
	seen []string
}

func (l *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.seen = append(l.seen, r.Method+" "+r.URL.RawQuery)
	fail, lose := l.fail != nil && l.fail(r), l.lose != nil && l.lose(r)
	l.mu.Unlock()
	if fail {
		return nil, io.ErrUnexpectedEOF
	}
	resp, err := l.RoundTripper.RoundTrip(r)
	if err == nil && lose {
		_ = resp.Body.Close() // lost
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

func (l *tap) count(part string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.seen {
		if strings.Contains(s, part) {
			n++
		}
	}
	return n
}

// tapped opens a store on a server through a tap.
func tapped(t *testing.T, m *miniotest.Server) (*tap, *Store) {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	l := &tap{RoundTripper: tr}
	o := options(m)
	o.Transport, o.Retry = l, quick
	return l, open(t, o)
}

// once is true the first time that a request is of the kind.
func once(method, query string) func(*http.Request) bool {
	done := false
	return func(r *http.Request) bool {
		if done || r.Method != method || !strings.Contains(r.URL.RawQuery, query) {
			return false
		}
		done = true
		return true
	}
}

func TestAnAnswerLostOnTheWireIsRecognisedByItsNonce(t *testing.T) {
	m := start(t, miniotest.Options{})
	big := storetest.Bytes(17*storetest.MiB, 1)
	for _, c := range []struct {
		name, method, query string
		body                io.Reader
	}{
		{"small", http.MethodPut, "", bytes.NewReader(big[:100])},
		{"in parts", http.MethodPost, "uploadId", bytes.NewReader(big)},
		{"a stream", http.MethodPut, "", io.MultiReader(bytes.NewReader(big[:100]))},
		{"a stream in parts", http.MethodPost, "uploadId", io.MultiReader(bytes.NewReader(big))},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, inner := tapped(t, m)
			s := retry.Wrap(inner, quick)
			l.lose = once(c.method, c.query)
			in, err := s.Put(t.Context(), "k", c.body, objectstore.PutOptions{IfAbsent: true})
			if err != nil {
				t.Fatal(err)
			}
			if st, err := s.Stat(t.Context(), "k"); err != nil || st.Tag != in.Tag {
				t.Errorf("%v, %v", st, err)
			}
			// The same bytes of another writer are not ours.
			if _, err := objectstore.Create(t.Context(), s, "k", big[:100]); !objectstore.Is(err, objectstore.Condition) {
				t.Errorf("a second create: %v", err)
			}
		})
	}
}

func TestALostPartIsSentAgainAloneAndALostUploadLeavesNothing(t *testing.T) {
	m := start(t, miniotest.Options{})
	body := storetest.Bytes(50*storetest.MiB, 1)
	l, s := tapped(t, m)
	l.fail = once(http.MethodPut, "partNumber=2")
	if _, err := s.Put(t.Context(), "k", io.MultiReader(bytes.NewReader(body)), objectstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{}); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := l.count("partNumber"); n != 5 {
		t.Errorf("%d parts were sent, want 4 and one again", n)
	}
	l.fail = func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "partNumber=3") }
	_, err := objectstore.PutBytes(t.Context(), s, "lost", body)
	if !objectstore.Is(err, objectstore.Unavailable) || l.count("DELETE") != 1 {
		t.Errorf("%v, %d aborts", err, l.count("DELETE"))
	}
	if _, err := s.Stat(t.Context(), "lost"); !objectstore.Is(err, objectstore.NotFound) {
		t.Errorf("half an object: %v", err)
	}
	if n, err := s.SweepUploads(t.Context(), "lost", 0); err != nil || n != 0 {
		t.Errorf("%d uploads were left; %v", n, err)
	}
}

func TestTheSweepRemovesUploadsThatACrashLeft(t *testing.T) {
	m := start(t, miniotest.Options{})
	l, s := tapped(t, m)
	l.fail = func(r *http.Request) bool { // all after the first part: as if the process had died
		return r.Method == http.MethodDelete || strings.Contains(r.URL.RawQuery, "partNumber=2")
	}
	if _, err := objectstore.PutBytes(t.Context(), s, "crashed", make([]byte, 20*storetest.MiB)); err == nil {
		t.Fatal("no error")
	}
	l.fail = nil
	if n, err := s.SweepUploads(t.Context(), "crashed", time.Hour); err != nil || n != 0 {
		t.Errorf("swept %d young ones; %v", n, err)
	}
	for _, want := range []int{1, 0} {
		if n, err := s.SweepUploads(t.Context(), "crashed", 0); err != nil || n != want {
			t.Errorf("swept %d, want %d; %v", n, want, err)
		}
	}
}
