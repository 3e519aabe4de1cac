package server

import (
	"errors"
	"net"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
)

// errQuit ends a session that the client has ended.
var errQuit = errors.New("client said goodbye")

// loop reads messages and answers them until the client or the server ends the
// session. Output is written when no further message is there to be read.
func (c *client) loop() error {
	for {
		typ, b, err := c.receive()
		if err != nil {
			if errors.Is(err, errQuit) {
				return nil
			}
			return err
		}
		if err := c.handle(typ, b); err != nil {
			if errors.Is(err, errQuit) {
				return nil
			}
			return err
		}
		if c.out.err != nil {
			return c.out.err
		}
	}
}

// receive waits for the next message. While it waits it sends notifications and
// watches the session's idle limits.
func (c *client) receive() (byte, []byte, error) {
	if !c.in.buffered() {
		c.out.flush()
	}
	for {
		if c.ending.Load() {
			return 0, nil, errShutdown
		}
		limit, limitErr, err := c.beforeWait()
		if err != nil {
			return 0, nil, err
		}
		typ, b, err := c.in.next()
		c.afterWait()
		var timeout net.Error
		if err == nil || !errors.As(err, &timeout) || !timeout.Timeout() {
			return typ, b, err
		}
		if limit > 0 && !c.notesWaiting() && !c.ending.Load() {
			return 0, nil, limitErr
		}
		if c.session.TxStatus() != 'T' {
			c.sendNotes()
			c.out.flush()
		}
	}
}

// beforeWait sets the read deadline that the session's state asks for.
func (c *client) beforeWait() (time.Duration, *pgerr.Error, error) {
	if c.in.buffered() {
		return 0, nil, nil
	}
	limit, limitErr := c.session.IdleTimeout()
	c.notes.Lock()
	defer c.notes.Unlock()
	c.notes.idle = true
	var when time.Time
	switch {
	case len(c.notes.list) > 0 && c.session.TxStatus() != 'T', c.ending.Load():
		when = time.Unix(1, 0)
	case limit > 0:
		when = time.Now().Add(limit)
	case !c.deadline:
		return 0, nil, nil
	}
	c.deadline = !when.IsZero()
	return limit, limitErr, c.Conn.SetReadDeadline(when)
}

func (c *client) afterWait() {
	c.notes.Lock()
	defer c.notes.Unlock()
	if c.notes.idle {
		c.notes.idle = false
		c.deadline = true // notify or terminate may have set one
	}
}

func (c *client) notesWaiting() bool {
	c.notes.Lock()
	defer c.notes.Unlock()
	return len(c.notes.list) > 0
}

// handle answers one message. An error it returns ends the session; errors of
// statements are told to the client here.
func (c *client) handle(typ byte, b []byte) error {
	if c.skipping && typ != 'S' && typ != 'X' {
		return nil
	}
	c.busySince.Store(time.Now().UnixNano())
	defer c.busySince.Store(0)
	m := &body{b: b}
	var err error
	extended := true
	switch typ {
	case 'Q':
		return c.simple(m)
	case 'P':
		err = c.guard(func() error { return c.parse(m) })
	case 'B':
		err = c.guard(func() error { return c.bind(m) })
	case 'D':
		err = c.guard(func() error { return c.describe(m) })
	case 'E':
		err = c.guard(func() error { return c.execute(m) })
	case 'C':
		err = c.guard(func() error { return c.closeNamed(m) })
	case 'H':
		c.out.flush()
	case 'S':
		return c.sync()
	case 'X':
		return errQuit
	case 'd', 'c', 'f':
		// What a COPY that has failed was still being sent.
	case 'F':
		err, extended = pgerr.Unsupported("the function call message"), false
	default:
		return pgerr.Newf(pgerr.ProtocolViolation, "invalid frontend message type %d", typ)
	}
	if err == nil {
		return nil
	}
	if fatal := c.fail(err, 0); fatal != nil {
		return fatal
	}
	c.skipping = extended
	if !extended {
		c.ready()
	}
	return nil
}

// fail tells the client an error of a statement. It returns an error when the
// session cannot go on.
func (c *client) fail(err error, offset int) error {
	if errors.Is(err, errQuit) || c.out.err != nil {
		return errQuit
	}
	if c.ending.Load() {
		return errShutdown
	}
	c.logInternal(err)
	if e := c.guard(func() error { c.session.Fail(); return nil }); e != nil {
		return e
	}
	e := asClientError(err)
	writeError(c.out, 'E', e, offset)
	if e.Severity == "FATAL" {
		c.out.flush()
		return errQuit
	}
	return nil
}

// sync ends a series of extended messages.
func (c *client) sync() error {
	if !c.skipping {
		if err := c.guard(func() error { return c.session.Sync(c.ctx) }); err != nil {
			if fatal := c.fail(err, 0); fatal != nil {
				return fatal
			}
		}
	}
	c.skipping = false
	// After a failed series, Sync ends what Fail has rolled back.
	c.ready()
	return nil
}

// ready says that the server waits for a new series.
func (c *client) ready() {
	if c.session.TxStatus() != 'T' {
		c.sendNotes()
	}
	c.out.begin('Z')
	c.out.byte(c.session.TxStatus())
	c.out.end()
}
