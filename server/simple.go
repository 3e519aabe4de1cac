package server

import (
	"errors"
	"strings"
	"time"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql"
)

// simple answers a Query message: the statements of a string one after the
// other, in one implicit transaction.
func (c *client) simple(m *body) error {
	text := m.string()
	offset := 0
	err := m.end("Query") // a NUL inside the text: the frame was whole, so the session goes on
	if err == nil {
		err = c.guard(func() error { return c.runString(text, &offset) })
	}
	if err != nil {
		if fatal := c.fail(err, offset); fatal != nil {
			return fatal
		}
	}
	c.ready()
	return nil
}

// runString runs a query string; offset is kept at the start of the statement under way.
func (c *client) runString(text string, offset *int) error {
	stmts, err := c.session.Parse(text)
	if err != nil {
		return err
	}
	if len(stmts) == 0 {
		if err := c.session.Sync(c.ctx); err != nil {
			return err
		}
		c.out.empty('I')
		return nil
	}
	for i := range stmts {
		*offset = stmts[i].Offset
		if err := c.runSimple(&stmts[i], i == len(stmts)-1); err != nil {
			return err
		}
	}
	return nil
}

// runSimple runs one statement of a string with results in text form. The
// transaction ends before the last statement is called complete.
func (c *client) runSimple(stmt *sql.Statement, last bool) error {
	began := time.Now()
	tag, err := c.answerSimple(stmt)
	if err == nil && last {
		err = c.session.Sync(c.ctx)
	}
	c.measure(tag, err, began)
	if err != nil {
		return err
	}
	c.complete(tag)
	return nil
}

func (c *client) answerSimple(stmt *sql.Statement) (string, error) {
	prepared, err := c.session.Prepare(c.ctx, "", stmt, nil)
	if err != nil {
		return "", err
	}
	if n := len(prepared.ParamTypes()); n > 0 {
		return "", pgerr.New(pgerr.UndefinedParameter, "there is no parameter $1")
	}
	portal, err := c.session.Bind(c.ctx, "", prepared, nil)
	if err != nil {
		return "", err
	}
	defer c.session.ClosePortal("")
	switch portal.Kind() {
	case executor.PortalCopyIn:
		err = c.copyIn(portal)
	case executor.PortalCopyOut:
		err = c.copyOut(portal)
	default:
		if cols := portal.Columns(); cols != nil {
			c.rowDescription(cols, nil)
		}
		_, _, err = c.sendRows(portal, nil, 0)
	}
	return portal.Tag(), err
}

// complete writes CommandComplete.
func (c *client) complete(tag string) {
	if tag == "" {
		c.out.empty('I')
		return
	}
	c.out.begin('C')
	c.out.string(tag)
	c.out.end()
}

func (c *client) measure(tag string, err error, began time.Time) {
	kind, _, _ := strings.Cut(tag, " ")
	code := pgerr.Code(err)
	if err != nil && !errors.Is(err, errQuit) {
		code = asClientError(err).Code
	}
	c.server.opts.Metrics.Statement(strings.ToLower(kind), code, time.Since(began))
}
