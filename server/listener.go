package server

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
)

// Codes that may come instead of a protocol version.
const (
	codeCancel = 80877102
	codeSSL    = 80877103
	codeGSS    = 80877104
)

// maxStartup is PostgreSQL's limit of a start-up packet; maxPreambles is how
// many SSL and GSS requests may come before it.
const (
	maxStartup   = 10000
	maxPreambles = 4
	alpnProtocol = "postgresql"
)

// listener hands psql-wire connections whose start-up packet has been read and
// found well formed. What comes before that packet is answered here, each
// connection on a goroutine of its own.
type listener struct {
	net.Listener
	server *Server
	ready  chan *client
	failed chan error
	once   sync.Once
}

func newListener(s *Server, l net.Listener) *listener {
	return &listener{Listener: l, server: s, ready: make(chan *client), failed: make(chan error, 1)}
}

// Accept returns the next client.
func (l *listener) Accept() (net.Conn, error) {
	l.once.Do(func() { go l.accept() })
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		l.failed <- err // for the next call
		return nil, err
	case <-l.server.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) accept() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !l.server.closing.Load() && transient(err) {
				l.server.opts.Logger.Error("could not accept a connection", "error", err)
				time.Sleep(100 * time.Millisecond) // until a descriptor is free
				continue
			}
			l.failed <- err
			return
		}
		c := newClient(l.server, conn)
		l.server.conns.Add(1)
		l.server.add(c)
		go l.prepare(c)
	}
}

func transient(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ECONNABORTED)
}

func (l *listener) prepare(c *client) {
	var packet []byte
	err := c.guard(func() (err error) {
		_ = c.Conn.SetDeadline(time.Now().Add(l.server.opts.StartupTimeout)) // fails only when closed
		packet, err = c.preamble()
		return err
	})
	if err != nil || packet == nil {
		_ = c.Close() // nothing was promised to this client
		return
	}
	c.replay = bytes.NewReader(packet)
	select {
	case l.ready <- c:
	case <-l.server.done:
		_ = c.Close()
	}
}

// preamble answers SSL, GSS and cancel requests and returns the start-up packet
// with its length; nil when the connection has served its purpose.
func (c *client) preamble() ([]byte, error) {
	if err := c.directTLS(); err != nil {
		return nil, err
	}
	for range maxPreambles {
		packet, err := c.readStartup()
		if err != nil {
			return nil, err
		}
		switch code := binary.BigEndian.Uint32(packet[4:]); code {
		case codeSSL:
			err = c.answerSSL()
		case codeGSS:
			_, err = c.Conn.Write([]byte{'N'})
		case codeCancel:
			if len(packet) == 16 {
				c.server.opts.Admin.Cancel(int32(binary.BigEndian.Uint32(packet[8:])), binary.BigEndian.Uint32(packet[12:]))
			}
			return nil, nil
		default:
			return packet, c.checkStartup(packet)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, c.refuse(pgerr.New(pgerr.ProtocolViolation, "too many requests before the start-up packet"))
}

// directTLS begins TLS at once when the first byte is a TLS handshake (PostgreSQL 17's sslnegotiation=direct).
func (c *client) directTLS() error {
	var first [1]byte
	if _, err := io.ReadFull(c.Conn, first[:]); err != nil {
		return err
	}
	c.Conn = &prefixed{Conn: c.Conn, prefix: first[:]}
	if first[0] != 0x16 || c.server.opts.TLS == nil {
		return nil
	}
	cfg := c.server.opts.TLS.Clone()
	cfg.NextProtos = []string{alpnProtocol}
	return c.startTLS(cfg)
}

func (c *client) answerSSL() error {
	if c.server.opts.TLS == nil || c.tls {
		_, err := c.Conn.Write([]byte{'N'})
		return err
	}
	if p, ok := c.Conn.(*prefixed); ok && len(p.prefix) > 0 {
		return errors.New("bytes before the TLS handshake")
	}
	if _, err := c.Conn.Write([]byte{'S'}); err != nil {
		return err
	}
	return c.startTLS(c.server.opts.TLS)
}

func (c *client) startTLS(cfg *tls.Config) error {
	t := tls.Server(c.Conn, cfg)
	if err := t.Handshake(); err != nil {
		return err
	}
	c.Conn, c.tls = t, true
	return nil
}

func (c *client) readStartup() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 8 || n > maxStartup {
		return nil, c.refuse(pgerr.New(pgerr.ProtocolViolation, "invalid length of startup packet"))
	}
	packet := make([]byte, n)
	copy(packet, head[:])
	if _, err := io.ReadFull(c.Conn, packet[4:]); err != nil {
		return nil, err
	}
	return packet, nil
}

// checkStartup reads the parameters; psql-wire reads them again.
func (c *client) checkStartup(packet []byte) error {
	if major := binary.BigEndian.Uint16(packet[4:]); major != 3 {
		return c.refuse(pgerr.Newf(pgerr.FeatureNotSupported, "unsupported frontend protocol %d.%d: server supports 3.0 to 3.0",
			major, binary.BigEndian.Uint16(packet[6:])))
	}
	m := body{b: packet[8:]}
	for {
		key := m.string()
		if key == "" {
			break
		}
		c.params[key] = m.string()
	}
	if m.bad || len(m.b) > 0 {
		return c.refuse(pgerr.New(pgerr.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte"))
	}
	if c.server.opts.TLSRequired && !c.tls {
		return c.refuse(pgerr.New(pgerr.InvalidAuthorization, "this server takes connections with TLS only").
			WithHint("Connect with sslmode=require."))
	}
	return nil
}

// prefixed gives back bytes that were read too early.
type prefixed struct {
	net.Conn
	prefix []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}
