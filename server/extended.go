package server

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// parse answers Parse: it plans one statement.
func (c *client) parse(m *body) error {
	name, text := m.string(), m.string()
	n := int(m.int16())
	oids := make([]types.OID, 0, max(0, min(n, len(m.b)/4)))
	for range n {
		oids = append(oids, types.OID(uint32(m.int32())))
		if m.bad {
			break
		}
	}
	if err := m.end("Parse"); err != nil {
		return err
	}
	stmts, err := c.session.Parse(text)
	if err != nil {
		return err
	}
	stmt := &sql.Statement{}
	switch len(stmts) {
	case 0: // an empty query can be prepared
	case 1:
		stmt = &stmts[0]
	default:
		return pgerr.New(pgerr.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	if _, err := c.session.Prepare(c.ctx, name, stmt, oids); err != nil {
		return shift(err, stmt.Offset)
	}
	c.out.empty('1')
	return nil
}

// shift moves an error's position from the statement to the query string.
func shift(err error, offset int) error {
	e := pgerr.As(err)
	if e == nil || e.Position == 0 || offset == 0 {
		return err
	}
	moved := *e
	moved.Position += offset
	return &moved
}

// bind answers Bind: it reads the parameters and makes a portal.
func (c *client) bind(m *body) error {
	portal, name := m.string(), m.string()
	if m.bad {
		return m.end("Bind")
	}
	stmt, err := c.session.Statement(name)
	if err != nil {
		return err
	}
	formats := c.readFormats(m, c.scratch.formats[:0])
	params, err := c.readParams(m, formats, stmt.ParamTypes(), name)
	if err != nil {
		return err
	}
	results := c.readFormats(m, nil)
	if err := m.end("Bind"); err != nil {
		return err
	}
	if n := len(stmt.Columns()); len(results) > 1 && len(results) != n {
		return pgerr.Newf(pgerr.ProtocolViolation, "bind message has %d result formats but query has %d columns", len(results), n)
	}
	if _, err := c.session.Bind(c.ctx, portal, stmt, params); err != nil {
		return err
	}
	c.formats[portal] = results
	c.out.empty('2')
	return nil
}

func (c *client) readFormats(m *body, dst []int16) []int16 {
	for range m.int16() {
		f := m.int16()
		if f != 0 && f != 1 {
			m.bad = true
		}
		if m.bad {
			break
		}
		dst = append(dst, f)
	}
	return dst
}

// readParams parses the parameters of a Bind message.
func (c *client) readParams(m *body, formats []int16, oids []types.OID, stmt string) ([]types.Datum, error) {
	n := int(m.int16())
	if len(formats) > 1 && len(formats) != n {
		return nil, pgerr.Newf(pgerr.ProtocolViolation, "bind message has %d parameter formats but %d parameters", len(formats), n)
	}
	if n != len(oids) {
		return nil, pgerr.Newf(pgerr.ProtocolViolation, "bind message supplies %d parameters, but prepared statement %q requires %d", n, stmt, len(oids))
	}
	if n == 0 {
		return nil, nil
	}
	env := c.session.Env()
	params := make([]types.Datum, n)
	for i := range params {
		size := int(m.int32())
		if size == -1 && !m.bad {
			continue
		}
		raw := m.bytes(size)
		if m.bad {
			return nil, m.end("Bind")
		}
		var err error
		if formatOf(formats, i) == 1 {
			params[i], err = decodeParam(oids[i], raw, i, env)
		} else {
			params[i], err = parseParam(oids[i], raw, env)
		}
		if err != nil {
			return nil, err
		}
	}
	return params, nil
}

func decodeParam(oid types.OID, raw []byte, i int, env *types.Env) (types.Datum, error) {
	d, err := types.DecodeWire(oid, raw, env)
	if err != nil && pgerr.Code(err) == pgerr.InvalidBinaryRepresentation {
		return nil, pgerr.Newf(pgerr.InvalidBinaryRepresentation, "incorrect binary data format in bind parameter %d", i+1).
			WithDetail("%s", pgerr.As(err).Message)
	}
	return d, err
}

func parseParam(oid types.OID, raw []byte, env *types.Env) (types.Datum, error) {
	s := string(raw)
	if err := checkText(s); err != nil {
		return nil, err
	}
	return types.Parse(oid, types.NoTypmod, s, env)
}

// checkText refuses text that no value may hold.
func checkText(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return pgerr.New(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0x00`)
	}
	if utf8.ValidString(s) {
		return nil
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return pgerr.Newf(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0x%02x`, s[i])
		}
		i += n
	}
	return nil
}

// formatOf is the format of column i: none given is text, one is for all.
func formatOf(formats []int16, i int) int16 {
	switch len(formats) {
	case 0:
		return 0
	case 1:
		return formats[0]
	default:
		return formats[i]
	}
}

// describe answers Describe, of a statement or a portal.
func (c *client) describe(m *body) error {
	kind, name := m.byte(), m.string()
	if err := m.end("Describe"); err != nil {
		return err
	}
	switch kind {
	case 'S':
		stmt, err := c.session.Statement(name)
		if err != nil {
			return err
		}
		c.out.begin('t')
		c.out.int16(int16(len(stmt.ParamTypes())))
		for _, oid := range stmt.ParamTypes() {
			c.out.int32(int32(oid))
		}
		c.out.end()
		c.describeColumns(stmt.Columns(), nil)
	case 'P':
		p, err := c.session.Portal(name)
		if err != nil {
			return err
		}
		c.describeColumns(p.Columns(), c.formats[name])
	default:
		return pgerr.Newf(pgerr.ProtocolViolation, "invalid DESCRIBE message subtype %d", kind)
	}
	return nil
}

func (c *client) describeColumns(cols []executor.ResultColumn, formats []int16) {
	if cols == nil {
		c.out.empty('n')
		return
	}
	c.rowDescription(cols, formats)
}

// execute answers Execute.
func (c *client) execute(m *body) error {
	name, limit := m.string(), int(m.int32())
	if err := m.end("Execute"); err != nil {
		return err
	}
	portal, err := c.session.Portal(name)
	if err != nil {
		return err
	}
	began := time.Now()
	done, tag := true, ""
	switch portal.Kind() {
	case executor.PortalCopyIn:
		err = c.copyIn(portal)
	case executor.PortalCopyOut:
		err = c.copyOut(portal)
	default:
		var n int
		n, done, err = c.sendRows(portal, c.formats[name], max(limit, 0))
		tag = portal.Tag()
		if done && portal.Kind() == executor.PortalRows {
			tag = countRows(tag, n)
		}
	}
	if tag == "" {
		tag = portal.Tag()
	}
	c.measure(tag, err, began)
	if err != nil {
		return err
	}
	if !done {
		c.out.empty('s')
		return nil
	}
	c.complete(tag)
	return nil
}

// countRows puts the rows of this Execute into the tag: of a portal that was
// suspended, PostgreSQL counts only the rows since.
func countRows(tag string, n int) string {
	i := strings.LastIndexByte(tag, ' ') + 1
	if was, err := strconv.Atoi(tag[i:]); err != nil || was == n {
		return tag
	}
	return tag[:i] + strconv.Itoa(n)
}

// closeNamed answers Close, of a statement or a portal.
func (c *client) closeNamed(m *body) error {
	kind, name := m.byte(), m.string()
	if err := m.end("Close"); err != nil {
		return err
	}
	switch kind {
	case 'S':
		c.session.CloseStatement(name)
	case 'P':
		c.session.ClosePortal(name)
		delete(c.formats, name)
	default:
		return pgerr.Newf(pgerr.ProtocolViolation, "invalid CLOSE message subtype %d", kind)
	}
	c.out.empty('3')
	return nil
}
