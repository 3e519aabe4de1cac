package types

import "strings"

// A JSONCursor walks over the members of one object or the elements of one
// array in JSON text that is known to be valid, without reading what lies
// deeper. It serves json, whose values keep their text, and jsonb alike. On
// text that is not valid it stops early; it never fails.
type JSONCursor struct {
	s      string
	i      int
	object bool
	key    string // raw, with quotes
	value  string
}

// JSONKind is the first byte of a JSON value, which tells its type: { [ " t f n
// for object, array, string, true, false, null, and '0' for a number. 0 is none.
func JSONKind(s string) byte {
	i := skipJSONSpace(s, 0)
	if i == len(s) {
		return 0
	}
	if c := s[i]; c != '-' && !isDigit(c) {
		return c
	}
	return '0'
}

// WalkJSON returns a cursor before the first child of the object or array s; a
// scalar has none.
func WalkJSON(s string) JSONCursor {
	c := JSONCursor{s: s, i: skipJSONSpace(s, 0)}
	if c.i == len(s) || (s[c.i] != '{' && s[c.i] != '[') {
		c.i = len(s)
		return c
	}
	c.object = s[c.i] == '{'
	c.i++
	return c
}

// Next goes to the next child and tells whether there was one.
func (c *JSONCursor) Next() bool {
	i := skipJSONSpace(c.s, c.i)
	if i < len(c.s) && c.s[i] == ',' {
		i = skipJSONSpace(c.s, i+1)
	}
	if i >= len(c.s) || c.s[i] == ']' || c.s[i] == '}' {
		c.i = len(c.s)
		return false
	}
	if c.object {
		end := skipJSONValue(c.s, i)
		c.key = c.s[i:end]
		i = skipJSONSpace(c.s, end)
		if i >= len(c.s) || c.s[i] != ':' {
			c.i = len(c.s)
			return false
		}
		i = skipJSONSpace(c.s, i+1)
	}
	end := skipJSONValue(c.s, i)
	c.value, c.i = c.s[i:end], end
	return end > i
}

// Value is the text of the child, without the blanks around it.
func (c *JSONCursor) Value() string { return c.value }

// RawKey is the name of the member as it is written, with its quotes.
func (c *JSONCursor) RawKey() string { return c.key }

// Key is the name of the member; it fails where a json (not a jsonb) key has an
// escape that is no text.
func (c *JSONCursor) Key() (string, error) { return JSONStringValue(c.key) }

// KeyIs tells whether the member has this name.
func (c *JSONCursor) KeyIs(name string) bool {
	if len(c.key) < 2 {
		return false
	}
	if body := c.key[1 : len(c.key)-1]; strings.IndexByte(body, '\\') < 0 {
		return body == name
	}
	k, err := c.Key()
	return err == nil && k == name
}

// JSONStringValue is the text that a JSON string stands for.
func JSONStringValue(raw string) (string, error) {
	if len(raw) >= 2 && strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	l := newJSONLexer(raw, true)
	if err := l.next(); err != nil {
		return "", err
	}
	return l.str, nil
}

func skipJSONSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipJSONValue returns the end of the value that begins at i.
func skipJSONValue(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	switch s[i] {
	case '"':
		return skipJSONString(s, i)
	case '{', '[':
		return skipJSONContainer(s, i)
	}
	for i < len(s) && strings.IndexByte(",:]} \n\t\r", s[i]) < 0 {
		i++
	}
	return i
}

func skipJSONString(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

func skipJSONContainer(s string, i int) int {
	for depth := 0; i < len(s); {
		switch s[i] {
		case '"':
			i = skipJSONString(s, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(s)
}
