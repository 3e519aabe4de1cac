package counting

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// Counts are what went through so far.
type Counts struct {
	Requests int64 `json:"requests"`
	// Sent and Received are the bytes of bodies, as the client sees them.
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
}

// Since is what came after an earlier count.
func (c Counts) Since(earlier Counts) Counts {
	return Counts{c.Requests - earlier.Requests, c.Sent - earlier.Sent, c.Received - earlier.Received}
}

// Path is where a client can ask the proxy for its Counts, as JSON.
const Path = "/-/counts"

// Proxy listens on loopback.
type Proxy struct {
	// Endpoint is what clients connect to.
	Endpoint string

	server                   *http.Server
	transport                *http.Transport
	latency                  atomic.Int64 // nanoseconds added to each request
	requests, sent, received atomic.Int64
}

// Start passes requests on to a store, as they are: signatures hold, because the
// Host header stays.
func Start(store string) (*Proxy, error) {
	target, err := url.Parse(store)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{Endpoint: "http://" + listener.Addr().String(), transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	reverse := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = r.In.Host
		},
		Transport: p.transport,
		ModifyResponse: func(r *http.Response) error {
			r.Body = &counted{r.Body, &p.received}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Path {
			_ = json.NewEncoder(w).Encode(p.Counts()) // the client sees what is missing
			return
		}
		p.requests.Add(1)
		if r.Body != nil {
			r.Body = &counted{r.Body, &p.sent}
		}
		if d := time.Duration(p.latency.Load()); d > 0 {
			wait := time.NewTimer(d)
			select {
			case <-wait.C:
			case <-r.Context().Done():
				wait.Stop()
			}
		}
		reverse.ServeHTTP(w, r)
	})}
	go func() { _ = p.server.Serve(listener) }() // ends with Close
	return p, nil
}

// SetLatency adds a time to every request from now on.
func (p *Proxy) SetLatency(d time.Duration) { p.latency.Store(int64(d)) }

// Counts is what went through.
func (p *Proxy) Counts() Counts {
	return Counts{p.requests.Load(), p.sent.Load(), p.received.Load()}
}

// Close ends all connections.
func (p *Proxy) Close() error {
	err := p.server.Close()
	p.transport.CloseIdleConnections()
	return err
}

// counted is a body whose bytes are counted.
type counted struct {
	io.ReadCloser
	total *atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.total.Add(int64(n))
	return n, err
}
