package server

import (
	"bytes"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// csvDecoder reads COPY's CSV format.
type csvDecoder struct {
	copyFields
	scanned  int  // bytes of data already looked at for a line end
	inQuotes bool // state of that scan
	fields   []csvField
	buf      []byte
}

// csvField is one value of a line: buf[from:to]; quoted when any part was.
type csvField struct {
	from, to int
	quoted   bool
}

func (d *csvDecoder) decode(data []byte, last bool, row func(types.Row) error) (int, error) {
	taken := 0
	for !d.done {
		rest := data[taken:]
		end, skip, found := d.lineEnd(rest, last)
		if !found {
			break
		}
		d.scanned, d.inQuotes = 0, false
		taken += end + skip
		if err := d.readLine(rest[:end], row); err != nil {
			return taken, err
		}
	}
	if d.done {
		return len(data), nil
	}
	return taken, nil
}

// lineEnd finds the first newline outside quotes.
func (d *csvDecoder) lineEnd(b []byte, last bool) (end, skip int, found bool) {
	quote, escape := d.spec.Quote, d.spec.Escape
	i := d.scanned
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case d.inQuotes && c == escape && escape != quote:
			if i+1 == len(b) {
				if !last {
					d.scanned = i
					return 0, 0, false
				}
				continue
			}
			if b[i+1] == quote || b[i+1] == escape {
				i++
			}
		case c == quote:
			d.inQuotes = !d.inQuotes
		case c == '\n' && !d.inQuotes:
			if i > 0 && b[i-1] == '\r' {
				return i - 1, 2, true
			}
			return i, 1, true
		}
	}
	d.scanned = len(b)
	return len(b), 0, last && len(b) > 0
}

func (d *csvDecoder) readLine(line []byte, row func(types.Row) error) error {
	d.line++
	d.column = ""
	if bytes.Equal(line, []byte(`\.`)) {
		d.done = true
		return nil
	}
	if err := d.split(line); err != nil {
		return err
	}
	skip, err := d.header(d.names)
	if skip || err != nil {
		return err
	}
	if len(d.spec.Columns) == 0 && len(line) == 0 {
		return row(types.Row{})
	}
	if err := d.checkWidth(len(d.fields)); err != nil {
		return err
	}
	out := make(types.Row, len(d.fields))
	for i, f := range d.fields {
		if out[i], err = d.readField(i, f); err != nil {
			return err
		}
	}
	return row(out)
}

func (d *csvDecoder) names() []string {
	names := make([]string, len(d.fields))
	for i, f := range d.fields {
		names[i] = string(d.buf[f.from:f.to])
	}
	return names
}

func (d *csvDecoder) readField(i int, f csvField) (types.Datum, error) {
	text := string(d.buf[f.from:f.to])
	if text == d.spec.Null {
		isNull := !f.quoted && !optionOf(d.spec.ForceValue, i) || f.quoted && optionOf(d.spec.ForceNull, i)
		if isNull {
			return nil, nil
		}
	}
	if !f.quoted && d.spec.Default != nil && text == *d.spec.Default {
		return copyDefault, nil
	}
	return d.parse(i, text)
}

func optionOf(flags []bool, i int) bool { return i < len(flags) && flags[i] }

// split finds the values of a line, their quotes and escapes resolved, in d.buf.
func (d *csvDecoder) split(line []byte) error {
	quote, escape, delim := d.spec.Quote, d.spec.Escape, d.spec.Delimiter
	d.fields, d.buf = d.fields[:0], d.buf[:0]
	cur := csvField{}
	inQuotes := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case inQuotes && c == escape && i+1 < len(line) && (line[i+1] == quote || line[i+1] == escape):
			i++
			d.buf = append(d.buf, line[i])
		case c == quote:
			inQuotes = !inQuotes
			cur.quoted = true
		case !inQuotes && c == delim:
			cur.to = len(d.buf)
			d.fields = append(d.fields, cur)
			cur = csvField{from: len(d.buf)}
		case !inQuotes && c == '\r':
			return pgerr.New(pgerr.BadCopyFileFormat, "unquoted carriage return found in data").
				WithHint("Use quoted CSV field to represent carriage return.")
		default:
			d.buf = append(d.buf, c)
		}
	}
	if inQuotes {
		return pgerr.New(pgerr.BadCopyFileFormat, "unterminated CSV quoted field")
	}
	cur.to = len(d.buf)
	d.fields = append(d.fields, cur)
	return nil
}

// appendCSV writes one value in CSV, quoted when it must be.
func appendCSV(dst, value []byte, spec *executor.CopySpec, force bool) []byte {
	if !force && !needsQuotes(value, spec) {
		return append(dst, value...)
	}
	dst = append(dst, spec.Quote)
	for _, c := range value {
		if c == spec.Quote || c == spec.Escape {
			dst = append(dst, spec.Escape)
		}
		dst = append(dst, c)
	}
	return append(dst, spec.Quote)
}

func needsQuotes(value []byte, spec *executor.CopySpec) bool {
	if string(value) == spec.Null || len(spec.Columns) == 1 && string(value) == `\.` {
		return true
	}
	for _, c := range value {
		if c == spec.Delimiter || c == spec.Quote || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}
