package types

import (
	"slices"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// Limits of arrays, PostgreSQL's own.
const (
	maxArrayDims  = 6
	maxArrayElems = 134217727
)

// arrayReader reads the text form of an array: '{1,2}', '{{a,"b c"},{NULL,d}}',
// '[2:3]={1,2}'.
type arrayReader struct {
	text string
	i    int
	elem *Codec
	typ  OID
	env  *Env

	dims  []int // -1 until the first sub-array of a level is closed
	elems []Datum
}

// ParseArray reads the text form of an array of elem.
func ParseArray(elem OID, s string, env *Env) (*Array, error) {
	c := codecOf(elem)
	if c == nil || c.Parse == nil {
		return nil, unknownType(elem)
	}
	r := arrayReader{text: s, elem: c, typ: elem, env: envOr(env)}
	return r.read()
}

func (r *arrayReader) malformed(detail string, args ...any) error {
	return pgerr.Newf(pgerr.InvalidTextRepresentation, "malformed array literal: \"%s\"", r.text).WithDetail(detail, args...)
}

func (r *arrayReader) skipSpace() {
	for r.i < len(r.text) && isSpace(r.text[r.i]) {
		r.i++
	}
}

// peek returns the byte at the place, 0 at the end (no text holds a zero byte).
func (r *arrayReader) peek() byte {
	if r.i < len(r.text) {
		return r.text[r.i]
	}
	return 0
}

func (r *arrayReader) read() (*Array, error) {
	dims, lower, err := r.bounds()
	if err != nil {
		return nil, err
	}
	if r.peek() != '{' {
		if len(dims) > 0 {
			return nil, r.malformed(`Array contents must start with "{".`)
		}
		return nil, r.malformed(`Array value must start with "{" or dimension information.`)
	}
	if err := r.list(0); err != nil {
		return nil, err
	}
	if r.skipSpace(); r.i < len(r.text) {
		return nil, r.malformed("Junk after closing right brace.")
	}
	if len(r.elems) == 0 {
		r.dims = nil
	}
	if len(dims) > 0 && !slices.Equal(dims, r.dims) {
		return nil, r.malformed("Specified array dimensions do not match array contents.")
	}
	a := &Array{Elem: r.typ, Dims: r.dims, Lower: lower, Elems: r.elems}
	if len(lower) == 0 {
		a.Lower = onesOf(len(r.dims))
	}
	return a, checkArrayBounds(a)
}

func onesOf(n int) []int {
	if n == 0 {
		return nil
	}
	return slices.Repeat([]int{1}, n)
}

// bounds reads [lower:upper]… and the equals sign, if they are there.
func (r *arrayReader) bounds() (dims, lower []int, err error) {
	for {
		r.skipSpace()
		if r.peek() != '[' {
			break
		}
		r.i++
		if len(dims) == maxArrayDims {
			return nil, nil, tooManyDims(len(dims) + 1)
		}
		low, high, err := r.bound()
		if err != nil {
			return nil, nil, err
		}
		if high < low {
			return nil, nil, pgerr.New(pgerr.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		dims, lower = append(dims, high-low+1), append(lower, low)
	}
	if len(dims) == 0 {
		return nil, nil, nil
	}
	if r.peek() != '=' {
		return nil, nil, r.malformed(`Missing "=" after array dimensions.`)
	}
	r.i++
	r.skipSpace()
	return dims, lower, nil
}

func (r *arrayReader) bound() (low, high int, err error) {
	low, ok := r.integer()
	if !ok {
		return 0, 0, r.malformed(`"[" must introduce explicitly-specified array dimensions.`)
	}
	if r.peek() != ':' {
		low, high = 1, low
	} else {
		r.i++
		if high, ok = r.integer(); !ok {
			return 0, 0, r.malformed("Missing array dimension value.")
		}
	}
	if r.peek() != ']' {
		return 0, 0, r.malformed(`Missing "]" after array dimensions.`)
	}
	r.i++
	return low, high, nil
}

func (r *arrayReader) integer() (int, bool) {
	from := r.i
	if c := r.peek(); c == '-' || c == '+' {
		r.i++
	}
	for r.i < len(r.text) && isDigit(r.text[r.i]) {
		r.i++
	}
	n, err := strconv.ParseInt(r.text[from:r.i], 10, 32)
	return int(n), err == nil
}

func tooManyDims(n int) error {
	return pgerr.Newf(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, maxArrayDims)
}

func checkArrayBounds(a *Array) error {
	if len(a.Elems) > maxArrayElems {
		return pgerr.Newf(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayElems)
	}
	for i, low := range a.Lower {
		if low+a.Dims[i] > 1<<31-1 {
			return pgerr.Newf(pgerr.ProgramLimitExceeded, "array lower bound is too large: %d", low)
		}
	}
	return nil
}

// list reads one pair of braces; level counts those around it.
func (r *arrayReader) list(level int) error {
	if level >= maxArrayDims {
		return tooManyDims(level + 1)
	}
	if level == len(r.dims) {
		if len(r.elems) > 0 {
			return r.ragged()
		}
		r.dims = append(r.dims, -1)
	}
	r.i++ // the brace
	n, nested := 0, false
	for {
		switch r.skipSpace(); r.peek() {
		case '}':
			if n > 0 || level > 0 {
				return r.malformed(`Unexpected "%c" character.`, '}')
			}
		case '{':
			if n > 0 && !nested {
				return r.malformed(`Unexpected "%c" character.`, '{')
			}
			nested = true
			if err := r.list(level + 1); err != nil {
				return err
			}
			n++
		default:
			if nested || level+1 < len(r.dims) {
				return r.malformed("Unexpected array element.")
			}
			if err := r.element(); err != nil {
				return err
			}
			n++
		}
		more, err := r.separator()
		if err != nil {
			return err
		}
		if !more {
			return r.close(level, n)
		}
	}
}

func (r *arrayReader) ragged() error {
	return r.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
}

// separator reads a comma (more) or the closing brace.
func (r *arrayReader) separator() (more bool, err error) {
	r.skipSpace()
	c := r.peek()
	switch {
	case c == ',':
		r.i++
		return true, nil
	case c == '}':
		r.i++
		return false, nil
	case r.i >= len(r.text):
		return false, r.malformed("Unexpected end of input.")
	case c == '{':
		return false, r.malformed(`Unexpected "%c" character.`, c)
	}
	return false, r.malformed("Unexpected array element.")
}

func (r *arrayReader) close(level, n int) error {
	if r.dims[level] >= 0 && r.dims[level] != n {
		return r.ragged()
	}
	r.dims[level] = n
	return nil
}

func (r *arrayReader) element() error {
	text, null, err := r.word()
	if err != nil {
		return err
	}
	if null {
		r.elems = append(r.elems, nil)
		return nil
	}
	d, err := r.elem.Parse(text, r.env)
	if err != nil {
		return err
	}
	r.elems = append(r.elems, d)
	return nil
}

// word reads one element's text: quoted, or bare with backslashes.
func (r *arrayReader) word() (text string, null bool, err error) {
	if r.peek() == '"' {
		text, err = r.quoted()
		return text, false, err
	}
	from := r.i
	for r.i < len(r.text) && strings.IndexByte(`,{}"\`, r.text[r.i]) < 0 {
		r.i++
	}
	if r.peek() == '\\' {
		return r.escaped(from)
	}
	text = strings.TrimRight(r.text[from:r.i], " \t\n\v\f\r")
	if err := r.endOfBare(text == ""); err != nil {
		return "", false, err
	}
	return text, strings.EqualFold(text, "NULL"), nil
}

// endOfBare checks what stands after a bare element.
func (r *arrayReader) endOfBare(empty bool) error {
	c := r.peek()
	switch {
	case r.i >= len(r.text):
		return r.malformed("Unexpected end of input.")
	case c == '"' && !empty:
		return r.malformed("Unexpected array element.")
	case c == '{' || empty:
		return r.malformed(`Unexpected "%c" character.`, c)
	}
	return nil
}

// escaped reads a bare element that has backslashes: it is never NULL, and
// escaped blanks at its end stay.
func (r *arrayReader) escaped(from int) (string, bool, error) {
	out := []byte(r.text[from:r.i])
	keep := 0
	for r.i < len(r.text) && strings.IndexByte(`,{}"`, r.text[r.i]) < 0 {
		c := r.text[r.i]
		if c == '\\' {
			if r.i++; r.i >= len(r.text) {
				return "", false, r.malformed("Unexpected end of input.")
			}
			c = r.text[r.i]
			keep = len(out) + 1
		}
		out = append(out, c)
		r.i++
	}
	if err := r.endOfBare(false); err != nil {
		return "", false, err
	}
	for len(out) > keep && isSpace(out[len(out)-1]) {
		out = out[:len(out)-1]
	}
	return string(out), false, nil
}

func (r *arrayReader) quoted() (string, error) {
	r.i++
	var out []byte
	for from := r.i; r.i < len(r.text); r.i++ {
		switch r.text[r.i] {
		case '"':
			out = append(out, r.text[from:r.i]...)
			r.i++
			return string(out), nil
		case '\\':
			out = append(out, r.text[from:r.i]...)
			r.i++
			from = r.i
		}
	}
	return "", r.malformed("Unexpected end of input.")
}
