package httpapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
)

// Limits of what a request holds in memory: one vector with its metadata, and
// what is read at once.
const (
	maxItemBytes  = 16 << 20
	readAtOnce    = 64 << 10
	bodyPatience  = 30 * time.Second // without a byte
	writePatience = time.Minute
)

// itemStream reads the objects of a body one after the other: one object, an
// array of them, {"vectors": [...]}, or lines. It holds one object at a time.
type itemStream struct {
	body    io.Reader
	buf     []byte
	at, end int   // what is not read yet is buf[at:end]
	base    int64 // the place of buf[0] in the body
	lines   bool
	line    int64
	ended   bool
	// list is set inside an array, wrapped when the array is a member of an object.
	list, wrapped, began bool
	last                 bool // the body has ended with the last object
}

func newItemStream(body io.Reader, lines bool) *itemStream {
	return &itemStream{body: body, buf: make([]byte, readAtOnce), lines: lines, line: 1}
}

// fill reads more; the bytes from keep on stay.
func (s *itemStream) fill(keep int) (int, error) {
	if keep > 0 {
		copy(s.buf, s.buf[keep:s.end])
		s.base += int64(keep)
		s.at -= keep
		s.end -= keep
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= maxItemBytes {
			return keep, fail(http.StatusRequestEntityTooLarge, pgerr.Newf(pgerr.ProgramLimitExceeded, "one vector takes more than %d bytes", maxItemBytes))
		}
		s.buf = append(s.buf, make([]byte, min(len(s.buf), maxItemBytes-len(s.buf)))...)
	}
	n, err := s.body.Read(s.buf[s.end:])
	s.end += n
	if err != nil {
		if !errors.Is(err, io.EOF) {
			return keep, bodyError(err)
		}
		s.ended = n == 0
	}
	return keep, nil
}

// bodyError makes the client's error of a body that cannot be read.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fail(http.StatusRequestEntityTooLarge, pgerr.Newf(pgerr.ProgramLimitExceeded, "the body has more than %d bytes", tooLarge.Limit).
			WithHint("Send many vectors as lines (Content-Type: application/x-ndjson), which have no such limit, or raise http_max_body."))
	}
	return fail(http.StatusBadRequest, pgerr.New(pgerr.ConnectionFailure, "the body could not be read: "+err.Error()))
}

// peek gives the next byte that is no space; false at the end of the body.
func (s *itemStream) peek() (byte, bool, error) {
	for {
		for s.at < s.end {
			c := s.buf[s.at]
			if !isSpace(c) {
				return c, true, nil
			}
			if c == '\n' {
				s.line++
			}
			s.at++
		}
		if s.ended {
			return 0, false, nil
		}
		if _, err := s.fill(s.at); err != nil {
			return 0, false, err
		}
	}
}

func (s *itemStream) bad(message string) error { return badBody(s.base+int64(s.at), message) }

// next returns the next object and its place in the body, nil at the end. The
// object is valid until the next call.
func (s *itemStream) next() ([]byte, int64, error) {
	if !s.began {
		s.began = true
		if err := s.begin(); err != nil {
			return nil, 0, err
		}
	} else if more, err := s.separator(); err != nil || !more {
		return nil, 0, err
	}
	c, ok, err := s.peek()
	switch {
	case err != nil:
		return nil, 0, err
	case !ok && s.lines:
		return nil, 0, nil
	case !ok:
		return nil, 0, s.bad("it ends where an object is expected")
	case c == ']' && s.list:
		return nil, 0, s.finish()
	case c != '{':
		return nil, 0, s.bad("an object is expected")
	}
	return s.object()
}

// begin looks at the body's first bytes: which form it has.
func (s *itemStream) begin() error {
	if s.lines {
		return nil
	}
	c, ok, err := s.peek()
	if err != nil {
		return err
	}
	if !ok {
		return s.bad("the body is empty")
	}
	if c == '[' {
		s.list = true
		s.at++
		return nil
	}
	return s.beginWrapped()
}

// beginWrapped finds out whether the body is {"vectors": [...]}.
func (s *itemStream) beginWrapped() error {
	const key = `"vectors"`
	for s.end-s.at < readAtOnce && !s.ended {
		if _, err := s.fill(s.at); err != nil {
			return err
		}
	}
	t := scanner{text: s.buf[:s.end]}
	i := s.at
	if t.text[i] != '{' {
		return nil
	}
	i = t.space(i + 1)
	if len(t.text)-i < len(key) || string(t.text[i:i+len(key)]) != key {
		return nil
	}
	if i = t.space(i + len(key)); i >= len(t.text) || t.text[i] != ':' {
		return nil
	}
	if i = t.space(i + 1); i >= len(t.text) || t.text[i] != '[' {
		return nil
	}
	s.list, s.wrapped, s.at = true, true, i+1
	return nil
}

// separator moves over what stands between two objects; false when there is no other.
func (s *itemStream) separator() (bool, error) {
	c, ok, err := s.peek()
	switch {
	case err != nil:
		return false, err
	case s.lines:
		return ok, nil
	case !s.list:
		if ok {
			return false, s.bad("something follows the object")
		}
		return false, nil
	case ok && c == ',':
		s.at++
		if c, ok, err = s.peek(); err == nil && ok && c == ']' {
			return false, s.bad("an object is expected")
		}
		return true, err
	case ok && c == ']':
		return false, s.finish()
	default:
		return false, s.bad(`"," or "]" is expected`)
	}
}

// finish reads what follows the list.
func (s *itemStream) finish() error {
	s.at++
	s.last = true
	if s.wrapped {
		c, ok, err := s.peek()
		if err != nil {
			return err
		}
		if !ok || c != '}' {
			return s.bad(`"}" is expected`)
		}
		s.at++
	}
	_, ok, err := s.peek()
	if err == nil && ok {
		err = s.bad("something follows the list")
	}
	return err
}

// object finds the end of the object that begins at s.at.
func (s *itemStream) object() ([]byte, int64, error) {
	depth, quoted := 0, false
	for i := s.at; ; i++ {
		for i >= s.end {
			if s.ended {
				return nil, 0, s.unfinished(s.end)
			}
			moved, err := s.fill(s.at)
			if err != nil {
				return nil, 0, err
			}
			i -= moved
		}
		switch c := s.buf[i]; {
		case c == '\n' && s.lines:
			return nil, 0, s.unfinished(i)
		case quoted && c == '\\':
			i++ // the next byte ends no string
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				from := s.at
				s.at = i + 1
				return s.buf[from:s.at], s.base + int64(from), nil
			}
		}
	}
}

// unfinished says what is wrong with an object that does not end.
func (s *itemStream) unfinished(end int) error {
	if _, err := members(s.buf[s.at:end], s.base+int64(s.at)); err != nil {
		return err
	}
	return s.bad("an object does not end")
}

// patientBody gives the client time as long as it sends something.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(bodyPatience)) // not every writer has one
	return b.ReadCloser.Read(p)
}

// object reads a body that is one small object; an empty body is an empty one.
func readObject(r *http.Request) ([]member, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	if s := (scanner{text: body}); s.space(0) == len(body) {
		return nil, nil
	}
	return members(body, 0)
}

// fields reads members into variables; an unknown key is an error that names the known ones.
type fields struct {
	text  map[string]*string
	count map[string]*int
	flag  map[string]*bool
	raw   map[string]*member
}

func (f fields) read(list []member) error {
	for _, m := range list {
		if string(m.value) == "null" {
			continue
		}
		if err := f.one(m); err != nil {
			return err
		}
	}
	return nil
}

func (f fields) one(m member) error {
	wrong := func(want string) error {
		return located(invalid("%q is %s, not %s", m.key, want, kindOf(m.value)), m.at)
	}
	if to, ok := f.text[m.key]; ok {
		if m.value[0] != '"' {
			return wrong("a string")
		}
		v, err := unquote(m.value)
		*to = v
		return err
	}
	if to, ok := f.count[m.key]; ok {
		n, err := strconv.Atoi(string(m.value))
		if err != nil {
			return wrong("a whole number")
		}
		*to = n
		return nil
	}
	if to, ok := f.flag[m.key]; ok {
		if v := string(m.value); v != "true" && v != "false" {
			return wrong("true or false")
		}
		*to = m.value[0] == 't'
		return nil
	}
	if to, ok := f.raw[m.key]; ok {
		*to = m
		return nil
	}
	return located(invalid("unknown key %q", m.key).WithHint("%s", f.known()), m.at)
}

func (f fields) known() string {
	var names []string
	for n := range f.text {
		names = append(names, n)
	}
	for n := range f.count {
		names = append(names, n)
	}
	for n := range f.flag {
		names = append(names, n)
	}
	for n := range f.raw {
		names = append(names, n)
	}
	return knownKeys(names)
}

func kindOf(raw []byte) string {
	switch raw[0] {
	case '"':
		return "a string"
	case '[':
		return "an array"
	case '{':
		return "an object"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}
