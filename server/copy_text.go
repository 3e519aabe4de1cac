package server

import (
	"bytes"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// textDecoder reads COPY's text format.
type textDecoder struct {
	copyFields
	scanned int // bytes of data known to hold no line end
	field   []byte
}

func (d *textDecoder) decode(data []byte, last bool, row func(types.Row) error) (int, error) {
	taken := 0
	for !d.done {
		rest := data[taken:]
		end, skip, found := d.lineEnd(rest, last)
		if !found {
			break
		}
		d.scanned = 0
		taken += end + skip
		if err := d.readLine(rest[:end], row); err != nil {
			return taken, err
		}
	}
	if d.done {
		return len(data), nil // what follows the end marker is ignored
	}
	return taken, nil
}

// lineEnd finds the end of the first line: its length and the length of its newline.
func (d *textDecoder) lineEnd(b []byte, last bool) (end, skip int, found bool) {
	i := d.scanned
	for {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			d.scanned = len(b)
			return len(b), 0, last && len(b) > 0
		}
		i += n
		if !escaped(b, i) {
			break
		}
		i++
	}
	if i > 0 && b[i-1] == '\r' && !escaped(b, i-1) {
		return i - 1, 2, true
	}
	return i, 1, true
}

// escaped says whether an odd number of backslashes stands before b[i].
func escaped(b []byte, i int) bool {
	n := 0
	for j := i - 1; j >= 0 && b[j] == '\\'; j-- {
		n++
	}
	return n%2 == 1
}

func (d *textDecoder) readLine(line []byte, row func(types.Row) error) error {
	d.line++
	d.column = ""
	if bytes.Equal(line, []byte(`\.`)) {
		d.done = true
		return nil
	}
	if i := bytes.IndexByte(line, '\r'); i >= 0 && !escaped(line, i) {
		return pgerr.New(pgerr.BadCopyFileFormat, "literal carriage return found in data").WithHint(`Use "\r" to represent carriage return.`)
	}
	skip, err := d.header(func() []string { return d.names(line) })
	if skip || err != nil {
		return err
	}
	out := make(types.Row, len(d.spec.Columns))
	n := 0
	if len(out) > 0 || len(line) > 0 {
		for more := true; more; n++ {
			var raw []byte
			raw, line, more = d.cut(line)
			if n >= len(out) {
				return d.checkWidth(n + 1)
			}
			if out[n], err = d.readField(n, raw); err != nil {
				return err
			}
		}
	}
	if err := d.checkWidth(n); err != nil {
		return err
	}
	return row(out)
}

func (d *textDecoder) names(line []byte) []string {
	var names []string
	for more := true; more; {
		var raw []byte
		raw, line, more = d.cut(line)
		names = append(names, string(d.unescape(raw)))
	}
	return names
}

// cut takes the first field off a line.
func (d *textDecoder) cut(line []byte) (field, rest []byte, more bool) {
	i := 0
	for {
		n := bytes.IndexByte(line[i:], d.spec.Delimiter)
		if n < 0 {
			return line, nil, false
		}
		i += n
		if !escaped(line, i) {
			return line[:i], line[i+1:], true
		}
		i++
	}
}

func (d *textDecoder) readField(i int, raw []byte) (types.Datum, error) {
	if string(raw) == d.spec.Null {
		return nil, nil
	}
	if d.spec.Default != nil && string(raw) == *d.spec.Default {
		return copyDefault, nil
	}
	return d.parse(i, string(d.unescape(raw)))
}

// unescape resolves backslashes; the result is valid until the next call.
func (d *textDecoder) unescape(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	out := d.field[:0]
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			out = append(out, c)
			continue
		}
		i++
		switch c = raw[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'v':
			c = '\v'
		case 'x':
			if v, n := number(raw[i+1:], 16, 2); n > 0 {
				c = v
				i += n
			}
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, n := number(raw[i:], 8, 3)
			c = v
			i += n - 1
		}
		out = append(out, c)
	}
	d.field = out
	return out
}

// number reads up to most digits of a base and says how many there were.
func number(b []byte, base, most int) (byte, int) {
	v, n := 0, 0
	for n < most && n < len(b) {
		digit := digitOf(b[n])
		if digit >= base {
			break
		}
		v = v*base + digit
		n++
	}
	return byte(v), n
}

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	default:
		return 99
	}
}

// appendText writes one value in COPY's text format.
func appendText(dst, value []byte, delimiter byte) []byte {
	for _, c := range value {
		switch c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\v':
			dst = append(dst, '\\', 'v')
		case '\\', delimiter:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
