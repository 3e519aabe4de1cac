package server

import (
	"encoding/binary"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// scratch is memory that a session uses again and again.
type scratch struct {
	formats []int16
}

// maxRow is the largest row that fits a message.
const maxRow = 1<<30 - 1

// rowDescription describes a result's columns.
func (c *client) rowDescription(cols []executor.ResultColumn, formats []int16) {
	w := c.out
	w.begin('T')
	w.int16(int16(len(cols)))
	for i := range cols {
		col := &cols[i]
		w.string(col.Name)
		w.int32(int32(col.Table))
		w.int16(col.Attnum)
		w.int32(int32(wireType(col.Type)))
		w.int16(typeLen(col.Type))
		w.int32(col.Typmod)
		w.int16(formatOf(formats, i))
	}
	w.end()
}

// wireType hides unknown, which no client expects.
func wireType(oid types.OID) types.OID {
	if oid == types.UnknownOID {
		return types.TextOID
	}
	return oid
}

func typeLen(oid types.OID) int16 {
	if t := types.Lookup(wireType(oid)); t != nil {
		return t.Len
	}
	return -1
}

// sendRows runs a portal and writes its rows; with a limit it stops after so
// many. It returns how many it wrote and whether the portal is done.
func (c *client) sendRows(p executor.Portal, formats []int16, limit int) (n int, done bool, err error) {
	cols := p.Columns()
	if len(formats) > 1 && len(formats) != len(cols) {
		return 0, false, pgerr.Newf(pgerr.ProtocolViolation, "bind message has %d result formats but query has %d columns", len(formats), len(cols))
	}
	var env *types.Env
	for ; limit == 0 || n < limit; n++ {
		row, err := p.Next(c.ctx)
		if err != nil {
			return n, false, err
		}
		if row == nil {
			return n, true, nil
		}
		if env == nil {
			env = c.session.Env()
		}
		if err := c.dataRow(row, cols, formats, env); err != nil {
			return n, false, err
		}
		if c.out.err != nil {
			return n, false, errQuit
		}
	}
	return n, false, nil
}

func (c *client) dataRow(row types.Row, cols []executor.ResultColumn, formats []int16, env *types.Env) error {
	w := c.out
	w.begin('D')
	w.int16(int16(len(cols)))
	for i := range cols {
		d := row[i]
		if d == nil {
			w.int32(-1)
			continue
		}
		at := len(w.buf)
		w.int32(0)
		oid := wireType(cols[i].Type)
		if formatOf(formats, i) == 1 {
			b, err := types.EncodeWire(w.buf, oid, d, env)
			if err != nil {
				w.drop()
				return err
			}
			w.buf = b
		} else {
			w.buf = types.Format(w.buf, oid, d, env)
		}
		binary.BigEndian.PutUint32(w.buf[at:], uint32(len(w.buf)-at-4))
	}
	if len(w.buf)-w.start > maxRow {
		w.drop()
		return pgerr.New(pgerr.ProgramLimitExceeded, "row is too large for the protocol")
	}
	w.end()
	return nil
}
