package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	wire "github.com/jeroenrinzema/psql-wire"
	"github.com/jeroenrinzema/psql-wire/pkg/buffer"

	"github.com/akidb/akidb/executor"
)

// Options are what a Server needs. Admin is required.
type Options struct {
	// Admin makes sessions.
	Admin executor.Admin
	// Logger gets connections' failures and the stacks of internal errors; nil drops them.
	Logger *slog.Logger
	// TLS is the server's certificate; nil answers N to an SSLRequest.
	TLS *tls.Config
	// TLSRequired refuses clients without TLS (28000).
	TLSRequired bool
	// AuthMethod is trust or scram-sha-256 for a client's address; nil is trust for all.
	AuthMethod func(net.Addr) string
	// MaxConnections is how many sessions may be open (53300); 0 is 500.
	MaxConnections int
	// ServerVersion is what server_version says.
	ServerVersion string
	// StartupTimeout is how long a client may take to authenticate; 0 is a minute.
	StartupTimeout time.Duration
	// Metrics is told of statements; nil drops them.
	Metrics Metrics
}

// Metrics is told what happens on the port. Its methods are called from many goroutines.
type Metrics interface {
	// Statement is one statement that has ended; kind is the first word of its
	// tag in lower case, sqlstate 00000 when it succeeded.
	Statement(kind, sqlstate string, took time.Duration)
	Connections(open int)
}

type noMetrics struct{}

func (noMetrics) Statement(string, string, time.Duration) {}
func (noMetrics) Connections(int)                         {}

// Server serves the PostgreSQL port. Make it with New, run Serve, end it with
// Shutdown, which stops every goroutine.
type Server struct {
	opts    Options
	wire    *wire.Server
	nextPID atomic.Int32
	closing atomic.Bool
	done    chan struct{} // closed by Shutdown
	watcher sync.WaitGroup
	conns   sync.WaitGroup // connections, from accept to close

	mu        sync.Mutex // guards what follows
	clients   map[*client]struct{}
	open      int // of clients, those that count against MaxConnections
	listeners []net.Listener
}

// watchInterval is how often the server looks whether the clients of running
// statements are still there.
const watchInterval = 500 * time.Millisecond

// New returns a server.
func New(opts Options) (*Server, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.AuthMethod == nil {
		opts.AuthMethod = func(net.Addr) string { return "trust" }
	}
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 500
	}
	if opts.StartupTimeout == 0 {
		opts.StartupTimeout = time.Minute
	}
	if opts.Metrics == nil {
		opts.Metrics = noMetrics{}
	}
	s := &Server{opts: opts, done: make(chan struct{}), clients: map[*client]struct{}{}}
	w, err := wire.NewServer(
		func(context.Context, wire.Query) (wire.PreparedStatements, error) {
			return nil, errors.New("the message loop is ours")
		},
		wire.Logger(slog.New(slog.DiscardHandler)),
		wire.MessageBufferSize(readBufferSize),
		wire.SessionAuthStrategy(s.authenticate),
		wire.SessionMiddleware(s.session),
	)
	if err != nil {
		return nil, err
	}
	s.wire = w
	s.watcher.Go(s.watch)
	return s, nil
}

// Serve takes connections until Shutdown. It may be called for several listeners.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	if s.closing.Load() {
		return l.Close()
	}
	return s.wire.Serve(newListener(s, l))
}

// Connections is how many sessions are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Shutdown refuses new clients, tells the others 57P01, and waits for them;
// when ctx ends first, their connections are cut.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.closing.Swap(true) {
		return nil
	}
	close(s.done)
	s.mu.Lock()
	for _, l := range s.listeners {
		_ = l.Close() // it is not used any more
	}
	for c := range s.clients {
		c.terminate()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.cut()
		<-ended
	}
	s.watcher.Wait()
	return s.wire.Close()
}

func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		_ = c.Conn.Close() // its goroutine reports
	}
}

func (s *Server) add(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c] = struct{}{}
	if s.closing.Load() {
		c.terminate()
	}
}

// admit counts a client that has authenticated against the limit.
func (s *Server) admit(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= s.opts.MaxConnections {
		return false
	}
	s.open++
	c.counted = true
	s.opts.Metrics.Connections(s.open)
	return true
}

func (s *Server) remove(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	if c.counted {
		s.open--
		s.opts.Metrics.Connections(s.open)
	}
}

// watch ends the statements of clients that have closed their connection.
func (s *Server) watch() {
	t := time.NewTicker(watchInterval)
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
		}
		s.mu.Lock()
		for c := range s.clients {
			if since := c.busySince.Load(); since != 0 && time.Now().UnixNano()-since > int64(watchInterval) && c.hungUp() {
				c.cancel(errClientGone)
			}
		}
		s.mu.Unlock()
	}
}

// NewPID gives a process id and a secret for CancelRequest, also to sessions that
// come by another way: no two sessions of an engine have the same.
func (s *Server) NewPID() (int32, uint32) {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return s.nextPID.Add(1), binary.BigEndian.Uint32(b[:])
}

// authenticate is psql-wire's hook between the start-up packet and the session.
func (s *Server) authenticate(ctx context.Context, _ *buffer.Writer, r *buffer.Reader) (context.Context, error) {
	c := clientOf(ctx)
	if c == nil {
		return ctx, errors.New("connection did not come through our listener")
	}
	c.in = newFrameReader(r.Buffer)
	c.out = newFrameWriter(c.Conn)
	return ctx, c.guard(c.login)
}

// session is psql-wire's hook once a session is made: it runs the whole session.
func (s *Server) session(ctx context.Context) (context.Context, error) {
	c := clientOf(ctx)
	c.mute.Store(false)
	if err := c.guard(c.run); err != nil {
		return ctx, err
	}
	return ctx, errSessionEnded
}

// errSessionEnded tells psql-wire that there is no message loop left to run.
var errSessionEnded = errors.New("session ended")
