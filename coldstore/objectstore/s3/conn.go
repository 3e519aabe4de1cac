package s3

import (
	"context"
	"net"
	"time"
)

// dial opens connections that give up when nothing moves.
func dial(d *net.Dialer, idle time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &conn{c, idle}, nil
	}
}

// conn moves its deadline with each read and write, so that a large body may take
// as long as it likes as long as it moves.
type conn struct {
	net.Conn
	idle time.Duration
}

func (c *conn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write moves the deadline for reading too: the read that waits for the answer
// began before the body was sent.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
