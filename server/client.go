package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	wire "github.com/jeroenrinzema/psql-wire"
	"golang.org/x/sys/unix"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
)

// client is one connection. Its fields belong to the connection's goroutine,
// but for those said to be shared.
type client struct {
	net.Conn
	server  *Server
	raw     net.Conn // the socket, for hungUp
	tls     bool
	params  map[string]string // start-up parameters
	replay  *bytes.Reader     // the start-up packet, for psql-wire
	mute    atomic.Bool       // drop what psql-wire writes; it is said better by run
	counted bool              // guarded by server.mu
	closed  sync.Once

	in  *frameReader
	out *frameWriter

	user     string
	database string
	pid      int32
	secret   uint32
	session  executor.Session
	ctx      context.Context
	cancel   context.CancelCauseFunc // shared
	// skipping is set after an error in the extended protocol, until Sync.
	skipping bool
	formats  map[string][]int16 // result formats by portal
	deadline bool               // a read deadline is set
	scratch  scratch

	busySince atomic.Int64 // shared: when the running statement began, 0 when idle
	ending    atomic.Bool  // shared: the server wants the session to end

	notes struct { // shared
		sync.Mutex
		idle bool // the goroutine waits for the client
		list []note
	}
}

// note is a notification not yet sent.
type note struct {
	pid              int32
	channel, payload string
}

var errClientGone = errors.New("client has gone")

func newClient(s *Server, conn net.Conn) *client {
	c := &client{Conn: conn, raw: conn, server: s, params: map[string]string{}, formats: map[string][]int16{}}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true) // slower without, nothing else
	}
	return c
}

// clientAddr carries the client through psql-wire, which hands its hooks only an address.
type clientAddr struct {
	net.Addr
	client *client
}

func clientOf(ctx context.Context) *client {
	if a, ok := wire.RemoteAddress(ctx).(clientAddr); ok {
		return a.client
	}
	return nil
}

// RemoteAddr is the client's address, with the client in it.
func (c *client) RemoteAddr() net.Addr { return clientAddr{c.Conn.RemoteAddr(), c} }

// Read gives psql-wire the start-up packet and then the connection.
func (c *client) Read(b []byte) (int, error) {
	if c.replay != nil {
		if n, err := c.replay.Read(b); err == nil {
			return n, nil
		}
		c.replay = nil
	}
	return c.Conn.Read(b)
}

// Write is used by psql-wire alone; see mute.
func (c *client) Write(b []byte) (int, error) {
	if c.mute.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// Close frees the connection and its session.
func (c *client) Close() error {
	c.closed.Do(func() {
		c.cancel(errClientGone)
		if c.session != nil {
			if err := c.guard(func() error { c.session.Close(); return nil }); err != nil {
				c.server.opts.Logger.Error("session not closed", "error", err)
			}
		}
		c.server.remove(c)
		_ = c.Conn.Close() // the client has gone or has been told
		c.server.conns.Done()
	})
	return nil
}

// guard runs fn and makes an error of a panic: a bug in one session ends that
// session alone.
func (c *client) guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.server.opts.Logger.Error("internal error on a connection", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return fn()
}

// refuse tells the client a fatal error and returns it.
func (c *client) refuse(e *pgerr.Error) error {
	e.Severity = "FATAL"
	w := newFrameWriter(c.Conn)
	writeError(w, 'E', e, 0)
	w.flush()
	return e
}

// terminate makes the session end soon: at once when it waits for its client,
// after its statement is cancelled otherwise. It is called from other goroutines.
func (c *client) terminate() {
	c.ending.Store(true)
	c.cancel(errShutdown)
	_ = c.raw.SetReadDeadline(time.Unix(1, 0)) // fails only when closed
}

var errShutdown = pgerr.New(pgerr.AdminShutdown, "terminating connection due to administrator command")

// hungUp says whether the client has closed its side of the socket.
func (c *client) hungUp() bool {
	t, ok := c.raw.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, 0)
		gone = err == nil && n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
	})
	return gone || err != nil
}

// notify queues a notification and wakes the session when it waits for its
// client. It is called from other goroutines.
func (c *client) notify(pid int32, channel, payload string) {
	c.notes.Lock()
	defer c.notes.Unlock()
	c.notes.list = append(c.notes.list, note{pid, channel, payload})
	if c.notes.idle {
		_ = c.raw.SetReadDeadline(time.Unix(1, 0)) // fails only when closed
	}
}

// sendNotes writes the notifications that have come.
func (c *client) sendNotes() {
	c.notes.Lock()
	list := c.notes.list
	c.notes.list = nil
	c.notes.Unlock()
	for _, n := range list {
		c.out.begin('A')
		c.out.int32(n.pid)
		c.out.string(n.channel)
		c.out.string(n.payload)
		c.out.end()
	}
}
