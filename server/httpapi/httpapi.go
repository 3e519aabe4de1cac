package httpapi

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Admin is what the port asks of the engine as a whole.
type Admin = executor.Admin

// Options are what the port needs.
type Options struct {
	// Version is the server's version.
	Version string
	// Ready says whether statements are accepted, and why not.
	Ready func() error
	// ReadOnly says why only reads are accepted, nil when writes are too. A server
	// that only reads is ready.
	ReadOnly func() error
	// Gatherer is what /metrics shows.
	Gatherer prometheus.Gatherer
	// Profile shows Go's profiles under /debug/pprof.
	Profile bool

	// Admin makes sessions; without one there is no REST.
	Admin Admin
	// Catalog is the committed schema.
	Catalog func() *catalog.Snapshot
	// NewPID gives a session an id that no session of the PostgreSQL port has.
	NewPID func() (int32, uint32)
	// User is who a trusted client is that names no user.
	User string
	// AuthMethod is trust or scram-sha-256 for a client's address.
	AuthMethod func(net.Addr) string
	// TLSRequired refuses users who do not come by TLS, but for those on this machine.
	TLSRequired bool
	// VerifyPassword checks a password against a role's verifier.
	VerifyPassword func(verifier, password string) bool
	// MaxSessions is how many requests may be in work at once; others wait.
	MaxSessions int
	// MaxBody bounds a body in bytes, but for lines, which are stored as they come.
	MaxBody int64
	// Metrics is told of statements and requests; nil drops them.
	Metrics Metrics
	// Logger gets the stacks of internal errors.
	Logger *slog.Logger
}

// Metrics is told what happens on the port. Its methods are called from many goroutines.
type Metrics interface {
	// Statement is one statement that has ended.
	Statement(kind, sqlstate string, took time.Duration)
	// Request is one request that has been answered; route is its pattern.
	Request(route string, status int, took time.Duration)
}

type noMetrics struct{}

func (noMetrics) Statement(string, string, time.Duration) {}
func (noMetrics) Request(string, int, time.Duration)      {}

// Start-up and idle limits of a connection.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// API answers requests. Make it with New, and Close it when its server has shut down.
type API struct {
	opts        Options
	routes      []route
	passwords   *passwords
	pool        *pool
	collections collections

	sequences sync.Mutex // guards highest, and orders what moves sequences
	// highest is the highest id that a sequence was moved to.
	highest map[types.OID]int64
}

// New returns the interface of the HTTP port.
func New(opts Options) *API {
	if opts.Metrics == nil {
		opts.Metrics = noMetrics{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.User == "" {
		opts.User = "postgres"
	}
	if opts.MaxSessions == 0 {
		opts.MaxSessions = 500
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = 64 << 20
	}
	return &API{opts: opts, routes: table(), passwords: newPasswords(opts.VerifyPassword), pool: newPool(opts), highest: map[types.OID]int64{}}
}

// Server returns a server for the port; the caller serves and shuts it down.
func (a *API) Server() *http.Server {
	return &http.Server{
		Handler: a.Handler(), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(a.opts.Logger.Handler(), slog.LevelWarn),
	}
}

// Close ends the sessions that are kept.
func (a *API) Close() { a.pool.close() }
