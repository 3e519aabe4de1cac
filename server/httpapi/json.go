package httpapi

import (
	"unicode/utf8"

	"github.com/akidb/akidb/internal/types"
)

// maxNesting bounds the nesting of a body.
const maxNesting = 200

// member is one member of an object: its key, and its value as it is written.
type member struct {
	key   string
	value []byte
	at    int64 // of the value in the body
}

// scanner checks JSON text and finds the ends of its values, without making
// anything of them. base is the place of the text in the body.
type scanner struct {
	text []byte
	base int64
}

func (s *scanner) bad(i int, message string) error { return badBody(s.base+int64(i), message) }

func (s *scanner) space(i int) int {
	for i < len(s.text) && isSpace(s.text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// value returns the end of the value that begins at i.
func (s *scanner) value(i, depth int) (int, error) {
	if i >= len(s.text) {
		return i, s.bad(i, "it ends where a value is expected")
	}
	if depth > maxNesting {
		return i, s.bad(i, "it is nested too deeply")
	}
	switch c := s.text[i]; {
	case c == '"':
		return s.str(i)
	case c == '[':
		return s.array(i, depth)
	case c == '{':
		return s.object(i, depth, nil)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(i)
	}
	for _, word := range []string{"true", "false", "null"} {
		if len(s.text)-i >= len(word) && string(s.text[i:i+len(word)]) == word {
			return i + len(word), nil
		}
	}
	return i, s.bad(i, "a value is expected")
}

func (s *scanner) array(i, depth int) (int, error) {
	i = s.space(i + 1)
	if i < len(s.text) && s.text[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = s.value(i, depth+1); err != nil {
			return i, err
		}
		i = s.space(i)
		switch {
		case i < len(s.text) && s.text[i] == ',':
			i = s.space(i + 1)
		case i < len(s.text) && s.text[i] == ']':
			return i + 1, nil
		default:
			return i, s.bad(i, `"," or "]" is expected`)
		}
	}
}

// object reads an object; each, if there is one, is told of its members.
func (s *scanner) object(i, depth int, each func(member) error) (int, error) {
	i = s.space(i + 1)
	if i < len(s.text) && s.text[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(s.text) || s.text[i] != '"' {
			return i, s.bad(i, "a key in double quotes is expected")
		}
		end, err := s.str(i)
		if err != nil {
			return i, err
		}
		key := s.text[i:end]
		if i = s.space(end); i >= len(s.text) || s.text[i] != ':' {
			return i, s.bad(i, `":" is expected`)
		}
		at := s.space(i + 1)
		if i, err = s.value(at, depth+1); err != nil {
			return i, err
		}
		if each != nil {
			name, err := unquote(key)
			if err != nil {
				return i, s.bad(at, err.Error())
			}
			if err := each(member{name, s.text[at:i], s.base + int64(at)}); err != nil {
				return i, err
			}
		}
		i = s.space(i)
		switch {
		case i < len(s.text) && s.text[i] == ',':
			i = s.space(i + 1)
		case i < len(s.text) && s.text[i] == '}':
			return i + 1, nil
		default:
			return i, s.bad(i, `"," or "}" is expected`)
		}
	}
}

func (s *scanner) str(i int) (int, error) {
	start := i
	for i++; i < len(s.text); {
		switch c := s.text[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, s.bad(i, "a control character stands inside a string")
		case c == '\\':
			n, ok := escape(s.text[i:])
			if !ok {
				return i, s.bad(i, "a wrong escape sequence")
			}
			i += n
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(s.text[i:])
			if r == utf8.RuneError && n == 1 {
				return i, s.bad(i, "the text is not UTF-8")
			}
			i += n
		}
	}
	return start, s.bad(start, "a string does not end")
}

// escape is the length of an escape sequence.
func escape(b []byte) (int, bool) {
	if len(b) < 2 {
		return 0, false
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		if len(b) < 6 {
			return 0, false
		}
		for _, c := range b[2:6] {
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return 0, false
			}
		}
		return 6, true
	}
	return 0, false
}

func (s *scanner) number(i int) (int, error) {
	start := i
	digits := func() bool {
		from := i
		for i < len(s.text) && s.text[i] >= '0' && s.text[i] <= '9' {
			i++
		}
		return i > from
	}
	if s.text[i] == '-' {
		i++
	}
	if i < len(s.text) && s.text[i] == '0' {
		i++
	} else if !digits() {
		return i, s.bad(start, "a wrong number")
	}
	if i < len(s.text) && s.text[i] == '.' {
		if i++; !digits() {
			return i, s.bad(start, "a wrong number")
		}
	}
	if i < len(s.text) && (s.text[i] == 'e' || s.text[i] == 'E') {
		i++
		if i < len(s.text) && (s.text[i] == '+' || s.text[i] == '-') {
			i++
		}
		if !digits() {
			return i, s.bad(start, "a wrong number")
		}
	}
	if i < len(s.text) && (s.text[i] >= '0' && s.text[i] <= '9') {
		return i, s.bad(start, "a number has a leading zero")
	}
	return i, nil
}

// unquote is the text that a JSON string stands for.
func unquote(raw []byte) (string, error) { return types.JSONStringValue(string(raw)) }

// members reads a text that is one object; an object may have a key only once.
func members(text []byte, base int64) ([]member, error) {
	s := scanner{text: text, base: base}
	i := s.space(0)
	if i >= len(text) || text[i] != '{' {
		return nil, s.bad(i, "an object is expected")
	}
	var out []member
	end, err := s.object(i, 0, func(m member) error {
		for j := range out {
			if out[j].key == m.key {
				return s.bad(int(m.at-base), "the key "+string(types.AppendJSONString(nil, m.key))+" comes twice")
			}
		}
		out = append(out, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if end = s.space(end); end < len(text) {
		return nil, s.bad(end, "something follows the object")
	}
	return out, nil
}

// elements gives the elements of a text that is an array and has been checked.
func elements(raw []byte) [][]byte {
	s := scanner{text: raw}
	var out [][]byte
	for i := s.space(1); i < len(raw) && raw[i] != ']'; {
		end, err := s.value(i, 0)
		if err != nil {
			return out // it has been checked
		}
		out = append(out, raw[i:end])
		if i = s.space(end); i < len(raw) && raw[i] == ',' {
			i = s.space(i + 1)
		}
	}
	return out
}
